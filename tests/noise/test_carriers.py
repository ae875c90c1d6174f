"""Images that carry wrong labels: shaped like the data, none of it, and as many as were asked for."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nlcore import data
from nlcore.inputs import UserError
from nlcore.noise import Structured, SymmetricInclusive, Uniform, foreign
from nlcore.runs import Budget, Run
from nlcore.training import train
from nlcore.training.split import check
from nlcore.training.split import split as divide

DIGITS = data.load("digits")
SHORT = Run("digits", "mlp1", Budget(steps=20, evaluations=1), Uniform(2.0), examples=300, validation=100)


def own(path, shape=(8, 8, 1), n=40):
    """A data set of somebody's own."""
    rng = np.random.default_rng(0)
    arrays = {f"{s}_images": rng.integers(256, size=(n, *shape), dtype=np.uint8) for s in ("train", "test")}
    np.savez(path, **arrays, train_labels=np.arange(n) % 2, test_labels=np.arange(n) % 2)
    return str(path)


@pytest.mark.parametrize("kind", ["white", "photos"])
def test_embedded_carriers(kind):
    x = foreign(kind, DIGITS, 500, 0)
    assert x.shape == (500, 1, 8, 8) and x.dtype == torch.uint8
    assert torch.equal(x, foreign(kind, DIGITS, 500, 0)) and not torch.equal(x, foreign(kind, DIGITS, 500, 1))
    assert len(x.flatten(1).unique(dim=0)) > 490


def test_white_noise_has_the_mean_and_variance_of_the_data_and_no_correlation():
    x, theirs = foreign("white", DIGITS, 20_000, 0).double(), DIGITS.train.x.double()
    for moment in (torch.mean, torch.std):
        assert moment(x).item() == pytest.approx(moment(theirs).item(), rel=0.01)
    pixels = np.corrcoef(x.flatten(1).T.numpy())
    assert np.abs(pixels - np.eye(64)).max() < 0.05


def test_another_data_set_lends_its_test_images_first(tmp_path):
    name = own(tmp_path / "own.npz")
    other = data.load(name)
    assert torch.equal(foreign(name, DIGITS, 30, 0), other.test.x[:30])
    assert torch.equal(foreign(name, DIGITS, 60, 0), torch.cat([other.test.x, other.train.x[:20]]))
    assert len(foreign(name, DIGITS, 1000, 0)) == 80  # all there are


def test_images_of_another_shape_are_refused(tmp_path):
    with pytest.raises(UserError, match="alike"):
        foreign(own(tmp_path / "own.npz", (9, 9, 1)), DIGITS, 3, 0)


def split(carrier, **options):
    return divide(replace(SHORT, carrier=carrier, **options), DIGITS)


def test_clean_pairs_are_the_same_whatever_carries_the_noise():
    same, novel, white = map(split, ("same", "novel", "white"))
    for part in (novel, white):
        for a, b in zip(part.train, same.train, strict=True):
            assert torch.equal(a[:300], b[:300])
        assert len(part.train.row) == 900 and torch.equal(part.validation.label, same.validation.label)


def test_novel_images_are_neither_clean_ones_nor_held_out_and_used_once():
    part = split("novel")
    carriers, clean = part.train.row[300:], part.train.row[:300]
    assert len(carriers.unique()) == 600 and part.card["carriers"] == 600
    assert not np.intersect1d(carriers, clean).size and not np.intersect1d(carriers, part.validation.row).size
    assert torch.equal(part.train.true.long(), DIGITS.train.y[part.train.row])


def test_foreign_images_follow_the_own_ones_and_have_no_class():
    part, N = split("white"), len(DIGITS.train.y)
    assert part.foreign.shape == (300, 1, 8, 8) and part.train.row[300:].min() == N
    assert part.train.row.max() == N + 299 and (part.train.true[300:] == DIGITS.K).all()
    assert part.card["realised_rate"] == pytest.approx(2 / 3, abs=1e-6) == part.card["requested_rate"]
    assert len(part.probe.row) == 900  # memorisation is measured on the carriers as well


def test_wrong_labels_on_white_noise_do_little_harm():
    last = {}
    for carrier in ("same", "white"):
        run = replace(SHORT, noise=Uniform(20.0), examples=0, carrier=carrier, budget=Budget(600, evaluations=1))
        last[carrier] = train.train(run, "cpu").history[-1]["test_accuracy"]
    assert last["white"] > last["same"] + 0.05


@pytest.mark.parametrize(
    "options",
    [
        {"noise": SymmetricInclusive(0.5), "carrier": "novel"},
        {"noise": Structured(20.0, 0.5), "carrier": "white"},
        {"noise": Uniform(2.0), "carrier": "novel", "examples": 0},
        {"noise": Uniform(50.0), "carrier": "novel"},
        {"noise": Uniform(2.0), "carrier": "whit"},
    ],
)
def test_carriers_that_make_no_sense_are_refused_before_anything_starts(options):
    with pytest.raises(UserError):
        check(replace(SHORT, **options))
