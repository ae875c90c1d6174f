"""A data set of one's own: a folder of pictures."""

import itertools
import os
from collections.abc import Container, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..inputs import UserError, counted, few, require, tell
from ..machine import memory
from .duplicates import digests
from .pictures import is_picture, shown
from .prepared import divided
from .tables import as_read, located, read_table

# what systems put into folders, beside what begins with a dot
SYSTEM = ("__MACOSX", "Thumbs.db", "desktop.ini", "@eaDir", "#recycle", "@Recycle")
# the usual names of the parts of a data set; of those of one part the first that is there is taken
SPLITS = {"train": ("train", "training"), "test": ("test", "testing", "val", "valid", "validation")}
SPLIT_NAMES = {name for names in SPLITS.values() for name in names}
NEEDS = "it needs train/ and test/ with a folder of pictures for each class, or folders of classes alone"


class Found(NamedTuple):
    """The pictures of a folder by class, and what else lies there."""

    pictures: dict[str, list[Path]]
    others: list[Path]


def from_folder(place: Path):
    """The arrays (see `prepared.ARRAYS`) and class names of a folder of pictures, all of one size.

    It holds `train/` and `test/` (or one of their usual other names), each with a folder per class; or class folders
    alone, and then a fifth of each class is for testing, chosen by content. `train_files` are the paths of the training
    pictures. What is no picture of a class is left out, and said. A `UserError` names pictures that cannot be read or
    have another size, folders of classes that differ or are empty.
    """
    splits, others = _splits(place)
    parts = [found_in(folder) for folder in splits or [place]]
    others += [file for part in parts for file in part.others]
    if others:
        tell(f"{place}: left out, as no pictures of a class: {few(sorted(str(f.relative_to(place)) for f in others))}")
    _check(place, splits, parts)
    classes = [*parts[0].pictures]
    labelled = [(file, k) for part in parts for k, name in enumerate(classes) for file in part.pictures[name]]
    files, label = [file for file, _ in labelled], np.array([k for _, k in labelled])
    x = _decoded(place, files)
    if splits:
        test = np.arange(len(files)) >= sum(map(len, parts[0].pictures.values()))
    else:
        test = _fifth(place, x, label, classes)
    arrays = divided(x, label, test)
    root = splits[0] if splits else place
    arrays["train_files"] = [str(files[i].relative_to(root)) for i in np.flatnonzero(~test)]
    return arrays, classes


def from_table(path: Path):
    """The arrays (see `prepared.ARRAYS`) and class names of a table of `file`, a picture from the folder of the table
    on, and `label`; all have one size. For testing are those whose `split` says so; in a table without that column a
    fifth of each class, as of a folder without a split."""
    table = read_table(path, ("file", "label"))
    empty = table.label == ""
    if empty.any():
        rows = few([str(row) for row in np.flatnonzero(empty)])
        tell(f"{path}: left out, as they have no label: {counted(int(empty.sum()), 'row')} below the header: {rows}")
        table = table[~empty].reset_index(drop=True)
    require(len(table) > 0, f"{path} has no row with a label")
    table = _of_splits(path, table) if "split" in table else table
    names, label = np.unique(table.label, return_inverse=True)
    require(len(names) > 1, f"{path} has a single class; there is nothing to tell apart")
    x = _decoded(path, [located(path.parent, file) for file in table.file])
    names = [*map(str, names)]
    for line in alike(names):
        tell(f"{path}: {line}")
    test = _for_testing(path, table.split, label, names) if "split" in table else _fifth(path, x, label, names)
    return divided(x, label, test) | {"train_files": [*table.file[~test]]}, names


def _used(there: Container[str]) -> dict[str, str]:
    """Of the usual names of each part the first that is `there`, and which part that is."""
    first = {part: next((name for name in names if name in there), "") for part, names in SPLITS.items()}
    return {name: part for part, name in first.items() if name}


def _of_splits(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table whose column `split` names a part that is used, as `train` or `test`; other rows, such as
    those of `val` beside `test`, are left out, which is said. A `UserError` if a cell names no part."""
    split = table.split.str.strip().str.lower()
    odd = sorted({*table.split[~split.isin(SPLIT_NAMES)]})
    told = f"{path}: split is train or test (or another usual name of one of them)"
    require(not odd, f"{told}, not {few([repr(name) for name in odd], most=3)}")
    used = _used({*split})
    others = split[~split.isin(used)]
    if len(others):
        rows = f"{counted(len(others), 'row')} whose split is {few(sorted({*others}))}"
        tell(f"{path}: left out, beside {' and '.join(used)}: {rows}")
    return table.assign(split=split.map(used))[split.isin(used)].reset_index(drop=True)


def _for_testing(path: Path, split: pd.Series, label: np.ndarray, names: list[str]) -> np.ndarray:
    """Which pictures (N,) are for testing, as a column `split` of train and test says. A `UserError` if a class has no
    picture to train on or nothing is left to test."""
    test = (split == "test").to_numpy()
    require(bool(test.any()), f"{path}: no row has test as its split")
    lost = _lost(label, test, names)
    require(not lost, f"{path}: {lost} has no row whose split is train")
    return test


def _lost(label: np.ndarray, test: np.ndarray, names: list[str]) -> str:
    """The classes of which all pictures are for testing, in words."""
    return few([names[k] for k in sorted({*label.tolist()} - {*label[~test].tolist()})])


def inside_of(folder: Path) -> list[Path]:
    """What a user has put into a folder, sorted by name. A `UserError` names a link to what is not there."""
    try:
        inside = sorted(p for p in folder.iterdir() if not p.name.startswith(".") and p.name not in SYSTEM)
    except OSError as error:
        raise UserError(f"{folder} cannot be read ({error.strerror})") from None
    check_utf8(inside)
    lost = [str(p) for p in inside if p.is_symlink() and not p.exists()]
    require(not lost, f"{few(lost, most=3)}: a link to what is not there now; remove it, or bring back where it leads")
    odd = [str(p) for p in inside if not p.is_file() and not p.is_dir()]
    require(not odd, f"{few(odd, most=3)}: neither a file nor a folder; remove it")
    return inside


def check_outside(out: Path, place: Path) -> None:
    """Refuse to write into the folder of the data, if they are one."""
    inside = place.is_dir() and out.resolve().is_relative_to(place.resolve())
    require(not inside, f"{out} lies in {place}, where it would be data the next time; choose another --out")


def check_utf8(paths: Iterable[Path]) -> None:
    """Refuse paths that no table can have: of bytes that some other system took for letters."""
    odd = [str(os.fsencode(path)) for path in paths if os.fsencode(path).decode(errors="replace") != str(path)]
    require(not odd, f"{few(odd, most=3)}: a name that is not in UTF-8; give it another one")


def _splits(place: Path) -> tuple[list[Path], list[Path]]:
    """The folders for training and testing, if there are any, and what else lies beside them."""
    inside = inside_of(place)
    named = {p.name.lower(): p for p in inside if p.is_dir()}
    used = _used(named)
    if not used:
        return [], []
    for kind, names in SPLITS.items():
        wanted = " or ".join(f"{name}/" for name in names)
        there = few([f"{p.name}/" for p in named.values()])
        require(kind in used.values(), f"{place} has no folder to {kind}, {wanted}, beside {there}; {NEEDS}")
    splits = [named[name] for name in used]
    return splits, [p for p in inside if p not in splits and matters(p)]


def matters(beside: Path) -> bool:
    """Whether a user may miss what lies beside the folders of pictures; tables and notes are no data."""
    return beside.is_dir() or is_picture(beside)


def found_in(folder: Path) -> Found:
    """The pictures in a folder of class folders, each with all below it. Names are compared as people read them."""
    pictures, others = {}, []
    for inside in inside_of(folder):
        if inside.is_dir():
            name = as_read(inside.name)
            require(name != "", f"the name of {str(inside)!r} is blank; give it that of its pictures' class")
            own = pictures.setdefault(name, [])
            for file in _below(inside):
                (own if is_picture(file) else others).append(file)
        elif matters(inside):
            others.append(inside)
    return Found(pictures, others)


def files_of(place: Path) -> list[Path]:
    """All files that are looked at when a folder is read."""
    return [file for folder in _splits(place)[0] or [place] for file in _below(folder)]


def _below(folder: Path) -> list[Path]:
    """All files in a folder and the folders in it. A `UserError` names a link that leads back to where it stands."""
    files = []
    for inside in inside_of(folder):
        around = inside.is_symlink() and folder.resolve().is_relative_to(inside.resolve())
        require(not around, f"{inside} is a link to a folder that it stands in; remove it")
        files += _below(inside) if inside.is_dir() else [inside]
    return files


def _check(place: Path, splits: list[Path], parts: list[Found]) -> None:
    """Refuse folders without classes, classes without pictures, and splits whose classes differ."""
    for folder, part in zip(splits or [place], parts, strict=True):
        require(bool(part.pictures), f"{folder} holds no folder of pictures; {NEEDS}")
        if len(part.pictures) == 1:
            refuse_single(folder)
        empty = [f"{folder.name}/{name}/" for name, files in part.pictures.items() if not files]
        require(not empty, f"{place}: no pictures in {few(empty)}; {NEEDS}")
    for line in alike(parts[0].pictures):
        tell(f"{place}: {line}")
    differ = sorted(parts[0].pictures.keys() ^ parts[-1].pictures.keys())
    one, two = (folder.name for folder in splits) if splits else ("", "")
    require(
        not differ, f"{place}: {one}/ and {two}/ must have the same class folders; only one of them has {few(differ)}"
    )


def alike(names: Iterable[str]) -> list[str]:
    """A sentence on each two classes that are perhaps meant to be one."""
    said = []
    for one, other in itertools.pairwise(sorted(names, key=lambda name: (_meant(name), name))):
        if _meant(one) == _meant(other):
            how = "differ in case alone" if one.casefold() == other.casefold() else "are one number"
            said.append(f"{one} and {other} are two classes, although their names {how}")
    return said


def _meant(name: str) -> str:
    """A name without what people do not mind: case, and how a number is written."""
    try:
        return repr(float(name) + 0.0)
    except ValueError:
        return name.casefold()


def refuse_single(folder: Path) -> None:
    """Say that a folder has a single class, and which folder in it may have been meant."""
    single = next(inside for inside in inside_of(folder) if inside.is_dir())
    deeper = [f"{inside.name}/" for inside in inside_of(single) if inside.is_dir()]
    hint = f"; did you mean {single}, with {few(deeper)}?" if deeper else "; there is nothing to tell apart"
    raise UserError(f"{folder} has a single class, {single.name}{hint}")


def _decoded(place: Path, files: list[Path]) -> np.ndarray:
    """Images (N, H, W, 3) of one size; what cannot be read or has another size is named."""
    images, bad = [], []
    for file in files:
        try:
            image = np.asarray(shown(file))
        except UserError as error:
            bad.append(str(error))
            continue
        if not images:
            needed = len(files) * image.nbytes
            fits = 2 * needed < memory()
            require(
                fits, f"{place}: {len(files)} pictures as large as {file} take {needed / 1e9:.0f} GB; make them smaller"
            )
            first = file
        elif image.shape != images[0].shape:
            bad.append(f"{file} and {first} differ in size; resize all pictures alike")
        images.append(image)
    require(not bad, f"{place}: {few(bad, most=3, between='; ')}")
    return np.stack(images)


def _fifth(place: Path, x: np.ndarray, label: np.ndarray, names: list[str]) -> np.ndarray:
    """Which images (N,) are for testing: of each class a fifth of the different ones, chosen by what they show, so that
    equal images stay together, also those of two classes, and no order of names matters. A `UserError` if a class has
    none left to train on, or if there is none for testing."""
    digest = np.array(digests(x))
    chosen = []
    for k in np.unique(label):
        different = np.unique(digest[label == k])
        if len(different) > 1:
            chosen += different[: max(len(different) // 5, 1)].tolist()
    test = np.isin(digest, chosen)
    require(bool(test.any()), f"{place}: no class has two different pictures, one to train on and one to test")
    lost = _lost(label, test, names)
    told = "equal pictures of other classes that are chosen for testing, so none is left to train on"
    require(not lost, f"{place}: all pictures of {lost} are {told}; remove one of each two")
    return test
