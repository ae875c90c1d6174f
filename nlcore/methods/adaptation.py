"""A noise adaptation layer: the transition matrix is learned together with the network."""

from dataclasses import dataclass

import torch
from torch import nn

from ..inputs import require
from ..losses import forward_corrected
from .base import Method


@dataclass(frozen=True)
class NoiseAdaptation(Method):
    """Cross entropy of T^T p with a trained T = softmax(W), the same for all images (the simple form of Goldberger &
    Ben-Reuven 2017). T starts as symmetric noise of this `rate`; the papers' own start was not found.

    Nothing but the start tells T from a mere relabelling of the classes: p and T^T p fit the labels equally well.
    """

    rate: float = 0.1  # ours

    def __post_init__(self):
        require(0 < self.rate < 1, f"rate is the share of wrong labels to start from, between 0 and 1, not {self.rate}")

    def build(self, net, task):
        T = torch.full((task.K, task.K), self.rate / (task.K - 1)).fill_diagonal_(1 - self.rate)
        net.register_parameter("W", nn.Parameter(T.log()))
        return net

    def transition(self, net):
        return net.W.softmax(1)

    def loss(self, net, batch, clock):
        return forward_corrected(net(batch.x), batch.y, self.transition(net)).mean()
