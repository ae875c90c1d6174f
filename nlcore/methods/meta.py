"""Weights of pairs by a look ahead: what would a step on them do to the loss on trusted images?"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..inputs import require
from ..losses import cross_entropy
from .base import Batch, Method


def looked_ahead(net: nn.Module, loss: Tensor, rate: Tensor, batch: Batch) -> Tensor:
    """The mean loss on the trusted batch after a step of plain gradient descent on `loss`, at `rate`, as a function of
    whatever `loss` depends on. The network itself, running averages included, stays as it is."""
    body = net.body
    weights, buffers = dict(body.named_parameters()), {k: b.clone() for k, b in body.named_buffers()}
    slopes = torch.autograd.grad(loss, weights.values(), create_graph=True)
    ahead = {k: w - rate * g for (k, w), g in zip(weights.items(), slopes, strict=True)}
    return cross_entropy(functional_call(body, (ahead, buffers), (batch.trusted_x,)), batch.trusted_y).mean()


def losses_apart(net: nn.Module, batch: Batch) -> Tensor:
    """Cross entropy (B,) of the noisy pairs, without a trace in running averages."""
    body = net.body
    state = dict(body.named_parameters()) | {k: b.clone() for k, b in body.named_buffers()}
    return cross_entropy(functional_call(body, state, (batch.x,)), batch.y)


@dataclass(frozen=True)
class L2RW(Method):
    """Learning to reweight (Ren et al. 2018, Algorithm 1): weights start at 0, a virtual step on the weighted loss, and
    each pair weighs as much as more of it would lower the trusted loss, max(-gradient, 0), summing to 1 over a batch.
    """

    trusted_batch: int = 100

    trust = "beside"
    passes = (3, 3)

    def build(self, net, task):
        net.register_buffer("v", torch.ones(task.M))
        return net

    def weights(self, net):
        return net.v

    def loss(self, net, batch, clock):
        loss = losses_apart(net, batch)
        none = torch.zeros_like(loss, requires_grad=True)
        (slope,) = torch.autograd.grad(looked_ahead(net, (none * loss).sum(), clock.rate, batch), none)
        w = (-slope).clamp_min(0)
        w = w / torch.where(w.sum() > 0, w.sum(), torch.ones_like(w.sum()))
        net.v.index_copy_(0, batch.index.long(), (w / w.max().clamp_min(1e-12)).detach())
        return (w.detach() * cross_entropy(net(batch.x), batch.y)).sum()


@dataclass(frozen=True)
class MWNet(Method):
    """Meta-Weight-Net (Shu et al. 2019): the weight is a function of the loss, an MLP 1-100-1 with a sigmoid, that is
    trained by Adam to lower the trusted loss after a virtual step on the weighted loss."""

    lr: float = 1e-3
    trusted_batch: int = 100

    trust = "beside"
    passes = (3, 3)

    def __post_init__(self):
        require(self.lr > 0, f"lr is the learning rate of the weighing net, more than 0, not {self.lr}")

    def build(self, net, task):
        net.register_buffer("v", torch.ones(task.M))
        net.register_buffer("seen", torch.zeros(task.M))
        net.weigh = nn.Sequential(nn.Linear(1, 100), nn.ReLU(), nn.Linear(100, 1), nn.Sigmoid())
        return net

    def optimiser(self, net):
        cuda = next(net.weigh.parameters()).is_cuda
        return torch.optim.Adam(net.weigh.parameters(), lr=self.lr, weight_decay=1e-4, capturable=cuda)

    def weights(self, net):
        return net.v

    def losses(self, net):
        return net.seen

    def loss(self, net, batch, clock):
        loss = losses_apart(net, batch)
        w = net.weigh(loss.detach()[:, None]).squeeze(1)
        ahead = looked_ahead(net, (w * loss).mean(), clock.rate, batch)
        slopes = torch.autograd.grad(ahead, [*net.weigh.parameters()])
        loss = cross_entropy(net(batch.x), batch.y)
        with torch.no_grad():
            w = net.weigh(loss[:, None]).squeeze(1)
            net.v.index_copy_(0, batch.index.long(), w)
            net.seen.index_copy_(0, batch.index.long(), loss)
        # a term of value 0 whose gradient is that of the look ahead
        own = sum((p * g.detach()).sum() for p, g in zip(net.weigh.parameters(), slopes, strict=True))
        return (w * loss).mean() + own - own.detach()
