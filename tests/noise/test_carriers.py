"""Images that carry wrong labels: shaped like the data, none of it, and as many as were asked for."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nlcore import data, sweep
from nlcore.inputs import UserError
from nlcore.noise import Clean, OpenSet, Structured, SymmetricInclusive, Uniform, foreign
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


@pytest.mark.parametrize("labels", ["the same", "others"])
def test_a_set_does_not_lend_images_to_itself_under_another_name(labels, tmp_path, monkeypatch):
    """Its test images would be trained on."""
    one, two = own(tmp_path / "one.npz"), tmp_path / "two.npz"
    arrays = dict(np.load(one))
    np.savez(two, **arrays | ({"train_labels": arrays["train_labels"][::-1]} if labels == "others" else {}))
    run = replace(SHORT, dataset=one, carrier=str(two), examples=20, validation=10)
    monkeypatch.setenv("NLCORE_RUNS", str(tmp_path / "runs"))
    with pytest.raises(UserError, match="of 80 images of .*two.npz.*, 80 are images of .*one.npz.* as well"):
        sweep.collect([run], "rolnick2017", jobs=1)
    assert not [*tmp_path.glob("runs/**/*.json")]


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


@pytest.mark.parametrize("validation", [0, 100])
def test_open_set_images_take_the_place_of_some_and_keep_the_labels(validation):
    part = split("white", noise=OpenSet(0.4), validation=validation)
    own, K = DIGITS.train.y, DIGITS.K
    for pairs, count in ((part.train, 300), (part.validation, validation)):
        gone = pairs.row >= len(own)
        assert len(pairs.row) == count and torch.equal(gone, pairs.true == K)
        assert torch.equal(pairs.label[~gone].long(), own[pairs.row[~gone]]) and (pairs.label < K).all()
    train, held = (set(pairs.row[pairs.true == K].tolist()) for pairs in (part.train, part.validation))
    assert not train & held and len(train) == (part.train.true == K).sum()  # each of the other images once
    assert part.card["requested_rate"] == 0.4
    assert part.card["realised_rate"] == pytest.approx(len(train) / 300, abs=1e-6)
    assert abs(len(train) - 120) < 51  # six standard deviations


def test_the_images_that_stay_are_those_of_clean_labels_and_the_classes_of_the_others_are_kept():
    clean, found = split("same", noise=Clean()), split("white", noise=OpenSet(0.4))
    assert torch.equal(found.train.label, clean.train.label)
    stay = found.train.true < DIGITS.K
    assert torch.equal(found.train.row[stay], clean.train.row[stay])
    counts = np.bincount(found.train.label[stay], minlength=DIGITS.K)
    assert np.array_equal(np.array(found.card["counts"]), np.diag(counts))


@pytest.mark.parametrize(("rate", "gone"), [(0.0, 0), (1.0, 300)])
def test_open_set_at_its_ends(rate, gone):
    assert (split("white", noise=OpenSet(rate)).train.true == DIGITS.K).sum() == gone


def test_few_images_of_another_set_are_used_again(tmp_path):
    part = split(own(tmp_path / "own.npz", n=4), noise=OpenSet(1.0))  # eight images for 300 and 100
    assert [len(pairs.row.unique()) for pairs in (part.train, part.validation)] == [6, 2]


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
        {"noise": OpenSet(0.4)},
        {"noise": OpenSet(0.4), "carrier": "novel"},
    ],
)
def test_carriers_that_make_no_sense_are_refused_before_anything_starts(options):
    with pytest.raises(UserError):
        check(replace(SHORT, **options))
