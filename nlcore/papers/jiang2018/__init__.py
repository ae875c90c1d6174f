"""Jiang et al. 2018, "MentorNet: Learning Data-Driven Curriculum for Very Deep Neural Networks on Corrupted Labels"
(arXiv 1712.05055)."""

from .claims import CLAIMS
from .experiments import EXPERIMENTS, budget, burn_in, forms, methods, percentiles, students, transfer
