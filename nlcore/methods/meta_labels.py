"""Soft labels by a look ahead: what should the label be, for a step on it to lower the loss on trusted images?"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..losses import cross_entropy
from .meta import Meta, mlp


def soft_cross_entropy(logits: Tensor, q: Tensor) -> Tensor:
    """-sum_k q_k log p_k (B,) for logits and soft labels q, both (B, K)."""
    return -(q * torch.log_softmax(logits, 1)).sum(1)


class Corrector(nn.Module):
    """From features (B, F) and given labels (B,) to the logits (B, K) of a soft label."""

    def __init__(self, F: int, K: int, width: int = 128):
        super().__init__()
        self.of = nn.Embedding(K, width)
        hidden = [nn.Linear(F + width, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh()]
        self.rest = nn.Sequential(*hidden, nn.Linear(width, K))

    def forward(self, features, y):
        return self.rest(torch.cat([features, self.of(y)], 1))


@dataclass(frozen=True)
class MLaC(Meta):
    """Meta label correction (Zheng, Awadallah & Dumais 2021): a net makes a soft label from the network's features and
    the given label; the network learns that label. As in the authors' code, half of each trusted batch looks ahead and
    the other half teaches the network directly. The width of the hidden layers is ours.
    """

    lr: float = 3e-4

    passes = (3, 3)

    def build(self, net, task):
        net.register_buffer("believed", torch.zeros(task.M, dtype=torch.long))
        net.meta = Corrector(net.body[-1].in_features, task.K)
        return net

    def on_epoch(self, net, clock, view):
        if clock.epoch == 0:
            net.believed.copy_(view.label)

    def labels(self, net):
        return net.believed

    def loss(self, net, batch, clock):
        features = net.body[:-1](batch.x)
        logits, q = net.body[-1](features), net.meta(features.detach(), batch.y).softmax(1)
        net.believed.index_copy_(0, batch.index.long(), q.argmax(1))
        known = cross_entropy(net(batch.trusted_x[1::2]), batch.trusted_y[1::2])
        rest = batch._replace(trusted_x=batch.trusted_x[::2], trusted_y=batch.trusted_y[::2])
        return self.taught(net, lambda q: torch.cat([soft_cross_entropy(logits, q), known]), q, rest, clock.rate)


@dataclass(frozen=True)
class MSLC(Meta):
    """Meta soft label corrector (Wu et al. 2021): the label is a mixture of the given one, of the label of the visit
    before and of the present prediction,

        q = a y + (1 - a) (b q_before + (1 - b) p),

    with a and b from two MLPs 1-100-1 that see the losses of the prediction against y and against q_before. The authors
    start from a network trained on the noisy labels as they are; the first `warm` of the steps do that here.
    """

    warm: float = 0.2

    def build(self, net, task):
        net.register_buffer("q", torch.zeros(task.M, task.K))
        net.meta = nn.ModuleList([mlp(), mlp()])
        return net

    def on_epoch(self, net, clock, view):
        if clock.epoch == 0:
            net.q.copy_(nn.functional.one_hot(view.label, net.q.shape[1]))

    def labels(self, net):
        return net.q.argmax(1)

    def loss(self, net, batch, clock):
        i, logits = batch.index.long(), net(batch.x)
        y, before, out = nn.functional.one_hot(batch.y, net.q.shape[1]).to(logits.dtype), net.q[i], logits.detach()
        a, b = (m(soft_cross_entropy(out, q)[:, None]) for m, q in zip(net.meta, (y, before), strict=True))
        q = a * y + (1 - a) * (b * before + (1 - b) * out.softmax(1))
        q = torch.where(clock.step < self.warm * clock.steps, y, q)
        net.q.index_copy_(0, i, q.detach().to(net.q.dtype))
        return self.taught(net, lambda q: soft_cross_entropy(logits, q), q, batch, clock.rate)
