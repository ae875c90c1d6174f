"""Where batches come from: `Source` says what the loop asks for, `Resident` keeps all images on the device."""

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial

import torch
from torch import Tensor, nn

from .. import data as datasets
from ..data.images import flip_crop, flip_shift, moments
from ..measures.analysis import ANALYSES, Trained
from ..measures.evaluate import accuracy, correction, detection, ece, nll, pair_accuracy, transition_error, weighed
from ..methods import Batch, Method, Stage, Task, View
from ..models import FAMILIES, Whitening
from ..noise import realised
from ..runs import Run
from .processes import Process
from .split import Labels, Split, split

AUGMENT = {"none": lambda x: x, "flip_crop": flip_crop, "flip_shift": flip_shift}
PATCHES_OF = 1000  # images that are used to whiten patches


@contextmanager
def evaluating(net: nn.Module) -> Iterator[nn.Module]:
    """The network in evaluation mode, afterwards as it was."""
    before = net.training
    net.eval()
    try:
        yield net
    finally:
        net.train(before)


class Source:
    """What the loop asks for; what is the same for images on the device and for those that are streamed."""

    run: Run
    process: Process
    task: Task  # classes, pairs of this process, shape of an image
    size: int  # pairs a step, of all processes
    pairs: int  # likewise
    per_epoch: int  # steps
    mean: Tensor  # of the images' channels, in grey levels, (C, 1, 1)
    std: Tensor
    at_once: int  # images that are predicted in one pass

    def whitening(self) -> Tensor:
        """Some training images, uint8 (n, C, H, W), the same in all processes."""
        raise NotImplementedError

    def batches(self, begun: int) -> Iterator:
        """For each step from `begun`, what `batch` makes a batch of."""
        raise NotImplementedError

    def batch(self, given) -> Batch:
        """The batch of a step; on the device, and the same memory at every step where steps are captured."""
        raise NotImplementedError

    def first(self, stage: Stage) -> "Source":
        """The source of a first stage; its run is that of the stage."""
        raise NotImplementedError

    def view(self, method: Method, by: Callable[[bool], nn.Module]) -> View:
        """What the network `by(best)` makes of the training pairs and of the trusted images."""
        raise NotImplementedError

    def measure(self, method: Method, net: nn.Module) -> dict:
        """What is measured at an evaluation."""
        raise NotImplementedError

    def seen(self, method: Method, net: nn.Module) -> Trained:
        """The network and its data, for analyses."""
        raise NotImplementedError

    def whiten(self, net: nn.Module) -> None:
        """Let layers that whiten patches see training images; they learn nothing more."""
        for layer in net.modules():
            if isinstance(layer, Whitening):
                layer.whiten(self.normalised(self.whitening()))

    def analyse(self, method: Method, net: nn.Module) -> dict:
        """What the run's analyses find in the trained network."""
        found = {}
        with evaluating(net):
            for name in self.run.analyses:
                found |= ANALYSES[name](self.seen(method, net))
        return found

    @property
    def device(self) -> torch.device:
        return self.process.device

    @property
    def layout(self) -> torch.memory_format:
        """Of images and weights: as the run says; channels last wherever a CPU convolves, which is faster there."""
        convolves = self.device.type == "cpu" and FAMILIES[self.run.model] != "mlp"
        return torch.channels_last if self.run.budget.channels_last or convolves else torch.contiguous_format

    def autocast(self) -> torch.autocast:
        """The precision of the run."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.run.budget.precision == "bf16")

    def normalised(self, x: Tensor) -> Tensor:
        """Images (n, C, H, W) in grey levels, any type, with mean 0 and deviation 1, in the layout of the run."""
        return x.float().sub_(self.mean).div_(self.std).contiguous(memory_format=self.layout)

    @torch.no_grad()
    def logits(self, method: Method, net: nn.Module, x: Tensor) -> Tensor:
        """Of images uint8 (n, C, H, W), (n, K), in fp32, by a network in whatever mode it is; fewer at once from now
        on where the memory of the device does not suffice."""
        while True:
            try:
                with self.autocast():
                    parts = x.split(self.at_once)
                    return torch.cat([method.predict(net, self.normalised(part)).float() for part in parts])
            except torch.cuda.OutOfMemoryError:
                if self.at_once == 1:
                    raise
            # not while the error is at hand, whose traceback holds what the pass has allocated
            self.at_once = min(self.at_once, len(x)) // 2 or 1
            torch.cuda.empty_cache()


def sent(t: Tensor, device: torch.device) -> Tensor:
    """A tensor of the host on the device. The host does not wait: from pinned memory, which is not used again before
    the copy is made, it goes behind the steps that are under way."""
    if device.type == "cuda":
        t = t.pin_memory()
    return t.to(device, non_blocking=True)


@lru_cache(maxsize=2)
def resident(name: str, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Training images, test images and test labels on the device, once per process."""
    data = datasets.shared(name)
    return data.train.x.to(device), data.test.x.to(device), data.test.y.to(device)


class Resident(Source):
    """All images and pairs on the device, uint8: a batch is gathered, augmented and normalised there."""

    def __init__(self, run: Run, images: Tensor, test: tuple[Tensor, Tensor], split: Split, K: int):
        self.run, self.process, self.test, self.split = run, Process(images.device), test, split
        self.at_once = 4096 if images.is_cuda else 512
        self.mean, self.std = moments(images)
        self.images = torch.cat([images, split.foreign]) if len(split.foreign) else images
        M = len(split.train.row)
        self.task = Task(K, M, tuple(images.shape[1:]))
        self.size, self.pairs = min(run.budget.batch, M), M
        self.per_epoch = M // self.size
        self.index = torch.zeros(self.size, dtype=torch.int32, device=images.device)  # of the pairs of a step
        self.trusted = by_class(split.trusted, K) if run.method.trusted_batch else None

    @classmethod
    def of(cls, run: Run, device: torch.device) -> "Resident":
        """The data set of a run, divided and labelled for it."""
        images, *test = resident(run.dataset, device)
        data = datasets.shared(run.dataset)
        return cls(run, images, tuple(test), split(run, data).to(device), data.K)

    def whitening(self):
        return self.images[: min(PATCHES_OF, len(self.images) - len(self.split.foreign))]

    def first(self, stage):
        run = replace(self.run, model=stage.model or self.run.model, method=stage.method, analyses=())
        if stage.dataset:
            return Resident.of(replace(run, dataset=stage.dataset), self.device)
        other = copy.copy(self)
        other.run = run
        other.trusted = by_class(self.split.trusted, self.task.K) if stage.method.trusted_batch else None
        return other

    def batches(self, begun):
        M, size, shuffle = self.task.M, self.size, torch.Generator().manual_seed(self.run.seed)
        for t in range(self.run.budget.steps):
            k = t % self.per_epoch
            if k == 0:
                order = sent(torch.randperm(M, generator=shuffle, dtype=torch.int32), self.device)
            if t >= begun:
                yield self.index.copy_(order[k * size : (k + 1) * size])

    def batch(self, given):
        pairs, method = self.split.train, self.run.method
        images = pairs.row[given]
        batch = Batch(given, self.shown(images), pairs.label[given].long())
        if method.views == 2:
            again = batch.x if self.run.budget.augment == "none" else self.shown(images)
            batch = batch._replace(x2=again)
        if self.trusted is None:
            return batch
        rows, classes = drawn(self.trusted, method.trusted_batch)
        return batch._replace(trusted_x=self.shown(rows), trusted_y=classes)

    def shown(self, rows: Tensor) -> Tensor:
        """The images of these rows as the network sees them in training."""
        x = self.images.index_select(0, rows)
        return self.normalised(AUGMENT[self.run.budget.augment](x))

    def by_pair(self, method: Method, net: nn.Module, rows: Tensor) -> Tensor:
        """Logits of the images of pairs; each image is predicted once."""
        used, place = rows.unique(return_inverse=True)
        return self.logits(method, net, self.images[used])[place]

    def view(self, method, by):
        def predicted(best: bool, rows: Tensor) -> Tensor:
            with evaluating(by(best)) as net:
                return self.by_pair(method, net, rows)

        pairs, trusted = self.split.train, self.split.trusted
        everyone, known = (lambda best: predicted(best, pairs.row)), (lambda: predicted(False, trusted.row))

        def of(part: nn.Module) -> Tensor:
            with evaluating(part):
                return self.by_pair(Method(), part, pairs.row)

        return View(pairs.label.long(), everyone, self.split.index, trusted.true.long(), known, of)

    def measure(self, method, net):
        with evaluating(net):
            out, y = self.logits(method, net, self.test[0]), self.test[1]
            row = {"test_accuracy": accuracy(out, y), "test_loss": nll(out, y), "ece": ece(out, y)}
            probe = self.met(method, net, self.split.probe)
            row |= {"train_right": probe["right"], "train_wrong": probe["wrong"]}
            if self.run.validation:
                held = self.met(method, net, self.split.validation)
                row |= {"noisy_validation": held["given"], "clean_validation": held["true"]}
            return row | self.believed(method, net)

    def met(self, method: Method, net: nn.Module, pairs: Labels) -> dict:
        """How predictions meet the labels of pairs."""
        guess = self.by_pair(method, net, pairs.row).argmax(1)
        return pair_accuracy(guess, pairs.label, pairs.true)

    def believed(self, method: Method, net: nn.Module) -> dict:
        """What the method holds true, against the truth: its weights, corrected labels, transition matrix."""
        pairs, row = self.split.train, {}
        right = pairs.label == pairs.true
        if (weight := method.weights(net)) is not None:
            row |= detection(weight, right)
            if (loss := method.losses(net)) is not None:
                row["weighed"] = weighed(weight, loss, right)
        if (labels := method.labels(net)) is not None:
            row |= correction(labels, pairs.label, pairs.true, self.task.K)
        if (T := method.transition(net)) is not None:
            row |= transition_error(T.detach(), torch.from_numpy(realised(self.split.card)))
        return row

    def seen(self, method, net):
        return Trained(
            net=net,
            logits=partial(self.logits, method, net),
            shown=lambda rows: self.images[rows],
            test_shown=lambda rows: self.test[0][rows],
            test_logits=lambda: self.logits(method, net, self.test[0]),
            test_y=self.test[1],
            train=self.split.train,
            validation=self.split.validation,
            K=self.task.K,
        )


def by_class(trusted: Labels, K: int) -> Tensor:
    """(K, n) rows of trusted images by class; those of a class that has fewer than n are repeated."""
    rows = [trusted.row[trusted.true == k] for k in range(K)]
    n = max(map(len, rows))
    return torch.stack([row.repeat(math.ceil(n / len(row)))[:n] for row in rows])


def drawn(table: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Rows (K m,) of up to `count` trusted images, as many of each class, drawn anew, in class order, and their
    classes; no shape depends on data."""
    K, n = table.shape
    m = min(n, count // K)
    some = torch.rand(table.shape, device=table.device).topk(m, 1).indices
    return table.gather(1, some).flatten(), torch.arange(K, device=table.device).repeat_interleave(m)
