"""What becomes of each class."""

import numpy as np

from ..inputs import require


def confusions(true: np.ndarray, given: np.ndarray, K: int) -> np.ndarray:
    """How many of the examples of each of K true classes have each label, (K, K), from both (N,). A `UserError` if one
    of them is none of 0 to K - 1."""
    true, given = np.asarray(true), np.asarray(given)
    for part in (true, given):
        fits = not part.size or (part.min() >= 0 and part.max() < K)
        require(fits, f"classes and labels are 0 to {K - 1}" + ("" if fits else f", not {part.min()} to {part.max()}"))
    cells = true.astype(np.int64) * K
    np.add(cells, given, out=cells, casting="unsafe")  # in place: there may be a hundred labels of each image
    return np.bincount(cells, minlength=K * K).reshape(K, K)
