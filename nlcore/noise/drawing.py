"""Drawing labels from a law, and the card of what was really drawn.

A draw happens on the CPU, so one seed gives the same labels for every device.
"""

import hashlib
from typing import NamedTuple

import numpy as np

from ..inputs import describe
from .models import NOISES, Noise

VERSION = 1  # of the generator: raise it when the same seed would draw other labels


class Pairs(NamedTuple):
    """A training set: M pairs of an image row and the label it is given."""

    row: np.ndarray  # int32 (M,), rows of the images
    label: np.ndarray  # uint8 or int16 (M,)


def draw(noise: Noise, y: np.ndarray, K: int, seed, carriers: np.ndarray | None = None) -> Pairs:
    """Draw the given labels of images with true classes `y` (N,); `seed` is whatever numpy's `default_rng` takes.

    Added labels follow the N originals; a fractional number of copies gives some images one copy more. They go to the
    same images, or to others with classes `carriers` (n,), whose rows are then N to N + n - 1; class K means none.
    """
    rng = np.random.default_rng(seed)
    N, width = len(y), np.uint8 if K <= 256 else np.int16
    row, kept, true = np.arange(N, dtype=np.int32), np.empty(0, width), y.astype(np.int16)
    if noise.copies is not None:
        added, kept = row, y.astype(width)
        if carriers is not None:
            true = carriers.astype(np.int16)
            added = np.arange(N, N + len(true), dtype=np.int32)
        whole, rest = divmod(round(noise.copies * N), max(len(added), 1))
        row = np.concatenate([row, np.tile(added, whole), rng.permutation(added)[:rest]])
    drawn = row[len(kept) :]
    true = true[drawn - (N if carriers is not None else 0)]
    u, label = rng.random(len(drawn), dtype=np.float32), np.empty(len(drawn), width)
    for k in np.unique(true):
        mine = true == k
        label[mine] = noise.pick(k % K, u[mine], K, rng)  # no class: any row of a law whose rows are equal
    return Pairs(row, np.concatenate([kept, label]))


def card(noise: Noise, pairs: Pairs, y: np.ndarray, true: np.ndarray, K: int, seed: int) -> dict:
    """What was asked for and what was drawn: definition, requested and realised rate, counts (K, K), seed, hash.

    `y` (N,) are the classes of the clean images, `true` (M,) those of the pairs. Class K stands for images that have
    none: their labels are wrong, and not counted.
    """
    counts = np.array([np.bincount(pairs.label[true == k], minlength=K) for k in range(K)])
    requested = 1 - np.bincount(y, minlength=K) / len(y) @ np.diag(noise.matrix(K))
    if (true == K).any():
        requested = noise.copies / (1 + noise.copies)
    found = {"definition": describe(noise, NOISES), "requested_rate": round(float(requested), 6)}
    found |= {"realised_rate": round(float((true != pairs.label).mean()), 6), "counts": counts.tolist()}
    found |= {"images": len(y), "pairs": len(pairs.label), "seed": seed, "version": VERSION}
    return found | {"labels_sha256": hashlib.sha256(pairs.row.tobytes() + pairs.label.tobytes()).hexdigest()}


def realised(card: dict) -> np.ndarray:
    """(K, K) realised transition matrix of a noise card."""
    counts = np.asarray(card["counts"], dtype=float)
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)
