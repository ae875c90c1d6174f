"""The training loop, in plain sight: a step at a time, whatever the batches come from."""

import copy
import math
import time
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from torch import nn
from tqdm import tqdm

from ..models import build
from ..runs import Budget, Run
from .checkpoint import Checkpoints
from .sources import Source
from .step import Training


class How(NamedTuple):
    """How to go about it. Nothing of this changes what is measured."""

    keep: Checkpoints | None = None  # where the state goes now and then
    state: dict | None = None  # from which to go on
    eager: bool = False  # no captured steps
    progress: bool = False  # show a bar


PLAINLY = How()


class Before(NamedTuple):
    """What the first stage of a method has left; nothing where there is none. Going on from a state, all but `found` is
    in the state."""

    found: dict = {}  # as `Method.after` returned it
    told: dict = {}  # what each row says of it
    seconds: float = 0.0
    diverged: dict | None = None  # its last row, if it has


def fit(run: Run, source: Source, net: nn.Module, how: How = PLAINLY, best=False, depth=0) -> Iterator[dict]:
    """Train `net` through the stages of the run's method; yield what is measured at every evaluation point, a state's
    own rows first. `best` leaves the network as it was when best on noisy validation. `depth` stages follow."""
    goes_on = how.state is not None and how.state["depth"] == depth
    method, before = run.method, Before()
    if method.first:
        first = source.first(method.first)
        teacher = first_network(run, first, net)
        if goes_on:
            before = Before(how.state["found"])
            method.first.method.build(teacher, first.task).to(source.device, memory_format=source.layout)
        else:
            before = first_stage(run, source, first, teacher, how, depth)
            if before.diverged is not None:  # so nothing can follow
                yield before.diverged | {"stages_left": depth + 1}
                return
            if method.first.hands_on:
                net.load_state_dict(teacher.state_dict())
        method = method.second(before.found, teacher)
    training = Training(run, method, net, source, best)
    training.found, training.earlier, training.seconds = before.found, before.told, before.seconds
    if goes_on:
        training.restore(how.state)
        yield from training.rows
    how = how._replace(state=None)  # it may be large
    if not (training.rows and training.rows[-1]["loss"] is None):
        yield from steps(training, how, depth)
    if best:
        net.load_state_dict(training.best.state_dict())


def first_network(run: Run, first: Source, net: nn.Module) -> nn.Module:
    """The network of what comes before, not yet trained; a copy of `net` where both are of the same kind."""
    if first.run.model == run.model and not run.method.first.dataset:
        return copy.deepcopy(net)
    return build(first.run.model, first.task.shape, first.task.K)


def first_stage(run: Run, source: Source, first: Source, teacher: nn.Module, how: How, depth: int) -> Before:
    """Train what comes before, and find in it what the next stage needs."""
    method = run.method
    (row,) = deque(fit(first.run, first, teacher, how, method.first.best, depth + 1), maxlen=1)
    told = {"first_test_accuracy": row["test_accuracy"]}
    if row["loss"] is None:
        return Before({}, told, row["seconds"], diverged=row | told)
    start = time.perf_counter()
    found = method.after(teacher, source.view(method, lambda best: teacher))
    return Before(found, told, row["seconds"] + time.perf_counter() - start)


def evaluation_points(budget: Budget) -> set[int]:
    """After how many steps the network is measured."""
    return {math.ceil(budget.steps * (i + 1) / budget.evaluations) for i in range(budget.evaluations)}


def steps(training: Training, how: How, depth: int) -> Iterator[dict]:
    """The steps that are left; yields what is measured at every evaluation point, and ends where the loss diverges."""
    budget, keep = training.run.budget, how.keep
    points, advance = evaluation_points(budget), training.advance(how.eager)
    hidden = None if how.progress else True  # None: hidden where there is no terminal
    bar = {"initial": training.done, "total": budget.steps, "unit": "step", "leave": False, "disable": hidden}
    training.start_clock()
    for t, given in enumerate(tqdm(training.source.batches(training.done), **bar), training.done):
        training.begin(t)
        advance(given)
        training.done = t + 1
        evaluate = t + 1 in points
        if not evaluate and not (keep and keep.due(t + 1)):
            continue
        mean_loss = training.pause_clock()
        if evaluate:
            training.measure(mean_loss)
        if keep and keep.due(t + 1, evaluate):
            keep.save(training.state() | {"depth": depth})
        if evaluate:
            yield training.rows[-1]
            if training.rows[-1]["loss"] is None:
                return
        training.start_clock()
