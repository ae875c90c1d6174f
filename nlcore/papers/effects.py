"""A claim is an effect: a number of the runs of a seed, its mean over seeds with an interval, and one rule for all."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from .base import Experiment

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
    a `factor` are taken over its logarithms."""

    what: str
    of: Callable[[pd.DataFrame], float]
    least: float = -math.inf
    most: float = math.inf
    why: str = ""
    factor: bool = False

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
    compares some of them is paired. None if no seed has all."""
    values = pd.Series([effect.of(part) for _, part in rows.groupby("seed")], dtype=float)
    values = values[values.map(math.isfinite)]
    n = len(values)
    if n < 2:
        return Estimate(values.iloc[0]) if n else None
    if effect.factor:
        logarithm = interval(values.map(math.log))
        low, middle, high = (math.exp(logarithm[i]) for i in ("low", "effect", "high"))
        return Estimate(middle, middle * logarithm["error"], low, high, n)
    return Estimate(**interval(values), seeds=n)


def interval(values: pd.Series) -> dict[str, float]:
    """The mean of independent values, its standard error and its 95 % interval."""
    mean, error, n = values.mean(), values.std() / len(values) ** 0.5, len(values)
    half = stats.t.ppf(0.975, n - 1) * error
    return {"effect": mean, "error": error, "low": mean - half, "high": mean + half}


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
    """The test accuracy where columns have these values, in percent."""
    return 100 * mean(rows, **at)


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


def in_words(found, form: str = ".3g", ends: str = "", unit: str = "") -> str:
    """`10.0 (8.1 to 11.9)`; the number alone where there is no interval, whose ends may have a form of their own."""
    ends, middle = ends or form, format(found.effect, form) + unit
    return middle if math.isinf(found.low) else f"{middle} ({found.low:{ends}} to {found.high:{ends}})"


def identity(what: str, largest: Callable[[], float], most: float, why: str = "more is not rounding") -> Effect:
    """A difference that should be none, but for rounding."""
    return Effect(what, lambda _: largest(), most=most, why=why)
