"""Measures against an independent library, and the rules that pick an evaluation."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nlcore.data import fetch
from nlcore.inputs import UserError
from nlcore.measures import evaluate


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31 - 1), st.floats(0.1, 8))
def test_ece_agrees_with_torchmetrics(seed, scale):
    fetch.vision()  # torchmetrics imports torchvision
    from torchmetrics.functional.classification import multiclass_calibration_error

    draw = torch.Generator().manual_seed(seed)
    logits, y = scale * torch.randn(500, 7, generator=draw), torch.randint(7, (500,), generator=draw)
    theirs = multiclass_calibration_error(logits.softmax(1), y, num_classes=7, n_bins=15).item()
    assert evaluate.ece(logits, y) == pytest.approx(theirs, abs=1e-5)


def test_ece_of_certainty_is_the_error_rate():
    logits, y = 1e4 * torch.eye(4)[[0, 1, 2, 3, 0]], torch.tensor([0, 1, 2, 3, 1])
    assert evaluate.ece(logits, y) == pytest.approx(0.2)
    assert evaluate.accuracy(logits, y) == pytest.approx(0.8)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31 - 1), st.floats(0.5, 8))
def test_adaptive_bins_are_equally_full_and_one_bin_is_the_mean_gap(seed, scale):
    draw = torch.Generator().manual_seed(seed)
    logits, y = scale * torch.randn(600, 10, generator=draw), torch.randint(10, (600,), generator=draw)
    full = evaluate.confidence_bins(logits, y, adaptive=True)
    assert full[:, 0].tolist() == [40] * 15 and (full[:, 1].diff() >= 0).all()
    gap = logits.double().softmax(1).max(1).values.mean() - evaluate.accuracy(logits, y)
    assert evaluate.ece(logits, y, bins=1, adaptive=True) == pytest.approx(abs(gap.item()), abs=1e-9)
    assert evaluate.ece(logits, y, adaptive=True) >= abs(gap.item()) - 1e-9


def test_frames_that_were_put_together_are_chosen_from_row_by_row():
    one = pd.DataFrame({"key": ["a", "a"], "step": [1, 2], "test_accuracy": [0.9, 0.5]})
    both = pd.concat([one, one.assign(key="b", test_accuracy=[0.3, 0.7])])
    assert evaluate.select(both).test_accuracy.tolist() == [0.5, 0.7]
    assert evaluate.select(both, "best on test (leaks)").test_accuracy.tolist() == [0.9, 0.7]


def test_bins_of_four_predictions_by_hand():
    """Of two classes with confidence 0.6, 0.6, 0.9 and 0.9; half of the first and all of the others are right."""
    logits = torch.tensor([[0.6, 0.4], [0.6, 0.4], [0.1, 0.9], [0.1, 0.9]], dtype=torch.double).log()
    y = torch.tensor([0, 1, 1, 1])
    four = evaluate.confidence_bins(logits, y, 4)
    torch.testing.assert_close(four, torch.tensor([[0, 0, 0], [0, 0, 0], [2, 0.6, 0.5], [2, 0.9, 1.0]]).double())
    torch.testing.assert_close(evaluate.confidence_bins(logits, y, 2, adaptive=True), four[2:])
    assert evaluate.ece(logits, y, 4) == pytest.approx((2 * 0.1 + 2 * 0.1) / 4)


def test_memorisation_is_counted_over_wrong_labels_only():
    label, true = torch.tensor([0, 1, 2, 2]), torch.tensor([0, 1, 0, 1])
    found = evaluate.pair_accuracy(guess=torch.tensor([0, 0, 2, 1]), label=label, true=true)
    assert found == {"given": 0.5, "right": 0.5, "wrong": 0.5, "true": 0.5}
    clean = evaluate.pair_accuracy(true, true, true)
    assert clean["given"] == 1 and clean["wrong"] != clean["wrong"]  # NaN: there is no wrong label


HISTORY = pd.DataFrame(
    {
        "key": list("aaabbb"),
        "step": [1, 2, 3] * 2,
        "test_accuracy": [0.5, 0.9, 0.7, 0.1, 0.2, 0.3],
        "noisy_validation": [0.3, 0.2, 0.1, 0.1, 0.3, 0.3],
        "clean_validation": [0.1, 0.2, 0.3, None, None, None],
    }
)


@pytest.mark.parametrize(
    "rule, steps", [("last", [3, 3]), ("best on test (leaks)", [2, 3]), ("noisy validation", [1, 2])]
)
def test_selection_rules(rule, steps):
    assert evaluate.select(HISTORY, rule).step.tolist() == steps


def test_runs_for_which_a_rule_cannot_choose_do_not_vanish():
    with pytest.raises(UserError, match="1 of these runs have no clean_validation"):
        evaluate.select(HISTORY, "clean validation")


def test_of_equal_evaluations_the_earliest_is_chosen_whatever_the_order_of_rows():
    backwards = evaluate.select(HISTORY.iloc[::-1], "noisy validation")
    assert backwards.key.tolist() == ["b", "a"] and backwards.step.tolist() == [2, 1]


THREE = torch.arange(3)
MEASURES = {
    "accuracy": lambda wrong: evaluate.accuracy(torch.eye(3), wrong),
    "ece": lambda wrong: evaluate.ece(torch.eye(3), wrong),
    "pair_accuracy": lambda wrong: evaluate.pair_accuracy(THREE, wrong, THREE),
    "correction": lambda wrong: evaluate.correction(THREE, wrong, THREE, 3),
    "detection": lambda wrong: evaluate.detection(THREE / 3, wrong > 0),
    "weighed": lambda wrong: evaluate.weighed(THREE / 3, THREE / 1, wrong > 0),
}


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("wrong", [THREE[:, None], THREE[:1]], ids=["a column", "one alone"])
def test_measures_of_labels_of_another_shape_are_refused(name, wrong):
    """A column beside a row would be compared each with each, and a single one with all."""
    with pytest.raises(UserError, match="are .M,. each"):
        MEASURES[name](wrong)


@pytest.mark.parametrize("shape", [(1, 3), (3, 1), (2, 2)])
def test_transition_matrices_of_other_shapes_are_not_compared(shape):
    with pytest.raises(UserError, match="both matrices are .K, K., not"):
        evaluate.transition_error(torch.eye(3), torch.ones(shape))


@pytest.mark.parametrize("loss", [1e3, 1e30, float("inf"), float("nan")])
def test_a_huge_loss_is_counted_in_the_last_bin(loss):
    bins = evaluate.weighed(torch.tensor([0.9, 0.1]), torch.tensor([0.1, loss]), torch.tensor([True, False]))
    assert bins[0] == [1, 0, 0.9, 0.0] and bins[-1] == [0, 1, 0.0, 0.1]


def test_an_unknown_rule_is_refused():
    with pytest.raises(UserError, match="last"):
        evaluate.select(HISTORY, "lats")


def test_the_best_of_several_is_chosen_by_the_mean_for_each_group():
    table = pd.DataFrame(
        {
            "alpha": [0, 0, 0, 0, 5, 5],
            "lr": [1, 1, 2, 2, 1, 2],
            "test_accuracy": [0.9, 0.1, 0.6, 0.6, 0.3, 0.2],
            "seed": 0,
        }
    )
    chosen = evaluate.best(table, "lr", ["alpha"])
    assert chosen.groupby("alpha").lr.unique().explode().to_dict() == {0: 2, 5: 1} and len(chosen) == 3
    with pytest.raises(UserError, match="some of these runs have no lr"):  # as a method has not whose rate is another
        evaluate.best(pd.concat([table, table[:1].assign(lr=np.nan)]), "lr", ["alpha"])


def test_correlations_within_each_run_are_those_of_pandas():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"key": ["a"] * 9 + ["b"] * 5 + ["c"], "x": rng.normal(size=15), "y": rng.normal(size=15)})
    rows.loc[[2, 10], "y"] = np.nan
    rows.loc[rows.key == "b", "x"] = 1.0  # constant
    found, right = evaluate.correlations(rows, "x", "y"), rows.x[:9].corr(rows.y[:9])
    assert found.a == pytest.approx(right, abs=1e-14) and found[["b", "c"]].isna().all()


def test_what_is_no_number_or_nothing_is_measured_as_no_number():
    right = torch.tensor([True, False, True])
    for weight in (torch.full((3,), torch.nan), torch.tensor([0.9, torch.nan, 0.1])):
        assert all(map(math.isnan, evaluate.detection(weight, right).values()))
    nothing = torch.zeros(0, dtype=torch.long)
    assert all(map(math.isnan, evaluate.correction(nothing, nothing, nothing, 3).values()))


def test_a_constant_column_correlates_with_nothing():
    history = pd.DataFrame({"key": ["a"] * 3 + ["b"] * 3, "x": [0.1] * 3 + [1, 2, 3], "y": [1, 2, 3, 2, 4, 6]})
    found = evaluate.correlations(history, "x", "y")
    assert np.isnan(found["a"]) and np.isclose(found["b"], 1)


def test_images_without_a_class_are_no_class_of_corrected_labels():
    true, label = torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([0, 1, 1, 1, 0, 1])  # of two classes; 2 is none
    found = evaluate.correction(torch.tensor([0, 0, 1, 0, 0, 1]), label, true, K=2)
    assert found["corrected_diagonal"] == pytest.approx((1 + 0.5) / 2) and found["corrected"] == 3 / 6
