"""What the claims measure: numbers of the runs of one seed, a row for each."""

import math

import numpy as np
import pandas as pd
import torch

from ...losses import cross_entropy, smoothed_cross_entropy
from ...methods import Batch, HAlpha
from ..effects import ahead, points, rank_correlation
from .published import fig9


def conv(rows: pd.DataFrame) -> str:
    """Conv4 or, where it was not run, the small net that stands in for it."""
    return "conv4" if "conv4" in {*rows.model} else "conv_small"


def conv_at(alpha: float, rows: pd.DataFrame) -> float:
    return points(rows, model=conv(rows), alpha=alpha)


def mlps_at_50(rows: pd.DataFrame) -> list[float]:
    return [points(rows, model=model, alpha=50) for model in ("mlp1", "mlp2", "mlp4")]


def lead_of_conv(rows: pd.DataFrame) -> pd.Series:
    return conv_at(50, rows) - pd.Series(mlps_at_50(rows))


def gain_by_depth(rows: pd.DataFrame) -> pd.Series:
    one, two, four = mlps_at_50(rows)
    return pd.Series([two, four]) - one


def loss_to_10(model: str, rows: pd.DataFrame) -> float:
    """Points lost from alpha = 0 to 10."""
    return ahead(rows, 0, 10, by="alpha", model=model)


def by_delta(rows: pd.DataFrame, fresh: bool = False) -> tuple[float, float, pd.Series]:
    """At alpha = 20, in percent: delta = 0, which belongs to every order; delta = 1 on average over the orders; and by
    order at delta = 0.5. Of the three fixed orders, or of fresh ones alone."""
    rows = rows[rows.alpha == 20]
    kind = rows[(rows["order"] == "fresh") == fresh]
    half = 100 * kind[kind.delta == 0.5].groupby("order").test_accuracy.mean()
    fixed = kind[(kind.delta == 1) & kind["order"].isin(half.index)].groupby("order").test_accuracy.mean()
    whole = len(half) == len(fixed) == (1 if fresh else 3)
    return points(rows, delta=0), 100 * fixed.mean() if whole else math.nan, half


def falls_by_order(rows: pd.DataFrame) -> pd.Series:
    zero, one, half = by_delta(rows)
    return zero - half if math.isfinite(one) else half[:0]


def more_in_the_second_half(rows: pd.DataFrame) -> float:
    zero, one, half = by_delta(rows)
    return (half.mean() - one) - (zero - half.mean())


def spread_of_orders(rows: pd.DataFrame) -> float:
    zero, one, half = by_delta(rows)
    return (half.max() - half.min()) / (zero - one)


def off_when_fresh(rows: pd.DataFrame) -> float:
    zero, fixed, _ = by_delta(rows)
    return (by_delta(rows, fresh=True)[1] - zero) / (zero - fixed)


def knee_of(rows: pd.DataFrame) -> float:
    """Of what is lost from delta = 0 to 1 the share that is lost after 0.5, over the orders that were run."""
    rows = rows[rows.alpha == 20]
    zero, half, one = (points(rows, delta=delta) for delta in (0, 0.5, 1))
    return (half - one) / (zero - one)


def ahead_of_random(ranked: str, rows: pd.DataFrame) -> float:
    """Points that an order is ahead of a random one, on average over the same deltas above 0."""
    table = rows[rows.delta > 0].pivot_table(index="delta", columns="order", values="test_accuracy")
    if not {ranked, "random"} <= {*table}:
        return math.nan
    return 100 * (table[ranked] - table.random).mean()


def by_carrier(rows: pd.DataFrame) -> tuple[float, float, float]:
    """White noise, the foreign images and the same ones as carriers at alpha = 10, in percent."""
    rows = rows[rows.alpha == 10]
    foreign = [name for name in rows.carrier.unique() if name not in ("same", "white", "novel")]
    return points(rows, carrier="white"), points(rows, carrier=foreign), points(rows, carrier="same")


def white_ahead(rows: pd.DataFrame) -> float:
    white, foreign, _ = by_carrier(rows)
    return white - foreign


def foreign_ahead(rows: pd.DataFrame) -> float:
    _, foreign, same = by_carrier(rows)
    return foreign - same


def needed(frame: pd.DataFrame, target: float) -> pd.DataFrame:
    """Clean examples needed for an accuracy, by alpha and seed: where the curve first reaches `target`.

    Linear in log n between two measured sizes; infinite where no size reaches it. Where the smallest size does, it is
    that size: an upper bound.
    """
    found = []
    for (alpha, seed), curve in frame.sort_values("images").groupby(["alpha", "seed"]):
        log_n, accuracy = np.log(curve.images.to_numpy(float)), curve.test_accuracy.to_numpy()
        first = int(np.argmax(accuracy >= target))  # 0 also where no size reaches it
        around = slice(first - 1, first + 1)
        if accuracy[first] < target:
            n = np.inf
        elif first == 0:
            n = float(np.exp(log_n[0]))
        else:
            n = float(np.exp(np.interp(target, accuracy[around], log_n[around])))
        found.append({"alpha": alpha, "seed": seed, "n": n})
    return pd.DataFrame(found)


def needed_by_alpha(rows: pd.DataFrame) -> pd.Series:
    """Clean examples needed for 90 % at alpha = 0, 10, 20 and 50; NaN where no size reaches it or sizes are missing."""
    alphas = [0, 10, 20, 50]
    table = rows[rows.alpha.isin(alphas)].pivot_table(index="images", columns="alpha", values="test_accuracy")
    if {*table} != {*alphas} or table.isna().any(axis=None):
        return pd.Series(math.nan, alphas)
    n = needed(rows, 0.9).set_index("alpha").n.reindex(alphas)
    return n.where(np.isfinite(n))


def growth_by_alpha(rows: pd.DataFrame) -> pd.Series:
    n = needed_by_alpha(rows)
    return (n / n.shift()).iloc[1:]


def off_the_papers(rows: pd.DataFrame) -> pd.Series:
    """The factor between ours and the paper's, either way, by alpha; the paper's are for MNIST."""
    if {*rows.dataset} != {"mnist"}:
        return pd.Series(dtype=float)
    return np.exp(np.log(needed_by_alpha(rows) / fig9()).abs())


def largest_jump(rows: pd.DataFrame) -> float:
    """Points at alpha = 50, between sizes no more than a factor of 2 apart."""
    curve = 100 * rows[rows.alpha == 50].groupby("images").test_accuracy.mean()
    size = curve.index.to_series()
    near = (size <= 2 * size.shift()).to_numpy()
    return curve.diff()[near].max()


def novel_ahead(rows: pd.DataFrame) -> float:
    """Points that novel images are ahead of repeated ones, on average over the alphas above 0."""
    table = rows[rows.alpha > 0].pivot_table(index="alpha", columns="carrier", values="test_accuracy")
    if not {"same", "novel"} <= {*table}:
        return math.nan
    return 100 * (table.novel - table.same).mean(skipna=False)


def by_batch(schedule: str, rows: pd.DataFrame) -> pd.Series:
    """Accuracies in percent at alpha = 50 by batch size, at least three of them; empty otherwise."""
    rows = rows[(rows.method == "ce") & (rows.alpha == 50) & (rows.schedule == schedule)]
    curve = 100 * rows.groupby("batch").test_accuracy.mean()
    return curve if len(curve) > 2 else curve[:0]


def rank_with_batch(rows: pd.DataFrame) -> float:
    return rank_correlation(by_batch("constant", rows))


def fall_of_infinite_batch(rows: pd.DataFrame) -> float:
    return ahead(rows, 0, 50, by="method_alpha", method="h_alpha", schedule="constant")


def gain_by_batch(schedule: str, rows: pd.DataFrame) -> float:
    """Points from the smallest to the largest batch."""
    curve = by_batch(schedule, rows)
    return curve.iloc[-1] - curve.iloc[0] if len(curve) else math.nan


def less_under_cosine(rows: pd.DataFrame) -> float:
    return gain_by_batch("cosine", rows) - gain_by_batch("constant", rows)


def fall_of_the_best_rate(rows: pd.DataFrame) -> float:
    """Factor by which the rate with the highest accuracy is smaller at the most noise than at the least."""
    constant = rows[rows.schedule == "constant"]
    table = constant.pivot_table(index="alpha", columns="lr", values="test_accuracy")
    if min(table.shape) < 2 or table.isna().any(axis=None):
        return math.nan
    best = table.idxmax(axis=1)
    return best.iloc[0] / best.iloc[-1]


def apart_at_equal_ratio(rows: pd.DataFrame) -> float:
    """The standard deviation of accuracies between runs of equal rate per batch, as a share of that of all runs."""
    ratio = (rows.lr / rows.batch).round(9)
    several = rows[ratio.map(ratio.value_counts()) > 1]
    if several.batch.nunique() < 2:
        return math.nan
    within = several.test_accuracy - several.groupby(ratio).test_accuracy.transform("mean")
    return within.std(ddof=0) / rows.test_accuracy.std(ddof=0)


def off_smoothing() -> float:
    """Between H_alpha, the expected loss of uniform noise and label smoothing, on 256 random logits."""
    draw, worst = torch.Generator().manual_seed(0), 0.0
    logits, y = torch.randn(256, 10, dtype=torch.double, generator=draw) * 5, torch.arange(256) % 10
    every = torch.stack([cross_entropy(logits, torch.full_like(y, k)) for k in range(10)]).mean()
    for alpha in (0.0, 1.0, 10.0, 100.0):
        expected = (cross_entropy(logits, y).mean() + alpha * every) / (1 + alpha)
        smoothed = smoothed_cross_entropy(logits, y, alpha / (1 + alpha)).mean()
        trained = HAlpha(alpha).loss(lambda x: x, Batch(y, logits, y), None)
        worst = max(worst, abs(trained - expected).item(), abs(trained - smoothed).item())
    return worst
