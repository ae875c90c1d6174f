"""The whole contract of a method."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from torch import Tensor, nn
from torch.optim import Optimizer

from ..inputs import check_types, require


class Batch(NamedTuple):
    """`index` of the pairs (B,), normalised images `x` (B, C, H, W), given labels `y` (B,); and for a method with a
    `trusted_batch` m images of each class in class order, (K m, C, H, W), with their true classes (K m,);
    for a method with two `views` the images as `x2`, augmented once more (without augmentation they are the same)."""

    index: Tensor
    x: Tensor
    y: Tensor
    trusted_x: Tensor | None = None
    trusted_y: Tensor | None = None
    x2: Tensor | None = None


class Task(NamedTuple):
    """What a method may know before training: classes K, training pairs M, image shape (C, H, W)."""

    K: int
    M: int
    shape: tuple[int, int, int]


@dataclass
class Clock:
    """Where training stands; `step` and `rate` are device scalars, from which a captured step reads schedules."""

    step: Tensor  # how many are done
    steps: int  # of the whole training
    per_epoch: int = 1  # steps
    epoch: int = 0  # the first is 0
    rate: Tensor | None = None  # the learning rate of this step

    def due(self, start: float, every: float) -> bool:
        """Whether this epoch is the first that begins at or after one of the shares start, start + every, … of all
        steps."""

        def marks_passed(epoch: int) -> int:
            """How many of the shares there are up to where this epoch begins."""
            share = epoch * self.per_epoch / self.steps
            return max(0, 1 + math.floor((share - start) / every + 1e-9))

        before = marks_passed(self.epoch - 1) if self.epoch else 0
        return marks_passed(self.epoch) > before


class View(NamedTuple):
    """What a method may look at between epochs: given labels (M,) and `logits(best)`, those of all training pairs
    (M, K) by the network as it is or, with `best`, as it was when it was best on the noisy validation labels; and
    `of(part)`, those by a part of the network alone, such as one of two.

    Of the m trusted images: the true classes (m,), `trusted()`, their logits (m, K), and, where they are among the
    training pairs, their `index` (m,) there.
    """

    label: Tensor
    logits: Callable[[bool], Tensor]
    index: Tensor | None = None
    true: Tensor | None = None
    trusted: Callable[[], Tensor] | None = None
    of: Callable[[nn.Module], Tensor] | None = None


class Stage(NamedTuple):
    """A training that comes before: its method, its network ("": the same, from the same initial weights), whether it
    ends with its best network on noisy validation instead of its last, its data set ("": the same), and whether what
    follows starts from its weights instead of the initial ones."""

    method: "Method"
    model: str = ""
    best: bool = False
    dataset: str = ""
    hands_on: bool = False


class Method:
    """Subclasses are frozen dataclasses; their fields are the paper's hyperparameters with the paper's values.

    `loss` is pure tensor code: no `.item()`, no shape and no Python branch that depends on data, no `clock.epoch` (a
    captured step never sees it change). Memory per example belongs into buffers of the module that `build` returns.
    """

    passes = (1, 1)  # forward and backward passes a step, those of a first stage included, for the account of cost
    keeps_best = False  # whether `View.logits(True)` will be asked for
    looks_ahead = False  # whether it takes a step by the learning rate to see what comes of it
    sees_all_pairs = False  # whether `after` needs the view of all training pairs, not of a share of them
    trust = ""  # what trusted images must be: "beside" the training pairs, "within" them, or not needed
    trusted_batch = 0  # trusted images a step, as many of each class
    each_class = False  # whether a step asks of its trusted images how each of the K classes is labelled
    undecayed: tuple[str, ...] = ()  # names of parameters that weight decay leaves alone
    views = 1  # of each image in a batch: 2 with another augmentation of them
    networks = 1  # how many of the run's kind it trains, all but the first from initial weights of their own
    first: Stage | None = None

    def __post_init__(self):
        check_types(self)
        enough = self.trusted_batch > 0 or not type(self).trusted_batch
        require(enough, f"trusted_batch of {type(self).__name__} must be 1 or more, not {self.trusted_batch}")

    def build(self, net: nn.Module, task: Task) -> nn.Module:
        """The network with what the method adds beside `net.body`: modules that learn, buffers that remember pairs."""
        return net

    def loss(self, net: nn.Module, batch: Batch, clock: Clock) -> Tensor:
        """The scalar to minimise, of a batch. Most methods write only this."""
        raise NotImplementedError

    def optimiser(self, net: nn.Module) -> Optimizer | None:
        """Of parameters that are not the network's, such as those of a net that weighs pairs, if there are any."""

    def after(self, net: nn.Module, view: View) -> dict:
        """What the first stage has found, as tensors and plain data that a checkpoint can keep, given its network and
        what that makes of the training pairs."""
        return {}

    def second(self, found: dict, net: nn.Module) -> "Method":
        """What trains next, given what was `found`, and the network of the first stage or, when a run goes on from a
        checkpoint, one built like it, with other weights."""
        return replace(self, **found)

    def on_epoch(self, net: nn.Module, clock: Clock, view: View) -> None:
        """Work before each epoch, outside the captured step."""

    def weights(self, net: nn.Module) -> Tensor | None:
        """Weights (M,) of the training pairs in [0, 1], if the method weighs them: measured as a detector of noise."""

    def losses(self, net: nn.Module) -> Tensor | None:
        """The losses (M,) that those weights were given for, if weights follow from losses."""

    def labels(self, net: nn.Module) -> Tensor | None:
        """The labels (M,) that the method believes by now, if it corrects labels: measured against the true ones."""

    def transition(self, net: nn.Module) -> Tensor | None:
        """The transition matrix (K, K) that the method has estimated, if it does: measured against the true one."""

    def predict(self, net: nn.Module, x: Tensor) -> Tensor:
        """Logits (B, K) for evaluation."""
        return net(x)
