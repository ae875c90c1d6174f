"""Noise models: T[i, j] = P(given label = j | true class = i), rows sum to 1; and the card of what was really drawn.

A draw happens on the CPU, so one seed gives the same labels for every device.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .inputs import describe, require

VERSION = 1  # of the generator: raise it when the same seed would draw other labels

# fine label -> superclass of CIFAR-100 (Krizhevsky 2009); fine labels are alphabetical: 5i..5i+4 is *not* a superclass
CIFAR100_SUPERCLASS = (
    *(4, 1, 14, 8, 0, 6, 7, 7, 18, 3, 3, 14, 9, 18, 7, 11, 3, 9, 7, 11, 6, 11, 5, 10, 7),
    *(6, 13, 15, 3, 15, 0, 11, 1, 10, 12, 14, 16, 9, 11, 5, 5, 19, 8, 8, 15, 13, 14, 17, 18, 10),
    *(16, 4, 17, 4, 2, 0, 17, 4, 18, 17, 10, 3, 2, 12, 12, 16, 12, 1, 9, 19, 2, 10, 0, 1, 16),
    *(12, 9, 13, 15, 13, 16, 19, 2, 4, 6, 19, 5, 5, 8, 19, 18, 1, 2, 15, 6, 0, 17, 8, 14, 13),
)


class Pairs(NamedTuple):
    """A training set: M pairs of an image row and the label it is given."""

    row: np.ndarray  # int32 (M,), rows of the images
    label: np.ndarray  # uint8 or int16 (M,)


class Noise:
    """A law of given labels: they replace the true ones or, where `copies` is a number, are added to them."""

    copies: float | None = None  # added labels per image; None: labels are replaced

    def law(self, K: int) -> np.ndarray:
        """(K, K) law of one drawn label given the true class."""
        raise NotImplementedError

    def matrix(self, K: int) -> np.ndarray:
        """(K, K) law of a given label over the whole training set, clean originals included."""
        return self.law(K) if self.copies is None else (np.eye(K) + self.copies * self.law(K)) / (1 + self.copies)


@dataclass(frozen=True)
class Clean(Noise):
    """Every image keeps its true label."""

    def law(self, K):
        return np.eye(K)


@dataclass(frozen=True)
class Uniform(Noise):
    """alpha more labels per image, uniform over all K classes, the true one included (Rolnick 2017, Fig. 1)."""

    alpha: float

    def __post_init__(self):
        ok = math.isfinite(self.alpha) and self.alpha >= 0
        require(ok, f"alpha is the number of noisy labels per clean one, so 0 or more and finite, not {self.alpha}")

    @property
    def copies(self):
        return self.alpha

    def law(self, K):
        return np.full((K, K), 1 / K)


@dataclass(frozen=True)
class Flip(Noise):
    """With probability `rate` a label is drawn anew from `target`; rate 0 is clean."""

    rate: float

    def __post_init__(self):
        require(0 <= self.rate <= 1, f"rate is a share of labels, so between 0 and 1, not {self.rate}")

    def target(self, K: int) -> np.ndarray:
        """(K, K) law of the label after a flip."""
        raise NotImplementedError

    def law(self, K):
        return (1 - self.rate) * np.eye(K) + self.rate * self.target(K)


class SymmetricInclusive(Flip):
    """To any of the K classes, the true one included: rate (K-1)/K is really wrong (GLC, FasTEN)."""

    def target(self, K):
        return np.full((K, K), 1 / K)


class SymmetricExclusive(Flip):
    """To one of the K-1 other classes: `rate` is really wrong (GCE)."""

    def target(self, K):
        return (1 - np.eye(K)) / (K - 1)


class AsymmetricCifar10(Flip):
    """truck -> automobile, bird -> airplane, deer -> horse, cat <-> dog; five classes untouched (Patrini 2017)."""

    def target(self, K):
        require(K == 10, f"asymmetric_cifar10 is a map of CIFAR-10's 10 classes; this data set has {K}")
        return np.eye(K)[[0, 1, 0, 5, 7, 3, 6, 7, 8, 1]]


class AsymmetricSuperclass(Flip):
    """To the next class, in circle, of the true CIFAR-100 superclass (the rule that Patrini 2017 intends)."""

    def target(self, K):
        require(K == 100, f"asymmetric_superclass needs CIFAR-100's 100 classes; this data set has {K}")
        groups = [[k for k in range(K) if CIFAR100_SUPERCLASS[k] == s] for s in CIFAR100_SUPERCLASS]
        return np.eye(K)[[group[(group.index(k) + 1) % len(group)] for k, group in enumerate(groups)]]


class PairFlip(Flip):
    """To the next class, i -> i+1 mod K."""

    def target(self, K):
        return np.roll(np.eye(K), 1, axis=1)


@dataclass(frozen=True)
class Matrix(Noise):
    """Labels drawn from the rows of a given transition matrix."""

    T: tuple[tuple[float, ...], ...]

    def __post_init__(self):
        T = np.asarray(self.T, dtype=float)
        require(T.ndim == 2 and T.shape[0] == T.shape[1], f"T must be square, not of shape {T.shape}")
        require(bool((T >= 0).all()) and np.allclose(T.sum(1), 1), "every row of T must be >= 0 and sum to 1")
        object.__setattr__(self, "T", tuple(tuple(map(float, row)) for row in T))  # hashable

    def law(self, K):
        require(len(self.T) == K, f"T has {len(self.T)} classes; this data set has {K}")
        return np.asarray(self.T)


NOISES = {
    "clean": Clean,
    "uniform": Uniform,
    "symmetric_inclusive": SymmetricInclusive,
    "symmetric_exclusive": SymmetricExclusive,
    "asymmetric_cifar10": AsymmetricCifar10,
    "asymmetric_superclass": AsymmetricSuperclass,
    "pair_flip": PairFlip,
    "matrix": Matrix,
}


def draw(noise: Noise, y: np.ndarray, K: int, seed) -> Pairs:
    """Draw the given labels of images with true classes `y` (N,); `seed` is whatever numpy's `default_rng` takes.

    Added labels follow the N originals; a fractional number of copies gives some images one copy more.
    """
    rng = np.random.default_rng(seed)
    N, width = len(y), np.uint8 if K <= 256 else np.int16
    row = drawn = np.arange(N, dtype=np.int32)
    kept = np.empty(0, width)
    if noise.copies is not None:
        whole, rest = divmod(round(noise.copies * N), max(N, 1))
        drawn = np.concatenate([np.tile(row, whole), rng.permutation(row)[:rest]])
        row, kept = np.concatenate([row, drawn]), y.astype(width)
    cdf = np.cumsum(noise.law(K), axis=1)
    u, label = rng.random(len(drawn), dtype=np.float32), np.empty(len(drawn), width)
    for k in range(K):
        mine = y[drawn] == k
        label[mine] = np.minimum(np.searchsorted(cdf[k], u[mine], side="right"), K - 1)
    return Pairs(row, np.concatenate([kept, label]))


def card(noise: Noise, pairs: Pairs, y: np.ndarray, K: int, seed: int) -> dict:
    """What was asked for and what was drawn: definition, requested and realised rate, counts (K, K), seed, hash."""
    true = y[pairs.row]
    counts = np.bincount(true.astype(np.int64) * K + pairs.label, minlength=K * K).reshape(K, K)
    requested = 1 - np.bincount(y, minlength=K) / len(y) @ np.diag(noise.matrix(K))
    found = {"definition": describe(noise, NOISES), "requested_rate": round(float(requested), 6)}
    found |= {"realised_rate": round(float((true != pairs.label).mean()), 6), "counts": counts.tolist()}
    found |= {"images": len(y), "pairs": len(pairs.label), "seed": seed, "version": VERSION}
    return found | {"labels_sha256": hashlib.sha256(pairs.row.tobytes() + pairs.label.tobytes()).hexdigest()}


def realised(card: dict) -> np.ndarray:
    """(K, K) realised transition matrix of a noise card."""
    counts = np.asarray(card["counts"], dtype=float)
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)
