"""Bootstrapping: trust the label and one's own prediction."""

from dataclasses import dataclass

from ..inputs import require
from ..losses import bootstrapped
from .base import Method


@dataclass(frozen=True)
class SoftBootstrap(Method):
    """Cross entropy against b onehot(y) + (1 - b) p (Reed et al. 2015, soft form); b = 1 is cross entropy."""

    b: float = 0.95

    hard = False

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.b <= 1, f"b is the trust in the given label, between 0 and 1, not {self.b}")

    def loss(self, net, batch, clock):
        return bootstrapped(net(batch.x), batch.y, self.b, self.hard).mean()


@dataclass(frozen=True)
class HardBootstrap(SoftBootstrap):
    """The same against b onehot(y) + (1 - b) onehot(argmax p); its b as quoted in the code udibr/noisy_labels."""

    b: float = 0.8

    hard = True
