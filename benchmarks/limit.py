"""How near a step comes to what one core can do.

    python benchmarks/limit.py [--seconds 1] [--rounds 3] [--models NAME ...] [--json]

Limits, best of some repetitions, all on one thread: the product of two matrices of 1024 squared by torch and by numpy
(each brings a library of its own for it), and a copy of a tensor too large for any cache. Then, for each network, in
turn with torch's product: our loop's floating-point operations per second, as a share of it; and what its layers reach
if each is run alone, forward and backward, again and again. Operations are counted by torch (products and convolutions;
a multiply-add is two).
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from rows import show
from step import SHAPE, K, Ours, arrays, synthetic
from threadpoolctl import threadpool_limits
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nlcore.losses import cross_entropy
from nlcore.models import Net, build

SIDE = 1024
BATCHES = {"mlp2": 128, "conv_small": 128, "conv4": 32, "resnet18": 16}


def best(work: Callable, seconds: float) -> float:
    """The least time of a call, over so many seconds and two calls at least."""
    work()  # warm
    found, end = [], time.perf_counter() + seconds
    while len(found) < 2 or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def torch_product(seconds: float) -> float:
    """GFLOP/s."""
    a, b, out = (torch.rand(SIDE, SIDE) for _ in range(3))
    return 2 * SIDE**3 / best(lambda: torch.mm(a, b, out=out), seconds) / 1e9


def numpy_product(seconds: float) -> float:
    """GFLOP/s."""
    a, b, out = (np.random.default_rng(0).random((SIDE, SIDE), dtype=np.float32) for _ in range(3))
    with threadpool_limits(1):
        return 2 * SIDE**3 / best(lambda: np.matmul(a, b, out=out), seconds) / 1e9


def copied(seconds: float) -> float:
    """GB/s of a copy of 256 MB, what is read and what is written."""
    a = torch.zeros(64 * 2**20)
    b = torch.empty_like(a)
    return 2 * a.nbytes / best(lambda: b.copy_(a), seconds) / 1e9


def operations(work: Callable) -> int:
    """Floating-point operations of a call."""
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def of_step(net: Net, batch: int) -> int:
    """Floating-point operations of a step of cross entropy."""
    x, y = torch.rand(batch, *SHAPE), torch.arange(batch) % K
    return operations(lambda: cross_entropy(net(x), y).mean().backward())


def layers_alone(net: Net, batch: int, seconds: float) -> float:
    """GFLOP/s of the layers that multiply, each of them alone."""
    shapes, layers = {}, [layer for layer in net.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    hooks = [
        layer.register_forward_pre_hook(lambda layer, given: shapes.update({layer: given[0].shape})) for layer in layers
    ]
    net(torch.rand(batch, *SHAPE))
    for hook in hooks:
        hook.remove()
    work, spent = 0, 0.0
    for i, layer in enumerate(layers):
        x = torch.rand(shapes[layer])
        if x.dim() == 4:
            x, layer = x.to(memory_format=torch.channels_last), layer.to(memory_format=torch.channels_last)
        x.requires_grad_(i > 0)  # nobody asks for the gradient of images
        out = layer(x)
        ones = torch.ones_like(out)

        def there_and_back(layer=layer, x=x, ones=ones) -> None:
            layer(x).backward(ones)

        work += operations(there_and_back)
        spent += best(there_and_back, seconds / len(layers))
    return work / spent / 1e9


def share(model: str, seconds: float, rounds: int) -> dict:
    """A step beside torch's product, in turn, and beside its own layers."""
    batch, dataset = BATCHES[model], synthetic(*arrays())
    net = build(model, SHAPE, K)
    work, ours, told = of_step(net, batch), Ours(model, batch, dataset, torch.device("cpu")), []
    for _ in range(rounds):
        told.append((torch_product(seconds / 4), ours(seconds) * work / 1e9))
    product, step = map(statistics.median, zip(*told, strict=True))
    row = {"model": model, "batch": batch, "gflop_a_step": work / 1e9, "gflops": step, "product": product}
    alone = layers_alone(net, batch, seconds)
    return row | {"layers": alone, "share": statistics.median(own / most for most, own in told)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", nargs="*", default=[*BATCHES])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    measures = {
        "torch's product, GFLOP/s": torch_product,
        "numpy's product, GFLOP/s": numpy_product,
        "copy, GB/s": copied,
    }
    rows = [{"limit": name, "value": measure(args.seconds)} for name, measure in measures.items()]
    rows += [share(model, args.seconds, args.rounds) for model in args.models]
    show(rows, args.json)


if __name__ == "__main__":
    main()
