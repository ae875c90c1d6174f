"""A CUDA graph that is not there: a step is recorded on the CPU and replayed under the rules that CUDA has for graphs.

`Tape` sees every operator of forward, backward and optimiser, and keeps it with its operands. A replay runs that list
again on the same memory, without any Python of the method: whatever was a Python number, a branch or a new tensor when
the step was recorded stays what it was. What a graph cannot hold at all is refused while recording, with the line that
asked for it. Not seen: what cuDNN, cuBLAS and streams refuse, CUDA's own random numbers, and time.
"""

import traceback
import warnings
from collections.abc import Callable

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from nlcore.training.step import Training, snapshot, undo

HOST = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
MAKERS = {
    "tensor",
    "zeros",
    "ones",
    "full",
    "empty",
    "arange",
    "linspace",
    "eye",
    "rand",
    "randn",
    "randint",
    "randperm",
}


class Refused(AssertionError):
    """What a graph cannot hold, and the line of the method that asked for it."""


def refuse(what: str) -> None:
    """Name the last line of the package or of a test that led here."""
    frames = [f for f in traceback.extract_stack() if "/nlcore/" in f.filename or "/test_" in f.filename]
    ours = [f for f in frames if not f.filename.endswith(("/step.py", "/capture.py"))] or frames
    last = ours[-1]
    raise Refused(f"{what}: {last.line} [{last.filename.rsplit('/', 1)[1]}:{last.lineno}]")


def masked(func, args) -> bool:
    """Whether an index is a mask, of which the host must know how many places are True."""
    masks = [t for t in tree_leaves(args[1:]) if isinstance(t, Tensor) and t.dtype in (torch.bool, torch.uint8)]
    return func is torch.ops.aten.index.Tensor and bool(masks)


class Tape(TorchDispatchMode):
    """Records operators with aliases of their operands and results."""

    def __init__(self):
        super().__init__()
        self.done = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if masked(func, args):
            refuse(f"{func} by a mask has a shape that depends on data")
        if HOST & {*func.tags} and func is not torch.ops.aten.index.Tensor:
            refuse(f"{func} waits for the device")
        out = func(*args, **kwargs)
        self.done.append((func, alias(args), alias(kwargs), alias(out)))
        return out


def alias(value):
    """The same memory, without history."""
    return tree_map(lambda t: t.detach() if isinstance(t, Tensor) else t, value)


class AsOnCuda(TorchFunctionMode):
    """Two functions that read their input on the CPU to check it, and not on CUDA."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.nn.functional.one_hot:
            y, K = args
            return (y[..., None] == torch.arange(K, device=y.device)).long()
        if func in (Tensor.quantile, torch.quantile):
            return quantile(*args)
        return func(*args, **(kwargs or {}))


class Makers(TorchFunctionMode):
    """Refuses what would be a CPU tensor beside the device."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in MAKERS and kwargs.get("device") is None:
            refuse(f"torch.{func.__name__} without device= is a CPU tensor")
        return func(*args, **kwargs)


class Waits:
    """Counts between evaluations, by line, what would make the host wait for the device: results that it must know,
    and copies between the two that are not told to go on meanwhile."""

    def __init__(self):
        self.found: list[str] = []
        self.seen = Seen(self), Called(self)

    def add(self, what: str) -> None:
        """One more, and the line that asked for it."""
        try:
            refuse(what)
        except Refused as told:
            self.found.append(str(told))

    def start(self) -> None:
        for mode in self.seen:
            mode.__enter__()

    def stop(self) -> None:
        for mode in reversed(self.seen):
            mode.__exit__(None, None, None)

    def between_evaluations(self, training: Training) -> None:
        """Watch whenever the clock of `training` runs, which evaluations stop."""
        start, pause = training.start_clock, training.pause_clock
        training.start_clock = lambda: (start(), self.start())
        training.pause_clock = lambda: (self.stop(), pause())[1]


class Seen(TorchDispatchMode):
    """Operators whose results the host must know."""

    def __init__(self, waits: Waits):
        super().__init__()
        self.waits = waits

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if masked(func, args) or (HOST & {*func.tags} and func is not torch.ops.aten.index.Tensor):
            self.waits.add(str(func))
        return func(*args, **(kwargs or {}))


class Called(TorchFunctionMode):
    """Copies between host and device, which no operator shows where both are the CPU."""

    def __init__(self, waits: Waits):
        super().__init__()
        self.waits = waits

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        to_device = any(isinstance(value, str | torch.device) for value in (*args[1:], *kwargs.values()))
        copies = name in ("to", "tensor", "as_tensor") and to_device and not kwargs.get("non_blocking")
        if copies or name in ("cpu", "cuda", "numpy", "tolist"):
            self.waits.add(name)
        return func(*args, **kwargs)


def quantile(x: Tensor, q: float) -> Tensor:
    """Linear interpolation between order statistics, of a vector."""
    place = q * (len(x) - 1)
    low, ordered = int(place), x.sort().values
    return ordered[low].lerp(ordered[min(low + 1, len(x) - 1)], place - low)


def recorded(training: Training, given) -> Callable[[], None]:
    """What `training.step.capture` does on CUDA, on the CPU."""
    saved, memory = snapshot(training)
    generator = torch.get_rng_state()
    with AsOnCuda(), Makers():
        for _ in range(3):
            training.step(given)
        with Tape() as tape, warnings.catch_warnings():
            training.step(given)
    undo(training, saved, memory)
    torch.set_rng_state(generator)
    results = [places(out) for *_, out in tape.done]

    def replay() -> None:
        with torch.no_grad(), torch._C.DisableTorchFunction():  # operators alone; modes have done their part
            for (func, args, kwargs, _), olds in zip(tape.done, results, strict=True):
                news = tree_leaves(func(*args, **kwargs))
                for i, old, address in olds:
                    if news[i].data_ptr() != address:
                        old.copy_(news[i])

    return replay


def places(out) -> list[tuple[int, Tensor, int]]:
    """The tensors of a result, each with its place among the leaves and its address."""
    leaves = enumerate(tree_leaves(out))
    return [(i, leaf, leaf.data_ptr()) for i, leaf in leaves if isinstance(leaf, Tensor)]
