"""Predicates answer to data: each verdict can be reached, and the paper's own numbers satisfy the paper's claims."""

import pandas as pd
import pytest

from nlcore import claims
from nlcore.papers import PAPERS, rolnick2017
from nlcore.records import Run

VERDICTS = {"reproduced", "partly", "not reproduced", "not run"}


def rows(table: dict) -> pd.DataFrame:
    """{(model, alpha): accuracy} as one row per run, two seeds each."""
    found = [{"model": m, "alpha": a, "test_accuracy": v + s} for (m, a), v in table.items() for s in (-0.001, 0.001)]
    return pd.DataFrame(found)


def papers_own(alpha: float) -> dict:
    table = claims.published("rolnick2017").query("where == 'Fig. 1' and at == @alpha")
    return {(row.model, alpha): row.value / 100 for row in table.itertuples()}


def test_the_papers_numbers_reproduce_the_papers_claims():
    frame = rows(papers_own(50) | papers_own(100))
    assert rolnick2017.a1(frame).verdict == rolnick2017.a2(frame).verdict == "reproduced"


@pytest.mark.parametrize(
    "at_50, at_100, verdict",
    [(0.96, 0.91, "reproduced"), (0.96, 0.80, "partly"), (0.5, 0.1, "not reproduced"), (0.96, None, "not run")],
)
def test_a1(at_50, at_100, verdict):
    table = {("conv4", 50): at_50} | ({("conv4", 100): at_100} if at_100 else {})
    assert rolnick2017.a1(rows(table)).verdict == verdict


def test_a2_fails_when_the_order_is_reversed():
    reverse = {(m, 50): 0.9 - 0.1 * i for i, m in enumerate(rolnick2017.NETS)}
    assert rolnick2017.a2(rows(reverse)).verdict == "not reproduced"
    assert rolnick2017.a2(pd.DataFrame()).verdict == "not run"


def test_the_stand_in_is_used_only_where_conv4_is_missing():
    both = rows({("conv4", 50): 0.96, ("conv4", 100): 0.92, ("conv_small", 50): 0.1, ("conv_small", 100): 0.1})
    assert rolnick2017.a1(both).verdict == "reproduced"
    stand_in = rolnick2017.a1(rows({("conv_small", 50): 0.96, ("conv_small", 100): 0.92}))
    assert stand_in.verdict == "reproduced" and "conv_small" in stand_in.evidence


def test_a13_is_an_identity():
    assert rolnick2017.a13(pd.DataFrame()).verdict == "reproduced"


def test_the_scoreboard_has_every_claim():
    table = claims.scoreboard(("smoke", "laptop"))
    assert set(table.verdict) <= VERDICTS
    assert set(table.claim) == {c.id for paper in PAPERS.values() for c in paper.CLAIMS}


def test_published_numbers_say_how_exact_they_are():
    table = claims.published("rolnick2017")
    figure = table[table["where"] == "Fig. 1"]
    assert len(figure) == 55 and not figure.duplicated(["model", "at"]).any()
    assert (figure.tag == "R").all() and (figure.plusminus == 0.3).all() and figure.value.between(10, 100).all()
    assert table[table.tag.isna()].empty


@pytest.mark.parametrize("paper", PAPERS)
def test_experiments_have_runs_at_every_tier(paper):
    for experiment in PAPERS[paper].EXPERIMENTS:
        for tier in ("smoke", "laptop", "gpu", "paper"):
            runs = experiment(tier)
            assert runs and all(isinstance(r, Run) for r in runs) and len({r.key for r in runs}) == len(runs)


def test_a_pass_at_alpha_100_sees_every_pair():
    run = next(r for r in rolnick2017.uniform("laptop") if r.noise.alpha == 100)
    assert run.budget.steps * run.budget.batch >= 58_000 * 101 - 128
