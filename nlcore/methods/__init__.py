"""Every method by its name."""

from .base import Batch, Clock, Method, Task
from .ce import CE
from .h_alpha import HAlpha

METHODS = {"ce": CE, "h_alpha": HAlpha}

__all__ = ["METHODS", "Batch", "CE", "Clock", "HAlpha", "Method", "Task"]
