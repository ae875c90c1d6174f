"""Data sets as arrays: uint8 images and true labels, verified by content, always in the same order.

Whatever the source, images are ordered by the SHA-256 of their content, not as an archive happens to list them.
"""

import hashlib
import os
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from . import home
from .inputs import UserError, lookup, require

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")

# number of training images, and the SHA-256 of the decoded arrays; None: not known yet, the first fetch is trusted
KNOWN: dict[str, tuple[int, str | None]] = {
    "digits": (1437, "b8efb8d05cf1c8ea192931a7c81cec2937c56acc5f0e3e9ae8816c82b496af57"),
    "mnist": (60000, "12c2f300eae10c637b93c1c93320f64066b7e6a12eb2575a9f525d658f165601"),
    "fashion": (60000, "4dbf9057366fe73d80a1697d3531afc86e2f3f33d5c0af4839cc12fd9d512697"),
    "cifar10": (50000, "0e6dac40c6e9091bbdc1999185889a7fad1364ed12371d54c3c98fddc630afa3"),
    "cifar100": (50000, None),
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
    return Path(os.environ.get("NLCORE_DATA", home() / "data"))


@lru_cache(maxsize=4)
def load(name: str) -> Dataset:
    """A data set by name, fetched if it is not there yet; or the user's own, `path` or `path#hash` (see `pin`)."""
    path, _, pinned = name.rpartition("#") if "#" in name else (name, "", "")
    if path == "digits":
        return verified(path, *_digits())
    if path in KNOWN:
        if not (root() / f"{path}.npz").exists():
            from .fetch import get  # only where something is missing

            get(path)
        return read(path)
    place = Path(path).expanduser()
    if not place.exists() and place.suffix != ".npz":
        lookup("data set", path, [*KNOWN, "path/to/file.npz", "path/to/folder"])
    data = verified(path, *(_folder(place) if place.is_dir() else _npz(place)))
    same = data.sha256.startswith(pinned)
    require(same, f"{path} has changed since it was pinned: {data.sha256[:12]}, not {pinned}")
    return data._replace(name=name)


def train_size(name: str) -> int:
    """How many training images there are, without fetching a known data set."""
    return KNOWN[name][0] if name in KNOWN else len(load(name).train.y)


def classes(name: str) -> int:
    """How many classes there are, likewise."""
    return {"cifar100": 100}.get(name, 10) if name in KNOWN else load(name).K


def pin(name: str) -> str:
    """A data set by value: known names as they are, the user's own with the hash of its content."""
    return name if name in KNOWN or "#" in name else f"{name}#{load(name).sha256[:12]}"


def read(name: str) -> Dataset:
    """The prepared file of a known data set, verified."""
    try:
        return verified(name, *_npz(root() / f"{name}.npz"))
    except UserError as error:
        raise UserError(f"{error}; `nlcore data get {name}` fetches it again") from None


def verified(name: str, arrays: dict[str, np.ndarray], classes) -> Dataset:
    """Arrays in canonical order; those of a known data set must be the published ones."""
    splits = [canonical(arrays[f"{split}_images"], arrays[f"{split}_labels"]) for split in ("train", "test")]
    digest = hashlib.sha256("".join(digest for *_, digest, _ in splits).encode()).hexdigest()
    known = KNOWN.get(name, (0, None))[1]
    require(known in (None, digest), f"the images of {name} are not the published ones (hash {digest[:12]})")
    images = (Images(torch.from_numpy(x), torch.from_numpy(y)) for x, y, *_ in splits)
    names, order = arrays.get("train_files"), splits[0][3]
    files = tuple(str(i if names is None else names[i]) for i in order)
    return Dataset(name, tuple(map(str, classes)), len(classes), *images, digest, files)


def canonical(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, str, list[int]]:
    """Images (N, H, W, C) and labels (N,) ordered by content: x uint8 (N, C, H, W), y int64 (N,), their SHA-256, and
    their places before."""
    tails = labels.astype("<u2")
    keys = [hashlib.sha256(x.tobytes() + y.tobytes()).digest() for x, y in zip(images, tails, strict=True)]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    digest = hashlib.sha256(b"".join(keys[i] for i in order)).hexdigest()
    x = np.ascontiguousarray(images[order].transpose(0, 3, 1, 2))
    return x, labels[order].astype(np.int64), digest, order


def _digits():
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x, y = (bunch.images[..., None] * (255 / 16)).round().astype(np.uint8), bunch.target
    test = np.arange(len(y)) % 5 == 0  # the file is shuffled, so every fifth image is a fair test set
    return dict(zip(ARRAYS, (x[~test], y[~test], x[test], y[test]), strict=True)), range(10)


def _npz(path: Path):
    """The arrays and class names of an `.npz`, checked."""
    require(path.exists(), f"there is no file {path}")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = {key: arrays[key] for key in arrays.files}
    except (zipfile.BadZipFile, zlib.error, ValueError, TypeError, EOFError, OSError) as error:
        raise UserError(f"{path} is corrupt or not an .npz without pickles ({error})") from None
    missing = [key for key in ARRAYS if key not in found]
    require(not missing, f"{path} lacks the array {', '.join(missing)}; it needs {', '.join(ARRAYS)}")
    classes = found.get("classes", range(int(found["train_labels"].max(initial=0)) + 1))
    for split in ("train", "test"):
        x, y, K = found[f"{split}_images"], found[f"{split}_labels"], len(classes)
        good = x.dtype == np.uint8 and x.ndim == 4
        require(good, f"{path}: {split}_images must be uint8 (N, H, W, C), not {x.dtype} {x.shape}")
        good = y.dtype.kind in "iu" and y.ndim == 1
        require(good, f"{path}: {split}_labels must be whole numbers (N,), not {y.dtype} {y.shape}")
        require(len(x) == len(y), f"{path}: {len(x)} {split}_images but {len(y)} {split}_labels")
        require(len(x) > 0, f"{path}: the {split} split is empty")
        bad = np.flatnonzero((y < 0) | (y >= K))[:1]
        require(not len(bad), f"{path}: {split}_labels{bad} is {y[bad]}, but there are {K} classes, from 0")
    one, two = (found[f"{split}_images"].shape[1:] for split in ("train", "test"))
    require(one == two, f"{path}: train images are {one}, test images {two}; they must be alike")
    return found, classes


def _folder(place: Path):
    """`train/` and `test/`, each with a folder per class; or class folders alone: every fifth image is for testing."""
    from .fetch import vision

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


def listing() -> list[dict]:
    """One row per known data set: state, images, hash, megabytes, place. Nothing is downloaded."""
    rows = []
    for name in KNOWN:
        path = root() / f"{name}.npz"
        row = {
            "name": name,
            "state": "missing",
            "images": "",
            "sha256": "",
            "MB": "",
            "place": f"nlcore data get {name}",
        }
        if name == "digits" or path.exists():
            try:
                data = load(name)
                images, size = (len(data.train.y), len(data.test.y)), data.train.x.nbytes + data.test.x.nbytes
                row |= {"state": "ready", "images": "{} + {}".format(*images), "sha256": data.sha256}
                row |= {"MB": round(size / 1e6, 1), "place": "embedded" if name == "digits" else str(path)}
            except UserError as error:
                row |= {"state": "corrupt", "place": str(error)}
        rows.append(row)
    return rows
