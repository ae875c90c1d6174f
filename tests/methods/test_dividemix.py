"""DivideMix: each part against the paper's formula, written out in double precision; and what it does with labels."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from test_train import SHORT, history
from torch import nn

from nlcore.inputs import UserError
from nlcore.losses import cross_entropy
from nlcore.methods import CE, Batch, Clock, DivideMix, Task, View, dividemix
from nlcore.models import Net
from nlcore.noise import SymmetricExclusive
from nlcore.runs import Budget
from nlcore.training.device import reproducible
from nlcore.training.sources import Resident

NOISY = replace(SHORT, noise=SymmetricExclusive(0.5))
K, B, SHARE = 5, 8, 0.3
seeds = st.integers(0, 2**31 - 1)


# ---- the formulas of the paper, a pair and a class at a time


def softmax(z):
    return np.exp(z) / np.exp(z).sum()


def sharpen(p, T):
    return p ** (1 / T) / sum(c ** (1 / T) for c in p)


def L_X(logits, targets):
    pairs = zip(logits, targets, strict=True)
    return -sum(p[c] * np.log(softmax(z)[c]) for z, p in pairs for c in range(K)) / len(logits)


def L_U(logits, targets):
    """The released code takes the mean over classes, the paper the squared norm: K times as much."""
    return sum(((p - softmax(z)) ** 2).mean() for z, p in zip(logits, targets, strict=True)) / len(logits)


def L_reg(logits):
    mean = sum(softmax(z) for z in logits) / len(logits)
    return sum((1 / K) * np.log((1 / K) / mean[c]) for c in range(K))


def H(logits):
    return -sum(p * np.log(p) for z in logits for p in softmax(z)) / len(logits)


def case(seed: int, n: int = B):
    draw = np.random.default_rng(seed)
    logits, target = 3 * draw.standard_normal((n, K)), draw.dirichlet(np.ones(K), n)
    return logits, target, draw.random(n) < 0.5


@given(seeds)
def test_each_term_is_that_of_the_paper(seed):
    logits, target, labelled = case(seed)
    z, p, mask = (torch.from_numpy(a).double() for a in (logits, target, labelled))
    terms = {dividemix.of_labelled: labelled, dividemix.of_unlabelled: ~labelled}
    for (ours, here), formula in zip(terms.items(), (L_X, L_U), strict=True):
        expected = formula(logits[here], target[here]) if here.any() else 0.0
        assert ours(z, p, mask).item() == pytest.approx(expected, abs=1e-12)
    assert dividemix.to_uniform(z).item() == pytest.approx(L_reg(logits), abs=1e-12)
    assert dividemix.negative_entropy(z).item() == pytest.approx(-H(logits), abs=1e-12)


@given(seeds, st.floats(0.1, 2))
def test_targets_are_those_of_the_paper(seed, temperature):
    draw = np.random.default_rng(seed)
    own, both, w, y = *draw.dirichlet(np.ones(K), (2, B)), draw.random(B), np.eye(K)[draw.integers(K, size=B)]
    found = DivideMix(temperature=temperature).target(*map(torch.from_numpy, (y, w, own, both)))
    for i in range(B):
        target = w[i] * y[i] + (1 - w[i]) * own[i] if w[i] > 0.5 else both[i]
        np.testing.assert_allclose(found[i].numpy(), sharpen(target, temperature), atol=1e-12)


# ---- a whole step


def nets(seed: int) -> Net:
    """Two networks of one layer, at work on twelve pairs of which some have been divided."""
    torch.manual_seed(seed)
    method, net = DivideMix(), Net(nn.Sequential(nn.Flatten(), nn.Linear(4, K)))
    net = method.build(net, Task(K, 12, (1, 2, 2))).double()
    net.w.uniform_()
    return net


def batch_of(seed: int) -> Batch:
    draw = torch.Generator().manual_seed(seed)
    x, x2 = torch.randn(2, B, 1, 2, 2, generator=draw, dtype=torch.double)
    index = torch.randperm(12, generator=draw)[:B]
    return Batch(index, x, torch.randint(K, (B,), generator=draw), x2=x2)


@pytest.fixture
def known_mixture(monkeypatch):
    """The share and the order of every mixture: the first SHARE and the other way round."""
    monkeypatch.setattr(dividemix.Beta, "sample", lambda self: torch.tensor(SHARE))
    monkeypatch.setattr(torch, "rand", lambda n, device=None: torch.arange(n, 0, -1.0))


def predicted(body, x):
    return np.array([softmax(z) for z in body(x).detach().numpy()])


def expected(method, net, batch, step: int, steps: int) -> float:
    """The loss as the paper has it: L_X + lambda_u L_U + L_reg of two networks, one after the other."""
    views, total = (batch.x, batch.x2), 0
    told = [sum(predicted(body, x) for x in views) / 2 for body in (net.body, net.twin)]
    lambda_u = method.lambda_u * min((step - net.begun.item()) / (method.ramp * steps), 1)
    for body, own, w in zip((net.body, net.twin), told, net.w[:, batch.index].numpy(), strict=True):
        labelled = w > 0.5
        refined = [w[i] * np.eye(K)[batch.y[i]] + (1 - w[i]) * own[i] for i in range(B)]
        guessed = sum(told) / 2
        target = np.array([sharpen(refined[i] if labelled[i] else guessed[i], 0.5) for i in range(B)])
        x, target = torch.cat(views).numpy(), np.concatenate([target, target])
        share = max(np.float32(SHARE), 1 - np.float32(SHARE))
        x, target = (share * a + (1 - share) * a[::-1] for a in (x, target))
        logits, labelled = body(torch.from_numpy(x)).detach().numpy(), np.concatenate([labelled, labelled])
        total += L_X(logits[labelled], target[labelled]) if labelled.any() else 0
        total += lambda_u * L_U(logits[~labelled], target[~labelled]) if (~labelled).any() else 0
        total += L_reg(logits)
    return total


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("step", [30, 35, 90])
def test_a_step_is_that_of_the_paper(known_mixture, seed, step):
    method, net, batch = DivideMix(ramp=0.1), nets(seed), batch_of(seed)
    net.begun.fill_(30)
    found = method.loss(net, batch, Clock(torch.tensor(step), 100))
    assert found.item() == pytest.approx(expected(method, net, batch, step, 100), rel=1e-6)


def test_targets_have_no_gradient(known_mixture):
    """A network learns from its prediction of mixed images alone: the slope is that for fixed targets."""
    method, net, batch = DivideMix(), nets(0), batch_of(0)
    net.begun.fill_(0)
    clock, weight = Clock(torch.tensor(50), 100), net.body[1].weight
    (slope,) = torch.autograd.grad(method.loss(net, batch, clock), weight)
    fixed = dividemix.told(net.body, (batch.x, batch.x2)), dividemix.told(net.twin, (batch.x, batch.x2))
    step, moved = torch.zeros_like(weight), []
    step[1, 2] = 1e-5
    for sign in (1, -1):
        with torch.no_grad(), pytest.MonkeyPatch.context() as patch:
            told = iter(fixed)
            patch.setattr(dividemix, "told", lambda body, views, told=told: next(told))
            weight.add_(sign * step)
            moved.append(method.loss(net, batch, clock).item())
            weight.sub_(sign * step)
    assert slope[1, 2].item() == pytest.approx((moved[0] - moved[1]) / 2e-5, rel=1e-4)


@pytest.mark.parametrize("asymmetric", [False, True])
def test_before_the_first_division_it_is_cross_entropy_of_each_network(asymmetric):
    net, batch = nets(1), batch_of(1)
    net.w.fill_(1.0)
    found = DivideMix(asymmetric=asymmetric).loss(net, batch, Clock(torch.tensor(3), 100)).item()
    total = 0
    for body in (net.body, net.twin):
        logits = torch.cat([body(batch.x), body(batch.x2)]).detach()
        penalty = -H(logits.numpy()) if asymmetric else 0
        total += cross_entropy(logits, torch.cat([batch.y] * 2)).mean().item() + penalty
    assert found == pytest.approx(total, rel=1e-9)


def test_what_is_told_leaves_running_averages_alone():
    body = nn.Sequential(nn.Flatten(), nn.Linear(4, K), nn.BatchNorm1d(K))
    before = {name: b.clone() for name, b in body.named_buffers()}
    p = dividemix.told(body, (torch.randn(B, 1, 2, 2),) * 2)
    assert not p.requires_grad and torch.allclose(p.sum(1), torch.ones(B))
    assert all(torch.equal(b, before[name]) for name, b in body.named_buffers())


# ---- the division of pairs


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_the_division_is_that_of_the_released_code(seed):
    draw = np.random.default_rng(seed)
    loss = np.concatenate([draw.exponential(0.3, 60), 3 + draw.standard_normal(40)])
    scaled = ((loss - loss.min()) / (loss.max() - loss.min())).reshape(-1, 1)
    gmm = GaussianMixture(n_components=2, max_iter=10, tol=1e-2, reg_covar=5e-4, random_state=0)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        gmm.fit(scaled)
    expected = gmm.predict_proba(scaled)[:, gmm.means_.argmin()]
    np.testing.assert_allclose(dividemix.divided(torch.from_numpy(loss)).numpy(), expected, atol=1e-6)


def test_small_losses_are_right_and_large_ones_wrong():
    loss = torch.cat([torch.linspace(0, 0.2, 50), torch.linspace(3, 4, 50)])
    assert (dividemix.divided(loss) > 0.5).tolist() == [True] * 50 + [False] * 50


@pytest.mark.parametrize("loss", [[1.0, 1.0, 1.0], [1.0, float("nan"), 2.0], [1.0, float("inf"), 2.0]])
def test_losses_that_cannot_be_told_apart_are_all_of_right_labels(loss):
    assert dividemix.divided(torch.tensor(loss)).tolist() == [1, 1, 1]


def test_each_network_is_told_by_the_other_one():
    net, label = nets(0), torch.zeros(12, dtype=torch.long)
    net.w.fill_(1.0)
    sure, unsure = torch.zeros(12, K), torch.zeros(12, K)
    sure[:6, 0], unsure[6:, 0] = 9.0, 9.0  # of the first six labels, and of the others
    view = View(label, lambda best: None, of=lambda part: sure if part is net.body else unsure)
    clock = Clock(torch.tensor(20), 100, per_epoch=10)
    for clock.epoch, share in ((2, 0.3), (3, 0.3)):
        DivideMix(warm_up=share).on_epoch(net, clock, view)
        assert (net.begun.item(), net.w.min().item() < 0.5) == ((-1, False) if clock.epoch == 2 else (20, True))
    assert (net.w > 0.5).tolist() == [[False] * 6 + [True] * 6, [True] * 6 + [False] * 6]
    clock.step.fill_(30)
    clock.epoch = 4
    DivideMix(warm_up=0.3).on_epoch(net, clock, view)
    assert net.begun == 20  # the ramp goes on


# ---- two views


def first_batch(method, augment: str) -> Batch:
    run = replace(NOISY, method=method, budget=replace(NOISY.budget, augment=augment))
    with reproducible(0, torch.device("cpu")):
        source = Resident.of(run, torch.device("cpu"))
        return source.batch(next(source.batches(0)))


def test_a_second_view_is_made_for_those_that_ask():
    assert first_batch(CE(), "flip_crop").x2 is None
    plain, two = (first_batch(DivideMix(), augment) for augment in ("none", "flip_crop"))
    assert plain.x2 is plain.x
    assert two.x2.shape == two.x.shape and not torch.equal(two.x2, two.x)
    assert torch.equal(two.x, first_batch(CE(), "flip_crop").x)  # the first view is what it was


# ---- training


def test_divided_pairs_are_right_more_often_and_learned_from():
    long = replace(NOISY, budget=Budget(steps=160, lr=3e-3, evaluations=1))
    plain, found = (history(replace(long, method=method))[-1] for method in (CE(), DivideMix(warm_up=0.2)))
    assert found["kept_auc"] > 0.95 and found["kept_precision"] > 0.9  # of all pairs half are right
    assert found["test_accuracy"] > plain["test_accuracy"] + 0.02


@pytest.mark.parametrize(
    "options",
    [{"lambda_u": -1.0}, {"warm_up": 1.0}, {"ramp": 0.0}, {"alpha": 0.0}, {"temperature": 0.0}, {"threshold": 1.0}],
)
def test_bad_parameters_are_refused(options):
    with pytest.raises(UserError):
        DivideMix(**options)
