"""A data set of one's own: a folder of images."""

from pathlib import Path

import numpy as np

from ..inputs import UserError, require
from .prepared import ARRAYS
from .vision import vision


def from_folder(place: Path):
    """`train/` and `test/`, each with a folder per class; or class folders alone: every fifth image is for testing."""
    split = (place / "train").is_dir() and (place / "test").is_dir()
    try:
        parts = [vision().datasets.ImageFolder(p) for p in ((place / "train", place / "test") if split else (place,))]
        images = [np.asarray(parts[0].loader(file)) for part in parts for file, _ in part.samples]
    except OSError as error:
        raise UserError(
            f"{place} holds no readable images; it needs a folder of them for each class ({error})"
        ) from None
    require(parts[0].classes == parts[-1].classes, f"{place}: train/ and test/ must have the same class folders")
    samples = [sample for part in parts for sample in part.samples]
    odd = [file for (file, _), image in zip(samples, images, strict=True) if image.shape != images[0].shape]
    require(not odd, f"{odd[:1]} and {samples[0][0]} differ in size; resize all images alike")
    x, y, at = np.stack(images), np.array([k for _, k in samples]), np.arange(len(samples))
    test = at >= len(parts[0]) if split else at % 5 == 4
    require(bool(test.any()), f"{place} holds fewer than five images; some are needed to train on and some to test")
    names = [str(Path(file).relative_to(parts[0].root)) for (file, _), t in zip(samples, test, strict=True) if not t]
    arrays = dict(zip(ARRAYS, (x[~test], y[~test], x[test], y[test]), strict=True))
    return arrays | {"train_files": names}, parts[0].classes
