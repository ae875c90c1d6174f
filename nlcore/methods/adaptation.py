"""A noise adaptation layer: the transition matrix is learned together with the network."""

from dataclasses import dataclass

import torch
from torch import nn

from ..losses import forward_corrected
from .base import Stage
from .ce import CE
from .correction import Forward


@dataclass(frozen=True)
class NoiseAdaptation(Forward):
    """Cross entropy of T^T p with a trained T = softmax(W), the same for all images (the simple form of Goldberger &
    Ben-Reuven 2017). Without a T to start from, T is first the confusion matrix of a training on cross entropy, its
    predictions against the given labels, with one count more in every cell; and the network goes on from that training,
    both as in the code udibr/noisy_labels. With `restart` it starts from its initial weights again.

    The labels alone do not tell T: T = I with the noisy posterior, or T and p with classes exchanged, fit as well.
    """

    restart: bool = False

    sees_all_pairs = True
    undecayed = ("W",)

    @property
    def passes(self):
        return (2, 2) if self.first else (1, 1)

    @property
    def first(self):
        return None if self.T else Stage(CE(), best=True, hands_on=not self.restart)

    def after(self, net, view):
        label, logits = view.label, view.logits(False)
        K, guess = logits.shape[1], logits.argmax(1)
        cells = torch.bincount(guess * K + label, minlength=K * K)  # row: the prediction, column: the given label
        counts = 1 + cells.double().reshape(K, K)
        T = counts / counts.sum(1, keepdim=True)
        return {"T": T.tolist()}

    def build(self, net, task):
        T = self.matrix(task.K).clamp_min(1e-6)  # a logarithm of 0 could not be trained
        net.W = nn.Parameter(T.log())
        return net

    def transition(self, net):
        return net.W.softmax(1)

    def loss(self, net, batch, clock):
        return forward_corrected(net(batch.x), batch.y, self.transition(net)).mean()
