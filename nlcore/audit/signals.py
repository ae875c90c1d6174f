"""How doubtful a label is, in several ways; how many labels are wrong, and which class is taken for which."""

import warnings

import numpy as np
from scipy.stats import rankdata

from .folds import Seen

# The signals whose ranks the score is the mean of. A mentor is not among them: measured with a hundred checked labels,
# it is as good for some kinds of noise and worse for others, among them that of people (`benchmarks/audit.py`).
TOGETHER = ("matrix", "loss")
SAID = {
    "probability": "one less the probability of the given label, by models that have not seen the example",
    "margin": "how much more likely than the given label the likeliest other one is",
    "matrix": "the chance that the label is wrong, by that probability and the estimated matrix of confusions",
    "loss": "the mean loss of the example while models were trained on it: a wrong label is learned late",
    "neighbours": "the share of the most similar examples, as a model sees them, that have another label",
    "mentor": "one less the weight of a mentor that has learned from the checked labels",
    "cleanlab": "confident learning: what cleanlab calls an issue comes first, each by cleanlab's quality of the label",
}


def doubts(seen: Seen, given: np.ndarray, weight: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """By name the signals (N,) that there are, more being more doubtful; `weight` (N,) is a mentor's."""
    p = seen.probability
    own = p[np.arange(len(given)), given]
    other = p.copy()
    other[np.arange(len(given)), given] = -1
    found = {"probability": 1 - own, "margin": other.max(1) - own, "matrix": wrong_by_matrix(p, given)}
    if seen.loss is not None:
        found["loss"] = seen.loss
    if seen.neighbours is not None:
        found["neighbours"] = 1 - seen.neighbours
    if weight is not None:
        found["mentor"] = 1 - weight
    if there_is_cleanlab():
        found["cleanlab"] = by_cleanlab(p, given)
    return found


def together(signals: dict[str, np.ndarray], names: tuple[str, ...] = TOGETHER) -> np.ndarray:
    """The score (N,) of each label in [0, 1], 1 being the most doubtful: its mean place by the signals of these names
    that there are."""
    return np.mean([places(signals[name]) for name in names if name in signals], axis=0)


def places(signal: np.ndarray) -> np.ndarray:
    """The place (N,) of each value among all, from 0 to 1; equal ones share theirs."""
    return (rankdata(signal) - 1) / max(len(signal) - 1, 1)


def suggested(p: np.ndarray, given: np.ndarray) -> np.ndarray:
    """The likeliest class (N,) other than the given one."""
    other = p.copy()
    other[np.arange(len(given)), given] = -1
    return other.argmax(1)


def agreement(signals: dict[str, np.ndarray], count: int) -> np.ndarray:
    """How many signals have a label (N,) among their `count` most doubtful ones."""
    doubted = [places_from_worst(signal) < count for signal in signals.values()]
    return np.sum(doubted, axis=0)


def places_from_worst(signal: np.ndarray) -> np.ndarray:
    """0 for the most doubtful label, 1 for the next one."""
    place = np.empty(len(signal), int)
    place[np.argsort(-signal, kind="stable")] = np.arange(len(signal))
    return place


def joint(p: np.ndarray, given: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """The joint distribution (K, K) of true class (row) and given label (column), by confident
    learning (Northcutt, Jiang & Chuang 2021): an example is taken to be of that class whose
    probability is largest among those that reach their threshold, the mean probability of the
    class where it is given. `weight` (N,) counts examples."""
    K = p.shape[1]
    weight = np.ones(len(given)) if weight is None else weight
    count = np.bincount(given, weight, K)
    own = p[np.arange(len(given)), given]
    threshold = np.bincount(given, weight * own, K) / np.maximum(count, 1)
    reached = np.where(p >= np.where(count > 0, threshold, np.inf) - 1e-6, p, -1)
    sure = reached.max(1) >= 0
    cells = reached.argmax(1)[sure] * K + given[sure]
    found = np.bincount(cells, weight[sure], K * K).reshape(K, K)
    none = found.sum(0) == 0
    found[none, none] = 1  # of a label whose examples reach no threshold: as given
    return found / found.sum(0) * count / count.sum()


def transition(joint: np.ndarray) -> np.ndarray:
    """T[i, j], the share of the examples of class i that are given label j; a class that has none keeps its label."""
    of_class = joint.sum(1, keepdims=True)
    return np.where(of_class > 0, joint / np.where(of_class > 0, of_class, 1), np.eye(len(joint)))


def wrong_by_matrix(p: np.ndarray, given: np.ndarray) -> np.ndarray:
    """The chance (N,) that a label is wrong, if the true class is as `p` (N, K) says and labels
    come from the matrix that `p` and the labels make likely, by Bayes' rule."""
    T = transition(joint(p, given))
    every = p * T[:, given].T  # (N, K)
    own = every[np.arange(len(given)), given]
    total = every.sum(1)
    return np.where(total > 0, 1 - own / np.where(total > 0, total, 1), 1.0)


def rate(p: np.ndarray, given: np.ndarray, draws: int = 200, seed: int = 0) -> tuple[float, float, float]:
    """The estimated share of wrong labels, and a 95 % interval: of `draws` data sets, drawn from this one with
    repetition. It holds the chance of which examples are there, and nothing of what the models get wrong."""
    rng, N = np.random.default_rng(seed), len(given)
    drawn = [1 - np.trace(joint(p, given, rng.multinomial(N, np.full(N, 1 / N)))) for _ in range(draws)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(1 - np.trace(joint(p, given))), float(low), float(high)


def there_is_cleanlab() -> bool:
    """Whether the optional package can be imported."""
    import importlib.util

    return importlib.util.find_spec("cleanlab") is not None


def by_cleanlab(p: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Doubts (N,) as cleanlab's own users see them: what its filter finds comes first, each part by the quality of the
    label."""
    with warnings.catch_warnings(action="ignore"):  # of classes that have few examples, and of progress bars
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores

        issue = find_label_issues(given, p, n_jobs=1)
    return issue + 1 - get_label_quality_scores(given, p)
