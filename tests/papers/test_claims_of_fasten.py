"""Claims on FasTEN hold on the paper's own numbers, and fail on those turned round."""

import pandas as pd
import pytest

from nlcore.measures.evaluate import curve_numbers
from nlcore.papers import tables
from nlcore.papers.kye2022 import CLAIMS

PAPER = tables.published("kye2022")
NOISES = {"symmetric rate (inclusive)": "symmetric_inclusive", "asymmetric rate": "asymmetric_cifar10"}


def judge(id: str, frame: pd.DataFrame) -> str:
    return {c.id: c for c in CLAIMS}[id].judge(frame).verdict


def table1(dataset: str = "cifar10") -> pd.DataFrame:
    """Table 1 as our records would have it; of the two baselines that it lacks, numbers that are low."""
    rows = PAPER[(PAPER["where"] == "Table 1") & (PAPER.dataset == dataset)]
    frame = pd.DataFrame({"noise": rows.knob.map(NOISES), "rate": rows["at"], "test_accuracy": rows.value / 100})
    frame["method"] = rows.series.str.removeprefix("method=")
    both = [frame.assign(test_accuracy=frame.test_accuracy + sign * rows.plusminus / 100) for sign in (-1, 1)]
    frame = pd.concat(both)  # two seeds
    low = [frame[frame.method == "glc"].assign(method=m, test_accuracy=0.4) for m in ("ce", "trusted_only")]
    return pd.concat([frame, *low]).assign(model="resnet34")


def fig1() -> pd.DataFrame:
    rows = PAPER[PAPER.metric == "training time (h)"]
    names = rows.series.str.removeprefix("method=")
    frame = pd.DataFrame({"method": names, "seconds": rows.value * 3600, "model": "resnet34", "device": "a GPU"})
    return frame.assign(test_accuracy=0.9)


def perturbed() -> pd.DataFrame:
    rows = PAPER[(PAPER["where"] == "figure of perturbed corrections") & PAPER.series.str.startswith("method=fasten")]
    frame = pd.DataFrame({"test_accuracy": rows.value / 100, "method_perturb": rows["at"].fillna(0)})
    frame["method_correct"] = ~rows.series.str.endswith("without corrections")
    return frame.assign(method="fasten", rate=0.8, noise="symmetric_inclusive", model="resnet34")


def diagonals() -> pd.DataFrame:
    """The mean diagonals as a curve with one row per epoch, judged as claims are: by one row per run."""
    rows = PAPER[PAPER["where"] == "figure of the mean diagonal"].copy()
    rows[["matrix", "key"]] = rows.series.str.removeprefix("matrix=").str.split(", ", expand=True)
    wide = rows.pivot(index=["key", "at"], columns="matrix", values="value").reset_index()
    frame = wide.rename(columns={"at": "epoch", "estimated": "T_diagonal", "true": "corrected_diagonal"})
    frame[["noise", "rate"]] = frame.key.str.extract(r"(\w+) ([\d.]+)").astype({1: float}).to_numpy()
    frame = frame.assign(step=frame.epoch, steps=70, falls=50 / 70, method="fasten", test_accuracy=0.9)
    return frame.astype({"rate": float})


def turned(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(test_accuracy=-frame.test_accuracy)


@pytest.mark.parametrize("id", ["B1", "B2", "B3"])
def test_accuracies(id):
    assert judge(id, table1()) == "reproduced" and judge(id, turned(table1())) == "not reproduced"


def test_a_lead_that_seeds_do_not_bear_out_is_not_one():
    frame = table1()
    few = frame.drop_duplicates(["method", "rate", "noise"])
    wide = pd.DataFrame({"method": ["fasten"] * 2 + ["glc"] * 2, "test_accuracy": [0.95, 0.55, 0.6, 0.6]})
    wide = wide.assign(rate=0.8, noise="symmetric_inclusive")
    assert judge("B1", wide) == "partly" and judge("B1", few) == "not run"
    mixture = pd.concat([frame.assign(dataset="a"), frame.assign(dataset="b")])
    assert {judge(id, mixture) for id in ("B1", "B2", "B3", "B10")} == {"not run"}


def test_matrices_under_asymmetric_noise():
    assert judge("B10", table1()) == "reproduced"
    off = table1()
    off.loc[off.method == "glc", "test_accuracy"] -= 0.05
    assert judge("B10", off) == "not reproduced"


def test_a_hundred_classes():
    """In the table the best other one at 0.8 is Deep kNN."""
    frame = table1("cifar100").query("method not in ['ce', 'trusted_only']")
    assert judge("B4", frame) == "reproduced"
    assert judge("B4", frame.assign(test_accuracy=1 - frame.test_accuracy)) == "not reproduced"


@pytest.mark.parametrize("id", ["B5", "B5b"])
def test_costs(id):
    assert (
        judge(id, fig1()) == "reproduced" and judge(id, fig1().assign(seconds=1 / fig1().seconds)) == "not reproduced"
    )
    assert judge(id, fig1().query("method != 'mslc'")) == "not run"


def test_the_error_of_t():
    values = {"fasten": 0.0012, "glc": 0.00073}
    assert values["glc"] in PAPER.value.to_numpy() and values["fasten"] in PAPER.value.to_numpy()
    frame = pd.DataFrame({"method": values.keys(), "T_chi2": values.values(), "method_correct": [False, float("nan")]})
    frame = frame.assign(noise="symmetric_inclusive", rate=0.8)
    assert judge("B6", frame) == "reproduced"
    frame.loc[frame.method == "fasten", "T_chi2"] = 0.005  # at step 1,150
    assert judge("B6", frame) == "not reproduced"


def test_t_follows_with_too_much_on_the_diagonal():
    frame = diagonals()
    assert judge("B7", curve_numbers(frame)) == "reproduced"
    mirrored = frame.assign(T_diagonal=-frame.T_diagonal)
    assert judge("B7", curve_numbers(mirrored)) == "not reproduced"


def test_corrections_are_robust():
    assert judge("B8", perturbed()) == "reproduced"
    assert judge("B8", turned(perturbed())) == "partly"  # what does no harm then gains
    worse = perturbed()
    worse.loc[worse.method_correct, "test_accuracy"] -= 0.1
    assert judge("B8", worse) == "not reproduced"


def test_most_wrong_labels_are_put_right():
    right = PAPER[(PAPER.series == "method=fasten") & PAPER.metric.str.startswith("right corrections of")].value / 100
    frame = pd.DataFrame({"corrected_wrong": right}).assign(
        method="fasten", rate=0.8, noise="symmetric_inclusive", model="resnet34"
    )
    assert judge("B9", frame) == "reproduced"
    assert judge("B9", frame.assign(corrected_wrong=1 - right)) == "not reproduced"


def test_the_papers_contradictions_are_kept():
    """L2RW at 0.2 and FasTEN at 0.8 have two numbers each."""
    l2rw = PAPER[(PAPER.series == "method=l2rw") & (PAPER["at"] == 0.2) & (PAPER.dataset == "cifar10")]
    assert set(l2rw[l2rw.knob.str.startswith("symmetric", na=False)].value) == {88.26, 86.26}
    fasten = PAPER[(PAPER.series == "method=fasten") & (PAPER.dataset == "cifar10")]
    table = fasten[(fasten["at"] == 0.8) & (fasten["where"] == "Table 1")].value.item()
    figure = fasten[(fasten.knob == "perturb") & (fasten["at"] == 0)].value.item()
    assert (table, figure) == (79.52, 77.88)


def test_the_tables_are_whole():
    assert PAPER.groupby("where").size()["Table 1"] == 8 * 6 * 2 and (PAPER["where"] == "Table 2").sum() == 15
    hours = PAPER[PAPER.metric == "training time (h)"].set_index("series").value
    assert round(hours["method=mlac"] / hours["method=fasten"], 2) == 6.64  # the number of the abstract
