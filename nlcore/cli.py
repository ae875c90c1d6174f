"""The command line: nlcore data, run, plan, status, publish, chapter, mentor, stream, scoreboard, verify, golden.

torch and pandas take seconds to import; so each command imports what it needs itself, and `--help` is there at once.
"""

import io
import itertools
import json
import math
import os
import sys
import time
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import __version__, home
from .files import write_whole
from .inputs import UserError, conform, lookup, one_line, parse, require

if TYPE_CHECKING:
    from .methods import Method
    from .runs import Run

INTERRUPTED = 130  # the exit code after Ctrl-C
UsageError = typer.BadParameter.__base__  # of the click that typer has, whichever that is

app = typer.Typer(
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    help="Learning with noisy labels: runs, chapters, claims.",
)

Experiment = Annotated[str, typer.Argument(help="such as rolnick2017.uniform")]
Tier = Annotated[str, typer.Option(help="smoke | laptop | gpu | paper")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Set = Annotated[list[str] | None, typer.Option("--set", help="override, such as alphas=[0,20]; repeatable")]


def main() -> None:
    """Run the command line; bad input and what the system refuses is one sentence on standard error and exit code 2.
    Ctrl-C is one line and exit code 130."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # to a terminal that knows ASCII alone
    interrupted = False
    try:
        code = app(standalone_mode=False)
        interrupted = code == INTERRUPTED  # as some versions of typer tell it
    except (KeyboardInterrupt, typer.Abort):
        interrupted = True
    except UsageError as error:
        _refuse(error.format_message())
    except OSError as error:
        _refuse(": ".join(str(part) for part in (error.filename, error.strerror) if part) or str(error))
    except UserError as error:
        _refuse(str(error))
    if interrupted:  # only here, where pools of workers have ended with the frames that held them
        print("nlcore: stopped; start it again to go on", file=sys.stderr, flush=True)
        sys.stdout.flush()
        os._exit(INTERRUPTED)  # chapters run in threads, which nothing else ends
    raise SystemExit(code)


def _refuse(sentence: str) -> None:
    """End with exit code 2; where only help was asked for there is no sentence."""
    if sentence:
        print(f"nlcore: {one_line(sentence)}", file=sys.stderr)
    raise SystemExit(2)


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", is_eager=True, help="print the version and exit")] = False,
) -> None:
    if version:
        print(f"nlcore {__version__}")
        raise typer.Exit


def _print(rows: list[dict], as_json: bool) -> None:
    """Rows as JSON, or as a table with a column for each of their keys; a table without rows is not shown."""
    if as_json:
        print(json.dumps(rows, indent=1))
    elif rows:
        import pandas as pd

        print(pd.DataFrame(rows).to_string(index=False, justify="left"))


def _runs(experiment: str, tier: str, override: list[str] | None) -> tuple[str, list["Run"]]:
    """The paper and the runs that a command line means."""
    from . import papers

    return experiment.partition(".")[0], papers.runs(experiment, tier, **dict(map(parse, override or [])))


@app.command("data")
def data_(
    words: Annotated[list[str] | None, typer.Argument(help="get NAME ... | duplicates NAME ...")] = None,
    as_json: Json = False,
) -> None:
    """List the data sets: state, images, hash, size, place; or `get` some, each from the first source that verifies; or
    count the `duplicates` in some: images of the training set that are in the test set too, or have several labels."""
    from . import data
    from .data import fetch
    from .data.duplicates import duplicates

    if not words:
        rows = data.listing()
        return _print(rows if as_json else [row | {"sha256": row["sha256"][:12]} for row in rows], as_json)
    known = words[0] in ("get", "duplicates") and len(words) > 1
    require(
        known, f"`nlcore data`, `nlcore data get NAME ...` or `nlcore data duplicates NAME ...`, not {' '.join(words)}"
    )
    if words[0] == "duplicates":
        return _print([duplicates(data.load(name)) for name in words[1:]], as_json)
    for name in words[1:]:
        lookup("data set to fetch", name, fetch.SOURCES)
    for name in words[1:]:
        print(f"{name}: ready in {fetch.get(name)}")


@app.command()
def run(
    experiment: Annotated[str, typer.Argument(help="such as rolnick2017.uniform; or all")],
    tier: Tier = "smoke",
    override: Set = None,
    jobs: Annotated[int | None, typer.Option(help="runs side by side (default: a core or a GPU each)")] = None,
    device: Annotated[str, typer.Option(help="auto | cpu | cuda (all GPUs) | cuda:1")] = "auto",
    budget: Annotated[float | None, typer.Option(help="minutes; no run is started that cannot finish")] = None,
    keys: Annotated[str | None, typer.Option(help="only these runs: KEY,KEY,... or a file with a key a line")] = None,
) -> None:
    """Train the runs of an experiment that have no current record. Stop it at any time; a second start continues.
    Several that share a store, on whatever machines, share the work."""
    from . import papers, sweep
    from .runs import store

    names = papers.experiments() if experiment == "all" else [experiment]
    wanted = {name: _runs(name, tier, override) for name in names}
    if keys:
        wanted = _only(wanted, keys, f"{experiment} at {tier}")
    options = {"jobs": jobs, "device": device, "minutes": budget, "echo": partial(print, flush=True)}
    found = sweep.train_missing([*wanted.values()], "stale", **options)
    states = []
    for name, (_, runs) in wanted.items():
        own = [found[run.key] for run in runs]
        recorded = sum(record is not None for _, record in own)
        print(f"{name} at {tier}: {recorded} of {len(runs)} runs have a record, in {store.working()}")
        states += [state for state, _ in own]
    raise SystemExit(int("failed" in states))


def _only(wanted: dict[str, tuple[str, list["Run"]]], keys: str, of: str) -> dict[str, tuple[str, list["Run"]]]:
    """Of the runs of experiments those with these keys: KEY,KEY,... or a file with a key a line."""
    named = Path(keys).read_text().split() if Path(keys).is_file() else keys.split(",")
    known = [run.key for _, runs in wanted.values() for run in runs]
    unknown = sorted({*named} - {*known})
    require(not unknown, f"no run of {of} has the key {', '.join(unknown[:3])}; one that is there is {known[0]}")
    kept = {name: (paper, [run for run in runs if run.key in named]) for name, (paper, runs) in wanted.items()}
    return {name: (paper, runs) for name, (paper, runs) in kept.items() if runs}


@app.command()
def plan(
    experiment: Experiment,
    out: Annotated[Path, typer.Option(help="folder for the files of keys")],
    tier: Tier = "smoke",
    override: Set = None,
    batches: Annotated[int, typer.Option(help="how many")] = 8,
) -> None:
    """Divide the runs that have no current record into batches that take about equally long; prints a file of keys for
    each, as `nlcore run --keys` takes it."""
    from . import sweep

    require(batches > 0, f"--batches must be 1 or more, not {batches}")
    paper, runs = _runs(experiment, tier, override)
    found = sweep.find(runs, paper)
    missing = [run for run in runs if sweep.to_train("stale", *found[run.key])]
    records = [record for _, record in found.values() if record]
    for number, batch in enumerate(sweep.batches(missing, records, batches), 1):
        print(write_whole(out / f"{number}.keys", "".join(f"{run.key}\n" for run in batch)))


@app.command()
def status(experiment: Annotated[str, typer.Argument()] = "all", as_json: Json = False) -> None:
    """How many runs are done, stale, failed and missing, per experiment and tier; and which records are stale."""
    from . import papers, sweep

    names = papers.experiments() if experiment == "all" else [experiment]
    rows, stale = [], {}
    for name, tier in itertools.product(names, papers.TIERS):
        paper, runs = _runs(name, tier, None)
        found = sweep.find(runs, paper)
        states = [state for state, _ in found.values()]
        row = {"experiment": name, "tier": tier} | {state: states.count(state) for state in sweep.STATES}
        old = {run.key: sweep.title(run) for run in runs if found[run.key][0] == "stale"}
        if as_json:
            row["stale_keys"] = [*old]
        rows.append(row)
        stale |= old  # tiers share runs
    _print(rows, as_json)
    if not as_json:
        print("".join(f"\nstale: {key} {title}" for key, title in stale.items()))


@app.command()
def publish(experiment: Experiment, tier: Tier = "laptop", override: Set = None) -> None:
    """Merge the working store's records of an experiment into `book/records/`."""
    from .runs import store

    paper, runs = _runs(experiment, tier, override)
    records = [store.load_working(run.key) for run in runs]
    found = [record for record in records if record and not record.stale]
    require(bool(found), f"no current record of {experiment} at {tier} in {store.working()}; `nlcore run` makes them")
    print(f"{len(found)} of {len(runs)} runs, into {store.publish(paper, found)}")


@app.command()
def chapter(
    names: list[str],
    parameter: Annotated[list[str] | None, typer.Option("-p", help="parameter, such as tier=smoke; repeatable")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the executed notebooks")] = None,
    jobs: Annotated[int | None, typer.Option(help="chapters side by side (default: a core each)")] = None,
    again: Annotated[bool, typer.Option("--again", help="execute also what has not changed")] = False,
) -> None:
    """Execute chapters; what has no record yet is trained (unless -p train=never). A chapter that was executed into the
    same folder, and of which nothing has changed since, is not executed again."""
    from . import sweep
    from .book import chapters

    given, folder = dict(map(parse, parameter or [])), out or home() / "_build" / "chapters"
    values = {name: chapters.validate(name, given) for name in names}  # all of them, before one starts
    require(jobs is None or jobs > 0, f"--jobs must be 1 or more, not {jobs}")
    typer.echo(f"{len(values)} chapters, about ten seconds each once their runs are trained", err=True)
    for line in chapters.execute_all(values, folder, min(jobs or sweep.cores(), len(values)), again):
        print(line, flush=True)


mentor = typer.Typer(
    no_args_is_help=True, help="Learn which labels of a data set to trust, from some that were checked."
)
app.add_typer(mentor, name="mentor")
Data = Annotated[str, typer.Argument(help="a data set, such as a folder of images")]
Steps = Annotated[int, typer.Option(help="of the student (default: 50 epochs, 500 at least)")]
Model = Annotated[str, typer.Option(help="the student")]
Device = Annotated[str, typer.Option(help="auto | cpu | cuda | cuda:1")]


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
    from .audit import mentors

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
    from .audit import mentors

    print(mentors.apply(dataset, by, out, model=model, steps=steps, device=device))


def _method(name: str, override: list[str] | None) -> "Method":
    """A method by name, with what a command line sets of its parameters."""
    from .methods import METHODS

    kind, values = lookup("method", name, METHODS), dict(map(parse, override or []))
    types = {field.name: field.type for field in fields(kind)}
    hints = {parameter: lookup(f"parameter of {name}", parameter, types) for parameter in values}
    return kind(**{parameter: conform(parameter, value, hints[parameter]) for parameter, value in values.items()})


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
    from .data import archive
    from .runs import Budget, Run
    from .training.processes import joined
    from .training.stream import stream as stream_archive
    from .training.streamed import Reading

    chosen, process = _method(method, override), joined(device)
    sizes = {"trusted": trusted, "examples": examples, "validation": validation, "steps": steps}
    for name, value in sizes.items():
        require(value >= 0, f"--{name} must be 0 or more, not {value}")
    require(epochs > 0, f"--epochs must be 1 or more, not {epochs}")
    found = archive.read(folder, trusted)
    pairs = examples or len(found.train.file) - validation
    if chosen.trust == "within":
        pairs += len(found.trusted.file)
    per_epoch = max(pairs // process.world // max(batch, 1), 1)  # steps
    steps = steps or epochs * per_epoch
    recipe = {"optimiser": "sgd", "weight_decay": 1e-3, "schedule": "steps", "milestones": (0.5,)}
    given = {"lr": lr, "precision": precision, "evaluations": max(math.ceil(steps / per_epoch), 1)}
    budget = Budget(steps, batch, channels_last=True, augment="flip_crop", **recipe, **given)
    used = {"examples": examples, "validation": validation, "trusted": len(found.trusted.file)}
    analyses = ("calibration",) if calibration else ()
    run = Run(found.name, model, budget, method=chosen, seed=seed, analyses=analyses, **used)
    told = stream_archive(run, found, out, process, Reading(side, workers), every, pretrained)
    if process.rank == 0:
        print(told)


@app.command()
def scoreboard(tier: Annotated[str | None, typer.Option(help="one tier only")] = None, as_json: Json = False) -> None:
    """Every claim as an effect with its interval, beside the bound and the paper's own value, and the verdict on it:
    under the paper's rule of selection and under noisy validation."""
    from . import papers
    from .papers.scoreboard import in_short, told
    from .papers.scoreboard import scoreboard as all_effects

    require(
        (home() / "book").is_dir(), f"{home()} has no book/ with records; go to a checkout, or set NLCORE_HOME to one"
    )
    effects = all_effects((lookup("tier", tier, papers.TIERS),) if tier else papers.TIERS)
    _print(told(effects) if as_json else in_short(effects).to_dict("records"), as_json)


@app.command()
def verify(
    experiment: Annotated[str, typer.Argument(help="such as rolnick2017.uniform; or all")] = "all",
    tier: Tier = "laptop",
    override: Set = None,
    count: Annotated[int, typer.Option(help="how many runs, the shortest first")] = 1,
    share: Annotated[float, typer.Option(help="in place of a count: this share of each experiment, at random")] = 0.0,
    seed: Annotated[int, typer.Option(help="of that draw (default: today's date as a number)")] = 0,
    budget: Annotated[
        float | None, typer.Option(help="minutes; a run that took longer than what is left is passed over")
    ] = None,
    near: Annotated[
        float, typer.Option(help="allowed difference of the last test accuracy: same kind of device and torch")
    ] = 0.01,
    tolerance: Annotated[float, typer.Option(help="the same on any other")] = 0.02,
    device: Annotated[str, typer.Option(help="cpu | cuda | cuda:1 (default: what the record was made on)")] = "",
) -> None:
    """Train published runs again and compare. With --share the result goes to `book/verified.json`; stop it at any
    time, and a second start of the same day (or seed) continues."""
    from datetime import date

    from . import papers
    from .papers import verification as verifying
    from .runs import store

    require(0 <= share <= 1, f"--share is between 0 and 1, not {share}")
    require(share > 0 or experiment != "all", "all experiments are verified in part, such as with --share 0.05")
    require(count > 0 and min(near, tolerance) >= 0, "--count must be 1 or more, --near and --tolerance 0 or more")
    require(budget is None or budget > 0, f"--budget must be more than 0 minutes, not {budget}")
    names = papers.experiments() if experiment == "all" else [experiment]
    public = verifying.published({name: _runs(name, tier, override)[1] for name in names})
    require(bool(public), f"no published record of {experiment} at {tier}")
    seed = seed or int(f"{date.today():%Y%m%d}")
    drawn = verifying.drawn(public, share, seed) if share else verifying.shortest_first(public)[:count]
    picked = verifying.affordable(drawn, budget)
    where = verifying.places(picked, device)
    minutes = sum(each.record.cost["seconds"] for each in picked) / 60
    passed = f"; {len(drawn) - len(picked)} do not fit into the budget" if budget else ""
    print(f"{len(drawn)} of {len(public)} published runs are chosen{passed}")
    print(f"{len(picked)} are trained again; they took {minutes:.1f} minutes when they were made", flush=True)
    tolerances = verifying.Tolerances(near, tolerance)
    rows, folder = [], store.working() / "verified" / str(seed) if share else None
    for row in verifying.retrain(picked, where, tolerances, folder):
        rows.append(row)
        told = f"published {row['published']:.4f}, now {row['now']:.4f}, labels {row['labels']}: {row['verdict']}"
        print(f"[{len(rows)}/{len(picked)}] {row['experiment']}: {row['run']}: {told}", flush=True)
    if share:
        about = {"tier": tier, "share": share, "seed": seed, "budget": budget}
        about |= {"published": len(public), "drawn": len(drawn)}
        print(f"in {verifying.write(rows, about, tolerances)}")
    worst = max(row["difference"] for row in rows)
    print(f"largest difference {worst:.4f}; allowed {near:g}, or {tolerance:g} on another device or torch")
    raise SystemExit(int(any(row["verdict"] == "differs" for row in rows)))


@app.command("golden")
def golden_(
    update: Annotated[list[str] | None, typer.Option(help="accept what a kind gives now; repeatable; or all")] = None,
    as_json: Json = False,
) -> None:
    """Repeat the golden runs, a minute in all; an edit that changes numbers is seen here. A kind that is updated makes
    stale the records that rest on it."""
    from tqdm import tqdm

    from .runs import golden
    from .training import train

    kinds = golden.golden_runs()
    wanted = [*kinds] if not update or "all" in update else [lookup("kind", name, [*kinds]) for name in update]
    rows, moved = [], {}
    for name in tqdm(wanted, unit="run", leave=False, disable=None):
        start, record = time.monotonic(), train.train(kinds[name], "cpu")
        outcome = golden.outcome(record.card, record.history)
        change = golden.changed(name, outcome)
        rows.append({"kind": name, "seconds": round(time.monotonic() - start, 2), "change": change or "none"})
        if change:
            moved[name] = outcome
    if update:
        kept = {name: outcome for name, outcome in golden.committed().items() if name in kinds}
        golden.write(kept | moved)
    _print(rows if as_json else [row for row in rows if row["kind"] in moved], as_json)
    if not as_json:
        written = f"; written to {golden.place()}" if update else ""
        print(f"{len(moved)} of {len(rows)} kinds have changed{written}")
    raise SystemExit(int(bool(moved) and not update))
