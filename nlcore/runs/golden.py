"""Is a number still true? Miniature runs whose histories are committed: whatever moves one of them is seen.

A *feature* is what a run is made of besides sizes and seeds: its method, an option of it that is not the usual one, its
noise, the family of its network, its optimiser, and so on. A golden run has few features, and every run whose features
include them rests on it. So an edit that moves a golden run tells which records may have moved, and no other.
"""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import fields
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..files import read_json, write_whole
from ..inputs import UserError
from ..methods import METHODS, Method
from ..models import FAMILIES
from ..noise import Structured
from .miniatures import OTHERS, all_runs
from .run import Run

# Of a loss the relative difference, of a share the absolute one, that a processor with other instructions may show.
# Networks of many layers magnify the last digits, and half precision has few.
FINE, DEEP, HALF = (2e-4, 0.01), (3e-3, 0.06), (0.015, 0.06)
LOSSES = ("loss", "test_loss", "test_loss_scaled")


USUAL = {"network=mlp", "method=ce", "noise=matrix", "optimiser=adam", "schedule=constant", "precision=fp32"}
USUAL |= {"augment=none"}


def features(run: Run) -> frozenset[str]:
    """What a run is made of, as words such as `noise=uniform`; what is usual in a golden run has no word."""
    budget, noise = run.budget, run.noise
    found = {f"noise={run.spec()['noise']['name']}"} | of_network(run.model)
    found |= {f"{name}={getattr(budget, name)}" for name in ("optimiser", "schedule", "precision", "augment")}
    found |= {f"analysis={name}" for name in run.analyses}
    if isinstance(noise, Structured):
        found.add(f"order={noise.order}")
    if budget.channels_last:
        found.add("layout=channels_last")
    if budget.weight_decay:
        found.add("weight_decay")
    if budget.optimiser == "sgd" and not budget.momentum:
        found.add("momentum=0")
    if budget.nesterov:
        found.add("nesterov")
    if run.carrier != "same":
        found.add(f"carrier={run.carrier if run.carrier in ('novel', 'white', 'photos') else 'data set'}")
    return frozenset((found | of_method(run.method)) - USUAL)


def of_network(model: str) -> set[str]:
    """The family of a network and, if there is a golden run of it alone, its name."""
    return {f"network={FAMILIES[model]}"} | ({f"model={model}"} if model in OTHERS else set())


def of_method(method: Method) -> set[str]:
    """A method's name and those of its options that take another path: words, and numbers that are 0 where usually they
    are not, or the other way round."""
    found = {f"method={name}" for name, kind in METHODS.items() if type(method) is kind}
    for option in fields(method):
        name, value = option.name, getattr(method, option.name)
        if value == option.default:
            continue
        if name == "teacher":
            found |= {"teacher=given", f"network={FAMILIES[value]}"}
        elif name == "source":
            found.add("mentor=moved")
        elif isinstance(value, str):
            found.add(f"{name}={value}")
        elif bool(value) != bool(option.default):
            found.add(f"{name}={'given' if value else '0'}")
    return found


def kind(run: Run) -> str:
    """The name of a golden run: its features."""
    return ", ".join(sorted(features(run))) or "plain"


@cache
def golden_runs() -> dict[str, Run]:
    """The golden runs by the names of their kinds."""
    return {kind(run): run for run in all_runs()}


@cache
def _parts() -> dict[str, frozenset[str]]:
    """The features of each golden run, by its kind."""
    return {name: features(run) for name, run in golden_runs().items()}


def place() -> Path:
    return Path(__file__).with_name("golden.json")


class Outcome(NamedTuple):
    """What a golden run gives: a hash of its labels, and its history as plain numbers; whether it has `moved` since it
    was first committed; what its card says of the labels, and how many passes it took; and whether its digest is `of`
    that `card` as well, which it is from the first change on that was accepted since 2026-11."""

    labels: str
    history: list[dict[str, float | None]]
    moved: bool = False
    card: dict | None = None
    of_card: bool = False


def outcome(card: dict, history: list[dict], cost: dict) -> Outcome:
    """What a golden run gave, without seconds; of a list, which is drawn as a picture, the mean of its numbers."""
    rows = []
    for row in history:
        numbers = {k: np.mean(np.array(v, float)).item() if isinstance(v, list) else v for k, v in row.items()}
        rows.append({k: v if v is None else round(v, 6) for k, v in numbers.items() if k != "seconds"})
    return Outcome(card["labels_sha256"][:16], rows, card=numbers_of(card, cost))


def numbers_of(card: dict, cost: dict) -> dict:
    """What a card says in numbers, which other code may count otherwise, and the passes through the network."""
    apart = ("definition", "labels_sha256", "carriers_sha256", "version")  # photos are decoded otherwise elsewhere
    plain = {name: value for name, value in card.items() if name not in apart}
    passes = {name: cost[name] for name in ("forward_passes", "backward_passes")}
    return json.loads(json.dumps(plain | passes))  # as a file gives it back


def of_card(old: dict, new: dict) -> str:
    """How the numbers of a card differ, in words; nothing: ""."""
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            return f"{name} is {new.get(name)} instead of {old.get(name)}"[:300]
    return ""


def committed() -> dict[str, Outcome]:
    """The committed outcomes by kind."""
    return dict(_parsed(place(), place().stat().st_mtime_ns)) if place().exists() else {}


@lru_cache(maxsize=4)
def _parsed(path: Path, changed: int) -> dict[str, Outcome]:
    try:
        return {name: Outcome(**told) for name, told in read_json(path).items()}
    except (TypeError, AttributeError) as error:
        told = f"{path} is damaged ({type(error).__name__}: {error}); `git checkout` brings it back"
        raise UserError(told) from None


def write(found: dict[str, Outcome]) -> None:
    """One kind a line, so that a change of one is a change of a line."""
    usual = Outcome._field_defaults
    plain = {
        name: {k: v for k, v in told._asdict().items() if k not in usual or v != usual[k]}
        for name, told in sorted(found.items())
    }
    lines = [f"{json.dumps(name)}: {json.dumps(told)}" for name, told in plain.items()]
    write_whole(place(), "{\n" + ",\n".join(lines) + "\n}\n")


def digest(name: str, told: Outcome) -> str:
    """Eight hex digits of a kind and its outcome."""
    card = [told.card] if told.of_card else []
    return hashlib.sha256(json.dumps([name, told.labels, told.history, *card]).encode()).hexdigest()[:8]


class Today(NamedTuple):
    """The digests of all committed outcomes, and those of kinds that have moved, by kind."""

    digests: frozenset[str] = frozenset()
    moved: tuple[tuple[str, str], ...] = ()


def today() -> Today:
    """What the committed file says now."""
    return _today(place(), place().stat().st_mtime_ns) if place().exists() else Today()


@lru_cache(maxsize=4)
def _today(path: Path, changed: int) -> Today:
    found = _parsed(path, changed)
    moved = tuple((name, digest(name, told)) for name, told in found.items() if told.moved)
    return Today(frozenset(digest(name, told) for name, told in found.items()), moved)


@cache
def at_start(path: Path) -> dict[str, str]:
    """The digest of each kind as this process first found it: its code stays what it was, whatever changes on disk."""
    return {name: digest(name, told) for name, told in committed().items()}


@lru_cache(maxsize=4096)
def _rests_on(made_of: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name, parts in _parts().items() if parts <= made_of))


def rests_on(run: Run) -> tuple[str, ...]:
    """The kinds of golden runs that a run rests on: those with no feature that it, or its teacher, has not."""
    teacher = getattr(run.method, "teacher", "")
    return _rests_on(features(run) | (of_network(teacher) if teacher else set()))


@cache
def known() -> frozenset[str]:
    """The features that some golden run has, and the usual ones."""
    return frozenset(USUAL).union(*_parts().values())


def digests_of(run: Run) -> str:
    """The digests of the golden runs that a run rests on, for the record that this process makes of it."""
    known = at_start(place())
    return " ".join(known[name] for name in rests_on(run) if name in known)


def is_current(own: str, run: Callable[[], Run], now: Today) -> bool:
    """Whether the golden runs that something made by a run rests on, whose digests it has as its `own`, are as they are
    `now`. One that was committed only later says nothing, unless it has moved since; only then the run is asked for."""
    digests = own.split()
    if not digests or not now.digests.issuperset(digests):
        return False
    lacking = {name for name, digest in now.moved if digest not in digests}
    return not lacking or not lacking & {*rests_on(run())}


def accepted(found: dict[str, Outcome]) -> dict[str, Outcome]:
    """Outcomes of kinds that have changed as they are to be committed: those that stood otherwise there have moved."""
    before = committed()
    return {name: told._replace(moved=name in before, of_card=True) for name, told in found.items()}


def difference(old: Outcome, new: Outcome, within: tuple[float, float] = FINE) -> str:
    """What differs by more than another processor may cause, in words; nothing: ""."""
    if old.labels != new.labels:
        return "other labels were drawn"
    if len(old.history) != len(new.history):
        return f"{len(new.history)} evaluations instead of {len(old.history)}"
    for was, now in zip(old.history, new.history, strict=True):
        for name in sorted(was.keys() | now.keys()):
            if name not in was or name not in now:
                return f"{name} is measured {'no more' if name in was else 'as well'}"
            if not near(name, was[name], now[name], within):
                return f"{name} {now[name]} instead of {was[name]} at step {was['step']}"
    return of_card(old.card, new.card) if old.card and new.card else ""


def near(name: str, was: float | None, now: float | None, within: tuple[float, float]) -> bool:
    """Whether two values of a measure are the same but for the processor."""
    if was is None or now is None:
        return was is now
    loss, share = within
    if name in LOSSES:
        return math.isclose(was, now, rel_tol=loss)
    return math.isclose(was, now, rel_tol=share, abs_tol=share)


def changed(name: str, found: Outcome) -> str:
    """How an outcome of a kind differs from what is committed, in words; as it was: ""."""
    old = committed().get(name)
    return difference(old, found, tolerance(golden_runs()[name])) if old else "not committed yet"


def tolerance(run: Run) -> tuple[float, float]:
    """Of losses and of shares, for a golden run."""
    if run.budget.precision == "bf16":
        return HALF
    return DEEP if FAMILIES[run.model] in ("resnet", "cifarnet", "wide_resnet", "airbench") else FINE
