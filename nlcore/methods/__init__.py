"""Every method by its name."""

from .base import Batch, Clock, Method, Task
from .ce import CE
from .correction import Backward, Forward
from .gce import GCE, MAE
from .h_alpha import HAlpha
from .label_smoothing import LabelSmoothing

METHODS = {
    "ce": CE,
    "h_alpha": HAlpha,
    "label_smoothing": LabelSmoothing,
    "gce": GCE,
    "mae": MAE,
    "forward": Forward,
    "backward": Backward,
}

__all__ = ["METHODS", "Batch", "Clock", "Method", "Task"]
__all__ += ["CE", "HAlpha", "LabelSmoothing", "GCE", "MAE", "Forward", "Backward"]
