"""How people label: what they confuse, how far they agree, and what that would be if each label were drawn by itself.

All of it are totals, which may be shown where the labels of single images may not.
"""

import numpy as np

from .. import data as datasets
from ..data import labels
from .counts import confusions
from .human import SETS, answers

THREE = ("random1", "random2", "random3")  # CIFAR-10N's people, one label an image each
CLASSES = 10


def facts() -> dict:
    """What is known of the labels of people, in totals; a `UserError` if their files are not there."""
    return {
        "sets": {name: of_set(*answers(name)) for name in SETS},
        "three": of_three(answers("random1")[0], np.array([answers(name)[1] for name in THREE]), CLASSES),
        "votes": of_votes(*(labels.joined("cifar10h")[name] for name in ("clean", "counts"))),
        "classes": list(datasets.shared("cifar10").classes),
    }


def of_set(true: np.ndarray, given: np.ndarray) -> dict:
    """Of true classes and given labels (N,): how many there are, how many are wrong, the latter share in each class
    (K,), NaN for one that is given and never true, and of ten classes the counts (K, K)."""
    true, given = np.asarray(true), np.asarray(given)
    K = int(max(true.max(), given.max())) + 1
    counts = confusions(true, given, K)
    of_class = counts.sum(1)
    wrong = 1 - np.divide(np.diag(counts), of_class, out=np.full(K, np.nan), where=of_class > 0)
    found = {"images": len(true), "wrong": int((true != given).sum()), "wrong_in_class": rounded(wrong)}
    return found | ({"counts": counts.tolist()} if K <= CLASSES else {})


def of_three(true: np.ndarray, given: np.ndarray, K: int) -> dict:
    """Of the labels (3, N) of three people, as shares of the images: how many of the three are wrong, in how many
    classes the three see an image, how often the second is wrong where the first is, and how often they then chose the
    same class; and the same if every label were drawn from its person's matrix, whatever the image shows."""
    true, given = np.asarray(true), np.asarray(given)
    wrong = given != true
    laws = [confusions(true, labels, K) / np.bincount(true, minlength=K)[:, None] for labels in given]
    shares = np.bincount(true, minlength=K) / len(true)
    several = np.array([len({*column}) for column in given.T.tolist()])
    one, two = wrong[0], wrong[0] & wrong[1]
    return {
        "wrong": rounded(np.bincount(wrong.sum(0), minlength=4) / len(true)),
        "wrong_if_drawn": rounded(shares @ np.array([number_wrong([law[k, k] for law in laws]) for k in range(K)])),
        "classes_seen": rounded(np.bincount(several, minlength=4)[1:] / len(true)),
        "wrong_again": round(float(wrong[1][one].mean()), 4),
        "wrong_again_if_drawn": round(float(both_wrong(laws, shares) / one.mean()), 4),
        "same_wrong": round(float((given[0] == given[1])[two].mean()), 4),
        "same_wrong_if_drawn": round(float(same_wrong(laws, shares) / both_wrong(laws, shares)), 4),
    }


def number_wrong(right: list[float]) -> np.ndarray:
    """The probabilities that none, one, ... of independent labels are wrong, from those that each is right."""
    found = np.ones(1)
    for share in right:
        found = np.convolve(found, [share, 1 - share])
    return found


def both_wrong(laws: list[np.ndarray], shares: np.ndarray) -> float:
    """The probability that labels drawn from the first two laws (K, K) are both wrong; `shares` (K,) of the classes."""
    return shares @ ((1 - np.diag(laws[0])) * (1 - np.diag(laws[1])))


def same_wrong(laws: list[np.ndarray], shares: np.ndarray) -> float:
    """The probability that labels drawn from the first two laws are the same wrong class."""
    both = laws[0] * laws[1]
    return shares @ (both.sum(1) - np.diag(both))


def of_votes(true: np.ndarray, counts: np.ndarray) -> dict:
    """Of votes (N, K) on images with true classes (N,): how many there are of an image, how often a vote is the true
    class, and so is the most frequent one (a tie counts in part); how many images have which tenth of their votes for
    the true class."""
    counts = np.asarray(counts).astype(int)
    votes, of_true = counts.sum(1), counts[np.arange(len(true)), true]
    right = of_true / votes
    most = counts == counts.max(1, keepdims=True)
    majority = most[np.arange(len(true)), true] / most.sum(1)
    return {
        "images": len(true),
        "fewest": int(votes.min()),
        "most": int(votes.max()),
        "right": round(float(of_true.sum() / votes.sum()), 4),
        "majority": round(float(majority.mean()), 4),
        "all_right": round(float((right == 1).mean()), 4),
        "in_class": rounded(np.array([right[true == k].mean() for k in np.unique(true)])),
        # in whole numbers: a share of 0.3 may lie on either side of the float 0.3
        "tenths": np.bincount(np.minimum(10 * of_true // votes, 9), minlength=10).tolist(),
    }


def rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]
