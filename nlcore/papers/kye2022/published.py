"""The paper's tables and figures as rows like ours, for the paper's own value of every effect."""

import pandas as pd

from ...measures.evaluate import curve_numbers
from ..tables import published

NOISES = {"symmetric rate (inclusive)": "symmetric_inclusive", "asymmetric rate": "asymmetric_cifar10"}
HERE = {"model": "resnet34", "dataset": "cifar10", "trusted": 1000, "seed": 0}


def part(where: str) -> pd.DataFrame:
    rows = published("kye2022")
    return rows[rows["where"] == where]


def table1(dataset: str = "cifar10") -> pd.DataFrame:
    rows = part("Table 1")
    rows = rows[rows.dataset == dataset]
    frame = pd.DataFrame({"noise": rows.knob.map(NOISES), "rate": rows["at"], "test_accuracy": rows.value / 100})
    return frame.assign(method=rows.series.str.removeprefix("method="), **(HERE | {"dataset": dataset}))


def fig1() -> pd.DataFrame:
    """Hours of whole trainings; the article calls their ratios those of the time until a model is at its best."""
    rows = part("Fig. 1")
    rows = rows[rows.metric == "training time (h)"]
    frame = pd.DataFrame({"method": rows.series.str.removeprefix("method="), "seconds": 3600 * rows.value})
    return frame.assign(rate=0.8, noise="symmetric_inclusive", device="a GPU", test_accuracy=float("nan"), **HERE)


def error_of_T() -> pd.DataFrame:
    """The end of the figure; its noise was not found."""
    rows = part("figure of the error of T").groupby("series", sort=False).last().reset_index()
    frame = pd.DataFrame({"method": rows.series.str.removeprefix("method="), "T_chi2": rows.value})
    correct = frame.method.map({"fasten": False})
    return frame.assign(method_correct=correct, noise="not found", rate=0.0, test_accuracy=float("nan"), **HERE)


def diagonals() -> pd.DataFrame:
    """The figure of the mean diagonal, a row per curve as per run."""
    rows = part("figure of the mean diagonal").copy()
    rows[["matrix", "key"]] = rows.series.str.removeprefix("matrix=").str.split(", ", expand=True)
    wide = rows.pivot(index=["key", "at"], columns="matrix", values="value").reset_index()
    frame = wide.rename(columns={"at": "epoch", "estimated": "T_diagonal", "true": "corrected_diagonal"})
    told = frame.key.str.extract(r"(\w+) ([\d.]+)")
    frame = frame.assign(noise=told[0], rate=told[1].astype(float), step=frame.epoch, steps=70, falls=50 / 70)
    return curve_numbers(frame.assign(method="fasten", test_accuracy=0.0, **HERE))


def perturbed() -> pd.DataFrame:
    rows = part("figure of perturbed corrections")
    rows = rows[rows.series.str.startswith("method=fasten")]
    frame = pd.DataFrame({"test_accuracy": rows.value / 100, "method_perturb": rows["at"].fillna(0)})
    correct = ~rows.series.str.endswith("without corrections")
    return frame.assign(method_correct=correct, method="fasten", rate=0.8, noise="symmetric_inclusive", **HERE)


def poster() -> pd.DataFrame:
    """Wrong labels that are put right; the poster names no noise, and the rate is that of our claim."""
    rows = part("poster")
    rows = rows[rows.metric.str.startswith("right corrections of")]
    frame = pd.DataFrame({"method": rows.series.str.removeprefix("method="), "corrected_wrong": rows.value / 100})
    return frame.assign(rate=0.8, noise="symmetric_inclusive", test_accuracy=float("nan"), **HERE)
