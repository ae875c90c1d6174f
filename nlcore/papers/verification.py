"""Published records trained again: which of them, how long that takes, and whether the same comes out."""

import json
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import stdev
from typing import NamedTuple

from .. import home, sweep, vouch
from ..files import write_whole
from ..inputs import UserError, require, tell
from ..machine import machine
from ..runs import Record, Run, store
from ..runs.record import parse_record
from ..runs.run import content_hash
from ..training import train as training
from ..training.device import device_name, pick_device
from ..training.split import check


class Tolerances(NamedTuple):
    """How far the last test accuracy, and elsewhere the realised noise rate, may be from what was published."""

    near: float = 0.01  # on the same kind of device with the same torch, where the labels must be the same as well
    elsewhere: float = 0.02


class Picked(NamedTuple):
    """A published record to be trained again."""

    experiment: str
    record: Record
    spread: float | None = None  # of the last test accuracy between published seeds of this run, if there are several


def published(wanted: dict[str, list[Run]]) -> list[Picked]:
    """The current published records of runs by experiment, each once. A stale record is passed over: an edit since has
    moved its number on purpose."""
    current, spreads, found = {}, {}, {}
    for experiment, runs in wanted.items():
        paper = experiment.partition(".")[0]
        if paper not in current:  # all its experiments ask for the same file
            records = store.load_published(paper)
            current[paper] = {key: record for key, record in records.items() if not record.stale}
            spreads[paper] = between_seeds(current[paper].values())
        for run in runs:
            if run.key in current[paper] and run.key not in found:
                record = current[paper][run.key]
                found[run.key] = Picked(experiment, record.of(run), spreads[paper].get(replace(record.run, seed=0)))
    return [*found.values()]


def between_seeds(records: Iterable[Record]) -> dict[Run, float]:
    """The standard deviation of the last test accuracy over runs that differ in their seed alone, by run of seed 0."""
    ends = defaultdict(list)
    for record in records:
        ends[replace(record.run, seed=0)].append(record.history[-1]["test_accuracy"])
    return {run: stdev(found) for run, found in ends.items() if len(found) > 1}


def shortest_first(picked: list[Picked]) -> list[Picked]:
    """In the order of the seconds that they took when they were made."""
    return sorted(picked, key=lambda each: (each.record.cost["seconds"], each.record.run.key))


def drawn(picked: list[Picked], share: float, seed: int) -> list[Picked]:
    """A share of each experiment's records at random, one at least."""
    found = []
    for experiment in dict.fromkeys(each.experiment for each in picked):
        own = sorted((each for each in picked if each.experiment == experiment), key=lambda each: each.record.run.key)
        count = max(1, round(share * len(own)))
        found += random.Random(f"{seed} {experiment}").sample(own, count)
    return found


def affordable(picked: list[Picked], minutes: float | None) -> list[Picked]:
    """As many as fit into so many minutes, if given, by the seconds that they took when they were made: of each paper
    the shortest, then the shortest of all. A `UserError` if none fits."""
    ordered = shortest_first(picked)
    papers = [each.experiment.partition(".")[0] for each in ordered]
    before = [i for i, paper in enumerate(papers) if paper not in papers[:i]]
    after = [i for i in range(len(ordered)) if i not in before]
    found, left = [], math.inf if minutes is None else 60 * minutes
    for each in [ordered[i] for i in before + after]:
        seconds = each.record.cost["seconds"]
        if seconds <= left:
            found.append(each)
            left -= seconds
    require(bool(found), f"each of the {len(picked)} runs took longer than {minutes} minutes")
    return found


def place(record: Record) -> str:
    """The kind of device that a record was made on; a `UserError` if this machine has none."""
    made_on = record.cost["device"]
    if made_on.startswith("CPU"):
        return "cpu"
    told = f"the record of {sweep.title(record.run)} was made on {made_on}, and torch sees no GPU here"
    require(pick_device("auto").type == "cuda", f"{told}; --device cpu trains it on the CPU")
    return "cuda"


def places(picked: list[Picked], device: str = "") -> list[str]:
    """Where each is trained: on `device`, or on the kind that it was made on; a `UserError` says what cannot be."""
    found = [device or place(each.record) for each in picked]
    for each in picked:
        check(each.record.run)
    return found


def retrain(
    picked: list[Picked], where: list[str], tolerances: Tolerances, folder: Path | None = None
) -> Iterator[dict]:
    """Train each again where it belongs (see `places`), and yield how it compares. In `folder`, in one folder for each
    state of the code, are the records that were made so far, and the state of the one under way: a second start goes on
    from there."""
    if folder:
        folder /= vouch.code()
        before = [kept(each.record.run, device, folder) for each, device in zip(picked, where, strict=True)]
        if count := sum(record is not None for record in before):
            tell(f"{count} of {len(picked)} were trained by an earlier start with this code, and are not trained again")
    for each, device in zip(picked, where, strict=True):
        yield compared(each, again(each.record.run, device, folder), tolerances)


def again(run: Run, device: str, folder: Path | None) -> Record:
    """The record of a run trained now, or kept in `folder` by an earlier start."""
    if not folder:
        return training.train(run, device, progress=True)
    if known := kept(run, device, folder):
        return known
    keep = training.checkpoints(run, device, folder / "checkpoints")
    record = training.train(run, device, progress=True, keep=keep)
    write_whole(folder / f"{run.key}.json", record.dump() + "\n")
    keep.clear()
    return record


def kept(run: Run, device: str, folder: Path) -> Record | None:
    """The record of a run in a folder, if there is one that is whole, current, and made on such a device."""
    path = folder / f"{run.key}.json"
    try:
        record = parse_record(path.read_text(errors="replace"), str(path))
    except (FileNotFoundError, UserError):
        return None
    fits = record.run.key == run.key and record.cost["device"] == device_name(pick_device(device))
    return record if fits and not record.stale else None


def compared(each: Picked, new: Record, tolerances: Tolerances) -> dict:
    """A row: what was published, what comes out now, and the verdict: exact, near or within, or else differs."""
    old = each.record
    before, now = (record.history[-1]["test_accuracy"] for record in (old, new))
    alike = environment(old) == environment(new)
    same_labels = old.card["labels_sha256"] == new.card["labels_sha256"]
    rates = abs(old.card["realised_rate"] - new.card["realised_rate"])
    apart = max(abs(before - now), rates)
    fits = apart <= tolerances.near and same_labels if alike else apart <= tolerances.elsewhere
    verdict = "near" if alike else "within"
    card = json.loads(json.dumps(new.card))  # as a file gives it back: lists in place of tuples
    if same_histories(old, new) and all(card.get(name) == told for name, told in old.card.items()):
        verdict = "exact"
    row = {"experiment": each.experiment, "run": sweep.title(old.run), "key": old.run.key, "record": digest(old)}
    row |= {"published": before, "now": now, "difference": round(abs(before - now), 6), "spread": each.spread}
    row |= {"labels": "same" if same_labels else f"rate differs by {rates:.4f}"}
    row |= {"seconds_published": round(old.cost["seconds"], 1), "seconds_now": round(new.cost["seconds"], 1)}
    return row | {"verdict": verdict if fits and old.diverged == new.diverged else "differs"}


def digest(record: Record) -> str:
    """Of all that a record says: which published one was compared, should another stand in its place later."""
    return content_hash(record.dump())[:16]


def environment(record: Record) -> tuple[str, str]:
    """What the last digits of a record depend on: the kind of device and torch."""
    return record.cost["device"], record.environment["torch"]


def same_histories(old: Record, new: Record) -> bool:
    """Whether all that was measured of the old one is measured of the new one, and equal to the last digit, times
    apart."""
    if len(old.history) != len(new.history):
        return False
    for before, now in zip(old.history, new.history, strict=True):
        if any(name not in now or before[name] != now[name] for name in before.keys() - {"seconds"}):
            return False
    return True


def file(tier: str = "laptop", of: str = "all") -> Path:
    """Where the last verification of a tier stands; the book shows that of `laptop`. One `of` a single experiment does
    not stand in the place of one of all."""
    if of != "all":
        return home() / "_build" / "verified.json"
    return home() / "book" / ("verified.json" if tier == "laptop" else f"verified-{tier}.json")


def write(rows: list[dict], about: dict, tolerances: Tolerances) -> Path:
    """Keep a verification: what it was `about`, the day, the machine, the tolerances and a row for each record."""
    whole = {"date": str(date.today()), "machine": machine()} | about
    whole |= {"tolerances": tolerances._asdict(), "rows": rows}
    return write_whole(file(about["tier"], about["of"]), json.dumps(whole, indent=1) + "\n")
