"""A data set of one's own: a folder of images."""

from pathlib import Path

import numpy as np

from ..inputs import UserError, require
from .prepared import divided
from .vision import vision


def from_folder(place: Path):
    """The arrays (see `prepared.ARRAYS`) and class names of a folder of images, all of one size.

    It holds `train/` and `test/`, each with a folder per class; or class folders alone, and then every fifth image is
    for testing. `train_files` are the paths of the training images. A `UserError` names an image that cannot be read
    or has another size, folders of classes that differ, and too few images.
    """
    has_split = (place / "train").is_dir() and (place / "test").is_dir()
    folders = [place / "train", place / "test"] if has_split else [place]
    try:
        parts = [vision().datasets.ImageFolder(folder) for folder in folders]
        samples = [sample for part in parts for sample in part.samples]  # (file, class)
        images = [np.asarray(parts[0].loader(file)) for file, _ in samples]
    except OSError as error:
        needs = "it needs a folder of them for each class"
        raise UserError(f"{place} holds no readable images; {needs} ({error})") from None
    require(parts[0].classes == parts[-1].classes, f"{place}: train/ and test/ must have the same class folders")
    files = [file for file, _ in samples]
    for file, image in zip(files, images, strict=True):
        require(image.shape == images[0].shape, f"{[file]} and {files[0]} differ in size; resize all images alike")
    at = np.arange(len(files))
    test = at >= len(parts[0]) if has_split else at % 5 == 4
    require(bool(test.any()), f"{place} holds fewer than five images; some are needed to train on and some to test")
    arrays = divided(np.stack(images), np.array([k for _, k in samples]), test)
    arrays["train_files"] = [str(Path(files[i]).relative_to(parts[0].root)) for i in np.flatnonzero(~test)]
    return arrays, parts[0].classes
