"""Batches of images that do not fit the device: decoded by workers, for one process or several.

Every process has a share of the pairs to itself, so that what a method remembers of a pair is where the pair is seen.
"""

import copy
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader

from ..data.archive import Archive, Part
from ..data.images import crop
from ..data.pictures import shown
from ..inputs import UserError, require
from ..measures.analysis import Trained
from ..measures.evaluate import accuracy
from ..methods import Batch, Method, Task, View
from ..runs import Run
from .processes import Process, added, running_averages
from .sources import Source, evaluating
from .split import check_method

# of ImageNet, in grey levels, each (3, 1, 1)
MEAN, STD = 255 * torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[:, :, None, None]


class Reading(NamedTuple):
    """How images are read: by `workers` of each process, resized to `side` x `side`."""

    side: int = 256
    workers: int = 0

    @property
    def size(self) -> int:
        """Pixels that the network sees, cut out of the side."""
        return self.side * 7 // 8


def decoded(files: np.ndarray, side: int, index: list[int]) -> tuple[Tensor, Tensor]:
    """Places (B,) among the files and their images, uint8 (B, 3, side, side)."""
    from PIL import Image  # only where images are decoded

    x = np.empty((len(index), side, side, 3), np.uint8)
    for i, out in zip(index, x, strict=True):
        out[:] = shown(files[i], side).resize((side, side), Image.Resampling.BILINEAR)
    return torch.tensor(index), torch.from_numpy(x).permute(0, 3, 1, 2)


def attempted(files: np.ndarray, side: int, index: list[int]) -> tuple[Tensor, Tensor] | UserError:
    """The same; of what cannot be read the error, as a worker that raises it would wrap it in a traceback."""
    try:
        return decoded(files, side, index)
    except UserError as error:
        return error


def without_a_word(worker: int) -> None:
    """Let a worker end in silence where its parent was killed while it was handing images over: the thread that does so
    would print a traceback."""
    usual = sys.excepthook

    def hook(kind, error, trace):
        if isinstance(error, ConnectionError | EOFError):
            os._exit(1)
        usual(kind, error, trace)

    sys.excepthook = hook


def loaded(files: np.ndarray, batches, reading: Reading, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Places and images of `batches` of files, on the device."""
    own = torch.Generator()  # or a loader would draw from the generator of the training
    read, cuda = partial(attempted, files, reading.side), device.type == "cuda"
    options = {"num_workers": reading.workers, "collate_fn": read, "pin_memory": cuda, "generator": own}
    options |= {"worker_init_fn": without_a_word}
    for found in DataLoader(range(len(files)), batch_sampler=batches, **options):
        if isinstance(found, UserError):
            raise found
        yield tuple(part.to(device, non_blocking=True) for part in found)


def batches(M: int, B: int, per_epoch: int, known: list, m: int, begun: int, steps: int, seed: int) -> Iterator[list]:
    """Of each step from `begun`: places of B of M pairs, in a new order each epoch, and behind them those of m trusted
    images of each class, whose places behind the pairs are `known`; a class that has fewer repeats them."""
    shuffle = torch.Generator().manual_seed(seed)
    for t in range(steps):
        if (k := t % per_epoch) == 0:
            order = torch.randperm(M, generator=shuffle, dtype=torch.int32)
        if t < begun:
            continue
        draw, some = np.random.default_rng([seed, t]), []
        for of in known if m else []:
            some += (M + draw.choice(of, m, replace=len(of) < m)).tolist()
        yield order[k * B : (k + 1) * B].tolist() + some


class Chosen(NamedTuple):
    """What a run uses of an archive's noisy images: those that it trains on, and those held out."""

    train: Part
    held: Part
    index: Tensor  # where among the training pairs the trusted ones are; empty if they are none of them


def chosen(run: Run, archive: Archive) -> Chosen:
    """As many noisy images, and held out ones, as the run says; with trusted ones among them if the method wants it."""
    noisy, none = archive.train, torch.empty(0, dtype=torch.long)
    order = np.arange(len(noisy.file))
    if run.validation or run.examples:
        order = np.random.default_rng([run.seed, 0]).permutation(order)
    held, used = order[: run.validation], order[run.validation :][: run.examples or None]
    train, held = (Part(noisy.file[i], noisy.label[torch.from_numpy(i)]) for i in (used, held))
    if run.method.trust != "within":
        return Chosen(train, held, none)
    file = np.concatenate([train.file, archive.trusted.file])
    label = torch.cat([train.label, archive.trusted_noisy])
    return Chosen(Part(file, label), held, torch.arange(len(train.file), len(file)))


class Streamed(Source):
    """The images of an archive, a share of them for each process; the truth about the noisy ones is not known."""

    at_once = 256

    def __init__(self, run: Run, archive: Archive, process: Process, reading: Reading):
        self.run, self.archive, self.process, self.reading = run, archive, process, reading
        pairs, self.held, index = chosen(run, archive)
        rank, world, K = process.rank, process.world, len(archive.classes)
        self.files, label = pairs.file[rank::world], pairs.label[rank::world]
        self.label, self.index = label.to(process.device), index.to(process.device)
        self.mean, self.std = MEAN.to(process.device), STD.to(process.device)
        self.task = Task(K, len(self.files), (3, reading.size, reading.size))
        self.own = min(run.budget.batch, len(pairs.file) // world)  # pairs a step of this process
        self.size, self.pairs = self.own * world, len(pairs.file)
        self.per_epoch = self.pairs // world // self.own
        self.known = [np.flatnonzero(archive.trusted.label == k) for k in range(K)]

    def whitening(self):
        files = self.archive.train.file
        return self.read(files, torch.arange(min(self.at_once, len(files))))

    def first(self, stage):
        other = copy.copy(self)
        other.run = replace(self.run, model=stage.model or self.run.model, method=stage.method, analyses=())
        return other

    @property
    def trusted_each(self) -> int:
        """Trusted images of each class a step."""
        return min(max(map(len, self.known)), self.run.method.trusted_batch // self.task.K)

    def batches(self, begun):
        seed, steps = self.run.seed * self.process.world + self.process.rank, self.run.budget.steps
        order = batches(self.task.M, self.own, self.per_epoch, self.known, self.trusted_each, begun, steps, seed)
        files = np.concatenate([self.files, self.archive.trusted.file])
        return loaded(files, order, self.reading, self.device)

    def batch(self, given):
        index, x = given
        decoded, shake = x, self.run.budget.augment != "none"
        x = self.shown(decoded, shake)
        batch = Batch(index[: self.own], x[: self.own], self.label[index[: self.own]])
        if self.run.method.views == 2:
            batch = batch._replace(x2=self.shown(decoded[: self.own], shake) if shake else batch.x)
        if not (m := self.trusted_each):
            return batch
        classes = torch.arange(self.task.K, device=self.device).repeat_interleave(m)
        return batch._replace(trusted_x=x[self.own :], trusted_y=classes)

    def shown(self, x: Tensor, shake: bool = False) -> Tensor:
        """Decoded images cut out and normalised."""
        return self.normalised(crop(x, self.reading.size, shake))

    def cut(self, x: Tensor) -> Tensor:
        """The middle of decoded images, uint8, as they are evaluated."""
        return crop(x, self.reading.size, False)

    def read(self, files: np.ndarray, rows: Tensor) -> Tensor:
        """Some of these files, decoded and cut."""
        return self.cut(decoded(files, self.reading.side, rows.tolist())[1].to(self.device))

    @torch.no_grad()
    def predicted(self, method: Method, net: nn.Module, files: np.ndarray, rank=0, world=1) -> Tensor:
        """Logits (n, K) of files rank, rank + world, …, and 0 for the others."""
        out = torch.zeros(len(files), self.task.K, device=self.device)
        share = BatchSampler(range(rank, len(files), world), self.at_once, False)
        with evaluating(net):
            for index, x in loaded(files, share, self.reading, self.device):
                out[index] = self.logits(method, net, self.cut(x))
        return out

    def together(self, method: Method, net: nn.Module, files: np.ndarray) -> Tensor:
        """Logits (n, K) of files, of which every process predicts its share."""
        return added(self.predicted(method, net, files, self.process.rank, self.process.world))

    def view(self, method, by):
        trusted = self.archive.trusted
        everyone, known = (
            (lambda best: self.predicted(method, by(best), self.files)),
            (lambda: self.together(method, by(False), trusted.file)),
        )
        of = partial(self.predicted, Method(), files=self.files)
        return View(self.label, everyone, self.index, trusted.label.to(self.device), known, of)

    def measure(self, method, net):
        self.process.average(running_averages(net))
        parts = {"clean_validation": self.archive.validation, "test_accuracy": self.archive.test}
        if len(self.held.file):
            parts["noisy_validation"] = self.held
        return {name: accuracy(self.together(method, net, p.file).cpu(), p.label) for name, p in parts.items()}

    def seen(self, method, net):
        """Enough for calibration: every process sees all images that were held out."""
        held, test, none = self.held, self.archive.test, torch.empty(0, dtype=torch.long)
        rows = torch.arange(len(held.file))
        return Trained(
            net=net,
            logits=partial(self.logits, method, net),
            shown=partial(self.read, held.file),
            test_shown=partial(self.read, test.file),
            test_logits=lambda: self.together(method, net, test.file),
            test_y=test.label.to(self.device),
            train=(none, none, none),
            validation=(rows, held.label.to(self.device), none),
            K=self.task.K,
        )


def check(run: Run, archive: Archive, process: Process, reading: Reading) -> None:
    """Refuse, before anything starts, what an archive cannot give."""
    method, stage, K, name = run.method, run.method.first, len(archive.classes), type(run.method).__name__
    require(reading.workers >= 0 and reading.side >= 8, "workers must be 0 or more, side 8 or more")
    require(not (stage and stage.dataset), f"{name} begins on other data, which an archive has not")
    check_method(run, (3, reading.size, reading.size), K)
    alone = method.trust != "within" and not method.sees_all_pairs
    require(alone or process.world == 1, f"{name} must see all pairs at once, so it trains in one process alone")
    unknown = int((archive.trusted_noisy < 0).sum()) if method.trust == "within" else 0
    require(not unknown, f"{name} needs noisy labels of the trusted images, too; {unknown} have none in the list")
    blind = {*run.analyses} - {"calibration"}
    require(not blind, f"{', '.join(blind)}: the true classes of an archive's training images are not known")
    fits = len(archive.trusted.label.unique()) == K <= method.trusted_batch
    require(fits or not method.trusted_batch, f"{name} needs trusted images of each of {K} classes, also in every step")
    N, least = len(archive.train.file), max(run.examples, process.world)
    fits = run.validation + least <= N and (not run.examples or run.examples >= process.world)
    told = f"{N} noisy images do not suffice for {run.validation} held out and {run.examples or least} to train on"
    require(fits, f"{told} in {process.world} processes")
