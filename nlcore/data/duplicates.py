"""Images that a data set has twice: in training and test set, or with different labels."""

import hashlib
from collections import defaultdict

import numpy as np

from .prepared import Dataset


def digests(images: np.ndarray) -> list[str]:
    """A hash of the pixels of every image."""
    return [hashlib.sha256(image.tobytes()).hexdigest() for image in images]


def duplicates(data: Dataset) -> dict:
    """Of a data set: training images that are test images too (`in_test`), groups of equal training images (`equal`)
    and the classes of each group whose labels differ (`differ`)."""
    train, test = of_parts(data)
    groups = _of_equal(data, train, data.train.y.tolist())
    return {"name": data.name, "in_test": in_test(train, test), "equal": len(groups), "differ": _differing(groups)}


def of_parts(data: Dataset) -> tuple[list[str], list[str]]:
    """The hashes of all training and of all test images."""
    return digests(data.train.x.numpy()), digests(data.test.x.numpy())


def in_test(train: list[str], test: list[str]) -> int:
    """How many training images, from the hashes `of_parts`, are test images too."""
    tested = {*test}
    return sum(digest in tested for digest in train)


def contradictions(data: Dataset, train: list[str], test: list[str]) -> list[list[str]]:
    """The classes of each group of equal images, training and test images together, whose labels differ; from the
    hashes `of_parts`."""
    return _differing(_of_equal(data, train + test, data.train.y.tolist() + data.test.y.tolist()))


def _of_equal(data: Dataset, digest: list[str], label: list[int]) -> list[list[str]]:
    """The classes of each group of two or more equal images."""
    same = defaultdict(list)
    for one, own in zip(digest, label, strict=True):
        same[one].append(data.classes[own])
    return [sorted(classes) for classes in same.values() if len(classes) > 1]


def _differing(groups: list[list[str]]) -> list[list[str]]:
    """Those groups whose classes differ."""
    return sorted(classes for classes in groups if len({*classes}) > 1)
