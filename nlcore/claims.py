"""Claims and published numbers against records: reproduced | partly | not reproduced | not run."""

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from . import home
from .evaluate import curve_numbers
from .records import frame
from .sweep import find


class Verdict(NamedTuple):
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


def share(values: pd.Series) -> str:
    """Mean and spread of accuracies as percent: `96.1 ± 0.2 % (n = 3)`."""
    spread = f" ± {100 * values.std():.1f}" if len(values) > 1 else ""
    return f"{100 * values.mean():.1f}{spread} % (n = {len(values)})"


def cells(frame: pd.DataFrame, index: str, columns: str, rows=(), across=()) -> pd.DataFrame | None:
    """Mean accuracies of one network; None if a cell is missing, or a row or column that must be there."""
    table = frame.pivot_table(index=index, columns=columns, values="test_accuracy")
    whole = {*rows} <= {*table.index} and {*across} <= {*table.columns} and not table.isna().any(axis=None)
    return table if whole and frame.model.nunique() < 2 else None


def above(high: pd.Series, low: pd.Series) -> tuple[float, float]:
    """How much the mean over seeds of `high` is above that of `low`, and its standard error (0 for single runs)."""
    error = (high.var() / len(high) + low.var() / len(low)) ** 0.5
    return high.mean() - low.mean(), 0.0 if pd.isna(error) else error


def percent(rows: pd.DataFrame, index: str, columns: str) -> pd.DataFrame:
    """Test accuracies as a table of `mean ± standard deviation` over seeds, in percent."""
    spread = rows.groupby([index, columns], sort=False).test_accuracy.agg(["mean", "std"]) * 100
    cells = spread["mean"].map("{:.1f}".format) + spread["std"].map(" ± {:.1f}".format).replace(" ± nan", "")
    return cells.unstack(columns, sort=False).rename(index="{:g}".format if rows[index].dtype.kind in "if" else str)


def published(paper: str) -> pd.DataFrame:
    """The paper's numbers: where, experiment, model, series, knob, at, metric, value, plusminus, tag, note.

    `series` is the curve of a figure, as `name=value`.
    """
    table = pd.read_csv(home() / "book" / "published.csv")
    table = table[table.paper == paper].drop(columns="paper").reset_index(drop=True)
    whole = (table["at"] % 1 == 0).all()  # other papers' rates make the column one of floats
    return table.astype({"at": int}) if whole else table


def verdicts(paper: str, tier: str, tables: dict[str, pd.DataFrame] | None = None) -> pd.DataFrame:
    """One row per claim at a tier, judged on the stored records; or, for the experiments named in `tables` alone, on
    these frames (as from `records.frame`). The name of identities, which need no run, is None."""
    from .papers import PAPERS

    found = []
    for claim in PAPERS[paper].CLAIMS:
        name = claim.experiment.name if claim.experiment else None
        if tables is not None and name not in tables:
            continue
        row, rows = {"claim": claim.id, "paper": paper, "tier": "identity"}, pd.DataFrame()
        if claim.experiment:
            row["tier"] = tier
            if tables is not None:
                rows = tables[name]
            else:
                rows = frame([r for _, r in find(claim.experiment(tier), paper).values() if r])
            rows = curve_numbers(rows) if len(rows) else rows
        ran = not claim.experiment or len(rows)
        verdict, evidence = claim.judge(rows) if ran else Verdict("not run", f"no record of {name} at this tier")
        on = (
            [*sorted(rows.dataset.unique()), *(rows.model.unique() if rows.model.nunique() == 1 else [])]
            if len(rows)
            else []
        )
        on = f"on {', '.join(on)}: " if verdict != "not run" and on else ""
        row |= {"verdict": verdict, "evidence": on + evidence, "where": claim.where, "sentence": claim.sentence}
        found.append(row)
    return pd.DataFrame(found)


def scoreboard(tiers: tuple[str, ...]) -> pd.DataFrame:
    """All papers' claims at every tier that has records; "not run" only for a claim that no tier has run."""
    from .papers import PAPERS

    rows = pd.concat([verdicts(paper, tier) for paper in PAPERS for tier in tiers], ignore_index=True)
    ran = rows.claim.isin(rows[rows.verdict != "not run"].claim)
    never = rows[~ran].drop_duplicates(["claim", "paper"], keep="last").assign(tier=", ".join(tiers))
    rows = pd.concat([rows[rows.verdict != "not run"], never])
    return rows.drop_duplicates(["claim", "paper", "tier"]).reset_index(drop=True)
