"""Mixup: training on mixtures of two images and of their labels."""

from dataclasses import dataclass

import torch
from torch.distributions import Beta

from ..inputs import require
from ..losses import cross_entropy
from .base import Method


@dataclass(frozen=True)
class Mixup(Method):
    """Cross entropy of c x + (1 - c) x' against c y + (1 - c) y' (Zhang, Cissé et al. 2018). The share c is drawn from
    Beta(alpha, alpha) for each batch, and (x', y') are its pairs in random order, both as in the authors' code. The
    smaller alpha, the nearer it is to cross entropy: one of each two images is then almost alone."""

    alpha: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        # of a much smaller one single precision draws shares of 1/2 that should be 0 or 1
        require(self.alpha >= 0.1, f"alpha is the parameter of a Beta distribution, 0.1 or more, not {self.alpha}")

    def loss(self, net, batch, clock):
        alpha = torch.full((), self.alpha, device=batch.x.device)
        share = Beta(alpha, alpha, validate_args=False).sample()  # a check would wait for the device
        order = torch.rand(len(batch.y), device=batch.y.device).argsort()
        logits = net(share * batch.x + (1 - share) * batch.x[order])
        first, second = (cross_entropy(logits, y).mean() for y in (batch.y, batch.y[order]))
        return share * first + (1 - share) * second
