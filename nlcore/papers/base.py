"""An experiment: a table of sizes by tier, and the function that makes runs of a size."""

import itertools
import math
import types
from collections.abc import Callable
from dataclasses import fields, replace
from typing import NamedTuple

from .. import data
from ..inputs import conform, lookup, require, shown
from ..methods import Method
from ..noise import Noise
from ..runs import Budget, Run

TIERS = ("smoke", "laptop", "gpu", "paper")
MOST = 100_000  # runs of one call

# what may be set in place of a tier's own size, where the experiment has it
KNOBS = {
    "dataset": str,
    "models": list[str],
    "methods": list[str],
    "qs": list[float],
    "ks": list[float],
    "smoothings": list[float],
    "temperatures": list[float],
    "rates": list[float],
    "uniform": list[float],
    "dependent": list[float],
    "instance": list[float],
    "alphas": list[float],
    "deltas": list[float],
    "orders": list[str],
    "carriers": list[str],
    "labels": list[str],
    "drawn": list[str],
    "examples": list[int],
    "batches": list[int],
    "trusted": list[int],
    "perturbed": list[float],
    "rhos": list[float],
    "lams": list[float],
    "burn_ins": list[float],
    "percentiles": list[float],
    "source": str,
    "schedules": list[str],
    "lrs": list[float],
    "lr": float,
    "seeds": int,
    "steps": int,
}


def sizes(**rows) -> dict[str, dict]:
    """A table of sizes, a row for each thing that may be set and a column for each of `TIERS`: a tuple has a value for
    every tier (`...`: the tier has none), anything else is the same for all."""
    table = {tier: {} for tier in TIERS}
    for name, values in rows.items():
        cells = values if isinstance(values, tuple) else (values,) * len(TIERS)
        for tier, value in zip(TIERS, cells, strict=True):
            if value is not ...:
                table[tier][name] = value
    return table


class Experiment(NamedTuple):
    """A table of sizes, and what makes runs of one; called with a tier, it gives the runs."""

    name: str
    tiers: dict[str, dict]  # sizes by tier
    what: str  # in a sentence
    make: Callable[[dict], list[Run]]

    def knobs(self, tier: str) -> dict:
        """Name and type of what may be set at a tier."""
        names = {*self.tiers[tier], "steps"}
        if "lrs" in names:
            names.discard("lr")
        return {name: kind for name, kind in KNOBS.items() if name in names}

    def __call__(self, tier: str, /, **own) -> list[Run]:
        """The runs of a tier, with what the caller sets in place of its own sizes; a `UserError` if that cannot be."""
        known = self.knobs(lookup("tier", tier, TIERS))
        size = dict(self.tiers[tier])
        for key, value in own.items():
            size[key] = conform(key, value, lookup(f"parameter of {self.name}", key, known))
            require(value != [], f"{key} must not be empty")
        size = fitted(size, own)
        check_count(self.name, size)
        return self.make(size)


def fitted(size: dict, own: dict) -> dict:
    """A size whose numbers of images were chosen for another data set, with those that the caller's own set has; where
    it has none of them, all are examples and a fifth is trusted."""
    if own.get("dataset", "digits") in data.KNOWN:
        return size
    used, every = data.train_size(own["dataset"]) * 10 // 11, 0  # the others are held out
    if "novel" in size.get("carriers", []):  # each added label needs another image
        used = every = int(used // (1 + max(size["alphas"])))
    for name, most, instead in (("examples", used, every), ("trusted", used // 2, used // 5)):
        if name in size and name not in own:
            size = size | {name: [n for n in size[name] if n <= most] or [instead]}
    return size


def reaching(method: Method, K: int) -> Method:
    """A method whose steps have a trusted image of each of K classes, if it uses any."""
    return replace(method, trusted_batch=K) if 0 < method.trusted_batch < K else method


def check_count(name: str, size: dict) -> None:
    """Refuse a size that stands for more runs than anybody trains, before a grid of them fills the memory."""
    values = [size[key] for key, kind in KNOBS.items() if key in size and isinstance(kind, types.GenericAlias)]
    count = size.get("seeds", 1) * math.prod(max(len(row), 1) for row in values)
    require(count <= MOST, f"{name} would be up to {shown(count)} runs; name fewer values, {MOST} runs are the most")


def known(noise: Noise, K: int) -> tuple[tuple[float, ...], ...]:
    """The true transition matrix (K, K), for methods that are given it."""
    return tuple(map(tuple, noise.matrix(K).round(12).tolist()))


def compared(
    size: dict,
    recipe: dict,
    noises: list[Noise],
    methods: Callable[[Noise, int], list[Method]],
    aside: bool = False,
    **options,
) -> list[Run]:
    """Every method under every noise, for all numbers of examples, networks and seeds of `size`.

    `methods` gives those for a noise and K classes. Those that need trusted images have each number of them that
    `size` names; `aside`: so have the others, which then train without these images. A tenth of the examples is held
    out, with noisy labels. The budget is the `recipe` with whatever `size` has in its place.
    """
    require(size["seeds"] > 0, f"seeds is how many seeds to run, so 1 or more, not {size['seeds']}")
    name = data.pin(size["dataset"])
    N, K = data.train_size(name), data.classes(size["dataset"])
    of_size = {field.name: size[field.name] for field in fields(Budget) if field.name in size}
    budget = Budget(**(recipe | of_size))
    found, seeds = [], range(size["seeds"])
    of_noise = {noise: [reaching(method, K) for method in methods(noise, K)] for noise in noises}
    for examples, noise, model, seed in itertools.product(size["examples"], noises, size["models"], seeds):
        held = (examples or N) // 10
        fits = 0 <= examples <= N - held
        require(fits, f"{name} has {N} images, {held} are held out; examples={examples} is not possible (0: all)")
        for method in of_noise[noise]:
            numbers = size["trusted"] if method.trust or aside else [0]
            for trusted in numbers:
                found.append(Run(name, model, budget, noise, method, examples, held, seed, trusted=trusted, **options))
    return list(dict.fromkeys(found))
