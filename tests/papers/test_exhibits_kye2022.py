"""What chapter 8 shows, on frames made by hand."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from nlcore.papers.kye2022 import exhibits
from nlcore.papers.kye2022.experiments import ALL
from nlcore.papers.tables import blank

SYMMETRIC = "symmetric_inclusive"
DEFAULTS = {
    "lam": 0.5,
    "rho": 0.8,
    "correct": True,
    "immediate": False,
    "perturb": 0.0,
    "trusted_batch": 100,
    "shared": True,
}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def rows(*runs: tuple, **columns) -> pd.DataFrame:
    """A row per run: (method, noise, rate, accuracy)."""
    frame = pd.DataFrame(runs, columns=["method", "noise", "rate", "test_accuracy"])
    return frame.assign(key=[f"run {i}" for i in range(len(frame))], **columns)


def fastens(*changes: dict, **columns) -> pd.DataFrame:
    """A row per run of FasTEN with some parameters changed; those of another method are missing."""
    found = []
    for i, change in enumerate(changes):
        change = DEFAULTS | change
        parameters = {f"method_{name}": change[name] for name in DEFAULTS}
        found.append({"method": "fasten", "noise": SYMMETRIC, "rate": 0.8, "key": f"fasten {i}"} | parameters)
    return pd.DataFrame(found).assign(**columns)


def lines(ax: plt.Axes) -> list[list[float]]:
    """Heights of all lines with points; those of a legend have none."""
    return [line.get_ydata().round(6).tolist() for line in ax.get_lines() if len(line.get_ydata())]


def titles(fig: plt.Figure) -> list[str]:
    return [ax.get_title() for ax in fig.axes]


def shown(table: pd.DataFrame) -> list[list]:
    """Cells, missing ones empty."""
    return blank(table).to_numpy().tolist()


HARD = rows(("glc", SYMMETRIC, 0.8, 0.6), ("fasten", SYMMETRIC, 0.8, 0.7), ("fasten", SYMMETRIC, 0.8, 0.8))
EASY = rows(("fasten", SYMMETRIC, 0.2, 0.9), ("fasten", "pair_flip", 0.4, 0.85))
TABLE = pd.concat([EASY, HARD]).assign(key=list("abcde"))


def test_passes_of_methods():
    table = exhibits.passes_of_methods()
    assert [*table.index] == ALL and [*table.columns] == ["forward", "backward", "what it does"]
    assert table.loc["fasten"].tolist()[:2] == [2, 1] and table.loc["mloc"].tolist()[:2] == [3, 4]
    assert table.loc["fasten", "what it does"].startswith("Two linear heads on the same features: a clean one")
    assert not table["what it does"].str.contains("\n|  ").any()


def test_findings():
    """Accuracies are those at the highest symmetric noise; a claim that was not judged was not run."""
    others = rows(("ce", SYMMETRIC, 0.8, 0.5), ("trusted_only", SYMMETRIC, 0.8, 0.25), ("ce", "pair_flip", 0.9, 0.99))
    ours = pd.concat([TABLE, others]).assign(dataset="fashion", trusted=1000, images=4900.0)
    verdicts = pd.DataFrame({"claim": ["B1", "B2"], "verdict": ["reproduced", "partly"]})
    found = exhibits.findings(verdicts, ours, "laptop", "last")
    assert [*found][:3] == ["verdict_B1", "verdict_B2", "verdict_B3"] and "verdict_B5b" in found
    assert [found[f"verdict_B{i}"] for i in (1, 2, 3)] == ["reproduced", "partly", "not run"]
    accuracies = {name: found[f"acc_{name}"] for name in ("fasten", "glc", "trusted_only", "ce")}
    assert accuracies == {"fasten": "75.0 %", "glc": "60.0 %", "trusted_only": "25.0 %", "ce": "50.0 %"}
    rest = {name: text for name, text in found.items() if not name.startswith(("verdict", "acc"))}
    assert rest == {
        "tier": "laptop",
        "rule": "last",
        "data": "fashion",
        "top": "0.8",
        "best": "fasten with 75.0 %",
        "trusted": "1,000",
        "pairs": "4,900",
    }


def test_accuracies():
    table = exhibits.accuracies(TABLE)
    assert [*table.index] == ALL and [*table.columns] == ["sym 0.2", "asym 0.4", "sym 0.8"]
    assert shown(table.loc[["glc", "fasten"]]) == [["", "", "60.0"], ["90.0", "85.0", "75.0 ± 7.1"]]
    assert table.loc["ce"].isna().all()


def test_shares_of_wrong_labels():
    table = exhibits.shares_of_wrong_labels(TABLE.assign(realised_rate=[0.18, 0.41, 0.72, 0.71, 0.73]))
    assert [*table.columns] == ["min", "max", "exclusive"] and [*table.index] == ["sym 0.2", "asym 0.4", "sym 0.8"]
    assert table.to_numpy().tolist() == [[18, 18, 18], [41, 41, ""], [71, 73, 72]]


def test_prices_of_paper():
    table = exhibits.prices_of_paper(0.8)
    assert table.cost["fasten"] == 1 and round(table.cost["mlac"], 2) == 6.64  # of the abstract
    assert (table.accuracy["fasten"], table.accuracy["glc"]) == (79.52, 67.44)
    assert table.cost.idxmin() == "fasten" and len(table) == 8


def test_accuracy_against_cost():
    fig = exhibits.accuracy_against_cost(HARD.assign(seconds=[30.0, 12.0, 10.0]))
    assert titles(fig) == ["ours, symmetric 0.8", "paper, symmetric 0.8"]
    points = {bars.get_label(): bars.lines[0].get_xydata()[0].tolist() for bars in fig.axes[0].containers}
    assert points["fasten"] == pytest.approx([1, 75]) and points["glc"] == pytest.approx([3, 60])
    assert len(fig.axes[1].containers) == 8 and fig.axes[0].get_xscale() == "log"


def test_costs():
    spent = {"seconds": [30.0, 12.0, 10.04], "forward_passes": [3, 2, 2], "backward_passes": [2, 1, 1]}
    table = exhibits.costs(HARD.assign(**spent, peak_memory_mb=[7, 9, 8]))
    assert [*table.columns] == ["seconds", "FasTEN = 1", "forward_passes", "backward_passes", "peak_memory_mb"]
    assert [*table.index] == ["fasten", "glc"]  # the cheapest first
    assert table.to_numpy().tolist() == [[10.0, 1.0, 2, 1, 8], [30.0, 2.99, 3, 2, 7]]


def test_accuracy_by_rule():
    chosen = {"noisy_validation": [0.9] * 5, "clean_validation": [0.9, 0.9, 0.1, 0.9, 0.9]}
    early = TABLE.assign(step=1, **chosen)
    early["test_accuracy"] = [0.1, 0.1, 0.5, 0.75, 0.85]
    late = TABLE.assign(step=2, noisy_validation=0.5, clean_validation=0.5)
    table = exhibits.accuracy_by_rule(pd.concat([early, late], ignore_index=True))
    assert [*table.index] == ALL
    assert [*table.columns] == ["last", "best on test (leaks)", "noisy validation", "clean validation"]
    assert table.loc["glc"].tolist() == ["60.0", "60.0", "50.0", "60.0"]
    assert table.loc["fasten"].tolist() == ["75.0 ± 7.1", "80.0 ± 7.1", "80.0 ± 7.1", "80.0 ± 7.1"]


def matrices() -> pd.DataFrame:
    """Two evaluations of MLoC and GLC under two noises."""
    runs = [(method, *noise, 0.9) for noise in ((SYMMETRIC, 0.8), ("pair_flip", 0.4)) for method in ("mloc", "glc")]
    early = rows(*runs).assign(step=50, steps=100, T_error=[0.4, 0.2, 0.3, 0.1], T_chi2=[np.inf, 0.5, np.inf, 0.3])
    late = early.assign(step=100, T_error=[0.2, 0.1, 0.1, 0.05], T_chi2=[np.inf, 0.25, np.inf, 0.15])
    return pd.concat([early, late], ignore_index=True)


def test_matrix_error():
    fig = exhibits.matrix_error(matrices())
    assert titles(fig) == ["symmetric 0.8", "pair_flip 0.4"] and fig.axes[0].get_ylabel() == "error of T"
    assert [lines(ax) for ax in fig.axes] == [[[0.2, 0.1], [0.4, 0.2]], [[0.1, 0.05], [0.3, 0.1]]]  # glc, mloc
    assert [text.get_text() for text in fig.axes[1].get_legend().get_texts()] == ["glc", "mloc"]


def test_matrix_chi_square_leaves_mloc_out():
    fig = exhibits.matrix_chi_square(matrices())
    assert [lines(ax) for ax in fig.axes] == [[[0.5, 0.25]], [[0.3, 0.15]]]
    assert [ax.get_yscale() for ax in fig.axes] == ["log", "log"]


def test_diagonals():
    early = TABLE.assign(step=50, steps=100, T_diagonal=0.9, corrected_diagonal=0.5)
    late = early.assign(step=100, T_diagonal=0.95, corrected_diagonal=0.75)
    fig = exhibits.diagonals(pd.concat([early, late], ignore_index=True))
    assert titles(fig) == ["noise 0.2", "noise 0.8"]  # symmetric noise alone
    assert lines(fig.axes[0]) == lines(fig.axes[1]) == [[0.5, 0.75], [0.9, 0.95]]
    assert [text.get_text() for text in fig.axes[1].get_legend().get_texts()] == ["labels in use", "T-hat"]


def test_diagonals_of_paper():
    table = exhibits.diagonals_of_paper()
    assert table.shape == (4, 10) and [*table.columns][-1] == 65
    assert table.loc["matrix=estimated, symmetric 0.8 (inclusive)", 0] == 0.593


def test_corrections():
    """Means over seeds; methods that correct nothing are left out, and a noise that was not run has no number."""
    shares = {
        "corrected": [0.9, 0.8, np.nan, 0.5, 0.7],
        "corrected_wrong": 0.5,
        "miscorrected": [0.1, 0.2, 0, 0.3, 0.1],
    }
    mslc = rows(("mslc", SYMMETRIC, 0.8, 0.7), corrected=0.25, corrected_wrong=0.125, miscorrected=0.0)
    table = exhibits.corrections(pd.concat([TABLE.assign(**shares), mslc]))
    assert [*table.index] == ["sym 0.2", "asym 0.4", "sym 0.8"]
    assert shown(table["right"]) == [[90, ""], [80, ""], [60, 25]] and [*table["right"].columns] == ["fasten", "mslc"]
    assert shown(table["put right"])[2] == [50, 12.5] and shown(table["put wrong"])[2] == [20, 0]


def test_perturbed_corrections():
    parts = fastens({}, {}, {"perturb": 1.0}, {"correct": False}, test_accuracy=[0.7, 0.8, 0.6, 0.5])
    table = exhibits.perturbed_corrections(parts)
    assert [*table.index] == ["ours", "paper, fasten", "paper, mlac", "paper, mslc"]
    assert [*table.columns][:2] == [0, 0.1] and [*table.columns][-2:] == [1, "no corrections"]
    assert table.loc["ours", [0, 0.1, 1, "no corrections"]].tolist() == ["75.0 ± 7.1", "", "60.0", "50.0"]
    assert table.loc["paper, fasten", [0, "no corrections"]].tolist() == ["77.9", "71.2"]
    assert table.loc["paper, mlac", "no corrections"] == ""


def test_changed_names_what_is_not_the_default():
    parts = fastens({}, {"rho": 0.5}, {"correct": False}, {"lam": 2.0, "immediate": True})
    assert exhibits.changed(parts).tolist() == ["FasTEN", "rho = 0.5", "correct = False", "lam = 2.0 immediate = True"]


def test_one_thing_changed():
    parts = fastens({"rho": 0.5}, {}, {}, test_accuracy=[0.5, 0.7, 0.8]).assign(rate=[0.4, 0.8, 0.8])
    table = exhibits.one_thing_changed(parts)
    assert [*table.index] == ["rho = 0.5", "FasTEN"] and [*table.columns] == [0.4, 0.8]
    assert shown(table) == [["50.0", ""], ["", "75.0 ± 7.1"]]


def test_number_of_trusted_images():
    table = exhibits.number_of_trusted_images(HARD.assign(trusted=[100, 100, 20], corrected_wrong=[np.nan, 0.5, 0.25]))
    assert [*table.index] == ["100", "20"] and [*table.columns] == ["glc", "fasten", "fasten: put right"]
    assert shown(table) == [["60.0", "70.0", "50.0"], ["", "80.0", "25.0"]]


def test_shifted_images():
    """Only methods that were shifted, at the same noise and number of trusted images; one run counts once."""
    measured = {"T_diagonal": [np.nan, 0.9, 0.8], "corrected_wrong": [np.nan, 0.6, 0.0], "trusted": 100}
    runs = fastens({}, {}, {"correct": False}, test_accuracy=[0.5, 0.7, 0.6], **measured)
    runs["method"] = ["glc", "fasten", "fasten"]
    shifted = runs.assign(key=["s1", "s2", "s3"], test_accuracy=[0.55, 0.75, 0.65])
    numbers = pd.concat([runs[:2], runs[:1].assign(key="few", trusted=20), runs[:1].assign(key="l", method="l2rw")])
    parts = pd.concat([runs[1:], runs[1:2].assign(key="easy", rate=0.4)])
    table = exhibits.shifted_images(shifted, numbers, parts)
    assert [*table.index] == ["glc", "FasTEN", "correct = False"]
    assert shown(table["accuracy"][["shifted", "plain"]]) == [["55.0", "50.0"], ["75.0", "70.0"], ["65.0", "60.0"]]
    assert shown(table["diagonal of T"])[0] == ["", ""] and shown(table["put right"])[1] == ["60.0", "60.0"]


def test_table_1_of_paper():
    table = exhibits.table_1_of_paper()
    assert [*table.index] == ["glc", "l2rw", "mwnet", "mloc", "mlac", "mslc", "deep_knn", "fasten"]
    assert [*table.columns][0] == "asymmetric 0.2" and [*table.columns][-1] == "symmetric 0.8" and table.shape == (8, 6)
    assert table.loc["glc", "symmetric 0.8"] == "67.4 ± 1.5"


def test_contradictions_of_paper():
    table = exhibits.contradictions_of_paper()
    assert [*table.loc["method=l2rw"].value] == [88.26, 86.26] and [*table.loc["method=fasten"].value] == [79.52, 77.88]
    assert len(table) == 4


def test_clothing_of_paper():
    table = exhibits.clothing_of_paper()
    assert len(table) == 15 and table.ours.eq("not run").all()
    assert (table.value["method=mlac"], table.plusminus["method=mlac"], table.plusminus["method=l2rw"]) == (
        75.78,
        "",
        0.24,
    )


def test_time_to_best():
    """Chosen by noisy validation: FasTEN's first evaluation, GLC's second; ratios are of the same seed."""
    early = HARD[:2].assign(step=1, seed=0, key=["a", "b"], seconds=[15.0, 5.0], noisy_validation=[0.1, 0.9])
    late = early.assign(step=2, seconds=[30.0, 10.0], noisy_validation=0.5)
    history = pd.concat([early, late], ignore_index=True)
    slower = history.assign(seed=1, key=history.key + "1", seconds=4 * history.seconds)
    table = exhibits.time_to_best(pd.concat([history, slower], ignore_index=True))
    assert [*table.index] == ["glc", "fasten"]
    assert table.loc["glc", "paper, whole training"] == "1.49"
    assert table.loc["glc", "time, FasTEN = 1"] == "6.00" and table.loc["fasten", "time, FasTEN = 1"] == "1.00"
    scattered = slower.assign(seconds=slower.seconds.mask(slower.method == "glc", 30.0))
    table = exhibits.time_to_best(pd.concat([history, scattered], ignore_index=True))
    assert table.loc["glc", "time, FasTEN = 1"].startswith("3.00 (")


def test_two_heads_or_two_networks():
    both = fastens({}, {"shared": False}, test_accuracy=[0.8, 0.7], train_seconds=[2.0, 3.0])
    table = exhibits.heads(both)
    assert table.loc["two heads"].tolist() == ["80.0", 2.0] and table.loc["two networks"].tolist() == ["70.0", 3.0]
