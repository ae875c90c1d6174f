"""What the claims measure: numbers of the runs of one seed, a row for each."""

import math

import pandas as pd

from ..effects import ahead, mean, points, rank_correlation

PEOPLE, DRAWN = "human", "human_matrix"
MOST_WRONG = ["worst", "stand_in"]  # the latter takes its place at the smallest tier
# of a method with options, as the experiments name it
METHODS = ["ce", "gce", "forward_estimated", "glc", "mentornet", "fasten"]


def lead(a: str, b: str, rows: pd.DataFrame) -> float:
    """Points that method `a` is ahead of `b` on the labels of people that are wrong most often."""
    return ahead(rows, a, b, noise=PEOPLE, labels=MOST_WRONG)


def lead_of_a_hundred(rows: pd.DataFrame) -> float:
    """Points that L_q is ahead of cross entropy on people's labels of a hundred classes."""
    return ahead(rows, "gce", "ce", noise=PEOPLE, labels=["noisy", "stand_in"])


def lost(method: str, rows: pd.DataFrame) -> float:
    """Points of a method by which people's labels end above labels drawn from their matrix."""
    return ahead(rows, PEOPLE, DRAWN, by="noise", method=method, labels=MOST_WRONG)


def sooner(rows: pd.DataFrame) -> float:
    """Points by which cross entropy predicts wrong labels of people more often than drawn ones, as a mean over
    training."""
    human, drawn = (mean(rows, "wrong_mean", noise=noise, method="ce", labels=MOST_WRONG) for noise in (PEOPLE, DRAWN))
    return 100 * (human - drawn)


def order_carries_over(rows: pd.DataFrame) -> float:
    """Rank correlation of the accuracies of all methods on people's labels with those on drawn ones."""
    accuracy = {
        noise: [points(rows, method=name, noise=noise, labels=MOST_WRONG) for name in METHODS]
        for noise in (PEOPLE, DRAWN)
    }
    if any(math.isnan(value) for value in accuracy[DRAWN]):
        return math.nan
    return rank_correlation(pd.Series(accuracy[PEOPLE], accuracy[DRAWN]))


def gain_of_correction(rows: pd.DataFrame) -> float:
    """Points that forward correction gains over cross entropy on people's labels, less those on drawn ones."""
    human, drawn = (ahead(rows, "forward_estimated", "ce", noise=noise, labels=MOST_WRONG) for noise in (PEOPLE, DRAWN))
    return human - drawn


def closed_by_stopping(rows: pd.DataFrame) -> float:
    """Of what cross entropy loses from its best evaluation to its last, the share that noisy validation saves."""
    at = {"noise": PEOPLE, "method": "ce", "labels": MOST_WRONG}
    stopped, last, peak = (mean(rows, column, **at) for column in ("stopped", "final", "peak"))
    return (stopped - last) / (peak - last) if peak > last else math.nan
