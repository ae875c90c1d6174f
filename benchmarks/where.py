"""Where the time of a run goes: drawing labels, steps, evaluations, analyses, saving.

    python benchmarks/where.py [--rounds 3] [--steps 1500] [--json]

Two runs in turn, on one thread, each `--rounds` times: one as at tier laptop (60,000 synthetic images of MNIST's shape,
20 noisy labels for each clean one, a small convolutional network), cut to a tenth of its length and so to one of its
ten evaluations, and one as at tier smoke (1,500 images of 8 by 8). Medians of seconds.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from rows import show

from nlcore import data
from nlcore.files import write_whole
from nlcore.models import build
from nlcore.noise import Uniform
from nlcore.runs import Budget, Record, Run
from nlcore.training.device import reproducible
from nlcore.training.loop import fit
from nlcore.training.sources import Resident
from nlcore.training.split import split as divide
from nlcore.training.train import cost

K = 10


class Timed(Resident):
    """A source that notes how long it measures and analyses."""

    def measure(self, method, net):
        start = time.perf_counter()
        row = super().measure(method, net)
        self.evaluating = getattr(self, "evaluating", 0.0) + time.perf_counter() - start
        return row

    def analyse(self, method, net):
        start = time.perf_counter()
        found = super().analyse(method, net)
        self.analysing = time.perf_counter() - start
        return found


def synthetic(N: int, side: int, tests: int) -> data.Dataset:
    """N training images and `tests` test images of this side, of ten classes."""
    draw = np.random.default_rng(0)

    def images(n: int) -> data.Images:
        x = torch.from_numpy(draw.integers(256, size=(n, 1, side, side), dtype=np.uint8))
        return data.Images(x, torch.from_numpy(draw.integers(K, size=n)))

    return data.Dataset("synthetic", tuple("0123456789"), K, images(N), images(tests), "")


def parts(run: Run, dataset: data.Dataset) -> dict[str, float]:
    """Seconds of each part of a run."""
    begun = time.perf_counter()
    with reproducible(run.seed, torch.device("cpu")):
        split = divide(run, dataset)
        drawn = time.perf_counter()
        source = Timed(run, dataset.train.x, tuple(dataset.test), split, K)
        history = list(fit(run, source, build(run.model, source.task.shape, K)))
    fitted = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        record = Record(run, split.card, history, cost(source, history[-1]), {}, "")
        write_whole(Path(folder) / "record.json", record.dump())
    ended = time.perf_counter()
    told = {"labels": drawn - begun, "steps": history[-1]["seconds"], "evaluations": source.evaluating}
    told |= {"analyses": source.analysing, "saving": ended - fitted}
    return told | {"the rest": ended - begun - sum(told.values())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1500, help="of the longer run; the other has 600 at most")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    evaluations, short = max(args.steps // 1500, 1), min(args.steps, 600)
    analysed = {"analyses": ("calibration",)}
    kinds = {
        "as at laptop, a tenth": (
            Run(
                "mnist",
                "conv_small",
                Budget(args.steps, evaluations=evaluations),
                Uniform(20.0),
                analyses=("calibration",),
            ),
            synthetic(60_000, 28, 10_000),
        ),
        "as at smoke": (Run("digits", "conv_small", Budget(short), Uniform(10.0), **analysed), synthetic(1500, 8, 297)),
    }
    told = {name: [] for name in kinds}
    for _ in range(args.rounds):
        for name, (run, dataset) in kinds.items():
            told[name].append(parts(run, dataset))
    rows = []
    for name, rounds in told.items():
        steps = kinds[name][0].budget.steps
        medians = {part: statistics.median(seconds[part] for seconds in rounds) for part in rounds[0]}
        rows.append({"run": name, "training_steps": steps} | medians)
    show(rows, args.json)


if __name__ == "__main__":
    main()
