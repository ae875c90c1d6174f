"""Do both loops compute the same? Losses of our loop and of the textbook loop, step by step.

    python benchmarks/same.py [--models NAME ...] [--json]

Both start from the same weights and see the same batches; ours normalises a gathered batch, the textbook loop one image
at a time, so the last digits differ; they are the same if the losses of no step differ by more than 1e-4. What rounding
alone does is measured too: the textbook loop beside itself with weights and images in channels-last order. Adam divides
a gradient by its own size, so a gradient that is all rounding moves a weight as far as any other.
"""

import argparse

import torch
from rows import show
from step import SHAPE, K, Pictures, arrays, probed_by, synthetic
from torch.utils.data import DataLoader

from nlcore.models import build
from nlcore.noise import SymmetricExclusive
from nlcore.runs import Budget, Run
from nlcore.training.device import reproducible
from nlcore.training.loop import fit
from nlcore.training.sources import Resident
from nlcore.training.split import split as divide

STEPS = {"mlp2": 20, "conv_small": 20, "conv4": 10, "resnet18": 3}
ORDERS = (torch.contiguous_format, torch.channels_last)
BATCH, IMAGES, ALLOWED, SEED = 32, 1280, 1e-4, 0


def textbook(model: str, pictures: Pictures, batches: list[list[int]], order: torch.memory_format) -> list[float]:
    """The loss of each step of the textbook loop on these batches."""
    torch.manual_seed(SEED)
    net = build(model, SHAPE, K).to(memory_format=order)
    opt, criterion, losses = torch.optim.Adam(net.parameters(), lr=1e-3), torch.nn.CrossEntropyLoss(), []
    for images, labels in DataLoader(pictures, batch_sampler=batches):
        opt.zero_grad()
        loss = criterion(net(images.contiguous(memory_format=order)), labels)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return losses


def difference(model: str, steps: int) -> dict:
    """How far the losses of the two loops are apart at most."""
    x, y = (part[:IMAGES] for part in arrays())
    dataset = synthetic(x, y)
    run = Run("digits", model, Budget(steps, BATCH, evaluations=steps), SymmetricExclusive(0.4), seed=SEED)
    split = divide(run, dataset)
    few = probed_by(split, 32)
    test = dataset.test.x[:32], dataset.test.y[:32]
    with reproducible(SEED, torch.device("cpu")):
        source = Resident(run, dataset.train.x, test, few, K)
        batches = [split.train.row[given].tolist() for given in source.batches(0)]
        given = torch.empty(IMAGES, dtype=torch.long)
        given[split.train.row.long()] = split.train.label.long()
        pictures = Pictures(x, given.numpy(), source.mean.item() / 255, source.std.item() / 255)
        ours = [row["loss"] for row in fit(run, source, build(model, SHAPE, K))]
        theirs, other = (textbook(model, pictures, batches, order) for order in ORDERS)
    apart, rounding = largest(ours, theirs), largest(theirs, other)
    row = {"model": model, "steps": steps, "difference": apart, "rounding": rounding, "allowed": ALLOWED}
    return row | {"same": apart <= ALLOWED}


def largest(a: list[float], b: list[float]) -> float:
    """The largest difference between losses of the same step."""
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*", default=[*STEPS])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows = [difference(model, STEPS[model]) for model in args.models]
    show(rows, args.json)


if __name__ == "__main__":
    main()
