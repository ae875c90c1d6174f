"""What chapter 13 shows of tuned methods: the same effort for each, chosen by noisy validation, paired by seed."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from nlcore import papers
from nlcore.papers.field import exhibits, tuning

PLANNED = papers.runs("field.tuned", "smoke", seeds=2)
EMPTY = pd.DataFrame(columns=exhibits.COLUMNS)
# the accuracy of each setting, in the order in which the runs are planned: noisy validation likes the last one best
ACCURACY = {"ce": [0.5, 0.4, 0.3, 0.45, 0.6], "gce": [0.6, 0.65, 0.7, 0.75, 0.8], "elr": [0.5, 0.5, 0.5, 0.5, 0.4]}
NOISE = ("symmetric", 0.5)


def history(planned=PLANNED) -> pd.DataFrame:
    """A row for each planned run. Noisy validation rises from setting to setting, so that it chooses the last one."""
    rows, seen = [], {}
    for run in planned:
        name = run.spec()["method"]["name"]
        place = seen[name, run.seed] = seen.get((name, run.seed), -1) + 1
        row = {"key": run.key, "method": name, "seed": run.seed, "noise": "symmetric_exclusive", "rate": 0.5, "step": 1}
        accuracy = ACCURACY[name][place] + 0.01 * run.seed
        rows.append(row | {"test_accuracy": accuracy, "noisy_validation": 0.1 * place, "steps": run.budget.steps})
    return pd.DataFrame(rows)


def test_a_setting_is_said_and_one_of_each_method_is_published():
    told = tuning.settings(PLANNED).assign(method=[run.spec()["method"]["name"] for run in PLANNED])
    of_ce = told[told.method == "ce"].setting.unique().tolist()
    assert of_ce[:2] == ["unchanged", "learning rate 0.0006"] and of_ce[3:] == ["weight decay 0.005", "steps 37"]
    published = told.groupby("method").published.sum()
    assert "q = 0.7" in set(told.setting) and published.to_dict() == {"ce": 2, "elr": 2, "gce": 2}


def test_noisy_validation_chooses_and_the_paper_is_beside_it():
    table = tuning.accuracy(history(), PLANNED, *NOISE)
    row = table.loc["generalised cross entropy (L_q)"]
    assert row.tolist() == ["70.5 ± 0.7", "80.5 ± 0.7", "q = 1"]
    assert table.loc["cross entropy", "setting"] == "steps 37"


def test_a_method_of_which_a_setting_is_missing_is_left_out():
    part = history()
    last = part[part.method == "gce"].key.iloc[-1]
    found = tuning.chosen(part[part.key != last], PLANNED, "last")
    assert found[tuning.TUNED].groupby("method").size().to_dict() == {"ce": 2, "elr": 2, "gce": 1}
    assert tuning.chosen(EMPTY, PLANNED, "last") == {}


def test_a_lead_is_between_methods_that_had_the_same_effort():
    found = tuning.gains(history(), PLANNED).set_index(["method", "rule"]).effect
    assert found["gce", tuning.PUBLISHED] == pytest.approx(20) and found["gce", tuning.TUNED] == pytest.approx(20)
    assert found["elr", tuning.PUBLISHED] == pytest.approx(0) and found["elr", tuning.TUNED] == pytest.approx(-20)
    figure = exhibits.dots(tuning.gains(history(), PLANNED), ("symmetric",), tuning.TUNED, tuning.PUBLISHED)
    assert len(figure.axes) == 1
    plt.close("all")


def test_sentences_of_tuning():
    said, none = tuning.numbers(history(), PLANNED), tuning.numbers(EMPTY, PLANNED)
    assert said.keys() == none.keys() and set(none.values()) == {f"0 of {len(PLANNED)} runs", "(not run)"}
    assert (said["tuning_plain_half"], said["tuning_median_half"]) == ("+10.0 (10.0 to 10.0)", "+0.0")
    assert said["tuning_best_half"] == "generalised cross entropy (L_q)"
    assert (said["tuning_before_half"], said["tuning_after_half"]) == ("1", "1")


def test_settings_by_seed():
    assert tuning.listed(pd.Series(["q = 0.7", "q = 0.85"])) == "q = 0.7, 0.85"
    assert tuning.listed(pd.Series(["steps 37"] * 3)) == "steps 37"
    assert tuning.listed(pd.Series(["unchanged", "steps 37"])) == "unchanged, steps 37"
