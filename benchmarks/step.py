"""Steps per second of our loop beside the textbook loop, in one process, as a ratio.

    python benchmarks/step.py [--device auto] [--seconds 1] [--rounds 3] [--models NAME ...] [--batches B ...] [--json]

The textbook loop is what a tutorial shows: torchvision transforms on one image at a time, a `DataLoader` (without
workers and with two; the better of them counts), an eager step with Adam. Ours is `nlcore.training.loop.fit`. Both
train the same network from the same arrays (synthetic ones, of MNIST's shape) with torch's own number of threads. They
are timed in turn, `--rounds` times, and the median of the ratios is reported.

The last column is our loop as a sweep uses it on a CPU: one process of one thread for each core, all of them at work at
the same time; their steps per second are added.
"""

import argparse
import json
import statistics
import time
from multiprocessing import get_context

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from nlcore import data
from nlcore.data.vision import vision
from nlcore.machine import cores
from nlcore.models import build
from nlcore.noise import Uniform
from nlcore.runs import Budget, Run
from nlcore.training.device import pick_device
from nlcore.training.loop import fit
from nlcore.training.sources import Resident
from nlcore.training.split import Split
from nlcore.training.split import split as divide

SHAPE, K, N = (1, 28, 28), 10, 12_800
MNIST = (0.1307, 0.3081)  # mean and standard deviation of its pixels
# a step of the larger networks takes a second or more; so they have fewer sizes
BATCHES = {"mlp2": (32, 128, 512), "conv_small": (32, 128, 512), "conv4": (32, 128), "resnet18": (32,)}
WARM = 2  # steps
FEW = 16  # images of an evaluation, which is not timed


def arrays() -> tuple[np.ndarray, np.ndarray]:
    """Synthetic images (N, 28, 28) and classes (N,)."""
    draw = np.random.default_rng(0)
    return draw.integers(0, 256, (N, *SHAPE[1:]), dtype=np.uint8), draw.integers(0, K, N)


def synthetic(x: np.ndarray, y: np.ndarray) -> data.Dataset:
    """The arrays as a data set of ours."""
    whole = data.Images(torch.from_numpy(x)[:, None], torch.from_numpy(y))
    return data.Dataset("synthetic", tuple(map(str, range(K))), K, whole, whole, "")


class Pictures(Dataset):
    """One image at a time, as torchvision's data sets serve them."""

    def __init__(self, x: np.ndarray, y: np.ndarray, mean: float, std: float):
        from PIL import Image

        transforms = vision().transforms
        self.x, self.y, self.image = x, y, Image
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((mean,), (std,))])

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.transform(self.image.fromarray(self.x[i])), int(self.y[i])


def textbook(model: str, batch: int, x, y, device, workers: int, seconds: float) -> float:
    """Steps per second of the textbook loop, workers already running."""
    net = build(model, SHAPE, K).to(device)
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    criterion = torch.nn.CrossEntropyLoss()
    options = {"shuffle": True, "num_workers": workers, "drop_last": True, "persistent_workers": workers > 0}
    loader = DataLoader(Pictures(x, y, *MNIST), batch, **options)
    steps, start = 0, 0.0
    while True:
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            opt.zero_grad()
            criterion(net(images), labels).backward()
            opt.step()
            steps += 1
            if steps == WARM:
                start = time.perf_counter()
            if steps > WARM and time.perf_counter() - start > seconds:
                if device.type == "cuda":
                    torch.cuda.synchronize()
                return (steps - WARM) / (time.perf_counter() - start)


def probed_by(split: Split, count: int) -> Split:
    """The same with so few images to probe training by, for evaluations that cost little."""
    return split._replace(probe=type(split.probe)(*(part[:count] for part in split.probe)))


class Ours:
    """Our loop on a network and a size of batch; how fast it is, is known from its first call on."""

    def __init__(self, model: str, batch: int, dataset: data.Dataset, device):
        self.model, self.batch, self.dataset, self.device = model, batch, dataset, device
        self.speed = 0.0

    def timed(self, steps: int) -> float:
        """Steps per second from the first of four evaluations to the last; evaluations are not counted."""
        run = Run("digits", self.model, Budget(steps, self.batch, evaluations=4), Uniform(1.0))
        whole = self.dataset.train
        split = divide(run, self.dataset).to(self.device)
        few = probed_by(split, FEW)
        test = whole.x[:FEW].to(self.device), whole.y[:FEW].to(self.device)
        source = Resident(run, whole.x.to(self.device), test, few, K)
        first, *_, last = fit(run, source, build(self.model, SHAPE, K))
        return (last["step"] - first["step"]) / (last["seconds"] - first["seconds"])

    def __call__(self, seconds: float) -> float:
        """Steps per second, over about so many seconds."""
        if not self.speed:
            self.speed = self.timed(4)
            if 3 / self.speed > seconds:  # as long as was asked for
                return self.speed
        self.speed = self.timed(max(4, int(1.3 * seconds * self.speed)))
        return self.speed


def _work(settings: list, seconds: float, barrier, results) -> None:
    """A process of the pool: one thread; every setting at the same time as the other processes."""
    torch.set_num_threads(1)
    dataset = synthetic(*arrays())
    for model, batch in settings:
        ours = Ours(model, batch, dataset, torch.device("cpu"))
        ours(seconds / 4)  # warm
        barrier.wait()
        results.put((model, batch, ours(seconds)))
        barrier.wait()


def pool(settings: list[tuple[str, int]], seconds: float) -> dict[tuple[str, int], float]:
    """Steps per second of all processes together, by network and size of batch."""
    start, count = get_context("spawn"), cores()
    barrier, results = start.Barrier(count), start.Queue()
    processes = [start.Process(target=_work, args=(settings, seconds, barrier, results)) for _ in range(count)]
    for process in processes:
        process.start()
    total = dict.fromkeys(settings, 0.0)
    for _ in range(count * len(settings)):
        model, batch, speed = results.get(timeout=300)
        total[model, batch] += speed
    for process in processes:
        process.join()
    return total


def compared(model: str, batch: int, device, seconds: float, rounds: int) -> dict:
    """Our loop and the textbook loop in turn."""
    x, y = arrays()
    ours, told = Ours(model, batch, synthetic(x, y), device), []
    for _ in range(rounds):
        theirs = [textbook(model, batch, x, y, device, workers, seconds) for workers in (0, 2)]
        told.append((ours(seconds), *theirs))
    mine, alone, helped = map(statistics.median, zip(*told, strict=True))
    ratio = statistics.median(own / max(theirs) for own, *theirs in told)
    row = {"model": model, "batch": batch, "device": str(device), "threads": torch.get_num_threads()}
    return row | {"ours": mine, "textbook_0": alone, "textbook_2": helped, "ratio": ratio}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", nargs="*", default=[*BATCHES])
    parser.add_argument("--batches", type=int, nargs="*", help="the same for all models")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    device = pick_device(args.device)
    settings = [(model, batch) for model in args.models for batch in args.batches or BATCHES.get(model, (128,))]
    together, rows = pool(settings, args.seconds) if device.type == "cpu" else {}, []
    for model, batch in settings:
        row = compared(model, batch, device, args.seconds, args.rounds) | {"pool": together.get((model, batch))}
        rows.append(row)
        if not args.json:
            line = (
                "{model:11} {batch:4} ours {ours:7.1f}  textbook {textbook_0:7.1f}, with 2 workers {textbook_2:7.1f} "
            )
            line += "steps/s  ratio {ratio:5.2f}  pool {pool}"
            print(line.format(**row), flush=True)
    if args.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
