"""Claims against records: reproduced | partly | not reproduced | not run."""

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd


class Verdict(NamedTuple):
    """What came out of a claim, and by which numbers."""

    verdict: str
    evidence: str


class Claim(NamedTuple):
    """A sentence of a paper, where it stands, and a predicate over one row per run (rule: last evaluation)."""

    id: str
    where: str
    sentence: str
    experiment: Callable | None  # None: an identity that needs no run
    judge: Callable[[pd.DataFrame], Verdict]


def judged(conditions: dict[str, bool]) -> Verdict:
    """Reproduced if all conditions hold, partly if some do; the evidence lists each."""
    held = conditions.values()
    verdict = "reproduced" if all(held) else "partly" if any(held) else "not reproduced"
    return Verdict(verdict, "; ".join(f"{'yes' if ok else 'NO'}: {text}" for text, ok in conditions.items()))


def cells(frame: pd.DataFrame, index: str, columns: str, rows=(), across=()) -> pd.DataFrame | None:
    """Mean accuracies of one network; None if a cell is missing, or a row or column that must be there."""
    table = frame.pivot_table(index=index, columns=columns, values="test_accuracy")
    whole = {*rows} <= {*table.index} and {*across} <= {*table.columns} and not table.isna().any(axis=None)
    return table if whole and frame.model.nunique() < 2 else None


def above(high: pd.Series, low: pd.Series) -> tuple[float, float]:
    """How much the mean over seeds of `high` is above that of `low`, and its standard error (0 for single runs)."""
    error = (high.var() / len(high) + low.var() / len(low)) ** 0.5
    return high.mean() - low.mean(), 0.0 if pd.isna(error) else error
