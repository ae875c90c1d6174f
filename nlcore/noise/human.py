"""Labels that people gave, as they are; and labels drawn from the matrix of those, their twin."""

from dataclasses import dataclass

import numpy as np

from .. import data as datasets
from ..data import Dataset, labels
from ..inputs import lookup, require
from .counts import confusions
from .models import Noise

# each set of labels, and the file that it is in
SETS = dict.fromkeys(("aggregate", "worst", "random1", "random2", "random3"), "cifar10n") | {"noisy": "cifar100n"}
STAND_IN, SEEN = "stand_in", 30  # of the embedded digits; how many of them it has seen


@dataclass(frozen=True)
class HumanMatrix(Noise):
    """Labels drawn from the matrix of labels that people gave: the same confusions, whatever an image shows.

    `labels` is a set of CIFAR-10N (`aggregate`, `worst`, `random1` to `random3`), `noisy` of CIFAR-100N (Wei et al.
    2022), or `stand_in`. The latter was given by no person: it is what the most similar of 30 digits says.
    """

    labels: str

    def __post_init__(self):
        super().__post_init__()
        lookup("set of labels", self.labels, [*SETS, STAND_IN])

    def law(self, K):
        true, given = answers(self.labels)
        classes = int(true.max()) + 1
        require(classes == K, f"{self.labels}: labels of {classes} classes, not of {K}")
        counts = confusions(true, given, K)
        return counts / counts.sum(1, keepdims=True)


@dataclass(frozen=True)
class HumanLabels(HumanMatrix):
    """Labels that people gave, nothing drawn: which image is labelled wrongly depends on what it shows."""

    drawn = False

    def given(self, data: Dataset) -> np.ndarray:
        known = self.labels in SETS
        dataset = labels.FILES[SETS[self.labels]].dataset if known else "digits"
        require(data.name == dataset, f"{self.labels}: labels of {dataset}, not of {data.name}")
        true, given = answers(self.labels)
        same = np.array_equal(true, data.train.y.numpy())
        require(same, f"{self.labels}: labels of all images of {dataset} in their order, which these are not")
        return given


def answers(name: str) -> tuple[np.ndarray, np.ndarray]:
    """True classes and given labels of a set, both (N,), in the order of the training images."""
    if name == STAND_IN:
        return stand_in()
    found = labels.joined(SETS[name])
    return found["clean"], found[name]


def stand_in() -> tuple[np.ndarray, np.ndarray]:
    """True classes and given labels of the embedded digits, for tests and the smallest tier: each is given the class of
    the most similar of 30. On whole grey levels distances are exact, so every machine gives the same labels."""
    train = datasets.shared("digits").train
    x, y = train.x.flatten(1).numpy().astype(np.float64), train.y.numpy()
    seen = np.random.default_rng(0).permutation(len(y))[:SEEN]
    distance = (x[seen] ** 2).sum(1) - 2 * x @ x[seen].T  # less what is the same for all of them
    return y.copy(), y[seen][distance.argmin(1)]
