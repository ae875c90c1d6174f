"""How well an audit finds labels that are known to be wrong."""

import numpy as np
from sklearn.metrics import average_precision_score

from .signals import places_from_worst


def judged(signal: np.ndarray, wrong: np.ndarray, k: int = 100) -> dict[str, float]:
    """Of doubts (N,), given which labels are `wrong` (N,): the share of wrong ones among the first `k` and among as
    many as there are wrong ones (where precision and recall are the same), the share of the wrong ones that are among
    the first `k`, and the average precision."""
    place, count = places_from_worst(signal), int(wrong.sum())
    first = {"precision": wrong[place < k].mean(), "recall": (place[wrong] < k).mean()}
    as_many = wrong[place < count].mean()
    return first | {"precision_of_all": as_many, "average": average_precision_score(wrong, signal)}
