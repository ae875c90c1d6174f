"""The exhibits of the chapter on costs: what the file says, and `not measured` where it says nothing."""

import matplotlib
import pytest
from matplotlib import pyplot as plt

from nlcore.book import costs

STEP = {"model": "mlp2", "batch": 32, "ours": 300.0, "textbook_0": 100.0, "textbook_2": 150.0, "ratio": 2.0}
SEVERAL = {"model": "mlp2", "jobs": 1, "mps": False, "steps_per_second": 100.0, "against_one": 1.0}
PARTS = {
    "step": {"quick": False, "rows": [STEP | {"pool": 600.0}, STEP | {"batch": 128, "ratio": 3.0, "pool": None}]},
    "methods": {"rows": [{"method": "ce", "ratio": 1.0, "passes": [1, 1]}, {"mentor": "PD", "seconds": 2.0}]},
    "run": {"rows": [{"run": "short", "training_steps": 9} | dict.fromkeys(costs.PARTS, 1.0)]},
    "make": {"rows": [{"command": "reproduce", "train": 60, "total": 90}]},
    "gpu": {
        "rows": [
            {"file": "done", "content": {"test_a": {"seconds": 1.0, "passed": 3}, "step": {"seconds": 2.0}}},
            {"file": "methods", "content": [{"method": "ce", "ratio": 3.0, "passes": [1, 1]}]},
            {"file": "several", "content": [SEVERAL, SEVERAL | {"mps": True, "jobs": 4, "against_one": 2.5}]},
            {"file": "step", "content": [STEP | {"pool": None}]},
            {"file": "where", "content": {"device": "H100", "torch": "2.11", "date": "2026-11-27"}},
        ]
    },
}
TABLES = [costs.loops, costs.same_losses, costs.limits, costs.share_of_limit, costs.mentors, costs.growth, costs.sweeps]
TABLES += [costs.side_by_side]


@pytest.mark.parametrize("table", [*TABLES, costs.time_of_a_run, costs.where_measured], ids=lambda f: f.__name__)
def test_a_part_that_was_not_measured_is_an_empty_table(table):
    assert table({}).empty


def test_figures_have_a_bar_for_each_row_and_none_without_rows():
    matplotlib.use("agg")
    for parts, loops, methods in ((PARTS, 4, 1), ({}, 0, 0)):
        (first,), (second,) = costs.loops_compared(parts).axes, costs.methods_compared(parts).axes
        assert len(first.patches) == loops and len(second.patches) == methods
    (ax,) = costs.loops_compared(PARTS).axes
    assert [bar.get_width() for bar in ax.patches][:3] == [2.0, 3.0, 4.0]  # the ratios of the table
    plt.close("all")


def test_tables_say_what_the_file_says():
    assert costs.loops(PARTS).loc[("MLP, 2 hidden layers", 128), "ours, all cores"] == ""
    assert costs.time_of_a_run(PARTS).loc["steps", "short"] == "1 (17 %)"
    assert costs.commands(PARTS).minutes.to_dict() == {
        "make reproduce": "train 1.0, total 1.5",
        "make test": costs.NONE,
    }


def test_a_gpu_has_the_same_exhibits():
    of_gpu, said = costs.of_a_gpu(PARTS), costs.gpu_said(PARTS)
    assert [*costs.loops(of_gpu).columns] == ["ours", "textbook", "textbook, 2 workers", "ratio"]  # no sweep there
    assert costs.side_by_side(of_gpu).loc[("MLP, 2 hidden layers", "with", 4), "one alone = 1"] == 2.5
    assert (said["device"], said["passed"], said["dearer"]) == ("H100", "3", "cross entropy")
    assert (said["its_ratio"], said["its_ratio_here"]) == ("3.0", "1.0")
    nothing = costs.gpu_said({})
    assert costs.of_a_gpu({}) == {} and nothing["device"] == costs.NONE and nothing["passed"] == "0"


def test_the_prose_says_what_was_measured():
    said = costs.findings(PARTS)
    assert said["ratio"] == "2.00 to 3.00" and said["share"] == costs.NONE and said["quick"] == "a full measurement"
    assert "a part of it (step)" in costs.findings({"step": {"quick": False, "others": 0.5, "rows": []}})["quick"]
    assert "step" in costs.findings({"step": {"quick": True, "rows": []}})["quick"]


def test_minutes_are_those_of_published_records():
    table = costs.minutes_of_training()
    at = table.reset_index().groupby(["experiment", "tier"])[["on", "runs"]].agg(list)
    assert ("rolnick2017.uniform", "smoke") not in at.index
    assert at.loc[("rolnick2017.uniform", "laptop")].tolist() == [["CPU"], ["75 of 75"]]
    assert at.loc[("rolnick2017.batch_size", "gpu"), "on"] == ["GPU"]
