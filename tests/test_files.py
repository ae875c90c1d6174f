"""Files are whole or not there, and what killed processes left goes, by the clock that stamps the files."""

import os
import time

import pytest

from nlcore import files
from nlcore.inputs import UserError


def test_another_clock_does_not_remove_what_is_being_written(tmp_path, monkeypatch):
    fresh, old = tmp_path / ".a.txt.1.part", tmp_path / ".a.txt.2.part"
    fresh.touch()
    old.touch()
    os.utime(old, (fresh.stat().st_mtime - 2 * files.DAY,) * 2)
    ahead = time.time() + 2 * files.DAY
    monkeypatch.setattr(time, "time", lambda: ahead)
    files.write_whole(tmp_path / "a.txt", "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [fresh.name, "a.txt"]


def test_a_link_to_a_folder_that_is_gone_is_refused_early(tmp_path):
    (tmp_path / "runs").symlink_to(tmp_path / "unmounted" / "runs")
    with pytest.raises(UserError, match="cannot write to .*runs.*set NLCORE_RUNS"):
        files.check_writable(tmp_path / "runs", "set NLCORE_RUNS to another folder")
