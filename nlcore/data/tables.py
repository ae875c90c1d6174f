"""Tables that people bring: CSV with whatever separator, or Parquet."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Container, Hashable, Iterable
from pathlib import Path

import pandas as pd

from ..inputs import UserError, few, require, shown

EMPTY = (
    "",
    "na",
    "n/a",
    "#n/a",
    "#na",
    "<na>",
    "nan",
    "-nan",
    "null",
    "none",
)  # what a cell that should be a number has where there is none
TRUTHS = {"true": True, "false": False}
OTHERWISE = r"[-+]?(\d+,\d+|\d{1,3}([,.' ]\d{3})+([.,]\d+)?|\d+([.,]\d+)? ?%)"  # numbers that only people read
UNNAMED = "unnamed: 0"  # what the index of a table without a name is called, as pandas writes it into a CSV
UNSEEN = {0x200B: None, 0x2060: None, 0xFEFF: None, 0xA0: " "}  # joiners are not among them: some scripts need them
SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".pq")


def counts_from_0(column: pd.Series) -> bool:
    """Whether a column has the numbers of the rows."""
    return [*column.astype(str).str.strip()] == [*map(str, range(len(column)))]


def suffix(path: Path) -> str:
    """How a file's name ends, such as .csv, in small letters: some systems write .CSV."""
    return path.suffix.lower()


def read_table(path: Path, needed: tuple[str, ...] = (), as_text: bool = True) -> pd.DataFrame:
    """A table, its headers in small letters; cells of a CSV as text, or else of the types that they seem to have. A
    `UserError` says what is wrong: it cannot be read, lacks a column that is `needed`, or has no row."""
    require(path.is_file() or not path.exists(), f"{path} cannot be read as a table (it is no file)")
    try:
        table = _parquet(path, as_text) if suffix(path) in (".parquet", ".pq") else _separated(path, as_text)
    except UnicodeDecodeError:
        raise UserError(f"{path} cannot be read as a table: it is not in UTF-8; save it as CSV in UTF-8") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as a table ({type(error).__name__}: {error})") from None
    table.columns = [str(name).strip().lower() for name in table.columns]
    missing = {*needed} - {*table.columns}
    has = few([shown(name) for name in table.columns])
    asked = ",".join(needed)
    require(not missing, f"{path} lacks the column {' and '.join(sorted(missing))}; it needs {asked} and has {has}")
    _refuse_repeated(path, table.columns)
    require(len(table) > 0, f"{path} has no row below its header")
    for name in {"label", "given"} & {*table.columns}:
        table[name] = table[name].map(as_read)
    return table


def _refuse_repeated(path: Path, names: Iterable[str]) -> None:
    """Refuse a header that names a column twice, of which nobody could say which is meant."""
    twice = sorted(repeated(str(name).strip().lower() for name in names) - {""})
    require(not twice, f"{path} has the column {few(twice)} more than once")


def as_read(name):
    """The name of a class (else whatever it is) without what nobody sees: blanks around it, characters of no width,
    which kind of blank it has, and which of several ways to write a letter was taken."""
    return unicodedata.normalize("NFC", name).translate(UNSEEN).strip() if isinstance(name, str) else name


def _separated(path: Path, as_text: bool) -> pd.DataFrame:
    """A table separated by commas, semicolons or tabs, whichever its header has most of, or by what a line such as
    `sep=;` above the header names, which is a way of Excel."""
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline()
        named = re.fullmatch("sep=(.)", header.rstrip("\n"))
        header = file.readline() if named else header
    separator = named[1] if named else max(",;\t", key=header.count)
    how = {"sep": separator, "skipinitialspace": True, "dtype": str, "keep_default_na": False}
    how["skiprows"] = 1 if named else 0
    table = pd.read_csv(path, **how)
    _refuse_repeated(path, pd.read_csv(path, header=None, nrows=1, **how).iloc[0])  # pandas would rename the second
    first = table.index[0] if len(table) and not isinstance(table.index, pd.RangeIndex) else None
    require(first is None, f"{path} has rows with more cells than its header, such as that of {shown(first)}")
    return table if as_text else table.apply(lambda column: _typed(path, column))


def _typed(path: Path, column: pd.Series) -> pd.Series:
    """A column of text as numbers or truths where each of its cells is one, or empty; a `UserError` if they are numbers
    in a form that could be read in two ways."""
    if _is_label(column):
        return column
    filled = column[~column.str.strip().str.lower().isin(EMPTY)]
    if len(filled) and filled.str.strip().str.lower().isin(TRUTHS).all():
        truths = column.str.strip().str.lower().map(TRUTHS)
        return truths if len(filled) == len(column) else truths.astype(float)  # which has room for empty cells
    numbers = pd.to_numeric(filled, errors="coerce")
    if len(filled) == 0 or numbers.notna().all():
        return numbers.reindex(column.index)
    other = filled[numbers.isna()]
    written = f"{path}: the column {column.name} has numbers that are written as {shown(other.iloc[0].strip())}"
    require(
        not other.str.strip().str.fullmatch(OTHERWISE).all(),
        f"{written}; write a point before decimals and nothing between thousands or after a number",
    )
    return column


def _parquet(path: Path, as_text: bool) -> pd.DataFrame:
    """A table in Parquet, for which pandas needs another package, with cells such as a CSV has. An index that has a
    name is a column."""
    try:
        table = pd.read_parquet(path, dtype_backend="numpy_nullable")
    except ImportError:
        raise UserError(f"{path}: to read Parquet install pyarrow, or save the table as CSV") from None
    unnamed = table.index.names == [None]
    only_counts = unnamed and table.index.equals(pd.RangeIndex(len(table)))
    table = table.rename_axis(UNNAMED) if unnamed else table
    table = table.reset_index(drop=only_counts)
    return table.apply(lambda cells: _text(cells) if as_text or _is_label(cells) else cells)


def _text(cells: pd.Series) -> pd.Series:
    """Cells of any type as text, the empty ones as empty text."""
    return cells.astype("string").fillna("").astype(object)


def _is_label(column: pd.Series) -> bool:
    """Whether a column has labels, of now or of before, which stay as they are written."""
    return str(column.name).strip().lower() in ("label", "given")


def repeated(names: Iterable[Hashable]) -> set:
    """What is there more than once."""
    return {name for name, count in Counter(names).items() if count > 1}


def called(file: str, folder: Path, known: Container[str]) -> str:
    """A file of a table as it is called among `known` ones, which are named from `folder` on, or from the folder of
    that table. It may be written with its whole path, with its path from here, or as Windows does."""
    if file in known:
        return file
    written = file.replace("\\", "/").removeprefix("./")
    names = [written]
    if os.path.isabs(written) or os.path.isfile(written):
        folder = folder if os.path.isdir(folder) else folder.parent
        whole, *roots = (Path(p).as_posix() for p in map(os.path.abspath, (written, folder, os.path.realpath(folder))))
        names += [whole.removeprefix(f"{root}/") for root in roots if whole.startswith(f"{root}/")]
    others = [other for name in names for other in spellings(name)]
    return next((name for name in names + others if name in known), names[-1])


def spellings(file: str) -> list[str]:
    """A name in both ways to write an accent: macOS has its own (NFD), and archives and tables carry either."""
    return [] if file.isascii() else [unicodedata.normalize(form, file) for form in ("NFC", "NFD")]


def located(folder: Path, file: str) -> Path:
    """Where the picture is that a table in this folder names."""
    path, *others = (folder / name for name in (file.replace("\\", "/"), *spellings(file.replace("\\", "/"))))
    return path if not others or path.exists() else next((other for other in others if other.exists()), path)
