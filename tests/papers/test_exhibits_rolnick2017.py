"""What the chapters on Rolnick et al. show, on frames of a few rows."""

import matplotlib
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from nlcore.papers import experiments
from nlcore.papers.rolnick2017 import exhibits


@pytest.fixture(autouse=True)
def canvas():
    """Figures are drawn in memory, and closed."""
    matplotlib.use("agg")
    yield
    plt.close("all")


def curves(ax: Axes) -> dict[str, list[tuple[float, float]]]:
    """The points of all curves of Axes, under the names that the legend has."""
    handles, names = ax.get_legend_handles_labels()
    name_of = {handle.get_color(): name for handle, name in zip(handles, names, strict=True) if "paper" not in name}
    found = {}
    for line in ax.lines:
        name = line.get_label() if "paper" in line.get_label() else name_of[line.get_color()]
        points = [(float(x), round(float(y), 3)) for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)]
        if points:  # those without are there for the legend
            found[name] = points
    return found


def history(**columns) -> pd.DataFrame:
    """One run with three evaluations, of which each rule picks another one where it can."""
    found = {"step": [1, 2, 3], "test_accuracy": [0.5, 0.9, 0.7], "noisy_validation": [0.4, 0.1, 0.2]}
    return pd.DataFrame(found | {"clean_validation": [0.1, 0.2, 0.3], "key": "a"} | columns)


# Data, batches, learning rates


def test_alignment_has_a_row_for_each_length_and_alpha():
    rows = exhibits.gradient_alignment(lengths=(1,), alphas=(0, 20), batches=(32,))
    assert [*rows.steps] == [1, 1] and [*rows.alpha] == [0, 20]
    clean, noisy = rows.itertuples()
    assert clean.limit == pytest.approx(1, abs=1e-4) and clean.length == pytest.approx(1, abs=1e-4)
    assert noisy.expected < clean.expected and noisy.length < 1


def test_alignment_table_shows_once_what_is_the_same_for_all_batches():
    rows = pd.DataFrame({"alpha": [0.0, 0.0], "batch": [32, 256], "cosine": [0.661, 0.92], "expected": [0.64, 0.917]})
    table = exhibits.alignment_table(rows.assign(steps=10, limit=1.0, length=0.333))
    assert [*table.index] == [(10, 0.0)] and [*table.index.names] == ["after step", "alpha"]
    cosines = {("cosine", 32): 0.66, ("cosine", 256): 0.92, ("expected", 32): 0.64, ("expected", 256): 0.92}
    assert table.iloc[0].to_dict() == cosines | {("limit", "all"): 1.0, ("length", "all"): 0.33}


def size_rows() -> pd.DataFrame:
    """At alpha = 10 the accuracy of 80 % lies halfway, in the logarithm, between 100 and 10,000 examples."""
    rows = [(0.0, 100, 0, 0.85), (0.0, 10_000, 0, 0.95), (10.0, 100, 0, 0.7), (10.0, 10_000, 0, 0.9)]
    frame = pd.DataFrame(rows, columns=["alpha", "images", "seed", "test_accuracy"])
    return frame.assign(dataset="mnist", model="conv_small")


def test_data_size_values():
    found = exhibits.data_size_values(size_rows(), "gpu", "last")
    assert found == {"tier": "gpu", "data": "mnist", "rule": "last", "size_network": "conv_small"}


def test_accuracy_against_images_is_logarithmic_with_fig_8():
    ax = exhibits.accuracy_against_images(size_rows())
    found = curves(ax)
    assert ax.get_xscale() == "log" and ax.get_xlabel() == "clean examples"
    assert found["10"] == [(100, 70), (10_000, 90)] and {"0 (paper)", "50 (paper)"} <= {*found}


def test_examples_needed_are_geometric_means_beside_fig_9():
    two = pd.concat([size_rows(), size_rows().query("alpha == 10").assign(seed=1, test_accuracy=[0.8, 0.85])])
    table = exhibits.examples_needed(two, targets=(0.8, 0.7))
    assert [*table.index[:2]] == [90.0, 80.0]  # the paper's targets too
    assert table.loc[80.0, ("ours", 0.0)] == "100 (100 to 100)"  # the smallest size already suffices
    assert table.loc[80.0, ("ours", 10.0)] == "316 (100 to 1000)"
    assert table.loc[90.0, ("ours", 10.0)] == ""
    assert table.loc[90.0, ("paper (± 40)", 50)] == "10207"


def test_examples_needed_say_inf_where_no_size_reaches():
    table = exhibits.examples_needed(size_rows(), targets=(0.92, 0.6))
    assert table.loc[92.0, ("ours", 10.0)] == "inf (inf to inf)"


def test_longer_runs_stand_beside_one_pass_at_the_same_points():
    longer = pd.DataFrame({"alpha": 10.0, "images": 100, "steps": [5000, 600], "test_accuracy": [0.5, 0.52]})
    table = exhibits.longer_beside_one_pass(longer, size_rows())
    assert table.to_dict("index") == {"10, 100": {"as above": "70.0", "longer": "51.0 ± 1.4"}}
    assert exhibits.longer_values(longer) == {"longer_steps": "600, 5,000"}


def test_constant_rates_stand_beside_the_falling_one():
    sizes = size_rows().assign(alpha=50.0)[:2]
    onset = sizes.assign(test_accuracy=0.4, lr=1e-4)
    ax = exhibits.accuracy_at_constant_rates(onset, sizes)
    found = curves(ax)
    assert found["constant 0.0001"] == [(100, 40), (10_000, 40)] and found["falling"] == [(100, 85), (10_000, 95)]
    assert len(found["Conv4 (paper)"]) == 13 and ax.get_xscale() == "log"


def test_rules_are_compared_at_the_second_largest_alpha():
    table = pd.concat([history(alpha=a, images=100, key=str(a)) for a in (0.0, 20.0, 50.0)])
    table.loc[table.alpha != 20, "test_accuracy"] = 0.0
    assert exhibits.second_largest_noise(table) == 20 and exhibits.second_largest_noise(table[:3]) == 0
    found = exhibits.accuracy_by_images_and_rule(table)
    chosen = {"last": 70.0, "best on test (leaks)": 90.0, "noisy validation": 50.0, "clean validation": 70.0}
    assert found.to_dict("index") == {100: chosen}


def batch_rows() -> pd.DataFrame:
    """Cross entropy at two batch sizes under two schedules, and H_alpha, whose alpha is the method's."""
    rows = [("ce", 0, None, 32, "constant", 0.98), ("ce", 50, None, 32, "constant", 0.6)]
    rows += [("ce", 50, None, 256, "constant", 0.8), ("ce", 50, None, 256, "cosine", 0.9)]
    rows += [("h_alpha", None, 0, 256, "constant", 0.97), ("h_alpha", None, 50, 256, "constant", 0.97)]
    columns = ["method", "alpha", "method_alpha", "batch", "schedule", "test_accuracy"]
    return pd.DataFrame(rows, columns=columns).astype({"alpha": float, "method_alpha": float})


def test_batch_sizes_stand_beside_h_alpha_and_fig_11_under_the_constant_schedule():
    ax = exhibits.accuracy_by_batch_size(batch_rows(), "constant")
    found = curves(ax)
    assert found["32"] == [(0, 98), (50, 60)] and found["256"] == [(50, 80)] and found["H_alpha"] == [(0, 97), (50, 97)]
    assert {"32 (paper)", "H_alpha (paper)"} <= {*found} and ax.get_legend().get_title().get_text() == "batch size"
    assert curves(exhibits.accuracy_by_batch_size(batch_rows(), "cosine")) == {"256": [(50, 90)]}


def rate_rows() -> pd.DataFrame:
    """By test accuracy the higher rate wins at alpha = 0, by noisy validation the lower one; a row per evaluation."""
    rows = [("a", 0.0, 0.5, 100, 0.97, 0.5), ("b", 0.0, 0.1, 100, 0.96, 0.6)]
    rows += [("c", 10.0, 0.5, 100, 0.80, 0.2), ("c", 10.0, 0.5, 200, 0.60, 0.3)]
    rows += [("d", 10.0, 0.1, 100, 0.70, 0.2), ("d", 10.0, 0.1, 200, 0.90, 0.4)]
    columns = ["key", "alpha", "lr", "step", "test_accuracy", "noisy_validation"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(steps=frame.alpha.map({0.0: 100, 10.0: 200}), dataset="mnist")


def test_accuracy_by_rate_shows_the_paper_only_beside_cifar10():
    last = rate_rows().groupby("key").last()
    assert curves(exhibits.accuracy_by_rate(last)) == {"0.1": [(0, 96), (10, 90)], "0.5": [(0, 97), (10, 60)]}
    assert "0.05 (paper)" in curves(exhibits.accuracy_by_rate(last.assign(dataset="cifar10")))


def test_best_rates_by_three_choices():
    table = rate_rows()
    found = exhibits.best_rates(table.groupby("key", as_index=False).last(), table)
    assert found["best on test (leaks)"].to_dict("index") == {
        0.0: {"rate": 0.5, "accuracy, %": 97.0},
        10.0: {"rate": 0.1, "accuracy, %": 90.0},
    }
    assert found["noisy validation"].to_dict("index") == {
        0.0: {"rate": 0.1, "accuracy, %": 96.0},
        10.0: {"rate": 0.1, "accuracy, %": 90.0},
    }
    early = found["as long as at alpha = 0"]  # after 100 steps the higher rate leads
    assert early.loc[10.0].to_dict() == {"rate": 0.5, "accuracy, %": 80.0}


def test_best_rates_of_the_paper():
    table = exhibits.best_rates_of_paper()
    assert [*table.index] == ["best rate", "accuracy, %"] and [*table.columns] == [*range(11)]
    assert table[0].to_dict() == {"best rate": 0.5, "accuracy, %": 81.6}


# The tables of sizes


@pytest.mark.parametrize("name", [name for name in experiments() if name.startswith("rolnick2017.")])
def test_laptop_and_paper_differ_in_size_only(name):
    """What is set at one tier is set at all, but for how many examples and how a GPU computes."""
    tiers = experiments()[name].tiers
    machine = {"examples", "augment", "precision", "channels_last"}
    assert len({frozenset(size.keys() - machine) for size in tiers.values()}) == 1
