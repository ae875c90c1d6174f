"""Dropout before the last layer, the regulariser that MentorNet is compared with."""

from dataclasses import dataclass

from torch import nn

from ..inputs import require
from .ce import CE


@dataclass(frozen=True)
class Forgetting(CE):
    """Cross entropy with a share `drop` of the last hidden units left out; the paper's share was not found."""

    drop: float = 0.5

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.drop < 1, f"drop is a share of units below 1, not {self.drop}")

    def build(self, net, task):
        net.body.insert(len(net.body) - 1, nn.Dropout(self.drop))
        return net
