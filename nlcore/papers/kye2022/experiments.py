"""What is run of Kye et al. 2022: sizes, methods, grids."""

from functools import partial

from ...inputs import lookup
from ...methods import CE, GLC, L2RW, MSLC, DeepKNN, FasTEN, ForwardEstimated, Method, MLaC, MLoC, MWNet, TrustedOnly
from ...noise import AsymmetricCifar10, Hierarchical, Noise, PairFlip, SymmetricInclusive
from ...runs import Run
from ..base import Experiment, compared, sizes

# The released recipe: SGD with momentum from 0.1, divided by ten after 49 and 59 of 70 epochs, batches of 100 beside
# 100 trusted images. The smaller tiers start at 0.05 and keep those shares; 200 steps on digits are too few for SGD.
SCHEDULE = {"schedule": "steps", "milestones": (5 / 7, 6 / 7), "batch": 100}

# Columns, here and below: smoke, laptop, gpu, paper.
RECIPE = dict(
    seeds=(1, 3, 3, 5),
    steps=(100, 1000, 15_400, 30_800),
    optimiser=("adam", "sgd", "sgd", "sgd"),
    lr=(3e-3, 0.05, 0.1, 0.1),
    weight_decay=(0.0, 5e-4, 5e-4, 5e-4),
    precision=(..., ..., "bf16", "bf16"),
    channels_last=(..., ..., True, True),
)
QUICK = RECIPE | {"seeds": (1, 5, 3, 5)}  # of experiments that a laptop can repeat more often

# rates: of symmetric noise; dependent: of asymmetric noise; examples: 0 are all
# trusted: one in fifty, as 1,000 of the 45,000 images of CIFAR-10
ALL = ["ce", "trusted_only", "forward_estimated", "glc", "l2rw", "mwnet", "mloc", "mlac", "mslc", "deep_knn", "fasten"]
TABLE = sizes(
    **RECIPE,
    dataset=("digits", "fashion", "cifar10", "cifar10"),
    models=(["conv_small"], ["conv_small"], ["resnet18"], ["resnet34"]),
    examples=([1000], [5000], [0], [0]),
    trusted=([50], [100], [1000], [1000]),
    methods=ALL,
    rates=([0.6], [0.2, 0.4, 0.6, 0.8], [0.2, 0.4, 0.6, 0.8], [0.2, 0.4, 0.6, 0.8]),
    dependent=([], [0.2, 0.4], [0.2, 0.4], [0.2, 0.4]),
    augment=(..., ..., "flip_crop", "flip_crop"),
    evaluations=(10, 10, 10, 70),
)
CIFAR100 = sizes(
    **(RECIPE | {"steps": (100, 2000, 15_400, 30_800), "seeds": (1, 3, 3, 5)}),
    dataset=("digits", "cifar100", "cifar100", "cifar100"),
    models=(["conv_small"], ["conv_small"], ["resnet18"], ["resnet34"]),
    examples=([1000], [20_000], [0], [0]),
    trusted=([50], [400], [1000], [1000]),
    methods=(["glc", "fasten"], [name for name in ALL if name != "forward_estimated"], ALL, ALL),
    rates=([0.6], [0.8], [0.2, 0.4, 0.6, 0.8], [0.2, 0.4, 0.6, 0.8]),
    dependent=([], [], [0.2, 0.4], [0.2, 0.4]),
    augment=(..., ..., "flip_crop", "flip_crop"),
    evaluations=(10, 10, 10, 70),
)
COST = sizes(
    **RECIPE,
    dataset=("digits", "fashion", "cifar10", "cifar10"),
    models=(["conv_small"], ["conv_small"], ["resnet18"], ["resnet34"]),
    examples=([1000], [5000], [0], [0]),
    trusted=([50], [100], [1000], [1000]),
    methods=ALL,
    rates=([0.6], [0.8], [0.8], [0.8]),
    dependent=[],
    augment=(..., ..., "flip_crop", "flip_crop"),
    evaluations=(10, 10, 10, 70),
)
MATRIX = sizes(
    **QUICK,
    dataset=("digits", "fashion", "cifar10", "cifar10"),
    models=(["conv_small"], ["conv_small"], ["resnet18"], ["resnet34"]),
    examples=([1000], [5000], [0], [0]),
    trusted=([50], [100], [1000], [1000]),
    methods=(
        ["glc", "uncorrected"],
        ["glc", "mloc", "uncorrected"],
        ["glc", "mloc", "uncorrected"],
        ["glc", "mloc", "uncorrected"],
    ),
    rates=([0.6], [0.4, 0.8], [0.4, 0.8], [0.4, 0.8]),
    dependent=([], [0.4], [0.4], [0.4]),
    augment=(..., ..., "flip_crop", "flip_crop"),
    evaluations=(20, 50, 50, 50),
)
TENTHS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
PERTURBED = sizes(
    **QUICK,
    dataset=("digits", "fashion", "cifar10", "cifar10"),
    models=(["conv_small"], ["conv_small"], ["resnet18"], ["resnet34"]),
    examples=([1000], [5000], [0], [0]),
    trusted=([50], [100], [1000], [1000]),
    methods=["fasten", "uncorrected"],
    rates=([0.6], [0.8], [0.8], [0.8]),
    dependent=[],
    perturbed=([0, 1], [0, 0.2, 0.4, 0.6, 0.8, 1], TENTHS, TENTHS),
    augment=(..., ..., "flip_crop", "flip_crop"),
    evaluations=(10, 10, 10, 70),
)
ABLATION = sizes(
    **QUICK,
    dataset=("digits", "fashion", "cifar10", "cifar10"),
    models=(["conv_small"], ["conv_small"], ["resnet18"], ["resnet34"]),
    examples=([1000], [5000], [0], [0]),
    trusted=([50], [100], [1000], [1000]),
    methods=["fasten", "uncorrected", "immediate"],
    rates=([0.6], [0.4, 0.8], [0.4, 0.8], [0.4, 0.8]),
    dependent=[],
    rhos=([0.5, 0.8], [0.5, 0.8, 0.95], [0.5, 0.8, 0.95], [0.5, 0.8, 0.95]),
    lams=([0.5], [0.1, 0.5, 2], [0.1, 0.5, 2], [0.1, 0.5, 2]),
    augment=(..., ..., "flip_crop", "flip_crop"),
    evaluations=(10, 10, 10, 70),
)
HEADS = sizes(
    **QUICK,
    dataset=("digits", "fashion", "cifar10", "cifar10"),
    models=(["conv_small"], ["conv_small"], ["resnet18"], ["resnet34"]),
    examples=([1000], [5000], [0], [0]),
    trusted=([50], [100], [1000], [1000]),
    methods=["fasten", "separate"],
    rates=([0.6], [0.4, 0.8], [0.4, 0.8], [0.4, 0.8]),
    dependent=[],
    augment=(..., ..., "flip_crop", "flip_crop"),
    evaluations=(10, 10, 10, 70),
)
TRUSTED = sizes(
    **QUICK,
    dataset=("digits", "fashion", "cifar10", "cifar10"),
    models=(["conv_small"], ["conv_small"], ["resnet18"], ["resnet34"]),
    examples=([1000], [5000], [0], [0]),
    trusted=(
        [20, 50],
        [20, 50, 100, 200, 500, 1000],
        [100, 250, 500, 1000, 2500, 5000],
        [100, 250, 500, 1000, 2500, 5000],
    ),
    methods=(
        ["trusted_only", "fasten"],
        ["trusted_only", "glc", "fasten"],
        ["trusted_only", "glc", "fasten"],
        ["trusted_only", "glc", "fasten"],
    ),
    rates=([0.6], [0.8], [0.8], [0.8]),
    dependent=[],
    augment=(..., ..., "flip_crop", "flip_crop"),
    evaluations=(10, 10, 10, 70),
)
AUGMENTED = sizes(
    **QUICK,
    dataset=("digits", "fashion", "cifar10", "cifar10"),
    models=(["conv_small"], ["conv_small"], ["resnet18"], ["resnet34"]),
    examples=([1000], [5000], [0], [0]),
    trusted=([50], [100], [1000], [1000]),
    methods=(
        ["glc", "fasten"],
        ["trusted_only", "glc", "fasten", "uncorrected"],
        ["trusted_only", "glc", "fasten", "uncorrected"],
        ["trusted_only", "glc", "fasten", "uncorrected"],
    ),
    rates=([0.6], [0.8], [0.8], [0.8]),
    dependent=[],
    augment="flip_crop",
    evaluations=(10, 10, 10, 70),
)

# asymmetric noise: the maps of the paper's data sets; where there is none, a label moves on to the next class
DEPENDENT = {"cifar10": AsymmetricCifar10, "cifar100": Hierarchical}
PLAIN = {"ce": CE, "trusted_only": TrustedOnly, "glc": GLC, "l2rw": L2RW, "mwnet": MWNet, "mloc": MLoC}
PLAIN |= {"mlac": MLaC, "mslc": MSLC, "deep_knn": DeepKNN, "forward_estimated": ForwardEstimated}
VARIANTS = {"uncorrected": FasTEN(correct=False), "immediate": FasTEN(immediate=True)}
VARIANTS["separate"] = FasTEN(shared=False)


def fastens(size: dict) -> list[FasTEN]:
    """FasTEN with one of its parameters at a time at each value that the size names, or as it is if it names none."""
    found = []
    for values, parameter in (("rhos", "rho"), ("lams", "lam"), ("perturbed", "perturb")):
        found += [FasTEN(**{parameter: float(value)}) for value in size.get(values, [])]
    return found or [FasTEN()]


def methods(size: dict, noise: Noise, K: int) -> list[Method]:
    """The methods of a size."""
    found = []
    for name in size["methods"]:
        lookup("method", name, [*PLAIN, *VARIANTS, "fasten"])
        if name == "fasten":
            found += fastens(size)
        else:
            found.append(VARIANTS[name] if name in VARIANTS else PLAIN[name]())
    return found


def grid(size: dict) -> list[Run]:
    """All methods under all noises (symmetric noise inclusive, as in the released code). Those that use no trusted
    images train without them too, on the same noisy pairs."""
    dependent = DEPENDENT.get(size["dataset"], PairFlip)
    noises = [SymmetricInclusive(float(r)) for r in size["rates"]] + [dependent(float(r)) for r in size["dependent"]]
    return compared(size, SCHEDULE, noises, partial(methods, size), aside=True)


table = Experiment("table", TABLE, "Table 1: eleven ways to learn with a few trusted images", grid)
cifar100 = Experiment("cifar100", CIFAR100, "Table 1: a hundred classes", grid)
cost = Experiment("cost", COST, "Fig. 1: accuracy against cost, at the highest noise of the table", grid)
matrix = Experiment("matrix", MATRIX, "the error of T over training, without corrections", grid)
perturbed = Experiment("perturbed", PERTURBED, "corrected labels replaced by random ones", grid)
ablation = Experiment("ablation", ABLATION, "corrections, rho and lambda", grid)
heads = Experiment("heads", HEADS, "two heads on one network, or two networks", grid)
trusted = Experiment("trusted", TRUSTED, "how many trusted images?", grid)
augmented = Experiment("augmented", AUGMENTED, "images mirrored and shifted, which the smaller tiers leave out", grid)

EXPERIMENTS = [table, cifar100, cost, matrix, perturbed, ablation, heads, trusted, augmented]
