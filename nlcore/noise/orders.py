"""Which classes are mistaken for which: the order of structured noise, measured."""

import hashlib

import numpy as np

from ..data.prepared import Dataset
from .counts import confusions

MEASURED = {}  # orders by what was asked, the images by their content: it takes seconds


def confusing_order(data: Dataset, seed: int, examples: int = 1000, trained: bool = False) -> np.ndarray:
    """(K, K-1): the other classes of each true class, the one that it is most often mistaken for first.

    The nearest of `examples` random training images (at most half of them) predicts the others. On whole grey levels
    its distances are exact, so every machine finds the same order. Ties go to the smaller class. With `trained` a
    softmax regression that was trained on those few predicts the others instead.
    """
    x, y = (np.ascontiguousarray(part.numpy()) for part in (data.train.x.flatten(1), data.train.y))
    asked = hashlib.sha256(x).hexdigest(), hashlib.sha256(y).hexdigest(), data.K, seed, examples, trained
    if asked not in MEASURED:
        MEASURED[asked] = _measured(x, y, *asked[2:])
    return MEASURED[asked]


def _measured(x: np.ndarray, y: np.ndarray, K: int, seed: int, examples: int, trained: bool) -> np.ndarray:
    """The order among images (N, d) of true classes (N,)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    order = np.random.default_rng([seed, 4]).permutation(len(y))
    few, held = np.split(order, [min(examples, len(y) // 2)])
    if trained:
        classifier, scale = LogisticRegression(max_iter=500), 1 / 255
    else:
        classifier, scale = KNeighborsClassifier(1, algorithm="brute"), 1
    x = x.astype(np.float64)
    guess = classifier.fit(x[few] * scale, y[few]).predict(x[held] * scale)
    errors = confusions(y[held], guess, K)
    np.fill_diagonal(errors, -1)  # the class itself comes last
    ranking = np.argsort(-errors, axis=1, kind="stable")[:, :-1]
    ranking.flags.writeable = False  # all who ask get the same one
    return ranking
