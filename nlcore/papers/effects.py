"""A claim is an effect: a number of the runs of a seed, its mean over seeds with an interval, and one rule for all."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from .base import Experiment

CORRELATION = (-1.0, 1.0)  # within which it is
SIGN = "the sign is the claim"  # why a bound is 0


class Estimate(NamedTuple):
    """The mean of an effect over seeds, its standard error and 95 % interval (Student's t); of one seed it has none."""

    effect: float
    error: float = math.nan
    low: float = -math.inf
    high: float = math.inf
    seeds: int = 1


class Effect(NamedTuple):
    """What is measured, in words that end with its unit in brackets; its number, from the rows of one seed (NaN where a
    run is missing); where the claim says it lies, from `least` to `most`; and why just there, in a sentence. Means of
    a `factor` are taken over its logarithms. What cannot leave a range, as a correlation, says `within` which.

    Where a claim is about all cells of a table, say every rate, `of` gives a number for each. The one whose mean over
    seeds is worst for the claim is the effect: a worst one chosen anew for every seed would look worse than any is.
    """

    what: str
    of: Callable[[pd.DataFrame], float | pd.Series]
    least: float = -math.inf
    most: float = math.inf
    why: str = ""
    factor: bool = False
    within: tuple[float, float] = (-math.inf, math.inf)

    @property
    def bound(self) -> str:
        """`>= 0`, `<= 3` or `-1 to 1`."""
        if math.isinf(self.most):
            return f">= {self.least:.3g}"
        return f"<= {self.most:.3g}" if math.isinf(self.least) else f"{self.least:.3g} to {self.most:.3g}"


class Claim(NamedTuple):
    """A sentence of a paper and where it stands; what it needs to be run; its effects, all of which it claims.

    `rule` is how the paper chooses the evaluation that it reports. A claim that is about the `end` of training is
    judged there under every rule. `single` columns must have one value each: no effect mixes, say, two networks.
    `published` gives the paper's own numbers as rows like ours, of which the paper's value of each effect is computed.
    """

    id: str
    where: str
    sentence: str
    experiment: Experiment | None  # None: an identity, whose effects are computed from nothing
    effects: list[Effect]
    needs: str = ""
    rule: str = "last"
    end: bool = False
    single: tuple[str, ...] = ("dataset", "model")
    published: Callable[[], pd.DataFrame] | None = None


def estimate(rows: pd.DataFrame, effect: Effect) -> Estimate | None:
    """An effect over seeds, each with all its runs: runs of a seed share their images and noise, so an effect that
    compares some of them is paired. (Not so the noise of a method that keeps its trusted images aside where the others
    train on them: its labels are another draw of the same law.) None if no seed has all."""
    table = pd.DataFrame([pd.Series(effect.of(part), dtype=float) for _, part in rows.groupby("seed")])
    table = table[np.isfinite(table).all(axis=1)]
    if table.empty:
        return None
    values = worst(np.log(table) if effect.factor else table, effect)
    n = len(values)
    if n < 2:
        return Estimate(math.exp(values.iloc[0]) if effect.factor else values.iloc[0])
    if effect.factor:
        logarithm = interval(values)
        low, middle, high = (math.exp(logarithm[i]) for i in ("low", "effect", "high"))
        return Estimate(middle, middle * logarithm["error"], low, high, n)
    return Estimate(**interval(values, effect.within), seeds=n)


def worst(table: pd.DataFrame, effect: Effect) -> pd.Series:
    """The column with the mean that is worst for the claim: the largest where it claims little, else the least."""
    means = table.mean()
    return table[means.idxmax() if math.isinf(effect.least) else means.idxmin()]


def interval(values: pd.Series, within: tuple[float, float] = (-math.inf, math.inf)) -> dict[str, float]:
    """The mean of independent values, its standard error and its 95 % interval, cut where the mean cannot be. (Of
    correlations Fisher's z would do so as well, but it is infinite at 1, which ranks of a few values often reach.)"""
    n = values.count()
    mean, error = values.mean(), values.std() / n**0.5
    half = stdtrit(n - 1, 0.975) * error  # the quantile of Student's t
    return {"effect": mean, "error": error, "low": max(mean - half, within[0]), "high": min(mean + half, within[1])}


def verdict(found: Estimate, effect: Effect) -> str:
    """The rule: where does the whole interval lie?"""
    slack = 1e-9  # of rounding; an identity has no interval
    if effect.least - slack <= found.low and found.high <= effect.most + slack:
        return "reproduced"
    outside = found.high < effect.least - slack or found.low > effect.most + slack
    return "not reproduced" if outside else "inconclusive"


def together(verdicts) -> str:
    """Of a claim whose effects have these verdicts: it claims all of them."""
    for word in ("not run", "not reproduced", "inconclusive"):
        if word in {*verdicts}:
            return word
    return "reproduced"


def mean(rows: pd.DataFrame, column: str = "test_accuracy", **at) -> float:
    """The mean of a column where other columns have these values (a list: one of them); NaN where there is no row."""
    if not {column, *at} <= {*rows.columns}:
        return math.nan
    kept = np.ones(len(rows), bool)  # for a few rows numpy is faster than pandas, and there are thousands of seeds
    for name, value in at.items():
        wanted = value if isinstance(value, list) else [value]
        kept &= np.array([own in wanted for own in rows[name].to_numpy(object)], bool)
    values = rows[column].to_numpy(float)[kept]
    values = values[~np.isnan(values)]
    return values.mean() if len(values) else math.nan


def points(rows: pd.DataFrame, **at) -> float:
    """The test accuracy where columns have these values, in percent; without the last digits of a float, which depend
    on how it was summed and would round a half up in a sentence and down in a table."""
    return round(100 * mean(rows, **at), 9)


def ahead(rows: pd.DataFrame, a, b, by: str = "method", **at) -> float:
    """Points of test accuracy that the runs whose column `by` is `a` are ahead of those where it is `b`."""
    return points(rows, **{by: a}, **at) - points(rows, **{by: b}, **at)


def leads(rows: pd.DataFrame, a: str, b: str, noise: str) -> pd.Series:
    """Points that method `a` is ahead of `b`, by the rates of a noise that were run."""
    rates = sorted(rows[rows.noise == noise].rate.unique())
    return pd.Series({rate: ahead(rows, a, b, noise=noise, rate=rate) for rate in rates}, dtype=float)


def rank_correlation(values: pd.Series) -> float:
    """Of numbers with their index; NaN where one is missing."""
    return values.rank().corr(values.index.to_series().rank()) if values.notna().all() else math.nan


def in_words(found, form: str = ".3g", ends: str = "") -> str:
    """`10.0 (8.1 to 11.9)`; the number alone where there is no interval, whose ends may have a form of their own."""
    ends, middle = ends or form, format(found.effect, form)
    return middle if math.isinf(found.low) else f"{middle} ({found.low:{ends}} to {found.high:{ends}})"


def identity(what: str, largest: Callable[[], float], most: float, why: str = "more is not rounding") -> Effect:
    """A difference that should be none, but for rounding."""
    return Effect(what, lambda _: largest(), most=most, why=why)
