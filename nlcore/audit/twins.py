"""Examples that are nearly alike and have different labels."""

import numpy as np

from ..data.duplicates import digests

SIDE, NEAR = 16, 6.0  # pixels of a side, and grey levels (root of the mean square) by which near images differ at most
MOST = 30_000  # images of which every two are compared; of more only equal ones are found


def twins(x: np.ndarray, given: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of examples with different labels that are equal or, for images uint8 (N, C, H, W), nearly so. Of equal
    examples each is compared with the first of them, so that many blank ones do not make a pair of every two."""
    first = {}
    like = np.array([first.setdefault(digest, i) for i, digest in enumerate(digests(x))], int)
    found = {(int(like[i]), int(i)) for i in np.flatnonzero(given != given[like])}
    if nearness(x):
        different = np.unique(like)
        found |= {(int(different[i]), int(different[j])) for i, j in near(small(x[different]), given[different])}
    return sorted(found)


def nearness(x: np.ndarray) -> bool:
    """Whether examples that are nearly equal are found as well: of images, if they are not too many."""
    return x.ndim == 4 and len(x) <= MOST


def small(x: np.ndarray) -> np.ndarray:
    """Images in grey and with few pixels, (N, F)."""
    import torch
    from torch.nn.functional import adaptive_avg_pool2d

    grey = torch.from_numpy(x).float().mean(1, keepdim=True)
    side = [min(SIDE, n) for n in x.shape[2:]]
    return adaptive_avg_pool2d(grey, side).flatten(1).numpy()


def near(points: np.ndarray, given: np.ndarray) -> list[tuple[int, int]]:
    """Pairs (i, j), i < j, of points (N, F) with different labels (N,) that differ by no more than `NEAR`, in the root
    of the mean square."""
    square, found = (points**2).sum(1), []
    for start in range(0, len(points), 1000):
        part = slice(start, start + 1000)
        distance = square[part, None] + square - 2 * points[part] @ points.T
        alike = (distance <= NEAR**2 * points.shape[1]) & (given[part, None] != given)
        i, j = np.nonzero(alike)
        found += [(a + start, b) for a, b in zip(i.tolist(), j.tolist(), strict=True) if a + start < b]
    return found
