"""Laws of wrong labels, and labels drawn from them."""

from .carriers import check_foreign, foreign
from .drawing import VERSION, Pairs, card, draw, realised, taken
from .human import HumanLabels, HumanMatrix
from .models import (
    CIFAR100_SUPERCLASS,
    ORDERS,
    AsymmetricBlocks,
    AsymmetricCifar10,
    AsymmetricMnist,
    AsymmetricSuperclass,
    Clean,
    Flip,
    Hierarchical,
    InstanceDependent,
    Matrix,
    Noise,
    OpenSet,
    PairFlip,
    Structured,
    SymmetricExclusive,
    SymmetricInclusive,
    Uniform,
)
from .names import NOISES
from .orders import confusing_order
