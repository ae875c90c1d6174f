"""The field after the five papers: what came later, and all methods side by side under one recipe."""

from .claims import CLAIMS
from .experiments import EXPERIMENTS, cifar10, fashion, tuned

__all__ = ["CLAIMS", "EXPERIMENTS", "cifar10", "fashion", "tuned"]
