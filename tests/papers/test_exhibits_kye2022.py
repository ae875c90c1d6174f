"""What chapter 8 shows, on frames made by hand."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from nlcore import words
from nlcore.inputs import UserError
from nlcore.papers.kye2022 import exhibits, sentences
from nlcore.papers.kye2022.experiments import ALL
from nlcore.papers.kye2022.measured import priced
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
RULED = {"noisy_validation": 0.5, "clean_validation": 0.5, "step": 1, "seed": 0}


def test_passes_of_methods():
    table = exhibits.passes_of_methods()
    assert [*table.index] == [words.method(name) for name in ALL]
    assert table.loc["FasTEN"].tolist() == ["loss correction", "one", 2, 1]
    assert table.loc["meta loss correction (MLoC)"].tolist() == ["loss correction", "two", 3, 4]


def test_what_a_reader_may_ask_for():
    assert exhibits.compared([]) == [] and exhibits.compared(["glc"]) == ["ce", "glc", "fasten"]
    assert exhibits.one_network([]) == [] and exhibits.one_network(["mlp2"]) == ["mlp2"]
    assert exhibits.values_beside("laptop", 0.8, 0.5) == {}
    assert exhibits.values_beside("laptop", 0.7, 0.5) == {"rhos": [0.5, 0.7, 0.8, 0.95]}
    with pytest.raises(UserError, match="uncorrected"):
        exhibits.compared(["uncorrected"])  # a variant would be mixed with FasTEN
    with pytest.raises(UserError, match="one network"):
        exhibits.one_network(["mlp1", "mlp2"])


def test_circumstances():
    one = HARD.assign(dataset="fashion", model="conv_small", trusted=1000, images=4900.0, seed=[0, 1, 2])
    told = "Fashion-MNIST, small conv net, 1,000 trusted images beside 4,900 noisy ones, tier laptop"
    assert exhibits.circumstances(one, "laptop", "last") == f"{told}, last evaluation, up to 3 seeds"
    several = one.assign(trusted=[10, 20, 20], seed=0)
    assert exhibits.circumstances(several, "smoke") == "Fashion-MNIST, small conv net, tier smoke, one seed"


def test_accuracies():
    table = exhibits.accuracies(TABLE)
    assert [*table.index] == ["gold loss correction (GLC)", "FasTEN"]  # no rows of what was not run
    assert [*table.columns] == ["symmetric 0.2", "pair 0.4", "symmetric 0.8"]
    assert shown(table) == [["", "", "60.0"], ["90.0", "85.0", "75.0 ± 7.1"]]


def test_what_diverged_costs_nothing_that_could_be_compared():
    """Its training ended early: fewer seconds and passes than those of a whole one."""
    spent = {"forward_passes": [20, 30], "backward_passes": [10, 20], "train_seconds": [10.0, 5.0]}
    both = pd.concat(
        [
            HARD[:2].assign(**spent, seed=0, diverged=[False, True]),
            HARD[:2].assign(
                forward_passes=[20, 60], backward_passes=[10, 40], train_seconds=[11.0, 22.0], seed=1, diverged=False
            ),
        ]
    )
    assert exhibits.costs(both.assign(method=["fasten", "l2rw"] * 2)).loc[words.method("l2rw"), "seconds"] == "22.0"
    alone = both[both.seed == 0].assign(method=["fasten", "l2rw"])
    assert {*exhibits.costs(alone).loc[words.method("l2rw"), ["seconds", "FasTEN = 1", "forward passes"]]} == {""}
    assert (
        math.isnan(priced(alone).cost["l2rw"])
        and priced(both.assign(method=["fasten", "l2rw"] * 2)).cost["l2rw"] == 2.2
    )


def test_shares_of_wrong_labels():
    table = exhibits.shares_of_wrong_labels(
        TABLE.assign(realised_rate=[0.18, 0.41, 0.72, 0.71, 0.73], dataset="digits")
    )
    assert [*table.index] == ["symmetric 0.2", "pair 0.4", "symmetric 0.8"]
    assert table.to_numpy().tolist() == [["18.0"] * 3, ["41.0", "41.0", ""], ["71.0", "73.0", "72.0"]]


def test_leads_are_paired_by_seed():
    seeds = [HARD[:2].assign(**RULED | {"seed": i}, key=[f"g{i}", f"f{i}"]) for i in (0, 1)]
    seeds[1].test_accuracy += 0.05
    table = exhibits.leads(pd.concat(seeds, ignore_index=True), "glc")
    assert [*table.columns] == ["last evaluation", "chosen by noisy validation", "chosen by clean validation"]
    assert table.loc["symmetric 0.8", "last evaluation"] == "+10.0 (10.0 to 10.0)"


def test_over_training():
    history = pd.concat([TABLE.assign(step=step, steps=100, seed=0) for step in (50, 100)], ignore_index=True)
    fig = exhibits.over_training(history)
    assert titles(fig) == ["symmetric 0.8", "pair 0.4"]
    assert [line for line in lines(fig.axes[0])] == [[60, 60], [75, 75]]


def test_prices_of_paper():
    table = exhibits.prices_of_paper(0.8)
    assert table.cost["fasten"] == 1 and round(table.cost["mlac"], 2) == 6.64  # of the abstract
    assert (table.accuracy["fasten"], table.accuracy["glc"]) == (79.52, 67.44)
    assert table.cost.idxmin() == "fasten" and len(table) == 8


def test_accuracy_against_cost():
    fig = exhibits.accuracy_against_cost(HARD.assign(train_seconds=[30.0, 12.0, 10.0], seconds=1.0))
    assert titles(fig) == ["ours, symmetric 0.8", "paper, symmetric 0.8"]
    points = {bars.get_label(): bars.lines[0].get_xydata()[0].tolist() for bars in fig.axes[0].containers}
    assert points["FasTEN"] == pytest.approx([1, 75])
    assert points["gold loss correction (GLC)"] == pytest.approx([3, 60])
    looks = {(bars.lines[0].get_color(), bars.lines[0].get_marker()) for bars in fig.axes[1].containers}
    assert len(looks) == 8  # each method its own, the same as elsewhere
    assert len(fig.axes[1].containers) == 8 and fig.axes[0].get_xscale() == "log"


def test_costs():
    spent = {
        "train_seconds": [30.0, 12.0, 10.04],
        "seconds": 1.0,
        "forward_passes": [3, 2, 2],
        "backward_passes": [2, 1, 1],
    }
    table = exhibits.costs(HARD.assign(**spent))
    assert [*table.index] == ["FasTEN", "gold loss correction (GLC)"]  # the cheapest first
    assert table.to_numpy().tolist() == [["10.0", "1.00", "1.00", "2", "1"], ["30.0", "2.99", "1.49", "3", "2"]]


def test_by_rule():
    chosen = {"noisy_validation": [0.9] * 5, "clean_validation": [0.9, 0.9, 0.1, 0.9, 0.9]}
    early = TABLE.assign(step=1, **chosen)
    early["test_accuracy"] = [0.1, 0.1, 0.5, 0.75, 0.85]
    late = TABLE.assign(step=2, noisy_validation=0.5, clean_validation=0.5)
    table = exhibits.by_rule(pd.concat([early, late], ignore_index=True))
    assert [*table.columns][:3] == [
        f"symmetric 0.8, {rule}" for rule in ("last", "noisy validation", "clean validation")
    ]
    assert table.columns[3] == "pair 0.4, last" and len(table.columns) == 6
    assert table.loc["gold loss correction (GLC)"].tolist()[:3] == ["60.0", "50.0", "60.0"]
    assert table.loc["FasTEN"].tolist() == ["75.0 ± 7.1", "80.0 ± 7.1", "80.0 ± 7.1", "85.0", "10.0", "10.0"]


def matrices() -> pd.DataFrame:
    """Two evaluations of MLoC and GLC under two noises."""
    runs = [(method, *noise, 0.9) for noise in ((SYMMETRIC, 0.8), ("pair_flip", 0.4)) for method in ("mloc", "glc")]
    early = rows(*runs).assign(step=50, steps=100, T_error=[0.4, 0.2, 0.3, 0.1], T_chi2=[np.inf, 0.5, np.inf, 0.3])
    late = early.assign(step=100, T_error=[0.2, 0.1, 0.1, 0.05], T_chi2=[np.inf, 0.25, np.inf, 0.15])
    return pd.concat([early, late], ignore_index=True)


def legend(fig: plt.Figure) -> list[str]:
    return [text.get_text() for text in fig.legends[0].get_texts()]


def test_matrix_error():
    fig = exhibits.matrix_error(matrices())
    assert titles(fig) == ["symmetric 0.8", "pair 0.4"] and fig.axes[0].get_ylabel() == "error of T"
    assert [lines(ax) for ax in fig.axes] == [[[0.2, 0.1], [0.4, 0.2]], [[0.1, 0.05], [0.3, 0.1]]]  # glc, mloc
    assert legend(fig) == ["gold loss correction (GLC)", "meta loss correction (MLoC)"]


def test_matrices_at_the_end_have_no_infinite_number():
    end = matrices().query("step == 100").assign(T_diagonal=0.5)
    table = exhibits.matrices_at_the_end(end)
    assert table.loc[("symmetric 0.8", "meta loss correction (MLoC)")].tolist() == ["0.200", "", "0.500"]
    assert table.loc[("pair 0.4", "gold loss correction (GLC)")].tolist() == ["0.050", "0.150", "0.500"]


def test_diagonals():
    early = TABLE.assign(step=50, steps=100, T_diagonal=0.9, corrected_diagonal=0.5)
    late = early.assign(step=100, T_diagonal=0.95, corrected_diagonal=0.75)
    fig = exhibits.diagonals(pd.concat([early, late], ignore_index=True))
    assert titles(fig) == ["ours, symmetric 0.8", "ours, pair 0.4", "paper, symmetric 0.8", "paper, asymmetric 0.4"]
    assert lines(fig.axes[0]) == [[0.5, 0.75], [0.9, 0.95]]
    assert lines(fig.axes[2])[1][0] == 0.593  # where the paper's estimate begins
    assert legend(fig) == ["labels in use (true)", "estimated by the noisy head"]


def test_corrections():
    """Means over seeds; methods that correct nothing are left out, and a noise that was not run has no number."""
    right, wrong = [0.5, 0.5, np.nan, 0.5, 0.5], [0.1, 0.2, np.nan, 0.3, 0.1]
    corrected = TABLE.assign(corrected=right, corrected_wrong=right, miscorrected=wrong)
    mslc = rows(("mslc", SYMMETRIC, 0.8, 0.7), corrected=0.25, corrected_wrong=0.125, miscorrected=0.0)
    table = exhibits.corrections(pd.concat([corrected, mslc]))
    assert [*table.columns] == ["FasTEN: put right", "FasTEN: put wrong", "MSLC: put right", "MSLC: put wrong"]
    assert table.loc["symmetric 0.8"].tolist() == ["50.0", "20.0", "12.5", "0.0"]
    assert table.loc["pair 0.4"].tolist() == ["50.0", "20.0", "", ""]


def test_perturbed_corrections():
    parts = fastens({}, {}, {"perturb": 1.0}, {"correct": False}, test_accuracy=[0.7, 0.8, 0.6, 0.5])
    fig = exhibits.perturbed_corrections(parts)
    ours, paper = ({bars.get_label(): bars.lines[0].get_ydata() for bars in ax.containers} for ax in fig.axes)
    assert ours["FasTEN"].astype(float).round(6).tolist() == [75, 60] and [*ours] == ["FasTEN"]
    assert paper["FasTEN"][0] == 77.88 and len(paper) == 3
    assert fig.axes[0].get_lines()[-1].get_ydata()[0] == 50  # without corrections


def test_changed_names_what_is_not_the_default():
    parts = fastens({}, {"rho": 0.5}, {"correct": False}, {"lam": 2.0, "immediate": True})
    told = ["as in the paper", "threshold ρ = 0.5", "without corrections", "weight λ = 2.0 immediate = True"]
    assert exhibits.changed(parts).tolist() == told


def test_one_thing_changed():
    parts = fastens({"rho": 0.5}, {}, {}, test_accuracy=[0.5, 0.7, 0.8]).assign(rate=[0.4, 0.8, 0.8])
    table = exhibits.one_thing_changed(parts)
    assert [*table.index] == ["as in the paper", "threshold ρ = 0.5"]
    assert [*table.columns] == ["symmetric 0.4", "symmetric 0.8"]
    assert shown(table) == [["", "75.0 ± 7.1"], ["50.0", ""]]


def test_number_of_trusted_images():
    table = exhibits.number_of_trusted_images(HARD.assign(trusted=[100, 100, 20], corrected_wrong=[np.nan, 0.5, 0.25]))
    assert [*table.index] == ["100", "20"]
    assert [*table.columns] == ["gold loss correction (GLC)", "FasTEN", "wrong labels put right"]
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
    ways = ["gold loss correction (GLC)", "FasTEN, as in the paper", "FasTEN, without corrections"]
    assert [*table.index] == ways
    assert shown(table["accuracy"][["shifted", "plain"]]) == [["55.0", "50.0"], ["75.0", "70.0"], ["65.0", "60.0"]]
    assert shown(table["diagonal of T"])[0] == ["", ""] and shown(table["put right"])[1] == ["60.0", "60.0"]


@pytest.mark.parametrize(("dataset", "glc", "last"), [("cifar10", "67.4 ± 1.5", "79.5"), ("cifar100", "20.4", "37.4")])
def test_table_1_of_paper(dataset, glc, last):
    table = exhibits.table_1_of_paper(dataset)
    assert [*table.columns][0] == "symmetric 0.2" and [*table.columns][-1] == "asymmetric 0.4" and table.shape == (8, 6)
    assert table.loc["gold loss correction (GLC)", "symmetric 0.8"].startswith(glc)
    assert table.loc["FasTEN", "symmetric 0.8"].startswith(last)


def test_time_to_best():
    """Chosen by noisy validation: FasTEN's first evaluation, GLC's second; ratios are of the same seed."""
    early = HARD[:2].assign(step=1, seed=0, key=["a", "b"], seconds=[15.0, 5.0], noisy_validation=[0.1, 0.9])
    late = early.assign(step=2, seconds=[30.0, 10.0], noisy_validation=0.5)
    history = pd.concat([early, late], ignore_index=True)
    slower = history.assign(seed=1, key=history.key + "1", seconds=4 * history.seconds)
    table = exhibits.time_to_best(pd.concat([history, slower], ignore_index=True))
    glc, fasten = table.index
    assert (glc, fasten) == ("gold loss correction (GLC)", "FasTEN")
    assert table.loc[glc].tolist() == ["6.00", "60.0 ± 0.0", "1.49"]
    assert table.loc[fasten, "time to the best, FasTEN = 1"] == "1.00"
    scattered = slower.assign(seconds=slower.seconds.mask(slower.method == "glc", 30.0))
    table = exhibits.time_to_best(pd.concat([history, scattered], ignore_index=True))
    assert table.loc[glc, "time to the best, FasTEN = 1"].startswith("3.00 (")


def test_two_heads_or_two_networks():
    both = fastens({}, {"shared": False}, test_accuracy=[0.8, 0.7], train_seconds=[2.0, 3.0])
    table = exhibits.heads(both)
    assert table.loc["two heads on one network"].tolist() == ["80.0", "2.0"]
    assert table.loc["two networks"].tolist() == ["70.0", "3.0"]


def test_numbers_in_sentences():
    """Paired by seed; what was not run says so instead of a number that is none."""
    history = pd.concat([HARD[:2], rows(("ce", SYMMETRIC, 0.8, 0.5))]).assign(**RULED, key=list("abc"))
    said = sentences.by_rule(history)
    assert (said["lead_last"], said["over_glc_noisy"], said["leads_clean"]) == ("+20.0", "+10.0", "+20.0")
    assert said["ce_last"] == "50.0" and said["pair_lead_last"] == said["mslc_last"] == sentences.NOT_RUN
    paper = sentences.paper()
    assert paper["paper_over_glc"] == "+2.3, +4.8, +6.4, +12.1" and paper["twice_l2rw"] == "88.26, 86.26"
    assert (paper["once_fasten"], paper["again_fasten"]) == ("79.52", "77.88")
    assert (paper["paper_hundred"], paper["paper_hundred_next"]) == ("37.4", "23.4")


def test_what_random_labels_gain():
    shaken = fastens({}, {"perturb": 1.0}, {"correct": False}, test_accuracy=[0.7, 0.75, 0.6]).assign(**RULED)
    found = fastens({}, corrected_wrong=0.5, miscorrected=0.25)
    said = sentences.corrections(shaken, found)
    assert (said["right_over_none"], said["random_over_none"], said["random_over_right"]) == ("+10.0", "+15.0", "+5.0")
    assert (said["put_right"], said["put_wrong"], said["put_wrong_mlac"]) == ("50", "25", sentences.NOT_RUN)
