"""How tests of claims make seeds of numbers, and judge one effect on them."""

import pandas as pd

from nlcore.papers.effects import Effect, estimate, verdict


def over_seeds(*frames: pd.DataFrame) -> pd.DataFrame:
    """As many seeds as frames, a little apart."""
    parts = [
        frame.assign(seed=seed, test_accuracy=frame.test_accuracy + 1e-5 * seed) for seed, frame in enumerate(frames)
    ]
    return pd.concat(parts, ignore_index=True)


def judge(effect: Effect, rows: pd.DataFrame) -> str:
    """The verdict on an effect, "not run" where no seed has all its runs."""
    found = estimate(rows, effect)
    return verdict(found, effect) if found else "not run"
