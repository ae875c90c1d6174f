"""Steps per second of several small trainings side by side on one device, of all together, against one alone.

    python benchmarks/several.py [--device auto] [--model mlp2] [--jobs 1 2 4 8] [--seconds 5] [--json]

Each is a process of its own with the loop of `nlcore.training`, one thread and synthetic images of MNIST's shape; they
begin together. A small network leaves most of a GPU idle, but without its multi-process service, which
`nvidia-cuda-mps-control -d` starts, processes only take turns on it. What is found here is what `nlcore run --jobs`
should be given.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import psutil
import torch
from step import Ours, arrays, synthetic

from nlcore.training.device import pick_device

BATCH = 128
_barrier = []


def meet_at(barrier) -> None:
    """Keep what the processes wait at for each other; it can be handed over only when they start."""
    _barrier.append(barrier)


def speed(device: str, model: str, seconds: float) -> float:
    """Steps per second of this process, once all are there."""
    torch.set_num_threads(1)
    ours = Ours(model, BATCH, synthetic(*arrays()), pick_device(device))
    ours(0.0)  # loads and warms up
    _barrier[0].wait(timeout=300)
    return ours(seconds)


def together(jobs: int, *given) -> float:
    """Steps per second of so many processes, added up."""
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=meet_at, initargs=(context.Barrier(jobs),)) as pool:
        return sum(future.result() for future in [pool.submit(speed, *given) for _ in range(jobs)])


def shared() -> bool:
    """Whether the multi-process service of the GPU is at work."""
    return any((p.info["name"] or "").startswith("nvidia-cuda-mps") for p in psutil.process_iter(["name"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--model", default="mlp2")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows, alone = [], together(1, args.device, args.model, args.seconds)
    for jobs in args.jobs:
        found = alone if jobs == 1 else together(jobs, args.device, args.model, args.seconds)
        row = {"model": args.model, "device": str(pick_device(args.device)), "batch": BATCH, "jobs": jobs}
        rows.append(row | {"mps": shared(), "steps_per_second": found, "against_one": found / alone})
        if not args.json:
            print(f"{jobs} side by side: {found:8.1f} steps/s, {found / alone:.2f} times one alone", flush=True)
    if args.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
