"""A run in progress and its step: forward, backward, update; eager, or on CUDA captured as one graph."""

import copy
import math
import time
from collections.abc import Callable
from functools import cache, cached_property

import torch
from torch import Tensor, nn

from ..methods import Clock, Method, View
from ..methods.attached import groups
from ..runs import Budget, Run
from .sources import Source


def rate(budget: Budget, t: int) -> float:
    """The learning rate of step `t`."""
    if budget.schedule == "cosine":
        return budget.lr * 0.5 * (1 + math.cos(math.pi * t / budget.steps))
    if budget.schedule == "steps":
        falls = [m * budget.steps - 1e-9 for m in budget.milestones]  # 0.55 * 100 is a little more than 55
        return budget.lr * 0.1 ** sum(t >= fall for fall in falls)
    if budget.schedule == "triangle":  # from a fifth of the rate up to it and down again (Jordan 2024)
        share, peak = t / budget.steps, 0.23
        up, down = 0.2 + 0.8 * share / peak, 1 - 0.93 * (share - peak) / (1 - peak)
        return budget.lr * min(up, down)
    return budget.lr


def optimiser(budget: Budget, parameters: list, device: torch.device) -> torch.optim.Optimizer:
    """Fused Adam or SGD, for parameters or groups of them; where steps are captured the rate is a device scalar, which
    a captured step can read."""
    captured = device.type in CAPTURE
    lr = torch.tensor(budget.lr, device=device) if captured else budget.lr
    common = {"lr": lr, "weight_decay": budget.weight_decay, "fused": True}
    if budget.optimiser == "sgd":
        return torch.optim.SGD(parameters, momentum=budget.momentum, nesterov=budget.nesterov, **common)
    return torch.optim.Adam(parameters, capturable=device.type == "cuda", **common)


def rounded(value):
    """A measured number to six digits; None if it is not finite."""
    if isinstance(value, int | list):
        return value
    return round(value, 6) if math.isfinite(value) else None


# of a stage, besides its tensors, for a second start
KEPT = ("found", "score", "done", "before", "seconds", "rows", "earlier")


class Training:
    """What a stage of a run has while it trains, from its network to the time that it took."""

    def __init__(self, run: Run, method: Method, net: nn.Module, source: Source, best: bool = False):
        budget, device = run.budget, source.device
        self.run, self.method, self.source = run, method, source
        self.net = method.build(net, source.task).to(device, memory_format=source.layout)
        source.process.share(self.net)
        source.whiten(self.net)
        own = method.optimiser(self.net)
        self.opt = optimiser(budget, groups(self.net, method, own), device)
        self.opts = [self.opt, own] if own else [self.opt]
        step, lr = torch.zeros((), dtype=torch.long, device=device), torch.tensor(budget.lr, device=device)
        self.clock = Clock(step, budget.steps, source.per_epoch, rate=lr)
        self.total = torch.zeros((), dtype=torch.double, device=device)  # of losses since the last evaluation
        # the network as it was when best on noisy validation, and how good it was then
        self.best, self.score = copy.deepcopy(self.net) if best or method.keeps_best else None, -1.0
        self.done, self.before = 0, 0  # steps made; and up to the last evaluation
        self.seconds, self.started = 0.0, time.perf_counter()  # of training; since when the clock runs
        self.rows: list[dict] = []  # what was measured
        self.found: dict = {}  # by the method after the stage before
        self.earlier: dict = {}  # measured in that stage

    def step(self, given) -> None:
        """Forward, backward, update, on what the source gave for this step."""
        batch = self.source.batch(given)
        for opt in self.opts:
            opt.zero_grad(set_to_none=True)
        with self.source.autocast():
            loss = self.method.loss(self.net, batch, self.clock)
        loss.backward()
        self.source.process.average_gradients(self.net)
        for opt in self.opts:
            opt.step()
        self.clock.step.add_(1)
        self.total.add_(loss.detach())

    def advance(self, eager: bool) -> Callable:
        """The step, or on a device that can capture it the same step captured at its first call."""
        capture = None if eager else CAPTURE.get(self.source.device.type)
        captured = []

        def first_captured(given) -> None:
            if not captured:
                captured.append(capture(self, given))
            captured[0]()

        return first_captured if capture else self.step

    def begin(self, t: int) -> None:
        """What comes before step `t`: work between epochs, the learning rate."""
        budget, clock = self.run.budget, self.clock
        clock.epoch = t // clock.per_epoch
        if t % clock.per_epoch == 0:
            self.method.on_epoch(self.net, clock, self.view)
        if budget.schedule != "constant":
            clock.rate.fill_(rate(budget, t))
            for group in self.opt.param_groups:
                lr = group["lr"]
                group["lr"] = lr.fill_(clock.rate) if isinstance(lr, Tensor) else rate(budget, t)

    @cached_property
    def view(self) -> View:
        """What the method may look at between epochs."""
        return self.source.view(self.method, lambda best: self.best if best and self.score >= 0 else self.net)

    def measure(self, mean_loss: float) -> None:
        """One row more: where training stands, and what the source can measure; at the end what was to be analysed."""
        source = self.source
        row = {"step": self.done, "epoch": self.done * source.size / source.pairs, "seconds": self.seconds}
        row |= {"loss": mean_loss} | source.measure(self.method, self.net) | self.earlier
        if self.best is not None and row["noisy_validation"] > self.score:
            self.best.load_state_dict(self.net.state_dict())
            self.score = row["noisy_validation"]
        row = {name: rounded(value) for name, value in row.items()}
        if self.done == self.run.budget.steps and math.isfinite(mean_loss):
            row |= source.analyse(self.method, self.net)
        self.rows.append(row)
        self.before = self.done
        self.total.zero_()

    def start_clock(self) -> None:
        """From now on time is time of training."""
        self.started = time.perf_counter()

    def pause_clock(self) -> float:
        """Stop the time of training; returns the mean loss since the last evaluation, for which it waits."""
        mean = self.source.process.mean(self.total) / (self.done - self.before)
        self.seconds += time.perf_counter() - self.started
        return mean

    def memory(self) -> list[Tensor]:
        """All that a step changes, the optimisers' memory apart."""
        return [*self.net.parameters(), *self.net.buffers(), self.clock.step, self.total]

    def state(self) -> dict:
        """What a second start needs to go on as if nothing had happened."""
        found = {name: getattr(self, name) for name in KEPT} | {"net": self.net.state_dict(), "total": self.total}
        found |= {"best": self.best.state_dict() if self.best else None, "opts": [o.state_dict() for o in self.opts]}
        return found | {"rng": [generator.get_rng_state() for generator in generators(self.source.device)]}

    def restore(self, state: dict) -> None:
        """Go on from what `state` returned."""
        for name in KEPT:
            setattr(self, name, state[name])
        self.net.load_state_dict(state["net"])
        if self.best:
            self.best.load_state_dict(state["best"])
        for opt, saved in zip(self.opts, state["opts"], strict=True):
            opt.load_state_dict(saved)
        self.clock.step.fill_(self.done)
        self.total.copy_(state["total"])
        for generator, saved in zip(generators(self.source.device), state["rng"], strict=True):
            generator.set_rng_state(saved.cpu())


def generators(device: torch.device) -> list:
    """The modules that hold the states of the random numbers that a step draws."""
    return [torch, torch.cuda] if device.type == "cuda" else [torch]


class CaptureFailed(RuntimeError):
    """The device may be left in the middle of a capture: this process can train nothing more on it."""


@torch.no_grad()
def undo(training: Training, saved: list[Tensor], memory: dict) -> None:
    """Put back what warm-up steps have changed; memory of the optimisers that they made is zero, as if new."""
    for t, s in zip(training.memory(), saved, strict=True):
        t.copy_(s)
    for opt in training.opts:
        for state in opt.state.values():
            for t in state.values():
                t.copy_(memory[id(t)]) if id(t) in memory else t.zero_()


def snapshot(training: Training) -> tuple[list[Tensor], dict]:
    """Copies of all that a step changes, and of the optimisers' memory by identity."""
    tensors = [t for opt in training.opts for state in opt.state.values() for t in state.values()]
    return [t.detach().clone() for t in training.memory()], {id(t): t.clone() for t in tensors}


def capture(training: Training, given) -> Callable[[], None]:
    """A step on `given`, whose memory is filled anew for every step, as one CUDA graph. Warm-up steps are undone, so
    that a captured run equals an eager one."""
    saved, memory = snapshot(training)
    generator, stream = torch.cuda.get_rng_state(), side_stream(training.source.device)
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            training.step(given)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph, stream=stream):
            training.step(given)
    except Exception as error:
        raise CaptureFailed(f"the step of {type(training.method).__name__} could not be captured ({error})") from error
    undo(training, saved, memory)
    torch.cuda.set_rng_state(generator)
    return graph.replay


@cache
def side_stream(device: torch.device):
    """One stream for every capture of the process on a device: each stream keeps a workspace of its own."""
    return torch.cuda.Stream(device)


# how a step is captured, by type of device; a test puts a recorder in for the CPU
CAPTURE: dict[str, Callable] = {"cuda": capture}
