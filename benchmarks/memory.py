"""Peak memory of a training set with many labels: N images, alpha more labels each.

    python benchmarks/memory.py [--images 60000] [--alpha 100] [--json]

Draws the labels of a run, as `nlcore.training.split` does, and trains a few steps, which makes the first order of all
pairs. Prints the megabytes that the process needed above those it held with the images loaded, and the bytes that the
pairs themselves take. A materialised set, every copy an image of its own, is given for comparison.
"""

import argparse
import json
import resource
from pathlib import Path

import torch
from where import synthetic

from nlcore import data
from nlcore.models import build
from nlcore.noise import Uniform
from nlcore.runs import Budget, Run
from nlcore.training.device import reproducible
from nlcore.training.loop import fit
from nlcore.training.sources import Resident
from nlcore.training.split import split as divide


def peak() -> float:
    """Megabytes, the most this process has held so far."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss of a child begins at what its parent held
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def short_training(dataset: data.Dataset, alpha: float) -> int:
    """Draw alpha more labels an image and train for three steps; the bytes that the pairs take."""
    run = Run("digits", "mlp1", Budget(steps=3, evaluations=1), Uniform(alpha))
    split = divide(run, dataset)
    source = Resident(run, dataset.train.x, tuple(dataset.test), split, dataset.K)
    for _ in fit(run, source, build(run.model, source.task.shape, dataset.K)):
        pass
    return sum(part.nbytes for part in split.train)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--alpha", type=float, default=100)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    few, many = synthetic(1000, 28, 1000), synthetic(given.images, 28, 1000)
    with reproducible(0, torch.device("cpu")):
        short_training(few, 1.0)  # loads whatever is loaded once
        short_training(many, 0.0)  # the images, and one step on them
        before = peak()
        pairs = short_training(many, given.alpha)
    images_mb = many.train.x.nbytes / 1e6
    row = {
        "images": given.images,
        "alpha": given.alpha,
        "images_mb": images_mb,
        "pairs_mb": pairs / 1e6,
        "peak_above_mb": peak() - before,
        "materialised_mb": images_mb * (1 + given.alpha),
    }
    row = {name: round(value, 1) for name, value in row.items()}
    if given.json:
        print(json.dumps(row))
    else:
        print("\n".join(f"{name:16} {value:>10}" for name, value in row.items()))


if __name__ == "__main__":
    main()
