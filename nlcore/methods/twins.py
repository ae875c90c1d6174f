"""Two networks of one kind that learn side by side, from initial weights of their own."""

import copy

from torch import nn

from ..inputs import few, require
from .base import Method


def started_again(body: nn.Module) -> nn.Module:
    """A copy of a network with initial weights of its own; a `UserError` if a part of it cannot have them."""
    frozen = [name for name, p in body.named_parameters() if not p.requires_grad]
    told = "the method trains a second network from initial weights, in which nothing may be frozen"
    require(not frozen, f"{told}; {few(frozen, most=3)} is")
    twin = copy.deepcopy(body)
    for name, layer in twin.named_modules():
        again = getattr(layer, "reset_parameters", getattr(layer, "_reset_parameters", None))  # of attention
        own = [*layer.parameters(recurse=False)]
        told = f"the method trains a second network from initial weights, and {name} ({type(layer).__name__}) of it has"
        require(again is not None or not own, f"{told} no reset_parameters() that would draw them")
        if again is not None:
            again()
    return twin


class Twins(Method):
    """The network's `net.body`, and `net.twin` with the same layers: what a step trains, a checkpoint keeps and several
    processes share is both. Unless `predict` says otherwise the first one is evaluated."""

    networks = 2

    def build(self, net, task):
        net = super().build(net, task)
        net.twin = started_again(net.body)
        return net
