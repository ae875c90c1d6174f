"""The exhibits of the chapter on background: real wrong labels are what the file says, also for data of one's own."""

import hashlib

import matplotlib
import numpy as np
import pytest
import torch

from nlcore.book import background
from nlcore.inputs import UserError

matplotlib.use("agg")


def test_the_sheet_has_the_pictures_that_the_file_names():
    pictures, tiles = background.facts()["pictures"], background.tiles()
    for picture, tile in zip(pictures, tiles, strict=True):
        pixels = tile[..., :1] if picture["data"] == "mnist" else tile
        assert hashlib.sha256(pixels.tobytes()).hexdigest() == picture["sha256"]
        first, second = picture["labels"]
        assert first != second
        if picture["split"] == "test":
            given, other, *_ = picture["votes"]
            assert other >= 4 and other > given
        else:
            assert len({*picture["index"]}) == 2


def test_pictures_stand_above_their_two_labels():
    twins, voted = background.real_wrong_labels("train"), background.real_wrong_labels("test")
    assert [len(fig.axes) for fig in (twins, voted)] == [8, 12]
    assert voted.axes[0].get_xlabel() == "label: 8\nvoters: 9"
    assert background.of_votes()["share_cifar10"] == "0.54 %"
    for fig in (twins, voted):
        matplotlib.pyplot.close(fig)


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> str:
    """Coloured noise of three classes, 90 images and 12 to test, of an odd size."""
    rng = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 90), ("test", 12)):
        arrays[f"{part}_images"] = rng.integers(0, 256, (count, 5, 7, 3), np.uint8)
        arrays[f"{part}_labels"] = np.arange(count) % 3
    path = tmp_path_factory.mktemp("own") / "own.npz"
    np.savez(path, **arrays)
    return str(path)


def test_a_training_is_watched_from_beginning_to_end(own):
    seen = background.watched(own, 0.3, 1, seed=0, steps=60)
    assert seen.losses.shape == (30, 90) and seen.wrong.sum() == pytest.approx(27, abs=10)
    told = background.of_memorising(seen, early=4)
    assert told["images"] == "90" and 0 <= float(told["last_auc"]) <= 1
    table = background.found_by_checking(seen, 4, 1000)  # more than there are
    assert [*table["share"]] == [f"{seen.wrong.mean():.0%}".replace("%", " %")] * 3
    assert len(background.losses_of_pairs(seen, 4).axes) == 2
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize("epoch", [-1, 1000, float("nan")])
def test_what_is_called_early_is_an_epoch_of_the_training(own, epoch):
    with pytest.raises(UserError, match="early is an epoch of this training, so 0 to"):
        background.watched(own, 0.3, epoch, seed=0, steps=60)


@pytest.mark.parametrize("rate", [0.0, 1.0, 1e-9])
def test_a_rate_without_right_and_wrong_labels_is_refused(own, rate):
    with pytest.raises(UserError, match="rate"):
        background.watched(own, rate, 1, seed=0, steps=60)


def test_labels_given_by_a_look_depend_on_the_upper_half_alone():
    x = np.zeros((40, 1, 4, 4), np.uint8)
    y = np.arange(40) % 2
    x[y == 1, :, :2] = 200
    assert (background.by_a_look(x, y) == y).all()
    x[0, :, :2] = 200  # this one looks like the other class
    assert np.flatnonzero(background.by_a_look(x, y) != y).tolist() == [0]


def test_both_noises_have_the_matrix_that_was_counted(own):
    draws = background.same_matrix(own, seed=0)
    looked = draws.given["by the annotator"]
    for k in range(3):
        counted = np.bincount(looked[draws.y == k], minlength=3) / (draws.y == k).sum()
        np.testing.assert_allclose(draws.T[k], counted)
    assert not np.array_equal(looked, draws.given["drawn"])
    table = background.two_noises(draws, own, epochs=2, check=1000, seed=0)
    assert [*table.index] == ["by the annotator", "drawn"]
    assert table.iloc[0]["wrong"] == table.iloc[0]["found"] == f"{100 * (looked != draws.y).mean():.0f}"
    told = background.of_two_noises(table)
    assert told["wrong_look"] == table.iloc[0]["wrong"] and told["found_drawn"] == table.iloc[1]["found"]


def test_neighbours_of_a_wrong_label_are_other_images():
    x = np.zeros((12, 1, 2, 2), np.uint8)
    x[6:] = 200  # two heaps of six
    given = np.array([1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    assert background.same_wrong(x, given, np.arange(12) == 3, count=5) == 2 / 5


def test_a_brief_training_is_repeatable_and_leaves_chance_alone():
    x, y = torch.randn(30, 1, 4, 4), torch.arange(30) % 3
    before = torch.get_rng_state()
    first, second = (background.briefly(x, y, 3, epochs=2, seed=1) for _ in range(2))
    assert torch.equal(first(x), second(x)) and torch.equal(torch.get_rng_state(), before)


def test_no_wrong_label_leaves_a_cell_empty_and_a_picture_whole():
    y = np.arange(30) % 3
    x = np.repeat(y.astype(np.uint8)[:, None, None, None] * 80, 64, axis=-1).reshape(30, 1, 8, 8)
    draws = background.TwoDraws(x, y, {"by the annotator": y, "drawn": y}, np.eye(3))
    assert len(background.wrong_of_both(draws).axes) == 14
    matplotlib.pyplot.close("all")
    table = background.two_noises(draws, "digits", epochs=1, check=5, seed=0)
    assert [*table["neighbours"]] == [*table["found"]] == ["", ""] and [*table["wrong"]] == ["0", "0"]
