"""Cost of a training with every method, relative to cross entropy, in one process.

    python benchmarks/methods.py [--device auto] [--model conv_small] [--rounds 9] [--only NAME ...] [--json]

A training is 480 steps over 120 epochs, so that work between epochs (pruning) has the share that it has in the paper,
with one evaluation at the end. Methods are timed in turn, `--rounds` times, each beside a cross entropy of its own; the
median of the ratios is reported. On a CPU one thread works and its own time is counted, not that of other processes.
`passes` are the forward and backward passes that a method declares; a first stage is a second training. What a mentor
of MentorNet costs to learn is counted apart: in the rows it has learned already. `two batches` is cross entropy on the
noisy and on the trusted batch, the arithmetic that FasTEN cannot do without.
"""

import argparse
import json
import statistics
import time
from dataclasses import replace

import numpy as np
import torch

from nlcore import data
from nlcore.inputs import lookup
from nlcore.losses import cross_entropy
from nlcore.methods import CE, METHODS, Backward, Forward, MentorNet, Method, TrustedOnly
from nlcore.methods.mentor import Mentor, examples, imitate, teach
from nlcore.models import build
from nlcore.noise import SymmetricExclusive
from nlcore.papers.base import known
from nlcore.runs import Budget, Run
from nlcore.training.device import pick_device, reproducible
from nlcore.training.loop import fit
from nlcore.training.sources import Resident
from nlcore.training.split import split as divide

SHAPE, K, N, BATCH = (1, 28, 28), 10, 512 + 128, 128


class TwoBatches(TrustedOnly):
    """Cross entropy on the noisy and on the trusted batch, in one pass each."""

    passes = (2, 1)

    def loss(self, net, batch, clock):
        noisy = cross_entropy(net(batch.x), batch.y)
        trusted = cross_entropy(net(batch.trusted_x), batch.trusted_y)
        return torch.cat([noisy, trusted]).mean()


def seconds(method, model: str, device: torch.device, steps: int) -> float:
    """Time of a whole training on synthetic images: of the clock on a GPU, of this process on a CPU."""
    draw = np.random.default_rng(0)
    x = torch.from_numpy(draw.integers(0, 256, (N, *SHAPE), dtype=np.uint8))
    whole = data.Images(x, torch.from_numpy(draw.integers(0, K, N)))
    synthetic = data.Dataset("synthetic", tuple(map(str, range(K))), K, whole, whole, "")
    run = Run("digits", model, Budget(steps, BATCH, evaluations=1), SymmetricExclusive(0.4), method, validation=128)
    run = replace(run, trusted=100 if method.trust else 0)
    split, images = divide(run, synthetic).to(device), x.to(device)
    test = images[:128], whole.y[:128].to(device)
    cuda = device.type == "cuda"
    clock = time.perf_counter if cuda else time.process_time
    with reproducible(0, device):
        start = clock()
        source = Resident(run, images, test, split, K)
        for _ in fit(run, source, build(model, source.task.shape, K)):
            pass
        if cuda:
            torch.cuda.synchronize()
        return clock() - start


def learning() -> dict[str, float]:
    """Seconds that mentors take to learn: the imitation of a curriculum, and two times 500 checked labels."""
    with reproducible(0, torch.device("cpu")):
        start = time.process_time()
        imitate("pd", "released")
        middle = time.process_time()
        z, percent = examples(500, 1)
        for _ in range(2):
            teach(Mentor(), z, percent * 0, percent, (z[:, -1, 1] < 0).float(), 500)
        return {"PD, once a process": middle - start, "DD, a run": time.process_time() - middle}


def all_methods() -> dict[str, Method]:
    """Every method by name, as its paper has it, and those that must be given a matrix or a mentor."""
    T = known(SymmetricExclusive(0.4), K)
    methods = {name: kind() for name, kind in METHODS.items()}
    methods["forward"], methods["backward"] = Forward(T), Backward(T)
    for form in ("released", "paper"):
        methods[f"mentornet, {form}"] = MentorNet("data", form=form).led_by(Mentor(form))
    methods["two batches"] = TwoBatches()
    return methods


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--model", default="conv_small")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=480)
    parser.add_argument("--only", nargs="+", help="names of methods")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    device = pick_device(args.device)
    known_methods = all_methods()
    methods = {name: lookup("method", name, known_methods) for name in args.only or known_methods}
    mentors = learning() if any(isinstance(method, MentorNet) for method in methods.values()) else {}
    seconds(CE(), args.model, device, args.steps)  # warm
    ratios = {name: [] for name in methods}
    for _ in range(args.rounds):
        for name, method in methods.items():
            own = seconds(method, args.model, device, args.steps)
            plain = seconds(CE(), args.model, device, args.steps)
            ratios[name].append(own / plain)
    rows = []
    for name, method in methods.items():
        ratio, passes = statistics.median(ratios[name]), method.passes
        rows.append(
            {"method": name, "device": str(device), "model": args.model, "ratio": ratio, "passes": list(passes)}
        )
        if not args.json:
            print(f"{name:18} {ratio:5.2f}x cross entropy  (passes {passes})", flush=True)
    for name, cost in mentors.items():
        rows.append({"mentor": name, "seconds": cost})
        if not args.json:
            print(f"a mentor learns in {cost:.1f} s ({name})")
    if args.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
