"""Prepared arrays: uint8 images and true labels, verified by content, always in the same order.

Whatever the source, images are ordered by the SHA-256 of their content, not as an archive happens to list them.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .. import home, place
from ..inputs import UserError, few, require, tell
from .tables import as_read, suffix

MOST_CLASSES = 10_000
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")

# number of training images, and the SHA-256 of the decoded arrays
KNOWN: dict[str, tuple[int, str]] = {
    "digits": (1437, "b8efb8d05cf1c8ea192931a7c81cec2937c56acc5f0e3e9ae8816c82b496af57"),
    "mnist": (60000, "12c2f300eae10c637b93c1c93320f64066b7e6a12eb2575a9f525d658f165601"),
    "fashion": (60000, "4dbf9057366fe73d80a1697d3531afc86e2f3f33d5c0af4839cc12fd9d512697"),
    "cifar10": (50000, "0e6dac40c6e9091bbdc1999185889a7fad1364ed12371d54c3c98fddc630afa3"),
    "cifar100": (50000, "54cccc4b424637d64da538f8696369165e21d0b2daedc76daf0af6f31083e413"),
}


class Images(NamedTuple):
    """Images `x` uint8 (N, C, H, W) and their true classes `y` int64 (N,)."""

    x: torch.Tensor
    y: torch.Tensor


class Dataset(NamedTuple):
    name: str
    classes: tuple[str, ...]
    K: int  # classes
    train: Images
    test: Images
    sha256: str
    files: tuple[str, ...] = ()  # where the training images come from: files of a folder, rows of an array


def root() -> Path:
    """Where prepared data sets live: $NLCORE_DATA, else `data/` in the checkout."""
    return place("NLCORE_DATA", home() / "data")


def read(name: str) -> Dataset:
    """The prepared file of a known data set, verified."""
    path = root() / f"{name}.npz"
    check_readable(path)
    try:
        return verified(name, *from_npz(path))
    except UserError as error:
        raise UserError(f"{error}; `nlcore data get {name}` fetches it again") from None


def check_readable(path: Path) -> None:
    """Refuse a file that is there and that the system does not open, whatever its content may be."""
    try:
        path.open("rb").close()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from None


def verified(name: str, arrays: dict[str, np.ndarray], classes) -> Dataset:
    """A data set from arrays (see `ARRAYS`) and class names, in canonical order; a `UserError` if those of a known data
    set are not the published ones. In the hash of one's own are the shape of its images and the class names as well."""
    train, train_digest, order = canonical(arrays["train_images"], arrays["train_labels"])
    test, test_digest, _ = canonical(arrays["test_images"], arrays["test_labels"])
    digest = hashlib.sha256((train_digest + test_digest).encode()).hexdigest()
    names = tuple(map(str, classes))
    if name in KNOWN:
        require(digest == KNOWN[name][1], f"the images of {name} are not the published ones (hash {digest[:12]})")
    else:
        digest = hashlib.sha256(json.dumps([digest, train.x.shape[1:], names]).encode()).hexdigest()
    sources = arrays.get("train_files", range(len(order)))
    files = tuple(str(sources[i]) for i in order)
    return Dataset(name, names, len(names), train, test, digest, files)


def canonical(images: np.ndarray, labels: np.ndarray) -> tuple[Images, str, list[int]]:
    """Images (N, H, W, C) and labels (N,) ordered by content, their SHA-256, and the places (N,) they had before."""
    tails = labels.astype("<u2")
    keys = [hashlib.sha256(x.tobytes() + y.tobytes()).digest() for x, y in zip(images, tails, strict=True)]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    digest = hashlib.sha256(b"".join(keys[i] for i in order)).hexdigest()
    x = torch.from_numpy(np.ascontiguousarray(images[order].transpose(0, 3, 1, 2)))
    return Images(x, torch.from_numpy(labels[order].astype(np.int64))), digest, order


def tell_untested(place: str, classes: Sequence[str], test: Tensor) -> None:
    """Say which of the classes have no image among those to test on, of which these labels are."""
    absent = [str(classes[k]) for k in sorted({*range(len(classes))} - {*test.tolist()})]
    if absent:
        tell(f"{place}: no image to test on is of class {few(absent)}, so no accuracy says anything of it")


def divided(x: np.ndarray, y: np.ndarray, test: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of a data set from images (N, H, W, C), labels (N,) and which of them are for testing (N,)."""
    return dict(zip(ARRAYS, (x[~test], y[~test], x[test], y[test]), strict=True))


def from_npz(path: Path):
    """The arrays (see `ARRAYS`) and class names of an `.npz`, checked; a `UserError` says what is wrong with it.

    Without the array `classes`, the classes are the numbers up to the largest training label.
    """
    found = opened(path)
    missing = [key for key in ARRAYS if key not in found]
    require(not missing, f"{path} lacks the array {', '.join(missing)}; it needs {', '.join(ARRAYS)}")
    if others := of_other_splits(found):
        tell(f"{path}: left out, as they are neither to train on nor to test on: {few(others)}")
    for split in ("train", "test"):
        check_split(path, f"{split}_", found[f"{split}_images"], found[f"{split}_labels"])
    one, two = found["train_images"].shape[1:], found["test_images"].shape[1:]
    require(one == two, f"{path}: train images are {one}, test images {two}; they must be alike")
    classes = class_names(path, found)
    K = len(classes) or int(found["train_labels"].max()) + 1
    check_files(path, "train_", found)
    _check_classes(path, found, K)
    return found, classes or range(K)


def of_other_splits(found: dict[str, np.ndarray]) -> list[str]:
    """Arrays of images and of their labels, such as `val_images`, that are read neither to train nor to test."""
    parts = [name.removesuffix("_images") for name in sorted(found) if name.endswith("_images")]
    others = [part for part in parts if part not in ("train", "test") and f"{part}_labels" in found]
    return [f"{part}_{what}" for part in others for what in ("images", "labels")]


def class_names(path: Path, found: dict[str, np.ndarray]) -> list[str]:
    """The names in the array `classes`, as people read them; none without that array."""
    if "classes" not in found:
        return []
    check_names(path, "classes", found["classes"])
    names = [as_read(str(name)) for name in found["classes"]]
    check_names(path, "classes", np.array(names))
    require("" not in names, f"{path}: classes has a blank name")
    return names


def opened(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an `.npz`; names that are stored as bytes become text."""
    require(path.exists(), f"there is no file {path}")
    whole = "an .npz with images and labels is needed, as numpy.savez writes it"
    pickled = suffix(path) in (".pt", ".pth", ".pkl", ".pickle")
    require(not pickled, f"{path}: files that may run code when they are read are never opened; {whole}")
    check_readable(path)
    try:
        with path.open("rb") as file:
            arrays = np.load(file, allow_pickle=False)
            single = isinstance(arrays, np.ndarray)
            require(not single, f"{path} holds a single array; {whole}")
            return {key: _text(_plain(path, arrays, key)) for key in arrays.files}
    except UserError:
        raise
    except Exception as error:  # whatever a torn file makes of reading it
        told = f"{path} is corrupt or not an .npz without pickles ({type(error).__name__})"
        archive = suffix(path) in (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
        other = "unpack it and give the folder" if archive else "a table is to be .csv, .tsv, .txt or .parquet"
        raise UserError(told if suffix(path) == ".npz" else f"{told}; {other}") from None


def _plain(path: Path, arrays, key: str) -> np.ndarray:
    """An array of an `.npz`; one of Python objects, such as a column of pandas, is refused by its name."""
    try:
        return arrays[key]
    except ValueError as error:
        told = f"{path}: the array {key} has Python objects, which are never read; of names, save {key}.astype(str)"
        require("allow_pickle" not in str(error), told)
        raise


def _text(array: np.ndarray) -> np.ndarray:
    """An array, of bytes as text."""
    return np.char.decode(array, "utf-8", "backslashreplace") if array.dtype.kind == "S" else array


def check_split(path: Path, split: str, x: np.ndarray, y: np.ndarray) -> None:
    """Refuse images and labels that are of a wrong type or shape or do not match; `split` is how their names begin."""
    good = x.dtype == np.uint8 and x.ndim == 4
    require(good, f"{path}: {split}images must be uint8 (N, H, W, C), not {x.dtype} {x.shape}")
    good = y.dtype.kind in "iu" and y.ndim == 1
    require(good, f"{path}: {split}labels must be whole numbers (N,), not {y.dtype} {y.shape}")
    require(len(x) == len(y), f"{path}: {len(x)} {split}images but {len(y)} {split}labels")
    require(len(x) > 0, f"{path}: {split}images is empty")
    good = x.shape[3] in (1, 3, 4) and x.size > 0
    require(good, f"{path}: {split}images are {x.shape}; (N, H, W, C) is needed with 1, 3 or 4 channels C")


def check_names(path: Path, name: str, names: np.ndarray) -> None:
    """Refuse names that are none, or that occur twice."""
    good = names.ndim == 1 and names.dtype.kind in "iuU"
    require(good, f"{path}: {name} must be names, one each, not {names.dtype} {names.shape}")
    found, count = np.unique(names, return_counts=True)
    twice = [str(name) for name in found[count > 1]]
    require(not twice, f"{path}: {name} has {few(twice)} more than once")


def check_files(path: Path, split: str, found: dict[str, np.ndarray]) -> None:
    """Refuse names of images, where there are any, that are none, occur twice, or are more or fewer than the labels."""
    files, labels = f"{split}files", f"{split}labels"
    if files in found:
        check_names(path, files, found[files])
        count, M = len(found[files]), len(found[labels])
        require(count == M, f"{path}: {count} {files} but {M} {labels}")


def _check_classes(path: Path, found: dict[str, np.ndarray], K: int) -> None:
    """Refuse labels that are none of K classes, classes without a training image, and more classes than we can hold."""
    for split in ("train", "test"):
        y = found[f"{split}_labels"]
        bad = np.flatnonzero((y < 0) | (y >= K))[:1]
        require(not len(bad), f"{path}: {split}_labels{bad} is {y[bad]}, but there are {K} classes, from 0")
    filled = np.unique(found["train_labels"])
    absent = next((k for k, label in enumerate(filled) if k != label), len(filled))  # the first one
    told = f"{path}: no training image has label {absent}, of {K} from 0; number the classes without gaps"
    require(len(filled) == K, told)
    require(
        K <= MOST_CLASSES, f"{path}: {K} classes are too many; at most {MOST_CLASSES} can be, as matrices are K x K"
    )
