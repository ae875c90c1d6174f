"""What the chapter on costs shows: `book/bench.json` and the published records in, a table or a figure out."""

import json
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from .. import figures, home, papers, words
from ..papers.tables import blank
from ..runs import store

NONE = "not measured"
BUSY = 0.1  # cores at work for others, from which a time is soft
LOOPS = {"ours": "ours", "textbook_0": "textbook", "textbook_2": "textbook, 2 workers", "pool": "ours, all cores"}
TWICE = ["forward_estimated", "noise_adaptation", "glc", "deep_knn", "distillation"]  # methods that train twice
AHEAD = ["l2rw", "mwnet", "mslc", "mlac", "mloc"]  # methods that look ahead
PARTS = ("labels", "steps", "evaluations", "analyses", "saving", "the rest")  # of a run


def measured(path: Path | None = None) -> dict[str, dict]:
    """The parts of the benchmark, as its file has them."""
    return json.loads((path or home() / "book" / "bench.json").read_text())["parts"]


def _rows(parts: dict, name: str, column: str) -> pd.DataFrame:
    """The rows of a part that have a column; none where the part was not measured."""
    rows = [row for row in parts.get(name, {}).get("rows", []) if column in row]
    return pd.DataFrame(rows, columns=None if rows else [column])


def _table(parts: dict, name: str, by: list[str], shown: dict[str, str], digits: int) -> pd.DataFrame:
    """Columns of a part under the names that are `shown`, by others, networks in words; an empty table where it was not
    measured."""
    rows = _rows(parts, name, by[0])
    if rows.empty:
        return rows
    rows[by[0]] = rows[by[0]].map(lambda value: words.said(value) if isinstance(value, str) else value)
    return rows.set_index(by)[[*shown]].rename(columns=shown).round(digits).rename_axis(index={"model": "network"})


def where_measured(parts: dict) -> pd.DataFrame:
    """For each part the day, the commit, the seconds that measuring it took, and how many cores other programs kept
    busy meanwhile."""
    rows = {}
    for name, part in parts.items():
        if "machine" in part:
            row = {"day": part["date"], "commit": part["commit"], "seconds": f"{part['seconds']:.0f}"}
            rows[name] = row | {"busy with other things, cores": f"{part.get('others', 0.0):.2f}"}
    return pd.DataFrame(rows.values(), pd.Index(rows, name="part"))


def machines(parts: dict) -> str:
    """The machines on which parts were measured, in words."""
    found = [part["machine"] for part in parts.values() if "machine" in part]
    said = [f"{machine['cpu']}, {machine['cores']} cores, torch {machine['torch']}" for machine in found]
    return "; ".join(dict.fromkeys(said)) or NONE


def loops(parts: dict) -> pd.DataFrame:
    """Steps per second of each loop, by network and batch; `ratio` is ours over the better of the textbook's two."""
    return blank(_table(parts, "step", ["model", "batch"], LOOPS | {"ratio": "ratio"}, 2))


def loops_compared(parts: dict) -> Figure:
    """Steps per second of each loop relative to the better textbook loop, a group of bars per network and batch."""
    rows = _rows(parts, "step", "ours")
    ax = figures.axes(None, 5.6, 4.4)
    if not rows.empty:
        better = rows[["textbook_0", "textbook_2"]].max(axis=1)
        share = rows[["ours", "pool"]].astype(float).div(better, axis=0).rename(columns=LOOPS)
        share.index = rows.model.map(words.said) + ", " + rows.batch.astype(str)
        share.plot.barh(ax=ax, width=0.7, color=["C0", "C1"])
        ax.invert_yaxis()  # in the order of the table
        ax.legend()
    ax.axvline(1, color="black", lw=1)
    ax.set(ylabel="network, batch", xlabel="steps per second, textbook loop = 1")
    ax.grid(axis="x", alpha=0.3)
    return ax.figure


def same_losses(parts: dict) -> pd.DataFrame:
    """How far the losses of both loops are apart at most, and those of the textbook loop from its own in another order
    of memory."""
    rows = _rows(parts, "same", "difference")
    if rows.empty:
        return rows
    names = {"difference": "ours and textbook", "rounding": "textbook and itself, reordered"}
    named = rows.model.map(words.said).rename("network")
    table = rows.set_index(named)[["steps", *names]].rename(columns=names)
    return table.map(lambda value: f"{value:.1e}" if isinstance(value, float) else value)


def limits(parts: dict) -> pd.DataFrame:
    """What one core can do."""
    return _table(parts, "limit", ["limit"], {"value": "measured"}, 1)


def share_of_limit(parts: dict) -> pd.DataFrame:
    """How near a step comes to torch's own product, and its layers alone, by network."""
    names = {"gflop_a_step": "GFLOP", "gflops": "step", "layers": "layers"}
    names |= {"product": "product", "share": "share"}
    return _table(parts, "limit", ["model", "batch"], names, 2)


def methods_compared(parts: dict) -> Figure:
    """Time of a training with each method, cross entropy being 1."""
    rows = _rows(parts, "methods", "method")
    ax = figures.axes(None, 5.6, 7)
    if not rows.empty:
        rows = rows.sort_values("ratio", kind="stable")
        named = rows.method.map(words.method)
        ax.barh(named, rows.ratio, color="C0", alpha=0.7, label="time")
        passes = rows.passes.map(sum) / 2
        ax.plot(passes, named, "k|", ms=9, label="half of the declared passes")
        ax.legend(loc="lower right")
        ax.margins(y=0.01)
    ax.axvline(1, color="black", lw=1)
    ax.set(xlabel="time of a training, cross entropy = 1")
    ax.grid(axis="x", alpha=0.3)
    return ax.figure


def mentors(parts: dict) -> pd.DataFrame:
    """Seconds that a mentor of MentorNet takes to learn, before any student trains."""
    return _table(parts, "methods", ["mentor"], {"seconds": "seconds"}, 1)


def time_of_a_run(parts: dict) -> pd.DataFrame:
    """Seconds of each part of a run and, in brackets, its share in percent."""
    rows = _rows(parts, "run", "run")
    if rows.empty:
        return rows
    seconds = rows.set_index("run")[[*PARTS]].T
    share = (100 * seconds / seconds.sum()).map("{:.0f} %".format)
    return (seconds.map("{:.3g}".format) + " (" + share + ")").rename_axis("part of a run")


def growth(parts: dict) -> pd.DataFrame:
    """Seconds to draw labels, and for a hundred steps, with one thing changed at a time."""
    names = {"drawing": "drawing the labels, s", "hundred_steps": "a hundred steps, s"}
    return _table(parts, "growth", ["what", "value"], names, 3).rename_axis(index={"what": "what grows"})


def sweeps(parts: dict) -> pd.DataFrame:
    """Seconds of a sweep by its numbers of runs and processes."""
    return _table(parts, "growth", ["runs", "processes"], {"seconds": "seconds"}, 1)


def commands(parts: dict) -> pd.DataFrame:
    """Minutes of `make reproduce` and its like, by part; `not measured` where nobody timed them."""
    rows = {row["command"]: row for row in parts.get("make", {}).get("rows", [])}
    table = {}
    for name in dict.fromkeys(["reproduce", "test", *rows]):
        times = {part: seconds for part, seconds in rows.get(name, {}).items() if part != "command"}
        table[f"make {name}"] = ", ".join(f"{part} {seconds / 60:.1f}" for part, seconds in times.items()) or NONE
    return pd.DataFrame({"minutes": table}).rename_axis("command")


def on_a_gpu(parts: dict) -> pd.DataFrame:
    """What was measured on a GPU, a row for each entry of its files; `not measured` where there is none."""
    rows = []
    for found in parts.get("gpu", {}).get("rows", []):
        content = found["content"]
        for entry in content if isinstance(content, list) else [content]:
            rows.append({"file": found["file"]} | {name: _short(value) for name, value in entry.items()})
    return blank(pd.DataFrame(rows or [{"file": "none", "result": NONE}]).set_index("file"))


def _short(value):
    """A value as a cell of a table."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return json.dumps(value) if isinstance(value, dict | list) else value


def minutes_of_training() -> pd.DataFrame:
    """For every experiment and tier of which runs are published the minutes that these took to train, and how many of
    all runs they are."""
    rows = []
    for name, experiment in papers.experiments().items():
        published = store.load_published(name.partition(".")[0])
        for tier in papers.TIERS:
            runs = experiment(tier)
            seconds = [published[run.key].cost["seconds"] for run in runs if run.key in published]
            if seconds:
                row = {"experiment": name, "tier": tier, "minutes": f"{sum(seconds) / 60:.1f}"}
                rows.append(row | {"runs": f"{len(seconds)} of {len(runs)}"})
    return pd.DataFrame(rows).set_index(["experiment", "tier"])


def findings(parts: dict) -> dict[str, str]:
    """What the prose says."""
    quick = ", ".join(name for name, part in parts.items() if part.get("quick", False))
    trial = f"a quick trial in the parts {quick}, whose numbers mean little"
    disturbed = ", ".join(name for name, part in parts.items() if part.get("others", 0.0) > BUSY)
    full = "a full measurement"
    if disturbed:
        full += f", but other programs were at work during a part of it ({disturbed}), whose numbers are soft"
    took = sum(part["seconds"] for part in parts.values() if "machine" in part)
    said = {"quick": trial if quick else full, "machines": machines(parts), "minutes": f"{took / 60:.0f}"}
    step, limit = _rows(parts, "step", "ours"), _rows(parts, "limit", "share")
    for name, rows, column in (("ratio", step, "ratio"), ("share", limit, "share")):
        text = NONE if rows.empty else f"{rows[column].min():.2f} to {rows[column].max():.2f}"  # as in the tables
        said[name] = text
    methods = _rows(parts, "methods", "method")
    if methods.empty:
        return said | dict.fromkeys(("dearest", "whose", "twice", "ahead"), NONE)
    dearest = methods.loc[methods.ratio.idxmax()]
    ratios = methods.set_index("method").ratio
    for name, kin in (("twice", TWICE), ("ahead", AHEAD)):
        told = ratios.reindex(kin)
        said[name] = f"{told.min():.1f} to {told.max():.1f}" if told.notna().all() else NONE
    return said | {"dearest": f"{dearest.ratio:.1f}", "whose": words.method(dearest.method)}
