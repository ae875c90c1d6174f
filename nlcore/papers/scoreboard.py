"""The verdicts on all claims, from the stored records."""

import pandas as pd

from ..measures.evaluate import curve_numbers
from ..runs import frame
from ..sweep import find
from . import PAPERS
from .claims import Claim, Verdict


def verdicts(paper: str, tier: str, tables: dict[str, pd.DataFrame] | None = None) -> pd.DataFrame:
    """One row per claim at a tier, judged on the stored records; or, for the experiments named in `tables` alone, on
    these frames (as from `runs.frame`). The name of identities, which need no run, is None."""
    found, stored = [], {}
    for claim in PAPERS[paper].CLAIMS:
        name = claim.experiment.name if claim.experiment else None
        if tables is not None and name not in tables:
            continue
        row = {"claim": claim.id, "paper": paper, "tier": tier if name else "identity"}
        if name is None:
            row["verdict"], row["evidence"] = claim.judge(pd.DataFrame())
        else:
            if tables is None and name not in stored:  # several claims look at one experiment
                states = find(claim.experiment(tier), paper).values()
                stored[name] = frame([record for _, record in states if record])
            row["verdict"], row["evidence"] = _judged(claim, (tables or stored)[name])
        found.append(row | {"where": claim.where, "sentence": claim.sentence})
    return pd.DataFrame(found)


def _judged(claim: Claim, rows: pd.DataFrame) -> Verdict:
    """The verdict on runs; the evidence begins with what they ran on: data sets and, if it is one, the network."""
    if not len(rows):
        return Verdict("not run", f"no record of {claim.experiment.name} at this tier")
    verdict, evidence = claim.judge(curve_numbers(rows))
    if verdict != "not run":
        networks = rows.model.unique()
        on = [*sorted(rows.dataset.unique()), *(networks if len(networks) == 1 else [])]
        evidence = f"on {', '.join(on)}: {evidence}"
    return Verdict(verdict, evidence)


def scoreboard(tiers: tuple[str, ...]) -> pd.DataFrame:
    """All papers' claims at every tier that has records; "not run" only for a claim that no tier has run."""
    rows = pd.concat([verdicts(paper, tier) for paper in PAPERS for tier in tiers], ignore_index=True)
    ran = rows[rows.verdict != "not run"]
    never = rows[~rows.claim.isin(ran.claim)].drop_duplicates(["claim", "paper"], keep="last")
    rows = pd.concat([ran, never.assign(tier=", ".join(tiers))])
    return rows.drop_duplicates(["claim", "paper", "tier"]).reset_index(drop=True)
