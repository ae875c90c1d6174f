"""Weights of pairs by a look ahead: what would a step on them do to the loss on trusted images?"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..inputs import require
from ..losses import cross_entropy
from .base import Batch, Method


def looked_ahead(net: nn.Module, loss: Tensor, rate: Tensor, batch: Batch) -> Tensor:
    """The mean loss on the trusted batch after a step of gradient descent on `loss`.

    The step has the learning rate `rate`. All three are scalars, and the result can be
    differentiated by whatever `loss` depends on. The network itself, running averages
    included, stays as it is.
    """
    weights = {name: w for name, w in net.body.named_parameters() if w.requires_grad}
    buffers = {name: b.clone() for name, b in net.body.named_buffers()}
    # other people's networks may have weights that the loss does not see: their slope is 0
    whole = {"create_graph": True, "materialize_grads": True}
    slopes = torch.autograd.grad(loss, weights.values(), **whole)
    pairs = zip(weights.items(), slopes, strict=True)
    moved = {name: w - rate * slope for (name, w), slope in pairs}
    logits = functional_call(net.body, (moved, buffers), (batch.trusted_x,))
    return cross_entropy(logits, batch.trusted_y).mean()


def mlp() -> nn.Sequential:
    """From a loss (B, 1) to a weight (B, 1): 1-100-1 with a sigmoid, of Meta-Weight-Net and MSLC."""
    return nn.Sequential(nn.Linear(1, 100), nn.ReLU(), nn.Linear(100, 1), nn.Sigmoid())


@dataclass(frozen=True)
class L2RW(Method):
    """Learning to reweight (Ren et al. 2018, Algorithm 1): weights start at 0, a virtual step on the weighted loss, and
    each pair weighs as much as more of it would lower the trusted loss, max(-gradient, 0), summing to 1 over a batch.
    """

    trusted_batch: int = 100

    trust = "beside"
    passes = (2, 3)
    looks_ahead = True

    def build(self, net, task):
        net.register_buffer("v", torch.ones(task.M))
        return net

    def weights(self, net):
        return net.v

    def loss(self, net, batch, clock):
        loss = cross_entropy(net(batch.x), batch.y)
        none = torch.zeros_like(loss, requires_grad=True)  # the weights from which to look
        ahead = looked_ahead(net, (none * loss).sum(), clock.rate, batch)
        (slope,) = torch.autograd.grad(ahead, none, retain_graph=True)
        w = (-slope).clamp_min(0)
        total = w.sum()
        w = w / torch.where(total > 0, total, torch.ones_like(total))
        net.v.index_copy_(0, batch.index.long(), w / w.max().clamp_min(1e-12))
        return (w * loss).sum()


@dataclass(frozen=True)
class Meta(Method):
    """What Meta-Weight-Net and its kin share: a net beside the network, `net.meta`, that Adam trains to lower the
    trusted loss after a virtual step. It moves when the step is over: pairs are treated as it was before.

    The forward pass of the noisy batch serves the virtual step and the real one.
    """

    lr: float = 1e-3
    trusted_batch: int = 100

    trust = "beside"
    passes = (2, 3)
    looks_ahead = True
    decay = 0.0  # of the weights of that net

    def __post_init__(self):
        super().__post_init__()
        require(self.lr > 0, f"lr is the learning rate of the net beside the network, more than 0, not {self.lr}")

    def optimiser(self, net):
        meta = [*net.meta.parameters()]
        cuda = meta[0].is_cuda  # there nothing may be read on the host, and one kernel does what takes fourteen
        return torch.optim.Adam(meta, lr=self.lr, weight_decay=self.decay, capturable=cuda, fused=cuda)

    def taught(self, net: nn.Module, losses: Callable[[Tensor], Tensor], out: Tensor, batch: Batch, rate: Tensor):
        """The mean of `losses(out)` (B,) for the network to step on, given what `net.meta` puts out; the gradient of
        `net.meta` is that of the look ahead, at learning rate `rate`."""
        meta = [*net.meta.parameters()]
        ahead = looked_ahead(net, losses(out).mean(), rate, batch)
        slopes = torch.autograd.grad(ahead, meta, retain_graph=True)
        # a term of value 0, whose gradient by the parameters of `net.meta` is `slopes`
        own = sum((p * slope).sum() for p, slope in zip(meta, slopes, strict=True))
        return losses(out.detach()).mean() + own - own.detach()


@dataclass(frozen=True)
class MWNet(Meta):
    """Meta-Weight-Net (Shu et al. 2019): the weight is a function of the loss, an MLP 1-100-1 with a sigmoid."""

    decay = 1e-4

    def build(self, net, task):
        net.register_buffer("v", torch.ones(task.M))
        net.register_buffer("seen", torch.zeros(task.M))
        net.meta = mlp()
        return net

    def weights(self, net):
        return net.v

    def losses(self, net):
        return net.seen

    def loss(self, net, batch, clock):
        loss, i = cross_entropy(net(batch.x), batch.y), batch.index.long()
        w = net.meta(loss.detach()[:, None]).squeeze(1).to(loss.dtype)
        net.v.index_copy_(0, i, w.detach())
        net.seen.index_copy_(0, i, loss.detach())
        return self.taught(net, lambda w: w * loss, w, batch, clock.rate)
