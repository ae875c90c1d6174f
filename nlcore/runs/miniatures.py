"""The golden runs: miniatures on the embedded digits, each through its whole schedule in a fraction of a second."""

from dataclasses import replace

import numpy as np

from ..methods import (
    GCE,
    GLC,
    METHODS,
    MSLC,
    ActivePassive,
    Backward,
    CoTeaching,
    Curriculum,
    Distillation,
    DivideMix,
    FasTEN,
    Forward,
    HAlpha,
    MentorNet,
    Method,
    MLoC,
    NoiseAdaptation,
    SmallLoss,
    Truncated,
    VolMinNet,
)
from ..methods.curriculum import CURRICULA
from ..models import FAMILIES
from ..noise import (
    AsymmetricCifar10,
    AsymmetricMnist,
    Clean,
    HumanLabels,
    HumanMatrix,
    InstanceDependent,
    Matrix,
    Noise,
    OpenSet,
    PairFlip,
    Structured,
    SymmetricExclusive,
    SymmetricInclusive,
    Uniform,
)
from .run import Budget, Run

SURE, NEXT, AFTER_NEXT = np.eye(10), np.roll(np.eye(10), 1, 1), np.roll(np.eye(10), 2, 1)
# a noise that is no other golden run's subject: a third of each class goes to the two next ones
LAW = tuple(map(tuple, (0.65 * SURE + 0.25 * NEXT + 0.1 * AFTER_NEXT).tolist()))
PLAIN = Run("digits", "mlp1", Budget(48, 32, lr=3e-3, evaluations=3), Matrix(LAW), examples=600, validation=100)

# for networks that take their time
SHORT = {"steps": 5, "batch": 16, "evaluations": 1, "lr": 1e-3}
# deep ones magnify the last digits of a processor with every step: at the rate above, the loss of resnet34 differs by a
# tenth between two processors, at this one by a ten thousandth
DEEP = SHORT | {"lr": 1e-5}
SGD = {"optimiser": "sgd", "lr": 0.05}
FALLING = {"schedule": "steps", "milestones": (0.75,)}
RECIPE = FALLING | {"optimiser": "sgd", "lr": 0.4, "steps": 60, "augment": "flip_crop", "weight_decay": 1e-4}
QUICK = {
    "steps": 16,
    "evaluations": 1,
    "optimiser": "sgd",
    "lr": 0.4,
    "momentum": 0.85,
    "nesterov": True,
    "weight_decay": 1e-3,
}
QUICK |= {"schedule": "triangle", "augment": "flip_shift"}
ON_A_GPU = DEEP | {"precision": "bf16", "channels_last": True, "augment": "flip_crop"}


def with_method(method: Method) -> Run:
    return replace(PLAIN, method=method, trusted=100 if method.trust else 0)


def with_noise(noise: Noise, **options) -> Run:
    return replace(PLAIN, noise=noise, **options)


def with_network(model: str, **budget) -> Run:
    return replace(PLAIN, model=model, budget=replace(PLAIN.budget, **budget))


def with_budget(**options) -> Run:
    return with_network("mlp1", **options)


def of_methods() -> list[Run]:
    """Every method as it is, cross entropy being plain, and the options that take another path."""
    methods = [method() for method in METHODS.values()]
    methods += [kind(LAW) for kind in (Forward, NoiseAdaptation, GLC, MLoC)]
    methods += [NoiseAdaptation(restart=True), ActivePassive(passive="mae"), VolMinNet(lam=0.0)]
    methods += [GCE(q=0.0), HAlpha(alpha=0.0), HAlpha(rescale=True), MSLC(warm=0.0)]
    methods += [Truncated(pruner="current"), Truncated(detached=True), Truncated(start=0.0, k=0.05)]
    methods += [Distillation(teacher="mlp2"), Distillation(a=0.1, temperature=4.0)]
    methods += [Curriculum(kind) for kind in CURRICULA if kind != "self_paced"]
    methods += [
        Curriculum(burn_in=0.0, decay=0.5),
        Curriculum(drop=0.1),
        Curriculum(corrected=True),
        Curriculum(explicit=0.1),
    ]
    methods += [MentorNet(form="paper"), MentorNet(burn_in=0.0)]
    methods += [MentorNet("data"), MentorNet("data", form="paper"), MentorNet("data", burn_in=0.0)]
    methods += [MentorNet("data", source="digits")]
    methods += [
        FasTEN(perturb=0.5, rho=0.3),
        FasTEN(immediate=True, rho=0.3),
        FasTEN(correct=False),
        FasTEN(shared=False),
    ]
    methods += [SmallLoss(tau=0.4), CoTeaching(tau=0.4), DivideMix(asymmetric=True), DivideMix(lambda_u=0.0)]
    # at this rate some probabilities fall below the clip, so that the two differ
    clipped = [replace(with_method(Backward(LAW, clip)), budget=replace(PLAIN.budget, lr=0.03)) for clip in (1e-7, 0.0)]
    return [with_method(method) for method in methods] + clipped


def of_noises() -> list[Run]:
    """Every noise that ten classes can have, and what carries added labels."""
    noises = [Clean(), Uniform(2.0)]
    noises += [Structured(6.0, 0.5, order) for order in ("confusing", "learned", "reverse", "random", "fresh")]
    noises += [kind(0.4) for kind in (SymmetricInclusive, SymmetricExclusive, AsymmetricCifar10, AsymmetricMnist)]
    noises += [PairFlip(0.4), InstanceDependent(0.4)]
    noises += [HumanLabels("stand_in"), HumanMatrix("stand_in")]
    carriers = ("novel", "white", "photos", "digits")  # no other set of such images is embedded
    carried = [with_noise(Uniform(2.0), carrier=carrier, examples=300) for carrier in carriers]
    carried.append(with_noise(OpenSet(0.4), carrier="white"))
    return [with_noise(noise) for noise in noises] + carried


# networks besides those that stand for their families in all other golden runs; wide_resnet would take a minute, and
# shares all its code with the tiny one
OTHERS = ("perceptron", "mlp2", "mlp4", "mlp2_800", "mlp2_1200", "conv6", "resnet18", "resnet34", "resnet56")


def of_networks() -> list[Run]:
    """A network of every family, and a short run of each other one."""
    small = [with_network("conv_small"), with_network("conv4", steps=16, lr=1e-3)]
    small.append(with_network("airbench94", steps=12, lr=1e-3, evaluations=1))
    short = ("cifarnet", "resnet32", "wide_resnet_tiny", *OTHERS)
    return small + [with_network(model, **(DEEP if FAMILIES[model] == "resnet" else SHORT)) for model in short]


def of_budgets() -> list[Run]:
    """How it is optimised."""
    return [
        with_budget(**SGD),
        with_budget(**SGD, momentum=0.0),
        with_budget(**SGD, nesterov=True),
        with_budget(schedule="cosine"),
        with_budget(**FALLING),
        with_budget(schedule="triangle"),
        with_budget(weight_decay=1e-2),
        with_budget(precision="bf16"),
        with_budget(channels_last=True),
        with_budget(augment="flip_crop", steps=96, lr=1e-2),
        with_budget(augment="flip_shift", steps=96, lr=1e-2),
    ]


def of_analyses() -> list[Run]:
    """What is examined at the end."""
    return [replace(PLAIN, analyses=(name,)) for name in ("calibration", "projection", "information", "norms")]


def of_recipes() -> list[Run]:
    """Parts that meet in the papers' recipes."""
    networks = [with_network("conv_small", channels_last=True), with_network("conv_small", precision="bf16")]
    networks += [with_network("resnet32", **ON_A_GPU), with_network("airbench94", **QUICK)]
    whole = [with_method(method) for method in (FasTEN(), MentorNet("data"), GLC())]
    budget = replace(PLAIN.budget, **RECIPE)
    return networks + [replace(run, budget=budget) for run in whole]


def all_runs() -> list[Run]:
    """The golden runs."""
    return of_methods() + of_noises() + of_networks() + of_budgets() + of_analyses() + of_recipes()
