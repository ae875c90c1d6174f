"""The command line: nlcore data, run, status, publish, chapter, mentor, stream, scoreboard, verify, golden."""

import json
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from tqdm import tqdm

from . import data, home, papers, sweep
from .audit import mentors
from .book import chapters
from .data import archive, fetch
from .inputs import UserError, conform, lookup, parse, require
from .methods import METHODS
from .papers.scoreboard import scoreboard as all_verdicts
from .runs import Budget, Run, golden, store
from .training import train
from .training.processes import joined
from .training.stream import stream as stream_archive
from .training.streamed import Reading

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Learning with noisy labels: runs, chapters, claims."
)

Experiment = Annotated[str, typer.Argument(help="such as rolnick2017.uniform")]
Tier = Annotated[str, typer.Option(help="smoke | laptop | gpu | paper")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Set = Annotated[list[str] | None, typer.Option("--set", help="override, such as alphas=[0,20]; repeatable")]


def main() -> None:
    try:
        app()
    except (UserError, OSError) as error:
        print(f"nlcore: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def _print(rows: list[dict], as_json: bool) -> None:
    print(json.dumps(rows, indent=1) if as_json else pd.DataFrame(rows).to_string(index=False, justify="left"))


def _runs(experiment: str, tier: str, override: list[str] | None) -> tuple[str, list[Run]]:
    """The paper and the runs that a command line means."""
    return experiment.partition(".")[0], papers.runs(experiment, tier, **dict(map(parse, override or [])))


@app.command("data")
def data_(
    words: Annotated[list[str] | None, typer.Argument(help="get NAME ...")] = None, as_json: Json = False
) -> None:
    """List the data sets: state, images, hash, size, place; or `get` some, each from the first source that verifies."""
    if not words:
        rows = data.listing()
        return _print(rows if as_json else [row | {"sha256": row["sha256"][:12]} for row in rows], as_json)
    require(words[0] == "get" and len(words) > 1, f"`nlcore data` or `nlcore data get NAME ...`, not {' '.join(words)}")
    for name in words[1:]:
        lookup("data set to fetch", name, fetch.SOURCES)
    for name in words[1:]:
        print(f"{name}: ready in {fetch.get(name)}")


@app.command()
def run(
    experiment: Annotated[str, typer.Argument(help="such as rolnick2017.uniform; or all")],
    tier: Tier = "smoke",
    override: Set = None,
    jobs: Annotated[int | None, typer.Option(help="runs side by side (default: a core each; one on a GPU)")] = None,
    device: Annotated[str, typer.Option(help="auto | cpu | cuda")] = "auto",
    budget: Annotated[float | None, typer.Option(help="minutes; no run is started that cannot finish")] = None,
) -> None:
    """Train the runs of an experiment that have no current record. Stop it at any time; a second start continues."""
    names = papers.experiments() if experiment == "all" else [experiment]
    wanted, start, failed = {name: _runs(name, tier, override) for name in names}, time.monotonic(), False
    options = {"jobs": jobs, "device": device, "echo": lambda line: print(line, flush=True)}
    for name, (paper, runs) in wanted.items():
        left = budget and max(budget - (time.monotonic() - start) / 60, min(budget, 1e-9))
        found = sweep.collect(runs, paper, "stale", **options, minutes=left)
        print(f"{name} at {tier}: {len(found)} of {len(runs)} runs have a record, in {store.working()}")
        failed |= any(state == "failed" for state, _ in sweep.find(runs, paper).values())
    raise SystemExit(int(failed))


@app.command()
def status(experiment: Annotated[str, typer.Argument()] = "all", as_json: Json = False) -> None:
    """How many runs are done, stale, failed and missing, per experiment and tier; and which records are stale."""
    rows, stale = [], []
    for name in papers.experiments() if experiment == "all" else [experiment]:
        for tier in papers.TIERS:
            paper, runs = _runs(name, tier, None)
            states = {key: state for key, (state, _) in sweep.find(runs, paper).items()}
            old = [run for run in runs if states[run.key] == "stale"]
            row = {"experiment": name, "tier": tier} | {s: list(states.values()).count(s) for s in sweep.STATES}
            rows.append(row | ({"stale_keys": [run.key for run in old]} if as_json else {}))
            stale += [f"\nstale: {run.key} {sweep.title(run)}" for run in old]
    _print(rows, as_json)
    print("" if as_json else "".join(dict.fromkeys(stale)))  # tiers share runs


@app.command()
def publish(experiment: Experiment, tier: Tier = "laptop", override: Set = None) -> None:
    """Merge the working store's records of an experiment into `book/records/`."""
    paper, runs = _runs(experiment, tier, override)
    found = [record for run in runs if (record := store.load_working(run.key)) and not record.stale]
    require(bool(found), f"no current record of {experiment} at {tier} in {store.working()}; `nlcore run` makes them")
    print(f"{len(found)} of {len(runs)} runs, into {store.publish(paper, found)}")


@app.command()
def chapter(
    names: list[str],
    parameter: Annotated[list[str] | None, typer.Option("-p", help="parameter, such as tier=smoke; repeatable")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the executed notebooks")] = None,
) -> None:
    """Execute chapters; what has no record yet is trained (unless -p train=never)."""
    values = {name: chapters.validate(name, dict(map(parse, parameter or []))) for name in names}
    for name in names:
        place = (out or home() / "_build" / "chapters") / f"{name}.ipynb"
        print(f"executed: {chapters.execute(name, place, values[name])}")


mentor = typer.Typer(
    no_args_is_help=True, help="Learn which labels of a data set to trust, from some that were checked."
)
app.add_typer(mentor, name="mentor")
Data = Annotated[str, typer.Argument(help="a data set, such as a folder of images")]
Steps = Annotated[int, typer.Option(help="of the student (default: 50 epochs, 500 at least)")]
Model = Annotated[str, typer.Option(help="the student")]
Device = Annotated[str, typer.Option(help="auto | cpu | cuda")]


@mentor.command()
def learn(
    dataset: Data,
    checked: Annotated[Path, typer.Option(help="table of file,label: true classes of some training images")],
    out: Annotated[Path, typer.Option(help="where the mentor goes")] = Path("mentor.npz"),
    model: Model = "conv_small",
    steps: Steps = 0,
    device: Device = "auto",
) -> None:
    """Train a student on the labels as they are, and a mentor on the losses of those that were checked."""
    print(mentors.learn(dataset, checked, out, model=model, steps=steps, device=device))


@mentor.command()
def apply(
    dataset: Data,
    by: Annotated[Path, typer.Option("--mentor", help="the mentor")] = Path("mentor.npz"),
    out: Annotated[Path, typer.Option(help="where the table of weights goes")] = Path("weights.csv"),
    model: Model = "conv_small",
    steps: Steps = 0,
    device: Device = "auto",
) -> None:
    """Train a student under a mentor; list every label with its weight, the least trusted first."""
    print(mentors.apply(dataset, by, out, model=model, steps=steps, device=device))


@app.command()
def stream(
    folder: Annotated[Path, typer.Argument(help="images and lists in the layout of Clothing1M")],
    out: Annotated[Path, typer.Option(help="folder for the result, and for what a second start needs to continue")],
    method: Annotated[str, typer.Option(help="such as fasten")] = "ce",
    override: Set = None,
    model: Annotated[str, typer.Option(help="a network; resnet50 is that of ImageNet")] = "resnet50",
    pretrained: Annotated[bool, typer.Option("--pretrained", help="start from weights of ImageNet")] = False,
    epochs: Annotated[int, typer.Option(help="over the noisy images")] = 10,
    steps: Annotated[int, typer.Option(help="in place of epochs")] = 0,
    batch: Annotated[int, typer.Option(help="noisy images a step, in each process")] = 32,
    lr: Annotated[float, typer.Option(help="learning rate, a tenth of it in the second half")] = 0.01,
    precision: Annotated[str, typer.Option(help="fp32 | bf16")] = "fp32",
    trusted: Annotated[int, typer.Option(help="images of the clean training list, balanced (default: all)")] = 0,
    examples: Annotated[int, typer.Option(help="noisy images to train on (default: all that are not held out)")] = 0,
    validation: Annotated[int, typer.Option(help="noisy images held out, for methods that choose by them")] = 0,
    calibration: Annotated[
        bool, typer.Option("--calibration", help="examine it at the end; needs --validation")
    ] = False,
    side: Annotated[int, typer.Option(help="pixels that images are resized to; seven eighths are cut out")] = 256,
    workers: Annotated[int, typer.Option(help="that decode images, for each process")] = 4,
    every: Annotated[int, typer.Option(help="steps between checkpoints")] = 1000,
    seed: int = 0,
    device: Device = "auto",
) -> None:
    """Train on images too many for the device, measured once an epoch; torchrun starts it on several. Stop it at any
    time; a second start continues. The recipe is ours: what is usual for ResNet-50, with a weight decay of 0.001."""
    kind, values = lookup("method", method, METHODS), dict(map(parse, override or []))
    for name, value in values.items():
        hint = lookup(f"parameter of {method}", name, {f.name: f.type for f in fields(kind)})
        values[name] = conform(name, value, hint) if isinstance(hint, type) else value
    at, reading = joined(device), Reading(side, workers)
    found = archive.read(folder, trusted)
    pairs = examples or len(found.train.file) - validation
    per_epoch = max(pairs // at.world // max(batch, 1), 1)
    steps = steps or epochs * per_epoch
    recipe = {"optimiser": "sgd", "lr": lr, "weight_decay": 1e-3, "schedule": "steps", "milestones": (0.5,)}
    recipe |= {"precision": precision, "channels_last": True, "augment": "flip_crop"}
    budget = Budget(steps, batch, evaluations=max(-(-steps // per_epoch), 1), **recipe)
    sizes = {"examples": examples, "validation": validation, "trusted": len(found.trusted.file)}
    analyses = ("calibration",) if calibration else ()
    run = Run(found.name, model, budget, method=kind(**values), seed=seed, analyses=analyses, **sizes)
    told = stream_archive(run, found, out, at, reading, every, pretrained)
    if at.rank == 0:
        print(told)


@app.command()
def scoreboard(tier: Annotated[str | None, typer.Option(help="one tier only")] = None, as_json: Json = False) -> None:
    """The verdict on every claim, with its evidence."""
    table = all_verdicts((lookup("tier", tier, papers.TIERS),) if tier else papers.TIERS)
    _print(table[["claim", "paper", "tier", "verdict", "evidence"]].to_dict("records"), as_json)


@app.command()
def verify(
    experiment: Experiment,
    tier: Tier = "laptop",
    override: Set = None,
    count: Annotated[int, typer.Option(help="how many runs, the shortest first")] = 1,
    tolerance: Annotated[float, typer.Option(help="allowed difference of the last test accuracy")] = 0.01,
    device: Annotated[str, typer.Option(help="cpu | cuda (default: what the record was made on)")] = "",
) -> None:
    """Train published runs again and compare."""
    paper, runs = _runs(experiment, tier, override)
    require(count > 0 and tolerance >= 0, "--count must be 1 or more, --tolerance 0 or more")
    known, worst = store.load_published(paper), 0.0
    wanted = sorted((run for run in runs if run.key in known), key=lambda run: run.budget.steps)
    require(bool(wanted), f"no published record of {experiment} at {tier}")
    for run in wanted[:count]:
        place = device or ("cpu" if known[run.key].cost["device"].startswith("CPU") else "cuda")
        old, new = (r.history[-1]["test_accuracy"] for r in (known[run.key], train.train(run, place, progress=True)))
        worst = max(worst, abs(old - new))
        print(f"{sweep.title(run)}: published {old:.4f}, now {new:.4f}")
    print(f"largest difference {worst:.4f}, tolerance {tolerance:g}")
    raise SystemExit(int(worst > tolerance))


@app.command("golden")
def golden_(
    update: Annotated[list[str] | None, typer.Option(help="accept what a kind gives now; repeatable; or all")] = None,
    as_json: Json = False,
) -> None:
    """Repeat the golden runs, a minute in all; an edit that changes numbers is seen here. A kind that is updated makes
    stale the records that rest on it."""
    kinds, known = golden.golden_runs(), golden.committed()
    wanted = [*kinds] if not update or "all" in update else [lookup("kind", name, kinds) for name in update]
    rows, found = [], {}
    for name in tqdm(wanted, unit="run", leave=False, disable=None):
        start, record = time.monotonic(), train.train(kinds[name], "cpu")
        found[name] = golden.outcome(record.card, record.history)
        told = golden.changed(name, found[name])
        rows.append({"kind": name, "seconds": round(time.monotonic() - start, 2), "change": told or "none"})
    moved = {row["kind"] for row in rows if row["change"] != "none"}
    if update:
        golden.write({name: told for name, told in known.items() if name in kinds} | {n: found[n] for n in moved})
    _print(rows if as_json else [row for row in rows if row["kind"] in moved], as_json)
    if not as_json:
        print(f"{len(moved)} of {len(rows)} kinds have changed" + (f"; written to {golden.place()}" if update else ""))
    raise SystemExit(int(bool(moved) and not update))
