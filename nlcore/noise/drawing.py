"""Drawing labels from a law, and the card of what was really drawn.

A draw happens on the CPU, so one seed gives the same labels for every device.
"""

import hashlib
from typing import NamedTuple

import numpy as np

from ..data.prepared import MOST_CLASSES
from ..inputs import describe, require, shown
from .counts import confusions
from .models import Noise
from .names import NOISES

VERSION = 1  # of the generator: raise it when the same seed would draw other labels


class Pairs(NamedTuple):
    """A training set: M pairs of an image row and the label it is given."""

    row: np.ndarray  # int32 (M,), rows of the images
    label: np.ndarray  # uint8 or int16 (M,)


def draw(
    noise: Noise, y: np.ndarray, K: int, seed, carriers: np.ndarray | None = None, images: np.ndarray | None = None
) -> Pairs:
    """Draw the given labels of images with true classes `y` (N,); `seed` is whatever numpy's `default_rng` takes.

    Labels that are added follow the N true ones, in M pairs: `noise.copies` for each image, and where that is no whole
    number, one more for some. They go to the same images, or to others with classes `carriers` (n,), whose rows are
    then N to N + n - 1; class K means none. These others also are what takes the place of images that are replaced.

    A law that depends on the image knows the images by their rows `images` (N,) in the data set; those are 0 to N - 1
    if not given.

    A `UserError` if classes are none of K, or if the labels are not drawn but given, as those of people are.
    """
    is_one = isinstance(noise, Noise)
    require(is_one, f"noise is an object such as SymmetricExclusive(0.4), with its brackets, not {shown(noise)}")
    known = f"the labels of {type(noise).__name__} are given as they are, to all images of their data set"
    require(noise.drawn, f"{known}; {type(noise).__name__}.given has them, and nothing is drawn")
    y = np.asarray(y)
    require(K > 1, f"noise needs two classes or more to choose from, not {K}")
    require(K <= MOST_CLASSES, f"K is {K}; {MOST_CLASSES:,} classes are the most")
    one_each = y.dtype.kind in "iu" and y.ndim == 1
    require(one_each, f"y are classes (N,), whole numbers, not {y.dtype} of shape {y.shape}")
    y = y.astype(np.int64) if y.dtype.itemsize == 1 else y  # of 256 classes K itself is no uint8
    carriers, images = (None if part is None else np.asarray(part) for part in (carriers, images))
    fits = not len(y) or (0 <= y.min() and y.max() < K)
    require(fits, f"y are classes 0 to {K - 1}" + (f", not {y.min()} to {y.max()}" if len(y) else ""))
    check_carriers(noise, carriers, len(y), K)
    rng = np.random.default_rng(seed)
    if noise.copies is None:
        return _in_place(noise, y, K, rng, carriers, images)
    return _with_added(noise, y, K, rng, carriers)


def check_carriers(noise: Noise, carriers: np.ndarray | None, N: int, K: int) -> None:
    """Refuse classes (n,) of carriers that are none, and a noise that lacks the images that its labels are to go to."""
    none = carriers is None or not len(carriers)
    lacking = none and (noise.replaced > 0 or carriers is not None)
    told = (
        f"{type(noise).__name__} needs images to bear labels or to take the place of others; carriers has their classes"
    )
    require(not (N and lacking), told)
    if not none:
        fits = carriers.ndim == 1 and 0 <= carriers.min() and carriers.max() <= K
        require(fits, f"carriers are classes (n,), 0 to {K - 1}, or {K} of an image that has none")


def _in_place(noise: Noise, y: np.ndarray, K: int, rng: np.random.Generator, carriers, images) -> Pairs:
    """A pair for each image, which some of the carriers may replace."""
    N, row = len(y), np.arange(len(y), dtype=np.int32)
    images = row if images is None else images
    noise.check_images(y, images)
    label = _given(noise, y, K, rng, images)
    if noise.replaced:
        gone = np.flatnonzero(rng.random(N) < noise.replaced)
        row[gone] = N + np.resize(rng.permutation(len(carriers)), len(gone))  # again where they are too few
    return Pairs(row, label)


def _with_added(noise: Noise, y: np.ndarray, K: int, rng: np.random.Generator, carriers) -> Pairs:
    """The true pair of each image, then those that are added, of the same images or of the carriers."""
    N = len(y)
    first, classes = (0, y) if carriers is None else (N, carriers)
    images = np.arange(first, first + len(classes), dtype=np.int32)
    copies, rest = divmod(round(noise.copies * N), max(len(images), 1))
    added = np.concatenate([np.tile(images, copies), rng.permutation(images)[:rest]])
    label = _given(noise, classes.astype(np.int16)[added - first], K, rng, added)
    row = np.concatenate([np.arange(N, dtype=np.int32), added])
    return Pairs(row, np.concatenate([y.astype(label.dtype), label]))


def taken(given: np.ndarray, K: int) -> Pairs:
    """Pairs of images with labels (N,) that are given to them, of which none is drawn. A `UserError` if labels are none
    of K classes."""
    given = np.asarray(given)
    whole = given.dtype.kind in "iu" and given.ndim == 1 and (not len(given) or (0 <= given.min() and given.max() < K))
    require(whole, f"given labels are whole numbers (N,), 0 to {K - 1}")
    return Pairs(np.arange(len(given), dtype=np.int32), given.astype(kind_of_label(K)))


def kind_of_label(K: int) -> type:
    return np.uint8 if K <= 256 else np.int16


def _given(noise: Noise, true: np.ndarray, K: int, rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """A label drawn for each true class (m,), of the image in this row (m,)."""
    u = rng.random(len(true), dtype=np.float32)
    label = np.empty(len(true), kind_of_label(K))
    for k in np.unique(true):
        mine = true == k
        row = k % K  # no class: any row of a law whose rows are equal
        label[mine] = noise.pick(row, u[mine], K, rng, images[mine])
    return label


def card(noise: Noise, pairs: Pairs, y: np.ndarray, true: np.ndarray, K: int, seed: int) -> dict:
    """What was asked for and what was drawn: definition, requested and realised rate, counts (K, K), seed, hash.

    `y` (N,) are the classes of the clean images, `true` (M,) those of the pairs. Class K stands for images that have
    none: their labels are wrong, and not counted.
    """
    if (true == K).any():
        requested = noise.replaced or noise.copies / (1 + noise.copies)
    else:
        shares = np.bincount(y, minlength=K) / len(y)
        requested = 1 - shares @ np.diag(noise.matrix(K))
    counts = confusions(true[true < K], pairs.label[true < K], K)
    return {
        "definition": describe(noise, NOISES),
        "requested_rate": round(float(requested), 6),
        "realised_rate": round(float((true != pairs.label).mean()), 6),
        "counts": counts.tolist(),
        "images": len(y),
        "pairs": len(pairs.label),
        "seed": seed,
        "version": VERSION,
        "labels_sha256": hashlib.sha256(pairs.row.tobytes() + pairs.label.tobytes()).hexdigest(),
    }


def realised(card: dict) -> np.ndarray:
    """The transition matrix (K, K) that was drawn, by a noise card: counts, each row divided by its sum."""
    counts = np.asarray(card["counts"], dtype=float)
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)
