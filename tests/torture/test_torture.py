"""The short form of the campaign: one kill, one damage of each kind of file that is quick to make, one full disk."""

import pytest
from campaign import HELD, attempt, campaign, table
from trials import trials

SHORT = ["kill all of: run, one job", "kill all of: stream", "kill all of: publish", "damage: working record"]
SHORT += [
    "damage: published records",
    "damage: checkpoint",
    "damage: result of a stream",
    "damage: settings of a stream",
]
SHORT += ["damage: prepared data set", "damage: note of a failed run", "full disk", "read-only store", "jumping clock"]
pytestmark = [pytest.mark.xdist_group("torture"), pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")]


@pytest.mark.parametrize("name", SHORT)
def test_it_holds(name):
    outcome = attempt(name, 1)
    if outcome.startswith("skipped"):
        pytest.skip(outcome)
    assert outcome == HELD


def test_what_does_not_hold_is_told_with_its_seed(monkeypatch):
    import campaign as script

    def breaks(place):
        raise AssertionError("it broke")

    monkeypatch.setattr(script, "trials", lambda: {"good": lambda place: None, "bad": breaks})
    rows = campaign(["good", "bad"], [7, 8], 0)
    seed, other = rows["bad"]["seeds"]
    assert rows["good"]["held"] == 2 and rows["bad"]["failures"] == {str(seed): "it broke", str(other): "it broke"}
    assert f"{seed}: it broke" in table(rows) and script.attempt("bad", seed) == "it broke"
    assert trials()
