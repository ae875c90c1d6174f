"""Identities and limits of the losses."""

import doctest
import inspect
import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlcore import losses
from nlcore.inputs import UserError
from nlcore.losses import (
    backward_corrected,
    bootstrapped,
    cross_entropy,
    distilled,
    forward_corrected,
    lq,
    mae,
    smoothed_cross_entropy,
    soft_cross_entropy,
)
from nlcore.methods import (
    CE,
    GCE,
    MAE,
    Backward,
    Batch,
    Clock,
    Forward,
    HAlpha,
    HardBootstrap,
    LabelSmoothing,
    SoftBootstrap,
    Task,
    Unhinged,
)

K = 10
seeds = st.integers(0, 2**31 - 1)


def case(seed: int, scale: float = 5.0, B: int = 32):
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(B, K, generator=draw, dtype=torch.double) * scale
    return logits, torch.randint(K, (B,), generator=draw)


def loss_of(method, logits, y):
    return method.loss(lambda x: x, Batch(torch.arange(len(y)), logits, y), Clock(torch.zeros(()), 1))


@given(seeds, st.floats(0, 1))
def test_smoothing_is_a_mixture_of_cross_entropies(seed, e):
    logits, y = case(seed)
    uniform = torch.stack([cross_entropy(logits, torch.full_like(y, k)) for k in range(K)]).mean(0)
    torch.testing.assert_close(smoothed_cross_entropy(logits, y, e), (1 - e) * cross_entropy(logits, y) + e * uniform)


@given(seeds, st.floats(0, 0.99))
def test_smoothing_is_torch_label_smoothing(seed, e):
    logits, y = case(seed)
    theirs = torch.nn.functional.cross_entropy(logits, y, reduction="none", label_smoothing=e)
    torch.testing.assert_close(smoothed_cross_entropy(logits, y, e), theirs)


@given(seeds, st.floats(0, 0.9))
def test_smoothing_over_the_other_classes_is_smoothing_by_a_larger_share(seed, a):
    """The two conventions: a / (K-1) on each other class is aK / (K-1) over all; targets sum to 1."""
    logits, y = case(seed)
    target = torch.full((len(y), K), a / (K - 1), dtype=torch.double).scatter_(1, y[:, None], 1 - a)
    theirs = -(target * logits.log_softmax(1)).sum(1)
    torch.testing.assert_close(smoothed_cross_entropy(logits, y, a * K / (K - 1)), theirs)
    ours = torch.eye(K, dtype=torch.double)[y] * (1 - a) + a / K
    torch.testing.assert_close(smoothed_cross_entropy(logits, y, a), -(ours * logits.log_softmax(1)).sum(1))
    torch.testing.assert_close(ours.sum(1), torch.ones(len(y), dtype=torch.double))
    torch.testing.assert_close(ours[torch.arange(len(y)), y], torch.full((len(y),), 1 - a + a / K, dtype=torch.double))


@given(seeds)
def test_cross_entropy_against_soft_labels_is_that_of_torch(seed):
    logits, y = case(seed)
    q = case(seed + 1)[0].softmax(1)
    theirs = torch.nn.functional.cross_entropy(logits, q, reduction="none")
    torch.testing.assert_close(soft_cross_entropy(logits, q), theirs)
    certain = torch.eye(K, dtype=torch.double)[y]
    torch.testing.assert_close(soft_cross_entropy(logits, certain), cross_entropy(logits, y))


@given(seeds, st.floats(0, 1))
def test_bootstrapping_is_cross_entropy_against_a_mixed_target(seed, b):
    logits, y = case(seed)
    own, one = logits.softmax(1), torch.eye(K, dtype=torch.double)
    for hard, part in ((False, own), (True, one[own.argmax(1)])):
        target = b * one[y] + (1 - b) * part
        torch.testing.assert_close(bootstrapped(logits, y, b, hard), -(target * logits.log_softmax(1)).sum(1))


@given(seeds, st.floats(0.5, 8))
def test_a_student_that_agrees_with_its_teacher_has_nothing_to_learn(seed, temperature):
    logits, _ = case(seed)
    slope = gradient_of(lambda z: distilled(z, logits, temperature), logits)
    torch.testing.assert_close(slope, torch.zeros_like(slope))
    y = logits.argmax(1)
    sure = torch.full_like(logits, -1e9).scatter_(1, y[:, None], 0)
    torch.testing.assert_close(distilled(logits, sure, 1.0), cross_entropy(logits, y))


@given(seeds, st.floats(0, 200))
def test_h_alpha_is_the_expected_loss_over_uniform_noise(seed, alpha):
    """Claim A13, through the law of the noise model itself."""
    from nlcore.noise import Uniform

    logits, y = case(seed)
    law = torch.from_numpy(Uniform(alpha).matrix(K))  # (K, K)
    each = torch.stack([cross_entropy(logits, torch.full_like(y, k)) for k in range(K)], 1)  # (B, K)
    torch.testing.assert_close(loss_of(HAlpha(alpha), logits, y), (law[y] * each).sum(1).mean())


@given(seeds)
def test_h_0_is_cross_entropy(seed):
    logits, y = case(seed)
    torch.testing.assert_close(loss_of(HAlpha(0.0), logits, y), loss_of(CE(), logits, y))


@given(seeds, st.floats(0, 100))
def test_the_factor_of_h_alpha(seed, alpha):
    logits, y = case(seed)
    plain, scaled = (loss_of(HAlpha(alpha, rescale=r), logits, y) for r in (False, True))
    torch.testing.assert_close(scaled, (1 + alpha) * plain)


def gradient_of(loss, logits):
    logits = logits.clone().requires_grad_()
    return torch.autograd.grad(loss(logits).sum(), logits)[0]


@given(seeds)
def test_lq_tends_to_cross_entropy_and_so_does_its_gradient(seed):
    logits, y = case(seed, scale=2.0)
    torch.testing.assert_close(lq(logits, y, 1e-9), cross_entropy(logits, y), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(lq(logits, y, 0.0), cross_entropy(logits, y))
    ours, theirs = (gradient_of(f, logits) for f in (lambda z: lq(z, y, 1e-9), lambda z: cross_entropy(z, y)))
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)


@given(seeds)
def test_l1_is_half_the_absolute_error(seed):
    logits, y = case(seed)
    p, target = logits.softmax(1), torch.eye(K, dtype=torch.double)[y]
    torch.testing.assert_close(mae(logits, y), (target - p).abs().sum(1))
    torch.testing.assert_close(lq(logits, y, 1.0), mae(logits, y) / 2)


@given(seeds, st.floats(0.01, 1))
def test_the_gradient_of_lq_is_that_of_cross_entropy_times_p_to_the_q(seed, q):
    logits, y = case(seed, scale=2.0)
    p = logits.softmax(1).gather(1, y[:, None])
    ours, theirs = (gradient_of(f, logits) for f in (lambda z: lq(z, y, q), lambda z: cross_entropy(z, y)))
    torch.testing.assert_close(ours, p**q * theirs)


@given(seeds, st.floats(0.01, 1))
def test_the_sum_of_lq_over_labels_is_bounded(seed, q):
    """(K - K^(1-q)) / q <= sum_j L_q(j) <= (K - 1) / q (Zhang & Sabuncu 2018, Lemma 1); at q = 1 the bounds meet."""
    logits, y = case(seed)
    total = torch.stack([lq(logits, torch.full_like(y, k), q) for k in range(K)]).sum(0)
    assert (total >= (K - K ** (1 - q)) / q - 1e-9).all() and (total <= (K - 1) / q + 1e-9).all()


def law(seed: int) -> torch.Tensor:
    """A transition matrix that has an inverse."""
    draw = torch.Generator().manual_seed(seed)
    T = torch.rand(K, K, generator=draw, dtype=torch.double) + K * torch.eye(K, dtype=torch.double)
    return T / T.sum(1, keepdim=True)


@given(seeds)
def test_corrections_with_the_identity_are_cross_entropy(seed):
    logits, y = case(seed)
    identity = torch.eye(K, dtype=torch.double)
    for correct in (forward_corrected, backward_corrected):
        torch.testing.assert_close(correct(logits, y, identity), cross_entropy(logits, y))


@given(seeds)
def test_backward_correction_is_unbiased(seed):
    """E over the given label j ~ T[y] of the corrected loss is the loss of the true label."""
    logits, y = case(seed)
    T = law(seed)
    each = torch.stack([backward_corrected(logits, torch.full_like(y, j), T.inverse()) for j in range(K)], 1)  # (B, K)
    torch.testing.assert_close((T[y] * each).sum(1), cross_entropy(logits, y))


def test_the_clip_of_backward_correction_bounds_it_and_takes_the_slope_of_what_is_cut():
    logits = torch.tensor([[40.0, 0.0, 0.0]], dtype=torch.double, requires_grad=True)
    T, y = torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]], dtype=torch.double), torch.tensor([0])
    whole, cut = (backward_corrected(logits, y, T.inverse(), clip) for clip in (0.0, 1e-7))
    row = T.inverse()[0]
    assert whole.item() == pytest.approx(40 * (row[1] + row[2]).item())
    assert cut.item() == pytest.approx(-math.log(1e-7) * (row[1] + row[2]).item(), rel=1e-6)
    assert torch.autograd.grad(cut, logits)[0].abs().max() == 0


@given(seeds)
def test_forward_correction_is_the_cross_entropy_of_the_noisy_prediction(seed):
    logits, y = case(seed, scale=2.0)
    T = law(seed)
    noisy = logits.softmax(1) @ T
    torch.testing.assert_close(forward_corrected(logits, y, T), -noisy.gather(1, y[:, None]).squeeze(1).log())


@given(seeds, st.floats(0, 0.8))
def test_smoothing_and_backward_correction_smear_in_opposite_directions(seed, rho):
    """With M = (1-a) I + (a/K) J smoothing is M l, backward correction of that noise is M^-1 l."""
    logits, y = case(seed, scale=2.0)
    M = (1 - rho) * torch.eye(K, dtype=torch.double) + rho / K
    losses = -logits.log_softmax(1)
    torch.testing.assert_close(smoothed_cross_entropy(logits, y, rho), (losses @ M)[torch.arange(len(y)), y])
    back = backward_corrected(logits, y, M.inverse())
    torch.testing.assert_close(back, (losses @ M.inverse())[torch.arange(len(y)), y])


def built(method):
    """The loss of a method that keeps a matrix in its network."""
    net = method.build(torch.nn.Identity(), Task(K, 32, (1, 1, 1))).double()
    return lambda logits, y: method.loss(net, Batch(torch.arange(len(y)), logits, y), Clock(torch.zeros(()), 1))


@given(seeds)
def test_methods_at_their_limits_are_cross_entropy(seed):
    logits, y = case(seed)
    plain = loss_of(CE(), logits, y)
    limits = (
        SoftBootstrap(b=1.0),
        HardBootstrap(b=1.0),
        GCE(q=0.0),
        LabelSmoothing(a=0.0),
        Forward(),
        Backward(clip=0.0),
    )
    for method in limits:
        torch.testing.assert_close(built(method)(logits, y), plain)
    torch.testing.assert_close(loss_of(MAE(), logits, y), 2 * loss_of(GCE(q=1.0), logits, y))
    torch.testing.assert_close(loss_of(Unhinged(), logits, y), loss_of(GCE(q=1.0), logits, y))
    torch.testing.assert_close(loss_of(LabelSmoothing(a=0.5), logits, y), loss_of(HAlpha(1.0), logits, y))


@pytest.mark.parametrize(
    "make",
    [
        lambda: GCE(q=1.1),
        lambda: GCE(q=-0.1),
        lambda: LabelSmoothing(a=1.1),
        lambda: Forward(T=((0.5, 0.6), (0.5, 0.5))),
        lambda: built(Forward(T=((1.0, 0.0), (0.0, 1.0)))),
        lambda: built(Backward(T=((0.1,) * K,) * K)),
    ],
)
def test_bad_parameters_are_refused(make):
    with pytest.raises(UserError):
        make()


@given(seeds, st.floats(0, 1), st.sampled_from([(torch.float32, 1e4), (torch.bfloat16, 100.0)]))
def test_finite_for_large_logits(seed, e, kind):
    dtype, scale = kind
    logits, y = case(seed)
    logits = (logits.sign() * scale).to(dtype).requires_grad_()
    T = law(seed).to(dtype)
    found = [cross_entropy(logits, y), smoothed_cross_entropy(logits, y, e), lq(logits, y, e), mae(logits, y)]
    found += [forward_corrected(logits, y, T), forward_corrected(logits, y, torch.eye(K, dtype=dtype))]
    found += [backward_corrected(logits, y, T), bootstrapped(logits, y, e), bootstrapped(logits, y, e, hard=True)]
    found += [distilled(logits, -logits.detach(), 1.0), distilled(logits, logits.detach(), 4.0)]
    for loss in found:
        (gradient,) = torch.autograd.grad(loss.sum(), logits)
        assert loss.isfinite().all() and gradient.isfinite().all()


def test_the_examples_of_the_docstring_are_true_and_show_every_loss():
    assert doctest.testmod(losses).failed == 0
    public = {
        name
        for name, f in inspect.getmembers(losses, inspect.isfunction)
        if f.__module__ == losses.__name__ and name[0] != "_"
    }
    assert {name for name in public if f">>> losses.{name}(" not in losses.__doc__} == set()


@pytest.mark.parametrize("y", [torch.zeros(4, 1).long(), torch.tensor([0, 1, -1, 0])])
@pytest.mark.parametrize("loss", [losses.forward_corrected, losses.backward_corrected])
def test_corrections_take_classes_alone(loss, y):
    """Not a column of them, as some data sets have it; nor -1, which would be the last class."""
    with pytest.raises((UserError, RuntimeError, IndexError)):
        loss(torch.zeros(4, 3), y, torch.eye(3))


def test_a_negative_q_is_refused():
    """It would be cross entropy in silence."""
    with pytest.raises(UserError, match="q of L_q is 0 or more, and finite, not -0.7"):
        losses.lq(torch.randn(2, 3), torch.tensor([0, 1]), q=-0.7)


@pytest.mark.parametrize(
    "told, loss",
    [
        ("e of smoothed cross entropy is a .* from -inf to 1, not 10", partial(losses.smoothed_cross_entropy, e=10)),
        ("q of L_q is 0 or more, and finite, not inf", partial(losses.lq, q=math.inf)),
        ("A stands for log 0, so it is negative, not 4.0", partial(losses.reverse_cross_entropy, A=4.0)),
        ("b of bootstrapping is a number from 0 to 1, not 80", partial(losses.bootstrapped, b=80)),
        ("clip is a number from 0 to 0.5, not 0.9", partial(losses.backward_corrected, inverse=torch.eye(3), clip=0.9)),
        ("temperature is more than 0, not 0", lambda z, y: losses.distilled(z, z, 0)),
        ("temperature is more than 0, not nan", lambda z, y: losses.distilled(z, z, math.nan)),
    ],
)
def test_numbers_that_no_loss_can_have_are_refused(told, loss):
    with pytest.raises(UserError, match=told):
        loss(torch.randn(2, 3), torch.tensor([0, 1]))


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16, torch.int64])
def test_a_matrix_and_probabilities_of_other_types_meet_in_full_precision(kind):
    p, T, y = torch.randn(4, 3).softmax(1), torch.eye(3).roll(1, 1), torch.tensor([0, 1, 2, 1])
    plain = losses.nll_through(p, T, y)
    torch.testing.assert_close(losses.nll_through(p, T.to(kind), y), plain)
    half = losses.nll_through(p.bfloat16(), T, y)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, plain, rtol=0.02, atol=0.02)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(losses.nll_through(p, T.to(kind), y), plain)


OF_LABELS = pytest.mark.parametrize(
    "loss",
    [
        losses.cross_entropy,
        lambda z, y: losses.lq(z, y, 0.7),
        losses.mae,
        lambda z, y: losses.smoothed_cross_entropy(z, y, 0.1),
        losses.normalised_cross_entropy,
        lambda z, y: losses.bootstrapped(z, y, 0.8),
        lambda z, y: losses.forward_corrected(z, y, torch.full((3, 3), 1 / 3)),
        lambda z, y: losses.nll_through(z.softmax(1), torch.eye(3), y),
        lambda z, y: losses.backward_corrected(z, y, torch.eye(3)),
    ],
)


@OF_LABELS
@pytest.mark.parametrize("shape", [1, 3, (4, 1)])
def test_labels_that_are_not_one_for_each_row_are_refused(loss, shape):
    """torch would repeat them, or take the first ones."""
    with pytest.raises(UserError, match="4 predictions need labels"):
        loss(torch.randn(4, 3), torch.zeros(shape, dtype=torch.long))
    with pytest.raises(UserError, match="soft labels are"):
        losses.soft_cross_entropy(torch.randn(4, 3), torch.zeros(shape))


@OF_LABELS
@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8, torch.bool, torch.float32])
def test_labels_of_another_type_are_refused(loss, dtype):
    with pytest.raises(UserError, match=r"labels are torch.long, not .*; y.long\(\) makes them so"):
        loss(torch.randn(4, 3), torch.zeros(4, dtype=dtype))


@pytest.mark.parametrize("T", [np.eye(3), torch.eye(2), torch.ones(3)])
def test_what_is_no_matrix_of_the_classes_is_refused(T):
    z, y = torch.randn(4, 3), torch.zeros(4, dtype=torch.long)
    for loss in (losses.forward_corrected, losses.backward_corrected):
        with pytest.raises(UserError, match="the matrix is a tensor .3, 3., as there are 3 classes"):
            loss(z, y, T)
    with pytest.raises(UserError, match="the matrix is a tensor"):
        losses.nll_through(z.softmax(1), T, y)


@pytest.mark.parametrize("kind", [torch.half, torch.bfloat16])
def test_a_small_q_is_cross_entropy_in_half_precision(kind):
    logits, y = torch.randn(9, 4, dtype=kind), torch.arange(9) % 4
    assert torch.equal(losses.lq(logits, y, 1e-9), losses.cross_entropy(logits, y))
