"""The paper's tables as rows like ours, for the paper's own value of every effect."""

import pandas as pd

from ..tables import published

KINDS = {"self_paced": ("curriculum", "self_paced"), "focal": ("curriculum", "focal")}
KINDS |= {"PD": ("mentornet", "pd"), "DD": ("mentornet", "data")}


def table(where: str, dataset: str) -> pd.DataFrame:
    """A row per number of a table or figure."""
    rows = published("jiang2018").query("`where` == @where and dataset == @dataset")
    names = [name.removeprefix("method=") for name in rows.series]
    kinds = [KINDS.get(name, (name, None)) for name in names]
    frame = pd.DataFrame({"rate": rows["at"], "model": rows.model, "dataset": dataset, "metric": rows.metric})
    method, kind = zip(*kinds, strict=True)
    return frame.assign(test_accuracy=rows.value / 100, method=method, method_kind=kind, seed=0)


def table2() -> pd.DataFrame:
    return table("Table 2", "cifar10")


def moved() -> pd.DataFrame:
    """CIFAR-100, where the mentor is one that learned on CIFAR-10."""
    rows = table("Table 2", "cifar100").query("model == 'wide_resnet'")
    return rows.assign(method_source=rows.method_kind.map({"data": "cifar10"}).fillna(""))


def fig3() -> pd.DataFrame:
    """Errors along training: the last, and the lowest of the full model."""
    rows = table("Fig. 3", "cifar100")
    last = rows[rows.metric == "test error (%), last"]
    lowest = rows[rows.metric == "test error (%), lowest"].set_index("method").test_accuracy
    peak = 1 - last.method.map(lowest)
    return last.assign(test_accuracy=1 - last.test_accuracy, peak=peak)
