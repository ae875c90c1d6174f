"""What chapter 6 shows, on frames made by hand."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from nlcore.inputs import UserError
from nlcore.losses import smoothed_cross_entropy
from nlcore.papers.muller2019 import exhibits, sentences

NONE = float("nan")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def runs(*rows: tuple, **columns) -> pd.DataFrame:
    """A row per run: method, smoothing, seed, test accuracy."""
    frame = pd.DataFrame(rows, columns=["method", "method_a", "seed", "test_accuracy"])
    fixed = {"model": "conv_small", "dataset": "digits", "rate": 0.0, "images": 1000, "step": 100, "steps": 100}
    return frame.assign(**(fixed | columns))


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
    test_loss=[3.0, 4.0, 1.0, 1.5, 2.0],
    information=[1.4, 1.5, 0.9, 0.7, 1.0],
    tightness_train=0.3,
    tightness_test=[1.6, 1.8, 1.5, 1.5, 1.0],
    unequal_train=0.1,
    unequal_test=0.2,
)


def test_captions_say_what_rows_rest_on():
    told = exhibits.circumstances(CLEAN, "laptop", "noisy validation")
    assert told.startswith("The embedded digits, small conv net, 1,000 training images, tier laptop, chosen by noisy")
    assert told.endswith(", 2 seeds")
    with pytest.raises(UserError, match="name one"):
        exhibits.one_network(["mlp1", "mlp2"])


def test_the_drawn_loss_is_that_of_the_method_and_least_at_the_optimum():
    lead = 3.0
    logits = torch.zeros(1, 10, dtype=torch.double)
    logits[0, 4] = lead
    loss = smoothed_cross_entropy(logits, torch.tensor([4]), 0.2).item()
    assert exhibits.loss_of_lead(0.2, np.array(lead)) == pytest.approx(loss)
    best = exhibits.optimum(0.2)
    around = exhibits.loss_of_lead(0.2, np.array([best - 0.01, best, best + 0.01]))
    assert around.argmin() == 1 and best == pytest.approx(np.log(41))


def test_leads_grow_on_hard_targets_and_end_on_smoothed_ones():
    grown = exhibits.linear_model([0, 0.1], steps=1000, images=50)
    assert [*grown.step[:3]] == [1, 2, 4] and grown.step.max() == 1000
    hard, smooth = grown[grown.a == 0], grown[grown.a == 0.1]
    assert hard.lead.is_monotonic_increasing and hard.lead.iloc[-1] > 7 and hard.length.iloc[-1] > 15
    assert smooth.lead.iloc[-1] == pytest.approx(exhibits.optimum(0.1), rel=0.1)
    told = [text.get_text() for text in exhibits.growth(grown).legends[0].get_texts()]
    assert told == ["a = 0 (hard targets)", "a = 0.1", "lead where its loss is least, 4.5"]
    said = sentences.linear(grown)
    assert said["linear_steps"] == "1,000" and said["linear_early"] == "8"


def test_calibration_is_by_smoothing_and_cross_entropy_has_0():
    table = exhibits.calibration(CLEAN)
    assert table.index.name == "smoothing a" and [*table.index] == ["0", "0.05", "0.1"]
    assert [*table["test accuracy, %"]] == ["51.0", "40.0", "52.3"] and [*table.ECE] == ["0.400", "0.200", "0.055"]
    assert [*table["best temperature"]] == ["4.50", "1.50", "1.05"]
    assert len(table.columns) <= 6


def test_geometry_and_information_are_means_by_smoothing():
    assert [*exhibits.geometry(CLEAN)["tightness, test"]] == ["1.700", "1.000", "1.500"]
    assert [*exhibits.information(CLEAN)["mutual information, nats"]] == ["1.45", "1.00", "0.80"]


def test_the_papers_calibration_has_a_row_for_each_network():
    table = exhibits.published_calibration()
    assert [*table.loc["CIFAR-100, ResNet-56"]] == ["72.1", "72.7", "0.150", "0.021", "0.024"]
    assert [*table.loc["CIFAR-10, AlexNet"]] == ["86.8", "86.7", "", "", ""]
    assert len(table) == 4


def test_reliability_is_that_of_seed_0_in_the_order_of_smoothing():
    bins = [[0, 0.0, 0.0], [10, 0.6, 0.5], [30, 0.9, 0.8]]
    fig = exhibits.reliability(CLEAN.assign(reliability=[bins] * len(CLEAN)))
    assert [ax.get_title() for ax in fig.axes] == ["a = 0 (hard targets)", "a = 0.05", "a = 0.1"]
    curve = fig.axes[1].lines[1]  # the first is the diagonal; an empty bin has no point
    assert [*curve.get_xdata()] == [0.6, 0.9] and [*curve.get_ydata()] == [0.5, 0.8]


def test_projection_is_that_of_seed_0_on_one_scale_with_a_legend():
    far = 7.0 * CLEAN.method_a.notna()
    points = [[[0, seed, 1.0], [1, seed, 2.0], [2, x, 3.0]] for seed, x in zip(CLEAN.seed, far, strict=True)]
    fig = exhibits.projection(CLEAN.assign(points=points), 0.1)
    hard, smooth = fig.axes
    assert [ax.get_title() for ax in fig.axes] == ["a = 0 (hard targets)", "a = 0.1"]
    assert hard.get_xlim() == smooth.get_xlim() and hard.get_ylim() == smooth.get_ylim()
    assert [text.get_text() for text in fig.legends[0].get_texts()] == ["0", "1", "2"]
    assert hard.collections[1].get_offsets().tolist() == [[0, 2]]


def with_validation(rows: pd.DataFrame) -> pd.DataFrame:
    """The runs with an evaluation before the last, 0.1 more accurate, which noisy validation prefers."""
    before = rows.assign(step=50, test_accuracy=rows.test_accuracy + 0.1, noisy_validation=0.5)
    both = pd.concat([before, rows.assign(noisy_validation=0.3)], ignore_index=True)
    return both.assign(key=both.groupby("step").cumcount().astype(str))


NOISY = runs(
    ("ce", NONE, 0, 0.42),
    ("ce", NONE, 1, 0.44),
    ("label_smoothing", -0.4, 0, 0.30),
    ("label_smoothing", 0.1, 0, 0.45),
    ("label_smoothing", 0.1, 1, 0.46),
    ("forward", NONE, 0, 0.47),
    ("backward", NONE, 0, 0.20),
    ("ce", NONE, 0, 0.24),
    ("label_smoothing", 0.1, 0, 0.25),
    rate=[0.2] * 7 + [0.6] * 2,
    ece=[0.3, 0.5, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4, 0.2],
    ece_scaled=0.1,
    train_wrong=[0.9, 0.9, 0.1, 0.5, 0.7, 0.5, 0.5, 0.5, 0.5],
    train_right=0.9,
)


def test_accuracy_against_smoothing_is_shown_under_both_rules():
    fig = exhibits.accuracy_against_smoothing(with_validation(NOISY))
    assert [ax.get_title() for ax in fig.axes] == ["last evaluation", "chosen by noisy validation"]
    lines = [ax.lines[0] for ax in fig.axes]
    assert [*lines[0].get_xdata()] == [-0.4, 0.0, 0.1]
    assert [*lines[0].get_ydata()] == pytest.approx([30, 43, 45.5])
    assert [*lines[1].get_ydata()] == pytest.approx([40, 53, 55.5])
    assert [text.get_text() for text in fig.legends[0].get_texts()] == ["noise rate 0.2", "noise rate 0.6"]


def test_memorised_has_a_line_for_each_smoothing_from_0():
    fig = exhibits.memorised(with_validation(NOISY))
    assert [text.get_text() for text in fig.legends[0].get_texts()] == ["a = 0 (hard targets)", "a = 0.1"]
    hard, smooth = fig.axes[0].lines
    assert [*hard.get_xdata()] == [0.5, 1.0] and [*smooth.get_ydata()] == pytest.approx([60, 60])


def test_methods_under_noise_are_in_words_and_in_order():
    table = exhibits.methods_under_noise(with_validation(NOISY))
    assert [name.replace("\N{NO-BREAK SPACE}", " ") for name in table.index] == [
        "cross entropy",
        "label smoothing, a = -0.4",
        "label smoothing, a = 0.1",
        "forward correction, true T",
        "backward correction, true T",
    ]
    assert [*table.columns] == ["last, 0.2", "last, 0.6", "noisy validation, 0.2", "noisy validation, 0.6"]
    assert table.loc["cross entropy", "last, 0.2"] == "43.0 ± 1.4"
    assert table.loc["forward correction, true T", "last, 0.6"] == ""  # not run


def test_memory_and_calibration_have_empty_cells_where_nothing_was_run():
    table = exhibits.memory_and_calibration(NOISY)
    assert table.iloc[2]["wrong labels, %, 0.2"] == "60.0"
    assert table.loc["cross entropy", "ECE, 0.2"] == "0.400"
    assert table.loc["forward correction, true T", "ECE, 0.6"] == "" and len(table.columns) <= 6


def test_a_calibration_that_one_seed_lacks_is_no_mean_of_the_others():
    rows = NOISY.assign(ece_scaled=0.1)
    rows.loc[rows[(rows.method == "ce") & (rows.rate == 0.2)].index[0], "ece_scaled"] = np.nan
    table = exhibits.memory_and_calibration(rows)
    assert table.loc["cross entropy", "ECE scaled, 0.2"] == "" and "0.100" in [*table["ECE scaled, 0.2"]]


@pytest.mark.parametrize("a", [0, -0.4, 1.1, float("nan")])
def test_a_smoothing_without_a_least_loss_is_refused(a):
    with pytest.raises(UserError, match="above 0 and at most 1"):
        exhibits.check_smoothing(a)


def test_a_smoothing_that_no_run_has_is_told():
    tables = dict.fromkeys(("calibration", "information", "noise"), NOISY)
    exhibits.check_trained(tables, 0.1)
    for others in (tables, tables | {"noise": NOISY.drop(columns="method_a")}):
        with pytest.raises(UserError, match="noise with a = 0.3 has a record"):
            exhibits.check_trained(others, 0.3)


def test_gaps_to_cross_entropy_are_at_the_lowest_rate_and_paired_by_seed():
    table = exhibits.above_cross_entropy(NOISY, 0.1)
    assert [*table["theirs, CIFAR-10"]] == ["+3.5", "+0.3", "-3.2"]  # 83.95, 80.78 and 77.23 less 80.44
    assert table.loc["label smoothing, a = 0.1", "ours, the embedded digits at 0.2"].startswith("+2.5 (")
    without = exhibits.above_cross_entropy(NOISY[NOISY.method != "forward"], 0.1)
    assert without.loc["forward correction", "ours, the embedded digits at 0.2"] == ""


def test_the_papers_students_are_errors():
    table = exhibits.published_students()
    assert [*table.loc["smoothed labels"]] == ["0.59", "0.91", "13.05", "35.52"]
    assert [*table.loc["hard labels"]][:2] == ["0.67", "0.74"]


def test_students_are_errors_by_their_teacher_and_those_without_have_none():
    taught = {"method_temperature": [1.0, 1.0, NONE], "first_test_accuracy": [0.98, 0.96, NONE]}
    rows = runs(("distillation", 0.1, 0, 0.95), ("distillation", 0.1, 1, 0.93), ("ce", NONE, 0, 0.9), **taught)
    table = exhibits.students(pd.concat([rows, rows[2:].assign(rate=0.2, test_accuracy=0.8)]))
    smoothed = "a teacher of smoothed labels (a = 0.1), temperature 1"
    assert [*table.index] == ["hard labels", smoothed]
    assert [*table.loc[smoothed]] == ["3.0 ± 1.4", "", "6.0 ± 1.4", ""]
    assert [*table.loc["hard labels"]] == ["", "", "10.0", "20.0"]


def test_sizes_of_weights_and_logits_and_what_a_wrong_label_costs():
    sizes = runs(
        ("ce", NONE, 0, 0.5), ("label_smoothing", 0.1, 0, 0.5), logit_gap=[16.0, 4.0], norm_weights=[18.0, 9.0]
    )
    sizes = sizes.assign(norm_rows=1.0, norm_features=2.0, train_right=0.97)
    assert [*exhibits.norms(sizes)["lead of the largest logit"]] == ["16.0", "4.0"]
    said = sentences.sizes(sizes)
    assert said["norm_weights_times"] == "2.0" and (said["wrong_hard"], said["wrong_smooth"]) == ("16.0", "3.6")


def test_a_hundred_classes_by_noise_and_smoothing():
    table = exhibits.hundred_classes(CLEAN.assign(rate=[0.0, 0.0, 0.0, 0.2, 0.0]))
    assert table.index.names == ["noise rate", "smoothing a"]
    assert table.loc[("0", "0"), "ECE"] == "0.400" and table.loc[("0.2", "0.1"), "ECE"] == "0.060"


def test_sentences_compare_the_usual_smoothing_and_say_what_was_not_run():
    said = sentences.clean(CLEAN, "x_")
    assert said["x_gain"].startswith("1.3 (") and said["x_ece_hard"] == "0.400" and said["x_ece_smooth"] == "0.055"
    noisy = sentences.under_noise(with_validation(NOISY))
    assert noisy["ce_noisy_02"] == "53.0" and noisy["lead_01_last_02"].startswith("2.5 (")
    assert noisy["lead_08_last_02"] == noisy["accuracy_08_last_02"] == sentences.NOT_RUN
