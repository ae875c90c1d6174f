"""The infinite batch of massive label noise: label smoothing with e = alpha / (1 + alpha); alpha = 0: cross entropy."""

import math
from dataclasses import dataclass

from ..inputs import require
from ..losses import smoothed_cross_entropy
from .base import Method


@dataclass(frozen=True)
class HAlpha(Method):
    """H_alpha, the loss expected over uniform noise, for clean labels (Rolnick 2017, figure of batch sizes)."""

    alpha: float = 20.0
    rescale: bool = False  # times 1 + alpha; the paper's factor was not found, and Adam does not see it

    def __post_init__(self):
        super().__post_init__()
        require(math.isfinite(self.alpha) and self.alpha >= 0, f"alpha must be 0 or more and finite, not {self.alpha}")

    def loss(self, net, batch, clock):
        e = self.alpha / (1 + self.alpha)
        loss = smoothed_cross_entropy(net(batch.x), batch.y, e).mean()
        return loss * (1 + self.alpha) if self.rescale else loss
