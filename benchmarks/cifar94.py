"""Accuracy and seconds of a network that learns CIFAR-10 with clean labels to 94 % in a few seconds on a GPU.

    python benchmarks/cifar94.py [--device auto] [--seeds 5] [--epochs 9.9] [--json] [--keep]

The network and its recipe are those of airbench94 (Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", arXiv
2404.00498), from their definition and in the loop of all other runs. What is left out: Lookahead, the alternation of
mirrored images, moved images at evaluation (mirrored ones are used), and the end of learning of the first bias after
three epochs. So expect a little less at equal epochs.

`seconds` is training, capture of the step included; `whole` is all of a run: labels, whitening, training and the
evaluation. A short run before warms up the device and is not counted. `--keep` writes the result to `cifar94.json` and
the page `cifar94.md`, which says "not measured" as long as there is none.
"""

import argparse
import json
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

from nlcore import data
from nlcore.data.prepared import root
from nlcore.files import write_whole
from nlcore.inputs import UserError, require
from nlcore.methods import LabelSmoothing
from nlcore.runs import Budget, Run
from nlcore.training.device import pick_device
from nlcore.training.train import train

HERE = Path(__file__).parent
RATE, DECAY, MOMENTUM = 11.5, 0.0153, 0.85  # for 1024 examples, "decoupled": see `budget`
LINE = "{}: accuracy {accuracy:.2%}  training {seconds:.2f} s  whole {whole:.2f} s"


def budget(epochs: float, images: int, batch: int, device: str) -> Budget:
    """The recipe. The paper's rate and decay are for sums over 1024 examples and do not change with the momentum: they
    are divided by 1024 (1 + 1 / (1 - momentum)); our loss is a mean over the batch."""
    batch = min(batch, images)
    lr = RATE * batch / 1024 / (1 + 1 / (1 - MOMENTUM))
    sgd = {"optimiser": "sgd", "momentum": MOMENTUM, "nesterov": True, "lr": lr, "weight_decay": DECAY / RATE}
    half = {"precision": "bf16" if device == "cuda" else "fp32", "channels_last": True}
    steps = max(1, round(epochs * (images // batch)))
    return Budget(steps, batch, schedule="triangle", augment="flip_shift", evaluations=1, **sgd, **half)


def measured(args: argparse.Namespace) -> dict:
    """What is run, on what, and accuracy and seconds of each seed."""
    known = args.dataset == "digits" or (root() / f"{args.dataset}.npz").exists()
    require(known, f"{args.dataset} is not there yet: nlcore data get {args.dataset}")
    device = pick_device(args.device).type
    images = args.examples or data.train_size(args.dataset)
    how = budget(args.epochs, images, args.batch, device)
    run = Run(args.dataset, args.model, how, method=LabelSmoothing(0.2), examples=args.examples)
    if device == "cuda":
        train(replace(run, budget=replace(how, steps=10)), device)
    rows, record = [], None
    for seed in range(args.seeds):
        start = time.perf_counter()
        record = train(replace(run, seed=seed), device)
        whole, last = time.perf_counter() - start, record.history[-1]
        rows.append({"seed": seed, "accuracy": last["test_accuracy"], "seconds": last["seconds"], "whole": whole})
        if not args.json:
            print(LINE.format(f"seed {seed}", **rows[-1]))
    median = {name: statistics.median(row[name] for row in rows) for name in ("accuracy", "seconds", "whole")}
    told = {"device": record.cost["device"], "torch": record.environment["torch"], "run": run.spec()}
    return told | {"epochs": args.epochs, "seeds": rows, "median": median}


def page(found: dict | None) -> str:
    """What was measured, as a page; nothing of it is typed by hand."""
    head = "# CIFAR-10 in seconds\n\nWritten by `python benchmarks/cifar94.py --keep`, which says what is run.\n\n"
    if found is None:
        return head + "Accuracy and seconds on a GPU: not measured.\n"
    line = "| {} | {accuracy:.2%} | {seconds:.2f} | {whole:.2f} |"
    lines = [line.format(row["seed"], **row) for row in found["seeds"]] + [line.format("median", **found["median"])]
    told = "{device}, torch {torch}, {epochs} epochs of {0}, network {1}:\n\n"
    told = told.format(found["run"]["dataset"], found["run"]["model"], **found)
    table = "| seed | test accuracy | seconds of training | seconds in all |\n|---|---|---|---|\n"
    return head + told + table + "\n".join(lines) + "\n"


def kept() -> dict | None:
    """The result that was kept, if there is one."""
    place = HERE / "cifar94.json"
    return json.loads(place.read_text()) if place.exists() else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=float, default=9.9)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--examples", type=int, default=0, help="training images; 0: all")
    parser.add_argument("--dataset", default="cifar10")
    parser.add_argument("--model", default="airbench94")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="write cifar94.json and cifar94.md beside this file")
    args = parser.parse_args()
    try:
        found = measured(args)
    except UserError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    if args.keep:
        write_whole(HERE / "cifar94.json", json.dumps(found, indent=1) + "\n")
        write_whole(HERE / "cifar94.md", page(kept()))
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        print(LINE.format("median", **found["median"]))


if __name__ == "__main__":
    main()
