"""What chapter 5 shows and says, on frames made by hand."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from nlcore.inputs import UserError
from nlcore.papers.zhang2018 import exhibits, sentences

UNIFORM, FLIP = "symmetric_exclusive", "pair_flip"
LQ = "generalised cross entropy (L_q)"


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def runs(*rows: tuple, **columns) -> pd.DataFrame:
    """A row per run: method, noise, rate, seed, test accuracy."""
    frame = pd.DataFrame(rows, columns=["method", "noise", "rate", "seed", "test_accuracy"])
    frame["key"] = [f"{row[:4]}" for row in rows]
    return frame.assign(**({"model": "conv_small", "dataset": "fashion", "images": 500.0} | columns))


def history(early: pd.DataFrame, late: list[float]) -> pd.DataFrame:
    """Two evaluations of each run, of which noisy validation prefers the first."""
    first = early.assign(step=1, epoch=1.0, noisy_validation=0.5)
    last = early.assign(step=2, epoch=2.0, noisy_validation=0.4, test_accuracy=late)
    return pd.concat([first, last], ignore_index=True).assign(steps=2, falls=1.0, train_wrong=0.5, loss=1.0)


TABLE = runs(
    ("ce", UNIFORM, 0.2, 0, 0.70),
    ("ce", UNIFORM, 0.2, 1, 0.74),
    ("ce", UNIFORM, 0.6, 0, 0.40),
    ("ce", FLIP, 0.4, 0, 0.50),
    ("gce", UNIFORM, 0.2, 0, 0.80),
    ("gce", UNIFORM, 0.2, 1, 0.80),
    ("gce", UNIFORM, 0.6, 0, 0.75),
    ("gce", FLIP, 0.4, 0, 0.47),
)
TWO = history(
    runs(("ce", UNIFORM, 0.6, 0, 0.6), ("gce", UNIFORM, 0.6, 0, 0.7), ("gce", FLIP, 0.4, 0, 0.5)), [0.4, 0.65, 0.45]
)


def test_cross_entropy_and_lq_are_always_compared():
    assert exhibits.compared(["mae"]) == ["ce", "mae", "gce"] and exhibits.compared([]) == []
    with pytest.raises(UserError, match="method"):
        exhibits.compared(["backward"])
    with pytest.raises(UserError, match="one network"):
        exhibits.one_network(["mlp1", "mlp2"])


def test_what_rows_rest_on():
    told = exhibits.circumstances(TABLE, "laptop", "last")
    assert told == "Fashion-MNIST (500 images), small conv net, tier laptop, last evaluation, up to 2 seeds"
    more = pd.concat([TABLE, TABLE.assign(images=2000)])
    assert exhibits.circumstances(more, "laptop").startswith("Fashion-MNIST (500 and 2,000 images), ")


def test_the_noise_of_a_run_in_words():
    rows = pd.concat([TABLE, runs(("ce", "clean", 0.0, 0, 0.9))])
    assert [*exhibits.noise_of(rows).unique()] == ["symmetric 0.2", "symmetric 0.6", "pair 0.4", "clean labels"]


def test_the_rate_of_which_more_is_shown_is_0_6_where_it_is_there():
    assert {*exhibits.highest(TABLE).rate} == {0.6}
    assert {*exhibits.highest(TABLE[TABLE.rate != 0.6]).rate} == {0.2}


def test_a_single_seed_has_no_spread_and_a_missing_cell_is_empty():
    table = exhibits.accuracy(pd.concat([TABLE, runs(("mae", UNIFORM, 0.6, 0, 0.1))]), symmetric=True)
    assert [*table.index] == ["cross entropy", "absolute error (MAE)", LQ]
    assert [*table.loc["cross entropy"]] == ["72.0 ± 2.8", "40.0"]
    assert [*table.loc["absolute error (MAE)"]] == ["", "10.0"]
    assert [*exhibits.accuracy(TABLE, symmetric=False).columns] == ["pair 0.4"]


def test_leads_under_both_rules_and_without_cross_entropy_none():
    table = exhibits.leads(TWO)
    assert table.loc[("ours, last evaluation", LQ), "symmetric 0.6"] == "+25.0"
    assert table.loc[("ours, chosen by noisy validation", LQ), "symmetric 0.6"] == "+10.0"
    assert {*table["pair 0.4"]} == {""}  # no cross entropy to compare with
    assert "nan" not in table.to_string()


def test_the_papers_leads_stand_beside_its_data_set_alone():
    assert not [of for of, _ in exhibits.leads(TWO).index if "paper" in of]
    table = exhibits.leads(TWO.assign(dataset="cifar10", noise=TWO.noise.replace({FLIP: "asymmetric_cifar10"})))
    assert table.loc[("the paper, noisy validation", LQ), "symmetric 0.6"] == "+8.4"  # 82.54 less 74.14
    assert table.loc[("the paper, noisy validation", LQ), "asymmetric 0.4"] == "-3.4"
    assert table.columns.size == 2  # not the paper's other rates


def curve(rate: float, q: float, *accuracy: float) -> pd.DataFrame:
    """The history of a run with an evaluation each epoch."""
    frame = pd.DataFrame({"test_accuracy": accuracy, "train_wrong": 0.1})
    frame["epoch"] = frame["step"] = range(1, 1 + len(accuracy))
    noise = UNIFORM if rate else "clean"
    more = {"seed": 0, "steps": 9, "falls": 1.0, "dataset": "cifar10", "model": "m", "method": "gce"}
    return frame.assign(key=f"{rate} {q} {accuracy}", rate=rate, method_q=q, noise=noise, **more)


CURVES = pd.concat(
    [
        curve(0.2, 0.0, 0.5, 0.8, 0.6),
        curve(0.2, 0.0, 0.5, 0.6, 0.7),
        curve(0.2, 0.8, 0.4, 0.6, 0.6),
        curve(0.0, 0.3, 0.4, 0.6, 0.9),
    ],
    ignore_index=True,
)


def test_training_curves_are_means_in_percent_by_noise_and_q():
    titles = ["clean labels:\ntest accuracy", "symmetric 0.2:\ntest accuracy", "symmetric 0.2:\nwrong labels predicted"]
    fig = exhibits.training_curves(CURVES)
    assert [ax.get_title() for ax in fig.axes] == titles
    assert [*fig.axes[1].lines[0].get_ydata()] == pytest.approx([50, 70, 65])
    assert [*fig.axes[2].lines[0].get_ydata()] == pytest.approx([10] * 3)


def test_best_and_last_stand_beside_what_was_read_off_the_paper():
    table = exhibits.peak_and_last(CURVES)
    assert [*table.index] == [("clean labels", "0.3"), ("symmetric 0.2", "0"), ("symmetric 0.2", "0.8")]
    assert [*table.loc[("symmetric 0.2", "0")]] == ["75.0", "65.0", "87.0", "84.0"]
    assert {*table.loc[("clean labels", "0.3")].filter(like="paper")} == {""}  # a q that the paper has not
    assert [*exhibits.peak_and_last(CURVES.assign(dataset="mnist")).columns] == ["ours, best", "ours, last"]


def test_accuracy_by_the_number_of_images():
    more = runs(("gce", FLIP, 0.4, 0, 0.55), ("ce", FLIP, 0.4, 0, 0.5), images=20_000.0)
    table = exhibits.by_images(more, pd.concat([TABLE, TABLE.assign(method="mae"), TABLE.assign(dataset="mnist")]))
    assert exhibits.by_images(more, pd.concat([TABLE, more.assign(test_accuracy=0.1)])).equals(table)  # had other steps
    found = table.to_dict("index")
    assert found == {"500": {"cross entropy": "50.0", LQ: "47.0"}, "20,000": {"cross entropy": "50.0", LQ: "55.0"}}


def pruned(*rows: tuple) -> pd.DataFrame:
    """A row per run of truncated L_q: k, who prunes, first pruning, detached, test accuracy, precision."""
    names = ["method_k", "method_pruner", "method_start", "method_detached", "test_accuracy", "kept_precision"]
    columns = {"kept": 0.4, "kept_recall": 0.8, "train_wrong": 0.05, "realised_rate": 0.6, "seed": 0}
    frame = pd.DataFrame(rows, columns=names).assign(**columns)
    return frame.assign(step=1, key=[str(i) for i in range(len(rows))])


PRUNED = pruned(
    (0.5, "best", 0.3, False, 0.76, 0.93),
    (0.5, "best", 0.3, False, 0.78, 0.95),
    (0.5, "current", 0.3, False, 0.79, 0.9),
    (0.5, "best", 0.3, True, 0.75, 0.9),
    (0.5, "best", 0.0, False, 0.1, float("nan")),
    (0.3, "best", 0.3, False, 0.5, 0.9),
)


def test_what_pruning_keeps_by_threshold_and_variant():
    table = exhibits.what_pruning_keeps(PRUNED)
    assert table.shape == (5, 5) and table.index[0] == ("0.3", "as in the paper")
    assert [*table.loc[("0.5", "as in the paper")]] == ["77.0", "40.0", "94.0", "80.0", "5.0"]
    assert table.loc[("0.5", "from the first step on"), "kept that are right"] == ""  # nothing kept


def test_effects_of_variants_are_at_one_threshold_and_say_what_was_not_run():
    found = sentences.of_pruning(PRUNED)
    assert found["effect_detached"] == "-2.0" and found["effect_current"] == "+2.0"
    assert found["kept_precision"] == "94.0" and found["of_all_right"] == "40.0"
    assert sentences.of_pruning(PRUNED[:3])["effect_detached"] == "(not run)"


def test_gains_of_rules_are_of_cross_entropy_under_symmetric_noise():
    found = sentences.of_rules(TWO)
    assert found == {"gain_noisy": "+20.0", "gain_leak": "+20.0", "mean_lead_last": "+25.0", "mean_lead_noisy": "+10.0"}


def test_sentences_of_a_table_name_what_is_missing():
    found = sentences.of_fashion(TWO)
    assert found["lead_gce_sym6_last"] == "+25.0" and found["lead_gce_sym6_noisy"] == "+10.0"
    assert found["lead_gce_sym8_last"] == found["forward_pair4_last"] == "(not run)"


def test_sentences_of_the_curves_of_q():
    rows = pd.concat([curve(0.6, 0.0, 0.6, 0.35), curve(0.0, 0.0, 0.1, 0.9)], ignore_index=True)
    found = sentences.of_q(rows)
    assert found["q0_6_best"] == "60.0" and found["q0_6_last"] == "35.0" and found["lost"] == "50"
    assert found["q0_0_rise"] == "2" and found["q8_6_wrong"] == "(not run)"


def test_the_papers_numbers_in_sentences():
    assert sentences.of_paper() == {
        "paper_gce_4": "5.2",
        "paper_gce_6": "8.4",
        "paper_q1_early": "50",
        "paper_q1_last": "76",
    }


def test_the_rest_of_the_field_beside_the_same_data_and_noise():
    rest = history(runs(("noise_adaptation", UNIFORM, 0.6, 0, 0.7), ("backward", UNIFORM, 0.6, 0, 0.6)), [0.5, 0.1])
    told = TWO[TWO.method == "gce"].assign(method="forward", key="f" + TWO.key)
    others = pd.concat([TWO, TWO.assign(dataset="mnist", key="m" + TWO.key), told])
    table = exhibits.rest_of_the_field(rest, others)
    names = ["cross entropy", "forward correction, true T", "backward correction, true T", "noise adaptation layer"]
    assert [*table.index] == names  # not L_q, which has a table of its own
    assert [*table[("last", "symmetric 0.6")]] == ["40.0", "65.0", "10.0", "50.0"]
    assert [*exhibits.backward_by_seed(rest).axes[0].lines[0].get_ydata()] == pytest.approx([60, 10])


def test_errors_of_estimates_are_those_of_methods_that_have_one():
    rows = runs(
        ("noise_adaptation", UNIFORM, 0.6, 0, 0.7), ("backward", UNIFORM, 0.6, 0, 0.1), T_error=[0.123, float("nan")]
    )
    others = runs(("forward_estimated", UNIFORM, 0.6, 0, 0.7), ("forward_estimated", FLIP, 0.4, 0, 0.7), T_error=0.2)
    table = exhibits.errors_of_estimates(rows, others)
    found = {"noise adaptation layer": "0.12", "forward correction, estimated T": "0.20"}
    assert table.to_dict() == {"symmetric 0.6": found}


def test_by_rule():
    table = exhibits.by_rule(TWO)
    assert table.loc["cross entropy", ("last", "symmetric 0.6")] == "40.0"
    assert table.loc["cross entropy", ("noisy validation", "symmetric 0.6")] == "60.0"
    assert table.loc["cross entropy", ("last", "pair 0.4")] == ""


def test_figures_have_a_line_for_each_method_in_words():
    fig = exhibits.against_rate(TWO)
    assert len(fig.axes) == 4 and fig.axes[0].get_title() == "symmetric noise,\nlast evaluation"
    assert [text.get_text() for text in fig.legends[0].get_texts()] == ["cross entropy", LQ]
    assert [*fig.axes[2].lines[0].get_ydata()] == pytest.approx([60])
    assert len(exhibits.over_training(TWO).axes) == 2


def test_sums_over_labels_lie_between_their_bounds_and_meet_at_1():
    table = exhibits.sums_over_labels(0.7).astype(float)
    assert (table["lower bound"] <= table["least seen"]).all() and (table["largest seen"] <= table["upper bound"]).all()
    assert [*table.loc["1"]] == [9.0, 9.0, 9.0, 9.0, 0.0]
    assert len(exhibits.losses_and_pulls(0.7).axes) == 2
