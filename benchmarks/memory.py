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

import numpy as np
import torch

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
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--alpha", type=float, default=100)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rng, N, K = np.random.default_rng(0), given.images, 10

    def images(n: int) -> data.Images:
        x = torch.from_numpy(rng.integers(256, size=(n, 1, 28, 28), dtype=np.uint8))
        return data.Images(x, torch.from_numpy(rng.integers(K, size=n)))

    few, many = (data.Dataset("synthetic", tuple("0123456789"), K, images(n), images(1000), "") for n in (1000, N))

    def go(dataset: data.Dataset, alpha: float) -> int:
        run = Run("digits", "mlp1", Budget(steps=3, evaluations=1), Uniform(alpha))
        split = divide(run, dataset)
        source = Resident(run, dataset.train.x, tuple(dataset.test), split, K)
        list(fit(run, source, build(run.model, source.task.shape, K)))
        return sum(t.numel() * t.element_size() for t in split.train)

    with reproducible(0, torch.device("cpu")):
        go(few, 1.0)  # loads whatever is loaded once
        go(many, 0.0)  # the images, and one step on them
        before = peak()
        pairs = go(many, given.alpha)
    row = {"images": N, "alpha": given.alpha, "images_mb": many.train.x.nbytes / 1e6, "pairs_mb": pairs / 1e6}
    row |= {"peak_above_mb": peak() - before, "materialised_mb": many.train.x.nbytes / 1e6 * (1 + given.alpha)}
    row = {k: round(v, 1) for k, v in row.items()}
    print(json.dumps(row) if given.json else "\n".join(f"{k:16} {v:>10}" for k, v in row.items()))


if __name__ == "__main__":
    main()
