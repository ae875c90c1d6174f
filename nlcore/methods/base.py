"""The whole contract of a method."""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn


class Batch(NamedTuple):
    """`index` of the pairs (B,), normalised images `x` (B, C, H, W), given labels `y` (B,)."""

    index: Tensor
    x: Tensor
    y: Tensor


class Task(NamedTuple):
    """What a method may know before training: classes K, training pairs M, image shape (C, H, W)."""

    K: int
    M: int
    shape: tuple[int, int, int]


@dataclass
class Clock:
    """Where training stands: `step` is a device scalar, so that a captured step reads schedules from it."""

    step: Tensor
    steps: int
    epoch: int = 0


class Method:
    """Subclasses are frozen dataclasses; their fields are the paper's hyperparameters with the paper's values.

    `loss` is pure tensor code: no `.item()`, no shape and no Python branch that depends on data, no `clock.epoch` (a
    captured step never sees it change). Memory per example belongs into buffers of the module that `build` returns.
    """

    passes = (1, 1)  # forward and backward passes a step, for the account of cost

    def build(self, net: nn.Module, task: Task) -> nn.Module:
        """Wrap or extend the network."""
        return net

    def loss(self, net: nn.Module, batch: Batch, clock: Clock) -> Tensor:
        """The scalar to minimise. Most methods write only this."""
        raise NotImplementedError

    def on_epoch(self, net: nn.Module, clock: Clock) -> None:
        """Work between epochs, outside the captured step."""

    def predict(self, net: nn.Module, x: Tensor) -> Tensor:
        """Logits (B, K) for evaluation."""
        return net(x)
