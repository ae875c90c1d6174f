"""Wei et al. 2022, "Learning with Noisy Labels Revisited: A Study Using Real-World Human Annotations"
(arXiv 2110.12088)."""

from .claims import CLAIMS
from .experiments import EXPERIMENTS, cifar10n, cifar100n, twins

__all__ = ["CLAIMS", "EXPERIMENTS", "cifar10n", "cifar100n", "twins"]
