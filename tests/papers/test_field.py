"""The comparison of all methods: the same effort for each, and runs that others have made already."""

from dataclasses import fields

import pytest

from nlcore import papers
from nlcore.noise import AsymmetricCifar10, HumanMatrix, InstanceDependent, SymmetricInclusive
from nlcore.papers.field.experiments import ALL, KNOBS, TUNED, method, plain_knobs, rate_of

NOISE = SymmetricInclusive(0.5)


@pytest.mark.parametrize("name", KNOBS)
def test_of_five_values_of_a_knob_one_is_the_papers(name):
    knob, values = KNOBS[name]
    (own,) = method(name, NOISE, 10)
    assert knob in {field.name for field in fields(own)}
    assert len({*values}) == len(plain_knobs(TUNED["laptop"])) == 5
    assert name in ("co_teaching", "small_loss") or getattr(own, knob) in values


def test_every_method_is_tuned_but_those_that_have_nothing_to_tune():
    assert {*ALL} - {*KNOBS} == {"ce", "forward", "glc"}


def test_methods_are_told_the_share_of_labels_that_is_wrong():
    assert rate_of(SymmetricInclusive(0.5), 10) == pytest.approx(0.45)
    assert rate_of(AsymmetricCifar10(0.4), 10) == pytest.approx(0.2)
    assert rate_of(InstanceDependent(0.4), 10) == pytest.approx(0.4)
    assert method("co_teaching", NOISE, 10)[0].tau == pytest.approx(0.45)


def test_no_matrix_is_told_where_labels_depend_on_the_image():
    assert method("forward", InstanceDependent(0.4), 10) == []
    assert len(method("forward", HumanMatrix("stand_in"), 10)) == 1


def test_what_robust_losses_were_run_with_is_not_run_again():
    ours, theirs = ({run.key for run in papers.runs(f"{paper}.fashion", "laptop")} for paper in ("field", "zhang2018"))
    assert len(ours & theirs) == 5 * 2 * 3 + 5 * 2 * 3  # five methods, symmetric and pair noise, seeds
