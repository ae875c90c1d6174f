"""What chapters show on questions that readers of the paper asked."""

from collections.abc import Callable

import pandas as pd

from ..effects import Effect, estimate
from .measured import ahead_of_random


def ahead_by_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Points that the confusing orders are ahead of a random one at each delta, paired by seed, with 95 % intervals."""
    found = []
    for delta, part in rows[rows.delta > 0].groupby("delta"):
        for order in ("confusing", "learned"):
            told = estimate(part, Effect("", _ahead(order)))
            if told:
                middle = f"{told.effect:+.1f}"
                ends = f"{told.low:+.1f} to {told.high:+.1f}" if told.seeds > 1 else ""
                row = {"δ": f"{delta:g}", "order": order, "ahead, points": middle, "95 % interval": ends}
                found.append(row | {"seeds": str(told.seeds)})
    columns = ["δ", "order", "ahead, points", "95 % interval", "seeds"]
    return pd.DataFrame(found, columns=columns).set_index(["δ", "order"])


def _ahead(order: str) -> Callable[[pd.DataFrame], float]:
    return lambda rows: ahead_of_random(order, rows)
