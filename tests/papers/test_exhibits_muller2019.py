"""What chapter 6 shows, on frames made by hand."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from nlcore.papers.muller2019 import exhibits

NONE = float("nan")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def runs(*rows: tuple, **columns) -> pd.DataFrame:
    """A row per run: method, smoothing, seed, test accuracy."""
    frame = pd.DataFrame(rows, columns=["method", "method_a", "seed", "test_accuracy"])
    return frame.assign(**({"model": "conv_small", "dataset": "cifar10", "rate": 0.0} | columns))


CLEAN = runs(
    ("ce", NONE, 0, 0.50),
    ("ce", NONE, 1, 0.52),
    ("label_smoothing", 0.1, 0, 0.5234),
    ("label_smoothing", 0.1, 1, 0.5234),
    ("label_smoothing", 0.05, 0, 0.40),
    ece=[0.3, 0.5, 0.05, 0.06, 0.2],
    ece_adaptive=0.2,
    temperature=[4.0, 5.0, 1.0, 1.1, 1.5],
    ece_scaled=0.03,
    ece_adaptive_scaled=0.04,
    test_loss=[3.0, 4.0, 1.0, 1.5, 2.0],
    information=[1.4, 1.5, 0.9, 0.7, 1.0],
    tightness_train=0.3,
    tightness_test=[1.6, 1.8, 1.5, 1.5, 1.0],
    unequal_train=0.1,
    unequal_test=0.2,
)


def test_calibration_is_by_smoothing_and_cross_entropy_has_0():
    table = exhibits.calibration(CLEAN)
    assert table.index.name == "a" and [*table.index] == [0.0, 0.05, 0.1]
    assert [*table.columns[:2]] == ["test_accuracy", "ece"] and table.columns[-1] == "test_loss"
    assert [*table.test_accuracy] == [0.51, 0.4, 0.523] and [*table.ece] == [0.4, 0.2, 0.055]
    assert [*table.temperature] == [4.5, 1.5, 1.05] and [*table.test_loss] == [3.5, 2.0, 1.25]


def test_geometry_and_information_are_means_by_smoothing():
    geometry = exhibits.geometry(CLEAN)
    assert [*geometry.columns] == ["tightness_train", "tightness_test", "unequal_train", "unequal_test"]
    assert geometry.tightness_test.to_dict() == {0.0: 1.7, 0.05: 1.0, 0.1: 1.5}
    assert exhibits.information(CLEAN).information.to_dict() == {0.0: 1.45, 0.05: 1.0, 0.1: 0.8}


def test_the_papers_calibration_has_empty_cells_where_nothing_was_scaled():
    table = exhibits.published_calibration()
    accuracy = table.loc[("test accuracy (%)", "cifar100")]
    assert [*accuracy.a] == [0.0, 0.1] and [*accuracy.value] == [72.1, 72.7] and {*accuracy.scaled} == {""}
    ece = table.loc[("ECE (15 bins)", "cifar100")].set_index(["a", "scaled"]).value
    assert ece[0.0, ""] == 0.15 and ece[0.0, "temperature=1.9"] == 0.021 and ece[0.05, ""] == 0.024


def test_reliability_is_that_of_seed_0_for_each_smoothing():
    bins = [[0, 0.0, 0.0], [10, 0.6, 0.5], [30, 0.9, 0.8]]
    fig = exhibits.reliability(CLEAN.assign(reliability=[bins] * len(CLEAN)))
    assert [ax.get_title() for ax in fig.axes] == ["a = 0", "a = 0.1", "a = 0.05"]
    assert fig.axes[0].get_xlabel() == "confidence" and fig.axes[0].get_ylabel() == "accuracy"
    curve = fig.axes[1].lines[1]  # the first is the diagonal; an empty bin has no point
    assert [*curve.get_xdata()] == [0.6, 0.9] and [*curve.get_ydata()] == [0.5, 0.8]


def test_projection_is_that_of_seed_0():
    points = [[[0, seed, 1.0], [1, seed, 2.0]] for seed in CLEAN.seed]
    fig = exhibits.projection(CLEAN.assign(points=points))
    assert [ax.get_title() for ax in fig.axes] == ["a = 0", "a = 0.1", "a = 0.05"]
    assert fig.axes[0].collections[0].get_offsets().tolist() == [[0, 1], [0, 2]]


NOISY = runs(
    ("ce", NONE, 0, 0.42),
    ("ce", NONE, 1, 0.44),
    ("label_smoothing", -0.4, 0, 0.30),
    ("label_smoothing", 0.1, 0, 0.45),
    ("forward", NONE, 0, 0.47),
    ("backward", NONE, 0, 0.20),
    ("ce", NONE, 0, 0.24),
    ("label_smoothing", 0.1, 0, 0.25),
    rate=[0.2] * 6 + [0.6] * 2,
    ece=[0.3, 0.5, 0.1, 0.1, 0.1, 0.1, 0.4, 0.2],
    ece_scaled=0.1,
    train_wrong=0.5,
)


def test_accuracy_against_smoothing_has_cross_entropy_at_0_and_no_correction():
    ax = exhibits.accuracy_against_smoothing(NOISY)
    assert ax.get_xlabel() == "smoothing a" and ax.get_ylabel() == "test accuracy, %"
    few, many = ax.lines[:2]
    assert [*few.get_xdata()] == [-0.4, 0.0, 0.1] and [*few.get_ydata()] == pytest.approx([30, 43, 45])
    assert [*many.get_xdata()] == [0.0, 0.1] and [*many.get_ydata()] == pytest.approx([24, 25])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0.2", "0.6"]


def test_methods_under_noise_are_named_with_their_smoothing():
    table = exhibits.methods_under_noise(NOISY)
    assert table.index.name == "method, a"
    assert [*table.index] == ["backward", "ce", "forward", "label_smoothing -0.4", "label_smoothing 0.1"]
    assert [*table.columns[:3]] == [("test_accuracy", 0.2), ("test_accuracy", 0.6), ("ece", 0.2)]
    assert [*table.loc["ce", "test_accuracy"]] == [0.43, 0.24] and table.loc["ce", ("ece", 0.2)] == 0.4
    assert pd.isna(table.loc["forward", ("test_accuracy", 0.6)])


def test_gaps_to_cross_entropy_are_at_the_lowest_rate_and_one_smoothing():
    table = exhibits.above_cross_entropy(NOISY, 0.1)
    assert [*table.index] == ["backward", "forward", "label_smoothing"]
    assert [*table.columns] == ["cifar10", "cifar100", "ours, cifar10 at 0.2"]
    assert [*table["ours, cifar10 at 0.2"]] == [-23.0, 4.0, 2.0]
    assert [*table.cifar10] == [-3.2, 0.3, 3.5]  # 77.23, 80.78 and 83.95 less 80.44
    without = exhibits.above_cross_entropy(NOISY[NOISY.method != "forward"], 0.1)
    assert pd.isna(without.loc["forward", "ours, cifar10 at 0.2"])


def test_the_papers_students_have_their_source():
    table = exhibits.published_students()
    hinton = table.loc["section 4"].set_index(["series", "at"]).value
    assert hinton["role=student", 0.0] == 0.74 and hinton["role=student", 0.1] == 0.91
    assert {*table.loc["Lukasik et al."].dataset} == {"cifar10", "cifar100"}


def test_students_are_errors_by_their_teacher_and_those_without_have_none():
    taught = {"method_temperature": [1.0, 1.0, NONE], "first_test_accuracy": [0.98, 0.96, NONE]}
    rows = runs(("distillation", 0.1, 0, 0.95), ("distillation", 0.1, 1, 0.93), ("ce", NONE, 0, 0.9), **taught)
    table = exhibits.students(pd.concat([rows, rows[2:].assign(rate=0.2, test_accuracy=0.8)]))
    assert table.index.names == ["method", "a", "temperature"]
    assert [*table.index] == [("ce", 0.0, 0.0), ("distillation", 0.1, 1.0)]
    assert table.loc[("distillation", 0.1, 1.0), ("student", "mean", 0.0)] == 6.0
    assert table.loc[("distillation", 0.1, 1.0), ("student", "std", 0.0)] == 1.41
    assert table.loc[("distillation", 0.1, 1.0), ("teacher", "mean", 0.0)] == 3.0
    assert table.loc[("distillation", 0.1, 1.0), ("student", "mean", 0.2)] == ""  # not run
    assert [*table.loc[("ce", 0.0, 0.0), ("student", "mean")]] == [10.0, 20.0]
    assert table.loc[("ce", 0.0, 0.0), ("teacher", "mean", 0.0)] == ""
    assert table.loc[("ce", 0.0, 0.0), ("student", "std", 0.0)] == ""  # one seed


def test_words_name_verdicts_and_what_smoothing_does():
    verdicts = pd.DataFrame({"claim": ["D1"], "verdict": ["reproduced"]})
    assert exhibits.words(verdicts, "laptop", "last", CLEAN, CLEAN.assign(dataset="mnist"), 0.1) == {
        "verdict_D1": "reproduced",
        "tier": "laptop",
        "rule": "last",
        "data": "cifar10",
        "network": "conv_small",
        "pupil_data": "mnist",
        "a": "0.1",
        "ece_hard": "0.400",
        "ece_smooth": "0.055",
        "gain": "+1.3 points",
    }


def test_sizes_of_weights_and_logits():
    sizes = runs(
        ("ce", NONE, 0, 0.5), ("label_smoothing", 0.1, 0, 0.5), logit_gap=[16.0, 4.5], norm_weights=[18.0, 17.0]
    )
    table = exhibits.norms(sizes.assign(norm_rows=1.0, norm_features=2.0))
    assert table["lead of the largest logit"].tolist() == [16.0, 4.5] and [*table.index] == [0.0, 0.1]


def test_a_hundred_classes_by_smoothing_and_noise():
    noisy = CLEAN.assign(rate=[0.0, 0.0, 0.0, 0.2, 0.0])
    table = exhibits.hundred_classes(noisy)
    assert table.loc[(0.0, 0.0), "ece"] == 0.4 and table.loc[(0.1, 0.2), "ece"] == 0.06
