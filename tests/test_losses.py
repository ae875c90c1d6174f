"""Identities and limits of the losses."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from nlcore.losses import cross_entropy, smoothed_cross_entropy
from nlcore.methods import CE, Batch, Clock, HAlpha

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


@given(seeds, st.floats(0, 1), st.sampled_from([(torch.float32, 1e4), (torch.bfloat16, 100.0)]))
def test_finite_for_large_logits(seed, e, kind):
    dtype, scale = kind
    logits, y = case(seed)
    logits = (logits.sign() * scale).to(dtype).requires_grad_()
    for loss in (cross_entropy(logits, y), smoothed_cross_entropy(logits, y, e)):
        (gradient,) = torch.autograd.grad(loss.sum(), logits)
        assert loss.isfinite().all() and gradient.isfinite().all()
