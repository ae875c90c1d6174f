"""Examples that are nearly alike and have different labels."""

from collections import defaultdict
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..data.duplicates import digests

SIDE, NEAR = 16, 6.0  # pixels of a side, and grey levels (root of the mean square) by which near images differ at most
MOST = 30_000  # images of which every two are compared; of more only equal ones are found


class Twins(NamedTuple):
    """Pairs of examples to look at, and how many examples have one that is like them with another label."""

    pairs: list[tuple[int, int]]
    examples: int


def twins(x: np.ndarray, given: np.ndarray) -> Twins:
    """Examples with different labels that are equal or, for images uint8 (N, C, H, W), nearly so. Of equal examples
    with one label the first stands in the pairs for all, so that many blank ones do not make a pair of every two."""
    groups = _equal(x, given)
    others = [{*group.first} for group in groups]  # the labels of examples that are like those of a group
    pairs = [pair for group in groups for pair in pairwise(group.first.values())]
    for a, b in _near_groups(x, groups) if nearness(x) else ():
        pairs.append(_unlike(groups[a].first, groups[b].first))
        others[a] |= {*groups[b].first}
        others[b] |= {*groups[a].first}
    unlike = [i for group, labels in zip(groups, others, strict=True) for i in group.members if labels - {given[i]}]
    return Twins(sorted((min(pair), max(pair)) for pair in pairs), len(unlike))


class Group(NamedTuple):
    """Equal examples: the first of them with each label, and all of them."""

    first: dict[int, int]
    members: list[int]


def _equal(x: np.ndarray, given: np.ndarray) -> list[Group]:
    """All examples, equal ones together."""
    found = defaultdict(list)
    for i, digest in enumerate(digests(x)):
        found[digest].append(i)
    return [Group({int(given[i]): i for i in reversed(members)}, members) for members in found.values()]


def _unlike(one: dict[int, int], other: dict[int, int]) -> tuple[int, int]:
    """An example of each of two groups, with different labels."""
    return next((one[k], other[m]) for k in one for m in other if k != m)


def _near_groups(x: np.ndarray, groups: list[Group]) -> list[tuple[int, int]]:
    """Pairs of groups that are nearly equal and do not all have one label."""
    shown = small(x[[group.members[0] for group in groups]])
    label = [-1 - n if len(group.first) > 1 else min(group.first) for n, group in enumerate(groups)]  # -1, ...: several
    return near(shown, np.array(label))


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
