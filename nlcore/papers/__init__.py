"""Experiments by name: functions from a tier and overrides to the runs that shall exist."""

import json
import shlex
from types import GenericAlias

import pandas as pd

from .. import sweep
from ..inputs import lookup, require
from ..runs import Record, Run
from ..runs import frame as rows_of
from . import field, jiang2018, kye2022, muller2019, rolnick2017, wei2022, zhang2018
from .base import KNOBS, TIERS, Experiment

PAPERS = {
    "rolnick2017": rolnick2017,
    "zhang2018": zhang2018,
    "muller2019": muller2019,
    "jiang2018": jiang2018,
    "kye2022": kye2022,
    "wei2022": wei2022,
    "field": field,
}

__all__ = ["PAPERS", "TIERS", "collect", "experiments", "frame", "given", "growing", "runs"]


def experiments() -> dict[str, Experiment]:
    """All experiments, as `paper.experiment`."""
    return {f"{paper}.{found.name}": found for paper, module in PAPERS.items() for found in module.EXPERIMENTS}


def runs(name: str, tier: str, /, **overrides) -> list[Run]:
    """The runs of an experiment at a tier, after overrides; a `UserError` if a name or a value of them cannot be."""
    return lookup("experiment", name, experiments())(tier, **overrides)


def given(**overrides) -> dict:
    """The overrides that a chapter really sets: neither 0 nor [] nor "auto". A 0 that should be a list is one, to be
    refused."""
    lists = {name for name, kind in KNOBS.items() if isinstance(kind, GenericAlias)}
    return {
        name: value for name, value in overrides.items() if value not in ([], "auto") and (value != 0 or name in lists)
    }


def collect(name: str, tier: str, train: str = "missing", device: str = "auto", **overrides) -> list[Record]:
    """The records of an experiment, trained where they are missing (see `sweep.collect`); a `UserError` if none is."""
    found = sweep.collect(runs(name, tier, **overrides), name.partition(".")[0], train, device=device)
    require(bool(found), f"no record of {name} at {tier}; train them with `{command(name, tier, overrides)}`")
    return found


def command(name: str, tier: str, overrides: dict) -> str:
    """What trains an experiment with overrides."""
    options = "".join(f" --set {shlex.quote(f'{knob}={json.dumps(value)}')}" for knob, value in overrides.items())
    return f"nlcore run {name} --tier {tier}{options}"


def frame(name: str, tier: str, train: str = "missing", device: str = "auto", **overrides) -> pd.DataFrame:
    """The records of an experiment as a table, a row per run and evaluation (see `runs.frame`)."""
    return rows_of(collect(name, tier, train, device, **overrides))


def growing(name: str, tier: str, train: str, device: str, columns: list[str], **overrides) -> pd.DataFrame:
    """As `frame`, of an experiment of which perhaps nothing has been trained, or nothing that fills these columns: it
    has them all the same."""
    found = sweep.collect(runs(name, tier, **overrides), name.partition(".")[0], train, device=device)
    rows = rows_of(found) if found else pd.DataFrame()
    return rows.reindex(columns=[*rows, *(name for name in columns if name not in rows)])
