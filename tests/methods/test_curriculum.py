"""Curricula and the mentor that imitates them (claims E1, E2, E11)."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_train import SHORT, history

from nlcore import data
from nlcore.inputs import UserError
from nlcore.losses import cross_entropy
from nlcore.methods import CE, Batch, Clock, Curriculum, Forgetting, MentorNet, Task
from nlcore.methods.curriculum import CURRICULA, focal, hard_negative, linear, pd, self_paced
from nlcore.methods.mentor import Mentor, examples, imitate
from nlcore.models import build
from nlcore.noise import SymmetricInclusive
from nlcore.runs import Budget, Run
from nlcore.training import train

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
    method, y = Curriculum("linear", burn_in=0.0, corrected=True, p=0.5), torch.zeros(4, dtype=torch.long)
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
    assert imitate("pd", "paper")[1] < 0.01  # as golden runs have them: a process learns each once
    mentor, error = imitate("pd", "released")
    assert error < 0.01
    z, percent = examples(5000, mentor.steps)
    v = pd(z[:, -1, 0], z[:, -1, 1], percent)
    right = (mentor(z, torch.zeros_like(percent), percent) > 0) == (v > 0.5)
    assert right[(v == 0) | (v == 1)].double().mean() > 0.97


def test_imitating_a_curriculum_leaves_every_generator_as_it_was(monkeypatch):
    """Or the first run of a process would go on with a GPU that was seeded here, and the next ones would not."""
    seeded = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    before = torch.get_rng_state()
    imitate.__wrapped__("pd", seed=3, steps=1)  # not what the cache has
    assert not seeded and torch.equal(torch.get_rng_state(), before)
    with torch.random.fork_rng([]):
        torch.manual_seed(3)
    assert seeded == [3]  # what is looked at here is what torch calls


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


def test_the_curvature_of_the_linear_curriculum():
    losses = torch.tensor([0.0, 1.0, 2.0, 3.0])
    flat = weighed(Curriculum("linear", p=0.0, burn_in=0.0, decay=0.0, lambda_2=2.0), losses, 30)[0]
    assert flat.tolist() == [1.0, 0.5, 0.0, 0.0]


@pytest.mark.parametrize("method", [Curriculum("focal"), Curriculum("linear"), MentorNet("pd")])
def test_a_run_that_diverges_under_a_curriculum_is_a_record(method):
    budget = Budget(60, optimiser="sgd", lr=1e30, evaluations=3)
    assert train.train(replace(SHORT, method=method, budget=budget), "cpu").diverged


def test_a_mentor_moves_between_data_sets_of_other_sizes(tmp_path):
    draw = np.random.default_rng(0)
    arrays = {"images": draw.integers(0, 256, (200, 12, 12, 3), dtype=np.uint8), "labels": np.arange(200) % 4}
    np.savez(tmp_path / "own.npz", **{f"{s}_{k}": v for s in ("train", "test") for k, v in arrays.items()})
    budget = Budget(40, evaluations=2)
    method = MentorNet("data", source=data.pin(str(tmp_path / "own.npz")))
    run = Run("digits", "mlp1", budget, SymmetricInclusive(0.4), method, examples=150, trusted=40)
    assert "first_test_accuracy" in history(run)[-1]


@settings(max_examples=15)
@given(seeds)
def test_an_explicit_step_is_the_closed_form_or_goes_there(seed):
    """One step of 1 / lambda_2 minimises a quadratic; steps along a constant slope end at 0 or 1."""
    losses = torch.rand(16, generator=torch.Generator().manual_seed(seed)) * 4
    closed = weighed(Curriculum("linear", burn_in=0.0, decay=0.0), losses, 30)[0]
    torch.testing.assert_close(
        weighed(Curriculum("linear", burn_in=0.0, decay=0.0, explicit=1.0), losses, 30)[0], closed
    )
    method, net = Curriculum(burn_in=0.0, decay=0.0, explicit=0.5), None
    for _ in range(200):
        v, net = weighed(method, losses, 30, net=net)
    apart = (losses - losses.quantile(0.75)).abs() > 0.02
    closed = weighed(Curriculum(burn_in=0.0, decay=0.0), losses, 30)[0]
    torch.testing.assert_close(v[apart], closed[apart])


def test_some_pairs_are_left_out_at_random_but_remembered_as_weighed():
    torch.manual_seed(0)
    v, net = weighed(Curriculum("uniform", burn_in=0.0, drop=0.3), torch.rand(4000), 30)
    assert 1 - v.mean().item() == pytest.approx(0.3, abs=0.03) and (net.v == 1).all()


NOISY = Run(
    "digits", "conv_small", Budget(300, lr=3e-3, evaluations=4), SymmetricInclusive(0.4), examples=800, validation=80
)


def test_a_mentor_learns_from_trusted_pairs_to_tell_wrong_labels():
    ours, theirs = (
        history(replace(NOISY, method=m, trusted=t))[-1] for m, t in ((MentorNet("data", p=0.6), 80), (CE(), 0))
    )
    assert ours["kept_auc"] > 0.9 and ours["test_accuracy"] > theirs["test_accuracy"]


@pytest.mark.parametrize("form", ["paper", "released"])
def test_a_data_driven_mentor_waits_for_its_first_update(form):
    run = replace(NOISY, budget=replace(NOISY.budget, evaluations=10, steps=100), trusted=80)
    rows = history(replace(run, method=MentorNet("data", form=form, burn_in=0.1, updates=(0.5,))))
    assert all(row["kept"] == 1 for row in rows[2:4])  # between the burn-in and the update all pairs count
    assert all(row["kept"] < 1 for row in rows[6:])


def test_a_mentor_that_moves_stays_as_it_is():
    mentor = Mentor()
    method = MentorNet("data").led_by(mentor)
    net = method.build(build("mlp1", (1, 8, 8), 10), Task(10, 4, (1, 8, 8)))
    assert method.trust == "" and method.first is None and not any(p.requires_grad for p in net.mentor.parameters())
    method.on_epoch(net, Clock(torch.tensor(50), 100, 1, 50), None)  # looks at nothing
    assert all(
        torch.equal(a, b) for a, b in zip(mentor.state_dict().values(), net.mentor.state_dict().values(), strict=True)
    )
    moved = replace(NOISY, method=MentorNet("data", source="digits"), trusted=80)
    assert moved.method.first.method.updates == (0.21,) and "first_test_accuracy" in history(moved)[-1]


def test_the_released_mentor_sees_no_label_and_a_taught_one_no_time():
    """Claim E11: nothing leaks through the label, and look-ups are where they should be."""
    torch.manual_seed(0)
    z, percent = examples(16, 1)
    label, mentor = torch.arange(16) % 10, Mentor("released", 10)
    assert torch.equal(mentor(z, label, percent), mentor(z, label * 0, percent))
    assert not torch.equal(mentor(z, label, percent), mentor(z, label, 99 - percent))
    mentor.at.fill_(21)
    assert torch.equal(mentor(z, label, percent), mentor(z, label, 99 - percent))
    z, percent = examples(16, 5)
    paper = Mentor("paper", 10)
    assert not torch.equal(paper(z, label, percent), paper(z, label * 0, percent))


def test_history_is_kept_by_pair_and_oldest_first():
    method = MentorNet("data", form="paper", burn_in=0.0, decay=0.0)
    net = method.build(build("mlp1", (1, 8, 8), 10), Task(10, 3, (1, 8, 8)))
    for step, loss in enumerate((1.0, 2.0)):
        batch = Batch(torch.tensor([2, 0]), None, torch.zeros(2, dtype=torch.long))
        method.weigh(net, torch.tensor([loss, 3.0]), batch, Clock(torch.tensor(step), 10))
    assert net.z[2, :, 0].tolist() == [1, 1, 1, 1, 2] and net.z[0, :, 0].tolist() == [3] * 5 and net.z[1].isnan().all()


def test_dropout_goes_before_the_last_layer():
    net = Forgetting(0.3).build(build("mlp2", (1, 8, 8), 10), None)
    kinds = [type(m).__name__ for m in net.body]
    assert kinds[-2:] == ["Dropout", "Linear"] and net.body[-2].p == 0.3
    short = replace(SHORT, method=Forgetting(0.0))
    assert history(short) == history(replace(SHORT, method=CE()))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Curriculum("selfpaced"),
        lambda: Curriculum(p=2.0),
        lambda: Curriculum("focal", explicit=0.5),
        lambda: Mentor("new"),
        lambda: MentorNet("date"),
        lambda: MentorNet(updates=(1.5,)),
        lambda: MentorNet("pd", source="mnist"),
        lambda: Forgetting(1.0),
    ],
)
def test_bad_parameters_are_refused(make):
    with pytest.raises(UserError):
        make()
