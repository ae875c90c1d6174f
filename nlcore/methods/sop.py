"""Sparse over-parameterisation: every pair has parameters of its own that explain its wrong label away."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ..inputs import require
from .base import Method

EPS = 1e-4  # of probabilities, as in the authors' code


def of_noise(logits: Tensor, given: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """The loss of a batch, from logits and given labels as `given` (B, K) of 0 and 1, and the parameters u (B, 1) and
    v (B, K) of its pairs."""
    added, removed = (u**2 * given).clamp(0, 1), (v**2 * (1 - given)).clamp(0, 1)
    p = (logits.softmax(1) + added - removed.detach()).clamp_min(EPS)
    p = (p / p.sum(1, keepdim=True)).clamp(EPS, 1)
    guess = one_hot(logits.argmax(1), logits.shape[1])
    squares = (guess + added - removed - given) ** 2
    return -(given * p.log()).sum(1).mean() + squares.sum(1).mean()


@dataclass(frozen=True)
class SOP(Method):
    """The noise of a pair is s = u^2 onehot(y) - v^2 (1 - onehot(y)); the network learns p + s to be the given label
    (Liu et al. 2022). The loss is cross entropy of p + s, cut off and normalised, plus the square of
    onehot(argmax p) + s - onehot(y), from which v learns. u and v begin near 0, with a deviation of 1e-8; gradient
    descent, at rates `lr_u` and `lr_v` and with neither momentum nor decay, moves those of the pairs in a batch. The
    defaults are those of symmetric noise on CIFAR-10; asymmetric noise has lr_v = 100, CIFAR-100 lr_u = 1.

    As in the authors' code and not in the paper, u learns from the squares as well as from cross entropy. It has one
    number for a pair, since all others would meet a 0 in onehot(y). This is SOP without the terms for consistency and
    balance, which the authors add for SOP+ alone.
    """

    lr_u: float = 10.0
    lr_v: float = 10.0

    def __post_init__(self):
        super().__post_init__()
        require(min(self.lr_u, self.lr_v) >= 0, "lr_u and lr_v are learning rates, so they are 0 or more")

    def build(self, net, task):
        net.register_buffer("u", 1e-8 * torch.randn(task.M, 1))
        net.register_buffer("v", 1e-8 * torch.randn(task.M, task.K))
        return net

    def loss(self, net, batch, clock):
        i, logits = batch.index.long(), net(batch.x)
        own = [of_pairs[i].requires_grad_() for of_pairs in (net.u, net.v)]
        loss = of_noise(logits, one_hot(batch.y, logits.shape[1]), *own)
        # they step here and not in an optimiser, which would go through the parameters of all pairs
        slopes = torch.autograd.grad(loss, own, retain_graph=True)
        for of_pairs, old, rate, slope in zip((net.u, net.v), own, (self.lr_u, self.lr_v), slopes, strict=True):
            of_pairs.index_copy_(0, i, old.detach() - rate * slope)
        return loss
