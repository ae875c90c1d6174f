"""Laws of wrong labels, and labels drawn from them."""

from .carriers import foreign
from .drawing import VERSION, Pairs, card, draw, realised, taken
from .human import HumanLabels, HumanMatrix
from .models import (
    CIFAR100_SUPERCLASS,
    ORDERS,
    AsymmetricCifar10,
    AsymmetricSuperclass,
    Clean,
    Flip,
    Hierarchical,
    Matrix,
    Noise,
    PairFlip,
    Structured,
    SymmetricExclusive,
    SymmetricInclusive,
    Uniform,
)
from .names import NOISES
from .orders import confusing_order
