"""What chapter 7 shows, on frames made by hand."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nlcore import data
from nlcore.inputs import UserError
from nlcore.papers.jiang2018 import exhibits, sentences

KINDS = {"self_paced": ("curriculum", "self_paced"), "focal": ("curriculum", "focal")}
KINDS |= {"PD": ("mentornet", "pd"), "DD": ("mentornet", "data")}


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


def test_weights_by_hand_follow_the_formulas_and_the_clock():
    table = exhibits.weights_by_hand([0.5, 1.5, 3.0], 1.0)
    assert table.loc["self-paced"].tolist() == ["1.00", "0.00", "0.00"]
    assert table.loc["hard negatives"].tolist() == ["0.00", "1.00", "1.00"]
    late = [table.loc[name].tolist() for name in ("PD, up to 18 % of training", "PD, halfway", "PD, from 90 % on")]
    assert late == [["1.00"] * 3, table.loc["self-paced"].tolist(), table.loc["linear"].tolist()]


def test_weight_maps_have_the_formula_beside_what_a_mentor_learned():
    fig = exhibits.weight_maps(steps=150)
    assert titles(fig)[:2] == ["self-paced:\nformula", "self-paced:\nmentor"] and len(titles(fig)) == 8
    formula, learned = (np.asarray(fig.axes[n].images[0].get_array()) for n in (0, 1))  # [difference, loss]
    assert formula[30].tolist() == [1] * 61 and formula[31].tolist() == [0] * 61
    assert learned.shape == (61, 61) and learned[0].mean() > 0.9 and learned[60].mean() < 0.1
    soft = np.asarray(fig.axes[6].images[0].get_array())
    np.testing.assert_allclose(soft[35], 0.5, atol=1e-5)  # PD late: d = 0.5, whatever the loss
    assert tuple(fig.axes[0].images[0].get_extent()) == (0, 6, -3, 3)


def test_values_that_a_reader_asks_for_stand_beside_ours():
    assert exhibits.values_beside("laptop", burn_ins=[], percentiles=[]) == {}
    assert exhibits.values_beside("laptop", burn_ins=[0.3]) == {"burn_ins": [0, 0.1, 0.2, 0.3, 0.4]}
    assert exhibits.values_beside("smoke", percentiles=[0.5]) == {"percentiles": [0.5, 0.7]}
    with pytest.raises(UserError, match="burn_ins"):
        exhibits.values_beside("laptop", burn_ins=[1.0])


def test_accuracies_by_student_and_rate():
    more = rows(("ce", 0.8, "conv_small", 0, 0.25), train_wrong=0.7)
    both = pd.concat([BOTH, more])
    table = exhibits.accuracies(both)
    assert [*table.index] == ["cross entropy", "MentorNet, data-driven (DD)"]
    assert [*table.columns] == ["small conv net, 0.4", "small conv net, 0.8", "MLP, 1 hidden layer, 0.4"]
    assert table.to_numpy().tolist() == [["55.0 ± 7.1", "25.0", "90.0"], ["75.0", "", "80.0"]]
    wrong = exhibits.memorised(both)
    assert wrong.to_numpy().tolist() == [["50.0", "70.0", "30.0"], ["20.0", "", "10.0"]]


def test_accuracy_by_rule():
    early = BOTH.assign(test_accuracy=0.7, noisy_validation=0.6, clean_validation=[0.1, 0.1, 0.9, 0.9, 0.1])
    table = exhibits.accuracy_by_rule(history(early, BOTH.assign(noisy_validation=0.5, clean_validation=0.5)))
    rules = ["last evaluation", "best on the test set (a leak)", "noisy validation", "clean validation"]
    assert [*table.columns] == rules
    assert table.loc["cross entropy"].tolist() == ["55.0 ± 7.1", "70.0 ± 0.0", "70.0 ± 0.0", "70.0 ± 0.0"]
    assert table.loc["MentorNet, data-driven (DD)"].tolist() == ["75.0", "75.0", "70.0", "75.0"]


def test_error_over_training():
    fig = exhibits.error_over_training(history(BOTH.assign(test_accuracy=0.7), BOTH))
    assert titles(fig) == ["MLP, 1 hidden layer", "small conv net"] and fig.axes[0].get_ylabel() == "test error, %"
    assert lines(fig.axes[0]) == [[30, 10], [30, 20]] and lines(fig.axes[1]) == [[30, 45], [30, 25]]
    assert [text.get_text() for text in fig.legends[0].get_texts()] == ["cross entropy", "MentorNet, data-driven (DD)"]


def test_weight_by_loss():
    """One seed of the big student, at the first evaluation after each share of training."""
    early = BOTH.assign(weighed=[[[60, 20, 1.0, 0.5], [0, 20, 0.0, 0.25]]] * 5)
    late = BOTH.assign(weighed=[[[100, 0, 1.0, 0.0], [0, 0, 0.0, 0.0]]] * 5)
    fig = exhibits.weight_by_loss(history(early, late), ["DD"], (0.24, 0.84))
    assert titles(fig) == ["DD, 50 % of training", "DD, 100 % of training"]
    assert [bar.get_height() for bar in fig.axes[0].patches] == [0.6, 0, 0.2, 0.2]  # right, then wrong labels
    assert lines(fig.axes[0]) == [[0.875, 0.25]] and lines(fig.axes[1]) == [[1.0]]
    once = history(early, late[late.method != "mentornet"])
    assert titles(exhibits.weight_by_loss(once, ["DD"], (0.24, 0.84))) == ["DD, 50 % of training"]


def test_detection():
    seen = {"kept": [np.nan, 0.9, np.nan, np.nan, 0.5], "kept_precision": 0.75, "kept_recall": 0.625, "kept_auc": 0.9}
    table = exhibits.detection(BOTH.assign(**seen))
    assert [*table.index] == [("0.4", "MentorNet, data-driven (DD)")] and len(table.columns) == 4
    assert table.to_numpy().tolist() == [["50.0", "75.0", "62.5", "90.0"]]


def test_detection_over_training():
    some = BOTH.assign(kept_auc=[np.nan, 0.9, np.nan, np.nan, 0.5])
    fig = exhibits.detection_over_training(history(some, some.assign(kept_auc=some.kept_auc + 0.25)))
    assert titles(fig) == ["noise of 0.4"] and lines(fig.axes[0]) == [[0.5, 0.75]]


def test_beside_the_paper():
    ours = pd.concat([BOTH, rows(("focal", 0.4, "conv_small", 0, 0.5), ("ce", 0.2, "mlp1", 0, 0.7))])
    big, small = (exhibits.beside_the_paper(ours, which) for which in (0, 1))
    assert [*big.columns] == ["ours", "paper", "authors' code"]
    assert big.loc[("0.4", "MentorNet, data-driven (DD)")].tolist() == ["+25.0", "+20.0", "+31.9"]  # in seed 0
    assert big.loc[("0.4", "focal weights"), "ours"] == "+0.0" and big.loc[("0.2", "focal weights"), "ours"] == ""
    assert big.loc[("0.4", "dropout (forgetting)")].tolist() == ["", "-6.0", ""]
    assert small.loc[("0.4", "MentorNet, data-driven (DD)")].tolist() == ["-10.0", "+3.0", "+4.3"]
    alone = exhibits.beside_the_paper(BIG, 1)  # of one student there is no small one
    assert {*alone.ours} == {""}


def test_accuracy_by_rate():
    runs = ("ce", 0.4, "m", 0, 0.5), ("DD", 0.4, "m", 0, 0.7), ("DD", 0.4, "m", 0, 0.8), ("DD", 0.8, "m", 0, 0.6)
    table = exhibits.accuracy_by_rate(rows(*runs, method_source=[None, "", "mnist#0123456789ab", "mnist#0123456789ab"]))
    assert [*table.index] == ["cross entropy", "MentorNet, data-driven (DD)", "MentorNet (DD), from MNIST"]
    assert table["noise of 0.4"].tolist() == ["50.0", "70.0", "80.0"]
    assert table["noise of 0.8"].tolist() == ["", "", "60.0"]


def test_price_of_trusted_labels_rises_with_their_number():
    runs = [("DD", 0.4, "m", seed, accuracy) for seed, accuracy in ((0, 0.7), (1, 0.8), (0, 0.5))]
    table = exhibits.price_of_trusted_labels(rows(*runs, trusted=[50, 50, 5], kept_auc=[0.9, 0.9, 0.6]))
    assert [*table.index] == ["5", "50"] and table.index.name == "trusted"
    assert table.to_numpy().tolist() == [["50.0", "60.0"], ["75.0 ± 7.1", "90.0 ± 0.0"]]


def test_accuracy_by_parameter():
    """Columns rise; a pair that was not run is empty."""
    runs = ("self_paced", 0.4, "m", 0, 0.5), ("self_paced", 0.4, "m", 0, 0.6), ("DD", 0.8, "m", 0, 0.7)
    table = exhibits.accuracy_by_parameter(rows(*runs, method_burn_in=[0.2, 0.0, 0.0]), "burn_in")
    assert [*table.index] == [("0.4", "self-paced learning"), ("0.8", "MentorNet, data-driven (DD)")]
    assert [*table.columns] == ["burn-in 0", "burn-in 0.2"]
    assert table.to_numpy().tolist() == [["60.0", "50.0"], ["70.0", ""]]


def test_numbers_of_sentences_are_of_a_student_or_said_to_be_missing():
    early = BOTH.assign(test_accuracy=0.7, noisy_validation=[0.9, 0.1, 0.9, 0.9, 0.1])
    seen = {"kept": 0.5, "kept_precision": 0.5, "kept_recall": 0.5, "kept_auc": 0.5, "realised_rate": 0.36}
    table = history(early, BOTH.assign(noisy_validation=0.5)).assign(
        dataset="fashion", trusted=500, images=5000.0, **seen
    )
    varied = table.assign(method_p=0.5, method_burn_in=0.2, method_form="paper")
    own = {"claim": "E3", "own_rule": False, "effect": 1.5, "low": 1.0, "high": 2.0, "seeds": 2, "lacking": 0}
    effects = pd.DataFrame([own])
    names = ("transfer", "burn_in", "forms", "percentile", "budget")
    found = sentences.numbers(dict.fromkeys(names, varied) | {"students": table}, effects)
    assert found["E3_0_other"] == "1.5 (1 to 2)" and found["right_of_100_4"] == "64" and found["examples"] == "5,000"
    assert found["DD_big_4_accuracy"] == "75.0" and found["DD_big_4_gain"] == "+20.0"
    assert found["ce_big_4_accuracy_noisy"] == "70.0" and found["DD_small_4_gain"] == "-10.0"
    assert found["PD_big_4_gain"] == found["with_25"] == found["form_DD_gain"] == "(not run)"
    assert not any("nan" in text for text in found.values())


def test_folder_of_digits(tmp_path):
    truth = exhibits.folder_of_digits(tmp_path, count=200, checked=20)
    checked = pd.read_csv(tmp_path / "checked.csv", dtype=str)
    assert checked.equals(truth[:20]) and len(truth) == 200
    given = truth.file.str.split("/").str[0]
    assert 0.3 < (given != truth.label).mean() < 0.42  # of two in five that are drawn anew one in ten stays right
    first = np.asarray(Image.open(tmp_path / "train" / truth.file[0]))
    assert np.array_equal(first, data.load("digits").train.x[0, 0].numpy())
    assert len([*(tmp_path / "train").rglob("*.png")]) == 200 and len([*(tmp_path / "test").rglob("*.png")]) == 100
