"""What is run on the labels of Wei et al. 2022: sizes, methods, grids."""

from functools import partial

from ...inputs import lookup
from ...methods import (
    CE,
    GCE,
    GLC,
    L2RW,
    FasTEN,
    ForwardEstimated,
    LabelSmoothing,
    MentorNet,
    Method,
    SoftBootstrap,
    Truncated,
    TrustedOnly,
)
from ...noise import Clean, HumanLabels, HumanMatrix, Noise
from ...runs import Run
from ..base import Experiment, compared, sizes

# The paper trains a ResNet-34 by SGD for 100 epochs, its rate divided by ten after 60; smaller tiers keep that share.
SCHEDULE = {"schedule": "steps", "milestones": (0.6,), "evaluations": 12}

# Columns, here and below: smoke, laptop, gpu, paper.
RECIPE = dict(
    seeds=(1, 3, 3, 5),
    models=(["conv_small"], ["conv_small"], ["resnet18"], ["resnet34"]),
    optimiser=("adam", "sgd", "sgd", "sgd"),
    lr=(3e-3, 0.05, 0.1, 0.1),
    weight_decay=(0.0, 5e-4, 5e-4, 5e-4),
    precision=(..., ..., "bf16", "bf16"),
    channels_last=(..., ..., True, True),
    augment=(..., ..., "flip_crop", "flip_crop"),
)
ROWS = dict(
    **RECIPE,
    dataset=("digits", "cifar10", "cifar10", "cifar10"),
    examples=([1000], [5000], [0], [0]),
    trusted=([50], [100], [1000], [1000]),
    steps=(100, 1000, 16_000, 39_100),
)
ALL = ["ce", "label_smoothing", "soft_bootstrap", "gce", "truncated", "forward_estimated"]
ALL += ["trusted_only", "glc", "l2rw", "data", "fasten"]
SEVERAL = ["ce", "gce", "forward_estimated", "glc", "data", "fasten"]
RATES = ["aggregate", "random1", "worst"]

# labels: sets of them, as people gave them; drawn: those whose matrix labels are drawn from
CIFAR10N = sizes(
    **ROWS,
    methods=(["ce", "gce", "fasten"], ALL, ALL, ALL),
    labels=(["stand_in"], RATES, RATES, RATES),
    drawn=[],
    clean=True,
)
TWINS = sizes(
    **(ROWS | {"seeds": (1, 5, 3, 5)}),
    methods=(["ce", "gce", "fasten"], SEVERAL, SEVERAL, SEVERAL),
    labels=(["stand_in"], ["aggregate", "worst"], ["aggregate", "worst"], ["aggregate", "worst"]),
    drawn=(["stand_in"], ["aggregate", "worst"], ["aggregate", "worst"], ["aggregate", "worst"]),
)
OF_A_HUNDRED = dict(
    dataset=("digits", "cifar100", "cifar100", "cifar100"),
    examples=([1000], [20_000], [0], [0]),
    trusted=([50], [400], [1000], [1000]),
    steps=(100, 2000, 16_000, 39_100),
)
CIFAR100N = sizes(
    **(ROWS | OF_A_HUNDRED),
    methods=["ce", "gce", "fasten"],
    labels=(["stand_in"], ["noisy"], ["noisy"], ["noisy"]),
    drawn=(["stand_in"], ["noisy"], ["noisy"], ["noisy"]),
)

PLAIN = {
    "ce": CE,
    "label_smoothing": LabelSmoothing,
    "soft_bootstrap": SoftBootstrap,
    "gce": GCE,
    "truncated": Truncated,
    "trusted_only": TrustedOnly,
    "glc": GLC,
    "l2rw": L2RW,
    "fasten": FasTEN,
}


def method(name: str, K: int) -> Method:
    """What a name stands for, with the values of its own paper; `data` is MentorNet with the data-driven mentor."""
    lookup("method", name, [*PLAIN, "data", "forward_estimated"])
    if name == "data":
        return MentorNet("data")
    if name == "forward_estimated":  # of 100 classes each has a share of 1 %, so a top 3 % are not outliers
        return ForwardEstimated(quantile=0.97 if K <= 10 else 1.0)
    return PLAIN[name]()


def methods(size: dict, noise: Noise, K: int) -> list[Method]:
    """The methods of a size; on clean labels cross entropy alone, which is what is lost by noise."""
    return [CE()] if noise == Clean() else [method(name, K) for name in size["methods"]]


def grid(size: dict) -> list[Run]:
    """All methods on all sets of labels, and on labels drawn from the matrices of some. Those that use no trusted
    images train without them too, on the same noisy pairs."""
    noises = [Clean()] if size.get("clean") else []
    noises += [HumanLabels(name) for name in size["labels"]] + [HumanMatrix(name) for name in size["drawn"]]
    return compared(size, SCHEDULE, noises, partial(methods, size), aside=True)


cifar10n = Experiment("cifar10n", CIFAR10N, "Table 2: eleven methods on the labels that people gave to CIFAR-10", grid)
twins = Experiment("twins", TWINS, "the labels of people, and labels drawn from their matrix", grid)
cifar100n = Experiment("cifar100n", CIFAR100N, "Table 2: a hundred classes, and labels drawn from their matrix", grid)

EXPERIMENTS = [twins, cifar10n, cifar100n]
