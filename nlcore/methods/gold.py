"""What trusted images beside the noisy ones do without a look ahead: teach alone, or tell the transition matrix."""

from dataclasses import dataclass

import torch

from ..losses import cross_entropy, forward_corrected
from .base import Method, Stage
from .ce import CE
from .correction import Forward
from .fasten import estimated


@dataclass(frozen=True)
class TrustedOnly(Method):
    """Cross entropy on the trusted images; the noisy ones are not looked at."""

    trusted_batch: int = 100

    trust = "beside"

    def loss(self, net, batch, clock):
        return cross_entropy(net(batch.trusted_x), batch.trusted_y).mean()


@dataclass(frozen=True)
class GLC(Forward):
    """Gold loss correction (Hendrycks et al. 2018). A first training on the noisy labels; row i of T is its mean
    prediction for the trusted images of class i. A second one from the same initial weights: forward correction on the
    noisy images, cross entropy on the trusted ones, summed over both and divided by their number.

    The authors mix trusted images into every batch as often as they are there; here a step has `trusted_batch` of them.
    """

    trusted_batch: int = 100

    trust = "beside"

    @property
    def passes(self):
        return (3, 2) if self.first else (2, 1)

    @property
    def first(self):
        return None if self.T else Stage(CE())

    def after(self, net, view):
        p = view.trusted().double().softmax(1)
        return {"T": estimated(p, view.true, K=p.shape[1]).tolist()}

    def transition(self, net):
        return net.T

    def loss(self, net, batch, clock):
        noisy = forward_corrected(net(batch.x), batch.y, net.T)
        known = cross_entropy(net(batch.trusted_x), batch.trusted_y)
        return torch.cat([noisy, known]).mean()
