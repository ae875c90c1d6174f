"""Curricula: how much each pair counts, from its loss (Jiang et al. 2018, the predefined ones)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..inputs import lookup, require
from ..losses import cross_entropy
from .base import Batch, Clock, Method

# A curriculum gives the weights v in [0, 1] of pairs (B,), from their losses l (B,), the differences d = l - lambda_1
# (B,) from a moving percentile of losses, and the percentage of training that is over, 0 to 99 (a scalar tensor).


def uniform(loss: Tensor, d: Tensor, percent: Tensor) -> Tensor:
    """All pairs alike."""
    return torch.ones_like(loss)


def self_paced(loss: Tensor, d: Tensor, percent: Tensor) -> Tensor:
    """1 where l <= lambda_1, else 0: minimises v l - lambda_1 v (Kumar et al. 2010)."""
    return (d <= 0).to(loss.dtype)


def hard_negative(loss: Tensor, d: Tensor, percent: Tensor) -> Tensor:
    """1 where l >= lambda_1, else 0; that every positive pair counts as well has no meaning with K classes."""
    return (d >= 0).to(loss.dtype)


def linear(loss: Tensor, d: Tensor, percent: Tensor, gamma: float = 1.0) -> Tensor:
    """1 - d / gamma, cut to [0, 1]: minimises v l + gamma v^2 / 2 - (lambda_1 + gamma) v (Eq. 7, lambda_2 = gamma)."""
    return (1 - d / gamma).clamp(0, 1)


def focal(loss: Tensor, d: Tensor, percent: Tensor, gamma: float = 2.0) -> Tensor:
    """(1 - p)^gamma with p = exp(-l): prefers hard pairs (Lin et al. 2017)."""
    return (1 - (-loss).exp()) ** gamma


def pd(loss: Tensor, d: Tensor, percent: Tensor) -> Tensor:
    """The schedule that MentorNet PD imitates: all pairs up to 18 %, then self-paced, linear from 90 %."""
    late = torch.where(percent >= 90, linear(loss, d, percent), self_paced(loss, d, percent))
    return torch.where(percent <= 18, torch.ones_like(loss), late)


CURRICULA = {f.__name__: f for f in (uniform, self_paced, hard_negative, linear, focal, pd)}
# those that minimise v l + G(v), G(v) = lambda_2 v^2 / 2 - (lambda_1 + lambda_2) v; the first with lambda_2 = 0
EXPLICIT = ("self_paced", "linear")


@dataclass(frozen=True)
class Curriculum(Method):
    """Cross entropy weighted by a curriculum, one mini-batch at a time (Algorithm 1 with v in closed form).

    lambda_1 is the moving average of the p-quantile of a batch's losses, from 0 as released, or divided by 1 - decay^t
    when `corrected`. In the first `burn_in` of training v is drawn from Bernoulli(keep); after it a share `drop` of the
    pairs, drawn at random, counts for nothing. With `explicit` > 0 v is not the minimum of v l + G(v), but one step of
    that size along its gradient from the v that the pair had (Algorithm 1, line 9). The mean is over the batch, not
    over the weights, so a batch without weight has no gradient.
    """

    kind: str = "self_paced"
    p: float = 0.75
    decay: float = 0.95
    corrected: bool = False
    burn_in: float = 0.2
    keep: float = 0.5
    drop: float = 0.0
    explicit: float = 0.0
    lambda_2: float = 1.0  # of the kind "linear"

    kinds = (*CURRICULA,)

    def __post_init__(self):
        super().__post_init__()
        lookup("curriculum", self.kind, self.kinds)
        shares = (self.p, self.decay, self.burn_in, self.keep, self.drop)
        require(all(0 <= s <= 1 for s in shares), "p, decay, burn_in, keep and drop are between 0 and 1")
        require(self.decay < 1, "decay must be below 1, or the percentile never moves")
        require(self.lambda_2 > 0, "lambda_2 must be more than 0; at 0 the curriculum is self_paced")
        require(self.explicit >= 0, f"explicit weighs G, so it is 0 (not there) or more, not {self.explicit}")
        if self.explicit:
            lookup("curriculum with an explicit G", self.kind, EXPLICIT)

    def build(self, net, task):
        net.register_buffer("percentile", torch.zeros((), dtype=torch.float32))
        net.register_buffer("v", torch.ones(task.M, dtype=torch.float32))
        net.register_buffer("seen", torch.zeros(task.M, dtype=torch.float32))  # the losses that v was given for
        return net

    def weights(self, net):
        return net.v.nan_to_num()  # of a network that has diverged

    def losses(self, net):
        return net.seen.nan_to_num()

    def chosen(self, net, loss: Tensor, d: Tensor, percent: Tensor, batch: Batch) -> Tensor:
        """v (B,) after the burn-in."""
        if self.explicit:
            v = net.v[batch.index]
            lambda_2 = self.lambda_2 if self.kind == "linear" else 0.0
            slope = d + lambda_2 * (v - 1)  # of v l + G(v)
            return (v - self.explicit * slope).clamp(0, 1)
        if self.kind == "linear":
            return linear(loss, d, percent, self.lambda_2)
        return CURRICULA[self.kind](loss, d, percent)

    def limit(self, net, loss: Tensor, clock: Clock) -> Tensor:
        """lambda_1, a scalar: the moving average of the p-quantile of losses, moved on by those of this batch."""
        net.percentile.lerp_(loss.quantile(self.p), 1 - self.decay)
        if self.corrected:
            return net.percentile / (1 - self.decay ** (clock.step + 1))
        return net.percentile

    @torch.no_grad()
    def weigh(self, net, loss: Tensor, batch: Batch, clock: Clock) -> Tensor:
        """v (B,) for the losses l (B,) of a batch; moves the percentile, and remembers v and l."""
        share = clock.step / clock.steps  # of training that is over
        percent = (100 * share).floor().clamp(max=99)
        d = loss - self.limit(net, loss, clock)
        with torch.autocast(loss.device.type, enabled=False):
            late = self.chosen(net, loss, d, percent, batch)
        early = torch.bernoulli(torch.full_like(loss, self.keep))
        v = torch.where(share < self.burn_in, early, late)
        net.v.index_copy_(0, batch.index.long(), v)
        net.seen.index_copy_(0, batch.index.long(), loss)
        if self.drop:
            used = torch.bernoulli(torch.full_like(loss, 1 - self.drop))
            v = torch.where(share < self.burn_in, v, v * used)
        return v

    def loss(self, net, batch, clock):
        loss = cross_entropy(net(batch.x), batch.y).float()
        v = self.weigh(net, loss.detach(), batch, clock)
        return (v * loss).mean()
