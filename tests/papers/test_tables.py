"""The table of published numbers: a slip in it is told before anything is judged by it."""

import re

import numpy as np
import pandas as pd
import pytest
from test_cli import nlcore

from nlcore import home
from nlcore.inputs import UserError
from nlcore.papers import tables

SLIPS = {  # what is changed in the second line of the table, and what is said of it
    ("=,92.5", "~,92.5"): "unknown relation in .*published.csv, line 3: '~': choose from =, >",
    (",R,", ",r,"): "unknown tag in .*published.csv, line 3: 'r'",
    ("92.5", "9Z.5"): "published.csv, line 3: value must be a number such as 92.5, not '9Z.5'",
    ("92.5", ""): "line 3: value must be a number",
    ("92.5", "inf"): "line 3: value must be a number",
    ("92.5", "925"): "line 3: value is a percentage, so between 0 and 100, not 925",
    (",0,test", ",o,test"): "line 3: at must be a number",
    ("test accuracy (%)", "test acuracy (%)"): "unknown metric in .*line 3: .*did you mean test accuracy",
    ("rolnick2017", "rolnik2017"): "unknown paper in .*line 3: 'rolnik2017': did you mean rolnick2017",
    (",R,", ","): "line 3: the line must have as many cells as the header",
    (",R,", ",R,,"): "line 3: the line must have as many cells as the header",
    ("alpha,0", "alpha,10"): "line 4: line 3 has this number already",
    ("Fig. 1", '"Fig. 1'): "published.csv cannot be read as a table",
}


@pytest.mark.parametrize("slip", SLIPS, ids=" for ".join)
def test_a_slip_in_the_published_numbers_is_told(slip, tmp_path, monkeypatch, capsys):
    """By line and column, from a chapter and from `nlcore scoreboard`."""
    lines = (home() / "book" / "published.csv").read_text().splitlines(keepends=True)
    (tmp_path / "book").mkdir()
    changed = lines[2].replace(*slip)
    (tmp_path / "book" / "published.csv").write_text("".join([*lines[:2], changed, *lines[3:]]))
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    with pytest.raises(UserError, match=SLIPS[slip]):
        tables.published("zhang2018")
    code, _, err = nlcore(capsys, "scoreboard", "--tier", "smoke")
    assert code == 2 and re.search(SLIPS[slip], err) and len(err.splitlines()) == 1


def test_a_published_number_that_a_claim_needs_is_there(tmp_path, monkeypatch, capsys):
    text = (home() / "book" / "published.csv").read_text()
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "published.csv").write_text(text.replace("teacher=ce", "teacher=cee"))
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    code, _, err = nlcore(capsys, "scoreboard", "--tier", "smoke")
    assert code == 2 and "a number of claim" in err and "teacher=ce" in err


def test_gaps_are_between_runs_of_one_seed():
    """A grid in part: the mean over other seeds than those of the base may be on the other side of it."""
    rows = pd.DataFrame(
        [("ce", 0, 0.80), ("ce", 1, 0.84), ("ce", 2, 0.88), ("gce", 0, 0.82), ("mae", 3, 0.5)],
        columns=["method", "seed", "test_accuracy"],
    ).assign(noise="symmetric")
    found = tables.gaps(rows, "method", "noise", "ce").symmetric
    assert np.isclose(found["gce"], 0.02) and found["ce"] == 0 and np.isnan(found["mae"])
    assert tables.gaps(rows, "method", "noise", "lq").isna().all(axis=None)
