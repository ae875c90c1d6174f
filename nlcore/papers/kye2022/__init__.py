"""Kye et al. 2022, "Learning with Noisy Labels by Efficient Transition Matrix Estimation to Combat Label Miscorrection"
(FasTEN; arXiv 2111.14932)."""

from .claims import CLAIMS
from .experiments import EXPERIMENTS, ablation, augmented, cifar100, cost, matrix, methods, perturbed, table, trusted
