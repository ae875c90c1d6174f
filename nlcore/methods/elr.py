"""Early-learning regularisation: hold on to what was predicted before wrong labels were learned."""

from dataclasses import dataclass

import torch

from ..inputs import require
from ..losses import cross_entropy
from .base import Method


@dataclass(frozen=True)
class ELR(Method):
    """Cross entropy + lam times the mean of log(1 - <p, t>), where the target t of a pair is the running average of its
    predictions, t <- beta t + (1 - beta) p, at first 0 (Liu et al. 2020). The gradient goes through p
    alone. The defaults are those of symmetric noise on CIFAR-10; asymmetric noise has beta = 0.9, lam = 1, CIFAR-100
    beta = 0.9, lam = 7.

    As in the authors' code and not in the paper, p is cut off at 1e-4 and 1 - 1e-4, and what enters t is divided by its
    sum.
    """

    beta: float = 0.7
    lam: float = 3.0

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.beta < 1, f"beta is the share of t that stays, from 0 to below 1, not {self.beta}")
        require(self.lam >= 0, f"lam weighs the regulariser, so it is 0 or more, not {self.lam}")

    def build(self, net, task):
        net.register_buffer("target", torch.zeros(task.M, task.K))
        return net

    def loss(self, net, batch, clock):
        i, logits = batch.index.long(), net(batch.x)
        p = logits.softmax(1).clamp(1e-4, 1 - 1e-4)
        seen = p.detach()
        target = self.beta * net.target[i] + (1 - self.beta) * seen / seen.sum(1, keepdim=True)
        net.target.index_copy_(0, i, target.to(net.target.dtype))
        agreement = (target * p).sum(1)  # (B,), below 1
        return cross_entropy(logits, batch.y).mean() + self.lam * (1 - agreement).log().mean()
