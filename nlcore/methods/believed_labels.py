"""What methods that correct labels remember: the label that they believe by now, for each pair."""

import torch

from .base import Method


class BelievedLabels(Method):
    """`net.believed` (M,) holds a label for each pair: at first the given one, then what `loss` puts there."""

    def build(self, net, task):
        net.register_buffer("believed", torch.zeros(task.M, dtype=torch.long))
        return net

    def on_epoch(self, net, clock, view):
        if clock.epoch == 0:
            net.believed.copy_(view.label)

    def labels(self, net):
        return net.believed
