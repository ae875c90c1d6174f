"""Commands about runs and their records: run, plan, status, publish, verify, golden."""

import itertools
import os
import re
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..files import check_own, write_whole
from ..inputs import few, lookup, require, shown, tell
from .base import Experiment, Json, Set, Tier, app, runs_of, show

if TYPE_CHECKING:
    from ..runs import Run

    Grids = dict[str, tuple[str, list[Run]]]  # of each experiment its paper and runs


@app.command()
def run(
    experiment: Annotated[str, typer.Argument(help="such as rolnick2017.uniform; or all")],
    tier: Tier = "smoke",
    override: Set = None,
    jobs: Annotated[int | None, typer.Option(help="runs side by side (default: a core or a GPU each)")] = None,
    device: Annotated[str, typer.Option(help="auto | cpu | cuda (all GPUs) | cuda:1")] = "auto",
    budget: Annotated[float | None, typer.Option(help="minutes; no run is started that cannot finish")] = None,
    keys: Annotated[str | None, typer.Option(help="only these runs: KEY,KEY,... or a file with a key a line")] = None,
    dry: Annotated[bool, typer.Option("--dry-run", help="only say what would be trained, and about how long")] = False,
) -> None:
    """Train the runs of an experiment that have no current record. Stop it at any time; a second start continues.
    Several that share a store, on whatever machines, share the work."""
    from .. import papers, sweep
    from ..runs import store

    sweep.check_minutes(budget)
    names = papers.experiments() if experiment == "all" else [experiment]
    whole = {name: runs_of(name, tier, override) for name in names}
    wanted = whole if keys is None else _only(whole, keys, f"{experiment} at {tier}")
    if dry:
        print(_plans(wanted, whole, tier, jobs, device))
        return
    options = {
        "jobs": jobs,
        "device": device,
        "minutes": budget,
        "like": [] if keys is None else [*whole.values()],
        "echo": partial(print, flush=True),
    }
    found = sweep.train_missing([*wanted.values()], "stale", **options)
    states = []
    for name, (_, runs) in wanted.items():
        own = [found[run.key] for run in runs]
        recorded, old = sum(record is not None for _, record in own), sum(state == "stale" for state, _ in own)
        stale = f", {old} of them stale" if old else ""
        print(f"{name} at {tier}: {recorded} of {len(runs)} runs have a record{stale}, in {store.working().absolute()}")
        states += [state for state, _ in own]
    gone = states.count("missing") if budget is None else 0  # else they may not have been started
    lost = f"{gone} of these runs have no record: it could not be written, or {store.working().absolute()} was moved"
    require(not gone, f"{lost} or emptied meanwhile; a second start trains them")
    raise SystemExit(int("failed" in states))


def _plans(wanted: "Grids", whole: "Grids", tier: str, jobs: int | None, device: str) -> str:
    """On which device `run` would train; and a line for each experiment: what it would train of it. How long that takes
    is told from the records of the `whole` experiment."""
    from .. import sweep
    from ..training.device import device_name, devices

    places, found = devices(device), sweep.states_of([*wanted.values()])
    left = [run for run in sweep.unique([*wanted.values()]) if sweep.to_train("stale", *found[run.key])]
    jobs = sweep.side_by_side(left, jobs, places)
    lines = [f"device: {', '.join(map(device_name, places))}"]
    for name, (_, runs) in wanted.items():
        todo = [run for run in runs if sweep.to_train("stale", *found[run.key])]
        records = sweep.recorded(sweep.states_of([whole[name]]))
        plan = sweep.forecast(todo, records, min(jobs, len(todo))) if todo else "nothing to train"
        lines.append(f"{name} at {tier}: {plan}")
    return "\n".join(lines)


def _only(wanted: "Grids", keys: str, of: str) -> "Grids":
    """Of the runs of experiments those with these keys: KEY,KEY,... or a file with a key a line."""
    require(bool(keys.strip()), "--keys is empty; name keys, or a file with a key a line")
    a_file = os.path.isfile(keys)
    require(a_file or not {*keys} & {*"/\\."}, f"there is no file {shown(keys)} of keys")
    text = Path(keys).read_text(encoding="utf-8-sig", errors="replace") if a_file else keys.replace(",", " ")
    named = text.split()
    require(bool(named), f"{keys} names no key")
    known = [run.key for _, runs in wanted.values() for run in runs]
    unknown = sorted({*named} - {*known})
    told = shown(", ".join(unknown[:3]))
    require(not unknown, f"no run of {of} has the key {told}; one that is there is {known[0]}")
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
    from .. import sweep

    require(batches > 0, f"--batches must be 1 or more, not {batches}")
    paper, runs = runs_of(experiment, tier, override)
    found = sweep.find(runs, paper)
    missing = [run for run in runs if sweep.to_train("stale", *found[run.key])]
    shares = sweep.batches(missing, sweep.recorded(found), batches)
    names = tuple(f"{number}.keys" for number in range(1, len(shares) + 1))
    check_own(out, names, all(_has_keys(out / name) for name in names if (out / name).exists()), "plan")
    for name, batch in zip(names, shares, strict=True):
        print(write_whole(out / name, "".join(f"{run.key}\n" for run in batch)))
    if others := sorted(path.name for path in out.glob("*.keys") if path.name not in names):
        tell(f"{out} has keys of an earlier plan as well: {few(others)}")


def _has_keys(path: Path) -> bool:
    """Whether a file has a key a line and nothing else."""
    lines = path.read_text(errors="replace").splitlines() if path.is_file() else [""]
    return all(re.fullmatch("[0-9a-f]{16}", line) for line in lines)


@app.command()
def status(experiment: Annotated[str, typer.Argument()] = "all", as_json: Json = False) -> None:
    """How many runs are done, stale, failed and missing, per experiment and tier; and which records are stale."""
    from .. import papers, sweep
    from ..runs import store

    names = papers.experiments() if experiment == "all" else [experiment]
    rows, stale, there = [], {}, store.listing()
    for name, tier in itertools.product(names, papers.TIERS):
        paper, runs = runs_of(name, tier, None)
        found = sweep.find(runs, paper, there)
        states = [state for state, _ in found.values()]
        row = {"experiment": name, "tier": tier} | {state: states.count(state) for state in sweep.STATES}
        old = {run.key: sweep.title(run) for run in runs if found[run.key][0] == "stale"}
        if as_json:
            row["stale_keys"] = [*old]
        rows.append(row)
        stale |= old  # tiers share runs
    show(rows, as_json)
    if not as_json:
        print("".join(f"\nstale: {key} {title}" for key, title in stale.items()))


@app.command()
def publish(experiment: Experiment, tier: Tier = "laptop", override: Set = None) -> None:
    """Merge the working store's records of an experiment, and those that another paper has published of the same runs,
    into its file in `book/records/`. A published record stays where it rests on more of today's golden runs."""
    from .. import sweep
    from ..runs import store

    paper, runs = runs_of(experiment, tier, override)
    own = store.load_published(paper)
    others = {key: record for key, record in store.load_all_published().items() if key not in own}
    here = {key: record for key, (state, record) in sweep.find(runs, paper).items() if state == "done"}
    new = {key: record for key, record in here.items() if record != own.get(key)}
    records = [new.get(run.key) or others.get(run.key) or here.get(run.key) for run in runs]
    found = [record for record in records if record and not record.stale]
    require(bool(found), f"no current record of {experiment} at {tier} in {store.working()}; `nlcore run` makes them")
    told = store.publish(paper, found)
    print(f"{told.new} new, {told.replaced} replaced, of {len(runs)} runs, into {store.published(paper)}")
    if told.replaced:
        print(f"the last test accuracy of a replaced one has moved by {told.moved:.4f} at most")
    if told.kept:
        why = f"those in {store.working()} are older, or rest on fewer golden runs of today"
        print(f"{told.kept} stay as published: {why}")


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
    """Train published runs again and compare. With --share the result goes to `book/verified.json` (of another tier
    than laptop to `book/verified-TIER.json`, of one experiment to `_build/verified.json`); stop it at any time, and a
    second start of the same day (or seed) continues."""
    from datetime import date

    from .. import papers, sweep
    from ..papers import verification as verifying
    from ..runs import store
    from ..vouch import vouch

    require(0 <= share <= 1, f"--share is between 0 and 1, not {share}")
    require(share > 0 or experiment != "all", "all experiments are verified in part, such as with --share 0.05")
    allowed = 0 <= near <= 1 and 0 <= tolerance <= 1  # so not infinite, which all would fit
    require(count > 0 and allowed, "--count must be 1 or more, --near and --tolerance shares between 0 and 1")
    sweep.check_minutes(budget)
    names = papers.experiments() if experiment == "all" else [experiment]
    public = verifying.published({name: runs_of(name, tier, override)[1] for name in names})
    require(bool(public), f"no published record of {experiment} at {tier}")
    seed = seed or int(f"{date.today():%Y%m%d}")
    drawn = verifying.drawn(public, share, seed) if share else verifying.shortest_first(public)[:count]
    picked = verifying.affordable(drawn, budget)
    where = verifying.places(picked, device)
    minutes = sum(each.record.cost["seconds"] for each in picked) / 60
    passed = f"; {len(drawn) - len(picked)} do not fit into the budget" if budget else ""
    print(f"{len(drawn)} of {len(public)} published runs are chosen{passed}")
    print(f"{len(picked)} are trained again; they took {minutes:.1f} minutes when they were made", flush=True)
    vouch([each.record.run for each in picked], print)
    tolerances = verifying.Tolerances(near, tolerance)
    rows, folder = [], store.working() / "verified" / str(seed) if share else None
    for row in verifying.retrain(picked, where, tolerances, folder):
        rows.append(row)
        told = f"published {row['published']:.4f}, now {row['now']:.4f}, labels {row['labels']}: {row['verdict']}"
        print(f"[{len(rows)}/{len(picked)}] {row['experiment']}: {row['run']}: {told}", flush=True)
    if share:
        of = " ".join([experiment, *(override or [])])
        about = {"tier": tier, "of": of, "share": share, "seed": seed, "budget": budget}
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

    from ..runs import golden
    from ..training import train

    kinds = golden.golden_runs()
    wanted = [*kinds] if not update or "all" in update else [lookup("kind", name, [*kinds]) for name in update]
    anew = not update or "all" in update or golden.place().exists()
    told = "is missing; `git checkout` brings it back, `nlcore golden --update all` makes it anew"
    require(anew, f"{golden.place()} {told}")
    rows, moved = [], {}
    for name in tqdm(wanted, unit="run", leave=False, disable=None):
        start, record = time.monotonic(), train.train(kinds[name], "cpu")
        outcome = golden.outcome(record.card, record.history, record.cost)
        change = golden.changed(name, outcome)
        rows.append({"kind": name, "seconds": round(time.monotonic() - start, 2), "change": change or "none"})
        if change:
            moved[name] = outcome
    if update:
        kept = {name: outcome for name, outcome in golden.committed().items() if name in kinds}
        golden.write(kept | golden.accepted(moved))
    show(rows if as_json else [row for row in rows if row["kind"] in moved], as_json)
    if not as_json:
        written = f"; written to {golden.place()}" if update else ""
        print(f"{len(moved)} of {len(rows)} kinds have changed{written}")
    raise SystemExit(int(bool(moved) and not update))
