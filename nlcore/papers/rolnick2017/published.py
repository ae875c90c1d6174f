"""The paper's figures as rows like ours, for the paper's own value of every effect."""

import pandas as pd

from ..tables import published


def figure(where: str, at: str, series: str = "", kind: type = str, **columns) -> pd.DataFrame:
    """A figure, a row per point: what `published.csv` calls `at` and the value of its `series` under our names."""
    table = published("rolnick2017").query("`where` == @where")
    rows = pd.DataFrame(
        {at: table["at"].astype(float), "test_accuracy": table.value / 100, "model": table.model.fillna("not found")}
    )
    if series:
        rows[series] = table.series.str.partition("=")[2].map(kind)
    return rows.assign(dataset=table.dataset, seed=0, **columns).reset_index(drop=True)


def fig1() -> pd.DataFrame:
    return figure("Fig. 1", at="alpha")


def fig2() -> pd.DataFrame:
    return figure("Fig. 2", at="alpha").replace({"model": {"resnet": "resnet18"}})


def fig7() -> pd.DataFrame:
    return figure("Fig. 7", at="alpha", series="carrier")


def fig8() -> pd.DataFrame:
    return figure("Fig. 8", at="images", series="alpha", kind=float)


def fig9() -> pd.Series:
    """Clean examples needed for 90 %, by alpha."""
    table = published("rolnick2017").query("`where` == 'Fig. 9' and series == 'accuracy=90'")
    return table.set_index("at").value


def fig11() -> pd.DataFrame:
    """Constant rate; the curve of the infinite batch has its noise in the loss, as our H_alpha."""
    table = published("rolnick2017").query("`where` == 'Fig. 11'").reset_index(drop=True)
    rows = figure("Fig. 11", at="alpha", method="ce", schedule="constant")
    infinite = table.series == "method=h_alpha"
    batch = pd.to_numeric(table.series.str.partition("=")[2], errors="coerce").fillna(256).astype(int)
    rows = rows.assign(batch=batch, method_alpha=rows.alpha.where(infinite))
    return rows.assign(method=rows.method.mask(infinite, "h_alpha"), alpha=rows.alpha.mask(infinite))


def fig12() -> pd.DataFrame:
    return figure("Fig. 12", at="alpha", series="lr", kind=float, schedule="constant")
