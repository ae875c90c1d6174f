"""From a run to its record."""

import platform
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from .. import data as datasets
from ..models import build
from ..runs import Record, Run
from ..runs.golden import marks
from .checkpoint import Checkpoints
from .device import device_name, peak_memory_mb, pick_device, reproducible
from .loop import How, fit
from .processes import Process
from .sources import Resident, Source
from .split import check


def train(run: Run, device: str = "auto", progress=False, eager=False, folder: Path | None = None) -> Record:
    """Train one run and account for it. Nothing is written but, to a `folder`, what a second start needs to go on."""
    place = pick_device(device)
    keep = Checkpoints(folder, Process(place), run.key, stamp=marks(run)) if folder else None
    with prepared(run, place) as (source, net):
        history = list(fit(run, source, net, How(keep, keep and keep.newest(), eager, progress)))
    if keep:
        keep.clear()
    environment = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "dataset_sha256": datasets.load(run.dataset).sha256,
    }
    diverged = history[-1]["loss"] is None
    return Record(run, source.split.card, history, cost(source, history[-1]), environment, marks(run), diverged)


def trained(run: Run, device: str = "cpu") -> nn.Module:
    """The network that a run trains, for what its record does not tell."""
    with prepared(run, pick_device(device)) as (source, net):
        for _ in fit(run, source, net):
            pass
    return net


@contextmanager
def prepared(run: Run, place: torch.device) -> Iterator[tuple[Resident, nn.Module]]:
    """The data and the network of a run, in a setting that makes it repeatable."""
    check(run)
    if place.type == "cuda":
        torch.cuda.reset_peak_memory_stats(place)
    with reproducible(run.seed, place), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*capturable")  # the eager twin of a step that could be captured
        source = Resident.of(run, place)
        yield source, build(run.model, source.task.shape, source.task.K)


def cost(source: Source, row: dict) -> dict:
    """What training took until `row`: of all processes the seconds and examples, of this one memory and passes."""
    steps, seconds, passes = row["step"], row["seconds"], source.run.method.passes
    return {
        "seconds": seconds,
        "steps": steps,
        "peak_memory_mb": peak_memory_mb(source.device),
        "device": device_name(source.device),
        "examples_per_second": round(steps * source.size / max(seconds, 1e-6)),
        "forward_passes": steps * passes[0],
        "backward_passes": steps * passes[1],
    }
