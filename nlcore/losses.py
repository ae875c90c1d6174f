"""Losses of each example: from logits (B, K) and labels y (B,) to losses (B,), in nats. p is the softmax of the logits.

T (K, K) is a transition matrix, T[i, j] = P(given label = j | true class = i).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """-log p_y, for labels y (B,)."""
    return F.cross_entropy(logits, y, reduction="none")


def soft_cross_entropy(logits: Tensor, q: Tensor) -> Tensor:
    """-sum_k q_k log p_k, for labels q (B, K) that are distributions over the classes."""
    return -(q * torch.log_softmax(logits, 1)).sum(1)


def smoothed_cross_entropy(logits: Tensor, y: Tensor, e: float) -> Tensor:
    """Cross entropy against (1 - e) onehot(y) + e/K (Szegedy 2016, section 7); e -> 0 is cross entropy."""
    logp = torch.log_softmax(logits, dim=1)  # (B, K)
    return -(1 - e) * logp.gather(1, y[:, None]).squeeze(1) - e * logp.mean(1)


def lq(logits: Tensor, y: Tensor, q: float) -> Tensor:
    """(1 - p_y^q) / q (Zhang & Sabuncu 2018), stable for every p.

    q = 0 is cross entropy, q = 1 is 1 - p_y.
    """
    loss = cross_entropy(logits, y)
    if q <= 1e-12:  # where 1 - p_y^q is lost in fp32
        return loss
    return -torch.expm1(-q * loss) / q  # p_y^q = exp(-q loss)


def mae(logits: Tensor, y: Tensor) -> Tensor:
    """`|onehot(y) - p|_1` = 2 - 2 p_y (Ghosh et al. 2017).

    It is symmetric: over all K labels it sums to a constant.
    """
    return 2 * lq(logits, y, 1.0)


def reverse_cross_entropy(logits: Tensor, y: Tensor, A: float) -> Tensor:
    """-sum_k p_k log onehot(y)_k, where log 0 is A < 0 (Wang et al. 2019): it comes to -A (1 - p_y)."""
    return -A * lq(logits, y, 1.0)


def normalised_cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """log p_y / sum_k log p_k (Ma et al. 2020): cross entropy as a share of its sum over all labels."""
    logp = torch.log_softmax(logits, 1)  # (B, K)
    return logp.gather(1, y[:, None]).squeeze(1) / logp.sum(1)


def bootstrapped(logits: Tensor, y: Tensor, b: float, hard: bool = False) -> Tensor:
    """Cross entropy against b onehot(y) + (1 - b) p or, `hard`, onehot(argmax p) in place of p (Reed et al. 2015)."""
    logp = torch.log_softmax(logits, dim=1)  # (B, K)
    given = logp.gather(1, y[:, None]).squeeze(1)
    own = logp.max(1).values if hard else (logp.exp() * logp).sum(1)
    return -b * given - (1 - b) * own


def distilled(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Cross entropy of the student's prediction against the teacher's (Hinton et al. 2015), from the logits of both,
    (B, K) each, divided by the temperature."""
    return soft_cross_entropy(logits / temperature, (teacher / temperature).softmax(1))


def forward_corrected(logits: Tensor, y: Tensor, T: Tensor) -> Tensor:
    """-log (T^T p)_y, the loss of the noisy prediction (Patrini 2017, section 3.3).

    It is computed in logarithms throughout.
    """
    # (B, K): the logarithm of P(true class i and the given label)
    log_joint = torch.log_softmax(logits, 1) + T.log()[:, y].T
    return -torch.logsumexp(log_joint, 1)


def nll_through(p: Tensor, T: Tensor, y: Tensor) -> Tensor:
    """-log((T^T p)_y + 1e-7), given probabilities p (B, K): forward correction, with a gradient also at zeros of T."""
    with torch.autocast(p.device.type, enabled=False):  # 1e-7 is nothing in half precision
        noisy = (p @ T).gather(1, y[:, None]).squeeze(1)
        return -(noisy + 1e-7).log()


def backward_corrected(logits: Tensor, y: Tensor, inverse: Tensor, clip: float = 0.0) -> Tensor:
    """(T^-1 l)_y, where l = -log p are the losses (K,) of an example under each label.

    Given is the `inverse` T^-1 (K, K) (Patrini 2017, section 3.2). With `clip`, the
    probabilities p are cut at it and at 1 less it, which bounds the loss.
    """
    log_p = torch.log_softmax(logits, 1)
    if clip:
        log_p = log_p.clamp(math.log(clip), math.log1p(-clip))
    return -(inverse[y] * log_p).sum(1)
