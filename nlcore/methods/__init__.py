"""Every method by its name."""

from .active_passive import ActivePassive
from .adaptation import NoiseAdaptation
from .attached import Attached, attach, of_each_class
from .base import Batch, Clock, Method, Stage, Task, View
from .bootstrap import HardBootstrap, SoftBootstrap
from .ce import CE
from .co_teaching import CoTeaching, SmallLoss
from .correction import Backward, Forward, ForwardEstimated
from .curriculum import Curriculum
from .deep_knn import DeepKNN
from .distillation import Distillation
from .dividemix import DivideMix
from .elr import ELR
from .fasten import FasTEN
from .forgetting import Forgetting
from .gce import GCE, MAE, Truncated, Unhinged
from .gold import GLC, TrustedOnly
from .h_alpha import HAlpha
from .label_smoothing import LabelSmoothing
from .mentornet import MentorNet
from .meta import L2RW, MWNet
from .meta_labels import MSLC, MLaC
from .mixup import Mixup
from .mloc import MLoC
from .peer import Peer
from .sop import SOP
from .symmetric import SymmetricCE
from .volminnet import VolMinNet

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
    "symmetric_ce": SymmetricCE,
    "active_passive": ActivePassive,
    "peer": Peer,
    "elr": ELR,
    "sop": SOP,
    "volminnet": VolMinNet,
    "mixup": Mixup,
    "small_loss": SmallLoss,
    "co_teaching": CoTeaching,
    "dividemix": DivideMix,
}

__all__ = ["METHODS", "Batch", "Clock", "Method", "Stage", "Task", "View"]
__all__ += ["Attached", "attach", "of_each_class"]  # in a training loop of one's own
__all__ += [cls.__name__ for cls in METHODS.values()]
