"""`make gpu` names what exists, goes on where it was, and says where no GPU is; speeds side by side are counted."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch

from nlcore.methods import METHODS
from nlcore.models import MODELS
from nlcore.papers import experiments

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture
def gpu(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import gpu

    monkeypatch.setattr(gpu, "OUT", tmp_path)
    return gpu


def said(gpu, name: str, code: str):
    return gpu.Part(name, 0.1, [sys.executable, "-c", code], gpu.OUT / f"{name}.txt")


def test_every_name_exists(gpu):
    assert {*gpu.STEP_MS} <= {*MODELS} and gpu.LOOK_AHEAD <= {*METHODS} and (ROOT / gpu.DEVICE_TESTS).exists()
    assert all((BENCHMARKS / script).exists() for _, (script, *_) in gpu.BENCHMARKS.values())
    assert len({part.name for part in gpu.parts()}) == len(gpu.parts()) > len(gpu.BENCHMARKS)
    assert "\ngpu:" in (ROOT / "Makefile").read_text()


def test_experiments_that_decide_more_a_minute_come_first(gpu):
    order = gpu.wanted()
    assert {w.name for w in order} <= {*experiments()} and all(w.runs and w.minutes > 0 for w in order)
    values = [w.claims / w.minutes for w in order]
    assert values == sorted(values, reverse=True) and values[0] > 0


def test_a_second_call_does_what_the_first_has_not_done(gpu):
    good, bad = said(gpu, "good", "print('7 passed in 1 s')"), said(gpu, "bad", "raise SystemExit(3)")
    call = gpu.Call(1, "a GPU")
    assert (call.run(good), call.run(bad)) == (0, 3) and good.output.read_text() == "7 passed in 1 s\n"
    second = gpu.Call(1, "a GPU")
    assert second.has(good) and not second.has(bad) and not gpu.Call(1, "another GPU").has(good)
    done = json.loads((gpu.OUT / "done.json").read_text())
    assert [*done] == ["good"] and done["good"]["passed"] == 7


def test_what_time_cuts_off_is_not_done(gpu):
    slow = said(gpu, "slow", "import time; time.sleep(60)")
    call = gpu.Call(0.001, "a GPU")
    assert call.run(slow) is None and not call.has(slow)


def test_nothing_is_trained_where_the_device_fails_its_tests(gpu, monkeypatch, capsys):
    calls = []
    monkeypatch.setattr(gpu, "wanted", lambda: [gpu.Wanted("zhang2018.cifar10", 1, 1.0, 1)])
    monkeypatch.setattr(gpu.Call, "train", lambda self, name: calls.append(name))
    monkeypatch.setattr(gpu, "parts", lambda: [said(gpu, "test_bad", "raise SystemExit(1)")])
    assert gpu.everything(gpu.Call(3, "a GPU"), 3) == 1 and not calls
    assert "nothing is trained" in capsys.readouterr().err
    monkeypatch.setattr(gpu, "parts", lambda: [said(gpu, "test_good", "")])
    assert gpu.everything(gpu.Call(3, "a GPU"), 3) == 0 and calls == ["zhang2018.cifar10"]
    assert gpu.everything(gpu.Call(0.5, "a GPU"), 0.5) == 0 and len(calls) == 1  # too late to begin


@pytest.mark.parametrize("fits, commands", [(True, 1), (False, 2)])
def test_where_no_run_fits_in_a_call_one_begins(gpu, monkeypatch, fits, commands):
    given, left = [], [["a", "b"], ["a"] if fits else ["a", "b"]]
    monkeypatch.setattr(gpu, "left_of", lambda name: left.pop(0))
    monkeypatch.setattr(gpu.Call, "timed", lambda self, command: given.append(command) or 0)
    gpu.Call(3, "a GPU").train("zhang2018.cifar10")
    assert ["--budget" in command for command in given] == [True, False][:commands]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_one_sentence_is_told(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(BENCHMARKS / "gpu.py"), run_name="__main__")
    told = capsys.readouterr().err
    assert stop.value.code == 2 and told.startswith("torch sees no GPU") and told.count("\n") == 1


def test_trainings_side_by_side_are_counted_together(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import several

    options = ["--device", "cpu", "--model", "perceptron", "--jobs", "1", "2", "--seconds", "0.05"]
    monkeypatch.setattr(sys, "argv", ["several.py", *options, "--json"])
    several.main()
    rows = json.loads(capsys.readouterr().out)
    assert [row["jobs"] for row in rows] == [1, 2] and all(row["steps_per_second"] > 0 for row in rows)
    assert not any(row["mps"] for row in rows)
