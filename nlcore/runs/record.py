"""Record: what came out of a run; a line of JSON that carries its own checksum, and a row of a frame."""

import json
from dataclasses import asdict, dataclass, fields

import pandas as pd

from ..inputs import UserError, require
from .golden import digests
from .run import Run, content_hash, parse_run


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
        return not self.golden or not digests().issuperset(self.golden.split())

    def dump(self) -> str:
        """One line of JSON that carries its own checksum."""
        content = {f.name: getattr(self, f.name) for f in fields(self)} | {"key": self.run.key, "run": self.run.spec()}
        return json.dumps(content | {"digest": content_hash(content)}, sort_keys=True, separators=(",", ":"))


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
    require(
        digest == content_hash(content), f"{where}: its content does not match its checksum; it was edited or damaged"
    )
    return record


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
