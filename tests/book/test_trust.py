"""The page on trust says what the file of the campaign says."""

from nlcore.book import trust

ROW = {"seeds": [3, 4], "held": 1, "skipped": "", "failures": {"4": "it broke"}}
CAMPAIGN = {"date": "2026-01-01", "machine": "one, root", "seeds": [0], "trials": {"a kill": ROW}}
CAMPAIGN["trials"]["a disk"] = {"seeds": [], "held": 0, "skipped": "no rights", "failures": {}}


def test_a_row_for_each_trial():
    table = trust.trials(CAMPAIGN)
    assert table.loc["a kill"].to_list() == [2, 1, "seed 4: it broke"]
    assert table.loc["a disk", "what did not hold"] == "not tried: no rights"
    good = {"trials": {"a kill": ROW | {"failures": {}}}}
    assert [*trust.trials(good).columns] == ["tried", "held"]


def test_the_prose_counts_what_did_not_hold():
    said = trust.findings(CAMPAIGN)
    assert said["tried"] == "2" and said["often"] == "each 0 to 2 times"
    assert said["held"] == "1 of them did not hold" and said["kinds"] == "2"
    assert (said["machine"], said["rights"]) == ("one", "root")
    whole = CAMPAIGN | {"trials": {"a kill": ROW | {"held": 2, "failures": {}}}}
    assert trust.findings(whole)["held"] == "all of them held"
