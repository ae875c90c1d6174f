"""What the claims measure: numbers of the runs of one seed, a row for each."""

import math

import pandas as pd

from ..effects import ahead, mean

SYMMETRIC, INSTANCE, HUMAN = "symmetric_exclusive", "instance", "human"
DEPENDENT = ["pair_flip", "asymmetric_cifar10"]


def ahead_at(a: str, b: str, rate: float, rows: pd.DataFrame) -> float:
    """Points that method `a` is ahead of `b` under symmetric noise (exclusive)."""
    return ahead(rows, a, b, noise=SYMMETRIC, rate=rate)


def ahead_under(a: str, b: str, noise: str | list[str], rate: float, rows: pd.DataFrame) -> float:
    """Points that method `a` is ahead of `b` under any noise."""
    return ahead(rows, a, b, noise=noise, rate=rate)


def more_gained_by_class(method: str, rows: pd.DataFrame) -> float:
    """Points that a method gains on cross entropy under noise that depends on the class alone, less those under noise
    that depends on the image, both at a rate of 0.4."""
    return ahead_under(method, "ce", DEPENDENT, 0.4, rows) - ahead_under(method, "ce", INSTANCE, 0.4, rows)


def share_of_gain(part: str, whole: str, rate: float, rows: pd.DataFrame) -> float:
    """What method `part` gains on cross entropy as a share of what `whole` gains; NaN where that gains nothing."""
    gained, of = (ahead_at(method, "ce", rate, rows) for method in (part, whole))
    return gained / of if of > 0 else math.nan


def fewer_memorised(method: str, rate: float, rows: pd.DataFrame) -> float:
    """Points by which a method predicts more of the wrong training labels than cross entropy; below 0: fewer."""
    own, plain = (mean(rows, "train_wrong", noise=SYMMETRIC, rate=rate, method=name) for name in (method, "ce"))
    return 100 * (own - plain)
