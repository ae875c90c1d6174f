"""Data sets by name: known ones, fetched when they are missing, and the user's own."""

import os
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..inputs import UserError, lookup, require, shown
from . import fetch
from .own import from_folder
from .prepared import KNOWN, Dataset, divided, from_npz, read, root, verified


@lru_cache(maxsize=4)
def load(name: str) -> Dataset:
    """A data set by name, fetched if it is not there yet; or the user's own, `path` or `path#hash` (see `pin`).

    A `UserError` says what is wrong with a name, a file or a folder, or that the content is not what was pinned.
    """
    path, pinned = name, ""
    if "#" in name:
        path, _, pinned = name.rpartition("#")
    if path == "digits":
        return verified(path, *_digits())
    if path in KNOWN:
        if not (root() / f"{path}.npz").exists():
            fetch.get(path)
        return read(path)
    place = Path(os.path.expanduser(path))
    named = path.strip() and "\0" not in path and place.absolute() != Path(place.anchor)
    require(bool(named), f"a data set is a name or the path of a file or a folder, not {shown(path)}")
    if not os.path.exists(place) and place.suffix != ".npz":
        lookup("data set", path, [*KNOWN, "path/to/file.npz", "path/to/folder"])
    arrays, class_names = from_folder(place) if place.is_dir() else from_npz(place)
    data = verified(path, arrays, class_names)
    same = data.sha256.startswith(pinned)
    require(same, f"{path} has changed since it was pinned: {data.sha256[:12]}, not {pinned}")
    return data._replace(name=name)


def train_size(name: str) -> int:
    """How many training images there are, without fetching a known data set."""
    return KNOWN[name][0] if name in KNOWN else len(load(name).train.y)


def classes(name: str) -> int:
    """How many classes there are, without fetching a known data set."""
    if name in KNOWN:
        return 100 if name == "cifar100" else 10
    return load(name).K


def pin(name: str) -> str:
    """A data set by value: known names as they are, the user's own with the hash of its content."""
    return name if name in KNOWN or "#" in name else f"{name}#{load(name).sha256[:12]}"


def _digits():
    """The arrays and the class names of scikit-learn's digits; grey levels of 0 to 16 become those of 0 to 255."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x = (bunch.images[..., None] * (255 / 16)).round().astype(np.uint8)
    test = np.arange(len(x)) % 5 == 0  # the file is shuffled, so every fifth image is a fair test set
    return divided(x, bunch.target, test), range(10)


def listing() -> list[dict]:
    """One row per known data set: state, images, hash, megabytes, place. Nothing is downloaded."""
    rows = []
    for name in KNOWN:
        path = root() / f"{name}.npz"
        row = {"name": name, "state": "missing", "images": "", "sha256": "", "MB": ""}
        row["place"] = f"nlcore data get {name}"
        if name == "digits" or path.exists():
            try:
                data = load(name)
            except UserError as error:
                row |= {"state": "corrupt", "place": str(error)}
            else:
                count = f"{len(data.train.y)} + {len(data.test.y)}"
                row |= {"state": "ready", "images": count, "sha256": data.sha256}
                row["MB"] = round((data.train.x.nbytes + data.test.x.nbytes) / 1e6, 1)
                row["place"] = "embedded" if name == "digits" else str(path)
        rows.append(row)
    return rows
