"""The verdicts on all claims, from the stored records."""

import pandas as pd

from ..measures.evaluate import curve_numbers
from ..runs import frame
from ..sweep import find
from . import PAPERS
from .claims import Verdict


def verdicts(paper: str, tier: str, tables: dict[str, pd.DataFrame] | None = None) -> pd.DataFrame:
    """One row per claim at a tier, judged on the stored records; or, for the experiments named in `tables` alone, on
    these frames (as from `runs.frame`). The name of identities, which need no run, is None."""
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
    rows = pd.concat([verdicts(paper, tier) for paper in PAPERS for tier in tiers], ignore_index=True)
    ran = rows.claim.isin(rows[rows.verdict != "not run"].claim)
    never = rows[~ran].drop_duplicates(["claim", "paper"], keep="last").assign(tier=", ".join(tiers))
    rows = pd.concat([rows[rows.verdict != "not run"], never])
    return rows.drop_duplicates(["claim", "paper", "tier"]).reset_index(drop=True)
