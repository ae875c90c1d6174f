"""What Zhang & Sabuncu 2018 claim, each with a predicate over one row per run."""

import pandas as pd
import torch

from ...losses import cross_entropy, lq
from ..claims import Claim, Verdict, judged
from ..tables import share
from .experiments import cifar10, cifar100, fashion, pruning, q_sweep


def gaps(frame: pd.DataFrame, a: str, b: str, uniform: bool) -> pd.Series:
    """Mean accuracy of method `a` less that of `b` in points, by each rate that has both, of uniform or of
    class-dependent noise; empty for more than one network."""
    kind = (frame.noise == "symmetric_exclusive") == uniform
    rows = frame[kind & (frame.noise != "clean")]
    means = rows.pivot_table(index="rate", columns="method", values="test_accuracy")
    if not {a, b} <= {*means} or frame.model.nunique() > 1:
        return pd.Series(dtype=float)
    return 100 * (means[a] - means[b]).dropna()


def told(values: pd.Series, form: str = "+.1f") -> str:
    """`0.4: +3.1, 0.6: +9.2`."""
    return ", ".join(f"{at:g}: {value:{form}}" for at, value in values.items())


def c1(frame: pd.DataFrame) -> Verdict:
    gap = gaps(frame, "gce", "ce", True)
    if not {0.4, 0.6} <= {*gap.index}:
        return Verdict("not run", "needs CE and L_q under uniform noise of 0.4 and 0.6 at least")
    conditions = {f"L_q - CE is above 0 at every rate of uniform noise ({told(gap)})": bool((gap > 0).all())}
    return judged(conditions | {"it grows up to 0.6": gap[gap.index <= 0.6].is_monotonic_increasing})


def c2(frame: pd.DataFrame) -> Verdict:
    gap = gaps(frame, "truncated", "gce", True).reindex([0.4, 0.6])
    if gap.isna().any():
        return Verdict("not run", "needs L_q and truncated L_q under uniform noise of 0.4 and 0.6")
    return judged({f"truncated L_q - L_q at {r:g}: {g:+.1f} points, at least -0.5": g >= -0.5 for r, g in gap.items()})


def means_by_q(frame: pd.DataFrame, rate: float, column: str) -> pd.Series | None:
    """Means of a column by q, at a rate of uniform noise (0: clean labels)."""
    rows = frame[(frame.rate == rate) & (frame.method == "gce")]
    if not len(rows):
        return None
    found = rows.groupby("method_q")[column].mean()
    whole = {0, 0.4, 0.8, 1} <= {*found.index}
    return found if whole and frame.model.nunique() == 1 else None


def c3(frame: pd.DataFrame) -> Verdict:
    last, peak = means_by_q(frame, 0.6, "test_accuracy"), means_by_q(frame, 0.6, "peak")
    if last is None:
        return Verdict("not run", "needs q = 0, 0.4, 0.8 and 1 under uniform noise of 0.6")
    fall = 100 * (peak[0] - last[0])
    text = f"q = 0 at 0.6: {peak[0]:.1%} at best, {last[0]:.1%} at last, a fall of {fall:.1f} >= 15"
    return judged({text: fall >= 15})


def c4(frame: pd.DataFrame) -> Verdict:
    noisy, clean = means_by_q(frame, 0.6, "test_accuracy"), means_by_q(frame, 0, "test_accuracy")
    if noisy is None or clean is None:
        return Verdict("not run", "needs q = 0, 0.4, 0.8 and 1 on clean labels and under uniform noise of 0.6")
    order = noisy[1] > noisy[0.8] > max(noisy[0.4], noisy[0])
    conditions = {f"at 0.6 the last accuracies are in the order 1 > 0.8 > 0.4 and 0 ({told(noisy, '.1%')})": order}
    conditions[f"clean, q = 1 is the lowest ({told(clean, '.1%')})"] = clean.idxmin() == 1
    slow = means_by_q(frame, 0, "rise")
    text = f"clean, the epochs to 80 % of the last accuracy grow with q ({told(slow, '.1f')})"
    return judged(conditions | {text: slow.is_monotonic_increasing and slow[1] > slow[0]})


def c5(frame: pd.DataFrame) -> Verdict:
    means = frame[(frame.noise == "clean") & (frame.dataset == "cifar100")].groupby("method").test_accuracy.mean()
    if not {"ce", "mae"} <= {*means.index}:
        return Verdict("not run", "needs CE and MAE on clean CIFAR-100")
    ratio = means["mae"] / means["ce"]
    return judged({f"MAE {means['mae']:.1%} of CE's {means['ce']:.1%}: {ratio:.2f}, less than 0.6": ratio < 0.6})


def c6(frame: pd.DataFrame) -> Verdict:
    gap = gaps(frame, "gce", "ce", False)
    if 0.4 not in gap.index or {*frame.dataset} != {"cifar10"}:
        return Verdict("not run", "needs CE and L_q on CIFAR-10 under class-dependent noise of 0.4")
    return judged({f"L_q - CE under class-dependent noise of 0.4: {gap[0.4]:+.1f} points, below 0": gap[0.4] < 0})


def c7(frame: pd.DataFrame) -> Verdict:
    gap = gaps(frame, "forward_estimated", "ce", True)
    if gap.empty or {*frame.dataset} != {"cifar10"}:
        return Verdict("not run", "needs CE and forward correction with estimated T on CIFAR-10 under uniform noise")
    return judged({f"forward with estimated T - CE at {r:g}: {g:+.1f} points, above 0": g > 0 for r, g in gap.items()})


def c7b(frame: pd.DataFrame) -> Verdict:
    gap = gaps(frame, "forward_estimated", "ce", True)
    if gap.empty or {*frame.dataset} != {"cifar100"}:
        return Verdict("not run", "needs CE and forward correction with estimated T on CIFAR-100")
    return judged({f"forward with estimated T - CE at {r:g}: {g:+.1f} points, below 0": g < 0 for r, g in gap.items()})


def c11(frame: pd.DataFrame) -> Verdict:
    gap = gaps(frame, "gce", "ce", True)
    if gap.empty:
        return Verdict("not run", "needs CE and L_q under uniform noise")
    return judged({f"L_q - CE is above 0 at every rate ({told(gap)})": bool((gap > 0).all())})


def c8(_: pd.DataFrame) -> Verdict:
    """On random logits: gradient, limits and bounds of L_q, in double precision."""
    draw, K, q = torch.Generator().manual_seed(0), 10, 0.7
    logits = torch.randn(256, K, generator=draw, dtype=torch.double).requires_grad_()
    y = torch.randint(K, (256,), generator=draw)
    p = logits.softmax(1).gather(1, y[:, None]).detach()
    slopes = [torch.autograd.grad(f.sum(), logits)[0] for f in (lq(logits, y, q), cross_entropy(logits, y))]
    total = sum(lq(logits, torch.full_like(y, j), q) for j in range(K)).detach()
    found = {"the gradient of L_q is p^q times that of cross entropy": torch.allclose(slopes[0], p**q * slopes[1])}
    near = torch.allclose(lq(logits, y, 1e-9), cross_entropy(logits, y), rtol=1e-6)
    found |= {"q -> 0 is cross entropy": near, "q = 1 is 1 - p": torch.allclose(lq(logits, y, 1.0), 1 - p[:, 0])}
    inside = bool((total >= (K - K ** (1 - q)) / q - 1e-9).all() and (total <= (K - 1) / q + 1e-9).all())
    return judged(found | {"the sum over labels keeps the bounds of Lemma 1": inside})


def c9(_: pd.DataFrame) -> Verdict:
    """The pruning rule and self-paced learning with the threshold L_q(k), on random predictions."""
    logits = 3 * torch.randn(4096, 10, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    y, k, q = logits.new_zeros(4096, dtype=torch.long), 0.5, 0.7
    kept, paced = logits.softmax(1)[:, 0] > k, lq(logits, y, q) < (1 - k**q) / q
    text = f"p > {k:g} and L_q < L_q({k:g}) keep the same {int(kept.sum())} of 4096"
    return judged({text: bool((kept == paced).all())})


def c10(frame: pd.DataFrame) -> Verdict:
    rows = frame[(frame.method == "truncated") & (frame.rate == 0.6)]
    if len(rows):  # of other methods a frame has no such columns
        as_published = (rows.method_pruner == "best") & (rows.method_start > 0) & ~rows.method_detached.astype(bool)
        rows = rows[as_published & (rows.method_k == 0.5)]
    if not len(rows) or frame.model.nunique() > 1 or rows.kept_precision.isna().any():
        needs = "needs truncated L_q with k = 0.5 under uniform noise of 0.6, and that it keeps pairs"
        return Verdict("not run", needs)
    wrong, left = rows.realised_rate.mean(), 1 - rows.kept_precision.mean()
    text = f"{left:.1%} of the labels kept are wrong, at most half of the {wrong:.1%} of all"
    return judged({f"{text} (of the right ones {share(rows.kept_recall)} are kept)": left <= wrong / 2})


CLAIMS = [
    Claim("C1", "Table 1", "L_q beats cross entropy under uniform noise, the more the more noise.", cifar10, c1),
    Claim("C2", "Table 1", "Truncated L_q is at least as good as L_q.", cifar10, c2),
    Claim("C3", "figure of q", "Cross entropy first learns, then memorises.", q_sweep, c3),
    Claim("C4", "figure of q", "A larger q bears more noise and learns more slowly.", q_sweep, c4),
    Claim("C5", "text", "MAE fails on CIFAR-100.", cifar100, c5),
    Claim("C6", "Table 1", "Under much class-dependent noise L_q is no better than cross entropy.", cifar10, c6),
    Claim("C7", "Table 1", "On CIFAR-10 forward correction with estimated T helps under uniform noise.", cifar10, c7),
    Claim("C7b", "Table 1", "On CIFAR-100 it harms.", cifar100, c7b),
    Claim("C8", "section 3", "Gradient, limits and bounds of L_q.", None, c8),
    Claim("C9", "Algorithm 1", "The pruning of truncated L_q is self-paced learning.", None, c9),
    Claim("C10", "ours", "Pruning keeps mostly right labels.", pruning, c10),
    Claim("C11", "its Fashion table", "L_q beats CE on Fashion-MNIST (no printed target).", fashion, c11),
]
