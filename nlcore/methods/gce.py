"""Generalised cross entropy: between cross entropy, which learns fast, and absolute error, which bears noise."""

from dataclasses import dataclass

from ..inputs import require
from ..losses import lq, mae
from .base import Method


@dataclass(frozen=True)
class GCE(Method):
    """L_q, q in [0, 1] (Zhang & Sabuncu 2018): q -> 0 is cross entropy, q = 1 half the absolute error."""

    q: float = 0.7

    def __post_init__(self):
        require(0 <= self.q <= 1, f"q is between 0 (cross entropy) and 1 (absolute error), not {self.q}")

    def loss(self, net, batch, clock):
        return lq(net(batch.x), batch.y, self.q).mean()


@dataclass(frozen=True)
class MAE(Method):
    """Mean absolute error (Ghosh et al. 2017): tolerates symmetric noise exactly, and learns slowly."""

    def loss(self, net, batch, clock):
        return mae(net(batch.x), batch.y).mean()
