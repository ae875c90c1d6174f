"""Losses of each example: from logits (B, K) and labels y (B,) to losses (B,), in nats. p is the softmax of the logits.

T (K, K) is a transition matrix, T[i, j] = P(given label = j | true class = i). Labels are integers (torch.long), 0 to
K - 1. Logits may be of any size, in fp32 or bf16: losses and their gradients stay finite. Each loss is one line in a
training loop, where its mean is minimised. Below, the network believes the first of two labels and not the second:

>>> import torch
>>> from nlcore import losses
>>> logits, y = torch.tensor([[2.0, 0.0, 0.0], [2.0, 0.0, 0.0]]), torch.tensor([0, 1])
>>> losses.cross_entropy(logits, y)
tensor([0.2395, 2.2395])
>>> losses.smoothed_cross_entropy(logits, y, e=0.1)
tensor([0.3729, 2.1729])
>>> losses.lq(logits, y, q=0.7)
tensor([0.2205, 1.1307])
>>> losses.mae(logits, y)
tensor([0.4260, 1.7870])
>>> losses.reverse_cross_entropy(logits, y, A=-4.0)
tensor([0.8521, 3.5740])
>>> losses.normalised_cross_entropy(logits, y)
tensor([0.0508, 0.4746])
>>> losses.bootstrapped(logits, y, b=0.8)
tensor([0.3248, 1.9248])
>>> T = torch.tensor([[0.6, 0.4, 0.0], [0.0, 0.6, 0.4], [0.4, 0.0, 0.6]])
>>> losses.forward_corrected(logits, y, T)
tensor([0.6640, 0.9710])
>>> losses.nll_through(logits.softmax(1), T, y)
tensor([0.6640, 0.9710])
>>> losses.backward_corrected(logits, y, T.inverse(), clip=1e-7)
tensor([-0.3319,  1.0967])
>>> losses.soft_cross_entropy(logits, torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]]))
tensor([1.2395, 1.2395])
>>> losses.distilled(logits, teacher=2 * logits, temperature=2.0)
tensor([0.7645, 0.7645])
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .inputs import require


def _check_labels(p: Tensor, y: Tensor) -> None:
    """Refuse labels that are not torch.long, one for each row of p (B, K): torch would repeat one, or take the first.
    Their values are not looked at, as a GPU would have to be waited for."""
    require(y.shape == p.shape[:1], f"{len(p)} predictions need labels ({len(p)},), not {(*y.shape,)}")
    require(y.dtype == torch.long, f"labels are torch.long, not {y.dtype}; y.long() makes them so")


def _check_matrix(p: Tensor, T: Tensor) -> None:
    """Refuse what is no matrix of K classes for p (B, K)."""
    K = p.shape[1]
    is_one = isinstance(T, Tensor) and T.shape == (K, K)
    require(is_one, f"the matrix is a tensor {(K, K)}, as there are {K} classes, not {getattr(T, 'shape', type(T))}")


def _check_range(name: str, value: float, least: float, most: float) -> None:
    """Refuse a number out of its range; a tensor is not looked at, as a GPU would have to be waited for."""
    fits = isinstance(value, Tensor) or least <= value <= most
    require(fits, f"{name} is a number from {least:.3g} to {most:.3g}, not {value}")


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """-log p_y, for labels y (B,)."""
    _check_labels(logits, y)
    return F.cross_entropy(logits, y, reduction="none")


def soft_cross_entropy(logits: Tensor, q: Tensor) -> Tensor:
    """-sum_k q_k log p_k, for labels q (B, K) that are distributions over the classes."""
    require(q.shape == logits.shape, f"soft labels are {(*logits.shape,)} as the logits, not {(*q.shape,)}")
    return -(q * torch.log_softmax(logits, 1)).sum(1)


def smoothed_cross_entropy(logits: Tensor, y: Tensor, e: float) -> Tensor:
    """Cross entropy against (1 - e) onehot(y) + e/K (Szegedy 2016, section 7); e -> 0 is cross entropy.

    With a negative e it is negative label smoothing (Wei et al. 2022), which has no lower bound.
    """
    _check_range("e of smoothed cross entropy", e, -math.inf, 1)
    _check_labels(logits, y)
    logp = torch.log_softmax(logits, dim=1)  # (B, K)
    return -(1 - e) * logp.gather(1, y[:, None]).squeeze(1) - e * logp.mean(1)


def lq(logits: Tensor, y: Tensor, q: float) -> Tensor:
    """(1 - p_y^q) / q (Zhang & Sabuncu 2018), stable for every p.

    q = 0 is cross entropy, q = 1 is 1 - p_y. A `UserError` if q is negative or infinite.
    """
    require(isinstance(q, Tensor) or 0 <= q < math.inf, f"q of L_q is 0 or more, and finite, not {q}")
    loss = cross_entropy(logits, y)
    if q <= 1e-12:  # where 1 - p_y^q is lost in fp32
        return loss
    exact = loss.float() if loss.dtype.itemsize < 4 else loss  # a small q loss is 0 in fp16
    return (-torch.expm1(-q * exact) / q).to(loss.dtype)  # p_y^q = exp(-q loss)


def mae(logits: Tensor, y: Tensor) -> Tensor:
    """`|onehot(y) - p|_1` = 2 - 2 p_y (Ghosh et al. 2017).

    It is symmetric: over all K labels it sums to a constant.
    """
    return 2 * lq(logits, y, 1.0)


def reverse_cross_entropy(logits: Tensor, y: Tensor, A: float) -> Tensor:
    """-sum_k p_k log onehot(y)_k, where log 0 is A < 0 (Wang et al. 2019): it comes to -A (1 - p_y)."""
    require(isinstance(A, Tensor) or A < 0, f"A stands for log 0, so it is negative, not {A}")
    return -A * lq(logits, y, 1.0)


def normalised_cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """log p_y / sum_k log p_k (Ma et al. 2020): cross entropy as a share of its sum over all labels."""
    _check_labels(logits, y)
    logp = torch.log_softmax(logits, 1)  # (B, K)
    return logp.gather(1, y[:, None]).squeeze(1) / logp.sum(1)


def bootstrapped(logits: Tensor, y: Tensor, b: float, hard: bool = False) -> Tensor:
    """Cross entropy against b onehot(y) + (1 - b) p or, `hard`, onehot(argmax p) in place of p (Reed et al. 2015)."""
    _check_labels(logits, y)
    _check_range("b of bootstrapping", b, 0, 1)
    logp = torch.log_softmax(logits, dim=1)  # (B, K)
    given = logp.gather(1, y[:, None]).squeeze(1)
    own = logp.max(1).values if hard else (logp.exp() * logp).sum(1)
    return -b * given - (1 - b) * own


def distilled(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Cross entropy of the student's prediction against the teacher's (Hinton et al. 2015), from the logits of both,
    (B, K) each, divided by the temperature."""
    require(isinstance(temperature, Tensor) or temperature > 0, f"temperature is more than 0, not {temperature}")
    return soft_cross_entropy(logits / temperature, (teacher / temperature).softmax(1))


def forward_corrected(logits: Tensor, y: Tensor, T: Tensor) -> Tensor:
    """-log (T^T p)_y, the loss of the noisy prediction (Patrini 2017, section 3.3).

    It is computed in logarithms throughout.
    """
    _check_labels(logits, y)
    _check_matrix(logits, T)
    # (B, K): the logarithm of P(true class i and the given label)
    log_joint = torch.log_softmax(logits, 1) + T.log().T.index_select(0, y)
    return -torch.logsumexp(log_joint, 1)


def nll_through(p: Tensor, T: Tensor, y: Tensor) -> Tensor:
    """-log((T^T p)_y + 1e-7), given probabilities p (B, K): forward correction, with a gradient also at zeros of T
    (Patrini 2017, section 3.3)."""
    _check_labels(p, y)
    _check_matrix(p, T)
    exact = torch.promote_types(p.dtype, torch.float32)  # 1e-7 is nothing in half precision
    with torch.autocast(p.device.type, enabled=False):
        noisy = (p.to(exact) @ T.to(exact)).gather(1, y[:, None]).squeeze(1)
        return -(noisy + 1e-7).log()


def backward_corrected(logits: Tensor, y: Tensor, inverse: Tensor, clip: float = 0.0) -> Tensor:
    """(T^-1 l)_y, where l = -log p are the losses (K,) of an example under each label.

    Given is the `inverse` T^-1 (K, K) (Patrini 2017, section 3.2). With `clip`, the
    probabilities p are cut at it and at 1 less it, which bounds the loss.
    """
    _check_labels(logits, y)
    _check_matrix(logits, inverse)
    _check_range("clip", clip, 0, 0.5)
    log_p = torch.log_softmax(logits, 1)
    if clip:
        log_p = log_p.clamp(math.log(clip), math.log1p(-clip))
    return -(inverse.index_select(0, y) * log_p).sum(1)
