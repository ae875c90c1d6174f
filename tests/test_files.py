"""Files are whole or not there, and what killed processes left goes, by the clock that stamps the files."""

import os
import time

import pytest

from nlcore import files
from nlcore.book import audits, costs, scale, trust, verified
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


@pytest.mark.parametrize("content", ["", '{"rows": [1, 2', "\x00", "[" * 100_000])
@pytest.mark.parametrize("read", [costs.measured, audits.measured, scale.measured, trust.tried, verified.last])
def test_a_damaged_file_of_the_book_is_named(read, content, tmp_path):
    damaged = tmp_path / "found.json"
    damaged.write_text(content)
    with pytest.raises(UserError, match=r"found\.json is damaged .*`git checkout` brings it back"):
        read(damaged)
    damaged.unlink()
    with pytest.raises(UserError, match=r"found\.json is not there; `git checkout`"):
        read(damaged)
