"""What chapter 5 shows, on frames made by hand."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from nlcore.papers.zhang2018 import exhibits

UNIFORM, FLIP = "symmetric_exclusive", "pair_flip"


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def runs(*rows: tuple, **columns) -> pd.DataFrame:
    """A row per run: method, noise, rate, seed, test accuracy."""
    frame = pd.DataFrame(rows, columns=["method", "noise", "rate", "seed", "test_accuracy"])
    return frame.assign(**({"model": "conv_small", "dataset": "fashion"} | columns))


TABLE = runs(
    ("ce", UNIFORM, 0.2, 0, 0.70),
    ("ce", UNIFORM, 0.2, 1, 0.74),
    ("ce", UNIFORM, 0.6, 0, 0.40),
    ("ce", FLIP, 0.2, 0, 0.60),
    ("ce", FLIP, 0.4, 0, 0.50),
    ("gce", UNIFORM, 0.2, 0, 0.80),
    ("gce", UNIFORM, 0.2, 1, 0.80),
    ("gce", UNIFORM, 0.6, 0, 0.75),
    ("gce", FLIP, 0.4, 0, 0.47),
)


def test_the_noise_of_a_run_in_short():
    assert [*exhibits.noise_of(TABLE)[:5]] == ["u 0.2", "u 0.2", "u 0.6", "d 0.2", "d 0.4"]


@pytest.mark.parametrize("uniform, rates, accuracy", [(True, [0.2, 0.6], [72, 40]), (False, [0.2, 0.4], [60, 50])])
def test_accuracy_against_the_rate_has_one_kind_of_noise(uniform, rates, accuracy):
    ax = exhibits.accuracy_against_rate(TABLE, uniform)
    assert ax.get_xlabel() == ("uniform noise rate (exclusive)" if uniform else "class-dependent noise rate")
    assert ax.get_ylabel() == "test accuracy, %"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["ce", "gce"]
    x, y = ax.lines[0].get_data()
    assert [*x] == rates and [*y] == pytest.approx(accuracy)


def test_a_single_seed_has_no_spread_and_a_missing_cell_none():
    table = exhibits.accuracy_table(TABLE)
    assert [*table.index] == ["ce", "gce"] and [*table.columns] == ["u 0.2", "u 0.6", "d 0.2", "d 0.4"]
    assert table.loc["ce", "u 0.2"] == "72.0 ± 2.8" and table.loc["gce", "u 0.2"] == "80.0 ± 0.0"
    assert table.loc["ce", "d 0.4"] == "50.0" and pd.isna(table.loc["gce", "d 0.2"])


def curve(key: str, rate: float, q: float, *accuracy: float) -> pd.DataFrame:
    """The history of a run with an evaluation each epoch."""
    frame = pd.DataFrame({"test_accuracy": accuracy, "train_wrong": 0.1, "train_right": 0.9})
    frame["epoch"] = frame["step"] = range(1, 1 + len(accuracy))
    noise = UNIFORM if rate else "clean"
    return frame.assign(key=key, rate=rate, method_q=q, noise=noise, method="gce", model="m", steps=9, falls=1.0)


CURVES = pd.concat(
    [
        curve("a", 0.2, 0.0, 0.5, 0.8, 0.6),
        curve("b", 0.2, 0.0, 0.5, 0.6, 0.7),
        curve("c", 0.2, 0.8, 0.4, 0.6, 0.6),
        curve("d", 0.0, 0.3, 0.4, 0.6, 0.9),
    ],
    ignore_index=True,
)


def test_training_curves_are_means_in_percent_by_rate_and_q():
    fig = exhibits.training_curves(CURVES)
    assert [ax.get_title() for ax in fig.axes] == ["uniform noise, 0.2", "clean labels"]
    solid, dashed, dotted = fig.axes[0].lines[:3]
    assert solid.get_label() == "q = 0" and [*solid.get_ydata()] == pytest.approx([50, 70, 65])
    assert [*dashed.get_ydata()] == pytest.approx([10] * 3) and [*dotted.get_ydata()] == pytest.approx([90] * 3)


def test_best_and_last_stand_beside_what_was_read_off_the_paper():
    table = exhibits.peak_and_last(CURVES)
    assert table.index.names == ["rate", "method_q"] and [*table.index] == [(0.0, 0.3), (0.2, 0.0), (0.2, 0.8)]
    assert [*table.columns[:2]] == ["ours, peak", "ours, last"]
    assert [*table.loc[(0.2, 0.0), ["ours, peak", "ours, last"]]] == [75.0, 65.0]
    assert [*table.loc[(0.2, 0.0), ["paper, peak", "paper, last"]]] == [87.0, 84.0]
    assert (table.loc[(0.0, 0.3)].filter(like="paper") == "").all()  # a q that the paper has not


def test_gaps_to_cross_entropy_under_both_rules_and_the_papers():
    early = runs(("ce", UNIFORM, 0.6, 0, 0.6), ("gce", UNIFORM, 0.6, 0, 0.7), ("gce", FLIP, 0.4, 0, 0.5))
    late = early.assign(test_accuracy=[0.4, 0.65, 0.45])
    history = pd.concat([early.assign(step=1, noisy_validation=0.3), late.assign(step=2, noisy_validation=0.2)])
    history = history.assign(key=history.method + history.noise).reset_index(drop=True)
    table = exhibits.above_cross_entropy(history)
    assert table.loc[("ours, last", "gce"), "u 0.6"] == 25.0
    assert table.loc[("ours, noisy validation", "gce"), "u 0.6"] == 10.0
    assert table.loc[("ours, last", "gce"), "d 0.4"] == ""  # no cross entropy to compare with
    assert table.loc[("paper", "gce"), "u 0.6"] == 8.4  # 82.54 less 74.14
    assert "ce" not in table.index.get_level_values(1) and [*table.columns] == sorted(table.columns)


def test_accuracy_by_the_number_of_images():
    more = runs(("gce", FLIP, 0.4, 0, 0.55), ("ce", FLIP, 0.4, 0, 0.5), images=20_000)
    fewer = TABLE.assign(images=5000)
    table = exhibits.accuracy_by_images(more, pd.concat([fewer, fewer.assign(method="mae")]))
    assert table.to_dict("index") == {"5000": {"ce": "50.0", "gce": "47.0"}, "20000": {"ce": "50.0", "gce": "55.0"}}
    assert [*table.columns] == ["ce", "gce"]


def pruned(*rows: tuple) -> pd.DataFrame:
    """A row per run of truncated L_q: k, who prunes, first pruning, detached, test accuracy, precision."""
    names = ["method_k", "method_pruner", "method_start", "method_detached", "test_accuracy", "kept_precision"]
    return pd.DataFrame(rows, columns=names).assign(kept=0.4, kept_recall=0.8, train_wrong=0.05)


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
    assert [*table.index] == [(0.3, "as in the paper")] + [
        (0.5, name) for name in ("as in the paper", "at once", "current", "detached")
    ]
    assert [*table.columns] == ["test_accuracy", "kept", "precision", "recall", "train_wrong"]
    assert [*table.loc[(0.5, "as in the paper")]] == [77.0, 40.0, 94.0, 80.0, 5.0]
    assert pd.isna(table.loc[(0.5, "at once"), "precision"])  # nothing kept


def test_effects_of_variants_are_at_one_threshold_and_say_what_was_not_run():
    found = exhibits.effects_of_variants(PRUNED)
    assert found == {
        "effect_detached": "-2.0 points",
        "effect_current": "+2.0 points",
        "effect_at_once": "-67.0 points",
    }
    assert exhibits.effects_of_variants(PRUNED[:3])["effect_detached"] == "(not run)"
    assert {*exhibits.effects_of_variants(PRUNED[2:]).values()} == {"(not run)"}


def test_gaps_of_lq_at_0_6_and_at_the_most_class_dependent_noise():
    assert exhibits.gaps_of_lq(TABLE) == {"gap_uniform": "+35.0 points", "gap_dependent": "-3.0 points"}
    assert exhibits.gaps_of_lq(TABLE[TABLE.rate != 0.6])["gap_uniform"] == "(not run)"


def test_effects_of_rules_are_of_cross_entropy_under_uniform_noise():
    history = pd.concat([TABLE.assign(step=step, noisy_validation=0.9 - step / 10) for step in (1, 2, 3)])
    history["key"] = history.method + history.noise + history.rate.astype(str) + history.seed.astype(str)
    history["test_accuracy"] = history.test_accuracy + history.step.map({1: 0.0, 2: 0.1, 3: -0.1})
    history = history.reset_index(drop=True)
    found = exhibits.effects_of_rules(history)
    assert found == {"effect_leak": "+20.0 points", "effect_noisy": "+10.0 points"}
    assert [*exhibits.effects(history, TABLE, PRUNED)] == [
        *("effect_detached", "effect_current", "effect_at_once"),
        *("gap_uniform", "gap_dependent"),
        *("effect_leak", "effect_noisy"),
    ]


def test_the_rest_of_the_field_beside_the_same_data_and_noise():
    rest = runs(
        ("noise_adaptation", UNIFORM, 0.6, 0, 0.7), ("backward", UNIFORM, 0.6, 0, 0.1), T_error=[0.123, float("nan")]
    )
    others = pd.concat([TABLE, runs(("forward", UNIFORM, 0.6, 0, 0.76)), TABLE.assign(dataset="mnist")])
    table = exhibits.rest_of_the_field(rest, others.assign(T_error=float("nan")))
    assert [*table.index] == ["noise_adaptation", "backward", "ce", "forward"]  # not L_q, which has a table of its own
    assert [*table.columns] == ["u 0.6", "T_error, u 0.6"]
    assert [*table["u 0.6"]] == ["70.0", "10.0", "40.0", "76.0"]
    assert [*table["T_error, u 0.6"]] == [0.12, "", "", ""]


def test_words_name_verdicts_and_data():
    verdicts = pd.DataFrame({"claim": ["C1", "C8"], "verdict": ["partly", "reproduced"]})
    two = pd.concat([TABLE, TABLE.assign(model="mlp2")])
    found = exhibits.words(verdicts, "laptop", "last", two, TABLE.assign(dataset="cifar10"), TABLE)
    assert found == {
        "verdict_C1": "partly",
        "verdict_C8": "reproduced",
        "tier": "laptop",
        "rule": "last",
        "fashion_data": "fashion",
        "cifar_data": "cifar10",
        "field_data": "fashion",
        "network": "conv_small, mlp2",
    }


def test_by_rule():
    """Two evaluations of a run, of which noisy validation prefers the first."""
    first = runs(("ce", UNIFORM, 0.6, 0, 0.7), ("ce", "clean", 0.0, 0, 0.9)).assign(step=1, noisy_validation=0.5)
    last = first.assign(step=2, noisy_validation=0.4, test_accuracy=[0.2, 0.8])
    history = pd.concat([first, last]).assign(key=["noisy", "clean"] * 2).reset_index(drop=True)
    table = exhibits.by_rule(history)
    assert table.loc["ce", ("last", "uniform 0.6")] == "20.0" and table.loc["ce", ("last", "clean")] == "80.0"
    assert table.loc["ce", ("noisy validation", "uniform 0.6")] == "70.0"
