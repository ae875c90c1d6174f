"""Rolnick, Veit, Belongie, Shavit 2017, "Deep Learning is Robust to Massive Label Noise" (arXiv 1705.10694)."""

from .claims import CLAIMS
from .experiments import (
    EXPERIMENTS,
    batch_size,
    cifar_uniform,
    data_size,
    grid,
    learning_rate,
    longer,
    novel,
    onset,
    source,
    structured,
    uniform,
)
