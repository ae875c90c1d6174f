"""What chapters show on questions that readers of the paper asked."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ..effects import Effect, estimate
from .measured import ahead_of_random, needed
from .published import fig9


def ahead_by_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Points that the confusing orders are ahead of a random one at each delta, paired by seed, with 95 % intervals."""
    found = []
    for delta, part in rows[rows.delta > 0].groupby("delta"):
        for order in ("confusing", "learned"):
            told = estimate(part, Effect("", _ahead(order)))
            if told:
                middle, ends = f"{told.effect:+.1f}", f"{told.low:+.1f} to {told.high:+.1f}"
                row = {"δ": f"{delta:g}", "order": order, "ahead, points": middle, "95 % interval": ends}
                found.append(row | {"seeds": str(told.seeds)})
    columns = ["δ", "order", "ahead, points", "95 % interval", "seeds"]
    return pd.DataFrame(found, columns=columns).set_index(["δ", "order"])


def _ahead(order: str) -> Callable[[pd.DataFrame], float]:
    return lambda rows: ahead_of_random(order, rows)


def clean_or_more(sizes: pd.DataFrame, target: float = 0.9) -> pd.DataFrame:
    """What it takes for an accuracy, a row for each alpha: clean examples, labels in all, and how many labels of that
    noise one clean label is worth; ours (geometric means over seeds) beside the paper's."""
    logarithms = np.log(needed(sizes, target).set_index("alpha").n)
    ours = np.exp(logarithms.groupby("alpha").mean())
    table = pd.concat({"ours": _worth(ours), "paper": _worth(fig9().astype(float))}, axis=1)
    return table.rename_axis("alpha").map(lambda value: "" if pd.isna(value) else f"{value:,.0f}")


def _worth(n: pd.Series) -> pd.DataFrame:
    """From clean examples needed by alpha; what needs infinitely many is left empty."""
    n = n.where(np.isfinite(n))
    labels = n * (1 + n.index.to_series())
    return pd.DataFrame({"clean examples": n, "labels in all": labels, "labels a clean one": labels / n[0]})


def by_rate_per_batch(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean test accuracy in percent, a row for each rate per pair of a batch (in units of the smallest) and a column
    for each batch size: if only the ratio matters, rows are constant."""
    ratio = rows.lr / rows.batch
    units = (ratio / ratio.min()).round().astype(int)
    table = 100 * rows.assign(ratio=units).pivot_table(index="ratio", columns="batch", values="test_accuracy")
    return table.rename_axis(index="rate / batch", columns="batch size").map("{:.1f}".format).replace("nan", "")
