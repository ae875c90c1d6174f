"""What all chapters on this paper share."""

import pandas as pd

from ..tables import published


def figure_of_paper(where: str) -> pd.DataFrame:
    """The numbers of a figure of the paper; `of` is the value of its `series`, such as 0.1 of `lr=0.1`, as text."""
    table = published("rolnick2017")
    return table.assign(of=table.series.str.extract("=(.*)", expand=False)).query("`where` == @where")
