"""What chapter 7 shows, on frames made by hand."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nlcore import data
from nlcore.papers.jiang2018 import exhibits

KINDS = {"self_paced": ("curriculum", "self_paced"), "focal": ("curriculum", "focal")}
KINDS |= {"PD": ("mentornet", "pd"), "DD": ("mentornet", "data")}
NAMES = ["self_paced", "hard_negative", "linear", "focal", "pd"]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def rows(*runs: tuple, **columns) -> pd.DataFrame:
    """A row per run: (way, rate, network, seed, accuracy)."""
    frame = pd.DataFrame(runs, columns=["way", "rate", "model", "seed", "test_accuracy"])
    kinds = [KINDS.get(way, (way, None)) for way in frame.pop("way")]
    frame["method"], frame["method_kind"] = [m for m, _ in kinds], [k for _, k in kinds]
    return frame.assign(key=[f"run {i}" for i in range(len(frame))], **columns)


def history(early: pd.DataFrame, late: pd.DataFrame) -> pd.DataFrame:
    """Two evaluations of the same runs, halfway and at the end."""
    return pd.concat([early.assign(step=50, steps=100), late.assign(step=100, steps=100)], ignore_index=True)


def lines(ax: plt.Axes) -> list[list[float]]:
    """Heights of all lines with points; those of a legend have none."""
    return [line.get_ydata().round(6).tolist() for line in ax.get_lines() if len(line.get_ydata())]


def titles(fig: plt.Figure) -> list[str]:
    """Those of all axes but the colour bar's."""
    return [ax.get_title() for ax in fig.axes if ax.get_title()]


BIG = rows(("ce", 0.4, "conv_small", 0, 0.5), ("ce", 0.4, "conv_small", 1, 0.6), ("DD", 0.4, "conv_small", 0, 0.75))
SMALL = rows(("ce", 0.4, "mlp1", 0, 0.9), ("DD", 0.4, "mlp1", 0, 0.8))
BOTH = pd.concat([SMALL, BIG]).assign(key=list("abcde"), train_wrong=[0.3, 0.1, 0.4, 0.6, 0.2])


def test_weights_by_formula():
    fig = exhibits.weights_by_formula()
    assert titles(fig) == NAMES
    images = [ax.images[0] for ax in fig.axes[:5]]
    maps = dict(zip(NAMES, (np.asarray(image.get_array()) for image in images), strict=True))  # [difference, loss]
    assert maps["self_paced"][30].tolist() == [1] * 61 and maps["self_paced"][31].tolist() == [0] * 61
    np.testing.assert_allclose(maps["linear"][35], 0.5, atol=1e-5)  # d = 0.5, whatever the loss
    np.testing.assert_allclose(maps["focal"][0, [0, 60]], [0, (1 - np.exp(-6)) ** 2], atol=1e-6)
    assert all(tuple(image.get_extent()) == (0, 6, -3, 3) for image in images)


def test_weights_as_learned():
    fig = exhibits.weights_as_learned(steps=150)
    assert titles(fig) == NAMES
    learned = np.asarray(fig.axes[0].images[0].get_array())
    assert learned.shape == (61, 61) and 0 <= learned.min() and learned.max() <= 1
    assert learned[0].mean() > 0.9 and learned[60].mean() < 0.1  # below the percentile, above it


def test_findings():
    """The big student alone counts, and a method that was not run says so."""
    early = BOTH.assign(test_accuracy=0.7, noisy_validation=[0.9, 0.1, 0.9, 0.9, 0.1])
    late = BOTH.assign(noisy_validation=0.5)
    table = history(early, late).assign(dataset="fashion", trusted=500, images=5000.0)
    verdicts = pd.DataFrame({"claim": ["E1", "E3"], "verdict": ["reproduced", "partly"]})
    assert exhibits.findings(verdicts, table, "laptop", "last") == {
        "verdict_E1": "reproduced",
        "verdict_E3": "partly",
        "gain_val": "+5.0 points",
        "gain_dd": "+20.0 points",
        "gain_pd": "(not run)",
        "gain_spl": "(not run)",
        "tier": "laptop",
        "rule": "last",
        "network": "conv_small",
        "data": "fashion",
        "trusted": "500",
        "examples": "5,000",
    }


def test_gain_is_of_noise_of_04():
    assert exhibits.gain(BOTH, "DD") == "+20.0 points"
    assert exhibits.gain(BOTH.assign(rate=0.8), "DD") == exhibits.gain(BIG[BIG.method != "ce"], "DD") == "(not run)"


def test_accuracies():
    table = exhibits.accuracies(BOTH)
    assert [*table.index] == [("mlp1", "ce"), ("mlp1", "DD"), ("conv_small", "ce"), ("conv_small", "DD")]
    assert table["test accuracy", 0.4].tolist() == ["90.0", "80.0", "55.0 ± 7.1", "75.0"]
    assert table["wrong labels learned", 0.4].tolist() == ["30.0", "10.0", "50.0", "20.0"]


def test_accuracies_of_a_cell_that_was_not_run():
    more = rows(("ce", 0.8, "conv_small", 0, 0.25), train_wrong=0.7)
    table = exhibits.accuracies(pd.concat([BOTH[2:], more])).loc["conv_small"]
    assert table["test accuracy", 0.8].fillna("").tolist() == ["25.0", ""]
    assert table["wrong labels learned", 0.8].tolist() == ["70.0", "nan"]


def test_accuracy_by_rule():
    early = BOTH.assign(test_accuracy=0.7, noisy_validation=0.6, clean_validation=[0.1, 0.1, 0.9, 0.9, 0.1])
    table = exhibits.accuracy_by_rule(history(early, BOTH.assign(noisy_validation=0.5, clean_validation=0.5)))
    assert [*table.columns] == ["last", "best on test (leaks)", "noisy validation", "clean validation"]
    assert table.loc["ce"].tolist() == ["55.0 ± 7.1", "70.0 ± 0.0", "70.0 ± 0.0", "70.0 ± 0.0"]
    assert table.loc["DD"].tolist() == ["75.0", "75.0", "70.0", "75.0"]


def test_error_over_training():
    fig = exhibits.error_over_training(history(BOTH.assign(test_accuracy=0.7), BOTH))
    assert titles(fig) == ["mlp1", "conv_small"] and fig.axes[0].get_ylabel() == "test error, %"
    assert lines(fig.axes[0]) == [[30, 10], [30, 20]] and lines(fig.axes[1]) == [[30, 45], [30, 25]]
    assert [text.get_text() for text in fig.axes[1].get_legend().get_texts()] == ["ce", "DD"]


def test_weight_by_loss():
    """One seed of the big student; halfway is the first evaluation after 24 % of training."""
    early = BOTH.assign(weighed=[[[60, 20, 1.0, 0.5], [0, 20, 0.0, 0.25]]] * 5)
    late = BOTH.assign(weighed=[[[100, 0, 1.0, 0.0], [0, 0, 0.0, 0.0]]] * 5)
    fig = exhibits.weight_by_loss(history(early, late), "DD")
    assert titles(fig) == ["DD, 50% of training", "DD, 100% of training"]
    assert [bar.get_height() for bar in fig.axes[0].patches] == [0.6, 0, 0.2, 0.2]  # right, then wrong labels
    assert lines(fig.axes[0]) == [[0.875, 0.25]] and lines(fig.axes[1]) == [[1.0]]
    once = history(early, late[late.method != "mentornet"])
    assert titles(exhibits.weight_by_loss(once, "DD")) == ["DD, 50% of training"]


def test_detection():
    seen = {"kept": [np.nan, 0.9, np.nan, np.nan, 0.5], "kept_precision": 0.75, "kept_recall": 0.625, "kept_auc": 0.9}
    table = exhibits.detection(BOTH.assign(**seen))
    assert [*table.index] == [(0.4, "DD")] and [*table.columns] == ["kept", "precision", "recall", "ROC area"]
    assert table.loc[0.4, "DD"].tolist() == [50, 75, 62.5, 90]


def test_detection_over_training():
    some = BOTH.assign(kept_auc=[np.nan, 0.9, np.nan, np.nan, 0.6], kept_recall=0.5)
    fig = exhibits.detection_over_training(history(some, some.assign(kept_recall=0.75)), "kept_recall", "recall")
    assert titles(fig) == ["0.4"] and lines(fig.axes[0]) == [[0.5, 0.75]] and fig.axes[0].get_ylabel() == "recall"


def test_beside_the_paper():
    ours = pd.concat([BOTH, rows(("focal", 0.4, "conv_small", 0, 0.5), ("ce", 0.2, "mlp1", 0, 0.7))])
    table = exhibits.beside_the_paper(ours)
    assert [*table.index] == ["DD", "focal"]  # of the big student, without the full model itself
    assert [*dict.fromkeys(table.columns.get_level_values(0))] == [
        "ours, mlp1",
        "ours, conv_small",
        "README, cifarnet",
        "README, wide_resnet",
        "Table 2, cifarnet",
        "Table 2, wide_resnet",
    ]
    assert table["ours, conv_small", 0.4].tolist() == [20, -5]
    assert table["ours, mlp1", 0.4].tolist() == [-10, ""] and table["ours, mlp1", 0.2].tolist() == ["", ""]
    assert table["Table 2, wide_resnet", 0.4]["focal"] == 65 - 69


def test_accuracy_by_rate():
    runs = ("ce", 0.4, "m", 0, 0.5), ("DD", 0.4, "m", 0, 0.7), ("DD", 0.4, "m", 0, 0.8), ("DD", 0.8, "m", 0, 0.6)
    table = exhibits.accuracy_by_rate(rows(*runs, method_source=[None, "", "mnist#0123456789ab", "mnist#0123456789ab"]))
    assert [*table.index] == ["ce", "DD", "DD from mnist"]
    assert table[0.4].tolist() == ["50.0", "70.0", "80.0"] and table[0.8].fillna("").tolist() == ["", "", "60.0"]


def test_price_of_checked_labels():
    runs = [("DD", 0.4, "m", seed, accuracy) for seed, accuracy in ((0, 0.7), (1, 0.8), (0, 0.5))]
    table = exhibits.price_of_checked_labels(rows(*runs, trusted=[50, 50, 5], kept_auc=[0.9, 0.9, 0.6]))
    assert [*table.index] == [5, 50]
    assert table["accuracy"].to_numpy().tolist() == [[50, ""], [75, 7.1]]
    assert table["ROC area"].to_numpy().tolist() == [[60, ""], [90, 0]]


def test_accuracy_by_parameter():
    """Columns rise, rows come as they are; a pair that was not run is missing."""
    runs = ("self_paced", 0.4, "m", 0, 0.5), ("self_paced", 0.4, "m", 0, 0.6), ("DD", 0.8, "m", 0, 0.7)
    table = exhibits.accuracy_by_parameter(rows(*runs, method_burn_in=[0.2, 0.0, 0.0]), "burn_in")
    assert [*table.index] == ["self_paced, 0.4", "DD, 0.8"] and [*table.columns] == [0, 0.2]
    assert table.fillna("").to_numpy().tolist() == [["60.0", "50.0"], ["70.0", ""]]


def test_folder_of_digits(tmp_path):
    truth = exhibits.folder_of_digits(tmp_path, count=200, checked=20)
    checked = pd.read_csv(tmp_path / "checked.csv", dtype=str)
    assert checked.equals(truth[:20]) and len(truth) == 200
    given = truth.file.str.split("/").str[0]
    assert 0.3 < (given != truth.label).mean() < 0.42  # of two in five that are drawn anew one in ten stays right
    first = np.asarray(Image.open(tmp_path / "train" / truth.file[0]))
    assert np.array_equal(first, data.load("digits").train.x[0, 0].numpy())
    assert len([*(tmp_path / "train").rglob("*.png")]) == 200 and len([*(tmp_path / "test").rglob("*.png")]) == 100
