"""A transition matrix by a look ahead: which T makes a step on the corrected loss lower the loss on trusted images?"""

from dataclasses import dataclass

import torch

from ..inputs import require
from ..losses import nll_through
from .gold import GLC
from .meta import looked_ahead


@dataclass(frozen=True)
class MLoC(GLC):
    """Meta loss correction (Wang, Hu & Hu 2020): forward correction whose T, before every step of the network, takes
    a step of gradient descent at `lr`, is cut at 0 and normalised by rows.

    T starts as that of gold loss correction, since the error that Kye et al. plot for this method is small from the
    first step on, and `lr` is so small that it stays as level as theirs. The authors' code shares the idea alone: it
    goes on from the network of a first training, moves T from the identity anew in each step at a rate of 0.11,
    normalises columns, multiplies logits by T instead of probabilities, and sums the loss over the batch.
    """

    lr: float = 0.001

    passes = (3, 4)
    looks_ahead = True

    def __post_init__(self):
        super().__post_init__()
        require(self.lr >= 0, f"lr is the learning rate of T, 0 or more, not {self.lr}")

    def loss(self, net, batch, clock):
        p = net(batch.x).float().softmax(1)
        T = net.T.clone().requires_grad_()
        ahead = looked_ahead(net, nll_through(p, T, batch.y).mean(), clock.rate, batch)
        (slope,) = torch.autograd.grad(ahead, T, retain_graph=True)
        moved = (net.T - self.lr * slope).clamp_min(0)
        net.T.copy_(moved / moved.sum(1, keepdim=True).clamp_min(1e-12))
        return nll_through(p, net.T.clone(), batch.y).mean()  # a copy, since the next loss changes net.T
