"""What the chapters on the amount and the shape of the noise show and say, on frames of a few rows."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from test_exhibits_rolnick2017 import curves, history

from nlcore.inputs import UserError
from nlcore.noise import Structured
from nlcore.papers.rolnick2017 import exhibits_of_noise as exhibits
from nlcore.papers.rolnick2017 import sentences_of_noise as sentences
from nlcore.papers.texts import NOT_RUN
from nlcore.runs import Budget, Record, Run


@pytest.fixture(autouse=True)
def canvas():
    """Figures are drawn in memory, and closed."""
    matplotlib.use("agg")
    yield
    plt.close("all")


def test_a_setting_names_few_networks_and_counts_many():
    rows = pd.DataFrame({"dataset": "mnist", "model": ["mlp1", "conv_small"], "seed": [0, 1]})
    assert exhibits.setting(rows, "laptop", "last") == (
        "MNIST, MLP, 1 hidden layer, small conv net; tier laptop, rule last, up to 2 seeds"
    )
    more = pd.concat([rows, rows.assign(model="mlp2")]).assign(seed=0)
    assert exhibits.setting(more, "smoke", "last") == "MNIST, 3 networks; tier smoke, rule last, one seed"


def test_an_axis_has_room_for_all_values_and_not_for_much_more():
    assert exhibits.room(pd.Series([32.5, 97.0])) == (30, 100)
    assert exhibits.room(pd.Series([96.0]), pd.Series([99.1])) == (95, 100)
    assert exhibits.room(pd.Series([2.0, 100.0])) == (0, 100.5)


def test_runs_at_zero_are_repeated_for_each_curve():
    rows = pd.DataFrame({"delta": [0.0, 0.5, 0.5], "order": ["random", "fresh", "reverse"], "v": [1, 2, 3]})
    found = exhibits.repeated_at_zero(rows, "delta", "order")
    assert found.values.tolist() == [[0, "fresh", 1], [0, "reverse", 1], [0.5, "fresh", 2], [0.5, "reverse", 3]]
    alone = exhibits.repeated_at_zero(rows[:1], "delta", "order")
    assert alone.values.tolist() == [[0, "random", 1]]  # nothing else was run


def test_a_gap_is_paired_by_seed_and_empty_without_runs():
    rows = pd.DataFrame({"alpha": [0, 10] * 2, "seed": [0, 0, 1, 1], "test_accuracy": [0.9, 0.7, 0.8, 0.6]})
    assert exhibits.gap(rows, 0, 10, by="alpha") == "20.0 (20.0 to 20.0)"
    assert exhibits.gap(rows[:2], 0, 10, by="alpha") == "20.0"  # of one seed there is no interval
    assert exhibits.gap(rows, 0, 20, by="alpha") == exhibits.gap(rows[:0], 0, 10, by="alpha") == ""


# Massive label noise


def uniform_rows() -> pd.DataFrame:
    """Two networks; the second has one seed at alpha = 100, the first two."""
    rows = [
        ("mlp1", 0, 0, 0.98, 30.0),
        ("mlp1", 0, 1, 0.96, 30.0),
        ("mlp1", 100, 0, 0.62, 90.0),
        ("mlp1", 100, 1, 0.60, 90.0),
        ("conv_small", 0, 0, 0.99, 60.0),
        ("conv_small", 0, 1, 0.99, 60.0),
        ("conv_small", 100, 0, 0.875, 600.0),
    ]
    frame = pd.DataFrame(rows, columns=["model", "alpha", "seed", "test_accuracy", "train_seconds"])
    wrong = (frame.alpha / (1 + frame.alpha)) * 0.9
    epoch = frame.alpha.map({0: 33.0, 100: 1.04})
    return frame.assign(realised_rate=wrong, epoch=epoch, dataset="mnist", train_right=0.91, train_wrong=0.02)


def test_the_largest_noise_is_that_of_conv4_or_its_stand_in_or_the_last_network():
    rows = pd.DataFrame({"model": ["conv4", "conv_small", "mlp1"], "alpha": [10, 50, 100]})
    assert exhibits.largest_noise(rows) == ("conv4", 10)
    assert exhibits.largest_noise(rows[1:]) == ("conv_small", 50)
    assert exhibits.largest_noise(rows[2:]) == ("mlp1", 100)


def test_the_labels_of_one_image_and_of_all_of_its_class_add_up():
    fig = exhibits.labels_of_a_three(alpha=100)
    one, whole = (ax for ax in fig.axes if ax.patches)
    heights = [[bar.get_height() for bar in ax.patches] for ax in (one, whole)]
    assert [sum(shares) for shares in heights] == pytest.approx([100, 100])
    assert np.argmax(heights[1]) == 3  # the truth stands out where labels are pooled
    assert "101 labels" in one.get_title()


def test_the_law_says_how_many_examples_make_up_for_noise():
    table = exhibits.law_by_alpha((10, 100))
    assert [*table["examples to pool"]] == ["8", "80"]
    assert [*table["true label, %"]] == ["18.2", "10.9"] and [*table["wrong labels, %"]] == ["81.8", "89.1"]


def test_accuracy_against_alpha_shows_our_means_and_the_papers_points():
    ax = exhibits.accuracy_against_alpha(uniform_rows())
    [legend] = ax.figure.legends  # below the Axes
    assert {"small conv net", "Conv4 (paper)"} <= {text.get_text() for text in legend.get_texts()}
    found = curves(ax)
    assert found["mlp1"] == [(0, 97.0), (100, 61.0)] and found["conv_small"] == [(0, 99.0), (100, 87.5)]
    assert (0, 98.3) in found["mlp1 (paper)"] and (100, 69.6) in found["mlp1 (paper)"]


def test_accuracy_on_cifar_has_the_papers_fig_2_dashed():
    rows = uniform_rows().query("model == 'conv_small'").assign(dataset="cifar10")
    found = curves(exhibits.accuracy_against_alpha(rows, "Fig. 2"))
    assert found["conv_small"] == [(0, 99.0), (100, 87.5)]
    assert {name for name in found if "paper" in name} == {"conv4 (paper)", "conv6 (paper)", "resnet (paper)"}


def test_uniform_beside_the_papers_sets_conv4_below_the_stand_in():
    table = exhibits.uniform_beside_the_papers(uniform_rows())
    assert [*table.columns] == ["α = 0", "α = 100"]
    assert [*table.loc[("MLP, 1 hidden layer", "ours")]] == ["97.0 ± 1.4", "61.0 ± 1.4"]
    assert [*table.loc[("small conv net", "ours")]] == ["99.0 ± 0.0", "87.5"]  # one seed has no spread
    assert [*table.loc[("small conv net", "paper, Conv4")]] == ["99.5", "91.1"]


def test_networks_that_the_paper_has_not_stand_alone():
    rows = pd.concat([uniform_rows(), uniform_rows().query("alpha == 0").assign(model="resnet18", alpha=7)])
    table = exhibits.uniform_beside_the_papers(rows)
    assert ("ResNet-18", "ours") in table.index and len(table.loc["ResNet-18"]) == 1
    assert pd.isna(table.loc[("small conv net", "paper, Conv4"), "α = 7"])


def test_capacity_counts_weights_and_what_noise_costs():
    table = exhibits.capacity(uniform_rows())
    assert table.loc["MLP, 1 hidden layer"].to_dict() == {
        "weights": f"{785 * 256 + 257 * 10:,}",
        "at α = 0, %": "97.0",
        "at α = 100, %": "61.0",
        "points lost": "36.0 (36.0 to 36.0)",
    }
    assert table.loc["small conv net", "points lost"] == "11.5"  # one seed has both


def test_memorised_compares_hits_with_chance():
    rows = uniform_rows()
    rows.loc[rows.model == "mlp1", ["train_right", "train_wrong"]] = 0.64, 0.0506
    table = exhibits.memorised(rows)
    assert [*table.columns] == ["α = 100"]  # without noise no label is wrong
    assert table["α = 100"].to_dict() == {"MLP, 1 hidden layer": "5.06 (4.00)", "small conv net": "2.00 (1.00)"}


def test_accuracy_by_rule_is_of_the_largest_alpha():
    noisy = history(model="mlp1", alpha=100)
    table = exhibits.accuracy_by_rule(pd.concat([noisy, history(model="mlp1", alpha=0, key="b", test_accuracy=1.0)]))
    assert table.loc["MLP, 1 hidden layer"].to_dict() == {
        "last": "70.0",
        "best on test (leaks)": "90.0",
        "noisy validation": "50.0",
        "clean validation": "70.0",
    }


def test_training_minutes_are_summed_over_seeds():
    table = exhibits.training_minutes(uniform_rows())
    assert table.loc["MLP, 1 hidden layer"].to_dict() == {"α = 0": "1.0", "α = 100": "3.0"}
    assert table.loc["small conv net"].to_dict() == {"α = 0": "2.0", "α = 100": "10.0 (n = 1)"}
    assert exhibits.training_minutes(uniform_rows()[1:]).loc["MLP, 1 hidden layer", "α = 0"] == "0.5 (n = 1)"
    only = uniform_rows().query("model == 'mlp1' or alpha == 0")
    assert exhibits.training_minutes(only).loc["small conv net", "α = 100"] == ""


def test_what_a_network_lost_is_empty_where_it_was_not_run():
    table = exhibits.capacity(uniform_rows().query("alpha == 100"))
    assert {*table["at α = 0, %"]} == {*table["points lost"]} == {""} and {*table["at α = 100, %"]} == {"61.0", "87.5"}


def test_sentences_on_the_amount_have_numbers_and_say_what_was_not_run():
    rows = pd.concat(
        history(key=f"{model}{alpha}", model=model, alpha=alpha, seed=0, dataset="mnist", epoch=1.0, images=100,
                realised_rate=0.8, train_right=0.91, train_wrong=0.03)
        for model in ("mlp1", "conv_small") for alpha in (0, 100)
    )  # fmt: skip
    said = sentences.amount(rows, rows, "last")
    assert said["conv"] == "small conv net" and said["largest"] == "100" and said["conv_100"] == "70.0"
    assert said["conv_50"] == said["mlp4"] == said["conv_lost_to_10"] == sentences.NOT_RUN
    assert said["beyond_chance"] == "2.00" and said["noisy_costs"] == "20.0" and said["leak"] == "20.0"
    assert said["paper_conv4_100"] == "91.1" and said["paper_resnet_10"] == "85.0"
    assert said["passes"] == "once at α = 0, once at α = 100"


# The shape of the noise


def record(order: str, seed: int, ranking) -> Record:
    run = Run("digits", "mlp1", Budget(1), Structured(20.0, 1.0, order), seed=seed)
    return Record(run, {"definition": {"ranking": ranking}}, [], {}, {}, "")


def test_the_confusing_card_is_the_last_one_of_seed_0():
    records = [record("confusing", 0, 1), record("confusing", 0, 2), record("confusing", 1, 3), record("random", 0, 4)]
    assert exhibits.confusing_card(records)["definition"]["ranking"] == 2
    with pytest.raises(UserError, match="deltas needs a value above 0"):
        exhibits.confusing_card(records[2:])


def test_the_law_of_a_tilt_ends_in_a_tie():
    table = exhibits.law_by_delta((0, 0.5, 1))
    assert [*table["lead, points"]] == ["4.8", "2.4", "0.0"] and [*table["examples to pool"]] == ["16", "64", ""]
    assert table.loc["1", "truth, %"] == table.loc["1", "first false, %"]


def test_ranked_labels_are_the_first_three_and_the_last():
    card = {"definition": {"ranking": [[4, 3, 2, 1], [0, 2, 3, 4], [0, 1, 3, 4], [0, 1, 2, 4], [3, 2, 1, 0]]}}
    table = exhibits.ranked_labels(card)
    assert table.loc["0"].to_dict() == {"first": "4", "second": "3", "third": "2", "last": "1"}
    assert sentences.of_card(card) == {"first_4": "3", "first_5": NOT_RUN, "first_7": NOT_RUN}  # of five


def test_labels_added_to_a_three_differ_in_a_fixed_order_and_not_in_fresh_ones():
    fig = exhibits.labels_added_to_a_three()
    fixed, fresh = (np.array([bar.get_height() for bar in ax.patches]) for ax in fig.axes)
    assert fixed.sum() == pytest.approx(100) and fixed.max() - fixed.min() > 6
    assert ((fresh > 8) & (fresh < 12)).all()


def structured_rows() -> pd.DataFrame:
    rows = [(0.0, "random", 0, 0.96), (0.0, "random", 1, 0.94)]
    rows += [(1.0, order, seed, v) for order, v in (("fresh", 0.95), ("confusing", 0.5)) for seed in (0, 1)]
    frame = pd.DataFrame(rows, columns=["delta", "order", "seed", "test_accuracy"])
    return frame.assign(dataset="mnist", model="conv_small", alpha=20.0, images=1000)


def test_all_orders_begin_at_the_runs_without_structure():
    ax = exhibits.accuracy_against_delta(structured_rows())
    assert curves(ax) == {"confusing": [(0, 95), (1, 50)], "fresh": [(0, 95), (1, 95)]}
    table = exhibits.accuracy_by_order(structured_rows())
    assert [*table.index] == ["confusing", "fresh"]  # in one order on all pages
    assert table.loc["confusing"].to_dict() == {"δ = 0": "95.0 ± 1.4", "δ = 1": "50.0 ± 0.0"}


def test_errors_are_held_against_an_even_spread_and_the_first_false_label():
    table = exhibits.where_errors_go(structured_rows().assign(train_right=0.4, train_wrong=0.1))
    assert table.loc["fresh"].to_dict() == {
        "right, %": "40.0",
        "wrong, %": "10.0",
        "if even, %": "6.7",
        "if all first, %": "10.0",  # a sixth of the false labels are the first one, at a tie
    }


def test_falls_are_set_side_by_side_for_orders_that_all_frames_have():
    half = structured_rows().query("delta == 1").assign(delta=0.5, test_accuracy=0.9)
    whole = pd.concat([structured_rows(), half])
    part = whole[whole["order"] != "fresh"].assign(images=10)
    table = exhibits.fall_by_images([whole, part])
    assert [*table.index] == [("confusing", "1,000"), ("confusing", "10")]
    assert {*table["from 0.5 to 1"]} == {"40.0 (40.0 to 40.0)"}


def test_structured_noise_is_held_against_uniform_noise_of_the_same_seeds():
    table = exhibits.ahead_of_uniform(structured_rows())
    assert table.loc["1", "confusing"].startswith("-45.0 (")
    assert table.loc["1", "fresh"].startswith("0.0 (")


def test_foreign_images_are_twenty_with_wrong_labels():
    fig = exhibits.foreign_images()
    assert [ax.get_xlabel() for ax in fig.axes] == [str(i % 10) for i in range(20)]
    assert {ax.xaxis.label.get_color() for ax in fig.axes} == {"#c00000"}


def carrier_rows(*carriers: str) -> pd.DataFrame:
    """One run without noise, and at alpha = 10 two seeds for each carrier, the next one ten points better."""
    rows = [(0.0, "same", 0, 0.99)]
    rows += [(10.0, name, seed, 0.7 + 0.1 * i + seed / 100) for i, name in enumerate(carriers) for seed in (0, 1)]
    return pd.DataFrame(rows, columns=["alpha", "carrier", "seed", "test_accuracy"])


def test_carriers_begin_at_the_same_clean_runs():
    rows = carrier_rows("same", "white")
    found = curves(exhibits.accuracy_against_alpha_by_carrier(rows))
    assert found == {"the same images": [(0, 99), (10, 70.5)], "white noise": [(0, 99), (10, 80.5)]}
    table = exhibits.accuracy_by_carrier(rows)
    assert table.loc["white noise"].to_dict() == {"α = 0": "99.0", "α = 10": "80.5 ± 0.7"}


def test_repeated_or_novel_has_fig_7_dashed():
    found = curves(exhibits.repeated_or_novel(carrier_rows("same", "novel")))
    assert found["novel images"] == [(0, 99), (10, 80.5)] and len(found["the same images (paper)"]) == 5
    assert {*found} == {f"{name}{of}" for name in ("the same images", "novel images") for of in ("", " (paper)")}


def test_the_difference_to_repeated_images_is_taken_seed_by_seed():
    rows = pd.DataFrame({"seed": [0, 0, 1, 1], "carrier": ["novel", "same"] * 2, "test_accuracy": [0.7, 0.8, 0.6, 0.8]})
    [row] = exhibits.novel_or_repeated(rows).to_dict("records")
    assert row["same images, %"] == "80.0 ± 0.0" and row["novel images, %"] == "65.0 ± 7.1"
    assert row["novel ahead, points"].startswith("-15.0 (")


def test_sentences_on_the_shape_have_numbers_and_say_what_was_not_run():
    told = {"key": "a", "step": 1, "epoch": 1.0, "images": 1000}
    whole = structured_rows().assign(**told)
    whole["key"] = whole["order"] + whole.delta.astype(str) + whole.seed.astype(str)
    carriers = carrier_rows("same", "fashion", "white").assign(**told, dataset="mnist", model="conv_small")
    carriers["key"] = carriers.carrier + carriers.alpha.astype(str) + carriers.seed.astype(str)
    tables = dict.fromkeys(("structured", "knee", "order"), whole)
    said = sentences.shape(tables | dict.fromkeys(("source", "cifar_source", "novel"), carriers), "last")
    assert said["images"] == "1,000" and said["whole_fresh_tie"].startswith("0.0 (")
    assert said["whole_confusing_tie"].startswith("45.0 (") and said["whole_random_half"] == sentences.NOT_RUN
    assert said["mnist_foreign_ahead"] == "10.0 (10.0 to 10.0)" and said["mnist_same_lost"] == "29.0"
    assert sentences.of_ten(carriers.query("alpha == 10").replace({"carrier": {"white": "novel"}}))[
        "novel_ahead"
    ].startswith("20.0")
