"""Tables: the published numbers, and means over seeds as text."""

import csv
import math
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import pandas as pd

from .. import home, words
from ..inputs import UserError, lookup, require, shown
from .texts import decimal

NAMES = ("paper", "where", "experiment", "dataset", "model", "series", "knob", "at", "metric")  # tell numbers apart
NUMBERS = ("at", "value", "plusminus")
WORDS = {
    "paper": sorted(path.parent.name for path in Path(__file__).parent.glob("*/published.py")),
    "relation": ("=", ">"),
    # text, vector drawing, screenshot, raster, code, others' code, summary
    "tag": ("P", "V", "S", "R", "C", "C3", "T"),
    "metric": (
        *("test accuracy (%)", "test accuracy (%), last", "test accuracy (%), peak", "test accuracy (%), trough"),
        *("test accuracy (%), epoch 150", "top-1 test accuracy (%)", "top-5 test accuracy (%)"),
        *("student's test accuracy (%)", "training accuracy (%)", "test error (%)", "test error (%), last"),
        *("test error (%), lowest", "top-1 error (%)", "top-5 error (%)", "area under the error curve (%)"),
        *("right corrections (%)", "right corrections of wrong labels (%)", "P@1 (%)", "P@5 (%)", "mean diagonal"),
        *("Pearson chi-square of T", "ECE", "ECE (15 bins)", "training loss", "training time (h)"),
        *("clean examples needed", "word error rate (%)", "BLEU", "perplexity"),
    ),
}


def gaps(rows: pd.DataFrame, row: str, column: str, base: str, value: str = "test_accuracy") -> pd.DataFrame:
    """How far each of `row` is above the one that is `base`, by `row` and `column`: the mean over seeds of differences
    within a seed, so that one that lacks either does not count. NaN where no seed has both."""
    wide = rows.pivot_table(index=[row, "seed"], columns=column, values=value, sort=False)
    known = base in wide.index.get_level_values(row)
    gap = wide.sub(wide.xs(base), axis="index", level="seed") if known else wide * math.nan
    return gap.groupby(level=row, sort=False).mean()


def published(paper: str) -> pd.DataFrame:
    """The paper's numbers: where, experiment, model, series, knob, at, metric, value, plusminus, tag, note.

    `series` is the curve of a figure, as `name=value`. A `UserError` names the line and the column that cannot be read.
    """
    path = home() / "book" / "published.csv"
    table = _all(path, path.stat().st_mtime_ns)
    table = table[table.paper == paper].drop(columns="paper").reset_index(drop=True)
    whole = (table["at"] % 1 == 0).all()  # other papers' rates make the column one of floats
    return table.astype({"at": int}) if whole else table


@lru_cache(maxsize=4)
def _all(path: Path, changed: int) -> pd.DataFrame:
    """The numbers of all papers, checked."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines, first = csv.DictReader(file, strict=True), {}
            missing = {*NAMES, *NUMBERS, *WORDS} - {*(lines.fieldnames or ())}
            require(not missing, f"{path} lacks the column {', '.join(sorted(missing))}")
            for row in lines:
                _check(row, f"{path}, line {lines.line_num}")
                before = first.setdefault(tuple(row[name] for name in NAMES), lines.line_num)
                told = f"{path}, line {lines.line_num}: line {before} has this number already, up to its value"
                require(before == lines.line_num, told)
        return pd.read_csv(path)
    except (csv.Error, ValueError) as error:
        raise UserError(f"{path} cannot be read as a table ({error})") from None


def _check(row: dict[str, str], where: str) -> None:
    """Refuse a line of which a cell is missing, one too many, no number, or no word that we know."""
    require(None not in row and None not in row.values(), f"{where}: the line must have as many cells as the header")
    for name in NUMBERS:
        good = _finite(row[name]) or (name != "value" and not row[name])
        require(good, f"{where}: {name} must be a number such as 92.5, not {shown(row[name])}")
    for name, known in WORDS.items():
        lookup(f"{name} in {where}:", row[name], known)
    good = "(%)" not in row["metric"] or 0 <= float(row["value"]) <= 100
    require(good, f"{where}: value is a percentage, so between 0 and 100, not {row['value']}")


def _finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def share(values: pd.Series) -> str:
    """Mean and spread of accuracies as percent: `96.1 ± 0.2 % (n = 3)`."""
    spread = f" ± {100 * values.std():.1f}" if len(values) > 1 else ""
    return f"{decimal(100 * values.mean())}{spread} % (n = {len(values)})"


def percent(rows: pd.DataFrame, index: str, columns: str) -> pd.DataFrame:
    """Test accuracies as a table of `mean ± standard deviation` over seeds, in percent."""
    accuracy = (
        rows.groupby([index, columns], sort=False).test_accuracy.agg(["mean", "std"]).mul(100).round(9)
    )  # as in `effects.points`
    spread = accuracy["std"].map(" ± {:.1f}".format).replace(" ± nan", "")  # a single run has none
    cells = accuracy["mean"].map(decimal) + spread
    name = "{:g}".format if rows[index].dtype.kind in "if" else str
    return cells.unstack(columns, sort=False).rename(index=name)


def over_seeds(groups) -> pd.DataFrame:
    """Means of the columns of groups of runs, missing where a run of the group has no value: what is left of the seeds
    would not be a mean over seeds."""
    return groups.agg(lambda values: values.mean(skipna=False))


def in_order(table: pd.DataFrame, names: Iterable[str] = words.METHODS) -> pd.DataFrame:
    """A table by method in the order of these names, methods in words, missing cells empty."""
    table = table.loc[[name for name in names if name in table.index]]
    return table.rename(index=words.method).rename_axis("method").fillna("")


def blank(table: pd.DataFrame) -> pd.DataFrame:
    """A table of numbers for display, missing ones as empty cells."""
    return table.astype(object).where(table.notna(), "")
