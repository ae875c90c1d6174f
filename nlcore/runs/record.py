"""Record: what came out of a run; a line of JSON that carries its own checksum, and a row of a frame."""

import json
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property

import pandas as pd

from ..inputs import UserError, require
from .golden import Today, is_current, today
from .run import Run, canonical, content_hash, parse_run, text_hash


@dataclass(frozen=True)
class Record:
    """What came out of a run. That of a stored line is read from it when it is first asked for (see `parse_record`)."""

    run: Run
    card: dict  # the noise card
    history: list[dict]  # one entry per evaluation
    cost: dict  # seconds, steps, examples_per_second, passes, peak_memory_mb, device
    environment: dict
    golden: str  # digests of the golden runs that it rests on, as they were when it was made
    diverged: bool = False

    def __getattr__(self, name: str):
        """What is not there yet: the content of a line that was not read so far."""
        line = vars(self).get("line")
        if line is None:
            raise AttributeError(name)
        vars(self).update(vars(_read(line, f"the stored record of {self.key}")))
        del vars(self)["line"]
        return getattr(self, name)

    @cached_property
    def key(self) -> str:
        return self.run.key

    @property
    def stale(self) -> bool:
        """Whether a golden run that it rests on has changed since."""
        return not self.rests_on(today())

    def rests_on(self, current: Today) -> bool:
        """Whether all golden runs that it rests on are as they are today (see `golden.is_current`)."""
        return is_current(self.golden, lambda: self.run, current)

    def of(self, run: Run) -> "Record":
        """This record with `run`, which has the same key, in place of its own: data of one's own may lie elsewhere now.
        A line that was not read so far has the run of its key to the letter."""
        return self if "line" in vars(self) or self.run == run else replace(self, run=run)

    def copied(self) -> "Record":
        """A record that shares nothing with this one, to do with it what one likes."""
        if "line" not in vars(self):
            return parse_record(self.dump(), f"the record of {self.key}")
        copied = object.__new__(Record)
        vars(copied).update(vars(self))
        return copied

    def dump(self) -> str:
        """One line of JSON that carries its own checksum."""
        if "line" in vars(self):
            return self.line
        content = {f.name: getattr(self, f.name) for f in fields(self)} | {"key": self.key, "run": self.run.spec()}
        return canonical(content | {"digest": content_hash(content)})


class ForeignRecord(UserError):
    """A whole record that this version of the package cannot read."""


def parse_record(line: str, where: str) -> Record:
    """A record from `Record.dump`; a truncated or edited one is a `UserError` that names the place.

    A line that is to the letter what `dump` wrote is only read once its content is asked for.
    """
    return _unread(line.rstrip("\n")) or _checked(line, where)


def _unread(line: str) -> Record | None:
    """The record of a line whose checksum, key and form are right, judged by its text alone; else None.

    In such a line the names are sorted: the checksum stands before `diverged`, and key and run at the end.
    """
    before, _, rest = line.partition(',"digest":"')
    digest, _, after = rest.partition('"')
    body, _, end = after.rpartition(',"run":')
    key, spec = body[-17:-1], end[:-1]
    golden, found, _ = body.partition(',"golden":"')[2].partition('","history":[')
    formed = before.startswith('{"card":{') and after.startswith(',"diverged":') and body.endswith(f',"key":"{key}"')
    if not (formed and found and text_hash(spec)[:16] == key and text_hash(before + after) == digest):
        return None
    record = object.__new__(Record)
    diverged = after.startswith(',"diverged":true')
    vars(record).update(line=line, key=key, golden=golden, diverged=diverged)
    return record


def _checked(line: str, where: str) -> Record:
    """The record of a line, of which everything is read and computed again."""
    record, content = _read(line, where), json.loads(line)
    digest, key = content.pop("digest"), content["key"]
    require(key == record.key, f"{where}: its key {key} is not the key {record.key} of its content")
    require(
        digest == content_hash(content), f"{where}: its content does not match its checksum; it was edited or damaged"
    )
    return record


def _read(line: str, where: str) -> Record:
    """The record of a line whose checksum is not looked at."""
    try:
        content = json.loads(line)
        content = {"golden": ""} | content | {"run": parse_run(content["run"])}  # of before golden runs: stale
        del content["digest"], content["key"]
        content.pop("fingerprint", None)
        return Record(**content)
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError, UserError) as error:
        if _has_its_checksum(line):
            raise ForeignRecord(f"{where} is of another version of this package ({error}); use that one") from None
        raise UserError(f"{where} is not a whole record ({type(error).__name__}: {error})") from None


def _has_its_checksum(line: str) -> bool:
    """Whether a line, of whatever fields, is as it was written."""
    try:
        content = json.loads(line)
        return content.pop("digest") == content_hash(content)
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return False


def frame(records: list[Record]) -> pd.DataFrame:
    """One row per run and evaluation: the run's parameters, the realised noise, what was measured, and the cost."""
    rows, current = [], today()
    for r in records:
        run, spec = r.run, r.run.spec()
        base = {"key": run.key, "method": spec["method"]["name"], "noise": spec["noise"]["name"]}
        base |= {k: getattr(run, k) for k in ("dataset", "model", "seed", "carrier", "trusted")}
        base |= asdict(run.noise) or {"rate": 0.0}  # clean
        base.pop("ranking", None)  # measured; the card has it
        base |= {f"method_{k}": v for k, v in asdict(run.method).items()} | {"stale": not r.rests_on(current)}
        base |= {k: getattr(run.budget, k) for k in ("optimiser", "lr", "steps", "schedule")}
        base |= {"batch": min(run.budget.batch, r.card["pairs"])}
        base |= {"falls": next(iter(run.budget.milestones), 1.0)}  # share of the steps after which the rate does
        base |= {k: r.card[k] for k in ("realised_rate", "images")} | {"diverged": r.diverged}
        base |= {"train_seconds": r.cost["seconds"], "device": r.cost["device"]}
        base |= {k: r.cost[k] for k in ("forward_passes", "backward_passes", "peak_memory_mb")}
        rows += [base | entry for entry in r.history]
    return pd.DataFrame(rows)
