"""The field after the five papers: every method under every noise, with one recipe, as published and tuned."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ...inputs import lookup
from ...methods import (
    CE,
    ELR,
    GCE,
    GLC,
    SOP,
    ActivePassive,
    CoTeaching,
    DivideMix,
    FasTEN,
    Forward,
    ForwardEstimated,
    LabelSmoothing,
    Method,
    Mixup,
    Peer,
    SmallLoss,
    SoftBootstrap,
    SymmetricCE,
    Truncated,
    VolMinNet,
)
from ...noise import AsymmetricCifar10, HumanLabels, InstanceDependent, Noise, PairFlip, SymmetricExclusive
from ...runs import Run
from ..base import Experiment, compared, known, sizes
from ..zhang2018.experiments import COMMON, SGD

# Columns: smoke, laptop, gpu, paper. The recipe is that of the robust losses (zhang2018), whose runs are these runs
# wherever method and noise are the same.
ALL = [
    *("ce", "label_smoothing", "mixup"),
    *("gce", "truncated", "symmetric_ce", "active_passive", "peer"),
    *("forward", "forward_estimated", "volminnet"),
    *("small_loss", "co_teaching"),
    *("soft_bootstrap", "elr", "sop", "dividemix"),
    *("glc", "fasten"),
]
SIZE = dict(
    **COMMON,
    examples=([1000], [5000], [0], [0]),
    trusted=([50], [100], [1000], [1000]),
    seeds=(1, 3, 3, 5),
    steps=(150, 2000, 16_000, 42_180),
    lr=(3e-3, 0.05, 0.01, 0.01),
)
FASHION = sizes(
    **SIZE,
    dataset=("digits", "fashion", "fashion", "fashion"),
    methods=ALL,
    uniform=([0.5], [0.2, 0.5, 0.8], [0.2, 0.5, 0.8], [0.2, 0.5, 0.8]),
    dependent=([], [0.2, 0.4], [0.2, 0.4], [0.2, 0.4]),
    instance=([], [0.2, 0.4], [0.2, 0.4], [0.2, 0.4]),
)
CIFAR10 = sizes(
    **SIZE,
    dataset=("digits", "cifar10", "cifar10", "cifar10"),
    methods=ALL,
    uniform=([0.5], [0.5], [0.2, 0.5, 0.8], [0.2, 0.5, 0.8]),
    dependent=([], [0.4], [0.2, 0.4], [0.2, 0.4]),
    instance=([0.4], [0.4], [0.2, 0.4], [0.2, 0.4]),
    labels=([], ["worst"], ["aggregate", "worst"], ["aggregate", "random1", "worst"]),
)
# Five trainings of each method: at `laptop` each takes two fifths of the steps, on two fifths of the images.
SHORT = dict(examples=([1000], [2000], [0], [0]), steps=(150, 800, 16_000, 42_180))
TUNED = sizes(
    **SIZE | SHORT,
    dataset=("digits", "fashion", "cifar10", "cifar10"),
    methods=(["ce", "gce", "elr"], ALL, ALL, ALL),
    uniform=([0.5], [0.5], [0.2, 0.5, 0.8], [0.2, 0.5, 0.8]),
    dependent=([], [], [0.2, 0.4], [0.2, 0.4]),
    instance=([], [0.4], [0.2, 0.4], [0.2, 0.4]),
)

# class-dependent noise: CIFAR-10 has a map of its own, elsewhere a label moves on to the next class
DEPENDENT = {"cifar10": AsymmetricCifar10}
PRUNED = partial(Truncated, start=1 / 3, every=1 / 12)  # first when the learning rate first falls
PLAIN: dict[str, Callable[..., Method]] = {
    "ce": CE,
    "label_smoothing": LabelSmoothing,
    "mixup": Mixup,
    "gce": GCE,
    "truncated": PRUNED,
    "symmetric_ce": SymmetricCE,
    "active_passive": ActivePassive,
    "peer": Peer,
    "forward_estimated": ForwardEstimated,
    "volminnet": VolMinNet,
    "soft_bootstrap": SoftBootstrap,
    "elr": ELR,
    "sop": SOP,
    "dividemix": DivideMix,
    "glc": GLC,
    "fasten": FasTEN,
}
# labels that depend on the image have no matrix that a method could be told
OF_IMAGES = (InstanceDependent, HumanLabels)
HUMAN_RATES = {"aggregate": 0.0901, "random1": 0.1723, "worst": 0.4021}  # Wei et al. 2022, Table 1
# these are told the share of wrong labels
TOLD_RATE: dict[str, Callable[..., Method]] = {"co_teaching": CoTeaching, "small_loss": SmallLoss}

# The main knob of each method: five values, of which the paper's is one, for every method the same effort.
KNOBS: dict[str, tuple[str, list]] = {
    "label_smoothing": ("a", [0.05, 0.1, 0.2, 0.4, 0.8]),
    "mixup": ("alpha", [0.2, 0.5, 1.0, 2.0, 8.0]),
    "gce": ("q", [0.3, 0.5, 0.7, 0.85, 1.0]),
    "truncated": ("k", [0.1, 0.3, 0.5, 0.7, 0.9]),
    "symmetric_ce": ("alpha", [0.01, 0.1, 0.3, 1.0, 6.0]),
    "active_passive": ("beta", [0.1, 0.3, 1.0, 3.0, 10.0]),
    "peer": ("alpha", [0.1, 0.25, 0.5, 0.75, 1.0]),
    "forward_estimated": ("quantile", [0.5, 0.9, 0.97, 0.99, 1.0]),
    "volminnet": ("lam", [0.0, 1e-5, 1e-4, 1e-3, 1e-2]),
    "soft_bootstrap": ("b", [0.5, 0.7, 0.8, 0.9, 0.95]),
    "elr": ("lam", [1.0, 3.0, 5.0, 7.0, 12.0]),
    "sop": ("lr_u", [0.1, 1.0, 10.0, 30.0, 100.0]),
    "dividemix": ("lambda_u", [0.0, 5.0, 25.0, 50.0, 150.0]),
    "co_teaching": ("tau", [0.1, 0.2, 0.3, 0.4, 0.5]),
    "small_loss": ("tau", [0.1, 0.2, 0.3, 0.4, 0.5]),
    "fasten": ("lam", [0.1, 0.25, 0.5, 1.0, 2.0]),
}


def plain_knobs(size: dict) -> list[dict]:
    """The recipe of cross entropy changed in one thing at a time, so that it has as many trainings as others."""
    lr, steps = size["lr"], size["steps"]
    return [{}, {"lr": lr / 5}, {"lr": 2 * lr}, {"weight_decay": 5e-3}, {"steps": steps // 4}]


def rate_of(noise: Noise, K: int) -> float:
    """The share of wrong labels that a method is told, classes being alike."""
    if isinstance(noise, HumanLabels):
        return HUMAN_RATES[noise.labels]
    return noise.rate if isinstance(noise, InstanceDependent) else round(1 - float(noise.law(K).diagonal().mean()), 6)


def method(name: str, noise: Noise, K: int) -> list[Method]:
    """The method of a name as its paper has it; none where the noise has no matrix that it could be told."""
    lookup("method", name, [*PLAIN, *TOLD_RATE, "forward"])
    if name == "forward":
        return [] if isinstance(noise, OF_IMAGES) else [Forward(known(noise, K))]
    return [TOLD_RATE[name](tau=rate_of(noise, K))] if name in TOLD_RATE else [PLAIN[name]()]


def methods(size: dict, noise: Noise, K: int) -> list[Method]:
    """The methods of a size under a noise with K classes."""
    return [found for name in size["methods"] for found in method(name, noise, K)]


def noises(size: dict) -> list[Noise]:
    """Symmetric noise (exclusive), noise that depends on the class, on the image, and people's own."""
    dependent = DEPENDENT.get(size["dataset"], PairFlip)
    found = [SymmetricExclusive(float(rate)) for rate in size["uniform"]]
    found += [dependent(float(rate)) for rate in size["dependent"]]
    found += [InstanceDependent(float(rate)) for rate in size["instance"]]
    return found + [HumanLabels(name) for name in size.get("labels", [])]


def grid(size: dict) -> list[Run]:
    """All methods under all noises."""
    return compared(size, SGD, noises(size), partial(methods, size))


def with_knobs(size: dict, noise: Noise, K: int) -> list[Method]:
    """The methods of a size, each with its main knob at five values."""
    found = []
    for name in size["methods"]:
        knob, values = KNOBS.get(name, ("", []))
        for own in method(name, noise, K):
            found += [replace(own, **{knob: value}) for value in values] if knob else [own]
    return found


def tuned_grid(size: dict) -> list[Run]:
    """As `grid`, each method with its main knob at five values; cross entropy with its recipe changed in five ways."""
    plain = size | {"methods": ["ce"]}
    found = [run for own in plain_knobs(size) for run in grid(plain | own)] if "ce" in size["methods"] else []
    others = size | {"methods": [name for name in size["methods"] if name != "ce"]}
    return found + compared(size, SGD, noises(size), partial(with_knobs, others))


fashion = Experiment("fashion", FASHION, "all methods, as published, under seven noises", grid)
cifar10 = Experiment("cifar10", CIFAR10, "all methods, as published, on CIFAR-10, under people's labels too", grid)
tuned = Experiment("tuned", TUNED, "all methods, the main knob of each chosen from five values", tuned_grid)

EXPERIMENTS = [fashion, cifar10, tuned]
