"""All noises by name."""

from .human import HumanLabels, HumanMatrix
from .models import LAWS

NOISES = LAWS | {"human": HumanLabels, "human_matrix": HumanMatrix}
