"""What the chapter on data, batches and learning rates shows, on frames of a few rows."""

import pandas as pd
import pytest
from matplotlib.axes import Axes
from test_exhibits_rolnick2017 import canvas, history  # noqa: F401  (a fixture that is used by all)

from nlcore.papers.rolnick2017 import exhibits_of_training as exhibits
from nlcore.papers.rolnick2017 import measured
from nlcore.papers.rolnick2017 import sentences_of_training as sentences

NOT_RUN = sentences.NOT_RUN


def legend(ax: Axes) -> list[str]:
    """The names in the legend below some Axes."""
    return [text.get_text() for text in ax.figure.legends[0].get_texts()]


# The gradient


def test_alignment_has_a_row_for_each_length_and_alpha():
    rows = exhibits.gradient_alignment(lengths=(1,), alphas=(0, 20), batches=(32,))
    assert [*rows.steps] == [1, 1] and [*rows.alpha] == [0, 20]
    clean, noisy = rows.itertuples()
    assert clean.limit == pytest.approx(1, abs=1e-4) and clean.length == pytest.approx(1, abs=1e-4)
    assert noisy.expected < clean.expected and noisy.length < 1


def gradient_rows() -> pd.DataFrame:
    cells = {"alpha": [0.0, 0.0], "batch": [32, 256], "cosine": [0.661, 0.92], "expected": [0.64, 0.917]}
    return pd.DataFrame(cells).assign(steps=10, limit=1.0, length=0.333)


def test_alignment_table_shows_once_what_is_the_same_for_all_batches():
    table = exhibits.alignment_table(gradient_rows())
    assert [*table.index] == [("10", "0")]
    cosines = {"cosine, batch 32": "0.66", "cosine, batch 256": "0.92", "cosine, infinite batch": "1.00"}
    assert table.iloc[0].to_dict() == cosines | {"length": "0.33"}


def test_cosines_have_a_curve_for_each_batch_and_the_infinite_one():
    fig = exhibits.cosines(gradient_rows())
    lines = {line.get_label(): [*line.get_ydata()] for line in fig.axes[0].lines}
    assert lines["batch of 32, measured"] == [0.661] and lines["batch of 256, expected"] == [0.917]
    assert lines["infinite batch"] == [1.0]


# The number of clean examples


def size_rows() -> pd.DataFrame:
    """At alpha = 10 the accuracy of 80 % lies halfway, in the logarithm, between 100 and 10,000 examples."""
    rows = [(0.0, 100, 0, 0.85), (0.0, 10_000, 0, 0.95), (10.0, 100, 0, 0.7), (10.0, 10_000, 0, 0.9)]
    frame = pd.DataFrame(rows, columns=["alpha", "images", "seed", "test_accuracy"])
    columns = {"dataset": "mnist", "model": "conv_small", "epoch": 1.5, "train_right": 0.9, "train_wrong": 0.02}
    return frame.assign(steps=1000, **columns)


def test_the_price_leaves_out_what_is_not_reached():
    line = exhibits.price_of_noise(size_rows(), 0.92).lines[0]
    assert [*line.get_xdata()] == [0]  # at alpha = 10 it is not reached
    line = exhibits.price_of_noise(size_rows(), 0.8).lines[0]
    assert [*line.get_ydata()] == pytest.approx([11_000], rel=1e-6)  # at alpha = 0 the fewest examples suffice


def test_accuracy_against_images_is_logarithmic_with_fig_8():
    ax = exhibits.accuracy_against_images(size_rows())
    assert ax.get_xscale() == "log" and ax.get_xlabel() == "clean examples"
    assert {"α = 0", "α = 10", "dashed: the paper's"} <= {*legend(ax)}


def test_examples_needed_are_geometric_means_beside_fig_9():
    two = pd.concat([size_rows(), size_rows().query("alpha == 10").assign(seed=1, test_accuracy=[0.8, 0.85])])
    table = exhibits.examples_needed(two, targets=(0.8, 0.85))
    assert table.loc[("80", "0"), "ours"] == "≤ 100"  # the smallest size suffices
    assert table.loc[("80", "10")].to_dict() == {"ours": "≤ 316", "over seeds": "100 to 1,000", "paper": "713"}
    assert table.loc[("85", "10"), "paper"] == ""


def test_examples_needed_are_empty_where_no_size_reaches():
    table = exhibits.examples_needed(size_rows(), targets=(0.92, 0.6))
    assert table.loc[("92", "10"), "ours"] == table.loc[("92", "10"), "over seeds"] == ""


def test_a_clean_label_is_worth_all_labels_over_those_of_clean_data():
    rows = []
    for alpha, reached in ((0.0, 100), (10.0, 1000), (20.0, 10**9)):
        for n in (10, 100, 1000, 10_000):
            rows.append({"seed": 0, "alpha": alpha, "images": n, "test_accuracy": 0.95 if n >= reached else 0.0})
    fewest = exhibits.clean_or_more(
        pd.DataFrame(rows[1:]), 0.95
    )  # without 10: how many clean ones suffice is not known
    assert fewest.loc["10", ("ours", "clean examples")] == "1,000"
    assert {*fewest.loc["0", "ours"], fewest.loc["10", ("ours", "labels for a clean one")]} == {""}
    table = exhibits.clean_or_more(pd.DataFrame(rows), 0.95)
    ten = table.loc["10"]
    assert table.loc["0", ("ours", "labels for a clean one")] == "1" and ten["ours", "clean examples"] == "1,000"
    assert ten["ours", "labels in all"] == "11,000" and ten["ours", "labels for a clean one"] == "110"
    assert table.loc["20", ("ours", "clean examples")] == "" and table.loc["20", ("paper", "clean examples")] != ""


def test_noisy_runs_are_as_good_as_fewer_clean_examples():
    table = exhibits.as_good_as_clean(size_rows())  # 90 % is halfway between 85 and 95
    assert table.loc["10"].to_dict() == {
        "clean examples": "10,000",
        "accuracy, %": "90.0",
        "as good as clean ones alone": "1,000",
    }


def test_longer_runs_stand_beside_shorter_ones_at_the_same_points():
    long = {"alpha": 10.0, "images": 100, "seed": 0, "steps": [5000], "test_accuracy": [0.5], "epoch": 9.0}
    table = exhibits.longer_beside_shorter(pd.DataFrame(long), size_rows())
    row = table.loc[("10", "100")]
    assert row["as above, %"] == "70.0" and row["longer, %"] == "50.0" and row["gained, points"] == "-20.0"
    assert row["passes, as above"] == "1.5" and row["passes, longer"] == "9.0"


def test_what_was_not_run_is_left_empty():
    noisy = size_rows().query("alpha == 10")
    assert exhibits.as_good_as_clean(noisy).loc["10", "as good as clean ones alone"] == ""
    assert exhibits.as_good_as_clean(size_rows().query("alpha == 0")).empty
    row = exhibits.longer_beside_shorter(noisy.assign(images=5), noisy).iloc[0]
    assert row["as above, %"] == row["passes, as above"] == row["gained, points"] == ""


def test_constant_rates_stand_beside_the_falling_one():
    sizes = size_rows().assign(alpha=50.0)[:2]
    ax = exhibits.accuracy_at_constant_rates(sizes.assign(test_accuracy=0.4, lr=1e-4), sizes)
    assert {"constant rate 0.0001", "falling rate", "Conv4 (paper)"} <= {*legend(ax)} and ax.get_xscale() == "log"


def test_rules_are_compared_at_the_second_largest_alpha():
    table = pd.concat([history(alpha=a, images=1000, key=str(a)) for a in (0.0, 20.0, 50.0)])
    table.loc[table.alpha != 20, "test_accuracy"] = 0.0
    assert exhibits.second_largest_noise(table) == 20 and exhibits.second_largest_noise(table[:3]) == 0
    found = exhibits.accuracy_by_images_and_rule(table)
    chosen = {"last": "70.0", "best on test (leaks)": "90.0", "noisy validation": "50.0", "clean validation": "70.0"}
    assert found.to_dict("index") == {"1,000": chosen}


# Batch size and learning rate


def batch_rows() -> pd.DataFrame:
    """Cross entropy at two batch sizes under two schedules, and H_alpha, whose alpha is the method's."""
    rows = [("ce", 0, None, 32, "constant", 0.98), ("ce", 50, None, 32, "constant", 0.6)]
    rows += [("ce", 50, None, 256, "constant", 0.8), ("ce", 50, None, 256, "cosine", 0.9)]
    rows += [("h_alpha", None, 0, 256, "constant", 0.97), ("h_alpha", None, 50, 256, "constant", 0.97)]
    columns = ["method", "alpha", "method_alpha", "batch", "schedule", "test_accuracy"]
    frame = pd.DataFrame(rows, columns=columns).astype({"alpha": float, "method_alpha": float})
    return frame.assign(seed=0, model="mlp2")


def test_h_alpha_is_the_infinite_batch_at_the_alpha_of_its_loss():
    rows = exhibits.with_infinite(batch_rows(), "constant")
    assert [*rows["batch size"]] == ["batch 32"] * 2 + ["batch 256"] + ["infinite batch"] * 2
    assert [*rows.alpha] == [0, 50, 50, 0, 50]
    ax = exhibits.accuracy_by_batch_size(batch_rows(), "constant")
    assert {"batch 32", "infinite batch", "dashed: the paper's"} <= {*legend(ax)}
    assert legend(exhibits.accuracy_by_batch_size(batch_rows(), "cosine")) == ["batch 256"]


def test_batches_by_schedule():
    table = exhibits.accuracy_by_batch_and_schedule(batch_rows())
    assert (
        table.loc["batch 32", "constant, α = 0"] == "98.0" and table.loc["infinite batch", "constant, α = 50"] == "97.0"
    )
    assert table.loc["batch 256", "cosine, α = 50"] == "90.0" and pd.isna(table.loc["batch 32", "cosine, α = 50"])


def rate_rows() -> pd.DataFrame:
    """By test accuracy the higher rate wins at alpha = 0, by noisy validation the lower one; a row per evaluation."""
    rows = [("a", 0.0, 0.5, 100, 0.97, 0.5), ("b", 0.0, 0.1, 100, 0.96, 0.6)]
    rows += [("c", 10.0, 0.5, 100, 0.80, 0.2), ("c", 10.0, 0.5, 200, 0.60, 0.3)]
    rows += [("d", 10.0, 0.1, 100, 0.70, 0.2), ("d", 10.0, 0.1, 200, 0.90, 0.4)]
    columns = ["key", "alpha", "lr", "step", "test_accuracy", "noisy_validation"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(steps=frame.alpha.map({0.0: 100, 10.0: 200}), dataset="mnist", seed=0)


def test_accuracy_by_rate_shows_the_paper_only_beside_cifar10():
    last = rate_rows().groupby("key").last()
    assert legend(exhibits.accuracy_by_rate(last)) == ["rate 0.5", "rate 0.1"]
    assert "dashed: the paper's" in legend(exhibits.accuracy_by_rate(last.assign(dataset="cifar10")))


def test_best_rates_by_three_choices():
    table = rate_rows()
    found = exhibits.best_rates(table)
    assert found["best on test (leaks): rate"].to_dict() == {"0": "0.5", "10": "0.1"}
    assert found["noisy validation: rate"].to_dict() == {"0": "0.1", "10": "0.1"}
    assert found["noisy validation: %"].to_dict() == {"0": "96.0", "10": "90.0"}
    assert found.loc["10", "equally long: rate"] == "0.5"  # after 100 steps the higher rate leads
    assert found.loc["10", "equally long: %"] == "80.0"


def test_best_rates_of_the_paper():
    table = exhibits.best_rates_of_paper()
    assert len(table) == 11 and table.loc["0"].to_dict() == {"best rate": "0.5", "accuracy, %": "81.6"}


def ratio_rows() -> pd.DataFrame:
    accuracies = [0.9, 0.9, 0.8, 0.95]
    return pd.DataFrame({"lr": [0.1, 0.2, 0.2, 0.1], "batch": [32, 64, 32, 64], "test_accuracy": accuracies, "seed": 0})


def test_runs_of_equal_ratio_share_a_row():
    table = exhibits.by_rate_per_batch(ratio_rows())
    assert table.loc["2"].tolist() == ["90.0", "90.0"] and table.loc["4"].tolist() == ["80.0", ""]
    assert measured.apart_at_equal_ratio(ratio_rows()) == pytest.approx(0, abs=1e-12)
    assert legend(exhibits.accuracy_against_ratio(ratio_rows())) == ["batch 32", "batch 64"]


def test_ratios_that_are_close_have_rows_of_their_own():
    rows = pd.DataFrame({"lr": [0.1, 0.12], "batch": 32, "test_accuracy": [0.9, 0.5], "seed": 0})
    assert exhibits.by_rate_per_batch(rows)["batch 32"].to_dict() == {"1": "90.0", "1.2": "50.0"}


# Sentences


def test_sentences_name_what_was_not_run():
    said = sentences.of_batches(batch_rows())
    assert said["constant_32_50"] == "60.0" and said["constant_gain_50"] == "20.0"
    assert said["cosine_32_50"] == NOT_RUN and said["paper_128_50"] == "80.5"
    said = sentences.of_ratios(ratio_rows())
    assert said["ratio_apart"] == "0.0" and said["ratio_range"] == "15"


def test_sentences_on_sizes_say_what_a_clean_label_is_worth():
    table = size_rows().assign(key=["a", "b", "c", "d"], step=1, noisy_validation=0.5)
    said = sentences.of_sizes(table, table)
    assert said["ours_clean_10"] == "10,000" and said["ours_clean_50"] == NOT_RUN and said["paper_worth_50"] == "1,147"
    assert said["replaced_10"] == "1,000" and said["stop_gain"] == "0.0"


def test_sentences_on_longer_runs_without_such_runs():
    table = size_rows().assign(key=["a", "b", "c", "d"], step=1, noisy_validation=0.5, clean_validation=0.5)
    said = sentences.of_longer(table, table, table)
    assert said["long_2000"] == NOT_RUN and said["long_10000"] == "90.0"
