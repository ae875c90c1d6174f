"""Methods of the field against the formulas of their papers and of the authors' code, written out pair by pair."""

import math
from itertools import permutations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_losses import K, case, seeds
from torch.distributions import Beta

from nlcore.inputs import UserError
from nlcore.losses import cross_entropy
from nlcore.methods import CE, ELR, GCE, SOP, ActivePassive, Batch, Clock, Mixup, Peer, SymmetricCE, Task, VolMinNet
from nlcore.methods.volminnet import log_abs_det
from nlcore.noise import PairFlip

B, M = 16, 24
CLOCK = Clock(torch.zeros(()), 1)
EXACT = {"rtol": 1e-9, "atol": 1e-9}


def built(method):
    return method.build(torch.nn.Identity(), Task(K, M, (1, 1, 1))).double()


def batch_of(seed: int, scale: float = 2.0) -> Batch:
    """Logits in place of images, for some of the M pairs in any order."""
    logits, y = case(seed, scale, B)
    index = torch.randperm(M, generator=torch.Generator().manual_seed(seed))[:B]
    return Batch(index.int(), logits.requires_grad_(), y)


def same(method, batch: Batch, theirs, net=None, **tolerance) -> None:
    """The loss of a method and its gradient by the logits are those of `theirs`, which has logits and labels."""
    ours, expected = method.loss(net or built(method), batch, CLOCK), theirs(batch.x, batch.y.tolist())
    torch.testing.assert_close(ours, expected, **(EXACT | tolerance))
    slopes = [torch.autograd.grad(loss, batch.x)[0] for loss in (ours, expected)]
    torch.testing.assert_close(*slopes, **(EXACT | tolerance))


def probabilities(z):
    e = (z - z.max()).exp()
    return e / e.sum()


def onehot(y: int):
    return torch.tensor([float(k == y) for k in range(K)], dtype=torch.double)


def mean(values):
    return sum(values) / len(values)


@given(seeds, st.floats(0, 6), st.floats(0, 6))
def test_symmetric_cross_entropy_is_the_released_one(seed, alpha, beta):
    def theirs(z, y):
        found = []
        for p, label in zip(map(probabilities, z), map(onehot, y), strict=True):
            forward = -(label * p.clamp(1e-7, 1).log()).sum()
            found.append(alpha * forward - beta * (p * label.clamp(1e-4, 1).log()).sum())
        return mean(found)

    same(SymmetricCE(alpha, beta, A=math.log(1e-4)), batch_of(seed, scale=1.0), theirs)


@given(seeds)
def test_symmetric_cross_entropy_at_its_limits(seed):
    batch = batch_of(seed)
    loss = {m: m.loss(built(m), batch, CLOCK) for m in (SymmetricCE(1.0, 0.0), CE(), SymmetricCE(0.0, 0.25), GCE(1.0))}
    first, ce, second, unhinged = loss.values()
    torch.testing.assert_close(first, ce)
    torch.testing.assert_close(second, unhinged)


@given(seeds, st.sampled_from(["rce", "mae"]), st.floats(0, 10), st.floats(0, 10))
def test_active_passive_losses_are_the_released_ones(seed, passive, alpha, beta):
    def theirs(z, y):
        found = []
        for p, label in zip(map(probabilities, z), y, strict=True):
            active = p[label].log() / sum(p[k].log() for k in range(K))
            reverse = -sum(p[k] * math.log(1e-4) for k in range(K) if k != label)
            found.append(alpha * active + beta * (reverse if passive == "rce" else 1 - p[label]))
        return mean(found)

    same(ActivePassive(alpha, beta, passive), batch_of(seed), theirs)


@given(seeds)
def test_the_active_loss_sums_to_1_over_labels_and_the_passive_ones_to_a_constant(seed):
    """So each is robust to symmetric noise by itself (Ghosh et al. 2017)."""
    logits, _ = case(seed, 2.0, B)
    for method, total in ((ActivePassive(beta=0.0), 1), (ActivePassive(alpha=0.0, passive="mae"), K - 1)):
        losses = [method.loss(built(method), Batch(None, logits, torch.full((B,), k)), None) for k in range(K)]
        assert sum(losses).item() == pytest.approx(total)


@given(seeds, st.floats(0, 2), st.floats(1e-6, 1e-2))
def test_peer_loss_is_the_released_one(seed, alpha, eps):
    torch.manual_seed(seed)
    order = torch.rand(B).argsort().tolist()

    def theirs(z, y):
        p = [probabilities(row) for row in z]
        own = mean([-(p[i][y[i]] + eps).log() for i in range(B)])
        return own - alpha * mean([-(p[i][y[order[i]]] + eps).log() for i in range(B)])

    torch.manual_seed(seed)
    same(Peer(alpha, eps), batch_of(seed), theirs)


def test_peers_are_in_every_order_and_are_worth_what_labels_are_worth_without_images():
    logits, y = torch.randn(3, K, dtype=torch.double), torch.tensor([1, 2, 3])
    losses = -(logits.softmax(1) + 1e-5).log()
    orders = {sum(losses[i, y[j]].item() for i, j in enumerate(order)) / 3 for order in permutations(range(3))}
    own, method = losses[range(3), y].mean().item(), Peer()
    found = {round(own - method.loss(built(method), Batch(None, logits, y), None).item(), 9) for _ in range(100)}
    assert found == {round(peer, 9) for peer in orders}
    same_label = Batch(None, logits, torch.full((3,), 4))
    assert method.loss(built(method), same_label, None).item() == pytest.approx(0)  # it says nothing of the images


@given(seeds)
def test_without_peers_it_is_cross_entropy(seed):
    batch = batch_of(seed)
    torch.testing.assert_close(
        Peer(0.0, 1e-12).loss(built(Peer()), batch, CLOCK), cross_entropy(batch.x, batch.y).mean()
    )


@given(seeds, st.floats(0, 0.99), st.floats(0, 7), st.sampled_from([2.0, 8.0]))
def test_early_learning_regularisation_is_the_released_one_at_every_visit(seed, beta, lam, scale):
    method, remembered = ELR(beta, lam), {}
    net = built(method)
    for visit in range(3):
        batch = batch_of(seed + visit, scale)
        index = batch.index.tolist()

        def theirs(z, y, index=index):
            found = []
            for i, row, label in zip(index, z, y, strict=True):
                p = probabilities(row).clamp(1e-4, 1 - 1e-4)
                seen = p.detach() / p.detach().sum()
                remembered[i] = beta * remembered.get(i, torch.zeros(K)) + (1 - beta) * seen
                ce = -(row - row.logsumexp(0))[label]
                found.append(ce + lam * (1 - (remembered[i] * p).sum()).log())
            return mean(found)

        same(method, batch, theirs, net)
        expected = torch.stack([remembered.get(i, torch.zeros(K)).double() for i in range(M)])
        torch.testing.assert_close(net.target, expected)


@given(seeds)
def test_without_the_regulariser_it_is_cross_entropy(seed):
    batch = batch_of(seed)
    torch.testing.assert_close(ELR(lam=0.0).loss(built(ELR()), batch, CLOCK), cross_entropy(batch.x, batch.y).mean())


def noise_explained(z, y, u, v):
    """SOP as its authors have it; u and v are those of the pairs in the batch."""
    found = []
    for row, label, own_u, own_v in zip(z, map(onehot, y), u, v, strict=True):
        added, removed = (own_u**2 * label).clamp(0, 1), (own_v**2 * (1 - label)).clamp(0, 1)
        p = (probabilities(row) + added - removed.detach()).clamp(min=1e-4)
        p = (p / max(p.sum(), 1e-4)).clamp(1e-4, 1)
        squares = (onehot(row.argmax().item()) + added - removed - label) ** 2
        found.append(-(label * p.log()).sum() + squares.sum())
    return mean(found)


@given(seeds, st.floats(0, 10), st.floats(0, 100), st.sampled_from([0.1, 0.7, 1.5]))
def test_sparse_over_parameterisation_is_the_released_one(seed, lr_u, lr_v, size):
    """Its loss, and the step of gradient descent on the parameters of the pairs in the batch and of no others."""
    method, batch = SOP(lr_u, lr_v), batch_of(seed)
    net, i = built(method), batch.index.long()
    draw = torch.Generator().manual_seed(seed)
    for parameters in (net.u, net.v):
        parameters.copy_(size * torch.randn(parameters.shape, generator=draw))
    before = [net.u.clone().requires_grad_(), net.v.clone().requires_grad_()]
    same(method, batch, lambda z, y: noise_explained(z, y, *(p.detach()[i] for p in before)), net)
    noise_explained(batch.x, batch.y.tolist(), *(p[i] for p in before)).backward()
    for old, rate, new in zip(before, (lr_u, lr_v), (net.u, net.v), strict=True):
        torch.testing.assert_close(new, old.detach() - rate * old.grad, **EXACT)
        others = torch.ones(M, dtype=torch.bool).index_fill(0, i, False)
        assert torch.equal(new[others], old[others])


@given(seeds)
def test_without_noise_to_explain_the_slope_is_that_of_cross_entropy(seed):
    batch = batch_of(seed, scale=1.0)
    net = built(SOP())
    assert 0 < net.u.abs().max() < 1e-7 and 0 < net.v.abs().max() < 1e-7
    losses = SOP().loss(net, batch, CLOCK), cross_entropy(batch.x, batch.y).mean()
    torch.testing.assert_close(*(torch.autograd.grad(loss, batch.x)[0] for loss in losses))


@given(seeds, st.floats(0, 1), st.sampled_from([0.5, 2.0, 4.5]))
def test_volminnet_is_the_released_one(seed, lam, init):
    method, batch = VolMinNet(lam, init), batch_of(seed)
    net = built(method)
    assert net.w.unique().item() == -init
    net.w.data += 0.5 * torch.randn(K, K, generator=torch.Generator().manual_seed(seed))

    def theirs(z, y):
        rows = []
        for i in range(K):
            row = torch.stack([1 + 0 * net.w[i, j] if i == j else 1 / (1 + (-net.w[i, j]).exp()) for j in range(K)])
            rows.append(row / row.sum())
        T = torch.stack(rows)
        noisy = [sum(p[i] * T[i, label] for i in range(K)) for p, label in zip(map(probabilities, z), y, strict=True)]
        return mean([-n.log() for n in noisy]) + lam * T.slogdet().logabsdet

    same(method, batch, theirs, net)
    losses = method.loss(net, batch, CLOCK), theirs(batch.x, batch.y.tolist())
    torch.testing.assert_close(*(torch.autograd.grad(loss, net.w)[0] for loss in losses), **EXACT)


@given(seeds, st.integers(1, 20))
def test_the_determinant_and_its_slope_are_those_of_torch(seed, size):
    T = torch.randn(size, size, generator=torch.Generator().manual_seed(seed), dtype=torch.double).requires_grad_()
    if torch.linalg.cond(T) < 1e4:
        ours, theirs = log_abs_det(T), T.slogdet().logabsdet
        torch.testing.assert_close(ours, theirs)
        torch.testing.assert_close(*(torch.autograd.grad(value, T)[0] for value in (ours, theirs)))


def test_volminnet_finds_the_matrix_of_images_whose_class_is_sure_and_not_its_transpose():
    law = torch.from_numpy(PairFlip(0.3).matrix(K))
    true = torch.arange(1000) % K
    given_labels = torch.multinomial(law[true], 1, generator=torch.Generator().manual_seed(0))[:, 0]
    method = VolMinNet(lr=0.1)
    net = method.build(torch.nn.Identity(), Task(K, 1000, (1, 1, 1)))
    opt = method.optimiser(net)
    for _ in range(150):
        opt.zero_grad()
        method.loss(net, Batch(None, 30 * torch.eye(K)[true], given_labels), CLOCK).backward()
        opt.step()
    assert (method.transition(net) - law).abs().max() < 0.12  # of 100 images a class
    assert (method.transition(net).T - law).abs().max() > 0.2


@given(seeds, st.floats(0.1, 8))
def test_mixup_is_cross_entropy_against_mixed_labels_on_mixed_images(seed, alpha):
    method, net = Mixup(alpha), torch.nn.Linear(5, K).double()
    x, y = torch.randn(B, 5, dtype=torch.double), torch.randint(K, (B,))
    torch.manual_seed(seed)
    share, order = Beta(alpha, alpha).sample().item(), torch.rand(B).argsort().tolist()
    torch.manual_seed(seed)
    ours, theirs = method.loss(net, Batch(None, x, y), CLOCK), []
    for i, j in enumerate(order):
        p = probabilities(net(share * x[i] + (1 - share) * x[j]))
        label = share * onehot(y[i]) + (1 - share) * onehot(y[j])
        theirs.append(-(label * p.log()).sum())
    torch.testing.assert_close(ours, mean(theirs), rtol=1e-6, atol=1e-6)  # the share is in single precision
    slopes = [torch.autograd.grad(loss, net.weight)[0] for loss in (ours, mean(theirs))]
    torch.testing.assert_close(*slopes, rtol=1e-6, atol=1e-6)


def test_mixup_of_an_image_with_itself_is_cross_entropy():
    x, y, method = torch.randn(1, K, dtype=torch.double), torch.tensor([3]), Mixup()
    torch.testing.assert_close(method.loss(built(method), Batch(None, x, y), CLOCK), cross_entropy(x, y).mean())


def test_single_precision_has_shares_of_the_smallest_alpha_that_is_allowed():
    """Of a much smaller one half of all shares would be 1/2."""
    alpha = torch.full((4000,), 0.1)
    torch.manual_seed(0)
    shares = Beta(alpha, alpha, validate_args=False).sample()
    assert shares.mean().item() == pytest.approx(0.5, abs=0.03)
    assert shares.var().item() == pytest.approx(1 / (4 * (2 * 0.1 + 1)), rel=0.05)


@pytest.mark.parametrize("scale", [1e4, -1e4])
def test_finite_for_large_logits(scale):
    y = torch.arange(B) % K
    for method in (SymmetricCE(), ActivePassive(), ActivePassive(passive="mae"), Peer(), ELR(), SOP(), VolMinNet()):
        logits = (scale * torch.eye(K)[y]).requires_grad_()
        net = method.build(torch.nn.Identity(), Task(K, M, (1, 1, 1)))
        loss = method.loss(net, Batch(torch.arange(B), logits, y), CLOCK)
        (slope,) = torch.autograd.grad(loss, logits)
        assert loss.isfinite() and slope.isfinite().all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: SymmetricCE(A=0.0),
        lambda: SymmetricCE(alpha=-1.0),
        lambda: ActivePassive(passive="ce"),
        lambda: ActivePassive(A=1.0),
        lambda: ActivePassive(beta=-1.0),
        lambda: Peer(alpha=-0.1),
        lambda: Peer(eps=0.0),
        lambda: ELR(beta=1.0),
        lambda: ELR(lam=-1.0),
        lambda: SOP(lr_u=-1.0),
        lambda: VolMinNet(lam=-1.0),
        lambda: VolMinNet(init=21.0),
        lambda: VolMinNet(lr=0.0),
        lambda: Mixup(alpha=0.05),
    ],
)
def test_bad_parameters_are_refused(make):
    with pytest.raises(UserError):
        make()
