"""Tables: the published numbers, and means over seeds as text."""

import pandas as pd

from .. import home
from .texts import decimal


def published(paper: str) -> pd.DataFrame:
    """The paper's numbers: where, experiment, model, series, knob, at, metric, value, plusminus, tag, note.

    `series` is the curve of a figure, as `name=value`.
    """
    table = pd.read_csv(home() / "book" / "published.csv")
    table = table[table.paper == paper].drop(columns="paper").reset_index(drop=True)
    whole = (table["at"] % 1 == 0).all()  # other papers' rates make the column one of floats
    return table.astype({"at": int}) if whole else table


def share(values: pd.Series) -> str:
    """Mean and spread of accuracies as percent: `96.1 ± 0.2 % (n = 3)`."""
    spread = f" ± {100 * values.std():.1f}" if len(values) > 1 else ""
    return f"{decimal(100 * values.mean())}{spread} % (n = {len(values)})"


def percent(rows: pd.DataFrame, index: str, columns: str) -> pd.DataFrame:
    """Test accuracies as a table of `mean ± standard deviation` over seeds, in percent."""
    accuracy = rows.groupby([index, columns], sort=False).test_accuracy.agg(["mean", "std"]) * 100
    spread = accuracy["std"].map(" ± {:.1f}".format).replace(" ± nan", "")  # a single run has none
    cells = accuracy["mean"].map(decimal) + spread
    name = "{:g}".format if rows[index].dtype.kind in "if" else str
    return cells.unstack(columns, sort=False).rename(index=name)


def blank(table: pd.DataFrame) -> pd.DataFrame:
    """A table of numbers for display, missing ones as empty cells."""
    return table.astype(object).where(table.notna(), "")
