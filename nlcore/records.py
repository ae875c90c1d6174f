"""Run (what shall be computed), Record (what came out), and their stores: a file per run, a published line per run."""

import hashlib
import json
import math
import os
import sys
import uuid
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from pathlib import Path

import pandas as pd

from . import home
from .analysis import ANALYSES
from .inputs import UserError, describe, lookup, require
from .methods import CE, METHODS, Method
from .models import MODELS
from .noise import NOISES, Clean, Noise, Uniform


@dataclass(frozen=True)
class Budget:
    """How long and how to optimise. A default is part of every key that leaves it out: never change one."""

    steps: int
    batch: int = 128
    optimiser: str = "adam"  # adam | sgd
    lr: float = 1e-3
    momentum: float = 0.9  # sgd only
    weight_decay: float = 0.0
    schedule: str = "constant"  # constant | cosine | steps
    milestones: tuple[float, ...] = ()  # "steps": shares of the budget after which the rate falls tenfold
    precision: str = "fp32"  # fp32 | bf16
    channels_last: bool = False
    evaluations: int = 10
    augment: str = "none"  # none | flip_crop

    def __post_init__(self):
        require(min(self.steps, self.batch, self.evaluations) > 0, "steps, batch and evaluations must be 1 or more")
        require(0 < self.lr < math.inf, f"lr must be more than 0 and finite, not {self.lr}")
        lookup("optimiser", self.optimiser, ("adam", "sgd"))
        lookup("schedule", self.schedule, ("constant", "cosine", "steps"))
        lookup("precision", self.precision, ("fp32", "bf16"))
        lookup("augmentation", self.augment, ("none", "flip_crop"))


@dataclass(frozen=True)
class Run:
    """One training, by value. Fields at their default are left out of the key, so a new field changes no old key."""

    dataset: str
    model: str
    budget: Budget
    noise: Noise = field(default_factory=Clean)
    method: Method = field(default_factory=CE)
    examples: int = 0  # clean training images used; 0: all that the validation split leaves
    validation: int = 0  # training images held out to choose an evaluation
    seed: int = 0
    carrier: str = "same"  # of added labels: same | novel (unused images) | white | photos | a data set
    trusted: int = 0  # of the examples: images whose true class is known, as many of each class as can be
    analyses: tuple[str, ...] = ()  # of the trained network: calibration | projection | information

    def __post_init__(self):
        lookup("model", self.model, MODELS)
        added, classless = self.noise.copies is not None, self.carrier not in ("same", "novel")
        require(added or self.carrier == "same", f"only added labels have carriers, not those of {self.noise}")
        fits = type(self.noise) is Uniform or not classless
        require(fits, f"images of {self.carrier} have no true class, so their labels can only be uniform")
        sizes = (self.seed, self.examples, self.validation, self.trusted)
        require(min(sizes) >= 0, "seed, examples, validation and trusted must be 0 or more")
        require(
            not (added and self.trusted), "trusted images go with noise that replaces labels, not with added labels"
        )
        for name in self.analyses:
            lookup("analysis", name, ANALYSES)

    def spec(self) -> dict:
        """The run as plain data."""
        parts = {"noise": describe(self.noise, NOISES), "method": describe(self.method, METHODS)}
        return describe(self) | parts | {"budget": describe(self.budget)}

    @property
    def key(self) -> str:
        return _hash(self.spec())[:16]


def _hash(value) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def parse_run(spec: dict) -> Run:
    """The inverse of `Run.spec`."""
    spec = dict(spec)
    for part, names in (("noise", NOISES), ("method", METHODS)):
        options = dict(spec[part])
        spec[part] = lookup(part, options.pop("name"), names)(**options)
    budget = {k: tuple(v) if isinstance(v, list) else v for k, v in spec["budget"].items()}
    return Run(**(spec | {"budget": Budget(**budget), "analyses": tuple(spec.get("analyses", ()))}))


@dataclass(frozen=True)
class Record:
    run: Run
    card: dict  # the noise card
    history: list[dict]  # one entry per evaluation
    cost: dict  # seconds, steps, examples_per_second, passes, peak_memory_mb, device
    environment: dict
    golden: str  # digests of the golden runs that it rests on, as they were when it was made
    diverged: bool = False

    @property
    def stale(self) -> bool:
        """Whether a golden run that it rests on has changed since."""
        from .golden import digests

        return not self.golden or not digests().issuperset(self.golden.split())

    def dump(self) -> str:
        """One line of JSON that carries its own checksum."""
        content = {f.name: getattr(self, f.name) for f in fields(self)} | {"key": self.run.key, "run": self.run.spec()}
        return json.dumps(content | {"digest": _hash(content)}, sort_keys=True, separators=(",", ":"))


def parse_record(line: str, where: str) -> Record:
    """A record from `Record.dump`; a truncated or edited one is a `UserError` that names the place."""
    try:
        content = json.loads(line)
        digest, key, run = content.pop("digest"), content["key"], parse_run(content["run"])
        known = {k: v for k, v in content.items() if k not in ("key", "fingerprint")}  # of before golden runs: stale
        record = Record(**({"golden": ""} | known | {"run": run}))
    except (ValueError, AttributeError, KeyError, TypeError, UserError) as error:
        raise UserError(f"{where} is not a whole record ({type(error).__name__}: {error})") from None
    require(key == run.key, f"{where}: its key {key} is not the key {run.key} of its content")
    require(digest == _hash(content), f"{where}: its content does not match its checksum; it was edited or damaged")
    return record


def working() -> Path:
    """The working store: $NLCORE_RUNS, else `runs/`."""
    return Path(os.environ.get("NLCORE_RUNS", home() / "runs"))


def published(paper: str) -> Path:
    return home() / "book" / "records" / f"{paper}.jsonl"


def _write(path: Path, text: str) -> Path:
    """All of the file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    temporary.write_text(text)
    return temporary.rename(path)


def writable() -> None:
    """Refuse early, in one sentence, if the working store cannot be written."""
    try:
        _write(working() / ".writable", "").unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to {working()} ({error.strerror}); set NLCORE_RUNS to another folder") from None


def save(record: Record) -> Path:
    """Write a record to the working store."""
    path = _write(working() / f"{record.run.key}.json", record.dump() + "\n")
    path.with_suffix(".failed").unlink(missing_ok=True)
    return path


def load_working(key: str) -> Record | None:
    """The record of a key in the working store; a damaged file is named, set aside and counts as missing."""
    path = working() / f"{key}.json"
    if not path.exists():
        return None
    try:
        return parse_record(path.read_text(errors="replace"), str(path))
    except UserError as error:
        print(f"{error}; it is set aside", file=sys.stderr)
        path.rename(path.with_suffix(".damaged"))
        return None


def load_published(paper: str) -> dict[str, Record]:
    """The published records of a paper by key; a damaged line is an error."""
    path = published(paper)
    return dict(_parsed(path, path.stat().st_mtime_ns)) if path.exists() else {}


@lru_cache(maxsize=8)
def _parsed(path: Path, changed: int) -> dict[str, Record]:
    lines = path.read_text(errors="replace").splitlines()
    found = [parse_record(line, f"{path.name}, line {i}") for i, line in enumerate(lines, 1)]
    return {record.run.key: record for record in found}


def publish(paper: str, new: list[Record]) -> Path:
    """Merge records into the published store, sorted by key; a new record replaces an old one of the same run."""
    merged = load_published(paper) | {record.run.key: record for record in new}
    return _write(published(paper), "".join(merged[key].dump() + "\n" for key in sorted(merged)))


def frame(records: list[Record]) -> pd.DataFrame:
    """One row per run and evaluation: the run's parameters, the realised noise, what was measured, and the cost."""
    rows = []
    for r in records:
        run, spec = r.run, r.run.spec()
        base = {"key": run.key, "method": spec["method"]["name"], "noise": spec["noise"]["name"]}
        base |= {k: getattr(run, k) for k in ("dataset", "model", "seed", "carrier", "trusted")}
        base |= asdict(run.noise) or {"rate": 0.0}  # clean
        base.pop("ranking", None)  # measured; the card has it
        base |= {f"method_{k}": v for k, v in asdict(run.method).items()} | {"stale": r.stale}
        base |= {k: getattr(run.budget, k) for k in ("optimiser", "lr", "batch", "steps", "schedule")}
        base |= {"falls": next(iter(run.budget.milestones), 1.0)}  # share of the steps after which the rate does
        base |= {k: r.card[k] for k in ("realised_rate", "images")} | {"diverged": r.diverged}
        base |= {"train_seconds": r.cost["seconds"], "device": r.cost["device"]}
        base |= {k: r.cost[k] for k in ("forward_passes", "backward_passes", "peak_memory_mb")}
        rows += [base | entry for entry in r.history]
    return pd.DataFrame(rows)
