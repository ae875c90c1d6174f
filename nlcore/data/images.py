"""Operations on a batch of images on its device."""

import numpy as np
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


def crop(x: Tensor, size: int, shake: bool) -> Tensor:
    """Square images (B, C, S, S) cut to `size`: in the middle or, to `shake`, somewhere, and mirrored or not."""
    B, C, S, _ = x.shape
    if not shake:
        return x[..., (a := (S - size) // 2) : a + size, a : a + size]
    down, right = torch.randint(S - size + 1, (2, B, 1), device=x.device)
    column = torch.arange(size, device=x.device)
    row, column = down + column, right + torch.where(torch.rand(B, 1, device=x.device) < 0.5, column, size - 1 - column)
    image, channel = torch.arange(B, device=x.device), torch.arange(C, device=x.device)[:, None, None]
    return x[image[:, None, None, None], channel, row[:, None, :, None], column[:, None, None, :]]


def balanced(y: np.ndarray, count: int) -> np.ndarray:
    """Positions of the first `count` of classes `y`, as many of each class as can be."""
    rank = np.empty(len(y), int)
    for k in np.unique(y):
        rank[y == k] = np.arange((y == k).sum())
    return np.lexsort((y, rank))[:count]
