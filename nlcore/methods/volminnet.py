"""VolMinNet: the transition matrix of the smallest volume that explains the noisy labels."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..inputs import require
from ..losses import forward_corrected
from .base import Method


def log_abs_det(T: Tensor) -> Tensor:
    """log |det T| of an invertible matrix (K, K), for gradients of first order. That of torch calls a library which a
    captured step may not be able to hold."""
    K, one, pivots = len(T), torch.eye(len(T), dtype=torch.double, device=T.device), []
    with torch.no_grad():
        whole = T.double()
        rows = torch.cat([whole.T @ whole, whole.T], 1)  # elimination turns T^T T into 1, and so T^T into T^-1
        for k in range(K):  # T^T T is positive definite, so that no pivot is 0
            pivots.append(rows[k, k])
            rows = torch.addr(rows, rows[:, k] - one[k], rows[k] / pivots[k], alpha=-1)
        value, slope = torch.stack(pivots).log().sum() / 2, rows[:, K:].T.to(T.dtype)
    along = (slope * T).sum()
    return value.to(T.dtype) + along - along.detach()


@dataclass(frozen=True)
class VolMinNet(Method):
    """Cross entropy of T^T p + lam log `|det T|`, with a trained T (Li et al. 2021): the term makes the simplex of
    T's rows small, so that no anchor points are needed. As in the authors' code T is made of weights w, at first
    -`init`: 1 on the diagonal and sigmoid(w) elsewhere, and then every row is divided by its sum.

    Adam trains w without decay at a constant rate `lr`. The authors have Adam for MNIST and CIFAR-100 and SGD with
    momentum for CIFAR-10, and their rate falls with that of the network. For CIFAR-100 their init is 4.5.
    """

    lam: float = 1e-4
    init: float = 2.0
    lr: float = 0.01

    def __post_init__(self):
        super().__post_init__()
        require(self.lam >= 0, f"lam weighs the volume, so it is 0 or more, not {self.lam}")
        require(0 <= self.init <= 20, f"init is from 0 to 20, where T is the identity, not {self.init}")
        require(self.lr > 0, f"lr is the learning rate of T, more than 0, not {self.lr}")

    def build(self, net, task):
        net.w = nn.Parameter(torch.full((task.K, task.K), -self.init))
        return net

    def optimiser(self, net):
        return torch.optim.Adam([net.w], lr=self.lr, capturable=net.w.is_cuda, fused=True)

    def transition(self, net):
        one = torch.eye(len(net.w), dtype=net.w.dtype, device=net.w.device)
        T = one + (1 - one) * net.w.sigmoid()
        return T / T.sum(1, keepdim=True)

    def loss(self, net, batch, clock):
        T = self.transition(net)
        return forward_corrected(net(batch.x), batch.y, T).mean() + self.lam * log_abs_det(T)
