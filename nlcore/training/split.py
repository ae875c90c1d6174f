"""What a run trains on, is chosen by, and is measured on: drawn on the CPU, from its seed alone."""

import hashlib
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .. import data as datasets
from .. import models
from ..data import Dataset, balanced
from ..inputs import require, tell
from ..noise import Noise, card, draw, foreign, taken
from ..runs import Run

PROBED = 2000  # clean images, and carriers, on whose pairs memorisation is measured


class Labels(NamedTuple):
    """Pairs: image rows, given labels and true classes (K: none), each (M,). No method sees the true ones."""

    row: Tensor
    label: Tensor
    true: Tensor


class Split(NamedTuple):
    """What a run trains on, is chosen by, and is measured on."""

    train: Labels
    validation: Labels  # with noise on the held-out images themselves, whatever carries added labels in training
    probe: Labels  # all pairs of up to 2,000 clean images and as many carriers, for memorisation
    trusted: Labels  # those that a method may know, on top of or among those that it trains on
    index: Tensor  # (m,) where among the training pairs the trusted ones are; empty if they are none of them
    foreign: Tensor  # uint8 (n, C, H, W): images of another set, which follow the data set's own
    card: dict

    def to(self, device: torch.device) -> "Split":
        parts = (Labels(*(t.to(device) for t in part)) for part in self[:4])
        return Split(*parts, self.index.to(device), self.foreign.to(device), self.card)


class Parts(NamedTuple):
    """Rows of the data set's images: held out, trained on, known to the method, and left over."""

    held: np.ndarray
    used: np.ndarray
    trusted: np.ndarray
    known: np.ndarray  # places of the trusted ones among those used; empty if they are kept beside them
    rest: np.ndarray


def parts(run: Run, y: np.ndarray, K: int) -> Parts:
    """Divide the images, whose classes are `y`, at random."""
    N = len(y)
    left = N - run.validation
    require(left >= max(run.examples, 1), f"{N} images are too few for {run.validation} + {run.examples}")
    order = np.random.default_rng([run.seed, 0]).permutation(N).astype(np.int32)
    held, open_ = order[: run.validation], order[run.validation :]
    used, rest = np.split(open_, [run.examples or len(open_)])
    known = balanced(y[used], run.trusted)
    trusted = used[known]
    name, beside = type(run.method).__name__, run.method.trust != "within"
    most = len(used) - beside
    require(run.trusted <= most, f"{run.trusted} trusted images of {len(used)} are too many; at most {most} can be")
    absent = sorted({*range(K)} - {*y[trusted].tolist()}) if run.method.trusted_batch else []
    require(not absent, f"{name} needs a trusted image of every class; of class {absent[:1]} there is none")
    if beside:
        used, known = np.delete(used, known), known[:0]
    return Parts(held, used, trusted, known, rest)


class Carriers(NamedTuple):
    """Rows of images that carry added labels, or that replace others: for the images that are trained on, and for those
    that are held out. None: the images themselves. Those of another set follow the data set's own."""

    used: np.ndarray | None
    held: np.ndarray | None
    foreign: Tensor  # uint8 (n, C, H, W)


def carriers(run: Run, noise: Noise, data: Dataset, own: Parts) -> Carriers:
    """The images that carry labels, as the run's `carrier` says."""
    N, none = len(data.train.y), data.train.x[:0]
    if run.carrier == "same":
        return Carriers(None, None, none)
    if run.carrier == "novel":
        return Carriers(own.rest[: round(noise.copies * len(own.used))], None, none)
    wanted = len(own.used) + (len(own.held) if noise.replaced else 0)
    images = foreign(run.carrier, data, wanted, run.seed)
    rows = np.arange(N, N + len(images), dtype=np.int32)
    if not noise.replaced:
        return Carriers(rows, None, images)
    used, held = np.split(rows, [max(1, len(images) * len(own.used) // wanted)])  # no image is in both
    return Carriers(used, held, images)


def split(run: Run, data: Dataset) -> Split:
    """Draw the split and the labels of a run, on its data set; a `UserError` if that is another one, or too small."""
    asked, there = datasets.parted(run.dataset)[0], datasets.parted(data.name)[0]
    two = asked != there and {asked, there} <= {*datasets.KNOWN}
    require(not two, f"the run is on {asked}, and the data are {there}")
    check_carriers(run, data)
    y, K = data.train.y.numpy().astype(np.int16), data.K
    own = parts(run, y, K)
    used, aside = own.used, own.trusted
    noise = run.noise.on(data, run.seed)
    given = noise.given(data)
    carry = carriers(run, noise, data, own)
    y = np.append(y, np.full(len(carry.foreign), K, np.int16))

    def labels(rows: np.ndarray, others: np.ndarray | None, stream: int):
        """The pairs drawn for images `rows`; added labels go to images `others` if there are any, or these replace
        some."""
        classes = None if others is None else y[others]
        pairs = draw(noise, y[rows], K, [run.seed, stream], classes, rows) if given is None else taken(given[rows], K)
        row = (rows if others is None else np.append(rows, others))[pairs.row]
        return pairs, Labels(*map(torch.from_numpy, (row, pairs.label, y[row])))

    pairs, train = labels(used, carry.used, 1)
    index = torch.from_numpy(own.known)
    trusted = Labels(*(t[index] for t in train))
    if not len(own.known):
        trusted = Labels(*map(torch.from_numpy, (aside, y[aside], y[aside])))
    told = card(noise, pairs, y[used], train.true.numpy(), K, run.seed) | of_carriers(run, carry)
    if run.trusted:
        told["trusted"] = np.bincount(y[aside], minlength=K).tolist()  # of each class
    _, validation = labels(own.held, carry.held, 2)
    return Split(train, validation, probed(train, used, carry.used, len(y)), trusted, index, carry.foreign, told)


def of_carriers(run: Run, carry: Carriers) -> dict:
    """What a card says of images that carry added labels, or that replace others."""
    told = {} if carry.used is None else {"carrier": run.carrier, "carriers": len(carry.used)}
    if len(carry.foreign):
        told["carriers_sha256"] = hashlib.sha256(carry.foreign.numpy().tobytes()).hexdigest()
    return told


def probed(train: Labels, used: np.ndarray, carried: np.ndarray | None, images: int) -> Labels:
    """The pairs of the first images used, and of the first that carry labels."""
    near = np.zeros(images, bool)
    near[used[:PROBED]] = True
    if carried is not None:
        near[carried[:PROBED]] = True
    return Labels(*(t[torch.from_numpy(near[train.row.numpy()])] for t in train))


def check_method(run: Run, shape: tuple[int, ...], K: int) -> None:
    """Refuse networks, also of a first stage, that do not fit images of this shape and K classes, and what chooses by
    noisy labels of images that are held out where none are."""
    stage, name = run.method.first, type(run.method).__name__
    for model in {run.model, stage and stage.model or run.model}:
        models.check(model, shape, K, run.budget.batch)
    best = run.method.keeps_best or (stage and stage.best)
    needs = "needs noisy labels of images that are held out, for noisy validation; set validation to how many"
    require(run.validation > 0 or not best, f"{name} {needs}")
    require(run.validation > 0 or "calibration" not in run.analyses, f"calibration {needs}")
    require(K > 2 or "projection" not in run.analyses, f"the projection is of three classes, and there are {K}")


def check_carriers(run: Run, data: Dataset) -> None:
    """Refuse images that carry labels if there are too few of them, or they are shaped otherwise."""
    if run.carrier == "novel":
        left, wanted = len(data.train.y) - run.validation - run.examples, round(run.noise.copies * run.examples)
        enough = run.examples and wanted <= left
        require(enough, f"{wanted or 'all'} images must be novel, {left} are left; let examples or alpha be smaller")
    elif run.carrier != "same":
        foreign(run.carrier, data, 1, run.seed)


def check(run: Run) -> None:
    """Refuse, before anything starts, a noise, carriers or a method that do not fit the data; fetches what is
    missing."""
    data, method, name = datasets.shared(run.dataset), run.method, type(run.method).__name__
    require(data.K > 1, f"{run.dataset} has a single class; there is nothing to tell apart")
    led = "a mentor that has learned elsewhere is not part of what a run is known by; use it in a loop of your own"
    require(not getattr(method, "given", None), led)
    run.noise.check(data.K)
    run.noise.given(data)
    stage = method.first
    check_method(run, tuple(data.train.x.shape[1:]), data.K)
    if stage and stage.dataset:
        check(replace(run, dataset=stage.dataset, method=stage.method, model=stage.model or run.model))
    require(run.trusted > 0 or not method.trust, f"{name} needs images whose true class is known: trusted=N")
    fits = not method.trusted_batch or run.trusted >= data.K <= method.trusted_batch
    told = f"also in every step (trusted={run.trusted}, trusted_batch={method.trusted_batch})"
    require(fits, f"{name} needs at least one trusted image of each of {data.K} classes, {told}")
    if run.trusted:
        parts(run, data.train.y.numpy(), data.K)
    check_carriers(run, data)
    _tell_of_batch(run.budget.batch, pairs_of(run, data), run.dataset)


def pairs_of(run: Run, data: Dataset) -> int:
    """How many pairs a run trains on."""
    beside = 0 if run.method.trust == "within" else run.trusted
    used = (run.examples or len(data.train.y) - run.validation) - beside
    return used + round((run.noise.copies or 0) * used)


@cache
def _tell_of_batch(batch: int, pairs: int, name: str) -> None:
    """Say, once a process, that a batch has all pairs, if they are less than the batch."""
    if pairs < batch:
        tell(f"a batch of {batch} has all of the {pairs} training pairs of {name}, so it is one of {pairs}")
