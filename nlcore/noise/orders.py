"""Which classes are mistaken for which: the order of structured noise, measured."""

from functools import lru_cache

import numpy as np

from .. import data
from .counts import confusions


@lru_cache(maxsize=32)
def confusing_order(name: str, seed: int, examples: int = 1000, trained: bool = False) -> np.ndarray:
    """(K, K-1): the other classes of each true class, the one that it is most often mistaken for first.

    The nearest of `examples` random training images (at most half of them) predicts the others. On whole grey levels
    its distances are exact, so every machine finds the same order. Ties go to the smaller class. With `trained` a
    softmax regression that was trained on those few predicts the others instead.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    found = data.shared(name)
    K, y = found.K, found.train.y.numpy()
    x = found.train.x.flatten(1).numpy().astype(np.float64)
    order = np.random.default_rng([seed, 4]).permutation(len(y))
    few, held = np.split(order, [min(examples, len(y) // 2)])
    if trained:
        classifier, scale = LogisticRegression(max_iter=500), 1 / 255
    else:
        classifier, scale = KNeighborsClassifier(1, algorithm="brute"), 1
    guess = classifier.fit(x[few] * scale, y[few]).predict(x[held] * scale)
    errors = confusions(y[held], guess, K)
    np.fill_diagonal(errors, -1)  # the class itself comes last
    ranking = np.argsort(-errors, axis=1, kind="stable")[:, :-1]
    ranking.flags.writeable = False  # all who ask get the same one
    return ranking
