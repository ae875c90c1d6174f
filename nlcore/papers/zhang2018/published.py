"""The paper's numbers as rows like ours, for the paper's own value of every effect."""

import pandas as pd

from ..tables import published
from .measured import UNIFORM

KINDS = {"uniform rate (exclusive)": UNIFORM, "class-dependent rate": "asymmetric_cifar10"}


def table1(dataset: str) -> pd.DataFrame:
    """Table 1, a row per method and noise."""
    table = published("zhang2018").query("`where` == 'Table 1' and dataset == @dataset")
    rows = pd.DataFrame({"noise": table.knob.map(KINDS), "rate": table["at"].astype(float)})
    rows["method"] = table.series.str.removeprefix("method=")
    return rows.assign(test_accuracy=table.value / 100, model=table.model, dataset=dataset, seed=0)


def figure_of_q() -> pd.DataFrame:
    """Where the curves end, and their peaks; a curve whose peak was not read off ends at it."""
    table = published("zhang2018").query("`where` == 'figure of q'")
    table = table.assign(method_q=table.series.str.removeprefix("q=").astype(float), rate=table["at"].astype(float))
    wide = table.pivot(index=["rate", "method_q"], columns="metric", values="value").reset_index()
    last = wide["test accuracy (%), last"] / 100
    peak = (wide["test accuracy (%), peak"] / 100).fillna(last)
    rows = wide[["rate", "method_q"]].assign(test_accuracy=last, peak=peak, method="gce", dataset="cifar10")
    return rows.assign(noise=rows.rate.map(lambda rate: UNIFORM if rate else "clean"), model="resnet34", seed=0)


def clean_cifar100() -> pd.DataFrame:
    """Absolute error, of the paper's text; of cross entropy it tells nothing: that is another's, of a ResNet-50."""
    table = published("zhang2018").query("dataset == 'cifar100' and at == 0")
    mae = table[table["where"] == "text"].value.item()
    ce = table[table.series == "method=ce"].value.item()
    return pd.DataFrame(
        {"method": ["mae", "ce"], "test_accuracy": [mae / 100, ce / 100], "noise": "clean", "rate": 0.0}
    ).assign(dataset="cifar100", seed=0)
