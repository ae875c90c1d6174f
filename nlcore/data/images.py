"""Operations on a batch of images on its device."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def flip_crop(x: Tensor, pad: int = 4) -> Tensor:
    """Images (B, C, H, W), each mirrored or not and cut at random from itself with `pad` black pixels around it."""
    return _random_windows(F.pad(x, [pad] * 4), *x.shape[-2:])


def flip_shift(x: Tensor, most: int = 2) -> Tensor:
    """Images (B, C, H, W), each mirrored or not and moved at random by up to `most` pixels; what lies at the border is
    reflected."""
    return _random_windows(F.pad(x.float(), [most] * 4, mode="reflect"), *x.shape[-2:])


def crop(x: Tensor, size: int, shake: bool) -> Tensor:
    """Square images (B, C, S, S) cut to `size`: in the middle or, to `shake`, somewhere, and mirrored or not."""
    if shake:
        return _random_windows(x, size, size)
    first = (x.shape[-1] - size) // 2
    return x[..., first : first + size, first : first + size]


def _random_windows(x: Tensor, H: int, W: int) -> Tensor:
    """A window (H, W) of each of B images at a random place, mirrored or not; there is as much room down as right."""
    B, C, room = len(x), x.shape[1], x.shape[-1] - W
    down, right = torch.randint(room + 1, (2, B, 1), device=x.device)
    column = torch.arange(W, device=x.device)
    column = right + torch.where(torch.rand(B, 1, device=x.device) < 0.5, column, W - 1 - column)  # (B, W)
    row = down + torch.arange(H, device=x.device)  # (B, H)
    image = torch.arange(B, device=x.device)[:, None, None, None]
    channel = torch.arange(C, device=x.device)[:, None, None]
    return x[image, channel, row[:, None, :, None], column[:, None, None, :]]


def moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, each (C, 1, 1), in grey levels."""
    counts = torch.stack([torch.bincount(c.flatten(), minlength=256) for c in images.unbind(1)]).double()  # (C, 256)
    share, level = counts / counts.sum(1, keepdim=True), torch.arange(256, device=images.device).double()
    mean = share @ level
    std = (share @ level**2 - mean**2).sqrt().clamp_min(1e-6)
    return mean.float()[:, None, None], std.float()[:, None, None]


def balanced(y: np.ndarray, count: int) -> np.ndarray:
    """Positions of `count` images of those with classes `y` (N,): the first ones, as many of each class as can be."""
    rank = np.empty(len(y), int)  # an image's place among those of its class
    for k in np.unique(y):
        rank[y == k] = np.arange((y == k).sum())
    return np.lexsort((y, rank))[:count]
