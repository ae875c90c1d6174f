"""Exhibits on readers' questions, on made-up runs."""

import pandas as pd
import pytest

from nlcore.papers.rolnick2017 import measured, questions


def test_orders_are_compared_seed_by_seed():
    rows = [
        {"seed": s, "delta": d, "order": order, "test_accuracy": 0.5 + 0.1 * s + gain}
        for s in range(3)
        for d in (0.5, 0.9)
        for order, gain in (("random", 0.0), ("confusing", 0.02), ("learned", -0.01 * d))
    ]
    table = questions.ahead_by_order(pd.DataFrame(rows))
    assert table.loc[("0.5", "confusing"), "ahead, points"] == "+2.0"
    assert table.loc[("0.9", "learned"), "ahead, points"] == "-0.9"
    assert table.loc[("0.9", "learned"), "95 % interval"] == "-0.9 to -0.9" and set(table.seeds) == {"3"}


def test_a_clean_label_is_worth_all_labels_over_those_of_clean_data():
    rows = []
    for alpha, reached in ((0.0, 100), (10.0, 1000)):
        for n in (100, 1000, 10_000):
            rows.append({"seed": 0, "alpha": alpha, "images": n, "test_accuracy": 0.95 if n >= reached else 0.0})
    table = questions.clean_or_more(pd.DataFrame(rows), 0.95)
    assert table.loc[0, ("ours", "labels a clean one")] == "1"
    assert table.loc[10, ("ours", "clean examples")] == "1,000"
    assert table.loc[10, ("ours", "labels in all")] == "11,000"
    assert table.loc[10, ("ours", "labels a clean one")] == "110"
    assert table.loc[0, ("paper", "clean examples")] != ""


def test_runs_of_equal_ratio_share_a_row():
    rows = pd.DataFrame({"lr": [0.1, 0.2, 0.2, 0.1], "batch": [32, 64, 32, 64], "test_accuracy": [0.9, 0.9, 0.8, 0.95]})
    table = questions.by_rate_per_batch(rows)
    assert table.loc[2].tolist() == ["90.0", "90.0"] and table.loc[4].tolist() == ["80.0", ""]
    assert measured.apart_at_equal_ratio(rows) == pytest.approx(0, abs=1e-12)
