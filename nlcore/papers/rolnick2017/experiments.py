"""The experiments: their sizes, a column for each tier, and the function that makes runs of a size."""

import itertools
from functools import partial
from typing import NamedTuple

from ... import data
from ...inputs import lookup, require
from ...methods import CE, HAlpha, Method
from ...noise import ORDERS, Clean, Noise, Structured, Uniform
from ...runs import Budget, Run
from ..base import Experiment, sizes

NETS = ["perceptron", "mlp1", "mlp2", "mlp4", "conv4"]
SMALL = ["perceptron", "mlp1", "mlp2", "mlp4", "conv_small"]  # a net that a CPU core can train stands in for Conv4
WIDE = ["conv4", "conv6", "resnet18"]
MOST_ALPHA = 1_000_000
CARRIERS = ("same", "novel", "white", "photos")  # and data sets

# Columns: smoke, laptop, gpu, paper. `floor` is the least number of steps of 128 pairs, for small alphas with a short
# pass; short runs take a larger rate.

UNIFORM = sizes(
    dataset=("digits", "mnist", "mnist", "mnist"),
    models=(SMALL, SMALL, NETS, NETS),
    seeds=(1, 3, 3, 5),
    floor=(300, 15_000, 15_000, 15_000),
    lr=(4e-3, 1e-3, 1e-3, 1e-3),
    alphas=([0, 10, 20, 50], [0, 10, 20, 50, 100], [0, 20, 50, 100], [*range(0, 101, 10)]),
)
CIFAR_UNIFORM = sizes(
    dataset=("digits", "cifar10", "cifar10", "cifar10"),
    models=(["conv_small", "conv4"], ["conv_small"], WIDE, WIDE),
    seeds=(1, 3, 3, 5),
    floor=(50, 5000, 15_000, 40_000),
    lr=(4e-3, 1e-3, 1e-3, 1e-3),
    alphas=([0, 10], [0, 2, 5, 10], [0, 2, 5, 10], [*range(11)]),
    examples=(..., [20_000], ..., ...),
    augment=(..., ..., "flip_crop", "flip_crop"),
    precision=(..., ..., "bf16", "bf16"),
    channels_last=(..., ..., True, True),
)
STRUCTURED = sizes(
    dataset=("digits", "mnist", "mnist", "mnist"),
    models=(["conv_small"], ["conv_small"], ["conv4"], ["conv4"]),
    seeds=(1, 3, 3, 5),
    floor=(300, 15_000, 15_000, 15_000),
    lr=(4e-3, 1e-3, 1e-3, 1e-3),
    alphas=[20],
    orders=["confusing", "random", "reverse", "fresh"],
    deltas=([0, 0.5, 1], [0, 0.5, 1], [0, 0.25, 0.5, 0.75, 1], [i / 10 for i in range(11)]),
)
# the same on a part of the images, so that there can be more deltas, and more seeds where orders are compared
KNEE = sizes(
    dataset=("digits", "mnist", "mnist", "mnist"),
    models=(["conv_small"], ["conv_small"], ["conv4"], ["conv4"]),
    seeds=(1, 5, 5, 5),
    floor=(150, 1000, 15_000, 15_000),
    lr=(4e-3, 1e-3, 1e-3, 1e-3),
    alphas=[20],
    examples=([600], [5000], [10_000], [10_000]),
    orders=(["confusing", "learned"], *[["confusing", "learned", "random"]] * 3),
    deltas=([0, 0.5, 1], *[[0, 0.25, 0.5, 0.75, 0.9, 1]] * 3),
)
SEVERAL_SEEDS = {"seeds": 10, "deltas": [0.9]}
ORDER = {tier: size if tier == "smoke" else size | SEVERAL_SEEDS for tier, size in KNEE.items()}
SOURCE = sizes(
    dataset=("digits", "mnist", "cifar10", "cifar10"),
    models=(["conv_small"], ["conv_small"], ["conv6"], ["conv6"]),
    seeds=(1, 3, 3, 5),
    floor=(300, 15_000, 15_000, 40_000),
    lr=(4e-3, 1e-3, 1e-3, 1e-3),
    alphas=([0, 10, 20], [0, 10, 20], [0, 5, 10], [*range(11)]),
    carriers=(
        ["same", "photos", "white"],
        ["same", "fashion", "white"],
        ["same", "cifar100", "white"],
        ["same", "cifar100", "white"],
    ),
    precision=(..., ..., "bf16", "bf16"),
    channels_last=(..., ..., True, True),
)
# the paper's own data where a CPU has to do: a part of CIFAR-10; the larger tiers have it in SOURCE
PART_OF_CIFAR = {
    "dataset": "cifar10",
    "models": ["conv_small"],
    "seeds": 3,
    "floor": 3000,
    "lr": 1e-3,
    "alphas": [0, 5, 10],
    "examples": [10_000],
    "carriers": ["same", "cifar100", "white"],
}
CIFAR_SOURCE = SOURCE | {"laptop": PART_OF_CIFAR}
NOVEL = sizes(
    dataset=("digits", "mnist", "mnist", "mnist"),
    models=(["conv_small"], ["conv_small"], ["conv4"], ["conv4"]),
    seeds=(1, 5, 3, 5),
    floor=(150, 1000, 1000, 1000),
    lr=(4e-3, 1e-3, 1e-3, 1e-3),
    alphas=([0, 5], [0, 5, 10, 15, 20], [0, 5, 10, 15, 20], [0, 5, 10, 15, 20]),
    examples=([200], [2500], [2500], [2500]),
    carriers=["same", "novel"],
)
DATA_SIZE = sizes(
    dataset=("digits", "mnist", "mnist", "mnist"),
    models=(["conv_small"], ["conv_small"], ["conv4"], ["conv4"]),
    seeds=(1, 3, 3, 3),
    floor=(100, 1000, 1000, 1000),
    lr=(4e-3, 1e-3, 1e-3, 1e-3),
    alphas=[0, 10, 20, 50],
    examples=(
        [50, 200, 600],
        [100, 500, 1000, 2000, 3000, 5000, 10_000, 20_000, 0],
        [100, 500, 1000, 2000, 3000, 5000, 10_000, 20_000, 0],
        [100, 500, 1000, 2000, 3000, 4000, 5000, 10_000, 20_000, 30_000, 40_000, 50_000, 0],
    ),
)
LONGER = sizes(
    dataset=("digits", "mnist", "mnist", "mnist"),
    models=(["conv_small"], ["conv_small"], ["conv4"], ["conv4"]),
    seeds=(1, 5, 3, 5),
    floor=(300, 15_000, 15_000, 15_000),
    lr=(4e-3, 1e-3, 1e-3, 1e-3),
    alphas=([10], [10], [10, 20], [10, 20]),
    examples=([200], [2000, 5000, 10_000], [2000, 5000, 10_000], [2000, 5000, 10_000]),
    steps=(300, 5000, 15_000, 15_000),
)
ONSET = sizes(
    dataset=("digits", "mnist", "mnist", "mnist"),
    models=(["conv_small"], ["conv_small"], ["conv4"], ["conv4"]),
    seeds=(1, 3, 3, 5),
    floor=(100, 1000, 1000, 1000),
    lr=(4e-3, 1e-3, 1e-3, 1e-3),
    lrs=([1e-3, 4e-3], [1e-4, 1e-3], [1e-4, 1e-3], [1e-4, 1e-3]),
    schedules=["constant"],
    alphas=[50],
    examples=(
        [200, 600],
        [1000, 2000, 5000, 10_000, 20_000],
        [1000, 2000, 3000, 5000, 10_000, 20_000, 0],
        [1000, 2000, 3000, 4000, 5000, 10_000, 20_000, 0],
    ),
)
BATCH_SIZE = sizes(
    dataset=("digits", "mnist", "mnist", "mnist"),
    models=["mlp2"],
    methods=["ce", "h_alpha"],
    seeds=(1, 3, 3, 5),
    floor=(100, 2000, 5000, 5000),
    lr=(2e-3, 3e-4, 3e-4, 3e-4),
    schedules=["constant", "cosine"],
    alphas=([0, 50], [0, 10, 20, 50], [0, 10, 20, 50], [0, 10, 20, 30, 40, 50]),
    batches=([32, 128, 256], [32, 64, 128, 192, 256], [32, 64, 128, 192, 256], [32, 64, 128, 192, 256]),
    examples=([600], [20_000], ..., ...),
)
LEARNING_RATE = sizes(
    dataset=("digits", "mnist", "cifar10", "cifar10"),
    models=(["mlp2"], ["mlp2"], ["conv4"], ["conv4"]),
    seeds=(1, 5, 3, 3),
    floor=(100, 500, 15_000, 40_000),
    optimiser="sgd",
    momentum=0.0,
    lr=(4e-3, 1e-3, 1e-3, 1e-3),
    lrs=([0.01, 0.1, 0.5], [0.01, 0.05, 0.1, 0.5], [0.01, 0.05, 0.1, 0.5], [0.01, 0.05, 0.1, 0.5]),
    schedules=["constant"],
    alphas=([0, 20], [0, 10, 20, 50], [0, 2, 5, 10], [*range(11)]),
    examples=(..., [20_000], ..., ...),
    precision=(..., ..., "bf16", "bf16"),
    channels_last=(..., ..., True, True),
)
# rates and batches of which several have the same ratio; all runs see as many pairs
RATE_AND_BATCH = sizes(
    dataset=("digits", "mnist", "mnist", "mnist"),
    models=["mlp2"],
    seeds=(1, 5, 3, 3),
    floor=(100, 500, 5000, 5000),
    optimiser="sgd",
    momentum=0.0,
    lr=0.1,
    lrs=([0.05, 0.1], [0.05, 0.1, 0.2, 0.4], [0.05, 0.1, 0.2, 0.4], [0.05, 0.1, 0.2, 0.4]),
    schedules=["constant"],
    alphas=[20],
    batches=([64, 128], *[[32, 64, 128, 256]] * 3),
    examples=([600], [20_000], ..., ...),
)


class Point(NamedTuple):
    """One value of everything that the experiments vary."""

    alpha: float
    model: str
    delta: float | None  # None: the noise is not structured
    order: str
    carrier: str
    examples: int
    schedule: str
    batch: int
    method: str
    lr: float

    @property
    def infinite(self) -> bool:
        """Whether it stands for infinitely many noisy labels of each image."""
        return self.method == "h_alpha"


def lists(size: dict) -> dict[str, list]:
    """The values that a size has for each field of `Point`, in that order; one where the size names none."""
    single = {"alphas": [], "models": [], "deltas": [None], "orders": ["random"], "carriers": ["same"], "examples": [0]}
    single |= {"schedules": ["cosine"], "batches": [128], "methods": ["ce"], "lrs": [size["lr"]]}
    return {name: size.get(name, values) for name, values in single.items()}


def noise_and_method(point: Point) -> tuple[Noise, Method]:
    """H_alpha has its noise in the loss, so its labels are clean."""
    if point.infinite:
        return Clean(), HAlpha(point.alpha)
    if point.delta is None:
        return Uniform(point.alpha), CE()
    order = lookup("order", point.order, ORDERS)
    return Structured(point.alpha, float(point.delta), order if point.delta else "random"), CE()  # 0: there is no order


def carrier_of(alpha: float, carrier: str, dataset: str) -> str:
    """What bears the noisy labels, if there are any; photographs where it would be the data set itself."""
    if not alpha:
        return "same"
    return "photos" if carrier == dataset else carrier


def check(size: dict, values: dict[str, list], N: int) -> None:
    """Refuse what no run can have, before any is made."""
    require(size["seeds"] > 0, f"seeds is how many seeds to run, so 1 or more, not {size['seeds']}")
    require(min(values["batches"]) > 0, "batches must be 1 or more")
    most = max(values["alphas"], default=0)
    require(most <= MOST_ALPHA, f"alphas are wrong labels per clean one, and {most:g} is more than {MOST_ALPHA:,}")
    for carrier in values["carriers"]:
        is_file = "." in carrier or "/" in carrier
        if not is_file:
            lookup("carrier", carrier, [*CARRIERS, *data.KNOWN])
    for method in values["methods"]:
        lookup("method", method, ("ce", "h_alpha"))
    for examples in values["examples"]:
        fits = 0 <= examples <= N
        require(fits, f"{size['dataset']} has {N} images to train on; examples={examples} is not possible (0: all)")


def grid(size: dict) -> list[Run]:
    """All combinations of the lists in `size`.

    The paper has Adam and batches of 128; its length, schedule and rates were not found. Ours: one pass over all
    N(1 + alpha) pairs (or `steps`), at least the tier's floor, under a cosine schedule from lr / sqrt(1 + alpha), so
    that the random walk of the weights over one pass is as long for every alpha. Where schedules or rates are compared,
    the rate is the same for every alpha.
    """
    name, values = data.pin(size["dataset"]), lists(size)
    held = min(2000, data.train_size(name) // 10)  # images for validation
    N = data.train_size(name) - held
    check(size, values, N)
    pinned = {carrier: carrier if carrier in CARRIERS else data.pin(carrier) for carrier in values["carriers"]}
    options = {k: size[k] for k in ("optimiser", "momentum", "precision", "channels_last", "augment") if k in size}
    of_seed = []  # functions
    for alpha, *others in itertools.product(*values.values()):
        point = Point(float(alpha), *others)
        if point.infinite and point.batch < max(values["batches"]):
            continue  # H_alpha stands beside the largest batch only
        noise, method = noise_and_method(point)
        copies = max(values["alphas"]) if point.infinite else point.alpha  # H_alpha: as many updates at every alpha
        one_pass = int((point.examples or N) * (1 + copies) / point.batch)
        steps = size.get("steps", max(size["floor"] * 128 // point.batch, one_pass))
        lr = point.lr if "schedules" in size else round(point.lr / (1 + point.alpha) ** 0.5, 8)
        budget = Budget(steps, point.batch, lr=lr, schedule=point.schedule, **options)
        examples, carrier = point.examples % N, carrier_of(point.alpha, pinned[point.carrier], name)
        of_seed.append(partial(Run, name, point.model, budget, noise, method, examples, held, carrier=carrier))
    return list(dict.fromkeys(make(seed=seed) for seed in range(size["seeds"]) for make in of_seed))


uniform = Experiment("uniform", UNIFORM, "Fig. 1: alpha uniform labels per clean one, for five networks", grid)
cifar_uniform = Experiment("cifar_uniform", CIFAR_UNIFORM, "Fig. 2: the same on CIFAR-10", grid)
structured = Experiment("structured", STRUCTURED, "delta, for each order; at delta = 0 there is no order", grid)
knee = Experiment("knee", KNEE, "at which delta accuracy falls, on a part of the images", grid)
order = Experiment("order", ORDER, "is the confusing order ahead of others at equal delta, seed by seed?", grid)
source = Experiment("source", SOURCE, "wrong labels on as many carriers as clean images, or all there are", grid)
cifar_source = Experiment("cifar_source", CIFAR_SOURCE, "the same on CIFAR-10, at `laptop` on a part of it", grid)
novel = Experiment("novel", NOVEL, "Fig. 7: wrong labels on the clean images again or, once each, on others", grid)
data_size = Experiment("data_size", DATA_SIZE, "Fig. 8, 9: the number of clean examples (0: all)", grid)
longer = Experiment("longer", LONGER, "the same, more steps at sizes whose one pass is short", grid)
onset = Experiment("onset", ONSET, "what makes learning set in suddenly: the same at constant rates", grid)
batch_size = Experiment("batch_size", BATCH_SIZE, "Fig. 11: batch size and H_alpha, two schedules", grid)
learning_rate = Experiment("learning_rate", LEARNING_RATE, "Fig. 12: constant rates of plain SGD", grid)
rate_and_batch = Experiment("rate_and_batch", RATE_AND_BATCH, "do runs of equal rate per batch agree?", grid)

EXPERIMENTS = [
    *(uniform, cifar_uniform, structured, knee, order, source, cifar_source, novel),
    *(data_size, longer, onset, batch_size, learning_rate, rate_and_batch),
]
