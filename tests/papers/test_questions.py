"""Exhibits on readers' questions, on made-up runs."""

import pandas as pd

from nlcore.papers.rolnick2017 import questions


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
    single = pd.DataFrame(rows).query("seed == 0")
    assert {*questions.ahead_by_order(single)["95 % interval"]} == {""}
