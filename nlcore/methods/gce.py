"""Generalised cross entropy: between cross entropy, which learns fast, and absolute error, which bears noise."""

from dataclasses import dataclass

import torch

from ..inputs import lookup, require
from ..losses import cross_entropy, lq, mae
from .base import Method


@dataclass(frozen=True)
class GCE(Method):
    """L_q, q in [0, 1] (Zhang & Sabuncu 2018): q -> 0 is cross entropy, q = 1 half the absolute error."""

    q: float = 0.7

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.q <= 1, f"q is between 0 (cross entropy) and 1 (absolute error), not {self.q}")

    def loss(self, net, batch, clock):
        return lq(net(batch.x), batch.y, self.q).mean()


@dataclass(frozen=True)
class Truncated(GCE):
    """Truncated L_q by alternating convex search (Zhang & Sabuncu 2018, Algorithm 1).

    Every pair has a weight w, first 1. At the shares start, start + every, … of all steps the weights are found anew,
    w = 1 where p_y > k and 0 elsewhere, with the `pruner`: the network that was best on noisy validation so far, or the
    current one. Between, w is frozen, and the current network goes on. The term -L_q(k) w of the objective has no
    gradient while w is frozen, and is left out of the loss. The defaults are those of CIFAR-10: from epoch 40 of 120,
    every 10.

    `detached` repeats a mistake of the best known port: in the epoch after each pruning the gradients go to a copy, and
    the network itself only drifts on momentum and weight decay.
    """

    k: float = 0.5
    start: float = 1 / 3
    every: float = 1 / 12
    pruner: str = "best"  # best | current
    detached: bool = False

    keeps_best = True

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.k < 1, f"k is a probability below 1, not {self.k}")
        require(0 <= self.start <= 1 and 0 < self.every <= 1, "start and every are shares of all steps")
        lookup("pruner", self.pruner, ("best", "current"))

    def build(self, net, task):
        net.register_buffer("pair_weight", torch.ones(task.M))
        net.register_buffer("live", torch.ones(()))  # 0 where gradients go to a copy
        return net

    def on_epoch(self, net, clock, view):
        net.live.fill_(1)
        if clock.due(self.start, self.every):
            loss = cross_entropy(view.logits(self.pruner == "best"), view.label)  # -log p_y
            net.pair_weight.copy_((-loss).exp() > self.k)
            net.live.fill_(0 if self.detached else 1)

    def weights(self, net):
        return net.pair_weight

    def loss(self, net, batch, clock):
        loss = lq(net(batch.x), batch.y, self.q)
        return (net.pair_weight[batch.index] * loss).mean() * net.live


@dataclass(frozen=True)
class MAE(Method):
    """Mean absolute error (Ghosh et al. 2017): tolerates symmetric noise exactly, and learns slowly."""

    def loss(self, net, batch, clock):
        return mae(net(batch.x), batch.y).mean()


@dataclass(frozen=True)
class Unhinged(Method):
    """1 - p_y, the unhinged loss on probabilities (van Rooyen et al. 2015): half the absolute error."""

    def loss(self, net, batch, clock):
        return lq(net(batch.x), batch.y, 1.0).mean()
