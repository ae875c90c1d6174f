"""Label smoothing: a part of every target is spread over all classes."""

from dataclasses import dataclass

from ..inputs import require
from ..losses import smoothed_cross_entropy
from .base import Method


@dataclass(frozen=True)
class LabelSmoothing(Method):
    """Cross entropy against (1 - a) onehot(y) + a/K (Szegedy et al. 2016, section 7; a = 0.1 as in Muller 2019).

    Negative a takes the uniform part away instead (Wei et al. 2022).
    """

    a: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        require(self.a <= 1, f"a is the share of the target that is spread, at most 1, not {self.a}")

    def loss(self, net, batch, clock):
        return smoothed_cross_entropy(net(batch.x), batch.y, self.a).mean()
