"""The benchmarks run, and the promise about memory holds; speeds are reported, never asserted."""

import json
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def said(script: str, *options: str) -> dict:
    out = subprocess.run([sys.executable, BENCHMARKS / script, *options, "--json"], capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    return json.loads(out.stdout)


def test_a_hundred_labels_an_image_take_less_than_200_megabytes():
    row = said("memory.py")
    assert row["images"] == 60_000 and row["alpha"] == 100
    assert row["pairs_mb"] < row["peak_above_mb"] < 200 < row["materialised_mb"]


def test_the_comparison_with_the_textbook_loop_runs():
    assert said("step.py", "--seconds", "0.05", "--rounds", "1", "--models", "mlp2")


def test_every_method_has_a_cost():
    from nlcore.methods import METHODS

    rows = said("methods.py", "--model", "perceptron", "--rounds", "1", "--steps", "21")
    assert set(METHODS) <= {row.get("method") for row in rows} and all(row.get("ratio", 1) > 0 for row in rows)
    assert sum("mentor" in row and row["seconds"] > 0 for row in rows) == 2
