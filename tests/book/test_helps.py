"""What helps, and when: gains are paired with cross entropy of the same recipe; nothing is said that was not run."""

import pandas as pd
from matplotlib import pyplot as plt

from nlcore import words
from nlcore.book import helps
from nlcore.papers.scoreboard import NOISY


def history(
    gains: dict[str, tuple[float, float]], noise: str = "symmetric_inclusive", rate: float = 0.4
) -> pd.DataFrame:
    """Two evaluations of three seeds: cross entropy is at 70 % on noisy validation's choice and at 50 % at the end, and
    others are so many points ahead of it, at the end and there."""
    rows = []
    for seed in range(3):
        for name, (last, stopped) in ({"ce": (0.0, 0.0)} | gains).items():
            base = {"key": f"{name}{seed}", "name": name, "seed": seed, "noise": noise, "rate": rate, "model": "m"}
            level = 0.01 * seed  # seeds differ by more than methods do
            rows.append(base | {"step": 1, "noisy_validation": 0.6, "test_accuracy": 0.7 + level + stopped / 100})
            rows.append(base | {"step": 2, "noisy_validation": 0.4, "test_accuracy": 0.5 + level + last / 100})
    return pd.DataFrame(rows)


FOUND = helps.gains({"FasTEN": history({"fasten": (20.0, 2.0), "ce": (0.0, 0.0)})})


def test_a_gain_is_paired_by_seed_and_taken_under_each_rule():
    of = FOUND[FOUND.method == "fasten"].set_index("rule")
    assert of.effect.round(6).to_dict() == {"last": 20.0, NOISY: 2.0}
    assert (of.high - of.low).max() < 1e-9  # whatever seeds have in common is gone
    plain = FOUND[FOUND.method == "ce"].set_index("rule")
    assert plain.effect.round(6).to_dict() == {"last": 51.0, NOISY: 71.0} and plain.low["last"] < 51


def test_the_table_has_a_row_for_each_method_and_empty_cells_where_nothing_was_run():
    more = history({"fasten": (1.0, 1.0), "glc": (3.0, 3.0)}, "pair_flip")
    table = helps.table(helps.gains({"FasTEN": pd.concat([history({"fasten": (20.0, 2.0)}), more])}))
    cells = table.xs("gold loss correction (GLC)", level="method").iloc[0]
    assert cells["symmetric, 0.4", "last"] == "" and cells["class-dependent, 0.4", "last"].startswith("+3.0")
    assert ("symmetric, 0.8", "last") not in table.columns
    assert table.index.get_level_values("needs").tolist().count("trusted images") == 2


def test_the_best_is_named_and_one_that_is_given_the_truth_is_not_best():
    rows = history({"forward": (30.0, 30.0), "gce": (10.0, 1.0), "mae": (5.0, 3.0)})
    said = helps.findings(helps.gains({"Zhang & Sabuncu": rows}))
    assert said["best_last"] == words.method("gce") and said["best_noisy"] == words.method("mae")
    assert said["gain_last"].startswith("+10.0") and said["best_dependent_last"] == "(not run)"


def test_what_a_method_needs():
    needs = {
        "forward": "the true T",
        "gce": "nothing",
        "DD": "trusted images",
        "PD": "nothing",
        "l2rw": "trusted images",
    }
    assert {method: helps.needs(method) for method in needs} == needs


def test_every_method_that_is_compared_has_a_name():
    frames = helps.comparable("laptop", "never", "cpu")
    assert {name for rows in frames.values() for name in rows.name} <= {*words.METHODS}


def test_the_picture_has_a_panel_for_each_noise_and_a_mark_for_each_gain():
    fig = helps.picture(FOUND)
    [ax] = fig.axes
    marks = [line for line in ax.lines if line.get_marker() == "o"]
    assert sorted(round(m.get_xdata()[0], 6) for m in marks) == [2.0, 20.0]
    assert [m.get_markerfacecolor() for m in marks].count("white") == 1
    plt.close(fig)
