"""FasTEN: a transition matrix estimated in every step, and labels that are corrected and doubted again (Kye 2022)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..inputs import require
from ..losses import cross_entropy, nll_through
from .believed_labels import BelievedLabels
from .twins import started_again


def estimated(p: Tensor, y: Tensor, K: int) -> Tensor:
    """T (K, K) from predictions p (n, K) of noisy labels for images of classes y (n,).

    Row i is the mean over those of class i (the left-hand form of Eq. 2, whose rows sum
    to 1 also where classes differ in number). The row of a class without an image is
    that of the identity.
    """
    member = nn.functional.one_hot(y, K).to(p.dtype)  # (n, K)
    count = member.sum(0)[:, None]
    with torch.autocast(p.device.type, enabled=False):  # rows shall sum to 1
        T = member.T @ p / count.clamp_min(1)
    return torch.where(count > 0, T, torch.eye(K, dtype=p.dtype, device=p.device))


@dataclass(frozen=True)
class FasTEN(BelievedLabels):
    """Two linear heads on the same features: a clean one, whose prediction passes through T before it meets a noisy
    label, and a noisy one, which says what T is on a batch of trusted images. The loss is the mean over the noisy and
    the trusted images of the clean head's, plus `lam` times cross entropy of the noisy head.

    Where the clean head is at least `rho` sure of a class, that is the label at the next visit; elsewhere the given
    one, so that a correction can be taken back. `immediate` corrects in the same step. Of the labels that
    are changed a share `perturb` is replaced by random ones, to see how much corrections matter. If the heads are not
    `shared`, the noisy one is a network of its own, to see what sharing the features gains.
    """

    lam: float = 0.5
    rho: float = 0.8
    correct: bool = True
    immediate: bool = False
    perturb: float = 0.0
    trusted_batch: int = 100
    shared: bool = True

    trust = "beside"
    each_class = True

    @property
    def passes(self):
        return (2, 1) if self.shared else (4, 2)

    @property
    def networks(self):
        return 1 if self.shared else 2

    def __post_init__(self):
        super().__post_init__()
        require(self.lam >= 0, f"lam weighs the noisy head, so 0 or more, not {self.lam}")
        require(0 <= self.rho <= 1 and 0 <= self.perturb <= 1, "rho and perturb are between 0 and 1")

    def build(self, net, task):
        net = super().build(net, task)
        net.noisy = nn.Linear(net.body[-1].in_features, task.K) if self.shared else started_again(net.body)
        net.register_buffer("T", torch.eye(task.K))
        return net

    def transition(self, net):
        return net.T

    @torch.no_grad()
    def corrected(self, p: Tensor, y: Tensor) -> Tensor:
        """Labels (B,) from the clean head's predictions p (B, K), given labels y (B,)."""
        sure, guess = p.max(1)
        draw = torch.rand(len(guess), 2, device=p.device)
        anything = (draw[:, 1] * p.shape[1]).long()
        perturbed = (draw[:, 0] < self.perturb) & (guess != y)
        guess = torch.where(perturbed, anything, guess)
        return torch.where(sure >= self.rho, guess, y) if self.correct else y

    def loss(self, net, batch, clock):
        features, trusted = net.body[:-1](batch.x), net.body[:-1](batch.trusted_x)
        p = net.body[-1](features).float().softmax(1)
        seen, seen_trusted = features, trusted
        if not self.shared:
            seen, seen_trusted = batch.x, batch.trusted_x
        # not under no_grad: autocast would keep a cast of the head without its gradient
        # (torch <= 2.10)
        told = net.noisy(seen_trusted).float().softmax(1).detach()
        T = estimated(told, batch.trusted_y, p.shape[1])
        net.T.copy_(T)

        i, new = batch.index.long(), self.corrected(p, batch.y)
        label = new if self.immediate else net.believed[i]
        net.believed.index_copy_(0, i, new)

        noisy = nll_through(p, T, label)
        known = cross_entropy(net.body[-1](trusted).float(), batch.trusted_y)
        of_noisy_head = cross_entropy(net.noisy(seen).float(), label)
        return torch.cat([noisy, known]).mean() + self.lam * of_noisy_head.mean()
