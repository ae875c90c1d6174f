"""What the chapter on costs shows: `book/bench.json` and the published records in, a table or a figure out."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from .. import figures, home, papers, words
from ..files import read_json
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
    return read_json(path or home() / "book" / "bench.json")["parts"]


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
    table = _table(parts, "step", ["model", "batch"], LOOPS | {"ratio": "ratio"}, 2)
    return blank(table.dropna(axis=1, how="all"))


def loops_compared(parts: dict) -> Figure:
    """Steps per second of each loop relative to the better textbook loop, a group of bars per network and batch."""
    rows = _rows(parts, "step", "ours")
    ax = figures.axes(None, 5.6, 4.4)
    if not rows.empty:
        better = rows.ours / rows.ratio  # as in the table: a median of ratios is not a ratio of medians
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


def _gpu_files(parts: dict) -> dict:
    """What each file says that was written on a GPU, by its name."""
    return {row["file"]: row["content"] for row in parts.get("gpu", {}).get("rows", [])}


def of_a_gpu(parts: dict) -> dict[str, dict]:
    """What was measured on a GPU, as parts like those of a CPU; none where nothing was."""
    found = _gpu_files(parts)
    return {name: {"rows": content} for name, content in found.items() if isinstance(content, list)}


def side_by_side(parts: dict) -> pd.DataFrame:
    """Steps per second of several trainings on one device, with its multi-process service (MPS) and without."""
    names = {"steps_per_second": "steps per second of all together", "against_one": "one alone = 1"}
    table = _table(parts, "several", ["model", "mps", "jobs"], names, 2)
    if table.empty:
        return table
    table = table.rename({True: "with", False: "without"}, level="mps")
    return table.rename_axis(["network", "MPS", "side by side"])


def gpu_said(parts: dict) -> dict[str, str]:
    """Which GPU it was, when, how many of its tests passed, and which method costs more there than on a CPU."""
    found = _gpu_files(parts)
    where, tests = found.get("where", {}), found.get("done", {}).values()
    said = {name: str(where.get(name, NONE)) for name in ("device", "torch", "date")}
    said["passed"] = str(sum(test.get("passed", 0) for test in tests))
    on_gpu, on_cpu = _rows(of_a_gpu(parts), "methods", "method"), _rows(parts, "methods", "method")
    if on_gpu.empty or on_cpu.empty:
        return said | dict.fromkeys(("dearer", "its_ratio", "its_ratio_here"), NONE)
    ratios = pd.DataFrame({"gpu": on_gpu.set_index("method").ratio, "cpu": on_cpu.set_index("method").ratio})
    dearer = (ratios.gpu / ratios.cpu).idxmax()
    told = {"its_ratio": f"{ratios.gpu[dearer]:.1f}", "its_ratio_here": f"{ratios.cpu[dearer]:.1f}"}
    return said | told | {"dearer": words.method(dearer)}


def minutes_of_training() -> pd.DataFrame:
    """For every experiment and tier of which runs are published, by the kind of device, the minutes that these took to
    train, and how many of all runs they are."""
    rows = []
    for name, experiment in papers.experiments().items():
        published = store.load_published(name.partition(".")[0])
        for tier in papers.TIERS:
            runs = experiment(tier)
            costs = [published[run.key].cost for run in runs if run.key in published]
            for device in sorted({kind_of_device(cost) for cost in costs}):
                seconds = [cost["seconds"] for cost in costs if kind_of_device(cost) == device]
                row = {"experiment": name, "tier": tier, "on": device, "minutes": f"{sum(seconds) / 60:.1f}"}
                rows.append(row | {"runs": f"{len(seconds)} of {len(runs)}"})
    return pd.DataFrame(rows).set_index(["experiment", "tier", "on"])


def kind_of_device(cost: dict) -> str:
    """What a run was trained on, in a word."""
    return "CPU" if cost["device"].startswith("CPU") else "GPU"


def trained_on_a_gpu() -> pd.DataFrame:
    """For every experiment the published runs of tier `gpu` that a GPU has trained: how many, on what, how long."""
    rows = []
    for name, experiment in papers.experiments().items():
        published, runs = store.load_published(name.partition(".")[0]), experiment("gpu")
        records = [published[run.key] for run in runs if run.key in published]
        costs = [record.cost for record in records if kind_of_device(record.cost) == "GPU"]
        if costs:
            row = {"experiment": name, "runs": f"{len(costs)} of {len(runs)}"}
            row["device"] = ", ".join(sorted({cost["device"] for cost in costs}))
            row["million steps"] = f"{sum(cost['steps'] for cost in costs) / 1e6:.2f}"
            rows.append(row | {"minutes": f"{sum(cost['seconds'] for cost in costs) / 60:.1f}"})
    columns = ["experiment", "runs", "device", "million steps", "minutes"]
    return pd.DataFrame(rows, columns=columns).set_index("experiment")


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
