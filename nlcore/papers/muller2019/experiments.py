"""The experiments on label smoothing: their sizes by tier, and the runs of a size."""

from functools import partial

from ...methods import CE, Backward, Distillation, Forward, LabelSmoothing, Method
from ...noise import Clean, Noise, SymmetricExclusive
from ...runs import Run
from ..base import Experiment, compared, known, sizes

# Müller's recipe for ResNet-56: SGD with Nesterov momentum from 0.1, divided by ten after 32k and 48k of 64k steps,
# batches of 128, a loss three times cross entropy. Ours has plain momentum, the mean loss, and drops at those shares.
SGD = {"optimiser": "sgd", "weight_decay": 1e-4, "schedule": "steps", "milestones": (0.5, 0.75)}

# What all experiments have in common. The columns of all tables are the tiers: smoke, laptop, gpu, paper.
COMMON = {
    "examples": ([1000], [10_000], [0], [0]),
    "optimiser": ("adam", ..., ..., ...),  # 300 steps are too few for SGD
    "weight_decay": (0.0, ..., ..., ...),
    "precision": (..., ..., "bf16", "bf16"),
    "channels_last": (..., ..., True, True),
}

# smoothings: 0 is cross entropy; uniform: rates of symmetric noise, 0 is none; examined: the trained network, how
ANALYSED = ["calibration", "projection", "information"]
CALIBRATION = sizes(
    **COMMON,
    dataset=("digits", "cifar10", "cifar100", "cifar100"),
    models=(["conv_small"], ["conv_small"], ["resnet32"], ["resnet56"]),
    seeds=(1, 5, 3, 5),
    steps=(150, 2000, 16_000, 64_000),
    lr=(3e-3, 0.05, 0.1, 0.1),
    augment=(..., ..., "flip_crop", "flip_crop"),
    smoothings=([0, 0.1], [0, 0.05, 0.1, 0.2], [0, 0.05, 0.1, 0.2], [0, 0.05, 0.1, 0.2]),
    uniform=[0],
    examined=ANALYSED,
)
CIFAR100 = sizes(
    **(COMMON | {"examples": ([1000], [20_000], [0], [0])}),
    dataset=("digits", "cifar100", "cifar100", "cifar100"),
    models=(["conv_small"], ["conv_small"], ["resnet32"], ["resnet56"]),
    seeds=(1, 3, 3, 5),
    steps=(150, 4000, 16_000, 64_000),
    lr=(3e-3, 0.05, 0.1, 0.1),
    augment=(..., ..., "flip_crop", "flip_crop"),
    smoothings=([0, 0.1], [0, 0.1], [0, 0.05, 0.1, 0.2], [0, 0.05, 0.1, 0.2]),
    uniform=([0], [0, 0.2], [0], [0]),
    examined=(["calibration", "information"], ["calibration", "information"], ANALYSED, ANALYSED),
)
NORMS = sizes(
    **COMMON,
    dataset=("digits", "cifar10", "cifar100", "cifar100"),
    models=(["conv_small"], ["conv_small"], ["resnet32"], ["resnet56"]),
    seeds=(1, 5, 3, 5),
    steps=(150, 2000, 16_000, 64_000),
    lr=(3e-3, 0.05, 0.1, 0.1),
    augment=(..., ..., "flip_crop", "flip_crop"),
    smoothings=[0, 0.1],
    uniform=[0],
    examined=["norms"],
)
INFORMATION = sizes(
    **COMMON,
    dataset=("digits", "cifar10", "cifar100", "cifar100"),
    models=(["conv_small"], ["conv_small"], ["resnet32"], ["resnet56"]),
    seeds=(1, 5, 3, 5),
    steps=(150, 2000, 16_000, 64_000),
    lr=(3e-3, 0.05, 0.1, 0.1),
    augment=(..., "flip_crop", "flip_crop", "flip_crop"),
    smoothings=([0, 0.1], [0, 0.05, 0.1, 0.2], [0, 0.05, 0.1, 0.2], [0, 0.05, 0.1, 0.2]),
    uniform=[0],
    examined=ANALYSED,
)
ALL = [-1, -0.4, 0, 0.1, 0.2, 0.4, 0.8]
NOISE = sizes(
    **COMMON,
    dataset=("digits", "cifar10", "cifar100", "cifar100"),
    models=(["conv_small"], ["conv_small"], ["resnet32"], ["resnet32"]),
    seeds=(1, 3, 3, 5),
    steps=(150, 1500, 16_000, 64_000),
    lr=(3e-3, 0.05, 0.1, 0.1),
    augment=(..., ..., "flip_crop", "flip_crop"),
    smoothings=([-0.4, 0, 0.1, 0.8], ALL, ALL, ALL),
    corrections=True,
    uniform=[0.2, 0.6],
    examined=["calibration"],
)
DISTILLATION = sizes(
    **COMMON,
    dataset=("digits", "mnist", "mnist", "cifar10"),
    teacher=("conv_small", "conv_small", "mlp2_1200", "resnet56"),
    models=(["mlp2"], ["mlp2"], ["mlp2_800"], ["conv6"]),
    seeds=(1, 3, 3, 5),
    steps=(150, 2000, 16_000, 64_000),
    lr=(3e-3, 0.05, 0.05, 0.1),
    augment=(..., ..., "none", "flip_crop"),
    smoothings=([0, 0.1], [0, 0.1], [0, 0.1], [0, 0.15, 0.3, 0.45, 0.6, 0.75]),
    temperatures=([1], [1, 4], [1, 4], [1, 2, 3, 4, 8, 12, 16]),
    uniform=[0, 0.2],
)


def methods(size: dict, noise: Noise, K: int) -> list[Method]:
    """Cross entropy and smoothing; then either students of teachers that were trained so, or corrections with the true
    T of a noise with K classes."""
    found = [LabelSmoothing(float(a)) if a else CE() for a in size["smoothings"]]
    if "teacher" in size:
        for a in size["smoothings"]:
            found += [Distillation(float(a), float(T), teacher=size["teacher"]) for T in size["temperatures"]]
    elif size.get("corrections"):
        found += [Forward(known(noise, K)), Backward(known(noise, K))]
    return found


def grid(size: dict) -> list[Run]:
    """All methods under symmetric noise of all rates (exclusive; 0: clean)."""
    noises = [SymmetricExclusive(float(rate)) if rate else Clean() for rate in size["uniform"]]
    return compared(size, SGD, noises, partial(methods, size), analyses=tuple(size.get("examined", ())))


calibration = Experiment("calibration", CALIBRATION, "Tables 2, 3, Fig. 1, 6: accuracy, ECE, last layer", grid)
cifar100 = Experiment("cifar100", CIFAR100, "Tables 2, 3, with a hundred classes: accuracy, ECE", grid)
information = Experiment("information", INFORMATION, "Fig. 6: the same, with images mirrored and shifted", grid)
norms = Experiment("norms", NORMS, "how large weights and logits become on hard and on smoothed targets", grid)
noise = Experiment("noise", NOISE, "Lukasik: smoothing by a beside forward and backward correction", grid)
distillation = Experiment("distillation", DISTILLATION, "Fig. 5: students of hard and of smoothed teachers", grid)

EXPERIMENTS = [calibration, cifar100, information, norms, noise, distillation]
