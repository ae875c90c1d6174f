"""Every method by its name."""

from .adaptation import NoiseAdaptation
from .attached import Attached, attach, of_each_class
from .base import Batch, Clock, Method, Stage, Task, View
from .bootstrap import HardBootstrap, SoftBootstrap
from .ce import CE
from .correction import Backward, Forward, ForwardEstimated
from .curriculum import Curriculum
from .deep_knn import DeepKNN
from .distillation import Distillation
from .fasten import FasTEN
from .forgetting import Forgetting
from .gce import GCE, MAE, Truncated, Unhinged
from .gold import GLC, TrustedOnly
from .h_alpha import HAlpha
from .label_smoothing import LabelSmoothing
from .mentornet import MentorNet
from .meta import L2RW, MWNet
from .meta_labels import MSLC, MLaC
from .mloc import MLoC

METHODS = {
    "ce": CE,
    "h_alpha": HAlpha,
    "label_smoothing": LabelSmoothing,
    "gce": GCE,
    "truncated": Truncated,
    "mae": MAE,
    "unhinged": Unhinged,
    "forward": Forward,
    "forward_estimated": ForwardEstimated,
    "backward": Backward,
    "noise_adaptation": NoiseAdaptation,
    "soft_bootstrap": SoftBootstrap,
    "hard_bootstrap": HardBootstrap,
    "distillation": Distillation,
    "curriculum": Curriculum,
    "mentornet": MentorNet,
    "forgetting": Forgetting,
    "trusted_only": TrustedOnly,
    "glc": GLC,
    "l2rw": L2RW,
    "mwnet": MWNet,
    "mloc": MLoC,
    "mlac": MLaC,
    "mslc": MSLC,
    "deep_knn": DeepKNN,
    "fasten": FasTEN,
}

__all__ = ["METHODS", "Batch", "Clock", "Method", "Stage", "Task", "View"]
__all__ += ["Attached", "attach", "of_each_class"]  # in a training loop of one's own
__all__ += [cls.__name__ for cls in METHODS.values()]
