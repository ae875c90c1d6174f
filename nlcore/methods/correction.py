"""Loss correction by a transition matrix: forward corrects the prediction, backward the loss (Patrini 2017)."""

from dataclasses import dataclass

import numpy as np
import torch

from ..inputs import require
from ..losses import backward_corrected, forward_corrected
from ..noise.models import transition
from .base import Method, Stage
from .ce import CE


@dataclass(frozen=True)
class Forward(Method):
    """Cross entropy of T^T p (Patrini 2017, section 3.3), T[i, j] = P(given = j | true = i); without T it is cross
    entropy."""

    T: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self):
        none = isinstance(self.T, list | tuple) and not self.T
        object.__setattr__(self, "T", () if none else transition(self.T))  # hashable
        super().__post_init__()

    def matrix(self, K: int) -> torch.Tensor:
        """(K, K), what the loss uses; an error where T is of another number of classes."""
        require(len(self.T) in (0, K), f"T has {len(self.T)} classes; this data set has {K}")
        return torch.tensor(self.T) if self.T else torch.eye(K)

    def build(self, net, task):
        net.register_buffer("T", self.matrix(task.K))
        return net

    def loss(self, net, batch, clock):
        return forward_corrected(net(batch.x), batch.y, net.T).mean()


@dataclass(frozen=True)
class ForwardEstimated(Forward):
    """Forward correction with T estimated by a first training on cross entropy, from the same initial weights.

    Row i of T is the prediction for the training image that is most surely of class i, passing over the 3 % above the
    `quantile` of p_i as outliers (Patrini 2017, section 4; 1.0: no outliers, as for CIFAR-100).
    """

    quantile: float = 0.97

    sees_all_pairs = True

    def __post_init__(self):
        super().__post_init__()
        require(0 < self.quantile <= 1, f"quantile is a share of images, more than 0, not {self.quantile}")

    @property
    def passes(self):
        return (2, 2) if self.first else (1, 1)

    @property
    def first(self):
        return None if self.T else Stage(CE(), best=True)

    def after(self, net, view):
        p = view.logits(False).double().softmax(1)
        return {"T": estimated(p, self.quantile).tolist()}

    def transition(self, net):
        return net.T


def estimated(p: torch.Tensor, quantile: float) -> torch.Tensor:
    """T (K, K) from predictions p (M, K) of noisy labels: row i is the prediction for the image with the largest p_i,
    those at or above the `quantile` of p_i passed over."""
    candidates = p
    if quantile < 1:
        limit = np.quantile(p.cpu().numpy(), quantile, axis=0, method="higher")  # (K,)
        below = p < torch.from_numpy(limit).to(p)
        candidates = p.where(below, torch.zeros_like(p))  # a new tensor: p itself stays whole
    return p[candidates.argmax(0)]


@dataclass(frozen=True)
class Backward(Forward):
    """T^-1 times the vector of losses by class (Patrini 2017, section 3.2): the clean loss in expectation, at the price
    of variance.

    Probabilities are cut at `clip` and at 1 less it, as in the authors' code (1e-7). The paper does not say so, but
    without it (0) the loss has no lower bound, since T^-1 has negative entries, and training can run away downward.
    """

    clip: float = 1e-7

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.clip < 0.5, f"clip is a probability from 0 (none) to 0.5, not {self.clip}")

    def matrix(self, K):
        T = super().matrix(K).double()
        require(bool(torch.linalg.cond(T) < 1e6), "T has no inverse, so losses cannot be corrected backward")
        return torch.linalg.inv(T).float()

    def loss(self, net, batch, clock):
        return backward_corrected(net(batch.x), batch.y, net.T, self.clip).mean()
