"""Tables of labels that somebody has looked at: read, matched with the examples, applied."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..data.own import SPLIT_NAMES, check_outside
from ..data.prepared import KNOWN, MOST_CLASSES, of_other_splits, opened
from ..data.tables import SUFFIXES, UNNAMED, called, counts_from_0, read_table, repeated, suffix
from ..files import whole
from ..inputs import counted, few, lookup, require, shown, tell
from .examples import Examples, read

ACTIONS = ("keep", "relabel", "remove")
APART = ("classes", *(f"{of}{split}labels" for split in ("", "train_", "test_") for of in ("", "given_")))  # of an .npz


def positions(table: pd.DataFrame, path: Path, found: Examples, place: Path) -> np.ndarray:
    """Which example (n,) each row of a table means, by its `file`, or else by its `row`."""
    require("file" in table or "row" in table, f"{path} needs the column file or row, to say which label is meant")
    index = _by_file(table, path, found, place) if "file" in table else _by_row(table, path, found, place)
    check_given(table, path, found.name, [(found.file[i], found.classes[found.given[i]]) for i in index])
    twice = sorted(repeated(index))
    require(not twice, f"{path} names an example twice: {few([found.file[i] for i in twice], most=3)}")
    return np.array(index, int)


def _by_file(table: pd.DataFrame, path: Path, found: Examples, place: Path) -> list[int]:
    """Which example each row means by its `file`; by its `row`, too, where a file is listed more than once."""
    said, known = f"of {path} in {found.name}", {file: i for i, file in enumerate(found.file)}
    names = [called(file, place, known) for file in table.file]
    unread = [name for name in names if name not in known and place.is_dir() and os.path.isfile(place / name)]
    told = f"audit leaves {few(unread, most=3)} of {found.name} out, and says why; so {path} can say nothing of it"
    require(not unread, f"{told}: take it out of the table, or mend the picture")
    index = [lookup(f"file {said}", name, known) for name in names]
    several = repeated(found.file)
    unclear = sorted({*names} & several)
    by_row = f"so {path} must say which is meant in a column row"
    require(not unclear or "row" in table, f"{found.name} lists {few(unclear, most=3)} more than once, {by_row}")
    rows = _index_of_rows(found)
    for k, name in enumerate(names):
        if name in several:
            row = table.row.iloc[k].strip()
            index[k] = lookup(f"row {said}", row, rows)
            require(found.file[index[k]] == name, f"row {row} {said} is {found.file[index[k]]} and not {name}")
    return index


def _by_row(table: pd.DataFrame, path: Path, found: Examples, place: Path) -> list[int]:
    """Which example each row means by its `row`."""
    if suffix(place) in SUFFIXES:
        own = read_table(place, ("label",))
        for name, column in (("row", "row"), (UNNAMED, "without a name")):
            same = name not in own or counts_from_0(own[name])
            told = f"{place} has a column {column} of its own, which does not count from 0, and {path} may mean either"
            require(same, f"{told}; give that column another name, and audit again")
    rows = _index_of_rows(found)
    return [lookup(f"row of {path} in {found.name}", row.strip(), rows) for row in table.row]


def _index_of_rows(found: Examples) -> dict[str, int]:
    """Where each row of the data is among the examples."""
    return {str(row): i for i, row in enumerate(found.row)}


def check_given(table: pd.DataFrame, path: Path, data: str, meant: list[tuple[str, str]]) -> None:
    """Refuse rows that say of an example of `data` that it was `given` another label than it has: another example is
    meant. Without that column say so, if examples are told by mere numbers. `meant` has the name and the label in the
    data of the example that each row means."""
    names = table.file if "file" in table else "row " + table.row
    for name, (_, own), given in zip(names, meant, table.get("given", [""] * len(meant)), strict=True):
        told = f"{path}: {name} of {data} has the label {shown(own)} and not {shown(given)}"
        require(given in ("", own), f"{told}; was the table made before the data changed?")
    by_number = "file" not in table or all(re.fullmatch(r"(row |train/|test/)?\d+", name) for name, _ in meant)
    if by_number and "given" not in table and data not in KNOWN:
        told = "with their labels in a column given it would be seen whether the data still stand in that order"
        tell(f"{path} names examples by their numbers alone; {told}")


def table_of_checked(path: Path, needed: tuple[str, ...]) -> tuple[pd.DataFrame, np.ndarray]:
    """A table of labels that were checked, and which of its rows name no true label, as their `action` is remove; that
    they are left out is said."""
    table = read_table(path, needed)
    action = _actions(table)
    wrong = np.flatnonzero(~action.isin(("", *ACTIONS)))[:1]
    require(not len(wrong), f"{path}: row {wrong + 1} below the header has an action that is none of {few([*ACTIONS])}")
    gone = action == "remove"
    if gone.any():
        tell(f"{path}: left out, as they are to be removed: {counted(int(gone.sum()), 'row')}")
    require(not gone.all(), f"{path} has no row that is not to be removed")
    return table, gone.to_numpy()


def _actions(table: pd.DataFrame) -> pd.Series:
    """What is to be done by each row, in small letters; nothing is said where there is no such column."""
    return table.action.str.strip().str.lower() if "action" in table else pd.Series("", table.index)


def true_classes(table: pd.DataFrame, path: Path, own: list[str], classes: Sequence[str]) -> list[int]:
    """The true class of each row of a table of labels that were checked: that of its `label`; where its `action` is
    keep, that of the label in the data, which is its `own`."""
    number, found = {name: k for k, name in enumerate(classes)}, []
    for row, name, given, act in zip(table.index + 1, table.label, own, _actions(table), strict=True):
        if act == "keep":
            _check_kept(path, row, given, name)
        require(name != "" or act == "keep", f"{path}: row {row} below the header has no label")
        found.append(lookup("class", name or given, number))
    return found


def _check_kept(path: Path, row: int, own: str, name: str) -> None:
    """Refuse a row that keeps its `own` label and has the name of another one."""
    told = f"{path}: row {row} below the header keeps the label {shown(own)} and names another one"
    require(name in ("", own), f"{told}, {shown(name)}; for that one the action is relabel")


def checked(path: Path, found: Examples, place: Path) -> tuple[np.ndarray, np.ndarray, int]:
    """Examples (m,) whose labels were checked, and their true classes (m,), from a table with `label`; and how many
    more are to be removed."""
    table, gone = table_of_checked(path, ("label",))
    there = _are_examples(table, found, place)
    if (gone & ~there).any():
        number = counted(int((gone & ~there).sum()), "row")
        tell(f"{path}: passed over, as no example of {found.name} is meant: {number} to be removed")
    meant = there | ~gone
    table, gone = table[meant].reset_index(drop=True), gone[meant]
    index = positions(table, path, found, place)
    table, index, removed = table[~gone], index[~gone], int(gone.sum())
    own = [found.classes[k] for k in found.given[index]]
    return index, np.array(true_classes(table, path, own, found.classes)), removed


def _are_examples(table: pd.DataFrame, found: Examples, place: Path) -> np.ndarray:
    """Which rows of a table name a file among the examples, which one that was removed from the data does not; by
    numbers alone that cannot be told."""
    known = {*found.file}
    return np.array([called(file, place, known) in known for file in table.get("file", [])] or [True] * len(table))


def corrected(place: Path) -> list[int] | None:
    """The rows of a table or an `.npz` that have another label than they were given, as `relabel` writes it down; None
    where it has written nothing."""
    if suffix(place) == ".npz":
        arrays = opened(place)
        splits = [split for split in ("train_", "test_", "") if f"{split}labels" in arrays]
        if not any(f"given_{split}labels" in arrays for split in splits):
            return None
        now = np.concatenate([arrays[f"{split}labels"] for split in splits])
        before = np.concatenate([arrays.get(f"given_{split}labels", arrays[f"{split}labels"]) for split in splits])
        return np.flatnonzero(now != before).tolist() if len(now) == len(before) else []
    table = read_table(place, ("label",)) if suffix(place) in SUFFIXES else pd.DataFrame({"label": []})
    if "given" not in table or not _names_classes(table):
        return None
    return np.flatnonzero((table.given != "") & (table.given != table.label)).tolist()


def _names_classes(table: pd.DataFrame) -> bool:
    """Whether a column `given` has labels as they were, and not something else that its user calls so."""
    given = {*table.given} - {""}
    return not given or bool(given & {*table.label})


def relabel(data: str, reviewed: Path, out: Path) -> str:
    """Apply a reviewed table to the labels of DATA, and write all of them to the new file `out`; no file of DATA is
    changed. A row of the table has `file` or `row`, and a new `label`; or an `action`: keep, relabel (to its label) or
    remove. Returns what to tell."""
    place = Path(data).expanduser()
    known = f"{data} is a known data set, whose labels stay; for data of your own give its path, such as ./{data}"
    require(data not in KNOWN, known)
    found = read(data)
    require(not out.exists(), f"{out} is there already; choose another --out, or remove it")
    check_outside(out, place)
    kind = ".npz" if suffix(place) == ".npz" else ".csv"
    require(suffix(out) == kind, f"the new labels of {place.name} go to a file {kind}, not {out.name}")
    table = read_table(reviewed)
    label, removed = _decided(table, reviewed, found, positions(table, reviewed, found, place))
    changed = int(((label != np.array(found.classes)[found.given]) & ~removed).sum())
    new = sorted({*map(str, label[~removed])} - {*found.classes})
    if kind == ".npz":
        _write_arrays(place, out, found, label, removed)
    else:
        _table_of(place, out, found, label, removed)
    kept = f"the labels as they were are kept in it as {'given_labels' if kind == '.npz' else 'given'}"
    done = f"{counted(changed, 'label')} changed, {counted(int(removed.sum()), 'example')} removed"
    told = f"{done}, {len(label) - removed.sum():,} in {out}; {kept}"
    if found.left_out:
        told += f"; not in it, as audit says: {few(found.left_out, most=3, between='; ')}"
    if removed.any() or found.left_out:
        told += f"; its rows are counted anew, so a table of rows of {place.name} does not fit it"
    if place.is_dir() and _of_both_splits(found):
        told += "; its column split says which images are to train on and which to test on"
    return f"{told}; no example was called {few(new)} before, so check the spelling" if new else told


def _split(file: str) -> str:
    """The first folder of a path, which names the split of a picture where there are splits."""
    return Path(file).parts[0].lower()


def _of_both_splits(found: Examples) -> bool:
    """Whether examples of a folder are from folders for training and for testing."""
    return len({_split(file) for file in found.file} & SPLIT_NAMES) > 1


def _decided(table: pd.DataFrame, path: Path, found: Examples, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The new names of the labels (N,), and which examples are removed (N,). Without an action a label is the new one,
    and an empty one keeps what was given."""
    label = np.array(found.classes, dtype=object)[found.given]
    removed = np.zeros(len(label), bool)
    require("label" in table or "action" in table, f"{path} needs the column label or action, to say what to do")
    new = table.label if "label" in table else pd.Series([""] * len(table))
    for row, (i, name, act) in enumerate(zip(index, new, _actions(table), strict=True), 1):
        act = act or ("relabel" if name else "keep")
        require(
            act in ACTIONS,
            f"{path}: row {row} below the header has the action {shown(act)}; it is one of {few([*ACTIONS])}",
        )
        require(act != "relabel" or bool(name), f"{path}: row {row} below the header has no label to relabel to")
        if act == "keep":
            _check_kept(path, row, label[i], name)
        if act == "relabel":
            label[i] = name
        removed[i] = act == "remove"
    return label, removed


def _table_of(place: Path, out: Path, found: Examples, label: np.ndarray, removed: np.ndarray) -> None:
    """Write a table with the labels that are kept: of a table all its columns; of pictures their files, from the folder
    of the new table on."""
    given = np.array(found.classes)[found.given]
    if suffix(place) in SUFFIXES:
        table = read_table(place, ("label",)).iloc[found.row].reset_index(drop=True)
    else:
        table = pd.DataFrame({"file": found.file})
        if _of_both_splits(found):
            table["split"] = [_split(file) for file in found.file]
    if found.path:
        files = [Path(os.path.relpath(_straight(path), out.resolve().parent)) for path in found.path]
        table["file"] = [file.as_posix() for file in files]
    before = given
    if "given" in table:  # of one that was relabelled before; rows that came later have none yet
        told = f"{place} has a column given of its own, and {out.name} keeps the labels as they were under that name"
        require(_names_classes(table), f"{told}; call yours otherwise")
        before = table.given.where(table.given != "", given)
    table = table.assign(label=label, given=before)[~removed]
    with whole(out) as part:
        table.to_csv(part, index=False)


def _straight(path: Path) -> Path:
    """A path without `..`, which behind a link leads elsewhere than it reads."""
    return path.parent.resolve() / path.name if ".." in path.parts else path


def _write_arrays(place: Path, out: Path, found: Examples, label: np.ndarray, removed: np.ndarray) -> None:
    """Write the arrays of an `.npz` with the labels that are kept."""
    arrays = opened(place)
    names = [str(name) for name in arrays["classes"]] if "classes" in arrays else [str(k) for k in range(MOST_CLASSES)]
    numbers = {name: k for k, name in enumerate(names)}
    if removed.any():
        _check_beside(place, arrays)
    number = np.array([lookup("class", str(name), numbers) for name in label])
    begin = 0
    for split in ("train_", "test_", ""):
        if f"{split}labels" not in arrays:
            continue
        size = len(arrays[f"{split}labels"])
        part = slice(begin, begin + size)
        keep = ~removed[part]
        before = arrays.get(f"given_{split}labels", arrays[f"{split}labels"])
        told = f"{place}: {len(before)} given_{split}labels but {size} {split}labels"
        require(len(before) == size, told)
        arrays[f"given_{split}labels"] = before[keep]
        arrays[f"{split}labels"] = number[part][keep]
        for name in _beside(arrays, split, size):
            arrays[name] = arrays[name][keep]
        begin += size
    with whole(out) as part, part.open("wb") as file:
        np.savez(file, **arrays)


def _check_beside(place: Path, arrays: dict[str, np.ndarray]) -> None:
    """Refuse to remove examples where an array may have something for each of them, and does not say of which split."""
    splits = {split: len(arrays[f"{split}labels"]) for split in ("train_", "test_") if f"{split}labels" in arrays}
    for name, array in arrays.items():
        if name in APART or name.startswith((*splits,)) or not array.ndim:
            continue
        unknown = "and which to remove from it is not known"
        for split, size in splits.items():
            told = f"{place}: {name} has as many rows as {split}labels, {unknown}; call it {split}{name}"
            require(len(array) != size, told)
        of_all = len(splits) > 1 and len(array) == sum(splits.values())
        told = f"{place}: {name} has as many rows as there are labels of all splits, {unknown}"
        require(not of_all, f"{told}; divide it into {few([*splits])} + {name}")


def _beside(arrays: dict[str, np.ndarray], split: str, size: int) -> list[str]:
    """The arrays of a split that have something for each of its examples, those of labels apart."""
    own = [name for name in arrays if name.startswith(split) and name not in APART]
    if not split:
        others = of_other_splits(arrays)
        own = [name for name in own if not name.startswith(("train_", "test_")) and name not in others]
    return [name for name in own if arrays[name].ndim and len(arrays[name]) == size]
