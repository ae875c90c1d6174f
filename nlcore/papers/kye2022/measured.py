"""What the claims measure: numbers of the runs of one seed, a row for each."""

import math
from collections.abc import Callable

import pandas as pd
import torch

from ...methods.fasten import estimated
from ...noise import AsymmetricCifar10
from ..effects import ahead, leads, mean, points, rank_correlation

FIG_1 = ["fasten", "glc", "deep_knn", "mslc", "mwnet", "l2rw", "mloc", "mlac"]  # from the cheapest on
OTHERS = FIG_1[1:]
SYMMETRIC = "symmetric_inclusive"


def whole(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows without those variants of FasTEN that claims on FasTEN are not about."""
    plain = {"method_correct": True, "method_perturb": 0, "method_immediate": False, "method_shared": True}
    for name, value in plain.items():
        if name in rows:
            rows = rows[(rows.method != "fasten") | rows[name].isin([value])]
    return rows


def to_the_end(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of trainings that made all their steps: one that diverged took less time and fewer passes."""
    return rows[~rows.diverged.astype(bool)] if "diverged" in rows else rows


def ahead_at(a: str, b: str, rate: float, rows: pd.DataFrame) -> float:
    """Points that method `a` is ahead of `b` under symmetric noise."""
    return ahead(rows, a, b, noise=SYMMETRIC, rate=rate)


def ahead_dependent(a: str, b: str, rows: pd.DataFrame) -> float:
    """Points that method `a` is ahead of `b` under asymmetric noise of 0.4."""
    return ahead(rows[rows.noise != SYMMETRIC], a, b, rate=0.4)


def lead_over(other: str, rows: pd.DataFrame) -> pd.Series:
    """Points that FasTEN is ahead of a method, by rate of symmetric noise."""
    return leads(rows, "fasten", other, SYMMETRIC)


def over_glc(rows: pd.DataFrame) -> pd.Series:
    """Points that FasTEN is ahead of GLC by rate of symmetric noise; of fewer than three rates none."""
    found = leads(rows, "fasten", "glc", SYMMETRIC)
    return found if len(found) > 2 and found.notna().all() else found[:0]


def growth_of_the_lead(rows: pd.DataFrame) -> float:
    """From the lowest to the highest rate."""
    found = over_glc(rows)
    return found.iloc[-1] - found.iloc[0] if len(found) else math.nan


def lead_goes_with_the_rate(rows: pd.DataFrame) -> float:
    """Rank correlation."""
    return rank_correlation(over_glc(rows))


def by_method(rows: pd.DataFrame, of: Callable[[pd.DataFrame], float]) -> pd.Series:
    """A number of the rows of each of the eight methods of Fig. 1."""
    return pd.Series({name: of(rows[rows.method == name]) for name in FIG_1}, dtype=float)


def over_the_others(rows: pd.DataFrame) -> pd.Series:
    """The accuracy of FasTEN at symmetric noise of 0.8 over that of each of the seven others."""
    accuracy = by_method(rows, lambda one: points(one, noise=SYMMETRIC, rate=0.8))
    return accuracy.fasten / accuracy[OTHERS]


def seconds(rows: pd.DataFrame) -> pd.Series:
    """Seconds of training up to the chosen evaluation, by method, over those of FasTEN."""
    took = by_method(rows, lambda one: mean(one, "seconds"))
    return took / took.fasten


def costs(rows: pd.DataFrame) -> pd.Series:
    """Seconds of whole trainings by method, over those of FasTEN: the least over the noises, since the noise costs
    nothing and what else the machine does only adds."""
    took = by_method(to_the_end(rows), lambda one: one.seconds.min())
    return took / took.fasten


def cost_of(name: str, rows: pd.DataFrame) -> float:
    return costs(rows)[name]


def costs_of_others(rows: pd.DataFrame) -> pd.Series:
    return costs(rows)[OTHERS]


def slowest_other(rows: pd.DataFrame) -> float:
    return seconds(rows)[OTHERS].max(skipna=False)


def order_of_costs(rows: pd.DataFrame) -> float:
    """Rank correlation with the order of the paper's figure."""
    return rank_correlation(costs(rows)[FIG_1].reset_index(drop=True))


def priced(frame: pd.DataFrame) -> pd.DataFrame:
    """Of each method the cost of a whole training in multiples of FasTEN's, accuracy and its standard deviation over
    seeds in percent."""
    of = frame.groupby("method", sort=False)
    table = (100 * of.test_accuracy.agg(["mean", "std"])).set_axis(["accuracy", "spread"], axis=1)
    least = to_the_end(frame).groupby("method").train_seconds.min()  # over seeds: what else the machine did only adds
    return table.assign(cost=least / least.get("fasten", math.nan))


def matrix_over_glc(rows: pd.DataFrame) -> pd.Series:
    """Chi-square of FasTEN's matrix, without corrections, over that of GLC's, by noise."""
    fasten = rows[rows.method == "fasten"]
    if "T_chi2" not in rows or "method_correct" not in rows:
        return pd.Series(dtype=float)
    mine = fasten[fasten.method_correct.isin([False])].groupby(["noise", "rate"]).T_chi2.mean()
    theirs = rows[rows.method == "glc"].groupby(["noise", "rate"]).T_chi2.mean()
    return mine / theirs


def of_every_noise(column: Callable[[pd.DataFrame], pd.Series], rows: pd.DataFrame) -> pd.Series:
    """A column of FasTEN's runs by noise."""
    mine = whole(rows)
    mine = mine[mine.method == "fasten"]
    needed = {"T_follows", "T_diagonal", "corrected_diagonal"}
    if not needed <= {*mine}:
        return pd.Series(dtype=float)
    return column(mine).groupby([mine.noise, mine.rate]).mean()


def goes_along(rows: pd.DataFrame) -> pd.Series:
    return of_every_noise(lambda mine: mine.T_follows, rows)


def ends_above(rows: pd.DataFrame) -> pd.Series:
    return of_every_noise(lambda mine: mine.T_diagonal - mine.corrected_diagonal, rows)


def by_corrections(rows: pd.DataFrame) -> tuple[float, float, float]:
    """FasTEN's accuracy at symmetric noise of 0.8 in percent: without corrections, with them, and with random labels in
    their place."""
    rows = rows[(rows.method == "fasten") & (rows.rate == 0.8) & (rows.noise == SYMMETRIC)]
    right = points(rows, method_correct=True, method_perturb=0)
    return points(rows, method_correct=False), right, points(rows, method_correct=True, method_perturb=1)


def gain_by_corrections(rows: pd.DataFrame) -> float:
    none, right, _ = by_corrections(rows)
    return right - none


def gain_by_random_ones(rows: pd.DataFrame) -> float:
    none, _, random = by_corrections(rows)
    return random - none


def right_over_random(rows: pd.DataFrame) -> float:
    _, right, random = by_corrections(rows)
    return right - random


def put_right(rows: pd.DataFrame) -> float:
    """Wrong labels that are put right at symmetric noise of 0.8, in percent."""
    return 100 * mean(whole(rows), "corrected_wrong", method="fasten", rate=0.8, noise=SYMMETRIC)


def shared_ahead(rate: float, rows: pd.DataFrame) -> float:
    """Points that two heads on one network are ahead of two networks."""
    return ahead(rows, True, False, by="method_shared", method="fasten", rate=rate, noise=SYMMETRIC)


def cost_of_separation(rows: pd.DataFrame) -> float:
    """Seconds of whole trainings, of two networks over two heads."""
    rows = to_the_end(rows)
    return mean(rows, "train_seconds", method_shared=False) / mean(rows, "train_seconds", method_shared=True)


def off_the_matrix(turned: bool) -> float:
    """The largest difference of T as estimated from a noisy head that knows it to T, or to T `turned` round."""
    T, y = torch.from_numpy(AsymmetricCifar10(0.4).matrix(10)), torch.arange(100) % 10
    return (estimated(T[y], y, 10) - (T.T if turned else T)).abs().max().item()


def off_the_identity() -> float:
    """With clean labels."""
    y, identity = torch.arange(100) % 10, torch.eye(10).double()
    return (estimated(identity[y], y, 10) - identity).abs().max().item()
