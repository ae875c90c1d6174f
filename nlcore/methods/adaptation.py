"""A noise adaptation layer: the transition matrix is learned together with the network."""

from dataclasses import dataclass, replace

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
    predictions against the given labels (as in the code udibr/noisy_labels), with one count more in every cell.

    The labels alone do not tell T: T = I with the noisy posterior, or T and p with classes exchanged, fit as well.
    """

    passes = (2, 2)

    @property
    def first(self):
        return None if self.T else Stage(CE(), best=True)

    def after(self, net, view):
        label, logits = view.label, view.logits(False)
        K = logits.shape[1]
        counts = torch.ones(K * K, dtype=torch.double, device=label.device)
        counts.index_add_(0, logits.argmax(1) * K + label, counts.new_ones(len(label)))
        T = counts.reshape(K, K) / counts.reshape(K, K).sum(1, keepdim=True)
        return replace(self, T=tuple(map(tuple, T.tolist())))

    def build(self, net, task):
        net.register_parameter("W", nn.Parameter(self.matrix(task.K).clamp_min(1e-6).log()))
        return net

    def transition(self, net):
        return net.W.softmax(1)

    def loss(self, net, batch, clock):
        return forward_corrected(net(batch.x), batch.y, self.transition(net)).mean()
