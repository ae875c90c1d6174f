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
    train, test = digests(data.train.x.numpy()), {*digests(data.test.x.numpy())}
    same = defaultdict(list)
    for digest, label in zip(train, data.train.y.tolist(), strict=True):
        same[digest].append(data.classes[label])
    groups = [sorted(labels) for labels in same.values() if len(labels) > 1]
    differ = sorted(labels for labels in groups if len({*labels}) > 1)
    in_test = sum(digest in test for digest in train)
    return {"name": data.name, "in_test": in_test, "equal": len(groups), "differ": differ}
