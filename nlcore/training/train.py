"""From a run to its record."""

import platform
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import nn

from .. import data as datasets
from ..models import build
from ..runs import Record, Run
from ..runs.golden import digests_of
from .checkpoint import Checkpoints
from .device import device_name, peak_memory_mb, pick_device, reproducible
from .loop import How, fit
from .processes import Process
from .sources import Resident, Source
from .split import check


def train(run: Run, device="auto", progress=False, eager=False, keep: Checkpoints | None = None) -> Record:
    """Train one run and account for it. Nothing is written but, with `keep`, what a second start needs to go on."""
    run, golden, place = run.pinned(), digests_of(run), pick_device(device)
    with prepared(run, place) as (source, net):
        history = list(fit(run, source, net, How(keep, keep and keep.newest(), eager, progress)))
    environment = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "dataset_sha256": datasets.shared(run.dataset).sha256,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    diverged = history[-1]["loss"] is None
    return Record(run, source.split.card, history, cost(source, history[-1]), environment, golden, diverged)


def checkpoints(run: Run, device: str, folder: Path) -> Checkpoints:
    """Where the states of a run go, to be cleared once its record is written."""
    return Checkpoints(folder, Process(pick_device(device)), run.key, digests_of(run))


def trained(run: Run) -> nn.Module:
    """The network that a run trains on the CPU, for what its record does not tell."""
    run = run.pinned()
    with prepared(run, torch.device("cpu")) as (source, net):
        for _ in fit(run, source, net):
            pass
    return net


@contextmanager
def prepared(run: Run, place: torch.device) -> Iterator[tuple[Resident, nn.Module]]:
    """The data and the network of a run, in a setting that makes it repeatable."""
    check(run)
    if place.type == "cuda":
        torch.cuda.init()  # a process that has used no GPU yet knows none whose statistics could be reset
        torch.cuda.reset_peak_memory_stats(place)
    with reproducible(run.seed, place), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*capturable")  # the eager twin of a step that could be captured
        source = Resident.of(run, place)
        yield source, build(run.model, source.task.shape, source.task.K)


def cost(source: Source, row: dict) -> dict:
    """What training took until `row`: of all processes the seconds and examples, of this one memory and passes."""
    method, steps, seconds = source.run.method, row["step"], row["seconds"]
    stages, passes = 1 + bool(method.first), method.passes
    if "stages_left" in row:  # the first stage diverged
        stages, passes = 1, method.first.method.passes
    return {
        "seconds": seconds,
        "steps": steps,
        "peak_memory_mb": peak_memory_mb(source.device),
        "device": device_name(source.device),
        "examples_per_second": round(stages * steps * source.size / max(seconds, 1e-6)),
        "forward_passes": steps * passes[0],
        "backward_passes": steps * passes[1],
    }
