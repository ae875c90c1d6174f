"""Symmetric cross entropy: cross entropy, and the same with label and prediction exchanged."""

from dataclasses import dataclass

from ..inputs import require
from ..losses import cross_entropy, reverse_cross_entropy
from .base import Method


@dataclass(frozen=True)
class SymmetricCE(Method):
    """alpha CE + beta RCE (Wang et al. 2019). RCE is -A (1 - p_y), A standing for log 0; alpha = 1, beta = 0 is cross
    entropy. The defaults are those of CIFAR-10; CIFAR-100 has alpha = 6, beta = 0.1.

    The authors' code differs in two ways. It cuts the label off at 1e-4, which makes A = log(1e-4) = -9.2 where the
    paper has -4. In CE it cuts p_y off at 1e-7: a pair with less has no gradient of CE there, and has one here.
    """

    alpha: float = 0.1
    beta: float = 1.0
    A: float = -4.0

    def __post_init__(self):
        super().__post_init__()
        require(min(self.alpha, self.beta) >= 0, "alpha and beta weigh two losses, so they are 0 or more")
        require(self.A < 0, f"A stands for log 0, so it is below 0, not {self.A}")

    def loss(self, net, batch, clock):
        logits = net(batch.x)
        forward = cross_entropy(logits, batch.y)
        reverse = reverse_cross_entropy(logits, batch.y, self.A)
        return (self.alpha * forward + self.beta * reverse).mean()
