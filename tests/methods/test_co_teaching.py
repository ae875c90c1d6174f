"""Small losses: how many are kept, by whom they are chosen, and what two networks that learn from each other are."""

import copy
from dataclasses import replace

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from test_train import SHORT, history

from nlcore.inputs import UserError
from nlcore.losses import cross_entropy
from nlcore.methods import CE, Batch, Clock, CoTeaching, SmallLoss, Task
from nlcore.methods.co_teaching import smallest
from nlcore.methods.twins import started_again
from nlcore.models import build
from nlcore.noise import SymmetricExclusive
from nlcore.runs import Budget
from nlcore.training import train

NOISY = replace(SHORT, noise=SymmetricExclusive(0.4), budget=Budget(steps=120, evaluations=4))
seeds, rates = st.integers(0, 2**31 - 1), st.floats(0, 0.99)


def case(seed: int, B: int = 32):
    draw = torch.Generator().manual_seed(seed)
    one, two = 5 * torch.randn(2, B, 10, generator=draw, dtype=torch.double)
    return one.requires_grad_(), two.requires_grad_(), torch.randint(10, (B,), generator=draw)


class Said(torch.nn.Module):
    """Two networks that put out what was given to them, each its own."""

    def __init__(self, one, two, M: int):
        super().__init__()
        self.one, self.twin = one, lambda x: two
        self.register_buffer("v", torch.ones(M))

    def forward(self, x):
        return self.one


def loss_of(method, one, two, y, step=100, steps=100):
    i = torch.arange(len(y))
    return method.loss(Said(one, two, len(y)), Batch(i, i, y), Clock(torch.tensor(step), steps))


def released(y_1, y_2, t, forget_rate):
    """loss_coteaching of the authors' code, its second division by num_remember left out, and the least bit by which a
    whole number can come out too small."""
    loss_1, loss_2 = (-torch.log_softmax(y, 1)[torch.arange(len(t)), t] for y in (y_1, y_2))
    num_remember = int((1 - forget_rate) * len(t) + 1e-9)
    ind_1_update, ind_2_update = loss_1.argsort()[:num_remember], loss_2.argsort()[:num_remember]
    loss_1_update, loss_2_update = loss_1[ind_2_update].mean(), loss_2[ind_1_update].mean()
    return loss_1_update, loss_2_update


@given(seeds, st.floats(0, 0.95), st.integers(0, 20))
@example(seed=0, tau=2.220446049250313e-16, step=3)
def test_loss_and_gradients_are_those_of_the_released_code(seed, tau, step):
    one, two, y = case(seed)
    ours = torch.autograd.grad(loss_of(CoTeaching(tau, ramp=0.1), one, two, y, step), (one, two))
    first, second = released(one, two, y, tau * min(step / 10, 1))
    theirs = torch.autograd.grad(first, one, retain_graph=True) + torch.autograd.grad(second, two)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(loss_of(CoTeaching(tau, ramp=0.1), one, two, y, step), first + second)


@given(seeds)
def test_without_tau_they_are_independent_cross_entropies(seed):
    one, two, y = case(seed)
    means = [cross_entropy(logits, y).mean() for logits in (one, two)]
    torch.testing.assert_close(loss_of(CoTeaching(), one, two, y), sum(means))
    torch.testing.assert_close(loss_of(SmallLoss(), one, two, y), means[0])


@given(seeds, rates)
def test_equal_networks_choose_as_one_for_itself(seed, tau):
    one, _, y = case(seed)
    twin = one.detach().clone().requires_grad_()
    ours = torch.autograd.grad(loss_of(CoTeaching(tau), one, twin, y), (one, twin))
    (alone,) = torch.autograd.grad(loss_of(SmallLoss(tau), one, None, y), one)
    torch.testing.assert_close(ours, (alone, alone))


@given(seeds, st.integers(1, 32))
def test_as_many_as_are_kept_and_none_that_is_larger(seed, count):
    loss = torch.rand(32, generator=torch.Generator().manual_seed(seed)).mul(8).floor()  # with ties
    v = smallest(loss, torch.tensor(count)).bool()
    assert v.sum() == count and loss[v].max() <= loss[~v].min() if count < 32 else v.all()


def test_the_schedule_of_the_paper():
    """Epochs of 10 steps: of 100 pairs all at first, 80 after the 10th of 200 epochs, and then no fewer."""
    method, clock = CoTeaching(tau=0.2), Clock(torch.tensor(0), 2000, 10)
    found = []
    for step in (0, 50, 100, 1999):
        clock.step.fill_(step)
        found.append(int(method.kept(100, clock)))
    assert found == [100, 90, 80, 80] and int(SmallLoss(0.99).kept(1, clock)) == 1
    whole = [int(SmallLoss(left / 10).kept(B, clock)) for left in range(10) for B in (10, 20, 50)]
    assert whole == [B * (10 - left) // 10 for left in range(10) for B in (10, 20, 50)]  # no rounding takes a pair


def test_without_tau_the_first_network_trains_as_if_it_were_alone():
    alone = history(replace(NOISY, method=CE()))
    both = history(replace(NOISY, method=CoTeaching()))
    names = {*alone[0]} - {"loss"}  # that of both networks
    assert [{n: row[n] for n in names} for row in both] == [{n: row[n] for n in names} for row in alone]


def test_the_networks_are_alike_and_start_apart():
    torch.manual_seed(0)
    net = build("conv_small", (1, 8, 8), 10)
    first = copy.deepcopy(net.state_dict())
    net = CoTeaching(0.2).build(net, Task(10, 50, (1, 8, 8)))
    assert all(torch.equal(net.state_dict()[name], value) for name, value in first.items())
    own, twin = (dict(body.named_parameters()) for body in (net.body, net.twin))
    assert own.keys() == twin.keys() and all(own[name].shape == twin[name].shape for name in own)
    learned = [name for name, p in own.items() if p.dim() > 1]
    assert learned and not any(torch.equal(own[name], twin[name]) for name in learned)
    assert not torch.equal(started_again(net.body)[-1].weight, net.twin[-1].weight)


@pytest.mark.parametrize("method", [SmallLoss(0.4), CoTeaching(0.4)])
def test_pairs_that_are_kept_are_right_more_often(method):
    """Of all pairs 60 % are."""
    last = history(replace(NOISY, method=method))[-1]
    assert last["kept_precision"] > 0.7 and 0.5 < last["kept"] < 0.7


def test_two_networks_are_in_the_account():
    alone, both = (train.train(replace(NOISY, method=m(0.4)), "cpu").cost for m in (SmallLoss, CoTeaching))
    for name in ("forward_passes", "backward_passes"):
        assert both[name] == 2 * alone[name]


@pytest.mark.parametrize("options", [{"tau": 1.0}, {"tau": -0.1}, {"tau": 0.2, "ramp": 0.0}])
def test_bad_parameters_are_refused(options):
    for kind in (SmallLoss, CoTeaching):
        with pytest.raises(UserError):
            kind(**options)
