"""Loss correction with a known transition matrix: forward corrects the prediction, backward the loss (Patrini 2017)."""

from dataclasses import dataclass

import numpy as np
import torch

from ..inputs import require
from ..losses import backward_corrected, forward_corrected
from .base import Method


@dataclass(frozen=True)
class Forward(Method):
    """Cross entropy of T^T p, T[i, j] = P(given = j | true = i); without T it is cross entropy."""

    T: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self):
        T = np.asarray(self.T, dtype=float)
        good = not T.size or T.ndim == 2 and T.shape[0] == T.shape[1] and (T >= 0).all() and np.allclose(T.sum(1), 1)
        require(bool(good), "T must be square, every row >= 0 with sum 1")
        object.__setattr__(self, "T", tuple(tuple(map(float, row)) for row in T) if T.size else ())  # hashable

    def matrix(self, K: int) -> torch.Tensor:
        """(K, K) what the loss uses."""
        require(len(self.T) in (0, K), f"T has {len(self.T)} classes; this data set has {K}")
        return torch.tensor(self.T) if self.T else torch.eye(K)

    def build(self, net, task):
        net.register_buffer("T", self.matrix(task.K))
        return net

    def loss(self, net, batch, clock):
        return forward_corrected(net(batch.x), batch.y, net.T).mean()


@dataclass(frozen=True)
class Backward(Forward):
    """T^-1 times the vector of losses by class: the clean loss in expectation, at the price of variance."""

    def matrix(self, K):
        T = super().matrix(K).double()
        require(bool(torch.linalg.cond(T) < 1e6), "T has no inverse, so losses cannot be corrected backward")
        return torch.linalg.inv(T).float()

    def loss(self, net, batch, clock):
        return backward_corrected(net(batch.x), batch.y, net.T).mean()
