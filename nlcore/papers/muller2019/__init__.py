"""Müller, Kornblith & Hinton 2019, "When Does Label Smoothing Help?" (arXiv 1906.02629), with Szegedy et al. 2016, and
with Lukasik et al. 2020, "Does Label Smoothing Mitigate Label Noise?" (arXiv 2003.02819)."""

from .claims import CLAIMS
from .experiments import EXPERIMENTS, calibration, cifar100, distillation, information, noise, norms

__all__ = ["CLAIMS", "EXPERIMENTS", "calibration", "cifar100", "distillation", "information", "noise", "norms"]
