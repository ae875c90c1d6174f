"""Learning from the pairs of a batch with a small loss, chosen by the network itself or by another one."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..inputs import require
from ..losses import cross_entropy
from .base import Clock, Method
from .twins import Twins


def smallest(loss: Tensor, count: Tensor) -> Tensor:
    """1 for the `count` (a scalar) smallest of the losses (B,), 0 for the others."""
    rank = loss.detach().argsort(stable=True).argsort()
    return (rank < count).to(loss.dtype)


@dataclass(frozen=True)
class SmallLoss(Method):
    """Cross entropy of the pairs with the smallest losses: the schedule of co-teaching for a network that chooses for
    itself, so that what a second network adds can be told.

    The share that is kept of a batch, 1 - tau min(t / t_k, 1), falls until a share t_k = `ramp` of training is over.
    `tau` is the noise rate; without it all pairs are kept, which is cross entropy.
    """

    tau: float = 0.0
    ramp: float = 0.05  # 10 of 200 epochs

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.tau < 1, f"tau is the share of pairs that is left out, 0 or more and below 1, not {self.tau}")
        require(0 < self.ramp <= 1, f"ramp is a share of training, more than 0, not {self.ramp}")

    def build(self, net, task):
        net = super().build(net, task)
        # whether the network learned of a pair when it last met it
        net.register_buffer("v", torch.ones(task.M, dtype=torch.float32))
        return net

    def weights(self, net):
        return net.v

    def kept(self, B: int, clock: Clock) -> Tensor:
        """How many of B pairs are kept, a scalar; at least one."""
        risen = (clock.step.double() / (self.ramp * clock.steps)).clamp(max=1)
        return ((1 - self.tau * risen) * B + 1e-9).floor().clamp_min(1)  # (1 - 0.8) * 10 is a little below 2

    def loss(self, net, batch, clock):
        loss, count = cross_entropy(net(batch.x), batch.y), self.kept(len(batch.y), clock)
        v = smallest(loss, count)
        net.v.index_copy_(0, batch.index.long(), v.float())
        return (v * loss).sum() / count.to(loss.dtype)


@dataclass(frozen=True)
class CoTeaching(Twins, SmallLoss):
    """Two networks, each of which learns from the pairs with the smallest losses of the other one (Han et al. 2018).

    The exponent c of their schedule is 1. The first network is evaluated, and the loss is the sum of both.

    In the released code the share that is kept falls once an epoch, here in every step; and there the mean loss of the
    pairs that are kept is divided by their number once more, which Adam hides.
    """

    passes = (2, 2)

    def loss(self, net, batch, clock):
        loss, of_twin = cross_entropy(net(batch.x), batch.y), cross_entropy(net.twin(batch.x), batch.y)
        count = self.kept(len(batch.y), clock)
        v, for_twin = smallest(of_twin, count), smallest(loss, count)
        net.v.index_copy_(0, batch.index.long(), v.float())
        return (v * loss + for_twin * of_twin).sum() / count.to(loss.dtype)
