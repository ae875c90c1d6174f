"""The command line: nlcore data, run, status, publish, chapter, scoreboard, verify, doctor."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from . import home
from .inputs import UserError, lookup, parse, require

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Learning with noisy labels: runs, chapters, claims."
)

Experiment = Annotated[str, typer.Argument(help="such as rolnick2017.uniform")]
Tier = Annotated[str, typer.Option(help="smoke | laptop | gpu | paper")]
Device = Annotated[str, typer.Option(help="auto | cpu | cuda")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Set = Annotated[list[str] | None, typer.Option("--set", help="override, such as alphas=[0,20]; repeatable")]


def main() -> None:
    try:
        app()
    except UserError as error:
        print(f"nlcore: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def _print(rows: list[dict], as_json: bool) -> None:
    import pandas as pd

    print(json.dumps(rows, indent=1) if as_json else pd.DataFrame(rows).to_string(index=False, justify="left"))


@app.command()
def data(words: Annotated[list[str] | None, typer.Argument(help="get NAME ...")] = None, as_json: Json = False) -> None:
    """List the data sets: state, images, hash, size, place; or `get` some, each from the first source that verifies."""
    from . import data, fetch

    if words:
        require(
            words[0] == "get" and len(words) > 1, f"`nlcore data` or `nlcore data get NAME ...`, not {' '.join(words)}"
        )
        for name in words[1:]:
            lookup("data set to fetch", name, fetch.SOURCES)
        for name in words[1:]:
            print(f"{name}: ready in {fetch.get(name)}")
    else:
        rows = data.listing()
        _print(rows if as_json else [row | {"sha256": row["sha256"][:12]} for row in rows], as_json)


@app.command()
def run(
    experiment: Annotated[str | None, typer.Argument(help="such as rolnick2017.uniform")] = None,
    tier: Tier = "smoke",
    override: Set = None,
    every: Annotated[bool, typer.Option("--all", help="all experiments of the book")] = False,
    jobs: Annotated[int | None, typer.Option(help="runs side by side (default: a core each, or one per GPU)")] = None,
    device: Device = "auto",
    budget: Annotated[float | None, typer.Option(help="minutes; no run is started that cannot finish")] = None,
    keep_stale: Annotated[bool, typer.Option(help="accept records made by code that has since changed")] = False,
) -> None:
    """Train the runs of an experiment that have no record yet. Stop it at any time; a second start continues."""
    from . import papers, records, sweep

    known = papers.experiments()
    require(every != bool(experiment), f"name one experiment, or --all; there are {', '.join(known)}")
    names, broken = known if every else [experiment], False
    wanted = {name: papers.runs(name, tier, **dict(map(parse, override or []))) for name in names}
    options = {"jobs": jobs, "device": device, "minutes": budget, "keep_stale": keep_stale}
    for name, runs in wanted.items():
        paper = name.partition(".")[0]
        found = sweep.collect(runs, paper, **options, echo=lambda line: print(line, flush=True))
        print(f"{name} at {tier}: {len(found)} of {len(runs)} runs have a record, in {records.working()}")
        broken |= any(state == "failed" for state, _ in sweep.find(runs, paper).values())
    raise SystemExit(int(broken))


@app.command()
def status(experiment: Annotated[str | None, typer.Argument()] = None, as_json: Json = False) -> None:
    """How many runs are done, stale, failed and missing, per experiment and tier."""
    from . import papers, sweep

    known, rows = papers.experiments(), []
    if experiment:
        lookup("experiment", experiment, known)
    for name in [experiment] if experiment else known:
        for tier in papers.TIERS:
            found = sweep.find(papers.runs(name, tier), name.partition(".")[0])
            keys = {state: [key for key, (s, _) in found.items() if s == state] for state in sweep.STATES}
            row = {"experiment": name, "tier": tier} | {state: len(found) for state, found in keys.items()}
            rows.append(row | ({"stale_keys": sorted(keys["stale"])} if as_json else {}))
    _print(rows, as_json)


@app.command()
def publish(experiment: Experiment, tier: Tier = "laptop", override: Set = None) -> None:
    """Merge the working store's records of an experiment into `book/records/`."""
    from . import papers, records

    runs = papers.runs(experiment, tier, **dict(map(parse, override or [])))
    found = [r for run in runs if (r := records.load_working(run.key))]
    require(bool(found), f"no record of {experiment} at {tier} in {records.working()}; `nlcore run` makes them")
    print(f"{len(found)} of {len(runs)} runs, into {records.publish(experiment.partition('.')[0], found)}")


@app.command()
def chapter(
    names: list[str],
    parameter: Annotated[list[str] | None, typer.Option("-p", help="parameter, such as tier=smoke; repeatable")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the executed notebooks")] = None,
) -> None:
    """Execute chapters; with parameters, what is not trained yet is trained (unless -p train=never)."""
    from . import chapters

    given = dict(map(parse, parameter or []))
    values = {name: chapters.validate(name, {"train": "missing"} | given if given else {}) for name in names}
    for name in names:
        place = (out or home() / "_build" / "chapters") / f"{name}.ipynb"
        print(f"executed: {chapters.execute(name, place, values[name])}")


@app.command()
def scoreboard(tier: Annotated[str | None, typer.Option(help="one tier only")] = None, as_json: Json = False) -> None:
    """The verdict on every claim, with its evidence."""
    from . import claims, papers

    table = claims.scoreboard((lookup("tier", tier, papers.TIERS),) if tier else papers.TIERS)
    _print(table[["claim", "paper", "tier", "verdict", "evidence"]].to_dict("records"), as_json)


@app.command()
def verify(
    experiment: Experiment,
    tier: Tier = "laptop",
    runs: Annotated[int, typer.Option(help="how many, the shortest first")] = 1,
    tolerance: Annotated[float, typer.Option(help="allowed difference of the last test accuracy")] = 0.01,
    device: Device = "auto",
) -> None:
    """Train published runs again and compare."""
    from . import papers, records, sweep, train

    known, worst = records.load_published(experiment.partition(".")[0]), 0.0
    wanted = sorted((r for r in papers.runs(experiment, tier) if r.key in known), key=lambda r: r.budget.steps)
    require(bool(wanted), f"no published record of {experiment} at {tier}")
    for r in wanted[:runs]:
        old, new = (x.history[-1]["test_accuracy"] for x in (known[r.key], train.train(r, device, progress=True)))
        worst = max(worst, abs(old - new))
        print(f"{sweep.title(r)}: published {old:.4f}, now {new:.4f}")
    print(f"largest difference {worst:.4f}, tolerance {tolerance:g}")
    raise SystemExit(int(worst > tolerance))


@app.command()
def doctor() -> None:
    """What this machine offers: torch, GPU, data, records."""
    import torch

    from . import data, records

    records.writable()
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU: see the tiers smoke and laptop"
    print(f"torch {torch.__version__}, {gpu}")
    print("data:", ", ".join(r["name"] for r in data.listing() if r["state"] == "ready"), "in", data.root())
    print("records:", len(list(records.working().glob("*.json"))), "in", records.working())


if __name__ == "__main__":
    main()
