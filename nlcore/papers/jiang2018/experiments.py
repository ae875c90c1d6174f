"""What is run of Jiang et al. 2018: sizes, methods, grids."""

import itertools
from functools import partial

from ... import data
from ...inputs import lookup
from ...methods import CE, Curriculum, Forgetting, MentorNet, Method, SoftBootstrap
from ...noise import Noise, SymmetricInclusive
from ...runs import Run
from ..base import Experiment, compared, sizes

# The released recipe: SGD with momentum from 0.1, divided by ten after 19,531, 25,000 and 30,000 of 39,000 steps,
# batches of 128. The smaller tiers start at 0.05 and keep those shares; 300 steps on digits are too few for SGD.
SCHEDULE = {"schedule": "steps", "milestones": (0.5, 0.64, 0.77), "evaluations": 25}

# Columns, here and below: smoke, laptop, gpu, paper. `examples` of 0 are all.
RECIPE = dict(
    examples=([1000], [5000], [0], [0]),
    steps=(150, 2000, 16_000, 39_000),
    optimiser=("adam", "sgd", "sgd", "sgd"),
    lr=(3e-3, 0.05, 0.1, 0.1),
    weight_decay=(0.0, 2e-4, 2e-4, 2e-4),
    augment=(..., ..., "flip_crop", "flip_crop"),
    precision=(..., ..., "bf16", "bf16"),
    channels_last=(..., ..., True, True),
)

# trusted: one in ten, as 5,000 of the 50,000 images of CIFAR-10
STUDENTS = sizes(
    **RECIPE,
    dataset=("digits", "fashion", "cifar10", "cifar10"),
    models=(["conv_small"], ["conv_small", "mlp1"], ["resnet32", "cifarnet"], ["wide_resnet", "cifarnet"]),
    methods=["ce", "forgetting", "self_paced", "focal", "soft_bootstrap", "pd", "data"],
    rates=([0.4], [0.2, 0.4, 0.8], [0.2, 0.4, 0.8], [0.2, 0.4, 0.8]),
    trusted=([100], [500], [5000], [5000]),
    seeds=(1, 3, 3, 3),
)
TRANSFER = sizes(
    **RECIPE,
    dataset=("digits", "fashion", "cifar100", "cifar100"),
    source=("digits", "mnist", "cifar10", "cifar10"),
    models=(["conv_small"], ["conv_small"], ["resnet32"], ["wide_resnet"]),
    methods=["ce", "data", "moved"],
    rates=([0.4], [0.4, 0.8], [0.4], [0.2, 0.4, 0.8]),
    trusted=([100], [500], [5000], [5000]),
    seeds=(1, 3, 3, 3),
)
BUDGET = sizes(
    **RECIPE,
    dataset=("digits", "fashion", "cifar10", "cifar10"),
    models=(["conv_small"], ["conv_small"], ["resnet32"], ["wide_resnet"]),
    methods=["data"],
    rates=[0.4],
    trusted=([20, 100], [5, 25, 50, 125, 250, 500], [50, 250, 500, 1250, 2500, 5000], [50, 250, 500, 1250, 2500, 5000]),
    seeds=(1, 5, 3, 3),
)
BURN_IN = sizes(
    **RECIPE,
    dataset=("digits", "fashion", "cifar10", "cifar10"),
    models=(["conv_small"], ["conv_small"], ["resnet32"], ["wide_resnet"]),
    methods=["self_paced", "data"],
    rates=[0.4],
    burn_ins=([0, 0.2], [0, 0.1, 0.2, 0.4], [0, 0.1, 0.2, 0.4], [0, 0.1, 0.2, 0.4]),
    trusted=([100], [500], [5000], [5000]),
    seeds=(1, 5, 3, 3),
)
FORMS = sizes(
    **RECIPE,
    dataset=("digits", "fashion", "cifar10", "cifar10"),
    models=(["conv_small"], ["conv_small"], ["resnet32"], ["wide_resnet"]),
    methods=(["data"], ["pd", "data"], ["pd", "data"], ["pd", "data"]),
    rates=[0.4],
    forms=["released", "paper"],
    trusted=([100], [500], [5000], [5000]),
    seeds=(1, 3, 3, 3),
)
PERCENTILE = sizes(
    **RECIPE,
    dataset=("digits", "fashion", "cifar10", "cifar10"),
    models=(["conv_small"], ["conv_small"], ["resnet32"], ["wide_resnet"]),
    methods=(["self_paced"], ["self_paced"], ["self_paced", "pd"], ["self_paced", "pd"]),
    rates=([0.4], [0.4, 0.8], [0.4, 0.8], [0.4, 0.8]),
    percentiles=([0.5, 0.7], [0.3, 0.5, 0.75, 0.9], [0.3, 0.5, 0.75, 0.9], [0.3, 0.5, 0.75, 0.9]),
    trusted=([100], [500], [5000], [5000]),
    seeds=(1, 5, 3, 3),
)

PLAIN = {"ce": CE, "forgetting": Forgetting, "soft_bootstrap": SoftBootstrap}
CURRICULA = ("self_paced", "focal")
MENTORS = ("pd", "data", "moved")  # moved: one that has learned on the data set `source`
# p of the released commands by rate of noise; the others use 0.7
P = {"pd": {0.2: 0.75, 0.4: 0.75, 0.8: 0.5}, "data": {0.2: 0.8, 0.4: 0.6, 0.8: 0.5}}


def percentile(kind: str, rate: float) -> float:
    """p of a curriculum or mentor at the nearest rate of noise that the commands name."""
    if kind not in P:
        return 0.7
    nearest = min(P[kind], key=lambda told: abs(told - rate))
    return P[kind][nearest]


def weighing(name: str, size: dict, noise: Noise) -> list[Method]:
    """A curriculum or a mentor with every percentile, burn-in and form that the size names."""
    kind = "data" if name == "moved" else name
    source = data.pin(size["source"]) if name == "moved" else ""
    percentiles = size.get("percentiles", [percentile(kind, noise.rate)])
    burn_ins, forms = size.get("burn_ins", [0.2]), size.get("forms", ["released"])
    found = []
    for p, burn_in, form in itertools.product(percentiles, burn_ins, forms):
        shared = {"kind": kind, "p": float(p), "burn_in": float(burn_in)}
        found.append(Curriculum(**shared) if name in CURRICULA else MentorNet(**shared, form=form, source=source))
    return found


def methods(size: dict, noise: Noise, K: int) -> list[Method]:
    """The methods of a size."""
    found = []
    for name in size["methods"]:
        lookup("method", name, [*PLAIN, *CURRICULA, *MENTORS])
        found += [PLAIN[name]()] if name in PLAIN else weighing(name, size, noise)
    return found


def grid(size: dict) -> list[Run]:
    """All methods at all rates of symmetric noise (inclusive; the paper's generator was never released)."""
    return compared(size, SCHEDULE, [SymmetricInclusive(float(r)) for r in size["rates"]], partial(methods, size))


students = Experiment("students", STUDENTS, "Table 2: seven ways to train two students", grid)
transfer = Experiment("transfer", TRANSFER, "a mentor from another data set", grid)
budget = Experiment("budget", BUDGET, "what the data-driven mentor costs in checked labels", grid)
burn_in = Experiment("burn_in", BURN_IN, "is the burn-in needed?", grid)
forms = Experiment("forms", FORMS, "the mentor of the paper and the released one", grid)
percentiles = Experiment("percentile", PERCENTILE, "p, the flag that is misspelt in every published command", grid)

EXPERIMENTS = [students, transfer, budget, burn_in, forms, percentiles]
