"""Cards of methods: every method has one, and it says what the code, the benchmark and the gains say."""

import pandas as pd
import pytest

from nlcore import words
from nlcore.book import costs, methods
from nlcore.methods import METHODS
from nlcore.papers.scoreboard import NOISY


def gains(*rows: tuple) -> pd.DataFrame:
    """Rows of (recipe, method, noise, rule, effect), each with an interval of a point on both sides."""
    frame = pd.DataFrame(rows, columns=["recipe", "method", "noise", "rule", "effect"])
    return frame.assign(low=frame.effect - 1, high=frame.effect + 1)


FOUND = gains(
    ("FasTEN", "glc", "symmetric, 0.4", "last", 9.0),
    ("FasTEN", "glc", "symmetric, 0.4", NOISY, 0.5),
    ("FasTEN", "glc", "class-dependent, 0.4", "last", 27.0),
    ("FasTEN", "glc", "class-dependent, 0.4", NOISY, 20.0),
    ("MentorNet", "DD", "symmetric, 0.4", "last", 19.0),
    ("MentorNet", "DD", "symmetric, 0.4", NOISY, 1.0),
    ("MentorNet", "PD", "symmetric, 0.4", "last", 12.0),
    ("MentorNet", "PD", "symmetric, 0.4", NOISY, 0.0),
)


def test_every_method_has_a_card_and_a_cost():
    assert methods.ABOUT.keys() == METHODS.keys()
    assert methods.times(costs.measured()).keys() >= METHODS.keys()
    assert all(about.what.endswith(".") for about in methods.ABOUT.values())
    assert sorted(name for family in words.FAMILIES for name in methods.of_family(family)) == sorted(METHODS)


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("gce", "nothing"),
        ("forward", "the true T"),
        ("glc", "trusted labels"),
        ("h_alpha", "clean labels"),
        ("curriculum", "nothing"),
        ("mentornet", "the noise rate (PD), trusted labels and the noise rate (DD)"),
    ],
)
def test_what_a_method_needs(name, needs):
    assert methods.needed(name) == needs


def test_the_best_is_where_noisy_validation_stops_both():
    told = methods.at_its_best("glc", FOUND)
    assert told.startswith("noise class-dependent, 0.4, recipe of FasTEN: +20.0 (19.0 to 21.0) points")
    assert told.endswith("+27.0 (26.0 to 28.0) at the end")
    assert methods.at_its_best("mentornet", FOUND).startswith("as MentorNet, data-driven (DD), noise symmetric, 0.4")
    assert methods.at_its_best("unhinged", FOUND) == "not compared with others under one recipe"


def test_a_card_says_what_code_and_benchmark_say():
    told = methods.facts("glc", FOUND, costs.measured())
    assert "passes: 3 forward, 2 backward" in told["Cost"] and told["Code"].startswith("`nlcore.methods.GLC`")
    assert told["Read"] == "Hendrycks et al. 2018; chapter {ref}`ch:fasten`"
    assert methods.card("glc", told).startswith(":::{card} gold loss correction (GLC)\n\nA first training")


def test_the_overview_has_all_methods():
    table = methods.overview(costs.measured())
    assert len(table) == len(METHODS) and table.index[0] == "cross entropy"
    assert table.loc["FasTEN"].tolist()[:4] == ["loss correction", "trusted labels", 2, 1]
