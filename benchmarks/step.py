"""Steps per second of our loop beside the textbook loop, in one process, as a ratio.

    python benchmarks/step.py [--device auto] [--seconds 5] [--json]

The textbook loop is what a tutorial shows: torchvision transforms on one image at a time, a `DataLoader` (0 or 2
workers, the better of the two counts), an eager step with Adam. Ours is `nlcore.training.loop.fit`. Both train the same
network from the same arrays (synthetic ones, of MNIST's shape) with batches of 128 and torch's own number of threads.
The two are timed in turn, `--rounds` times, and the median of the ratios is reported.

The last column is our loop as a sweep uses it on a CPU: one thread a process, one process a core; steps per second of
one process times the number of cores.
"""

import argparse
import json
import statistics
import time

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from nlcore import data
from nlcore.data.vision import vision
from nlcore.models import build
from nlcore.noise import Uniform
from nlcore.runs import Budget, Run
from nlcore.training.device import pick_device
from nlcore.training.loop import fit
from nlcore.training.sources import Resident
from nlcore.training.split import split as divide

SHAPE, K, N, BATCH = (1, 28, 28), 10, 12_800, 128


class Pictures(Dataset):
    """One image at a time, as torchvision's data sets serve them."""

    def __init__(self, x: np.ndarray, y: np.ndarray):
        from PIL import Image

        transforms = vision().transforms
        self.x, self.y, self.image = x, y, Image
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.transform(self.image.fromarray(self.x[i])), int(self.y[i])


def textbook(model: str, x, y, device, workers: int, seconds: float) -> float:
    """Steps per second of the textbook loop, workers already running."""
    net = build(model, SHAPE, K).to(device)
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    criterion = torch.nn.CrossEntropyLoss()
    loader = DataLoader(
        Pictures(x, y), BATCH, shuffle=True, num_workers=workers, drop_last=True, persistent_workers=workers > 0
    )
    steps, start = 0, None
    while True:
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            opt.zero_grad()
            criterion(net(images), labels).backward()
            opt.step()
            steps += 1
            if steps == 10:  # warm
                start, steps = time.perf_counter(), 11
            if start and time.perf_counter() - start > seconds:
                if device.type == "cuda":
                    torch.cuda.synchronize()
                return (steps - 11) / (time.perf_counter() - start)


def ours(model: str, x, y, device, seconds: float, threads: int) -> float:
    """Steps per second of the loop in `nlcore.training`, evaluations not counted."""
    whole = data.Images(torch.from_numpy(x)[:, None], torch.from_numpy(y))
    synthetic = data.Dataset("synthetic", tuple(map(str, range(K))), K, whole, whole, "")
    images = whole.x.to(device)
    test = images[:128], whole.y[:128].to(device)

    def timed(steps: int) -> float:
        run = Run("digits", model, Budget(steps=steps, batch=BATCH, evaluations=2, lr=1e-3), Uniform(1.0))
        split = divide(run, synthetic).to(device)
        torch.set_num_threads(threads)
        source = Resident(run, images, test, split, K)
        half, end = fit(run, source, build(model, SHAPE, K))
        return (end["step"] - half["step"]) / (end["seconds"] - half["seconds"])

    speed = timed(40)
    return timed(max(20, int(2 * seconds * speed)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", nargs="*", default=["mlp2", "conv_small", "conv4"])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    device, draw = pick_device(args.device), np.random.default_rng(0)
    x = draw.integers(0, 256, (N, *SHAPE[1:]), dtype=np.uint8)
    y = draw.integers(0, K, N)
    own, rows = torch.get_num_threads(), []
    cores = own if device.type == "cpu" else 1
    for model in args.models:
        rounds = []
        for _ in range(args.rounds):
            theirs = max(textbook(model, x, y, device, workers, args.seconds) for workers in (0, 2))
            rounds.append((ours(model, x, y, device, args.seconds, own), theirs))
        row = {
            "model": model,
            "device": str(device),
            "threads": own,
            "ours": statistics.median(mine for mine, _ in rounds),
            "textbook": statistics.median(theirs for _, theirs in rounds),
            "ratio": statistics.median(mine / theirs for mine, theirs in rounds),
            "pool": cores * ours(model, x, y, device, args.seconds, 1),
        }
        torch.set_num_threads(own)
        rows.append(row)
        if not args.json:
            line = "{model:11} ours {ours:6.1f}  textbook {textbook:6.1f} steps/s  ratio {ratio:5.2f}  pool {pool:6.1f}"
            print(line.format(**row), flush=True)
    if args.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
