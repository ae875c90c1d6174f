"""What becomes of each class."""

import numpy as np


def confusions(true: np.ndarray, given: np.ndarray, K: int) -> np.ndarray:
    """How many of the examples of each of K true classes have each label, (K, K), from both (N,)."""
    cells = np.asarray(true, np.int64) * K + given
    return np.bincount(cells, minlength=K * K).reshape(K, K)
