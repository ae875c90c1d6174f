"""What the claims measure: numbers of the runs of one seed, a row for each."""

import pandas as pd

from ..effects import ahead

SYMMETRIC, INSTANCE = "symmetric_exclusive", "instance"
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
