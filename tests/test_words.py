"""Names that people read."""

import pytest

from nlcore import papers, words
from nlcore.methods import METHODS


def test_every_method_has_a_name_of_its_own_and_a_family():
    assert METHODS.keys() <= words.METHODS.keys()
    assert len({words.method(name) for name in words.METHODS}) == len(words.METHODS)
    assert {family for _, family, _ in words.METHODS.values()} == {*words.FAMILIES}


@pytest.mark.parametrize("paper", papers.PAPERS)
def test_methods_of_an_experiment_can_be_told_apart_by_colour_and_by_marker(paper):
    for experiment in papers.PAPERS[paper].EXPERIMENTS:
        methods = {run.spec()["method"]["name"] for run in experiment("smoke")}
        if len(methods) > len(words.LOOKS):  # of so many a figure draws some
            continue
        for part in ("color", "marker"):
            assert len({words.look(method)[part] for method in methods}) == len(methods), experiment.name


def test_mentors_and_what_they_are_held_against_can_be_told_apart():
    assert len({words.METHODS[name][2] for name in ("ce", "forgetting", "self_paced", "focal", "PD", "DD")}) == 6


def test_shades():
    assert words.shaded("#804000", 0.0) == "#804000" and words.shaded("#804000", 1.0) == "#ffffff"
