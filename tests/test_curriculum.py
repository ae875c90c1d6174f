"""Curricula and the mentor that imitates them (claims E1, E2, E11)."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_train import SHORT, history

from nlcore.inputs import UserError
from nlcore.losses import cross_entropy
from nlcore.methods import CE, Batch, Clock, Curriculum, Task
from nlcore.methods.curriculum import CURRICULA, focal, hard_negative, linear, pd, self_paced
from nlcore.methods.mentor import Mentor, examples, imitate

seeds = st.integers(0, 2**31 - 1)
GRID = torch.linspace(0, 1, 1001, dtype=torch.double)


@given(st.floats(0, 10), st.floats(0, 10), st.floats(0.1, 5))
def test_v_minimises_v_l_plus_g(loss, limit, gamma):
    """Claim E2: by a grid over v."""
    loss_, d = torch.tensor(loss, dtype=torch.double), torch.tensor(loss - limit, dtype=torch.double)
    if abs(loss - limit) > 1e-6:
        best = GRID[(GRID * loss_ - limit * GRID).argmin()]
        assert self_paced(loss_, d, None) == best
    best = GRID[(GRID * loss_ + gamma * GRID**2 / 2 - (limit + gamma) * GRID).argmin()]
    assert linear(loss_, d, None, gamma).item() == pytest.approx(best.item(), abs=1e-3)


def test_the_other_closed_forms():
    loss_, d = torch.tensor([0.0, 0.5, 3.0]), torch.tensor([-1.0, 0.0, 1.0])
    assert hard_negative(loss_, d, None).tolist() == [0, 1, 1]
    torch.testing.assert_close(focal(loss_, d, None), (1 - torch.tensor([1.0, 0.60653066, 0.04978707])) ** 2)


def test_the_schedule_of_pd():
    loss_, d = torch.ones(3), torch.tensor([-0.5, 0.5, 2.0])
    for percent, expected in ((0, [1, 1, 1]), (18, [1, 1, 1]), (19, [1, 0, 0]), (89, [1, 0, 0]), (90, [1, 0.5, 0])):
        assert pd(loss_, d, torch.tensor(percent)).tolist() == expected


def weighed(method: Curriculum, losses: torch.Tensor, step: int = 0, steps: int = 100, net=None):
    net = method.build(torch.nn.Identity(), Task(10, len(losses), (1, 1, 1))) if net is None else net
    batch = Batch(torch.arange(len(losses)), None, torch.zeros(len(losses), dtype=torch.long))
    return method.weigh(net, losses, batch, Clock(torch.tensor(step), steps)), net


def test_the_percentile_moves_as_written():
    """From 0 as released; with the correction it is right from the first batch."""
    method, losses = Curriculum(decay=0.9, burn_in=0.0), torch.full((8,), 2.0)
    net = None
    for step in range(3):
        _, net = weighed(method, losses, step, net=net)
    assert net.percentile.item() == pytest.approx(2 * (1 - 0.9**3))
    half = Curriculum(p=0.5, burn_in=0.0)
    plain, corrected = (weighed(replace(half, corrected=c), 2 + torch.arange(8.0))[0] for c in (False, True))
    assert plain.tolist() == [0] * 8 and corrected.tolist() == [1] * 4 + [0] * 4


@given(seeds, st.sampled_from([k for k in CURRICULA]), st.integers(20, 99))
def test_permuting_the_batch_permutes_v(seed, kind, step):
    """Claim E11: a pair's weight depends on the others through the percentile alone."""
    draw = torch.Generator().manual_seed(seed)
    losses, order = torch.rand(16, generator=draw) * 5, torch.randperm(16, generator=draw)
    method = Curriculum(kind, decay=0.5, burn_in=0.2)
    torch.testing.assert_close(weighed(method, losses, step)[0][order], weighed(method, losses[order], step)[0])


def test_burn_in_draws_weights_and_ends():
    torch.manual_seed(0)
    early, late = (weighed(Curriculum("uniform", keep=0.3), torch.rand(4000), step)[0] for step in (19, 20))
    assert set(early.tolist()) == {0.0, 1.0} and early.mean().item() == pytest.approx(0.3, abs=0.03)
    assert (late == 1).all()


def test_v_is_detached_and_a_batch_without_weight_moves_nothing():
    method, y = Curriculum(burn_in=0.0, corrected=True, p=0.5), torch.zeros(4, dtype=torch.long)
    net = method.build(torch.nn.Identity(), Task(10, 4, (1, 1, 1)))
    logits = torch.randn(4, 10, generator=torch.Generator().manual_seed(0), requires_grad=True)
    loss = method.loss(net, Batch(torch.arange(4), logits, y), Clock(torch.tensor(0), 10))
    (slope,) = torch.autograd.grad(loss, logits)
    (plain,) = torch.autograd.grad(cross_entropy(logits, y).sum(), logits)
    torch.testing.assert_close(slope, net.v[:, None] * plain / 4)
    assert 0 < net.v.sum() < 4
    never = Curriculum(burn_in=0.0)  # the percentile starts at 0, so nothing counts
    never.build(net := torch.nn.Identity(), Task(10, 4, (1, 1, 1)))
    loss = never.loss(net, Batch(torch.arange(4), logits, y), Clock(torch.tensor(0), 10))
    (slope,) = torch.autograd.grad(loss, logits)
    assert net.v.sum() == 0 and loss == 0 and (slope == 0).all()


def test_the_curriculum_that_takes_all_is_cross_entropy():
    rows = history(replace(SHORT, method=Curriculum("uniform", burn_in=0.0)))
    assert [{k: v for k, v in row.items() if not k.startswith(("kept", "weighed"))} for row in rows] == history(
        replace(SHORT, method=CE())
    )


def test_a_mentor_learns_a_curriculum():
    """Claim E1: mean squared error below 0.01, and weights of 0 or 1 told apart in more than 97 of 100 pairs."""
    mentor, error = imitate("pd", "released", steps=800)
    assert error < 0.01
    z, percent = examples(5000, mentor.steps)
    v = pd(z[:, -1, 0], z[:, -1, 1], percent)
    right = (mentor(z, torch.zeros_like(percent), percent) > 0) == (v > 0.5)
    assert right[(v == 0) | (v == 1)].double().mean() > 0.97


def test_permuting_pairs_permutes_what_the_mentor_says():
    """Claim E11: the LSTM runs along time, not along the batch."""
    draw = torch.Generator().manual_seed(0)
    mentor = Mentor("paper")
    z, percent = examples(8, mentor.steps)
    label, order = torch.zeros_like(percent), torch.randperm(8, generator=draw)
    torch.testing.assert_close(mentor(z, label, percent)[order], mentor(z[order], label[order], percent[order]))
    alone = torch.cat([mentor(z[i : i + 1], label[i : i + 1], percent[i : i + 1]) for i in range(8)])
    assert not torch.allclose(mentor(z.flip(1), label, percent), alone)  # and minds the order in time
    torch.testing.assert_close(mentor(z, label, percent), alone)


@pytest.mark.parametrize("make", [lambda: Curriculum("selfpaced"), lambda: Curriculum(p=2.0), lambda: Mentor("new")])
def test_bad_parameters_are_refused(make):
    with pytest.raises(UserError):
        make()
