"""How seconds grow: with noisy labels, images and classes; with the number of runs and of processes.

    python benchmarks/growth.py [--steps 300] [--rounds 3] [--json]

A run of a small network on synthetic images of MNIST's shape, one thread, one thing changed at a time: seconds to draw
the labels, and seconds for a hundred steps. Settings are timed in turn, `--rounds` times; medians. Then sweeps of runs
on the digits that ship with scikit-learn, in one process and in two: seconds from start to end, the start of the
processes included.
"""

import argparse
import os
import statistics
import tempfile
import time

import numpy as np
import torch
from rows import show

from nlcore import data, sweep, vouch
from nlcore.models import build
from nlcore.noise import Uniform
from nlcore.runs import Budget, Run
from nlcore.training.device import reproducible
from nlcore.training.loop import fit
from nlcore.training.sources import Resident
from nlcore.training.split import split as divide

USUAL = {"alpha": 20, "images": 10_000, "classes": 10}
VALUES = {"alpha": (0, 20, 100), "images": (1000, 10_000, 60_000), "classes": (10, 100, 1000)}
SWEEPS = ((1, 1), (4, 1), (4, 2))  # runs, processes


def once(alpha: float, images: int, classes: int, steps: int) -> tuple[float, float]:
    """Seconds to draw labels, and for a hundred steps."""
    draw = np.random.default_rng(0)
    x = torch.from_numpy(draw.integers(256, size=(images, 1, 28, 28), dtype=np.uint8))
    whole = data.Images(x, torch.from_numpy(np.arange(images) % classes))
    few = data.Images(x[:100], whole.y[:100])
    dataset = data.Dataset("synthetic", tuple(map(str, range(classes))), classes, whole, few, "")
    run = Run("digits", "mlp1", Budget(steps, evaluations=1), Uniform(float(alpha)))
    with reproducible(0, torch.device("cpu")):
        start = time.perf_counter()
        split = divide(run, dataset)
        drawing = time.perf_counter() - start
        source = Resident(run, x, tuple(few), split, classes)
        (row,) = fit(run, source, build(run.model, source.task.shape, classes))
    return drawing, 100 * row["seconds"] / steps


def of_runs(rounds: int, steps: int) -> list[dict]:
    """One thing changed at a time; the usual setting is timed once for all that contain it."""
    settings = {}
    for what, values in VALUES.items():
        for value in values:
            settings[what, value] = USUAL | {what: value}
    unlike = [dict(items) for items in dict.fromkeys(tuple(setting.items()) for setting in settings.values())]
    told = {tuple(setting.items()): [] for setting in unlike}
    for _ in range(rounds):
        for setting in unlike:
            told[tuple(setting.items())].append(once(**setting, steps=steps))
    rows = []
    for (what, value), setting in settings.items():
        drawing, hundred = map(statistics.median, zip(*told[tuple(setting.items())], strict=True))
        rows.append({"what": what, "value": value, "drawing": drawing, "hundred_steps": hundred})
    return rows


def of_sweeps(steps: int) -> list[dict]:
    """Several runs, in one process or side by side."""
    rows = []
    for count, jobs in SWEEPS:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["NLCORE_RUNS"] = folder
            runs = [Run("digits", "mlp2", Budget(steps), Uniform(10.0), seed=seed) for seed in range(count)]
            vouch.vouch(runs, str)  # once for each state of the code, so not a sweep's own time
            start = time.perf_counter()
            found = sweep.collect(runs, "benchmark", jobs=jobs, device="cpu", echo=lambda line: None)
            rows.append({"runs": len(found), "processes": jobs, "seconds": time.perf_counter() - start})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300, help="of a run; those of a sweep have ten times as many")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows = of_runs(args.rounds, args.steps) + of_sweeps(10 * args.steps)
    show(rows, args.json)


if __name__ == "__main__":
    main()
