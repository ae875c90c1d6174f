"""Is a number still true? Miniature runs whose histories are committed: whatever moves one of them is seen.

A *feature* is what a run is made of besides sizes and seeds: its method, an option of it that is not the usual one, its
noise, the family of its network, its optimiser, and so on. A golden run has few features, and every run whose features
include them rests on it. So an edit that moves a golden run tells which records may have moved, and no other.
"""

import hashlib
import json
import math
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..methods import (
    GLC,
    METHODS,
    MSLC,
    Backward,
    Curriculum,
    Distillation,
    FasTEN,
    Forward,
    GCE,
    HAlpha,
    Method,
    MentorNet,
    MLoC,
    NoiseAdaptation,
    Truncated,
)
from ..methods.curriculum import CURRICULA
from ..models import FAMILIES
from ..noise import (
    AsymmetricCifar10,
    Clean,
    Matrix,
    Noise,
    PairFlip,
    Structured,
    SymmetricExclusive,
    SymmetricInclusive,
    Uniform,
)
from .run import Budget, Run

# Of a loss the relative difference, of a share the absolute one, that processors with other instructions may show; the
# last bits of bfloat16 are worth more.
LOSS, SHARE = {"fp32": 2e-4, "bf16": 0.03}, {"fp32": 0.01, "bf16": 0.05}
LOSSES = ("loss", "test_loss", "test_loss_scaled")


def options(method: Method, prefix: str = "method") -> set[str]:
    """A method's name and those of its options that take another path: words, and numbers that are 0 where usually they
    are not, or the other way round."""
    name = next(name for name, kind in METHODS.items() if type(method) is kind)
    found = {f"{prefix}={name}"}
    for f in fields(method):
        value = getattr(method, f.name)
        if f.name == "teacher":
            found |= {"teacher=given", f"network={FAMILIES[value]}"} if value else set()
        elif f.name == "source":
            found |= {"mentor=moved"} if value else set()
        elif isinstance(value, str):
            found |= {f"{f.name}={value}"} if value != f.default else set()
        elif bool(value) != bool(f.default):
            found.add(f"{f.name}={'0' if not value else 'given'}")
    return found


def features(run: Run) -> frozenset[str]:
    """What a run is made of, as words such as `noise=uniform`; what is usual in a golden run has no word."""
    budget, spec = run.budget, run.spec()
    found = {f"network={FAMILIES[run.model]}"} | options(run.method)
    found |= {f"noise={spec['noise']['name']}"} | ({f"order={run.noise.order}"} if hasattr(run.noise, "order") else set())
    found |= {f"{name}={getattr(budget, name)}" for name in ("optimiser", "schedule", "precision", "augment")}
    found |= {f"analysis={name}" for name in run.analyses}
    found |= {"layout=channels_last"} if budget.channels_last else set()
    found |= {"weight_decay"} if budget.weight_decay else set()
    found |= {"momentum=0"} if budget.optimiser == "sgd" and not budget.momentum else set()
    if run.carrier != "same":
        found.add(f"carrier={run.carrier if run.carrier in ('novel', 'white', 'photos') else 'data set'}")
    return frozenset(found - USUAL)


USUAL = {"network=mlp", "method=ce", "noise=matrix", "optimiser=adam", "schedule=constant", "precision=fp32", "augment=none"}

# one noise that is no other's test: a third of each class to the two next ones
LAW = tuple(map(tuple, (0.65 * np.eye(10) + 0.25 * np.roll(np.eye(10), 1, 1) + 0.1 * np.roll(np.eye(10), 2, 1)).tolist()))
PLAIN = Run("digits", "mlp1", Budget(48, 32, lr=3e-3, evaluations=3), Matrix(LAW), examples=600, validation=100)


def with_method(method: Method) -> Run:
    return replace(PLAIN, method=method, trusted=100 if method.trust else 0)


def with_noise(noise: Noise, **options) -> Run:
    return replace(PLAIN, noise=noise, **options)


def with_network(model: str, **budget) -> Run:
    return replace(PLAIN, model=model, budget=replace(PLAIN.budget, **budget))


def with_budget(**options) -> Run:
    return with_network("mlp1", **options)


def all_runs() -> list[Run]:
    """The golden runs."""
    sgd = {"optimiser": "sgd", "lr": 0.05}
    recipe = sgd | {"schedule": "steps", "milestones": (0.5,), "augment": "flip_crop", "weight_decay": 1e-4}
    short = {"steps": 3, "batch": 16, "evaluations": 1, "lr": 1e-3}
    gpu = short | {"precision": "bf16", "channels_last": True, "augment": "flip_crop", "optimiser": "sgd"}
    added = Uniform(2.0)
    return [
        # every method as it is, cross entropy being plain, and the options that take another path
        *(with_method(method()) for method in METHODS.values()),
        *(with_method(kind(LAW)) for kind in (Forward, Backward, NoiseAdaptation, GLC, MLoC)),
        *(with_method(GCE(q=q)) for q in (0.0,)),
        with_method(HAlpha(alpha=0.0)),
        with_method(HAlpha(rescale=True)),
        with_method(Truncated(pruner="current")),
        with_method(Truncated(detached=True)),
        with_method(Truncated(start=0.0)),
        with_method(Distillation(teacher="mlp2")),
        with_method(Distillation(a=0.1, temperature=4.0)),
        *(with_method(Curriculum(kind)) for kind in CURRICULA if kind != "self_paced"),
        with_method(Curriculum(burn_in=0.0)),
        with_method(Curriculum(drop=0.1)),
        with_method(Curriculum(corrected=True)),
        with_method(Curriculum(explicit=0.1)),
        with_method(MentorNet(form="paper")),
        with_method(MentorNet(burn_in=0.0)),
        with_method(MentorNet("data")),
        with_method(MentorNet("data", form="paper")),
        with_method(MentorNet("data", burn_in=0.0)),
        with_method(MentorNet("data", source="digits")),
        with_method(FasTEN(perturb=0.5, rho=0.3)),
        with_method(FasTEN(immediate=True, rho=0.3)),
        with_method(FasTEN(correct=False)),
        with_method(MSLC(warm=0.0)),
        # noise, and what carries it
        with_noise(Clean()),
        with_noise(added),
        *(with_noise(Structured(20.0, 0.5, order)) for order in ("confusing", "reverse", "random", "fresh")),
        *(with_noise(kind(0.4)) for kind in (SymmetricInclusive, SymmetricExclusive, AsymmetricCifar10, PairFlip)),
        *(with_noise(added, carrier=carrier, examples=300) for carrier in ("novel", "white", "photos", "digits")),
        # networks
        with_network("conv_small"),
        with_network("conv4", steps=12),
        with_network("cifarnet", steps=12),
        with_network("resnet32", **short),
        with_network("wide_resnet_tiny", **short),
        # how it is optimised
        with_budget(**sgd),
        with_budget(**sgd, momentum=0.0),
        with_budget(schedule="cosine"),
        with_budget(schedule="steps", milestones=(0.5,)),
        with_budget(weight_decay=1e-2),
        with_budget(precision="bf16"),
        with_budget(channels_last=True),
        with_budget(augment="flip_crop"),
        # what is examined at the end
        *(replace(PLAIN, analyses=(name,)) for name in ("calibration", "projection", "information")),
        # parts that meet in the papers' recipes
        with_network("conv_small", channels_last=True),
        with_network("conv_small", precision="bf16"),
        with_network("resnet32", **gpu),
        *(replace(with_method(m), model="conv_small", budget=replace(PLAIN.budget, **recipe)) for m in MEETING),
    ]


MEETING = (FasTEN(), MentorNet("data"), GLC())


def kind(run: Run) -> str:
    """The name of a golden run: its features."""
    return ", ".join(sorted(features(run))) or "plain"


def golden_runs() -> dict[str, Run]:
    """The golden runs by the names of their kinds."""
    return {kind(run): run for run in all_runs()}


def place() -> Path:
    return Path(__file__).with_name("golden.json")


class Outcome(NamedTuple):
    """What a golden run gives: a hash of its labels, and its history as plain numbers."""

    labels: str
    history: list[dict[str, float | None]]


def outcome(card: dict, history: list[dict]) -> Outcome:
    """What a golden run gave, without seconds; of a list, which is drawn as a picture, the mean of its numbers."""
    rows = []
    for row in history:
        numbers = {k: np.mean(np.array(v, float)).item() if isinstance(v, list) else v for k, v in row.items()}
        rows.append({k: v if v is None else round(v, 6) for k, v in numbers.items() if k != "seconds"})
    return Outcome(card["labels_sha256"][:16], rows)


def committed() -> dict[str, Outcome]:
    """The committed outcomes by kind."""
    return dict(_parsed(place(), place().stat().st_mtime_ns)) if place().exists() else {}


@lru_cache(maxsize=4)
def _parsed(path: Path, changed: int) -> dict[str, Outcome]:
    return {name: Outcome(**told) for name, told in json.loads(path.read_text()).items()}


def write(found: dict[str, Outcome]) -> None:
    """One kind a line, so that a change of one is a change of a line."""
    lines = [f"{json.dumps(name)}: {json.dumps(told._asdict())}" for name, told in sorted(found.items())]
    place().write_text("{\n" + ",\n".join(lines) + "\n}\n")


def digest(told: Outcome) -> str:
    """Eight hex digits of an outcome."""
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:8]


def digests() -> frozenset[str]:
    """The digests of all committed outcomes."""
    return _digests(place(), place().stat().st_mtime_ns) if place().exists() else frozenset()


@lru_cache(maxsize=4)
def _digests(path: Path, changed: int) -> frozenset[str]:
    return frozenset(map(digest, _parsed(path, changed).values()))


@lru_cache(maxsize=4096)
def _rests_on(made_of: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name, run in golden_runs().items() if features(run) <= made_of))


def rests_on(run: Run) -> tuple[str, ...]:
    """The kinds of golden runs that a run rests on: those with no feature that it has not."""
    return _rests_on(features(run))


def marks(run: Run) -> str:
    """The digests of the golden runs that a run rests on, for its record."""
    known = committed()
    return " ".join(digest(known[name]) for name in rests_on(run) if name in known)


def difference(old: Outcome, new: Outcome, precision: str = "fp32") -> str:
    """What differs by more than another processor may cause, in words; nothing: ""."""
    if old.labels != new.labels:
        return "other labels were drawn"
    if len(old.history) != len(new.history):
        return f"{len(new.history)} evaluations instead of {len(old.history)}"
    for was, now in zip(old.history, new.history, strict=True):
        for name in sorted(was.keys() | now.keys()):
            if name not in was or name not in now:
                return f"{name} is measured {'no more' if name in was else 'as well'}"
            if not _near(name, was[name], now[name], precision):
                return f"{name} {now[name]} instead of {was[name]} at step {was['step']}"
    return ""


def _near(name: str, was: float | None, now: float | None, precision: str) -> bool:
    if was is None or now is None:
        return was is now
    if name in LOSSES:
        return math.isclose(was, now, rel_tol=LOSS[precision])
    return math.isclose(was, now, rel_tol=SHARE[precision], abs_tol=SHARE[precision])


def changed(name: str, found: Outcome) -> str:
    """How an outcome of a kind differs from what is committed, in words; as it was: ""."""
    old = committed().get(name)
    return difference(old, found, golden_runs()[name].budget.precision) if old else "not committed yet"
