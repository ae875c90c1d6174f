"""What is audited: images of any size and mode in folders, tables or arrays, and tables of features."""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from .. import data as datasets
from ..data.own import SPLIT_NAMES, alike, check_utf8, found_in, inside_of, matters, refuse_single
from ..data.pictures import shown
from ..data.prepared import MOST_CLASSES, check_files, check_split, class_names, of_other_splits, opened
from ..data.tables import SUFFIXES, UNNAMED, counts_from_0, located, read_table, suffix
from ..inputs import UserError, few, require

NOTES = ("given", "row")  # columns that an audit adds
COUNTING = "that count the rows"
OWN_COLUMNS = ("label", *NOTES, UNNAMED)  # of a table of features: what is none


class Examples(NamedTuple):
    """N examples with their labels."""

    name: str
    row: np.ndarray  # (N,) where an example is among all that DATA lists, from 0
    file: list[str]  # what it is called there
    given: np.ndarray  # (N,) its class
    classes: list[str]
    x: np.ndarray  # images uint8 (N, C, H, W), or features float (N, F)
    said: list[str]  # what was done to them
    left_out: list[str]  # what could not be used, and why
    path: list[Path] | None = None  # where pictures are
    stamp: list[tuple | None] | None = None  # of their files when they were read

    @property
    def K(self) -> int:
        return len(self.classes)


def read(name: str, side: int = 32) -> Examples:
    """The examples that a known name or a path means: all labels of a folder, an `.npz` or a table, those of a training
    and of a test set together. Images that differ in size, or are larger than `side` pixels, are resized to a square of
    that side. What cannot be read is left out and named; a `UserError` says what leaves nothing to audit."""
    place = Path(name).expanduser()
    check_utf8([place])
    if name in datasets.KNOWN:
        found = _known(name)
        if place.exists():
            found.said.append(f"{name} is taken as the known data set; the one that lies here is called ./{name}")
    elif place.is_dir():
        found = _folder(place.resolve(), side)
    elif suffix(place) in SUFFIXES:
        found = _table(place, side)
    else:
        require(place.exists(), f"there is no file or folder {name!r}")
        found = _arrays(place, side)
    return _without_empty_classes(found)


def stamp(path: Path) -> tuple | None:
    """What tells that a file is as it was: when it was written, and its size; None where it is gone."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # the latter of a name that no file can have
        return None
    return found.st_mtime_ns, found.st_size


def changed(found: Examples) -> list[str]:
    """The pictures whose files are not as they were when they were read."""
    both = zip(found.file, found.path or [], found.stamp or [], strict=False)
    return [file for file, path, before in both if stamp(path) != before]


def _without_empty_classes(found: Examples) -> Examples:
    """The examples with those classes only that a label names."""
    used, given = np.unique(found.given, return_inverse=True)
    classes = [found.classes[k] for k in used]
    said = [*found.said, *alike(classes)]
    require(len(used) > 1, f"{found.name}: all labels are the same; there is nothing to tell apart")
    absent = [name for k, name in enumerate(found.classes) if k not in {*used.tolist()}]
    if absent:
        said = [*said, f"no example has the label {few(absent)}"]
    single = [name for k, name in enumerate(classes) if (given == k).sum() == 1]
    if single:
        said = [*said, f"a single example has the label {few(single)}, which no model can learn without it"]
    return found._replace(given=given, classes=classes, said=said)


def _known(name: str) -> Examples:
    """The training and the test images of a known data set; the former as `Dataset.files` calls them."""
    data = datasets.shared(name)
    parts = {"train": data.train, "test": data.test}
    file = [f"train/{name}" for name in data.files] + [f"test/{i}" for i in range(len(data.test.y))]
    x, y = (np.concatenate([part[i].numpy() for part in parts.values()]) for i in (0, 1))
    return Examples(name, np.arange(len(y)), file, y, [*data.classes], x, [], [])


def _folder(place: Path, side: int) -> Examples:
    """The pictures of a folder of class folders, or of such folders for training and testing."""
    inside = inside_of(place)
    splits = [folder for folder in inside if folder.is_dir() and folder.name.lower() in SPLIT_NAMES]
    labelled, empty = [], []
    others = [beside for beside in inside if splits and beside not in splits and matters(beside)]
    for folder in splits or [place]:
        found = found_in(folder)
        labelled += [(file, name) for name, files in found.pictures.items() for file in files]
        others += found.others
        empty += [f"{name}/" for name, files in found.pictures.items() if not files]
    parts = few([f"{folder.name}/" for folder in splits])
    where = f"{parts} in {place} counts as a part of a data set, not as a class, and" if splits else place
    require(bool(labelled), f"{where} holds no folders of pictures; it needs one for each class")
    classes = sorted({name for _, name in labelled})
    if len(classes) == 1:
        refuse_single(splits[0] if splits else place)
    said = [f"{', '.join(f'{folder.name}/' for folder in splits)} are audited together"] if len(splits) > 1 else []
    if others:
        said.append(f"no pictures of a class: {few(sorted(str(f.relative_to(place)) for f in others))}")
    if empty:
        said.append(f"no pictures in {few(sorted(empty))}")
    given = np.array([classes.index(name) for _, name in labelled])
    paths = [file for file, _ in labelled]
    files = [file.relative_to(place).as_posix() for file in paths]
    return _pictures(
        Examples(place.name, np.arange(len(given)), files, given, classes, np.empty(0), said, []), paths, side
    )


def _table(path: Path, side: int) -> Examples:
    """The pictures that a table `file,label` names, from its folder on; or the numbers in columns beside `label`."""
    of_pictures = "file" in read_table(path, ("label",))
    table = read_table(path, ("label",), as_text=of_pictures)
    empty = table.label.isna() | (table.label.astype(str) == "")
    left_out = [f"row {i} has no label" for i in np.flatnonzero(empty)]
    row, table = np.flatnonzero(~empty), table[~empty]
    classes, given = _classes(path, table.label)
    if of_pictures:
        folder = path.parent.resolve()  # or `..` in a name would lead elsewhere, where the folder is a link
        paths = [located(folder, file) for file in table.file]
        start = Examples(path.name, row, [*table.file], given, classes, np.empty(0), [], left_out)
        return _pictures(start, paths, side)
    features = table.drop(columns=[name for name in OWN_COLUMNS if name in table])
    numbers = features.select_dtypes(["number", "bool"]).astype(np.float64).replace([np.inf, -np.inf], np.nan)
    numbers += 0.0  # -0 is 0, also where bytes are compared
    constant = [name for name in numbers if numbers[name].nunique() < 2]
    counting = [name for name in numbers if _counts_the_rows(numbers[name])]
    numbers = numbers.drop(columns=constant + counting)
    said = [f"columns of numbers that are used: {few([*map(str, numbers)])}"]
    if notes := [name for name in NOTES if name in table]:
        said.append(f"taken as notes of an audit and not as numbers: {few(notes)}")
    if UNNAMED in table and not counts_from_0(table[UNNAMED]):
        said.append(
            "rows are counted from 0 below the header; the column without a name, which is left out, has others"
        )
    text = [name for name in features if name not in {*numbers, *constant, *counting}]
    for kind, names in (("that are no numbers", text), ("with one number", constant), (COUNTING, counting)):
        if names:
            said.append(f"columns {kind} are left out: {few([*map(str, names)])}")
    none = f"{path} has no column of different numbers beside label, and no column file"
    require(numbers.shape[1] > 0, "; ".join([none, *said[1:]]))
    same = [str(name) for name in numbers if _says_the_label(numbers[name].to_numpy(), given)]
    told = "so no model that sees it would doubt a label; remove that column"
    require(not same, f"{path}: the column {few(same)} has one value for each label, {told}")
    files = [f"row {i}" for i in row]
    return Examples(path.name, row, files, given, classes, numbers.to_numpy(), said, left_out)


def _counts_the_rows(column: pd.Series) -> bool:
    """Whether a column has whole numbers that only grow or fall, as those of rows and of orders do, or each of as many
    numbers once, as rows that were shuffled have: if the table was ever sorted by label they would tell the label. Of a
    few rows that may be chance."""
    if len(column) < 10 or not (column % 1 == 0).all():
        return False
    steps = column.diff().iloc[1:]
    shuffled = column.is_unique and column.max() - column.min() == len(column) - 1
    return bool((steps > 0).all() or (steps < 0).all() or shuffled)


def _says_the_label(column: np.ndarray, given: np.ndarray) -> bool:
    """Whether a column is the label under another name: each of its values goes with one class, and each class with one
    value. Of a few examples that may be chance."""
    values = {*column[~np.isnan(column)].tolist()}
    pairs, classes = {*zip(column.tolist(), given.tolist(), strict=True)}, {*given.tolist()}
    return len(pairs) == len(values) == len(classes) and len(given) >= 4 * len(classes)


def _classes(path: Path, label: pd.Series) -> tuple[list[str], np.ndarray]:
    """The names of the classes, and the class (N,) of each label."""
    names, given = np.unique(label.astype(str), return_inverse=True)
    few_enough = len(names) <= max(len(label) // 2, 2)
    require(
        few_enough, f"{path}: {len(label)} labels name {len(names)} different classes; a label is a class, not a number"
    )
    return [*map(str, names)], given


def _arrays(path: Path, side: int) -> Examples:
    """The images of an `.npz`: `train_images`, `train_labels` and those of `test`, or `images` and `labels` alone."""
    found = opened(path)
    splits = [split for split in ("train_", "test_", "") if f"{split}images" in found]
    require(bool(splits), f"{path} lacks the arrays train_images and train_labels, or images and labels")
    x, y, file = [], [], []
    for split in splits:
        require(f"{split}labels" in found, f"{path} lacks the array {split}labels")
        images, labels = found[f"{split}images"], found[f"{split}labels"]
        check_split(path, split, images, labels)
        check_files(path, split, found)
        named = found.get(f"{split}files", range(len(labels)))
        x, y = [*x, images.transpose(0, 3, 1, 2)], [*y, labels.astype(int)]
        file += [f"{split.replace('_', '/')}{one}" for one in named]
    given = np.concatenate(y)
    require(given.max() < MOST_CLASSES, f"{path}: the label {given.max()} is no class; {MOST_CLASSES:,} are the most")
    names = class_names(path, found) or range(int(given.max()) + 1)
    bad = np.flatnonzero((given < 0) | (given >= len(names)))[:1]
    require(not len(bad), f"{path}: label {given[bad]} of row {bad} is none of {len(names)} classes, from 0")
    x, said = _small(x, side)
    if others := of_other_splits(found):
        said.append(f"left out, as they are neither to train on nor to test on: {few(others)}")
    return Examples(path.name, np.arange(len(given)), file, given, [*map(str, names)], x, said, [])


def _small(parts: list[np.ndarray], side: int) -> tuple[np.ndarray, list[str]]:
    """Images (n, C, H, W) of each part together, resized where they are large or differ, and what to say of it."""
    C = {part.shape[1] for part in parts}
    require(len(C) == 1, f"images have {' and '.join(map(str, sorted(C)))} channels; all must have as many")
    shapes = {part.shape[2:] for part in parts}
    if len(shapes) == 1 and max(*shapes.pop()) <= side:
        return np.ascontiguousarray(np.concatenate(parts)), []
    import torch
    from torch.nn.functional import interpolate

    resized = []
    for part in parts:
        for piece in torch.from_numpy(np.ascontiguousarray(part)).split(256):
            resized.append(interpolate(piece.float(), (side, side), mode="area").round().byte().numpy())
    return np.concatenate(resized), [f"images are resized to {side} x {side} pixels"]


def _pictures(start: Examples, paths: list[Path], side: int) -> Examples:
    """The examples whose pictures can be read, each in RGB; all as they are if they are small and alike, or else
    resized to a square."""
    kept, stamps, images, sizes, modes, left_out = [], [], [], set(), set(), [*start.left_out]
    for i, path in enumerate(tqdm(paths, desc="reading", unit=" pictures", leave=False, disable=None)):
        try:
            before = stamp(path)
            size, mode, image = _read(path, side)
        except UserError as error:
            left_out.append(str(error))
            continue
        kept.append(i)
        stamps.append(before)
        images.append(image)
        sizes.add(size)
        modes.add(mode)
    require(bool(kept), f"{start.name}: no picture can be read; {few(left_out, most=3, between='; ')}")
    said = [*start.said]
    alike = len({image.size for image in images}) == 1 and max(map(max, sizes)) <= side
    if not alike:
        which = f" of {len(sizes)} sizes" if len(sizes) > 1 else ""
        said.append(f"pictures{which} are resized to {side} x {side} pixels")
        images = [image.resize((side, side)) for image in images]
    if others := sorted(modes - {"RGB"}):
        said.append(f"pictures of mode {few(others)} are converted to RGB")
    x = np.stack([np.asarray(image) for image in images]).transpose(0, 3, 1, 2)
    chosen = {"row": start.row[kept], "file": [start.file[i] for i in kept], "given": start.given[kept]}
    chosen |= {"path": [paths[i] for i in kept], "stamp": stamps}
    return start._replace(**chosen, x=np.ascontiguousarray(x), said=said, left_out=left_out)


def _read(path: Path, side: int):
    """Size and mode of a picture as it is stored, and the picture, small, so that many fit the memory."""
    from PIL import Image

    image = shown(path, 2 * side)  # says what is wrong with a file
    with warnings.catch_warnings(action="ignore"), Image.open(path) as stored:  # large ones have been read
        size, mode = stored.size, stored.mode
    return size, mode, image if max(size) <= side else image.resize((side, side), Image.Resampling.BOX)
