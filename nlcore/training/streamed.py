"""The loop of `train.fit` for images that do not fit the device: decoded by workers, for one process or several.

Every process has a share of the pairs to itself, so that what a method remembers of a pair is where the pair is seen.
Gradients are averaged in plain sight: methods call parts of `net.body`, which DistributedDataParallel would not notice.
"""

import atexit
import copy
import json
import math
import os
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader
from tqdm import tqdm

from ..data.archive import Archive, Part
from ..data.images import crop
from ..inputs import UserError, require
from ..measures.evaluate import accuracy
from ..methods import Batch, Clock, Task, View
from ..models import build, resnet50
from ..runs import Run
from ..runs.store import write_whole
from .train import device_name, optimiser, pick_device, rate, reproducible

# of ImageNet, in grey levels, each (3, 1, 1)
MEAN, STD = 255 * torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[:, :, None, None]


class Process(NamedTuple):
    """This one of `world`. Its `workers` decode images to `side` x `side`; its state is kept `every` so many steps."""

    device: torch.device
    rank: int = 0
    world: int = 1
    workers: int = 0
    side: int = 256
    every: int = 1000


def decoded(files: np.ndarray, side: int, index: list[int]) -> tuple[Tensor, Tensor]:
    """Places (B,) among the files and their images, uint8 (B, 3, side, side)."""
    from PIL import Image  # only where images are decoded

    x = np.empty((len(index), side, side, 3), np.uint8)
    for i, out in zip(index, x, strict=True):
        try:
            with Image.open(files[i]) as image:
                image.draft("RGB", (side, side))  # a JPEG need not be decoded much larger
                out[:] = image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
        except (OSError, SyntaxError, ValueError) as error:
            raise UserError(f"{files[i].decode()} cannot be decoded ({error})") from None
    return torch.tensor(index), torch.from_numpy(x).permute(0, 3, 1, 2)


def loaded(files: np.ndarray, batches, at: Process) -> Iterator[tuple[Tensor, Tensor]]:
    """Places and images of `batches` of files, on the device."""
    own = torch.Generator()  # or a loader would draw from the generator of the training
    read, cuda = partial(decoded, files, at.side), at.device.type == "cuda"
    options = {"num_workers": at.workers, "collate_fn": read, "pin_memory": cuda, "generator": own}
    for index, x in DataLoader(range(len(files)), batch_sampler=batches, **options):
        yield index.to(at.device, non_blocking=True), x.to(at.device, non_blocking=True)


def batches(M: int, B: int, per_epoch: int, known: list, m: int, begun: int, steps: int, seed: int) -> Iterator[list]:
    """Of each step from `begun`: places of B of M pairs, in a new order each epoch, and behind them those of m trusted
    images of each class, whose places behind the pairs are `known`."""
    shuffle = torch.Generator().manual_seed(seed)
    for t in range(steps):
        if (k := t % per_epoch) == 0:
            order = torch.randperm(M, generator=shuffle, dtype=torch.int32)
        if t >= begun:
            draw = np.random.default_rng([seed, t])
            some = [M + int(i) for of in known for i in draw.choice(of, m, replace=False)] if m else []
            yield order[k * B : (k + 1) * B].tolist() + some


def added(t: Tensor) -> Tensor:
    """The sum over processes, in place."""
    if dist.is_initialized():
        dist.all_reduce(t)
    return t


def averaged(tensors: list[Tensor], world: int) -> None:
    """Their means over processes, in place, all in one message."""
    if world > 1 and tensors:
        flat = added(torch.cat([t.flatten() for t in tensors])).div_(world)
        for t, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            t.copy_(part.view_as(t))


def running(net: nn.Module) -> list[Tensor]:
    """The running averages of batch norm, which every process has of its own images."""
    norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    return [t for m in norms for t in (m.running_mean, m.running_var)]


def fit(
    run: Run, archive: Archive, at: Process, net: nn.Module, keep: Callable, saved: dict | None = None, last=True
) -> Iterator[dict]:
    """Train `net`, a batch of the budget in every process; yield what is measured at every evaluation point.

    `keep` is given the state, every now and then; `saved`: go on from there, after the rows of before. The first stage
    of a method is not the `last`.
    """
    (device, rank, world), budget, K, size = at[:3], run.budget, len(archive.classes), at.side * 7 // 8
    cuda, mixed, shape = device.type == "cuda", budget.precision == "bf16", (3, size, size)
    layout = torch.channels_last if budget.channels_last else torch.contiguous_format
    pairs, trusted, all_pairs = Part(*(t[rank::world] for t in archive.train)), archive.trusted, len(archive.train.file)
    label, mean, std, B = pairs.label.to(device), MEAN.to(device), STD.to(device), min(budget.batch, all_pairs // world)
    M, per_epoch = len(pairs.file), all_pairs // world // B

    def shown(x: Tensor, shake=False) -> Tensor:
        return crop(x, size, shake).float().sub_(mean).div_(std).contiguous(memory_format=layout)

    @torch.no_grad()
    def predicted(by: nn.Module, files: np.ndarray, r=0, w=1) -> Tensor:
        """Logits (n, K) of files r, r + w, …, and 0 for the others."""
        out = torch.zeros(len(files), K, device=device)
        by.eval()
        for index, x in loaded(files, BatchSampler(range(r, len(files), w), 256, False), at):
            with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
                out[index] = method.predict(by, shown(x)).float()
        by.train()
        return out

    def together(by: nn.Module, part: Part) -> Tensor:
        return added(predicted(by, part.file, rank, world))  # every process does its share

    def viewed(by: nn.Module) -> View:
        nothing, true = torch.empty(0, dtype=torch.long, device=device), trusted.label.to(device)
        return View(label, lambda best: predicted(by, pairs.file), nothing, true, lambda: together(by, trusted))

    method, stage, begun, before, seconds, earlier, rows = run.method, run.method.first, 0, 0, 0.0, {}, []
    if saved and saved["last"] == last:
        method = saved["method"]
    elif stage:
        first = replace(run, model=stage.model or run.model, method=stage.method)
        teacher = copy.deepcopy(net) if first.model == run.model else build(first.model, shape, K)
        for row in fit(first, archive, at, teacher, keep, saved, last=False):
            earlier, seconds = {"first_test_accuracy": row["test_accuracy"]}, row["seconds"]
        if row["loss"] is None:  # diverged, so nothing can follow
            yield row | earlier
            return
        method, saved = method.after(teacher, viewed(teacher)), None
    net = method.build(net, Task(K, M, shape)).to(device, memory_format=layout)
    for t in [*net.parameters(), *running(net)] if world > 1 else []:
        dist.broadcast(t.detach(), 0)
    own = method.optimiser(net)
    theirs = {id(p) for group in own.param_groups for p in group["params"]} if own else set()
    opt = optimiser(budget, [p for p in net.parameters() if id(p) not in theirs], device)
    opts = [opt, own] if own else [opt]
    rates = torch.tensor(budget.lr, device=device)
    clock = Clock(torch.zeros((), dtype=torch.long, device=device), budget.steps, per_epoch, rate=rates)
    total = torch.zeros((), dtype=torch.double, device=device)  # of losses since the last evaluation
    known = [np.flatnonzero(trusted.label == k) for k in range(K)]
    m, classes = min(*map(len, known), method.trusted_batch // K), torch.arange(K, device=device)
    if saved:
        begun, before, seconds, earlier, rows = (saved[k] for k in ("step", "before", "seconds", "earlier", "rows"))
        net.load_state_dict(saved["net"])
        for o, state in zip(opts, saved["opts"], strict=True):
            o.load_state_dict(state)
        clock.step.fill_(begun), total.copy_(saved["total"])
        for put, state in zip((torch.set_rng_state, torch.cuda.set_rng_state), saved["rng"], strict=False):
            put(state.cpu())
        yield from rows
    if rows and rows[-1]["loss"] is None:
        return

    view, start = viewed(net), time.perf_counter()
    marks = {math.ceil(budget.steps * (i + 1) / budget.evaluations) for i in range(budget.evaluations)}
    order = batches(M, B, per_epoch, known, m, begun, budget.steps, run.seed * world + rank)
    images = loaded(np.concatenate([pairs.file, trusted.file]), order, at)
    show = {"initial": begun, "total": budget.steps, "unit": "step", "leave": False, "disable": rank > 0 or None}
    for t, (index, x) in enumerate(tqdm(images, **show), begun):
        clock.epoch = t // per_epoch
        if t % per_epoch == 0:
            method.on_epoch(net, clock, view)
        rates.fill_(rate(budget, t))
        for group in opt.param_groups:
            group["lr"] = rate(budget, t)
        i, x = index[:B], shown(x, budget.augment == "flip_crop")
        batch = Batch(i, x[:B], label[i], *((x[B:], classes.repeat_interleave(m)) if m else ()))
        for o in opts:
            o.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
            loss = method.loss(net, batch, clock)
        loss.backward()
        averaged([p.grad for p in net.parameters() if p.grad is not None], world)
        for o in opts:
            o.step()
        clock.step.add_(1)
        total.add_(loss.detach())
        if t + 1 not in marks and (t + 1) % at.every:
            continue
        found = added(total.clone()).item() / world  # waits for the device
        seconds += time.perf_counter() - start
        if t + 1 in marks:
            averaged(running(net), world)
            row = {"step": t + 1, "epoch": (t + 1) * B * world / all_pairs, "seconds": seconds}
            row["loss"] = found / (t + 1 - before)
            for name, part in (("clean_validation", archive.validation), ("test_accuracy", archive.test)):
                row[name] = accuracy(together(net, part).cpu(), part.label)
            rows.append({k: round(v, 6) if math.isfinite(v) else None for k, v in (row | earlier).items()})
            before = t + 1
            total.zero_()
        state = {"last": last, "step": t + 1, "before": before, "seconds": seconds, "earlier": earlier, "rows": rows}
        state |= {"method": method, "net": net.state_dict(), "opts": [o.state_dict() for o in opts], "total": total}
        keep(state | {"rng": [torch.get_rng_state(), *([torch.cuda.get_rng_state()] if cuda else [])]})
        if t + 1 == before:
            yield rows[-1]
            if rows[-1]["loss"] is None:
                return
        start = time.perf_counter()


def check(run: Run, archive: Archive, at: Process, pretrained: bool) -> None:
    """Refuse, before anything starts, what an archive cannot give."""
    method, stage, K, name = run.method, run.method.first, len(archive.classes), type(run.method).__name__
    beyond = method.keeps_best or method.trust == "within" or stage and (stage.best or stage.dataset)
    require(not beyond, f"{name} needs what an archive has not: noisy labels of held-out or trusted images, other data")
    fits = len(archive.trusted.label.unique()) == K <= method.trusted_batch
    require(fits or not method.trusted_batch, f"{name} needs trusted images of each of {K} classes, also in every step")
    M = len(archive.train.file)
    require(M >= at.world, f"{at.world} processes are too many for {M} images")
    require(at.workers >= 0 and at.side >= 8 and at.every > 0, "workers must be 0 or more, side 8, the interval 1")
    require(run.model == "resnet50" or not pretrained, f"only resnet50 has weights of ImageNet, not {run.model}")


def joined(device: str, *options) -> Process:
    """This process, among those that torchrun has started."""
    place, rank, world = pick_device(device), int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if place.type == "cuda":
        place = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(place)
    if world > 1:
        store = next(dist.rendezvous("env://"))[0]  # when torchrun starts again it has addresses of the dead as well
        store = dist.PrefixStore(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"), store)
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo", store=store, rank=rank, world_size=world)
        atexit.register(dist.destroy_process_group)
    return Process(place, rank, world, *options)


def stream(run: Run, archive: Archive, out: Path, at: Process, pretrained=False) -> str:
    """Train on an archive, or go on with it; write `history.jsonl` and `result.json` to `out`. Returns what to tell."""
    check(run, archive, at, pretrained)
    out.mkdir(parents=True, exist_ok=True)
    settings = run.spec() | {"side": at.side, "pretrained": pretrained, "processes": at.world}
    del settings["noise"]  # it is in the lists
    place, result, text, history = out / "settings.json", out / "result.json", json.dumps(settings, indent=1), []
    require(not place.exists() or place.read_text() == text, f"{place} is of another run; choose another --out")
    if result.exists():
        return f"{result} is there already; remove {out} to make it again"
    write_whole(place, text)
    torch.backends.cudnn.allow_tf32 = False  # fp32 means fp32
    with reproducible(run.seed * at.world + at.rank, at.device):
        net = build(run.model, (3, at.side * 7 // 8, at.side * 7 // 8), len(archive.classes))
        if pretrained and at.rank == 0:  # the others are given them
            net.body[:-1].load_state_dict(resnet50((3,), 1000, "IMAGENET1K_V1")[:-1].state_dict())
        for row in fit(run, archive, at, net, partial(keep, out, at), kept(out, at)):
            history.append(row)
            if at.rank == 0:
                write_whole(out / "history.jsonl", "".join(json.dumps(row) + "\n" for row in history))
    rows = {"best by clean validation": max(history, key=lambda row: row["clean_validation"]), "last": history[-1]}
    if at.rank == 0:
        write_whole(
            result, json.dumps(rows | {"cost": cost(run, at, history[-1]), "settings": settings}, indent=1) + "\n"
        )
    told = [f"{name}: epoch {row['epoch']:.2f}, test {row['test_accuracy']:.2%}" for name, row in rows.items()]
    return "; ".join([*told, f"in {result}"])


def keep(out: Path, at: Process, state: dict) -> None:
    """One file more of this process; those before go once every process has its own."""
    path = out / f"{state['last']:d}-{state['step']:09d}.{at.rank}.pt"
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)
    if at.world > 1:
        dist.barrier()
    for old in {*out.glob(f"*.{at.rank}.pt")} - {path}:
        old.unlink()


def kept(out: Path, at: Process) -> dict | None:
    """The newest state that every process has."""
    files = [[path.with_suffix("").with_suffix(f".{r}.pt") for r in range(at.world)] for path in out.glob("*.0.pt")]
    whole = [paths[at.rank] for paths in files if all(path.exists() for path in paths)]
    return torch.load(max(whole), map_location=at.device, weights_only=False) if whole else None  # a file of ours


def cost(run: Run, at: Process, row: dict) -> dict:
    """What training took until `row`; memory and passes are those of one process."""
    cuda, seconds, steps = at.device.type == "cuda", row["seconds"], row["step"]
    kilobytes = torch.cuda.max_memory_allocated() / 1e3 if cuda else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = {"seconds": seconds, "peak_memory_mb": round(kilobytes / 1e3), "processes": at.world}
    images = (1 + bool(run.method.first)) * steps * run.budget.batch * at.world
    found |= {"images_per_second": round(images / max(seconds, 1e-6)), "device": device_name(at.device)}
    return found | dict(zip(("forward_passes", "backward_passes"), (steps * n for n in run.method.passes), strict=True))
