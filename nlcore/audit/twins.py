"""Examples that are nearly alike and have different labels."""

from collections import defaultdict
from itertools import combinations

import numpy as np

from ..data.duplicates import digests

SIDE, NEAR = 16, 6.0  # pixels of a side, and grey levels (root of the mean square) by which near images differ at most
MOST = 30_000  # images of which every two are compared; of more only equal ones are found


def twins(x: np.ndarray, given: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of examples with different labels that are equal or, for images uint8 (N, C, H, W), nearly so."""
    found = {pair for pair in equal(x) if given[pair[0]] != given[pair[1]]}
    if x.ndim == 4 and len(x) <= MOST:
        found |= {(i, j) for i, j in near(small(x)) if given[i] != given[j]}
    return sorted(found)


def equal(x: np.ndarray) -> list[tuple[int, int]]:
    """All pairs of equal examples."""
    same = defaultdict(list)
    for i, digest in enumerate(digests(x)):
        same[digest].append(i)
    return [pair for group in same.values() for pair in combinations(group, 2)]


def small(x: np.ndarray) -> np.ndarray:
    """Images in grey and with few pixels, (N, F)."""
    import torch
    from torch.nn.functional import adaptive_avg_pool2d

    grey = torch.from_numpy(x).float().mean(1, keepdim=True)
    side = [min(SIDE, n) for n in x.shape[2:]]
    return adaptive_avg_pool2d(grey, side).flatten(1).numpy()


def near(points: np.ndarray) -> list[tuple[int, int]]:
    """Pairs (i, j), i < j, of points (N, F) that differ by no more than `NEAR` in the root of the mean square."""
    square, found = (points**2).sum(1), []
    for start in range(0, len(points), 1000):
        part = slice(start, start + 1000)
        distance = square[part, None] + square - 2 * points[part] @ points.T
        i, j = np.nonzero(distance <= NEAR**2 * points.shape[1])
        found += [(a + start, b) for a, b in zip(i.tolist(), j.tolist(), strict=True) if a + start < b]
    return found
