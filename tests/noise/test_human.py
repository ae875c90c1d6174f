"""Labels that people gave, as a noise; their drawn twin; how far people agree."""

from dataclasses import replace

import numpy as np
import pytest

from nlcore import data
from nlcore.data import labels
from nlcore.inputs import UserError
from nlcore.noise import HumanLabels, HumanMatrix, agreement, draw, human, realised
from nlcore.noise.counts import confusions
from nlcore.runs import miniatures
from nlcore.training.split import check, split

HUMAN, TWIN = (replace(miniatures.PLAIN, noise=kind("stand_in")) for kind in (HumanLabels, HumanMatrix))


def test_labels_are_taken_as_they_were_given():
    """Also those that are held out, with every seed; the card has their matrix."""
    digits = data.load("digits")
    true, given = human.answers("stand_in")
    assert 0.1 < (true != given).mean() < 0.4 and np.array_equal(true, digits.train.y)
    for seed in (0, 1):
        found = split(replace(HUMAN, seed=seed), digits)
        for part in (found.train, found.validation):
            assert np.array_equal(part.label, given[part.row]) and np.array_equal(part.true, true[part.row])
    counts = np.array(found.card["counts"])
    assert counts.sum() == 600 and found.card["definition"] == {"name": "human", "labels": "stand_in"}
    assert found.card["realised_rate"] == pytest.approx(1 - np.diag(counts).sum() / 600, abs=1e-6)


def test_labels_that_are_given_are_not_drawn():
    with pytest.raises(UserError, match="HumanLabels are given as they are, .*nothing is drawn"):
        draw(HumanLabels("stand_in"), np.arange(10), 10, 0)


def test_labels_of_other_images_are_refused():
    digits, some = data.load("digits"), np.arange(0, 1300, 2)
    part = digits._replace(train=data.Images(digits.train.x[some], digits.train.y[some]))
    with pytest.raises(UserError, match="all images of digits in their order, which these are not"):
        split(replace(HUMAN, examples=100, validation=0), part)
    with pytest.raises(UserError, match="the run is on mnist, and the data are digits"):
        split(replace(HUMAN, dataset="mnist"), digits)


def test_labels_that_all_share_cannot_be_written_over(monkeypatch):
    monkeypatch.setattr(labels, "_read", lambda name, folder: {"clean": np.arange(4), "image_sha256": np.arange(4)})
    monkeypatch.setattr(labels, "hashes_of", lambda images: np.arange(4))
    monkeypatch.setattr(labels, "places", lambda *sides: np.arange(4))
    monkeypatch.setitem(labels.FILES, "mine", labels.LabelFile("digits", "train", "", {"clean": ""}, "", ""))
    with pytest.raises(ValueError, match="read-only"):
        labels.joined("mine")["clean"][0] = 7
    labels.joined("mine")["clean"] = np.zeros(4)
    assert labels.joined("mine")["clean"].any()


def test_a_twin_has_their_matrix_and_other_labels():
    digits, law = data.load("digits"), HumanMatrix("stand_in").law(10)
    everything = replace(TWIN, examples=1300)
    found = split(everything, digits)
    assert np.abs(realised(found.card) - law).max() < 0.15 and np.allclose(law.sum(1), 1)
    given = human.answers("stand_in")[1][found.train.row]
    assert 0.1 < (given != found.train.label.numpy()).mean() < 0.6
    assert HumanLabels("stand_in").law(10).tolist() == law.tolist()


def test_labels_of_other_images_and_unknown_sets_are_refused():
    with pytest.raises(UserError, match="did you mean worst"):
        HumanLabels("wurst")
    with pytest.raises(UserError, match=r"`nlcore data get cifar10n`"):
        check(replace(HUMAN, noise=HumanLabels("worst")))
    with pytest.raises(UserError, match="labels of digits, not of mnist"):
        HumanLabels("stand_in").given(data.load("digits")._replace(name="mnist"))
    with pytest.raises(UserError, match="10 classes, not of 3"):
        HumanMatrix("stand_in").law(3)


def test_people_who_err_by_themselves_agree_as_drawn_ones():
    """And those who all copy one of them are wrong together."""
    rng, K, N = np.random.default_rng(0), 4, 40_000
    true = rng.integers(0, K, N)
    law = 0.7 * np.eye(K) + 0.2 * np.roll(np.eye(K), 1, 1) + 0.1 * np.roll(np.eye(K), 2, 1)
    apart = np.array([(true + rng.choice([0, 1, 2], N, p=[0.7, 0.2, 0.1])) % K for _ in range(3)])
    found = agreement.of_three(true, apart, K)
    assert found["wrong"] == pytest.approx(found["wrong_if_drawn"], abs=0.01)
    assert found["wrong"][0] == pytest.approx(0.343, abs=0.01) and found["wrong_again"] == pytest.approx(0.3, abs=0.01)
    assert found["same_wrong"] == pytest.approx((0.2**2 + 0.1**2) / 0.3**2, abs=0.02)
    assert found["same_wrong_if_drawn"] == pytest.approx(found["same_wrong"], abs=0.02)
    together = agreement.of_three(true, apart[[0, 0, 0]], K)
    assert together["wrong"][1:3] == [0, 0] and together["same_wrong"] == together["wrong_again"] == 1
    assert together["classes_seen"] == [1, 0, 0]
    assert np.allclose(confusions(true, apart[0], K) / N * K, law, atol=0.02)


def test_votes_by_hand():
    """Three images: all right; a tie of the true class with another; two of ten."""
    found = agreement.of_votes(np.array([0, 1, 2]), np.array([[10, 0, 0], [5, 5, 0], [8, 0, 2]]))
    assert found["right"] == round(17 / 30, 4) and found["majority"] == 0.5 and found["all_right"] == round(1 / 3, 4)
    assert found["tenths"] == [0, 0, 1, 0, 0, 1, 0, 0, 0, 1] and found["in_class"] == [1, 0.5, 0.2]


@pytest.mark.parametrize("votes", [10, 30, 50])
def test_a_share_at_the_edge_of_a_tenth_belongs_to_the_upper_one(votes):
    of_true = np.arange(votes + 1)
    found = agreement.of_votes(np.zeros(votes + 1, int), np.stack([of_true, votes - of_true], 1))
    assert found["tenths"] == [votes // 10] * 9 + [votes // 10 + 1]


def test_totals_of_a_set():
    found = agreement.of_set(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]))
    assert found == {"images": 4, "wrong": 1, "wrong_in_class": [0.5, 0.0], "counts": [[1, 1], [0, 2]]}


def test_labels_that_no_true_class_has_are_wrong():
    found = agreement.of_set(np.array([0, 0, 1, 1, 2, 2]), np.array([0, 3, 1, 1, 2, 2]))
    assert found["wrong_in_class"][:3] == [0.5, 0, 0] and np.isnan(found["wrong_in_class"][3])
    with pytest.raises(UserError, match="0 to 1, not 0 to 2"):
        confusions(np.array([0, 1]), np.array([0, 2]), 2)
