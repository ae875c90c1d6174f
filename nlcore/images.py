"""Operations on a batch of images on its device."""

import torch
import torch.nn.functional as F
from torch import Tensor


def flip_crop(x: Tensor, pad: int = 4) -> Tensor:
    """Images (B, C, H, W), each mirrored or not and cut at random from itself with `pad` black pixels around it."""
    B, C, H, W = x.shape
    down, right = torch.randint(2 * pad + 1, (2, B, 1), device=x.device)
    column = torch.arange(W, device=x.device)
    column = right + torch.where(torch.rand(B, 1, device=x.device) < 0.5, column, W - 1 - column)  # (B, W)
    row, image = down + torch.arange(H, device=x.device), torch.arange(B, device=x.device)
    channel = torch.arange(C, device=x.device)[:, None, None]
    return F.pad(x, [pad] * 4)[image[:, None, None, None], channel, row[:, None, :, None], column[:, None, None, :]]
