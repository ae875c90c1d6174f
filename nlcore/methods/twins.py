"""Two networks of one kind that learn side by side, from initial weights of their own."""

import copy

from torch import nn

from .base import Method


def started_again(body: nn.Module) -> nn.Module:
    """A copy of a network with initial weights of its own."""
    twin = copy.deepcopy(body)
    for layer in twin.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    return twin


class Twins(Method):
    """The network's `net.body`, and `net.twin` with the same layers: what a step trains, a checkpoint keeps and several
    processes share is both. Unless `predict` says otherwise the first one is evaluated."""

    networks = 2

    def build(self, net, task):
        net = super().build(net, task)
        net.twin = started_again(net.body)
        return net
