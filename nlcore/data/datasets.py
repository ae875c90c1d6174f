"""Data sets by name: known ones, fetched when they are missing, and the user's own."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from ..inputs import UserError, lookup, require
from . import fetch
from .own import from_folder
from .prepared import ARRAYS, KNOWN, Dataset, from_npz, read, root, verified


@lru_cache(maxsize=4)
def load(name: str) -> Dataset:
    """A data set by name, fetched if it is not there yet; or the user's own, `path` or `path#hash` (see `pin`)."""
    path, _, pinned = name.rpartition("#") if "#" in name else (name, "", "")
    if path == "digits":
        return verified(path, *_digits())
    if path in KNOWN:
        if not (root() / f"{path}.npz").exists():
            fetch.get(path)
        return read(path)
    place = Path(path).expanduser()
    if not place.exists() and place.suffix != ".npz":
        lookup("data set", path, [*KNOWN, "path/to/file.npz", "path/to/folder"])
    data = verified(path, *(from_folder(place) if place.is_dir() else from_npz(place)))
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


def _digits():
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x, y = (bunch.images[..., None] * (255 / 16)).round().astype(np.uint8), bunch.target
    test = np.arange(len(y)) % 5 == 0  # the file is shuffled, so every fifth image is a fair test set
    return dict(zip(ARRAYS, (x[~test], y[~test], x[test], y[test]), strict=True)), range(10)


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
