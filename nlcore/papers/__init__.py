"""Experiments by name: functions from a tier and overrides to the runs that shall exist."""

import typing

import pandas as pd

from .. import records, sweep
from ..inputs import conform, lookup, require
from ..records import Run
from . import rolnick2017

PAPERS = {"rolnick2017": rolnick2017}
TIERS = ("smoke", "laptop", "gpu", "paper")


def experiments() -> dict[str, typing.Callable]:
    """All experiments, as `paper.experiment`."""
    return {f"{paper}.{f.__name__}": f for paper, module in PAPERS.items() for f in module.EXPERIMENTS}


def runs(name: str, tier: str, **overrides) -> list[Run]:
    """The runs of an experiment at a tier."""
    make = lookup("experiment", name, experiments())
    lookup("tier", tier, TIERS)
    hints = {k: v for k, v in typing.get_type_hints(make).items() if k not in ("tier", "return")}
    for key, value in overrides.items():
        lookup(f"parameter of {name}", key, hints)
        conform(key, value, hints[key])
        require(value != [], f"{key} must not be empty")
    return make(tier, **overrides)


def given(**overrides) -> dict:
    """The overrides that a chapter really sets: neither 0 nor [] nor "auto"."""
    return {k: v for k, v in overrides.items() if v not in (0, [], "auto")}


def frame(name: str, tier: str, train: str = "missing", device: str = "auto", **overrides) -> pd.DataFrame:
    """The results of an experiment, as from `records.frame`, trained where they are missing."""
    found = sweep.collect(runs(name, tier, **overrides), name.partition(".")[0], train, device=device)
    require(bool(found), f"no record of {name} at {tier}; train them with `nlcore run {name} --tier {tier}`")
    return records.frame(found)
