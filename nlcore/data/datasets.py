"""Data sets by name: known ones, fetched when they are missing, and the user's own."""

import hashlib
import os
import re
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from ..inputs import UserError, few, lookup, require, shown, tell
from . import fetch
from .duplicates import contradictions, in_test, of_parts
from .own import files_of, from_folder, from_table
from .prepared import KNOWN, Dataset, Images, divided, from_npz, read, root, tell_untested, verified
from .tables import SUFFIXES, located, read_table, suffix


def load(name: str | Path) -> Dataset:
    """A data set by name, fetched if it is not there yet; or the user's own, `path` or `path#hash` (see `pin`). Its
    tensors are the caller's, to do with them what he likes.

    A `UserError` says what is wrong with a name, a file or a folder, or that the content is not what was pinned.
    """
    data = shared(os.fspath(name))
    train, test = (Images(part.x.clone(), part.y.clone()) for part in (data.train, data.test))
    return data._replace(train=train, test=test)


def shared(name: str) -> Dataset:
    """The same with tensors that all trainings of the process share: for whoever changes nothing in them."""
    path, pinned = parted(name)
    if path not in KNOWN:
        path = str(_place(path))
    elif os.path.isdir(path):
        _tell_of_folder(path)
    if path not in KNOWN and not (pinned and path in _states):
        _states[path] = _state(Path(path))
    data = _loaded(path, _states.get(path, ""))
    same = data.sha256.startswith(pinned)
    require(same, f"{path} has changed since it was pinned: {data.sha256[:12]}, not {pinned}")
    return data._replace(name=name)


@cache
def _tell_of_folder(path: str) -> None:
    """Say, once a process, that a name is not that of the folder here."""
    tell(f"{path} is the known data set; the folder of that name is ./{path}")


_states: dict[str, str] = {}  # of data of one's own, when they were last looked for under their name alone


def _state(place: Path) -> str:
    """What tells that data of one's own are as they were when they were read: names, times and sizes of all files."""
    files = files_of(place) if place.is_dir() else [place]
    if place.is_file() and suffix(place) in SUFFIXES:
        files += [located(place.parent, file) for file in read_table(place, ("file", "label")).file]
    told = [(str(file), file.stat()) for file in files if file.is_file()]
    states = [(file, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_size) for file, stat in told]
    return hashlib.sha256(repr(states).encode()).hexdigest()


@lru_cache(maxsize=4)
def _loaded(path: str, state: str) -> Dataset:
    """A data set, read once while it is in one state; of one's own, a whole path."""
    if path == "digits":
        return verified(path, *_digits())
    if path in KNOWN:
        if not (root() / f"{path}.npz").exists():
            fetch.get(path)
        return read(path)
    place = Path(path)
    require(place.is_dir() or place.is_file(), f"{path} is neither a file nor a folder, such as a pipe")
    source = from_folder if place.is_dir() else from_table if suffix(place) in SUFFIXES else from_npz
    arrays, class_names = source(place)
    data = verified(path, arrays, class_names)
    _tell_duplicates(data)
    tell_untested(path, data.classes, data.test.y)
    return data


def _place(path: str) -> Path:
    """The whole path of a data set of one's own; a `UserError` if nothing is there, with the known names for a word."""
    place = Path(os.path.expanduser(path))
    named = path.strip() and "\0" not in path and place.absolute() != Path(place.anchor)
    require(bool(named), f"a data set is a name or the path of a file or a folder, not {shown(path)}")
    if not os.path.exists(place):
        word = len(place.parts) == 1 and not place.suffix and not path.startswith((".", "~"))
        require(word, f"there is no file or folder {shown(path)}")
        lookup("data set", path, [*KNOWN, "path/to/file.npz", "path/to/folder"])
    return place.resolve()


def parted(name: str) -> tuple[str, str]:
    """The path and the pinned hash, if there is one, of a name such as `photos#0123456789ab`."""
    path, _, pinned = name.rpartition("#")
    is_pin = path and re.fullmatch("[0-9a-f]{12}", pinned) and not os.path.exists(os.path.expanduser(name))
    return (path, pinned) if is_pin else (name, "")


def _tell_duplicates(data: Dataset) -> None:
    """Say if images of the user are in the training and the test set, or in several classes."""
    both = of_parts(data)
    if count := in_test(*both):
        tell(f"{data.name}: {count} training images are test images too")
    if differ := contradictions(data, *both):
        labels = few([" = ".join(group) for group in differ], most=3)
        tell(f"{data.name}: equal images with different labels, in {len(differ)} cases: {labels}")


def train_size(name: str) -> int:
    """How many training images there are, without fetching a known data set."""
    return KNOWN[name][0] if name in KNOWN else len(shared(name).train.y)


def classes(name: str) -> int:
    """How many classes there are, without fetching a known data set."""
    if name in KNOWN:
        return 100 if name == "cifar100" else 10
    return shared(name).K


def pin(name: str) -> str:
    """A data set by value: known names as they are, the user's own as its whole path with the hash of its content."""
    path, pinned = parted(name)
    if path in KNOWN:
        return name
    return f"{_place(path)}#{pinned or shared(name).sha256[:12]}"


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
                data = shared(name)
            except UserError as error:
                row |= {"state": "corrupt", "place": str(error)}
            else:
                count = f"{len(data.train.y)} + {len(data.test.y)}"
                row |= {"state": "ready", "images": count, "sha256": data.sha256}
                row["MB"] = round((data.train.x.nbytes + data.test.x.nbytes) / 1e6, 1)
                row["place"] = "embedded" if name == "digits" else str(path)
        rows.append(row)
    return rows
