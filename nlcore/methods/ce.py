"""Plain training on the given labels."""

from dataclasses import dataclass

from ..losses import cross_entropy
from .base import Method


@dataclass(frozen=True)
class CE(Method):
    """Cross entropy, the baseline of every paper."""

    def loss(self, net, batch, clock):
        return cross_entropy(net(batch.x), batch.y).mean()
