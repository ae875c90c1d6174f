"""What the claims measure: numbers of the runs of one seed, a row for each."""

import math

import pandas as pd
import torch
from torch import Tensor

from ... import data
from ...losses import cross_entropy, lq
from ..effects import ahead, leads, mean, points, rank_correlation

UNIFORM = "symmetric_exclusive"


def ahead_at(a: str, b: str, dataset: str, rate: float, rows: pd.DataFrame) -> float:
    """Points that method `a` is ahead of `b` on a data set, at a rate of uniform noise."""
    return ahead(rows, a, b, noise=UNIFORM, rate=rate, dataset=dataset)


def ahead_class_dependent(rows: pd.DataFrame) -> float:
    """Points that L_q is ahead of cross entropy on CIFAR-10 at a rate of 0.4."""
    return ahead(rows, "gce", "ce", noise="asymmetric_cifar10", rate=0.4, dataset="cifar10")


def lead_by_rate(rows: pd.DataFrame) -> pd.Series:
    return leads(rows, "gce", "ce", UNIFORM)


def growth_of_the_lead(rows: pd.DataFrame) -> float:
    found = leads(rows, "gce", "ce", UNIFORM)
    return found.get(0.6, math.nan) - found.get(0.4, math.nan)


def truncated_ahead(rate: float, rows: pd.DataFrame) -> float:
    return ahead(rows, "truncated", "gce", noise=UNIFORM, rate=rate)


def lost_of_what_was_learned(rows: pd.DataFrame) -> float:
    """By cross entropy (q = 0) at 0.6, of the accuracy above chance at its peak the share that is gone at the end."""
    at = {"rate": 0.6, "method_q": 0.0}
    peak, last = mean(rows, "peak", **at), mean(rows, **at)
    chance = 1 / data.classes(rows.dataset.iloc[0])
    return (peak - last) / (peak - chance)


def memorised(rows: pd.DataFrame) -> float:
    """Of the wrong training labels the share, in percent, that cross entropy (q = 0) at 0.6 predicts."""
    return 100 * mean(rows, "train_wrong", rate=0.6, method_q=0.0)


def kept_under_noise(q: float, rows: pd.DataFrame) -> float:
    """Accuracy under uniform noise of 0.6, in percent of that on clean labels."""
    return 100 * mean(rows, rate=0.6, method_q=q) / mean(rows, rate=0.0, method_q=q)


def robust_at_1(rows: pd.DataFrame) -> float:
    return kept_under_noise(1.0, rows) - kept_under_noise(0.8, rows)


def robust_at_08(rows: pd.DataFrame) -> pd.Series:
    small = pd.Series([kept_under_noise(q, rows) for q in (0.0, 0.4)])
    return kept_under_noise(0.8, rows) - small


def clean_cost_of_1(rows: pd.DataFrame) -> float:
    """Points that q = 1 is ahead of the lowest of the others on clean labels."""
    others = pd.Series([points(rows, rate=0.0, method_q=q) for q in (0.0, 0.4, 0.8)])
    return points(rows, rate=0.0, method_q=1.0) - others.min(skipna=False)


def rank_with_q(rows: pd.DataFrame) -> float:
    """Rank correlation of q with the epochs until a curve on clean labels reaches 80 % of what it ends at."""
    return rank_correlation(pd.Series({q: mean(rows, "rise", rate=0.0, method_q=q) for q in (0.0, 0.4, 0.8, 1.0)}))


def share_of_ce(rows: pd.DataFrame) -> float:
    """Accuracy of absolute error over that of cross entropy, on clean CIFAR-100."""
    at = {"noise": "clean", "dataset": "cifar100"}
    return points(rows, method="mae", **at) / points(rows, method="ce", **at)


def pruned(column: str, rows: pd.DataFrame) -> float:
    """A column of the run whose pruning is as published, with k = 0.5, at 0.6."""
    at = {"method_pruner": "best", "method_detached": False, "method_k": 0.5}
    as_published = rows[rows.method_start > 0] if "method_start" in rows else rows[:0]
    return mean(as_published, column, method="truncated", rate=0.6, **at)


def wrong_among_kept(rows: pd.DataFrame) -> float:
    """The share of wrong labels among those kept, over that among all."""
    return (1 - pruned("kept_precision", rows)) / pruned("realised_rate", rows)


def random_logits() -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(0)
    logits = torch.randn(256, 10, generator=draw, dtype=torch.double).requires_grad_()
    return logits, torch.randint(10, (256,), generator=draw)


def off_in_gradient(q: float = 0.7) -> float:
    """Between the gradient of L_q and p^q times that of cross entropy."""
    logits, y = random_logits()
    p = logits.softmax(1).gather(1, y[:, None]).detach()
    of_lq, of_ce = (torch.autograd.grad(loss.sum(), logits)[0] for loss in (lq(logits, y, q), cross_entropy(logits, y)))
    return (of_lq - p**q * of_ce).abs().max().item()


def off_near_0() -> float:
    """Between L_q for q near 0 and cross entropy, as a share of it."""
    logits, y = random_logits()
    ce = cross_entropy(logits, y)
    return ((lq(logits, y, 1e-9) - ce).abs() / ce).max().item()


def off_at_1() -> float:
    """Between L_q for q = 1 and 1 - p."""
    logits, y = random_logits()
    p = logits.softmax(1).gather(1, y[:, None])[:, 0]
    return (lq(logits, y, 1.0) - (1 - p)).abs().max().item()


def outside_of_the_bounds(q: float = 0.7, K: int = 10) -> float:
    """How far the sum of L_q over all labels goes beyond the bounds of Lemma 1."""
    logits, y = random_logits()
    total = sum(lq(logits, torch.full_like(y, k), q) for k in range(K)).detach()
    below, above = (K - K ** (1 - q)) / q - total.min().item(), total.max().item() - (K - 1) / q
    return max(below, above, 0.0)


def kept_by_one_rule_alone(k: float = 0.5, q: float = 0.7) -> float:
    """Of 4096 random predictions those kept either by p > k or by L_q < L_q(k), and not by both."""
    logits = 3 * torch.randn(4096, 10, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    y = logits.new_zeros(4096, dtype=torch.long)
    pruned, paced = logits.softmax(1)[:, 0] > k, lq(logits, y, q) < (1 - k**q) / q
    return float((pruned != paced).sum())
