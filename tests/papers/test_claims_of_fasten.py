"""Effects of the claims on FasTEN lie where the paper's own numbers put them, and elsewhere on those turned round."""

import pandas as pd
import pytest
from judged import judge, over_seeds

from nlcore.papers import tables, texts
from nlcore.papers.kye2022 import CLAIMS, measured, published, sentences
from nlcore.papers.scoreboard import of_paper

PAPER = tables.published("kye2022")
OF_RUNS = {claim.id: claim for claim in CLAIMS if claim.experiment}
EFFECTS = [pytest.param(c.id, effect, id=f"{c.id} {effect.what}") for c in OF_RUNS.values() for effect in c.effects]


def with_baselines() -> pd.DataFrame:
    """Table 1, and of the two baselines that it lacks numbers that are low."""
    rows = published.table1()
    low = [rows[rows.method == "glc"].assign(method=name, test_accuracy=0.4) for name in ("ce", "trusted_only")]
    return pd.concat([rows, *low], ignore_index=True)


def two_networks() -> pd.DataFrame:
    """Made up: the paper has words alone."""
    rows = [
        {"rate": rate, "method_shared": shared, "test_accuracy": 0.8 if shared else 0.7, "train_seconds": 2.0 - shared}
        for rate in (0.4, 0.8)
        for shared in (True, False)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(method="fasten", noise=measured.SYMMETRIC, seconds=1.0, model="m", dataset="d", trusted=100)


MADE_UP = {"B2": with_baselines, "B13": two_networks}


def own(id: str) -> pd.DataFrame:
    return MADE_UP[id]() if id in MADE_UP else OF_RUNS[id].published()


def turned(id: str) -> pd.DataFrame:
    rows = own(id)
    if id in ("B5", "B5b", "B12"):
        return rows.assign(seconds=1 / rows.seconds)
    if id == "B13":
        return rows.assign(method_shared=~rows.method_shared)
    if id == "B6":
        return rows.assign(T_chi2=rows.T_chi2.mask(rows.method == "fasten", 0.005))  # as after 1,150 steps
    if id == "B7":
        return rows.assign(T_follows=-rows.T_follows, T_diagonal=rows.T_diagonal - 0.5)
    if id == "B9":
        return rows.assign(corrected_wrong=1 - rows.corrected_wrong)
    if id == "B10":  # all pairs of the three are apart
        apart = rows.method.map({"fasten": 0.2, "glc": 0.1}).fillna(0.0)
        return rows.assign(test_accuracy=rows.test_accuracy + apart)
    if id == "B8":
        lost = 0.1 * rows.method_correct
        return rows.assign(test_accuracy=rows.test_accuracy - lost)
    return rows.assign(test_accuracy=1 - rows.test_accuracy)


@pytest.mark.parametrize("id, effect", EFFECTS)
def test_an_effect_is_where_the_papers_own_numbers_put_it(id, effect):
    assert judge(effect, over_seeds(own(id), own(id), own(id))) == "reproduced"


@pytest.mark.parametrize("id, effect", EFFECTS)
def test_an_effect_is_elsewhere_on_numbers_turned_round(id, effect):
    assert judge(effect, over_seeds(turned(id), turned(id), turned(id))) == "not reproduced"


@pytest.mark.parametrize("id, effect", EFFECTS)
def test_seeds_on_both_sides_of_a_bound_decide_nothing(id, effect):
    assert judge(effect, over_seeds(own(id), turned(id), own(id))) == "inconclusive"


@pytest.mark.parametrize("id, effect", EFFECTS)
def test_an_effect_is_not_measured_on_a_part_of_its_runs(id, effect):
    rows = own(id)
    without = {"B13": rows.get("method_shared", rows.method) == False}  # noqa: E712
    without |= dict.fromkeys(("B8", "B8b"), rows.get("method_perturb", rows.method) == 1)
    if effect is OF_RUNS["B8"].effects[0]:
        without["B8"] = ~rows.method_correct
    without["B10"] = rows.method != "glc"
    if id == "B2":
        without["B2"] = rows.method.isin(["ce", "trusted_only"])
    part = rows[~without.get(id, rows.method == "fasten")]
    assert judge(effect, over_seeds(part, part)) == "not run"


def test_variants_of_fasten_are_not_averaged_with_it():
    plain = own("B9").query("method == 'fasten'").assign(method_correct=True, method_perturb=0.0)
    odd = plain.assign(method_perturb=1.0, corrected_wrong=0.0)
    assert measured.put_right(pd.concat([plain, odd])) == measured.put_right(plain)


def test_the_papers_own_values():
    with_numbers = [claim for claim in OF_RUNS.values() if claim.published]
    of = {claim.id: [of_paper(e, claim.published()) for e in claim.effects] for claim in with_numbers}
    assert of["B1"] == [pytest.approx(12.08)] and of["B9"] == [pytest.approx(78.61)]
    assert of["B5"] == [pytest.approx(2.63 / 1.536), pytest.approx(2.29 / 1.536)] and of["B5b"] == [pytest.approx(1)]
    assert of["B12"] == [pytest.approx(10.2 / 1.536, abs=0.01)]
    assert of["B6"] == [pytest.approx(0.0012 / 0.00073)]


def test_the_papers_contradictions_are_kept():
    """L2RW at 0.2 and FasTEN at 0.8 have two numbers each."""
    l2rw = PAPER[(PAPER.series == "method=l2rw") & (PAPER["at"] == 0.2) & (PAPER.dataset == "cifar10")]
    assert set(l2rw[l2rw.knob.str.startswith("symmetric", na=False)].value) == {88.26, 86.26}
    fasten = PAPER[(PAPER.series == "method=fasten") & (PAPER.dataset == "cifar10")]
    table = fasten[(fasten["at"] == 0.8) & (fasten["where"] == "Table 1")].value.item()
    figure = fasten[(fasten.knob == "perturb") & (fasten["at"] == 0)].value.item()
    assert (table, figure) == (79.52, 77.88)


def test_the_tables_are_whole():
    assert PAPER.groupby("where").size()["Table 1"] == 8 * 6 * 2 and (PAPER["where"] == "Table 2").sum() == 15
    hours = PAPER[PAPER.metric == "training time (h)"].set_index("series").value
    assert round(hours["method=mlac"] / hours["method=fasten"], 2) == 6.64  # the number of the abstract


def test_what_was_run_is_said_without_symmetric_noise_too():
    one = {"dataset": "fashion", "model": "conv_small", "trusted": 50, "images": 5000, "noise": "pair_flip"}
    found = sentences.setting(pd.DataFrame([one | {"rate": 0.4, "realised_rate": 0.4}]))
    assert found["top"] == found["wrong_of_ten"] == texts.NOT_RUN
