"""The benchmarks run, and the promise about memory holds; speeds are reported, never asserted."""

import importlib
import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from nlcore.methods import METHODS, mentornet
from nlcore.methods.mentor import imitate, teach

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
pytestmark = pytest.mark.xdist_group("benchmarks")  # one process measures the parts


def said(script: str, *options: str) -> dict:
    out = subprocess.run([sys.executable, BENCHMARKS / script, *options, "--json"], capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    return json.loads(out.stdout)


def test_a_hundred_labels_an_image_take_less_than_200_megabytes():
    row = said("memory.py")
    assert row["images"] == 60_000 and row["alpha"] == 100
    assert row["pairs_mb"] < row["peak_above_mb"] < 200 < row["materialised_mb"]


def bench(out: Path, *options: str) -> str:
    command = [sys.executable, BENCHMARKS / "bench.py", "--quick", "--out", out, *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def parts(tmp_path_factory) -> dict:
    """All parts, quick: `step` in a process of its own, as always, the others in this one, which has torch already."""
    folder, options = tmp_path_factory.mktemp("bench"), ["--quick", "--out"]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        patch.setenv("NLCORE_RUNS", str(folder / "runs"))
        script = importlib.import_module("bench")
        apart = script.measured

        def measured(part, quick):
            return apart(part, quick) if part.quick.startswith("step.py") else here(part)

        patch.setattr(script, "measured", measured)
        patch.setattr(sys, "argv", ["bench.py", *options, str(folder / "bench.json")])
        with redirect_stdout(io.StringIO()) as told:
            script.main()
    assert "6 parts" in told.getvalue()
    return json.loads((folder / "bench.json").read_text())["parts"]


def here(part) -> list[dict]:
    """The rows of a part, its script's `main` called in this process; a mentor need not be good."""
    name, *options = part.quick.split()
    script = importlib.import_module(name.removesuffix(".py"))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as told:
        for module in (mentornet, script) if name == "methods.py" else ():
            patch.setattr(module, "imitate", lambda kind, form: imitate(kind, form, steps=10))
            patch.setattr(module, "teach", lambda *given: teach(*given[:5], steps=10))
        patch.setattr(sys, "argv", [name, *options, "--json"])
        script.main()
    return json.loads(told.getvalue())


def test_the_benchmark_writes_a_list_of_rows_for_each_part(parts):
    assert {"step", "same", "limit", "methods", "run", "growth"} <= set(parts)
    for part in parts.values():
        assert part["rows"] and part.get("quick", True)
    assert {"cpu", "cores", "torch"} <= set(parts["step"]["machine"]) and parts["step"]["commit"]
    [step] = [row for row in parts["step"]["rows"] if row["batch"] == 128]
    assert min(step[name] for name in ("ours", "textbook_0", "textbook_2", "ratio", "pool")) > 0


def test_both_loops_compute_the_same_losses(parts):
    [row] = parts["same"]["rows"]
    assert row["same"] and row["difference"] < 1e-4


def test_every_method_has_a_cost(parts):
    rows = parts["methods"]["rows"]
    assert set(METHODS) <= {row.get("method") for row in rows} and all(row.get("ratio", 1) > 0 for row in rows)
    assert sum("mentor" in row and row["seconds"] > 0 for row in rows) == 2


def test_a_part_of_the_same_commit_is_not_measured_again(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import bench as script

    monkeypatch.setattr(script, "measured", lambda part, quick: [{}])

    def planned(commit: str, *options: str) -> str:
        monkeypatch.setattr(script, "commit", lambda: commit)
        out = str(tmp_path / "bench.json")
        monkeypatch.setattr(sys, "argv", ["bench.py", "--quick", "--out", out, "--only", "same", *options])
        script.main()
        return next(line for line in capsys.readouterr().out.splitlines() if "parts" in line)

    assert planned("a").startswith("1 parts") and planned("a").startswith("0 parts")
    assert planned("a", "--again").startswith("1 parts") and planned("b").startswith("1 parts")
    assert planned("b+").startswith("1 parts") and planned("b+").startswith("1 parts")  # edits not committed


def test_a_command_is_timed_and_its_failure_told(tmp_path):
    def timed(*command: str) -> int:
        line = [sys.executable, BENCHMARKS / "timed.py", "make x", "part", *command]
        return subprocess.run(line, env=os.environ | {"NLCORE_HOME": str(tmp_path)}).returncode

    assert timed(sys.executable, "-c", "raise SystemExit(3)") == 3 and not (tmp_path / "_build").exists()
    assert timed(sys.executable, "-c", "") == 0
    assert json.loads((tmp_path / "_build" / "times.json").read_text())["make x"]["part"] >= 0


def test_what_other_commands_measured_is_copied(tmp_path, monkeypatch):
    (tmp_path / "_build").mkdir()
    (tmp_path / "_build" / "times.json").write_text('{"reproduce": {"train": 60, "total": 90}}')
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    bench(tmp_path / "bench.json", "--only", "make")
    rows = json.loads((tmp_path / "bench.json").read_text())["parts"]["make"]["rows"]
    assert rows == [{"command": "reproduce", "train": 60, "total": 90}]
