"""The training loop: a step at a time in plain sight on the CPU, the same step as one captured graph on CUDA."""

import copy
import hashlib
import math
import platform
import resource
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from .. import data as datasets
from ..data.images import balanced, flip_crop
from ..inputs import lookup, require
from ..measures.analysis import ANALYSES, Trained
from ..measures.evaluate import accuracy, correction, detection, ece, nll, pair_accuracy, transition_error, weighed
from ..methods import Batch, Clock, Task, View
from ..models import build
from ..noise import card, draw, foreign, realised
from ..runs import Record, Run
from ..runs.golden import marks


class Labels(NamedTuple):
    """Pairs: image rows, given labels and true classes (K: none), each (M,). No method sees the true ones."""

    row: Tensor
    label: Tensor
    true: Tensor


class Split(NamedTuple):
    """What a run trains on, is chosen by, and is measured on."""

    train: Labels
    validation: Labels  # with noise on the held-out images themselves, whatever carries it in training
    probe: Labels  # all pairs of up to 2,000 clean images and as many carriers, for memorisation
    trusted: Labels  # those that a method may know, on top of or among those that it trains on
    index: Tensor  # (m,) where among the training pairs the trusted ones are; empty if they are none of them
    foreign: Tensor  # uint8 (n, C, H, W): carriers of labels that follow the data set's own images
    card: dict

    def to(self, device: torch.device) -> "Split":
        parts = (Labels(*(t.to(device) for t in part)) for part in self[:4])
        return Split(*parts, self.index.to(device), self.foreign.to(device), self.card)


def prepare(run: Run, data: datasets.Dataset) -> Split:
    """Draw the split and the labels of a run on the CPU, from its seed alone."""
    y, K, N = data.train.y.numpy().astype(np.int16), data.K, len(data.train.y)
    left = N - run.validation
    require(left >= max(run.examples, 1), f"{N} images are too few for {run.validation} + {run.examples}")
    order = np.random.default_rng([run.seed, 0]).permutation(N).astype(np.int32)
    held, used = order[: run.validation], order[run.validation :][: run.examples or None]
    known = balanced(y[used], run.trusted)
    aside = used[known]
    if run.method.trust != "within":
        used, known = np.delete(used, known), known[:0]
    noise, extra, carried = run.noise.on(data, run.seed), data.train.x[:0], None
    if run.carrier == "novel":
        carried = order[run.validation + len(used) :][: round(noise.copies * len(used))]
    elif run.carrier != "same":
        extra = foreign(run.carrier, data, len(used), run.seed)
        carried, y = np.arange(N, N + len(extra), dtype=np.int32), np.append(y, np.full(len(extra), K, np.int16))

    def labels(rows: np.ndarray, others: np.ndarray | None, stream: int):
        pairs = draw(noise, y[rows], K, [run.seed, stream], None if others is None else y[others])
        row = (rows if others is None else np.append(rows, others))[pairs.row]
        return pairs, Labels(*map(torch.from_numpy, (row, pairs.label, y[row])))

    pairs, train = labels(used, carried, 1)
    index = torch.from_numpy(known)
    trusted = Labels(*(t[index] for t in train))
    if not len(known):
        trusted = Labels(*map(torch.from_numpy, (aside, y[aside], y[aside])))
    near = np.zeros(len(y), bool)
    near[used[:2000]] = True
    near[carried[:2000] if carried is not None else []] = True
    probe = Labels(*(t[torch.from_numpy(near[train.row])] for t in train))
    told = card(noise, pairs, y[used], train.true.numpy(), K, run.seed)
    if carried is not None:
        told |= {"carrier": run.carrier, "carriers": len(carried)}
    if len(extra):
        told["carriers_sha256"] = hashlib.sha256(extra.numpy().tobytes()).hexdigest()
    return Split(train, labels(held, None, 2)[1], probe, trusted, index, extra, told)


def rate(budget, t: int) -> float:
    """The learning rate of step `t`."""
    if budget.schedule == "cosine":
        return budget.lr * 0.5 * (1 + math.cos(math.pi * t / budget.steps))
    if budget.schedule == "steps":
        return budget.lr * 0.1 ** sum(t >= m * budget.steps for m in budget.milestones)
    return budget.lr


def optimiser(budget, parameters: list[Tensor], device: torch.device) -> torch.optim.Optimizer:
    """Fused Adam or SGD; on CUDA the rate is a device scalar, which a captured step can read."""
    cuda = device.type == "cuda"
    lr = torch.tensor(budget.lr, device=device) if cuda else budget.lr
    common = {"lr": lr, "weight_decay": budget.weight_decay, "fused": True}
    if budget.optimiser == "sgd":
        return torch.optim.SGD(parameters, momentum=budget.momentum, **common)
    return torch.optim.Adam(parameters, capturable=cuda, **common)


def capture(step, index: Tensor, opts: list, state: list[Tensor]):
    """`step(index)` as one CUDA graph. Warm-up steps are undone, so that a captured run equals an eager one."""
    saved, generator = [t.detach().clone() for t in state], torch.cuda.get_rng_state()
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step(index)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step(index)
    with torch.no_grad():
        for t, s in zip(state, saved, strict=True):
            t.copy_(s)
        for memory in (m for opt in opts for m in opt.state.values()):
            for t in memory.values():
                t.zero_()
    torch.cuda.set_rng_state(generator)
    return lambda _: graph.replay()


def fit(
    run: Run, images: Tensor, test: tuple[Tensor, Tensor], split: Split, K: int, eager=False, net=None, best=False
) -> Iterator[dict]:
    """Train on the device of `images` uint8 (N, C, H, W); yield what is measured at every evaluation point.

    `net`: train this network instead of a new one. `best`: leave it as it was when best on noisy validation.
    """
    budget, device, method = run.budget, images.device, run.method
    cuda, mixed = device.type == "cuda", budget.precision == "bf16"
    layout = torch.channels_last if budget.channels_last else torch.contiguous_format
    shape, pairs = tuple(images.shape[1:]), split.train
    M = len(pairs.row)
    B = min(budget.batch, M)
    mean, std = moments(images)
    net = build(run.model, shape, K) if net is None else net
    before, seconds, earlier = 0, 0.0, {}
    if stage := method.first:
        first = replace(run, model=stage.model or run.model, method=stage.method, analyses=())
        given = images, test, split, K
        if stage.dataset:
            data, first = datasets.load(stage.dataset), replace(first, dataset=stage.dataset)
            x, *other = resident(stage.dataset, device)
            given = x, tuple(other), prepare(first, data).to(device), data.K
        same = first.model == run.model and not stage.dataset
        teacher = copy.deepcopy(net) if same else build(first.model, tuple(given[0].shape[1:]), given[3])
        for row in fit(first, *given, eager, teacher, stage.best):
            earlier, seconds = {"first_test_accuracy": row["test_accuracy"]}, row["seconds"]
        if row["loss"] is None:  # diverged, so nothing can follow
            yield row | earlier
            return
    images = torch.cat([images, split.foreign]) if len(split.foreign) else images

    def normalised(x: Tensor) -> Tensor:
        return x.float().sub_(mean).div_(std).contiguous(memory_format=layout)

    @torch.no_grad()
    def logits(x: Tensor, net: torch.nn.Module) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
            return torch.cat([method.predict(net, normalised(p)).float() for p in x.split(4096 if cuda else 512)])

    def predicted(net: torch.nn.Module, rows: Tensor) -> Tensor:
        used, place = rows.unique(return_inverse=True)  # predict each image once
        net.eval()
        out = logits(images[used], net)[place]
        net.train()
        return out

    def viewed(by) -> View:
        """What the network `by(best)` makes of the training pairs and of the trusted images."""
        of = split.trusted
        everyone, trusted = (lambda best: predicted(by(best), pairs.row)), (lambda: predicted(by(False), of.row))
        return View(pairs.label.long(), everyone, split.index, of.true.long(), trusted)

    start = time.perf_counter()
    if stage:
        method = method.after(teacher, viewed(lambda best: teacher))
    net = method.build(net, Task(K, M, shape)).to(device, memory_format=layout)
    own = method.optimiser(net)
    theirs = {id(p) for group in own.param_groups for p in group["params"]} if own else set()
    opt = optimiser(budget, [p for p in net.parameters() if id(p) not in theirs], device)
    opts = [opt, own] if own else [opt]
    rates = torch.tensor(budget.lr, device=device)
    clock = Clock(torch.zeros((), dtype=torch.long, device=device), budget.steps, M // B, rate=rates)
    total = torch.zeros((), dtype=torch.double, device=device)  # of losses since the last evaluation
    kept, score = copy.deepcopy(net) if best or method.keeps_best else None, -1.0
    view = viewed(lambda best: kept if best and score >= 0 else net)
    if method.trusted_batch:  # (K, n) rows of trusted images by class, m of each a step
        n = int(split.trusted.true.long().bincount(minlength=K).min())
        table = torch.stack([split.trusted.row[split.trusted.true == k][:n] for k in range(K)])
        m, classes = min(n, method.trusted_batch // K), torch.arange(K, device=device)

    def shown(rows: Tensor) -> Tensor:
        x = images.index_select(0, rows)
        return normalised(flip_crop(x) if budget.augment == "flip_crop" else x)

    def step(index: Tensor) -> None:
        batch = Batch(index, shown(pairs.row[index]), pairs.label[index].long())
        if method.trusted_batch:
            some = torch.rand(table.shape, device=device).topk(m, 1).indices
            rows = table.gather(1, some).flatten()
            batch = batch._replace(trusted_x=shown(rows), trusted_y=classes.repeat_interleave(m))
        for o in opts:
            o.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
            loss = method.loss(net, batch, clock)
        loss.backward()
        for o in opts:
            o.step()
        clock.step.add_(1)
        total.add_(loss.detach())

    def paired(part: Labels) -> dict:
        used, place = part.row.unique(return_inverse=True)
        return pair_accuracy(logits(images[used], net).argmax(1)[place], part.label, part.true)

    def measure() -> dict:
        net.eval()
        out, probe = logits(test[0], net), paired(split.probe)
        row = {"test_accuracy": accuracy(out, test[1]), "test_loss": nll(out, test[1]), "ece": ece(out, test[1])}
        row |= {"train_right": probe["right"], "train_wrong": probe["wrong"]}
        if run.validation:
            held = paired(split.validation)
            row |= {"noisy_validation": held["given"], "clean_validation": held["true"]}
        if (weight := method.weights(net)) is not None:
            row |= detection(weight, pairs.label == pairs.true)
            if (loss := method.losses(net)) is not None:
                row["weighed"] = weighed(weight, loss, pairs.label == pairs.true)
        if (believed := method.labels(net)) is not None:
            row |= correction(believed, pairs.label, pairs.true)
        if (T := method.transition(net)) is not None:
            row |= transition_error(T.detach(), torch.from_numpy(realised(split.card)))
        net.train()
        return row | earlier

    shuffle = torch.Generator().manual_seed(run.seed)
    marks = {math.ceil(budget.steps * (i + 1) / budget.evaluations) for i in range(budget.evaluations)}
    index, advance = torch.zeros(B, dtype=torch.int32, device=device), step
    for t in range(budget.steps):
        k = t % (M // B)
        if k == 0:
            order = torch.randperm(M, generator=shuffle, dtype=torch.int32).to(device)
            clock.epoch = t // (M // B)
            method.on_epoch(net, clock, view)
        if budget.schedule != "constant":
            rates.fill_(rate(budget, t))
            for group in opt.param_groups:
                group["lr"] = group["lr"].fill_(rates) if cuda else rate(budget, t)
        index.copy_(order[k * B : (k + 1) * B])
        if cuda and not eager and advance is step:
            advance = capture(step, index, opts, [*net.parameters(), *net.buffers(), clock.step, total])
        advance(index)
        if t + 1 in marks:
            loss = total.item() / (t + 1 - before)  # waits for the device
            seconds += time.perf_counter() - start
            row = {"step": t + 1, "epoch": (t + 1) * B / M, "seconds": seconds, "loss": loss} | measure()
            if kept is not None and row["noisy_validation"] > score:
                kept.load_state_dict(net.state_dict())
                score = row["noisy_validation"]
            row = {
                k: v if isinstance(v, int | list) else round(v, 6) if math.isfinite(v) else None for k, v in row.items()
            }
            if t + 1 == budget.steps and math.isfinite(loss):
                seen = Trained(
                    net=net.eval(),
                    logits=lambda x: logits(x, net),
                    shown=lambda rows: images[rows],
                    test_shown=lambda rows: test[0][rows],
                    test_logits=lambda: logits(test[0], net),
                    test_y=test[1],
                    train=pairs,
                    validation=split.validation,
                    K=K,
                )
                for name in run.analyses:
                    row |= ANALYSES[name](seen)
                net.train()
            yield row
            if not math.isfinite(loss):
                return
            before, start = t + 1, time.perf_counter()
            total.zero_()
    if best:
        net.load_state_dict(kept.state_dict())


def moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, each (C, 1, 1), in grey levels."""
    counts = torch.stack([torch.bincount(c.flatten(), minlength=256) for c in images.unbind(1)]).double()  # (C, 256)
    share, level = counts / counts.sum(1, keepdim=True), torch.arange(256, device=images.device).double()
    mean = share @ level
    std = (share @ level**2 - mean**2).sqrt().clamp_min(1e-6)
    return mean.float()[:, None, None], std.float()[:, None, None]


def pick_device(name: str = "auto") -> torch.device:
    lookup("device", name, ("auto", "cpu", "cuda"))
    require(name != "cuda" or torch.cuda.is_available(), "device 'cuda' was asked for, but torch sees no GPU here")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU ({platform.machine()}, one thread)"


@lru_cache(maxsize=2)
def resident(name: str, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Training images, test images and test labels on the device, once per process."""
    data = datasets.load(name)
    return data.train.x.to(device), data.test.x.to(device), data.test.y.to(device)


@contextmanager
def reproducible(seed: int, device: torch.device):
    """Seeded generators and one CPU thread (faster for small nets, and bit for bit the same), put back afterwards."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def check(run: Run) -> None:
    """Refuse, before anything starts, a noise or carriers that do not fit the data; fetches what is missing."""
    data = datasets.load(run.dataset)
    run.noise.check(data.K)
    stage = run.method.first
    if stage and stage.dataset:
        check(replace(run, dataset=stage.dataset, method=stage.method, model=stage.model or run.model))
    best = run.method.keeps_best or (stage and stage.best)
    name = type(run.method).__name__
    require(run.validation > 0 or not best, f"{name} needs a noisy validation set: validation=N")
    require(run.trusted > 0 or not run.method.trust, f"{name} needs images whose true class is known: trusted=N")
    fits = not run.method.trusted_batch or run.trusted >= data.K <= run.method.trusted_batch
    require(fits, f"{name} needs at least one trusted image of each of {data.K} classes, also in every step")
    if run.carrier == "novel":
        left, wanted = len(data.train.y) - run.validation - run.examples, round(run.noise.copies * run.examples)
        enough = run.examples and wanted <= left
        require(enough, f"{wanted or 'all'} images must be novel, {left} are left; let examples or alpha be smaller")
    elif run.carrier != "same":
        foreign(run.carrier, data, 1, run.seed)


def trained(run: Run, device: str = "cpu") -> torch.nn.Module:
    """The network that a run trains, for what its record does not tell."""
    place, data = pick_device(device), datasets.load(run.dataset)
    images, *test = resident(run.dataset, place)
    check(run)
    with reproducible(run.seed, place):
        net = build(run.model, tuple(images.shape[1:]), data.K)
        for _ in fit(run, images, tuple(test), prepare(run, data).to(place), data.K, net=net):
            pass
    return net


def train(run: Run, device: str = "auto", progress: bool = False, eager: bool = False) -> Record:
    """Train one run and account for it. Nothing is written."""
    place, data = pick_device(device), datasets.load(run.dataset)
    check(run)
    torch.backends.cudnn.allow_tf32 = False  # fp32 means fp32
    split = prepare(run, data).to(place)
    images, *test = resident(run.dataset, place)
    history, cuda = [], place.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats(place)
    bar = tqdm(total=run.budget.steps, unit="step", leave=False, disable=None if progress else True)
    with reproducible(run.seed, place), bar, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*capturable")  # the eager twin of a step that could be captured
        for row in fit(run, images, tuple(test), split, data.K, eager):
            history.append(row)
            bar.update(row["step"] - bar.n)
    steps, seconds = history[-1]["step"], history[-1]["seconds"]
    kilobytes = torch.cuda.max_memory_allocated() / 1e3 if cuda else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cost = {"seconds": seconds, "steps": steps, "peak_memory_mb": round(kilobytes / 1e3), "device": device_name(place)}
    cost["examples_per_second"] = round(steps * min(run.budget.batch, len(split.train.row)) / max(seconds, 1e-6))
    cost |= {"forward_passes": steps * run.method.passes[0], "backward_passes": steps * run.method.passes[1]}
    environment = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "dataset_sha256": data.sha256,
    }
    return Record(run, split.card, history, cost, environment, marks(run), history[-1]["loss"] is None)
