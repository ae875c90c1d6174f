"""Training on an archive, from the command to its result."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from ..data.archive import Archive
from ..files import check_own, free, locked, write_whole
from ..inputs import require
from ..models import Net, build, resnet50
from ..runs import Run
from ..runs.golden import digests_of, is_current, today
from ..runs.run import by_content, content_hash
from .checkpoint import Checkpoints
from .device import reproducible
from .loop import How, fit
from .processes import Process
from .streamed import Reading, Streamed, check
from .train import cost


def stream(
    run: Run,
    archive: Archive,
    out: Path,
    process: Process,
    reading: Reading,
    every: int = 1000,
    pretrained=False,
    vouched: Callable[[], object] = lambda: None,
) -> str:
    """Train on an archive, or go on with it, keeping the state `every` so many steps; write `history.jsonl` and
    `result.json` to `out`. Returns what to tell. `vouched` is called before anything is trained, and may refuse."""
    check(run, archive, process, reading)
    require(every > 0, f"the steps between checkpoints are 1 or more, not {every}")
    alone = run.method.networks == 1
    told = f"{type(run.method).__name__} starts a second network, from initial weights and not from those of ImageNet"
    require(alone or not pretrained, f"{told}; leave out --pretrained")
    require(run.model == "resnet50" or not pretrained, f"only resnet50 has weights of ImageNet, not {run.model}")
    settings = run.spec() | {"side": reading.side, "pretrained": pretrained, "processes": process.world}
    del settings["noise"]  # it is in the lists
    settings["dataset"] = by_content(run.dataset)  # wherever it lies
    settings = json.loads(json.dumps(settings))  # as a file gives them back: lists in place of tuples
    result, golden = out / "result.json", digests_of(run)
    refuse_others(out)
    there = made_already(out, settings, run)
    claim(out, settings)
    if there:
        return f"{result} is there already; remove {out} to make it again"
    vouched()
    keep, history = Checkpoints(out, process, "state", golden, content_hash(settings), steps=every), []
    with alone_in(out, process), reproducible(run.seed * process.world + process.rank, process.device):
        source = Streamed(run, archive, process, reading)
        net = begun(source, pretrained)
        how = How(keep, keep.newest(), eager=True, progress=process.rank == 0)
        for row in fit(run, source, net, how):
            history.append(row)
            if process.rank == 0:
                write_whole(out / "history.jsonl", "".join(json.dumps(row) + "\n" for row in history))
    sound = [row for row in history if row["loss"] is not None] or history
    rows = {"best by clean validation": max(sound, key=lambda row: row["clean_validation"]), "last": history[-1]}
    if process.rank == 0:
        spent = cost(source, history[-1]) | {"processes": process.world}
        diverged = history[-1]["loss"] is None
        content = rows | {"diverged": diverged, "cost": spent, "settings": settings, "golden": golden}
        write_whole(result, json.dumps(content | {"digest": digest(content, history)}, indent=1) + "\n")
    return "; ".join([*map(in_words, rows, rows.values()), f"in {result}"])


def in_words(name: str, row: dict) -> str:
    """An evaluation of a training; of one that has diverged, that it is the end."""
    stage = "its first stage " if "stages_left" in row else ""
    if row["loss"] is None:
        return f"{name}: {stage}diverged, and the training ended at epoch {row['epoch']:.2f}"
    return f"{name}: {stage}epoch {row['epoch']:.2f}, test {row['test_accuracy']:.2%}"


@contextmanager
def alone_in(out: Path, process: Process) -> Iterator[None]:
    """Hold a folder against a second start of the same training, which would write into it as well."""
    with locked(out / ".running", wait=False) if process.rank == 0 else nullcontext(True) as taken:
        require(taken, f"another process trains into {out} just now; wait until it has ended, or choose another --out")
        yield


def digest(content: dict, history: list[dict]) -> str:
    """Of a result and the history that it ends."""
    return content_hash([content, history])[:16]


def refuse_others(out: Path) -> None:
    """Refuse a folder whose files were not written here: those of a training stand beside its settings."""
    own = (out / "settings.json").exists() or any(out.glob("state*")) or _read(out)
    check_own(out, ("result.json", "history.jsonl"), bool(own), "training")


def made_already(out: Path, settings: dict, run: Run) -> bool:
    """Whether the result of these settings is there. A `UserError` refuses a place that has one of other settings, or
    one that rests on a golden run that has changed since."""
    result, content = out / "result.json", whole_result(out)
    if not content:
        return False
    own = content["settings"] | {"dataset": by_content(content["settings"].get("dataset"))} == settings
    require(own, f"{result} is of other settings; choose another --out, or remove the whole folder {out}")
    current = is_current(content.get("golden", ""), lambda: run, today())
    told = "a golden run that it rests on has changed since it was made"
    require(current, f"{result} is stale: {told}; choose another --out, or remove the whole folder {out}")
    return True


def whole_result(out: Path) -> dict | None:
    """The result, if it and its history are there as they were written; else it is set aside, and both are made again,
    which is said."""
    result, content = out / "result.json", _read(out)
    if result.exists() and not content:
        aside = free(result.with_suffix(".damaged"))
        with suppress(FileNotFoundError):  # another process has done it
            result.rename(aside)
        told = f"{result} or history.jsonl beside it is not as it was written; both are made again"
        print(f"{told}, and the former is kept as {aside.name}", file=sys.stderr)
    return content


def _read(out: Path) -> dict | None:
    """The result, if it and its history are there as they were written."""
    with suppress(OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
        content = json.loads((out / "result.json").read_text())
        history = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
        if content.pop("digest") == digest(content, history):
            return content
    return None


def claim(out: Path, settings: dict) -> None:
    """Make `out` the folder of this run, or refuse if it is another's."""
    place, text = out / "settings.json", json.dumps(settings, indent=1)
    same = not place.exists() or (place.is_file() and _settings(place) == settings)
    require(same, f"{place} is damaged, or of another run; choose another --out, or remove the whole folder {out}")
    write_whole(place, text)


def _settings(place: Path) -> dict:
    """The settings that a folder was begun with; nothing where that file is damaged."""
    try:
        found = json.loads(place.read_text())
        return found | {"dataset": by_content(found["dataset"])}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def begun(source: Streamed, pretrained: bool) -> Net:
    """The network before training; with the weights of ImageNet but for the last layer, if `pretrained`."""
    net = build(source.run.model, source.task.shape, source.task.K)
    if pretrained and source.process.rank == 0:  # the others are given them
        net.body[:-1].load_state_dict(resnet50((3,), 1000, "IMAGENET1K_V1")[:-1].state_dict())
    return net
