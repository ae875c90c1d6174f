"""Noise models: T[i, j] = P(given label = j | true class = i), rows sum to 1."""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import softmax

from ..data import Dataset, Images
from ..data.images import moments
from ..inputs import UserError, check_types, lookup, require, shown
from .orders import confusing_order

# fine label -> superclass of CIFAR-100 (Krizhevsky 2009); fine labels are alphabetical: 5i..5i+4 is *not* a superclass
CIFAR100_SUPERCLASS = (
    *(4, 1, 14, 8, 0, 6, 7, 7, 18, 3, 3, 14, 9, 18, 7, 11, 3, 9, 7, 11, 6, 11, 5, 10, 7),
    *(6, 13, 15, 3, 15, 0, 11, 1, 10, 12, 14, 16, 9, 11, 5, 5, 19, 8, 8, 15, 13, 14, 17, 18, 10),
    *(16, 4, 17, 4, 2, 0, 17, 4, 18, 17, 10, 3, 2, 12, 12, 16, 12, 1, 9, 19, 2, 10, 0, 1, 16),
    *(12, 9, 13, 15, 13, 16, 19, 2, 4, 6, 19, 5, 5, 8, 19, 18, 1, 2, 15, 6, 0, 17, 8, 14, 13),
)


def sampled(p: np.ndarray, u: np.ndarray) -> np.ndarray:
    """An outcome for each uniform number of `u` (m,), outcomes having the probabilities `p` (n,): inversion."""
    return np.minimum(np.searchsorted(np.cumsum(p), u, side="right"), len(p) - 1)


def transition(T) -> tuple[tuple[float, ...], ...]:
    """A transition matrix from whatever nested sequence of numbers was given; a `UserError` if it is none."""
    try:
        rows = np.asarray(T, dtype=float)
    except (TypeError, ValueError, OverflowError):
        rows = np.empty(0)
    if rows.ndim != 2 or rows.shape[0] != rows.shape[1]:
        raise UserError(f"T must be square, such as [[0.9, 0.1], [0.2, 0.8]], not {shown(T)}")
    require(bool((rows >= 0).all()) and np.allclose(rows.sum(1), 1), "every row of T must be >= 0 and sum to 1")
    return tuple(map(tuple, rows.tolist()))


class Noise:
    """A law of given labels: they replace the true ones or, where `copies` is a number, are added to them."""

    copies: float | None = None  # added labels per image; None: labels are replaced
    replaced = 0.0  # share of the images in whose place those of another set are shown, under the same labels
    drawn = True  # whether labels are drawn, and not given as they are

    def __post_init__(self):
        check_types(self)

    def law(self, K: int) -> np.ndarray:
        """(K, K) law of one drawn label given the true class."""
        raise NotImplementedError

    def matrix(self, K: int) -> np.ndarray:
        """(K, K) law of a given label over the whole training set, clean originals included."""
        return self.law(K) if self.copies is None else (np.eye(K) + self.copies * self.law(K)) / (1 + self.copies)

    def check(self, K: int) -> None:
        """Refuse K classes that the definition does not fit."""
        self.matrix(K)

    def on(self, data: Dataset, seed: int) -> "Noise":
        """The noise, with whatever its law must measure on the training images."""
        return self

    def given(self, data: Dataset) -> np.ndarray | None:
        """The labels (N,) of all training images, where they are given as they are; None: they are drawn."""
        return None

    def check_images(self, y: np.ndarray, images: np.ndarray) -> None:
        """Refuse images, by their classes `y` (N,) and rows (N,) in the data set, that the law was not measured on."""

    def pick(self, k: int, u: np.ndarray, K: int, rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
        """A label for each uniform number of `u` (m,), given the true class k and the rows `images` (m,) in the data
        set."""
        return sampled(self.law(K)[k], u)


@dataclass(frozen=True)
class Clean(Noise):
    """Every image keeps its true label."""

    def law(self, K):
        return np.eye(K)


@dataclass(frozen=True)
class Uniform(Noise):
    """alpha more labels per image, uniform over all K classes, the true one included (Rolnick 2017, Fig. 1)."""

    alpha: float

    def __post_init__(self):
        super().__post_init__()
        ok = math.isfinite(self.alpha) and self.alpha >= 0
        require(ok, f"alpha is the number of noisy labels per clean one, so 0 or more and finite, not {self.alpha}")

    @property
    def copies(self):
        return self.alpha

    def law(self, K):
        return np.full((K, K), 1 / K)


ORDERS = ("confusing", "learned", "reverse", "random", "fresh")


@dataclass(frozen=True)
class Structured(Uniform):
    """Uniform noise tilted by `delta` in [0, 1] towards some false labels (Rolnick 2017, structured noise).

    With eps = 1/(1+alpha) and b = (1-eps)/K, a given label is the truth with probability b + eps, and the k-th false
    label, k = 1..K-1, with b + delta eps (1 - 2(k-1)/(K-2)): delta = 0 is uniform, delta = 1 ties the first one with
    the truth. The order of a class's false labels is how often they are mistaken for it, by nearest neighbours
    (`confusing`; `reverse` is the other way round) or by a trained classifier (`learned`); a `random` order drawn once
    a class, or a `fresh` random order for every single label.
    """

    delta: float = 0.0
    order: str = "random"
    ranking: tuple[tuple[int, ...], ...] = ()  # (K, K-1) false labels, the likeliest first; else `on` finds it

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.delta <= 1, f"delta is between 0 (uniform) and 1 (a tie with the truth), not {self.delta}")
        lookup("order", self.order, ORDERS)

    def tilted(self, K: int) -> np.ndarray:
        """(K-1,) probabilities of the false labels of one added label, in their order."""
        least = K * self.delta
        require(K > 2, f"structured noise orders the false labels, so it needs 3 classes or more, not {K}")
        fits = self.alpha >= least
        require(fits, f"delta = {self.delta:g} with {K} classes needs alpha >= {least:g}, not {self.alpha:g}")
        tilt = self.delta / self.alpha if self.delta else 0  # alpha may be 0 as well
        return 1 / K + tilt * np.linspace(1, -1, K - 1)

    def check(self, K):
        self.tilted(K)

    def law(self, K):
        """Under fresh orders every false label has every rank equally often, and the tilts sum to 0: uniform."""
        q, T = self.tilted(K), np.full((K, K), 1 / K)
        if self.delta and self.order != "fresh":
            require(len(self.ranking) == K, f"the order of {K} classes was not measured; use `on` first")
            np.put_along_axis(T, np.array(self.ranking), q[None], axis=1)
        return T

    def on(self, data, seed):
        if not self.delta or self.order == "fresh" or self.ranking:
            return self
        if self.order == "random":
            rng, classes = np.random.default_rng([seed, 3]), np.arange(data.K)
            found = np.array([rng.permutation(np.delete(classes, k)) for k in classes])
        else:
            found = confusing_order(data, seed, trained=self.order == "learned")
            if self.order == "reverse":
                found = found[:, ::-1]
        return replace(self, ranking=tuple(map(tuple, found.tolist())))

    def pick(self, k, u, K, rng, images):
        if self.order != "fresh":
            return super().pick(k, u, K, rng, images)
        rank = sampled(np.array([1 / K, *self.tilted(K)]), u)  # 0: the truth
        false = np.delete(np.arange(K), k)
        orders = rng.permuted(np.tile(false, (len(u), 1)), axis=1)  # one for each label
        return np.where(rank == 0, k, orders[np.arange(len(u)), rank - 1])


@dataclass(frozen=True)
class Flip(Noise):
    """With probability `rate` a label is drawn anew from `target`; rate 0 is clean."""

    rate: float

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.rate <= 1, f"rate is a share of labels, so between 0 and 1, not {self.rate}")

    def target(self, K: int) -> np.ndarray:
        """(K, K) law of the label after a flip."""
        raise NotImplementedError

    def law(self, K):
        return (1 - self.rate) * np.eye(K) + self.rate * self.target(K)


class SymmetricInclusive(Flip):
    """To any of the K classes, the true one included: rate (K-1)/K is really wrong (GLC, FasTEN)."""

    def target(self, K):
        return np.full((K, K), 1 / K)


class SymmetricExclusive(Flip):
    """To one of the K-1 other classes: `rate` is really wrong (GCE)."""

    def target(self, K):
        return (1 - np.eye(K)) / (K - 1)


class AsymmetricCifar10(Flip):
    """truck -> automobile, bird -> airplane, deer -> horse, cat <-> dog; five classes untouched (Patrini 2017)."""

    def target(self, K):
        require(K == 10, f"asymmetric_cifar10 is a map of CIFAR-10's 10 classes; this data set has {K}")
        return np.eye(K)[[0, 1, 0, 5, 7, 3, 6, 7, 8, 1]]


class AsymmetricMnist(Flip):
    """7 -> 1, 2 -> 7, 5 <-> 6, 3 -> 8; five digits untouched (Patrini 2017)."""

    def target(self, K):
        require(K == 10, f"asymmetric_mnist is a map of ten digits; this data set has {K} classes")
        return np.eye(K)[[0, 1, 7, 8, 4, 6, 5, 1, 8, 9]]


class AsymmetricBlocks(Flip):
    """To the next class, in circle, among CIFAR-100's classes 5i to 5i + 4: Patrini's released code takes these for
    superclasses, but they are neighbours in the alphabet."""

    def target(self, K):
        require(K == 100, f"asymmetric_blocks needs CIFAR-100's 100 classes; this data set has {K}")
        k = np.arange(K)
        return np.eye(K)[k - k % 5 + (k + 1) % 5]


class AsymmetricSuperclass(Flip):
    """To the next class, in circle, of the true CIFAR-100 superclass (the rule that Patrini 2017 intends)."""

    def target(self, K):
        require(K == 100, f"asymmetric_superclass needs CIFAR-100's 100 classes; this data set has {K}")
        target = np.zeros((K, K))
        for superclass in set(CIFAR100_SUPERCLASS):
            members = np.flatnonzero(np.equal(CIFAR100_SUPERCLASS, superclass))
            target[members, np.roll(members, -1)] = 1
        return target


class Hierarchical(Flip):
    """To the other classes of the true CIFAR-100 superclass, all alike (released code of Kye 2022; Hendrycks 2018)."""

    def target(self, K):
        require(K == 100, f"hierarchical needs CIFAR-100's 100 classes; this data set has {K}")
        same = np.equal.outer(CIFAR100_SUPERCLASS, CIFAR100_SUPERCLASS) & ~np.eye(K, dtype=bool)
        return same / same.sum(1, keepdims=True)


class PairFlip(Flip):
    """To the next class, i -> i+1 mod K."""

    def target(self, K):
        return np.roll(np.eye(K), 1, axis=1)


@dataclass(frozen=True)
class Matrix(Noise):
    """Labels drawn from the rows of a given transition matrix."""

    T: tuple[tuple[float, ...], ...]

    def __post_init__(self):
        object.__setattr__(self, "T", transition(self.T))  # hashable
        super().__post_init__()

    def law(self, K):
        require(len(self.T) == K, f"T has {len(self.T)} classes; this data set has {K}")
        return np.asarray(self.T)


@dataclass(frozen=True)
class InstanceDependent(Noise):
    """Each image is labelled wrong with a probability q of its own: from a normal law around `rate` with deviation 0.1,
    cut off at 0 and 1. Which other class it gets says softmax(x W_y): x are its normalised pixels, and W_y (pixels, K)
    is drawn for each class y from N(0, 1) (Xia et al. 2020, released code).

    Near 0 and 1 the mean of q is not `rate`: 0.206 for 0.2, 0.129 for 0.1.
    """

    rate: float

    deviation = 0.1
    # of each image (N, K), their mean over a class (K, K), and the class of each (N,); `on` finds them: no fields
    laws = T = of = None

    def __post_init__(self):
        super().__post_init__()
        require(0 < self.rate < 1, f"rate is a share of labels, more than 0 and less than 1, not {self.rate}")

    def check(self, K):
        """It fits every number of classes."""

    def law(self, K):
        require(self.T is not None, "the labels depend on the images, which were not looked at; use `on` first")
        return self.T

    def on(self, data, seed):
        found, y = replace(self), data.train.y.numpy()
        laws = self.of_images(data.train, data.K, np.random.default_rng([seed, 6]))
        member = np.eye(data.K)[y]  # (N, K)
        T = member.T @ laws / np.maximum(member.sum(0), 1)[:, None]
        for name, array in (("laws", laws), ("T", T), ("of", y.copy())):
            array.flags.writeable = False  # all who ask get the same one
            object.__setattr__(found, name, array)
        return found

    def check_images(self, y, images):
        self.law(0)
        fits = len(images) == 0 or (images.max() < len(self.of) and np.array_equal(self.of[images], y))
        told = "give draw their rows in the data set, images=rows"
        require(fits, f"y are not the classes of the images whose laws `on` has found; {told}")

    def of_images(self, images: Images, K: int, rng: np.random.Generator) -> np.ndarray:
        """(N, K) probabilities of the labels of each image, in double precision: every machine shall draw the same."""
        from scipy.stats import truncnorm  # only where it is used: it is slow to import

        y, (mean, std) = images.y.numpy(), moments(images.x)
        low, high = -self.rate / self.deviation, (1 - self.rate) / self.deviation
        q = truncnorm.ppf(rng.random(len(y)), low, high, self.rate, self.deviation)
        laws, pixels = np.empty((len(y), K)), images.x[0].numel()
        for k in range(K):
            W, mine = rng.standard_normal((pixels, K)), np.flatnonzero(y == k)
            for rows in np.split(mine, range(1000, len(mine), 1000)):  # pixels of few images at once as doubles
                x = ((images.x[rows].double() - mean) / std).flatten(1).numpy()
                score = x @ W
                score[:, k] = -np.inf
                laws[rows] = q[rows, None] * softmax(score, axis=1)
        laws[np.arange(len(y)), y] = 1 - q
        return laws

    def pick(self, k, u, K, rng, images):
        passed = self.laws[images].cumsum(1) <= u[:, None]
        return np.minimum(passed.sum(1), K - 1)


@dataclass(frozen=True)
class OpenSet(Noise):
    """A share `rate` of the images is replaced by images of another set, the run's `carrier`, which keep the labels of
    those in whose place they are; the others are labelled right. It holds for images that are held out, too. Images of
    another set have no true class, so no prediction for them is right."""

    rate: float

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.rate <= 1, f"rate is a share of images, so between 0 and 1, not {self.rate}")

    @property
    def replaced(self):
        return self.rate

    def law(self, K):
        return np.eye(K)


# those that need a definition alone; all noises are in `names.py`
LAWS = {
    "clean": Clean,
    "uniform": Uniform,
    "structured": Structured,
    "symmetric_inclusive": SymmetricInclusive,
    "symmetric_exclusive": SymmetricExclusive,
    "asymmetric_cifar10": AsymmetricCifar10,
    "asymmetric_mnist": AsymmetricMnist,
    "asymmetric_blocks": AsymmetricBlocks,
    "asymmetric_superclass": AsymmetricSuperclass,
    "hierarchical": Hierarchical,
    "pair_flip": PairFlip,
    "matrix": Matrix,
    "instance": InstanceDependent,
    "open_set": OpenSet,
}
