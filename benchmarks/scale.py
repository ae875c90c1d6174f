"""How the store and what reads it grow with the number of records.

    python benchmarks/scale.py [--records 10 1500 10000] [--rounds 3] [--out book/scale.json]

An experiment of so many runs, which differ in their seeds and have one step each, gets a record for every run in a
store of its own: copies of one that was trained. Then what reads the store is timed, first with the records in the
working store, then with the same ones published, each as if nothing were remembered of the store: `status` of all
experiments, `collect` of this one without training, the `scoreboard`; and `start and collect`, a Python that starts and
collects, as a chapter does. Each is asked twice: for all these runs, and for the first ten (`asked`), as a store grows
by other people's runs while an experiment stays what it is. `engine` is what a run costs besides its training: a sweep
of all runs, whose training takes no time. Medians of seconds; those of `engine` in one round.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from datetime import date
from pathlib import Path

from bench import commit, rounded

from nlcore import home, papers, sweep, vouch
from nlcore.cli import grids
from nlcore.files import write_whole
from nlcore.machine import machine
from nlcore.papers.scoreboard import scoreboard
from nlcore.runs import Record, Run, store
from nlcore.training import train

PAPER, EXPERIMENT = "kye2022", "kye2022.heads"
FEW = 10  # runs, five seeds of two methods


@contextmanager
def experiment_of(count: int):
    """The runs of the experiment, at tier smoke so many."""
    sizes = papers.experiments()[EXPERIMENT].tiers["smoke"]
    before = dict(sizes)
    sizes |= {"steps": 1, "seeds": count // 2}  # each with two methods
    yield papers.runs(EXPERIMENT, "smoke")
    sizes.clear()
    sizes |= before


@contextmanager
def stores():
    """Empty stores of records, in folders that are removed."""
    names = ("NLCORE_HOME", "NLCORE_RUNS")
    before = {name: os.environ.get(name) for name in names}
    numbers = (home() / "book" / "published.csv").read_text()
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            os.environ[name] = f"{folder}/{name}"
        write_whole(home() / "book" / "published.csv", numbers)
        yield
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


def seconds(act, rounds: int) -> float:
    """Median time of an act, before which nothing is remembered of the store."""
    taken = []
    for _ in range(rounds):
        store._parsed.cache_clear()
        store._in_order.cache_clear()
        start = time.perf_counter()
        with redirect_stdout(io.StringIO()):
            act()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def readers(asked: int, rounds: int) -> dict[str, float]:
    """Seconds of each thing that reads the store, when the experiment has so many runs."""
    acts = {
        "status": lambda: grids.status("all"),
        "collect": lambda: papers.collect(EXPERIMENT, "smoke", train="never"),
        "scoreboard": lambda: scoreboard(papers.TIERS),
        "start and collect": lambda: started(asked),
    }
    with experiment_of(asked) as runs:
        assert len(papers.collect(EXPERIMENT, "smoke", train="never")) == len(runs)
        return {"asked": asked} | {name: seconds(act, rounds) for name, act in acts.items()}


def started(asked: int) -> None:
    """What the first cells of a chapter do, in a Python of its own."""
    sizes = f"steps=1, seeds={asked // 2}"
    cells = f"from nlcore import papers; found = papers.collect({EXPERIMENT!r}, 'smoke', train='never', {sizes}); "
    subprocess.run([sys.executable, "-c", f"{cells}assert len(found) == {asked}"], check=True)


def engine(runs: list[Run], record: Record) -> float:
    """Milliseconds that a run costs besides its training."""
    vouch.vouch(runs, str)  # with honest training
    honest = train.train
    train.train = lambda run, *given, **options: replace(record, run=run)
    told = seconds(lambda: sweep.collect(runs, PAPER, jobs=1, device="cpu"), 1)
    train.train = honest
    return 1000 * told / len(runs)


def measured(count: int, record: Record, rounds: int) -> list[dict]:
    """The rows of one number of records."""
    numbers = sorted({FEW, count})
    with stores():
        with experiment_of(count) as runs:
            per_run = engine(runs, record)  # leaves a record of each
        rows = [{"store": "working"} | readers(asked, rounds) for asked in numbers]
        store.publish(PAPER, [store.load_working(run.key) for run in runs])
        for run in runs:
            (store.working() / f"{run.key}.json").unlink()
        rows += [{"store": "published"} | readers(asked, rounds) for asked in numbers]
    return [{"records": count, "engine_ms": per_run} | row for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, nargs="+", default=[10, 1500, 10_000], help="even numbers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=home() / "book" / "scale.json")
    args = parser.parse_args()
    with stores(), experiment_of(2) as runs:
        record = train.train(runs[0], "cpu")
    rows = [row for count in args.records for row in measured(count, record, args.rounds)]
    told = {"machine": machine(), "commit": commit(), "date": str(date.today()), "rows": rounded(rows)}
    write_whole(args.out, json.dumps(told, indent=1) + "\n")
    print(f"{len(rows)} rows, in {args.out}")


if __name__ == "__main__":
    main()
