"""The chapter on one's own labels says what the file of the benchmark says."""

import numpy as np
import pytest

from nlcore.book import audits
from nlcore.inputs import UserError


def row(data, noise, seed, precision):
    own = {"precision": precision, "recall": 0.4, "precision_of_all": 0.5, "average": precision / 2}
    better = own | {"average": precision}
    found = {name: better if name == "together" else own for name in audits.SIGNALS}
    rest = {"labels": 1000, "wrong": 5, "agreement": 0.9, "rate": 0.05, "estimate": 0.06, "low": 0.05, "high": 0.07}
    rest |= {"cleanlab_estimate": 0.055, "expected": 0.7, "seconds": 30.0, "seconds_signals": 1.0, "memory_mb": 500}
    return {"data": data, "noise": noise, "seed": seed} | rest | {"found": found}


MACHINE = {"cpu": "C", "cores": 2, "torch": "2", "python": "3"}
ROWS = [row("mnist", "pair, 0.05", seed, precision) for seed, precision in ((0, 1.0), (1, 0.9))]
ROWS += [row("cifar10", f"people, {name}", 0, 0.8) for name in ("worst", "aggregate")]
ROWS += [row("mnist", audits.VOTED, 0, 0.03)]
SCORES = {"mentor": 0.5, "without": 0.8, "with": 0.9}
CHECKED = {name: {"precision": value, "average": value / 2} for name, value in SCORES.items()}
CHECKED = {"data": "mnist", "noise": "pair, 0.05", "seed": 0, "checked": 100, "found": CHECKED}
FOUND = {"machine": MACHINE, "commit": "c", "date": "2026-01-01", "folds": 3, "rows": ROWS, "checked": [CHECKED]}


def test_intervals_hold_what_was_found():
    table = audits.precision(FOUND)
    assert table.loc["MNIST, pair, 0.05", "our score"] == "95 (91 to 97)" and len(table) == 3
    assert audits.average(FOUND).loc["MNIST, pair, 0.05", "our score"] == "0.950 ± 0.071"
    assert audits.average(FOUND).loc["CIFAR-10, people, worst", "cleanlab"] == "0.400"
    low, high = audits.wilson(1.0, 100)
    assert 0.95 < low < 1 and high == pytest.approx(1)


def test_rates_costs_and_votes():
    assert [*audits.rates(FOUND).loc["MNIST, pair, 0.05"]] == ["1,000", "5.0", "6.0 (5.0 to 7.0)", "5.5", "90.0"]
    assert [*audits.expected(FOUND).loc["CIFAR-10, people, worst"]] == ["70", "80"]
    assert audits.voted(FOUND).loc[f"MNIST, {audits.VOTED}", "cleanlab"] == "2"
    assert [*audits.costs(FOUND).loc[("MNIST", "1,000")]] == ["30", "1.00"]
    assert audits.findings(FOUND)["memory"] == "500"
    assert audits.alone(FOUND).shape == (3, 6)


def test_a_mentor_is_judged_beside_the_score_without_it():
    row = audits.checked(FOUND).loc["MNIST, pair, 0.05"]
    assert row.tolist() == ["50%", "80%", "90%", "0.250", "0.400", "0.450"]
    said = audits.findings(FOUND)
    assert (said["mentor_helps"], said["mentor_of"], said["checked"]) == ("1", "1", "100")


def test_findings_name_both_cases():
    said = audits.findings(FOUND)
    assert said["together_mnist"] == "95" and said["rate_worst"] == "5.0" and said["audits"] == said["ahead"] == "4"
    with pytest.raises(UserError, match="lacks CIFAR-10"):
        audits.findings(FOUND | {"rows": ROWS[:2]})


def test_practice_labels_are_wrong_at_the_rate(tmp_path):
    true = audits.practice(tmp_path / "digits.npz", 0.1)
    given = np.load(tmp_path / "digits.npz")["labels"].astype(str)
    assert 0.07 < (given != true.to_numpy()).mean() < 0.13
    with pytest.raises(UserError, match="rate is a share"):
        audits.practice(tmp_path / "digits.npz", 0.6)
