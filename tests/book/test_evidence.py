"""The scoreboard as a picture and as tables: what is drawn is what was found."""

import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from test_cli import FIELDS

from nlcore import home
from nlcore.book import evidence
from nlcore.papers import PAPERS, scoreboard

OWN = {
    "claim": "A1",
    "paper": "rolnick2017",
    "tier": "laptop",
    "what": "gap [points]",
    "where": "Fig. 1",
    "sentence": "It is.",
}
OWN |= {"least": 1.0, "most": math.inf, "bound": ">= 1", "why": "so", "papers_effect": 4.0}
OWN |= {"experiment": "rolnick2017.uniform", "evidence": "MNIST, 3 seeds"}


def line(rule: str, own: bool, effect: float, half: float, verdict: str, **other) -> dict:
    found = {"rule": rule, "own_rule": own, "effect": effect, "error": half / 4.3, "seeds": 3, "verdict": verdict}
    found |= {"lacking": 0, "stale": 0}
    return OWN | found | {"low": effect - half, "high": effect + half} | other


ROWS = pd.DataFrame(
    [
        line("last", True, 3.0, 1.0, "reproduced"),
        line("noisy validation", False, 0.5, 1.0, "inconclusive"),
        line("last", True, 2.0, 0.5, "not reproduced", claim="A2", least=-math.inf, most=1.0, papers_effect=math.nan),
        line("last", True, 0.1, 0.2, "reproduced", claim="A3", least=-1.0, most=1.0, bound="-1 to 1"),
        line("last", True, 0.0, 0.0, "reproduced", claim="A4", tier="identity", seeds=0, experiment=""),
    ]
)


def test_the_forest_has_the_bound_at_0_and_the_claimed_side_to_the_right():
    fig = evidence.forest(ROWS)
    [ax] = fig.axes
    marks = {round(m.get_ydata()[0], 2): m.get_xdata()[0] for m in ax.lines if m.get_marker() in ("o", "s", "X")}
    assert marks[1.98] == pytest.approx(2 / 3)  # 3 is 2 above the bound, the paper's 4 is 3 above it
    assert marks[1.76] == pytest.approx(-0.5 / 3)  # noisy validation, below the bound
    assert marks[0.88] < 0  # 2 where at most 1 is claimed
    [tick] = [m for m in ax.lines if m.get_marker() == "|"][:1]
    assert tick.get_xdata()[0] == pytest.approx(1)
    names = [text.get_text() for text in ax.texts]
    assert names == ["A1  gap [points]", "A2  gap [points]", "A3  gap [points]"]
    plt.close(fig)


def test_colour_and_shape_tell_verdicts_and_filling_tells_rules():
    fig = evidence.forest(ROWS)
    marks = [m for m in fig.axes[0].lines if m.get_marker() in ("o", "s", "X")]
    looks = {(m.get_marker(), m.get_markeredgecolor()) for m in marks}
    assert looks == {(look["marker"], look["color"]) for look in evidence.LOOKS.values()}
    assert [m.get_markerfacecolor() == "white" for m in marks] == [False, True, False, False]
    plt.close(fig)


def test_one_seed_is_drawn_without_an_end():
    alone = pd.DataFrame([line("last", True, 3.0, math.inf, "inconclusive", seeds=1)])
    fig = evidence.forest(alone)
    bar = fig.axes[0].lines[0].get_xdata()
    assert np.isfinite(bar).all() and bar.min() == -1.1 and bar.max() == 1.1
    plt.close(fig)


def test_the_table_has_both_rules_and_the_papers_value():
    table = evidence.evidence_table(ROWS)
    first = table.loc["A1"]
    assert (first.claimed, first.paper, first.ours) == (">= 1", "4", "last: 3 (2 to 4)")
    assert first["ours, other rule"] == "noisy validation: 0.5 (-0.5 to 1.5)"
    assert table.loc["A2", "paper"] == "" == table.loc["A2", "ours, other rule"]


def test_what_changes_with_the_rule_is_counted_and_named():
    said = evidence.findings(ROWS)
    assert (said["claims"], said["reproduced"], said["not_reproduced"]) == ("3", "2", "1")
    assert (said["identities"], said["identities_held"]) == ("1", "1")
    assert (said["fall"], said["fallen"], said["rise"], said["risen"]) == ("1", "A1", "0", "none")
    totals = scoreboard.totals(ROWS)
    assert totals.loc["reproduced"].tolist() == [2, 1, 1] and totals.loc["inconclusive"].tolist() == [0, 1, 0]
    assert scoreboard.in_total(ROWS) == [
        "3 claims measured on runs, at laptop: 2 reproduced, 1 not reproduced",
        "1 identities, which need no run: 1 reproduced",
    ]
    stale = scoreboard.in_total(ROWS.assign(stale=[2, 2, 0, 0, 0]))
    assert stale[2:] == [
        "1 of them are judged on records made by code that has since changed; `nlcore status` names those"
    ]


def test_every_claim_has_a_section_to_which_its_card_links():
    chapters = "".join(path.read_text() for path in (home() / "book").glob("*.ipynb"))
    labels = re.findall(r"\(claim-(\w+)\)=", chapters)
    assert sorted(labels) == sorted(claim.id for paper in PAPERS.values() for claim in paper.CLAIMS)
    for written in (evidence.card, evidence.folded_card):
        assert "](#claim-a1)" in written("A1", ROWS[ROWS.claim == "A1"])


def test_a_folded_card_tells_its_sentence_and_verdict_before_it_is_opened():
    head, looks, *body = evidence.folded_card("A1", ROWS[ROWS.claim == "A1"]).splitlines()
    assert head == ":::{dropdown} A1 · reproduced · It is." and looks.endswith("verdict reproduced")
    assert any("last: 3 (2 to 4) → *reproduced*" in line and "The bound: so." in line for line in body)


def test_a_card_names_its_runs():
    missing = line("last", True, math.nan, 0, "not run", what="another", seeds=0, evidence="needs more")
    rows = pd.concat([pd.DataFrame([missing]), ROWS])
    assert evidence.rests_on(rows) == "Runs: `rolnick2017.uniform`; MNIST, 3 seeds."
    assert evidence.rests_on(rows[:1]) == "Runs: `rolnick2017.uniform`; needs more."
    assert evidence.rests_on(ROWS[-1:]) == "Computed, without a run."
    assert "; MNIST, 3 seeds." in evidence.card("A1", ROWS[ROWS.claim == "A1"])


def test_a_long_name_is_whole_in_the_forest():
    name = "how far one of these things is ahead of another one at the rate where it leads least [points]"
    fig = evidence.forest(pd.DataFrame([line("last", True, 3.0, 1.0, "reproduced", what=name)]))
    [text] = fig.axes[0].texts
    assert text.get_text().split() == f"A1 {name}".split() and "\n" in text.get_text()
    plt.close(fig)


def test_what_was_not_run_is_said_once():
    missing = pd.DataFrame([line(rule, rule == "last", math.nan, 0, "not run", seeds=0) for rule in ("last", "other")])
    assert evidence.effect_line(missing) == "- gap [points]: claimed at least 1; published numbers give 4; *not run*"


def test_totals_of_papers_are_those_of_their_claims():
    table = evidence.totals_by_paper(ROWS)
    assert table.loc["Rolnick et al. 2017"].tolist() == ["2", "0", "1", "0", "1 of 1"]
    fig = evidence.totals_figure(ROWS)
    [ax] = fig.axes
    assert [text.get_text() for text in ax.get_yticklabels()] == ["Rolnick et al.", "identities"]
    assert [text.get_text() for text in ax.texts] == ["2", "1", "1"]
    plt.close(fig)


def test_effects_are_printed_as_valid_json():
    rows = scoreboard.told(ROWS)
    again = json.loads(json.dumps(rows, allow_nan=False))
    assert again[0]["interval"] == [2.0, 4.0] and again[2]["papers_effect"] is None and again[0]["most"] is None
    assert FIELDS | {"evidence"} <= {*again[0]}
    assert scoreboard.in_short(ROWS).ours[0] == "3 (2 to 4)"


def test_every_paper_with_a_chapter_has_both_names():
    assert {*evidence.PAPERS} == {*evidence.SHORT} and {*evidence.PAPERS} <= {*PAPERS}


def test_of_an_identity_no_digits_are_shown_that_a_processor_makes():
    rows = [line("last", True, value, 0.0, "reproduced", seeds=0, most=1e-9) for value in (3.6e-15, 1.8e-15, 0.0)]
    assert {scoreboard.found_in_words(row) for _, row in pd.DataFrame(rows).iterrows()} == {"below 1e-12"}
    for value, most, told in ((2.3e-10, 1e-9, "2.3e-10"), (0.4, math.inf, "0.4"), (0.0, 0.0, "0")):
        other = pd.Series(line("last", True, value, 0.0, "reproduced", seeds=0, most=most))
        assert scoreboard.found_in_words(other) == told
