"""Noise that depends on the image: as its authors' code has it, and the same labels wherever they are drawn."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import truncnorm

from nlcore import data, noise
from nlcore.inputs import UserError
from nlcore.runs.miniatures import PLAIN
from nlcore.training.split import split

DIGITS = data.load("digits")
Y = DIGITS.train.y.numpy()


def released(x: np.ndarray, y: np.ndarray, q: np.ndarray, W: np.ndarray) -> np.ndarray:
    """P (N, K) as get_instance_noisy_label has it: of normalised images (N, pixels), rates q and W (K, pixels, K)."""
    P = []
    for image, label, rate in zip(x, y, q, strict=True):
        A = image @ W[label]
        A[label] = -np.inf
        A = np.exp(A - A.max())
        A = rate * A / A.sum()
        A[label] += 1 - rate
        P.append(A)
    return np.array(P)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.01, 0.99), st.integers(0, 2**32 - 1))
def test_the_law_of_an_image_is_that_of_the_released_code(rate, seed):
    found = noise.InstanceDependent(rate).on(DIGITS, seed)
    rng = np.random.default_rng([seed, 6])
    q = truncnorm.ppf(rng.random(len(Y)), -rate / 0.1, (1 - rate) / 0.1, rate, 0.1)
    W = rng.standard_normal((10, 64, 10))
    levels = DIGITS.train.x.double()
    x = ((levels - levels.mean()) / levels.std(correction=0)).flatten(1).numpy()
    np.testing.assert_allclose(found.laws, released(x, Y, q, W), atol=1e-5)  # moments are kept in single precision
    np.testing.assert_allclose(found.laws.sum(1), 1)
    assert (found.laws >= 0).all() and ((q >= 0) & (q <= 1)).all()


@settings(max_examples=10, deadline=None)
@given(st.floats(0.01, 0.99), st.integers(0, 2**32 - 1))
def test_draws_follow_the_law_of_each_image(rate, seed):
    """The number of wrong labels, and what a card says of it."""
    found = noise.InstanceDependent(rate).on(DIGITS, seed)
    pairs = noise.draw(found, Y, 10, seed)
    told = noise.card(found, pairs, Y, Y, 10, seed)
    q = 1 - found.laws[np.arange(len(Y)), Y]
    wrong = (pairs.label != Y).sum()
    assert abs(wrong - q.sum()) <= 6 * np.sqrt((q * (1 - q)).sum()) + 1
    assert told["requested_rate"] == pytest.approx(q.mean(), abs=1e-6)
    assert told["realised_rate"] == pytest.approx(wrong / len(Y), abs=1e-6)
    assert told["definition"] == {"name": "instance", "rate": rate} and np.sum(told["counts"]) == len(Y)


def test_rows_of_the_mean_matrix_sum_to_one_and_its_diagonal_is_one_minus_the_rate():
    T = noise.InstanceDependent(0.4).on(DIGITS, 0).matrix(10)
    np.testing.assert_allclose(T.sum(1), 1)
    np.testing.assert_allclose(T.diagonal(), 0.6, atol=0.05)


def test_equal_images_are_mistaken_for_the_same_class():
    """The direction of an error follows from the pixels; whether there is one does not."""
    twice = data.Images(*(torch.cat([part[:200], part[:200]]) for part in DIGITS.train))
    laws = noise.InstanceDependent(0.4).on(DIGITS._replace(train=twice), 0).laws.copy()
    y = twice.y.numpy()
    laws[np.arange(400), y] = 0
    direction = laws / laws.sum(1, keepdims=True)
    np.testing.assert_allclose(direction[:200], direction[200:], atol=1e-9)
    assert np.abs(laws[:200].sum(1) - laws[200:].sum(1)).max() > 0.1


def test_a_part_of_the_images_has_their_laws():
    """Training and held-out images are rows of the data set in any order, and each is drawn from its own law."""
    found = noise.InstanceDependent(0.4).on(DIGITS, 0)
    sure = found.laws.argmax(1)
    object.__setattr__(found, "laws", np.eye(10)[sure])
    rows = np.random.default_rng(0).permutation(len(Y))[:500]
    assert (noise.draw(found, Y[rows], 10, 0, images=rows).label == sure[rows]).all()


def test_a_part_of_the_images_without_their_rows_is_refused():
    """Each would be labelled by the law of another image."""
    found = noise.InstanceDependent(0.4).on(DIGITS, 0)
    with pytest.raises(UserError, match="images=rows"):
        noise.draw(found, Y[::2], 10, 0)
    with pytest.raises(UserError, match="use `on` first"):
        noise.draw(noise.InstanceDependent(0.4), Y, 10, 0)


def test_images_that_are_held_out_follow_the_same_law():
    run = replace(PLAIN, noise=noise.InstanceDependent(0.4), validation=400, examples=1000)
    part, laws = split(run, DIGITS), noise.InstanceDependent(0.4).on(DIGITS, 0).laws
    for pairs in (part.train, part.validation):
        likely = laws[pairs.row, pairs.label.long()]
        assert likely.min() > 0 and likely.mean() > 0.5  # of a label drawn from another law it is near q / 9


def test_a_seed_names_a_draw_of_instance_dependent_noise():
    def named(seed):
        found = noise.InstanceDependent(0.4).on(DIGITS, seed)
        return noise.card(found, noise.draw(found, Y, 10, seed), Y, Y, 10, seed)["labels_sha256"][:16]

    assert named(0) != named(1)
    assert named(0) == PINNED


PINNED = "3326e54a94371736"
