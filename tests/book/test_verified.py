"""The page on verification says what the file says."""

import json

from nlcore.book import verified
from nlcore.papers import verification
from nlcore.runs import store

ROW = {
    "experiment": "a.b",
    "run": "r",
    "key": "k",
    "published": 0.9,
    "now": 0.9,
    "difference": 0.0,
    "spread": 0.1,
    "labels": "same",
}
ROW |= {"seconds_published": 2.0, "seconds_now": 3.0, "verdict": "exact"}
FOUND = {"date": "2026-01-02", "tier": "laptop", "budget": 4.0, "published": 40, "drawn": 3}
FOUND |= {"machine": {"cpu": "C", "cores": 2, "torch": "2", "python": "3"}}
FOUND |= {
    "tolerances": {"near": 0.002, "elsewhere": 0.01},
    "rows": [ROW, ROW | {"difference": 0.3, "verdict": "differs"}],
}


def test_tables():
    (row,) = verified.by_experiment(FOUND).reset_index().to_dict("records")
    assert (row["trained again"], row["exact"], row["near"], row["differs"]) == (2, 1, 0, 1)
    assert row["largest, points"] == "30.00"
    two = FOUND | {"rows": [ROW, ROW | {"run": "s", "verdict": "differs", "spread": None}]}
    assert [*verified.each(two).verdict] == ["exact", "differs"]
    assert [*verified.each(two)["between seeds"]] == ["10.00", ""]


def test_words():
    said = verified.findings(FOUND)
    assert said["verdicts"] == "1 exact, 1 differs" and said["drawn"] == "3 of the 40 published records of tier laptop"
    assert said["passed"] == "1 of them did not fit into a budget of 4 minutes" and said["papers"] == "1"
    assert said["seeds"] == "1 of 2" and said["labels"] == "2 of 2" and said["near"] == "0.2 points"
    assert verified.findings(FOUND | {"drawn": 2})["passed"] == "all were trained"


def test_experiments_without_a_record_that_was_trained_again_are_named():
    said = verified.since(FOUND)
    assert "`rolnick2017.uniform`" in said["not_covered"].split(", ") and int(said["now"].replace(",", "")) > 1000
    assert (
        "`rolnick2017.uniform`"
        not in verified.since(FOUND | {"rows": [ROW | {"experiment": "rolnick2017.uniform"}]})["not_covered"]
    )
    assert verified.in_points(0.01) == "1 point"


def test_a_record_that_was_replaced_since_is_not_called_exact(tmp_path):
    public = list(store.load_published("rolnick2017").values())[:3]
    same, other, gone = ({"experiment": "rolnick2017.uniform", "key": record.run.key} for record in public)
    same |= {"record": verification.digest(public[0])}
    other |= {"record": "of before"}
    gone |= {"key": "no key", "record": "of before"}
    (tmp_path / "v.json").write_text(json.dumps(FOUND | {"rows": [ROW | row for row in (same, other, gone, {})]}))
    found = verified.last(tmp_path / "v.json")
    assert [row["verdict"] for row in found["rows"]] == ["exact", "replaced since", "replaced since", "exact"]
    assert verified.findings(found)["verdicts"] == "2 exact, 2 replaced since"
    assert verified.by_experiment(found)["replaced since"].sum() == 2
    assert "replaced since" not in verified.by_experiment(FOUND)


def test_the_file_that_ships_has_every_paper():
    found = verified.last()
    assert verified.findings(found)["papers"] == "7" and {row["verdict"] for row in found["rows"]} <= {
        *verified.VERDICTS,
        verified.REPLACED,
    }
