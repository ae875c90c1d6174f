"""The paper's numbers as rows like ours, for the paper's own value of every effect."""

import pandas as pd

from ..tables import published


def table2() -> pd.DataFrame:
    """Table 2, a row per method and set of labels."""
    table = published("wei2022").query("`where` == 'Table 2'")
    rows = table[["dataset", "model"]].assign(method=table.series.str.removeprefix("method="))
    rows["labels"] = table.knob.str.removeprefix("labels=")
    return rows.assign(noise="human", test_accuracy=table.value / 100, seed=0)
