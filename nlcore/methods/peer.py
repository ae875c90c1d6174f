"""Peer loss: a label that any image could have had is no evidence."""

from dataclasses import dataclass

import torch

from ..inputs import require
from .base import Method


@dataclass(frozen=True)
class Peer(Method):
    """l(x, y) - alpha l(x', y'), where image x' and label y' are of two other pairs, each drawn anew (Liu & Guo 2020);
    alpha = 0 is plain training. l is -log(p_y + eps), as in the authors' code for many classes:
    without eps the second term would have no bound.

    Peers come from the batch: its labels in random order. The authors draw them from all training pairs, at the price
    of a second pass. They also let alpha grow with the epochs, to 20 on CIFAR-10, and divide the learning rate by
    1 + alpha; here alpha stays.
    """

    alpha: float = 1.0
    eps: float = 1e-5

    def __post_init__(self):
        super().__post_init__()
        require(self.alpha >= 0, f"alpha weighs the peers, so it is 0 or more, not {self.alpha}")
        require(0 < self.eps < 1, f"eps is added to probabilities: more than 0 and below 1, not {self.eps}")

    def loss(self, net, batch, clock):
        loss = -(net(batch.x).softmax(1) + self.eps).log()  # (B, K), under each label
        # two orders, one of images and one of labels, are paired as one order of labels is with the images as they are
        order = torch.rand(len(batch.y), device=batch.y.device).argsort()
        own, peer = (loss.gather(1, y[:, None]) for y in (batch.y, batch.y[order]))
        return (own - self.alpha * peer).mean()
