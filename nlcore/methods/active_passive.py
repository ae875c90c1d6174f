"""Active-passive loss: one robust loss that raises the given class, and one that lowers all others."""

import math
from dataclasses import dataclass

from ..inputs import lookup, require
from ..losses import lq, normalised_cross_entropy, reverse_cross_entropy
from .base import Method


@dataclass(frozen=True)
class ActivePassive(Method):
    """alpha NCE + beta times a passive loss (Ma et al. 2020). NCE, the active one, is cross entropy divided by
    its sum over all labels. The `passive` one is reverse cross entropy ("rce") or absolute error ("mae"). The defaults
    are those of CIFAR-10; MNIST has (1, 10), CIFAR-100 (10, 0.1) with "rce" and (10, 1) with "mae".

    Both passive losses are scaled as in the authors' code, for which these weights were chosen: "mae" is 1 - p_y, half
    of the paper's absolute error, and A, which stands for log 0 in "rce", is log(1e-4). That code also cuts p off at
    1e-7 in "rce", which moves no loss by more than K 1e-6 and is left out.
    """

    alpha: float = 1.0
    beta: float = 1.0
    passive: str = "rce"  # rce | mae
    A: float = math.log(1e-4)

    def __post_init__(self):
        super().__post_init__()
        lookup("passive loss", self.passive, ("rce", "mae"))
        require(min(self.alpha, self.beta) >= 0, "alpha and beta weigh two losses, so they are 0 or more")
        require(self.A < 0, f"A stands for log 0, so it is below 0, not {self.A}")

    def loss(self, net, batch, clock):
        logits, y = net(batch.x), batch.y
        passive = lq(logits, y, 1.0) if self.passive == "mae" else reverse_cross_entropy(logits, y, self.A)
        return (self.alpha * normalised_cross_entropy(logits, y) + self.beta * passive).mean()
