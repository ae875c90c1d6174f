"""Zhang & Sabuncu 2018, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels"
(arXiv 1805.07836)."""

from .claims import CLAIMS
from .experiments import EXPERIMENTS, cifar10, cifar100, fashion, field, images, pruning, q_sweep

__all__ = ["CLAIMS", "EXPERIMENTS", "cifar10", "cifar100", "fashion", "field", "images", "pruning", "q_sweep"]
