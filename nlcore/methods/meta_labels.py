"""Soft labels by a look ahead: what should the label be, for a step on it to lower the loss on trusted images?"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..inputs import require
from ..losses import cross_entropy, soft_cross_entropy
from .believed_labels import BelievedLabels
from .meta import Meta, mlp


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
class MLaC(BelievedLabels, Meta):
    """Meta label correction (Zheng, Awadallah & Dumais 2021): a net makes a soft label from the network's features and
    the given label; the network learns that label. As in the authors' code, half of each trusted batch, drawn anew,
    looks ahead and the other half teaches the network directly. Their look ahead has the momentum and the weight decay
    of the optimiser as well, and their correcting net starts from Xavier's weights instead of torch's.
    """

    lr: float = 3e-4

    passes = (3, 3)

    def build(self, net, task):
        net = super().build(net, task)
        net.meta = Corrector(net.body[-1].in_features, task.K)
        return net

    def loss(self, net, batch, clock):
        features = net.body[:-1](batch.x)
        logits = net.body[-1](features)
        q = net.meta(features.detach(), batch.y).softmax(1)
        net.believed.index_copy_(0, batch.index.long(), q.argmax(1))

        look, teach = torch.rand(len(batch.trusted_y), device=batch.y.device).argsort().chunk(2)
        known = cross_entropy(net(batch.trusted_x[teach]), batch.trusted_y[teach])
        ahead = batch._replace(trusted_x=batch.trusted_x[look], trusted_y=batch.trusted_y[look])
        return self.taught(net, lambda q: torch.cat([soft_cross_entropy(logits, q), known]), q, ahead, clock.rate)


@dataclass(frozen=True)
class MSLC(Meta):
    """Meta soft label corrector (Wu et al. 2021): the loss is a mixture of cross entropy with the given label y, with
    the label of the visit before and with the present prediction, in the shares a, (1 - a) b and (1 - a) (1 - b). What
    is kept for the next visit is soft, the same mixture of y, of what was kept and of p. The shares a and b are those
    of two MLPs 1-100-1 that see the first and the second of these losses.

    For the first `warm` of the steps, as in the authors' code until the learning rate falls, labels are as given and
    predictions are kept. Those steps look ahead here too, in vain; there they do not and cost less. The authors' code
    differs in four ways: what it keeps at the end of the warm-up is the mean of the last ten epochs' predictions, not
    the last one; its learning rate falls just then (here, in the recipe of Kye et al., a little later); its look ahead
    keeps the first rate until epoch 100 of 120; and its two nets have a weight decay of 1e-4. On digits none of this
    moved an accuracy by more than the seeds did.
    """

    warm: float = 2 / 3

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.warm <= 1, f"warm is a share of all steps, from 0 to 1, not {self.warm}")

    def build(self, net, task):
        net.register_buffer("q", torch.zeros(task.M, task.K))
        net.meta = nn.ModuleList([mlp(), mlp()])
        return net

    def on_epoch(self, net, clock, view):
        if clock.epoch == 0:
            net.q.copy_(nn.functional.one_hot(view.label, net.q.shape[1]))

    def labels(self, net):
        return net.q.argmax(1)

    def shares(self, net: nn.Module, losses: Tensor) -> Tensor:
        """The shares (B, 3) of the given, the kept and the predicted label, from the losses (B, 3) under each."""
        of_given, of_kept = net.meta
        a, b = of_given(losses[:, :1]).to(losses.dtype), of_kept(losses[:, 1:2]).to(losses.dtype)
        return torch.cat([a, (1 - a) * b, (1 - a) * (1 - b)], 1)

    def loss(self, net, batch, clock):
        i, logits = batch.index.long(), net(batch.x)
        kept, p = net.q[i], logits.detach().softmax(1)
        losses = [cross_entropy(logits, label) for label in (batch.y, kept.argmax(1), p.argmax(1))]
        losses = torch.stack(losses, 1)  # (B, 3)
        shares = self.shares(net, losses.detach())

        labels = torch.stack([nn.functional.one_hot(batch.y, p.shape[1]), kept, p], 1)  # (B, 3, K)
        mixture = (shares.detach()[:, :, None] * labels).sum(1)
        warming = clock.step < self.warm * clock.steps
        net.q.index_copy_(0, i, torch.where(warming, p, mixture).to(net.q.dtype))

        given_alone = torch.eye(3, dtype=shares.dtype, device=shares.device)[0]
        shares = torch.where(warming, given_alone, shares)
        return self.taught(net, lambda shares: (shares * losses).sum(1), shares, batch, clock.rate)
