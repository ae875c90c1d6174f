"""FasTEN and the methods that it is measured against: matrices, corrections, looks ahead."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier
from test_train import fitting, history
from torch import nn

from nlcore.inputs import UserError
from nlcore.losses import cross_entropy, nll_through
from nlcore.methods import (
    CE,
    GLC,
    L2RW,
    METHODS,
    MSLC,
    Batch,
    Clock,
    DeepKNN,
    FasTEN,
    MLaC,
    MLoC,
    MWNet,
    Task,
    TrustedOnly,
    View,
)
from nlcore.methods.deep_knn import voted_on_device
from nlcore.methods.fasten import estimated
from nlcore.methods.meta import looked_ahead
from nlcore.models import Block, Net, build
from nlcore.noise import AsymmetricCifar10, SymmetricInclusive
from nlcore.runs import Budget, Run
from nlcore.training import step

RUN = Run("digits", "conv_small", Budget(300, lr=3e-3, evaluations=3), SymmetricInclusive(0.6), examples=1000)
RUN = replace(RUN, trusted=100, validation=50)
seeds = st.integers(0, 2**31 - 1)


@given(seeds)
def test_a_matrix_is_recovered_from_an_oracle_and_not_transposed(seed):
    """Claim B11: with predictions that are the law itself, T is that law, of classes as they come."""
    T = torch.from_numpy(AsymmetricCifar10(0.4).matrix(10))
    y = torch.cat([torch.arange(10), torch.randint(10, (50,), generator=torch.Generator().manual_seed(seed))])
    found = estimated(T[y], y, 10)
    torch.testing.assert_close(found, T)
    assert not torch.allclose(found, T.T)


def test_an_absent_class_has_the_row_of_the_identity():
    p = torch.full((2, 3), 1 / 3)
    assert torch.equal(estimated(p, torch.tensor([0, 2]), 3)[1], torch.eye(3)[1])


def two_heads(seed: int = 0, **options) -> tuple[FasTEN, Net, Batch]:
    torch.manual_seed(seed)
    method, net = FasTEN(**options), build("mlp1", (1, 8, 8), 10)
    net = method.build(net, Task(10, 32, (1, 8, 8)))
    y = torch.randint(10, (32,))
    net.believed.copy_(y)
    x, trusted = torch.randn(32, 1, 8, 8), torch.randn(20, 1, 8, 8)
    return method, net, Batch(torch.arange(32), x, y, trusted, torch.arange(10).repeat_interleave(2))


def test_t_is_detached():
    """The gradient of the noisy head comes from its own cross entropy alone; without that there is none."""
    for lam, moved in ((0.0, False), (0.5, True)):
        method, net, batch = two_heads(lam=lam)
        method.loss(net, batch, None).backward()
        assert bool((net.noisy.weight.grad is not None) and net.noisy.weight.grad.abs().sum() > 0) is moved


def test_with_the_identity_and_no_correction_it_is_cross_entropy_on_both():
    method, net, batch = two_heads(lam=0.0, correct=False)
    with torch.no_grad():  # a noisy head that is sure of the true class
        net.noisy = nn.Linear(256, 10)
        net.noisy.forward = lambda f: 1e4 * torch.eye(10)[batch.trusted_y] if len(f) == 20 else torch.zeros(len(f), 10)
    both = cross_entropy(net(torch.cat([batch.x, batch.trusted_x])), torch.cat([batch.y, batch.trusted_y])).mean()
    torch.testing.assert_close(method.loss(net, batch, None), both, rtol=1e-4, atol=1e-4)


def test_a_correction_comes_a_visit_later_and_can_be_undone():
    method, net, batch = two_heads()
    given = batch.y.clone()
    sure = given.roll(1)
    net.body[-1].forward = lambda f: 50.0 * torch.eye(10)[sure] if len(f) == 32 else torch.zeros(len(f), 10)
    method.loss(net, batch, None)
    assert torch.equal(net.believed, sure)
    net.body[-1].forward = lambda f: torch.zeros(len(f), 10)
    method.loss(net, batch, None)
    assert torch.equal(net.believed, given)


@pytest.mark.parametrize("immediate", [False, True])
def test_the_loss_is_of_the_labels_believed_before_or_now(immediate):
    method, net, batch = two_heads(lam=0.0, rho=0.0, immediate=immediate)
    with torch.no_grad():
        p, known = net(batch.x).softmax(1), cross_entropy(net(batch.trusted_x), batch.trusted_y)
        T = estimated(net.noisy(net.body[:-1](batch.trusted_x)).softmax(1), batch.trusted_y, 10)
    label = p.argmax(1) if immediate else batch.y
    noisy = -((p @ T)[torch.arange(32), label] + 1e-7).log()
    torch.testing.assert_close(method.loss(net, batch, None), torch.cat([noisy, known]).mean())


def test_perturbed_corrections_are_random():
    method, net, batch = two_heads(rho=0.0, perturb=1.0)
    with torch.no_grad():
        guess = net(batch.x).argmax(1)
    method.loss(net, batch, None)
    assert (net.believed == guess).double().mean() < 0.5


def test_a_noisy_network_of_its_own_shares_nothing():
    """Neither weights nor gradients: each network learns from its own part of the loss."""
    method, net, batch = two_heads(shared=False, correct=False)
    pairs = [*zip(net.body.parameters(), net.noisy.parameters(), strict=True)]
    assert len(pairs) == 4 and not any(torch.equal(a, b) for a, b in pairs)
    method.loss(net, batch, None).backward()
    with torch.no_grad():
        T = estimated(net.noisy(batch.trusted_x).softmax(1), batch.trusted_y, 10)
    clean = torch.cat(
        [nll_through(net(batch.x).softmax(1), T, batch.y), cross_entropy(net(batch.trusted_x), batch.trusted_y)]
    ).mean()
    noisy = method.lam * cross_entropy(net.noisy(batch.x), batch.y).mean()
    for loss, part in ((clean, net.body), (noisy, net.noisy)):
        for found, weight in zip(torch.autograd.grad(loss, [*part.parameters()]), part.parameters(), strict=True):
            torch.testing.assert_close(weight.grad, found)


def test_t_of_clean_data_tends_to_the_identity():
    """Claim B11, end to end."""
    last = history(replace(RUN, method=FasTEN(), noise=SymmetricInclusive(0.0)))[-1]
    assert last["T_diagonal"] > 0.9


def test_fasten_corrects_wrong_labels_and_beats_cross_entropy():
    ours, theirs = (history(replace(RUN, method=m))[-1] for m in (FasTEN(), CE()))
    assert ours["test_accuracy"] > theirs["test_accuracy"] and ours["corrected_wrong"] > 0.5


def test_glc_knows_the_matrix_and_starts_again_from_the_same_weights(monkeypatch):
    seen, original = [], step.optimiser

    def spy(budget, parameters, device):
        seen.append([p.detach().clone() for p in parameters])
        return original(budget, parameters, device)

    monkeypatch.setattr(step, "optimiser", spy)
    rows = history(replace(RUN, method=GLC(), budget=replace(RUN.budget, steps=150)))
    assert all(torch.equal(a, b) for a, b in zip(*seen, strict=True))
    assert rows[-1]["T_error"] < 0.25 and rows[-1]["T_error"] == rows[0]["T_error"]


def test_the_matrix_of_glc_is_the_mean_prediction_by_true_class():
    logits, true = torch.randn(40, 10, dtype=torch.double), torch.arange(40) % 10
    found = GLC().after(None, View(None, None, None, true, lambda: logits))
    T = torch.tensor(found["T"], dtype=torch.double)
    torch.testing.assert_close(T[3], logits[true == 3].softmax(1).mean(0))


def test_trusted_only_does_not_look_at_noisy_labels():
    run = replace(RUN, method=TrustedOnly(), budget=replace(RUN.budget, steps=20))
    ours, other = (history(replace(run, noise=SymmetricInclusive(r)))[-1] for r in (0.0, 0.8))
    assert ours["test_accuracy"] == other["test_accuracy"] and ours["loss"] == other["loss"]


class Line(nn.Module):
    """Two logits of a scalar input: (a x, b x); two weights in all."""

    def __init__(self, a: float, b: float):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, 2, bias=False))
        self.body[0].weight = nn.Parameter(torch.tensor([[a], [b]], dtype=torch.double))

    def forward(self, x):
        return self.body(x)


LINE = Batch(
    torch.arange(3),
    torch.tensor([[1.0], [-2.0], [0.5]], dtype=torch.double),
    torch.tensor([0, 0, 1]),
    torch.tensor([[1.5], [-1.0]], dtype=torch.double),
    torch.tensor([0, 1]),
)


def test_l2rw_weights_are_those_by_hand():
    """With two weights: the gradient of -log p_y is x (p - onehot(y)); a pair weighs the scalar product with
    the trusted one, where that is above 0."""
    net, x, y = Line(0.3, -0.2), LINE.x, LINE.y

    def slope(x, y):
        return x * (net(x).softmax(1) - torch.eye(2, dtype=torch.double)[y])

    u = (slope(x, y) @ slope(LINE.trusted_x, LINE.trusted_y).mean(0)).clamp_min(0).detach()
    method = L2RW()
    net.register_buffer("v", torch.ones(3, dtype=torch.double))
    loss = method.loss(net, LINE, Clock(torch.tensor(0), 10, rate=torch.tensor(0.1, dtype=torch.double)))
    w = u / u.sum()
    assert 0 < (w > 0).sum() < 3
    torch.testing.assert_close(loss, (w * cross_entropy(net(x), y)).sum())
    torch.testing.assert_close(net.v, w / w.max())


@given(seeds)
def test_the_look_ahead_matches_a_finite_difference(seed):
    """In the weights of the pairs, at weights that are not 0."""
    draw = torch.Generator().manual_seed(seed)
    net, rate = Line(*torch.randn(2, generator=draw).tolist()), torch.tensor(0.3, dtype=torch.double)
    v = torch.rand(3, generator=draw, dtype=torch.double).requires_grad_()

    def ahead(v):
        return looked_ahead(net, (v * cross_entropy(net(LINE.x), LINE.y)).sum(), rate, LINE)

    (slope,) = torch.autograd.grad(ahead(v), v)
    for i in range(3):
        step = torch.zeros(3, dtype=torch.double)
        step[i] = 1e-5
        torch.testing.assert_close(slope[i], (ahead(v + step) - ahead(v - step)) / 2e-5, rtol=1e-4, atol=1e-7)


def test_a_look_ahead_leaves_running_averages_alone():
    torch.manual_seed(0)
    net = Net(nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 2)))
    before = net.body[1].running_mean.clone()
    x, y = torch.randn(6, 1, 2, 2), torch.tensor([0, 1, 0, 1, 0, 1])
    batch = Batch(torch.arange(6), x, y, x, y)
    method = L2RW()
    method.build(net, Task(2, 6, (1, 2, 2)))
    method.loss(net, batch, Clock(torch.tensor(0), 10, rate=torch.tensor(0.1)))
    once = Net(nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 2)))
    once(x)
    torch.testing.assert_close(net.body[1].running_mean, once.body[1].running_mean)
    assert not torch.equal(before, net.body[1].running_mean)


def meta(method, **options):
    torch.manual_seed(0)
    method, net = method(**options), Line(0.3, -0.2)
    net.body[0].in_features = 1
    method.build(net, Task(2, 3, (1,)))
    method.on_epoch(net, Clock(torch.tensor(0), 10), View(LINE.y, None))
    net.double()
    return method, net, Clock(torch.tensor(5), 10, rate=torch.tensor(0.3, dtype=torch.double))


@pytest.mark.parametrize("method", [MWNet, MLaC, MSLC])
def test_nets_beside_the_network_move_along_a_finite_difference(method, monkeypatch):
    """The gradient of each is that of the look ahead, on the half of the trusted images that it looks at."""
    method, net, clock = meta(method, **({"warm": 0.0} if method is MSLC else {}))
    kept = net.q.clone() if isinstance(method, MSLC) else None
    torch.manual_seed(1)
    method.loss(net, LINE, clock).backward()
    weight = [*net.meta.parameters()][-1]
    seen = []

    def spy(net, loss, rate, batch):
        seen.append(looked_ahead(net, loss, rate, batch).item())
        raise StopIteration

    monkeypatch.setattr("nlcore.methods.meta.looked_ahead", spy)
    slope = weight.grad.flatten()[0].item()
    assert slope != 0
    for shift in (1e-5, -2e-5):
        with torch.no_grad():
            weight.flatten()[0].add_(shift)
        if kept is not None:
            net.q.copy_(kept)
        torch.manual_seed(1)
        with pytest.raises(StopIteration):
            method.loss(net, LINE, clock)
    assert slope == pytest.approx((seen[0] - seen[1]) / 2e-5, rel=1e-4)


def test_the_gradient_of_the_network_is_that_of_its_own_loss():
    """What the look ahead finds reaches the net beside the network alone."""
    method, net, clock = meta(MWNet)
    method.loss(net, LINE, clock).backward()
    ours = net.body[0].weight.grad.clone()
    net.zero_grad()
    (net.v * cross_entropy(net(LINE.x), LINE.y)).mean().backward()
    torch.testing.assert_close(ours, net.body[0].weight.grad)


def test_while_it_warms_up_mslc_is_cross_entropy_and_its_nets_stand_still():
    method, net, clock = meta(MSLC, warm=1.0)
    before, own = [p.detach().clone() for p in net.meta.parameters()], method.optimiser(net)
    for _ in range(20):
        own.zero_grad()
        loss = method.loss(net, LINE, clock)
        torch.testing.assert_close(loss, cross_entropy(net(LINE.x), LINE.y).mean())
        loss.backward()
        own.step()
    assert all(torch.equal(p, q) for p, q in zip(net.meta.parameters(), before, strict=True))
    torch.testing.assert_close(net.q, net(LINE.x).softmax(1))


def test_mslc_mixes_given_kept_and_predicted_labels():
    """With nets that say a = 1/2 and b = 1/4 for every loss."""
    method, net, clock = meta(MSLC, warm=0.0)
    for m, share in zip(net.meta, (0.5, 0.25), strict=True):
        for p in m.parameters():
            nn.init.zeros_(p)
        nn.init.constant_(m[2].bias, torch.tensor(share).logit().item())
    net.q.copy_(torch.tensor([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6]]))
    p, q, y = net(LINE.x).softmax(1), net.q.clone(), torch.eye(2, dtype=torch.double)[LINE.y]
    loss = method.loss(net, LINE, clock)
    shares = (0.5, 0.125, 0.375)
    hard = [cross_entropy(net(LINE.x), label) for label in (LINE.y, q.argmax(1), p.argmax(1))]
    torch.testing.assert_close(loss, sum(s * h for s, h in zip(shares, hard, strict=True)).mean(), rtol=1e-6, atol=0)
    kept = sum(s * label for s, label in zip(shares, (y, q, p), strict=True))
    torch.testing.assert_close(net.q, kept, rtol=1e-6, atol=1e-7)


def test_both_halves_of_a_trusted_batch_see_every_class(monkeypatch):
    """Also where there is one image of each class a step."""
    method, net, clock = meta(MLaC)
    seen = set()

    def spy(net, loss, rate, batch):
        seen.update(batch.trusted_y.tolist())
        return looked_ahead(net, loss, rate, batch)

    monkeypatch.setattr("nlcore.methods.meta.looked_ahead", spy)
    for _ in range(20):
        method.loss(net, LINE, clock)
    assert seen == {0, 1}


def test_mloc_moves_its_matrix_along_a_finite_difference():
    method, net, exact = MLoC(((0.7, 0.3), (0.2, 0.8)), lr=0.1), Line(0.3, -0.2).float(), Line(0.3, -0.2)
    method.build(net, Task(2, 3, (1,)))
    old, rate = torch.tensor(method.T, dtype=torch.double), torch.tensor(0.3)

    def ahead(T):
        return looked_ahead(exact, nll_through(exact(LINE.x).softmax(1), T, LINE.y).mean(), rate, LINE).item()

    slope = torch.zeros(2, 2, dtype=torch.double)
    for i in range(2):
        for j in range(2):
            step = torch.zeros(2, 2, dtype=torch.double)
            step[i, j] = 1e-5
            slope[i, j] = (ahead(old + step) - ahead(old - step)) / 2e-5
    batch = LINE._replace(x=LINE.x.float(), trusted_x=LINE.trusted_x.float())
    loss = method.loss(net, batch, Clock(torch.tensor(0), 10, rate=rate))
    new = (old - 0.1 * slope).clamp_min(0)
    torch.testing.assert_close(net.T.double(), new / new.sum(1, keepdim=True), rtol=1e-5, atol=1e-6)
    assert (net.T - old).abs().max() > 1e-4 and loss.requires_grad and not net.T.requires_grad


@given(seeds)
def test_with_the_identity_mloc_is_cross_entropy(seed):
    torch.manual_seed(seed)
    logits, y = torch.randn(6, 4, dtype=torch.double), torch.randint(4, (6,))
    ours = nll_through(logits.softmax(1), torch.eye(4, dtype=torch.double), y)
    torch.testing.assert_close(ours, cross_entropy(logits, y), rtol=1e-4, atol=1e-5)


def test_labels_that_their_neighbours_do_not_share_are_left_out():
    true = torch.arange(60) % 3
    label = true.clone()
    label[:6] = (label[:6] + 1) % 3
    logits, trusted = 10.0 * torch.eye(3)[true], 10.0 * torch.eye(3)
    view = View(label, lambda best: logits, None, torch.arange(3), lambda: trusted)
    stage = DeepKNN(k=7).second(DeepKNN(k=7).after(None, view), None)
    assert torch.equal(stage.keep, label == true)
    net = stage.build(Line(0.3, -0.2), Task(2, 60, (1,)))
    batch = LINE._replace(index=torch.tensor([0, 7, 8]))
    losses = cross_entropy(net(torch.cat([LINE.x[1:], LINE.trusted_x])), torch.cat([LINE.y[1:], LINE.trusted_y]))
    torch.testing.assert_close(stage.loss(net, batch, None), losses.mean())


@pytest.mark.parametrize("most", [1, 100, 2**25])
@pytest.mark.parametrize("k", [1, 6, 25])
def test_the_search_on_the_device_finds_what_scikit_learn_finds(k, most):
    """Whatever is held at once; with even k labels tie, and the lowest has it in both."""
    torch.manual_seed(k)
    points, label, asked = 3 * torch.randn(150, 4), torch.randint(4, (150,)), torch.randn(40, 4)
    asked = torch.cat([points, asked])
    expected = KNeighborsClassifier(k).fit(points.numpy(), label.numpy()).predict(asked.numpy())
    assert voted_on_device(points, label, asked, k, most).tolist() == expected.tolist()


def test_more_neighbours_than_images_are_refused():
    nothing = View(torch.zeros(3), lambda best: torch.zeros(3, 2), None, torch.zeros(2), lambda: torch.zeros(2, 2))
    with pytest.raises(UserError, match="k=50 neighbours are more than the 5 images"):
        DeepKNN().after(None, nothing)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_trains_in_half_precision(name):
    run = fitting(replace(RUN, budget=Budget(6, 50, precision="bf16", evaluations=1), trusted=0), METHODS[name]())
    assert history(run)[-1]["loss"] is not None


@pytest.mark.parametrize("name", ["l2rw", "mwnet", "mloc", "mlac", "mslc"])
def test_looking_ahead_goes_through_batch_norm(name):
    """A residual network: every layer is functional, running averages move once a step and batch."""
    torch.manual_seed(0)
    net = Net(nn.Sequential(Block(1, 4, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10)))
    method = METHODS[name]()
    if name == "mloc":
        method = replace(method, T=tuple(tuple(float(i == j) for j in range(10)) for i in range(10)))
    net = method.build(net, Task(10, 20, (1, 8, 8)))
    batch = Batch(torch.arange(20), torch.randn(20, 1, 8, 8), torch.arange(20) % 10, torch.randn(20, 1, 8, 8))
    batch = batch._replace(trusted_y=torch.arange(10).repeat_interleave(2))
    clock = Clock(torch.tensor(5), 10, rate=torch.tensor(0.1))
    method.loss(net, batch, clock).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
    assert net.body[0].body[1].num_batches_tracked == (2 if name == "mlac" else 1)


@pytest.mark.parametrize(
    "make",
    [lambda: FasTEN(lam=-1), lambda: FasTEN(rho=2), lambda: MWNet(lr=0), lambda: MLoC(lr=-1), lambda: DeepKNN(0)],
)
def test_bad_parameters_are_refused(make):
    with pytest.raises(UserError):
        make()
