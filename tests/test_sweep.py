"""Sweeps: nothing finished is lost, nothing is done twice, one broken run breaks nothing else."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from nlcore import data, sweep
from nlcore.inputs import UserError
from nlcore.methods import GLC, MentorNet
from nlcore.methods.mentor import Mentor
from nlcore.noise import Clean, Matrix, SymmetricInclusive, Uniform
from nlcore.runs import Budget, Run, store
from nlcore.training import train
from nlcore.training.device import device_name
from nlcore.training.step import Training

RUN = Run("digits", "perceptron", Budget(steps=5, evaluations=1), Uniform(1.0))
RUNS = [replace(RUN, seed=s) for s in range(3)]


def collect(runs, train="missing", **options):
    said = []
    found = sweep.collect(runs, "nopaper", train, **({"jobs": 1} | options), echo=said.append)
    return found, said


def without_times(record) -> list[dict]:
    return [row | {"seconds": 0} for row in record.history]


def states(runs) -> list[str]:
    return [state for state, _ in sweep.find(runs, "nopaper").values()]


def test_only_what_is_missing_is_trained():
    assert collect(RUNS, "never") == ([], [])
    found, said = collect(RUNS[:2])
    assert len(found) == 2 and len(said) == 3 and said[0].startswith("2 runs to train")
    found, said = collect([*RUNS, RUNS[0]])  # the same run twice is one run
    assert len(found) == 3 and len(said) == 2 and states(RUNS) == ["done"] * 3


def test_a_pool_gives_the_same_numbers():
    alone, _ = collect(RUNS)
    for path in store.working().glob("*.json"):
        path.unlink()
    pooled, said = collect(RUNS, jobs=2)
    assert len(said) == 4
    for a, b in zip(alone, pooled, strict=True):
        assert a.history[-1]["test_accuracy"] == b.history[-1]["test_accuracy"]


def test_gpus_are_shared_out_among_workers(monkeypatch):
    """With three pretended GPUs; what a worker of the pool gets is seen in real processes."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "pretended")
    given, runs = [], [replace(RUN, budget=Budget(steps=10_000), seed=s) for s in range(5)]
    monkeypatch.setattr(sweep, "_train", lambda todo, places, jobs, seconds: given.append((places, jobs)) or ())
    for options in ({}, {"device": "cuda"}, {"device": "cuda:1"}, {"device": "cuda:1", "jobs": 5}):
        sweep.collect(runs, "nopaper", **options)
    every = ["cuda:0", "cuda:1", "cuda:2"]
    assert given == [(every, 3), (every, 3), (["cuda:1"], 1), (["cuda:1"], 5)]


def test_every_worker_has_its_device(tmp_path):
    with sweep._workers(3, ["cuda:0", "cuda:1"], get_context("spawn").Event()) as pool:
        found = [pool.submit(place_of_worker, tmp_path, 3) for _ in range(3)]
        assert sorted(future.result() for future in found) == ["cuda:0", "cuda:0", "cuda:1"]


def place_of_worker(folder: Path, count: int) -> str:
    """In a worker: its device, told once so many workers are there."""
    (folder / str(os.getpid())).touch()
    while len(os.listdir(folder)) < count:
        time.sleep(0.01)
    return sweep._place[0]


def test_stale_records_are_told_and_trained_again(monkeypatch, tmp_path):
    found, _ = collect(RUNS[:1])
    store.save(found[0]).write_text(replace(found[0], golden="0" * 8).dump())
    assert states(RUNS[:1]) == ["stale"] and len(collect(RUNS[:1], "never")[0]) == 1
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    store.publish("nopaper", found)
    assert states(RUNS[:1]) == ["done"]  # a current published record comes before a stale one here
    store.published("nopaper").unlink()
    assert not collect(RUNS[:1])[1] and len(collect(RUNS[:1], "stale")[1]) == 2 and states(RUNS[:1]) == ["done"]


def test_a_stale_record_that_is_set_aside_alone_counts_as_missing():
    found, _ = collect(RUNS[:1])
    path = store.save(found[0])
    path.with_suffix(".00000000.old").write_text(replace(found[0], golden="00000000").dump())
    path.unlink()
    assert states(RUNS[:1]) == ["missing"]


def test_a_failed_run_is_told_and_does_not_stop_the_others(monkeypatch):
    honest = train.train
    monkeypatch.setattr(train, "train", lambda run, *a, **k: 1 / 0 if run.seed == 1 else honest(run, *a, **k))
    found, said = collect(RUNS)
    assert len(found) == 2 and states(RUNS) == ["done", "failed", "done"]
    assert any("division" in line for line in said)
    monkeypatch.setattr(train, "train", honest)
    assert collect(RUNS[1:2])[0] and states(RUNS) == ["done"] * 3


CLAIM = """
import sys
from nlcore.runs import store

with store.claim(sys.argv[1], wait=False) as ours:
    print(ours, flush=True)
    sys.stdin.read()
"""


@contextmanager
def in_hand_elsewhere(run):
    """Another process has a run in hand."""
    command = [sys.executable, "-c", CLAIM, run.key]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "True\n"
        yield other
        other.kill()  # nothing is left that would have to be cleared away


def test_what_another_process_has_in_hand_is_left_to_it():
    with in_hand_elsewhere(RUN):
        assert sweep.work(RUN, "cpu", wait=False) == "" and states(RUNS) == ["missing"] * 3
        assert "in" in sweep.work(RUNS[1], "cpu", wait=False)
    assert "in" in sweep.work(RUN, "cpu", wait=False) and states(RUNS) == ["done", "done", "missing"]
    assert "another process" in sweep.work(RUN, "cpu")


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_in_hand_elsewhere_comes_last(monkeypatch, jobs):
    """Its process is killed as soon as all others are done; so it is trained here."""
    with in_hand_elsewhere(RUN) as other:
        said = []
        echo = lambda line: (said.append(line), len(said) == 3 and other.kill())  # noqa: E731
        sweep.collect(RUNS, "nopaper", jobs=jobs, echo=echo)
    assert states(RUNS) == ["done"] * 3 and len(said) == 4 and "seed=0" in said[3]


def test_what_will_be_trained_is_said_with_how_long_that_takes():
    found, _ = collect([RUN])
    slow = replace(found[0], cost=found[0].cost | {"seconds": 300})
    assert (
        sweep.forecast(RUNS[1:], [slow], 2)
        == "2 runs to train, 2 side by side; about 5 minutes, as the records have it"
    )
    long = replace(RUN, budget=Budget(5000))
    early = replace(slow, run=long, diverged=True)  # 300 seconds for 5 steps
    assert "about 5 minutes" in sweep.forecast(RUNS[1:], [early], 2)
    assert sweep.forecast(RUNS[1:2], found, 1) == "one run to train; about a minute"
    assert "not known" in sweep.forecast(RUNS, [], 1)


def test_batches_take_about_equally_long():
    long, short = replace(RUN, budget=Budget(900)), [replace(RUN, budget=Budget(300), seed=s) for s in range(6)]
    sums = [sum(run.budget.steps for run in batch) for batch in sweep.batches([*short, long], [], 3)]
    assert sums == [900] * 3
    assert sweep.batches(short[:2], [], 5) == [[short[0]], [short[1]]] and sweep.batches([], [], 5) == []
    slow = replace(RUN, model="mlp2", budget=Budget(300))
    costs = {(slow, "CPU"): 6.0, (short[0], "CPU"): 1.0, (short[0], "GPU"): 99.0}
    made = [SimpleNamespace(run=run, cost={"seconds": s, "device": on}) for (run, on), s in costs.items()]
    assert [slow] in sweep.batches([*short, slow], made, 2)  # the paces of two devices are not mixed


def test_how_long_it_takes_is_told_by_records_of_this_device_alone():
    found, _ = collect([RUN])
    other = replace(found[0], cost=found[0].cost | {"device": "NVIDIA H200", "seconds": 300})
    assert (
        sweep.made_on(device_name(torch.device("cpu")), [found[0], other]) == found
        and sweep.made_on("none", found) == []
    )
    assert "not known" in sweep.forecast(RUNS[1:], sweep.made_on(device_name(torch.device("cpu")), [other]), 1)


def test_a_budget_starts_only_what_can_finish():
    long = replace(RUN, budget=Budget(steps=10_000_000))
    found, said = collect([long, RUN], minutes=0.2)
    assert [r.run for r in found] == [RUN] and "too long to start" in said[1]


def test_a_run_whose_trials_break_is_recorded_as_failed_and_does_not_stop_the_others(monkeypatch):
    honest = train.train
    monkeypatch.setattr(train, "train", lambda run, *a, **k: 1 / 0 if run.seed == 1 else honest(run, *a, **k))
    found, said = collect([RUNS[1], RUNS[0]], minutes=9)
    assert len(found) == 1 and states(RUNS) == ["done", "failed", "missing"]
    assert "division" in said[1]


def test_what_a_run_takes_once_is_not_counted_as_steps(monkeypatch):
    """A clock that only a pretended training moves: 5 s to load, 3 s to capture, 1 ms a step, 0.2 s an evaluation."""
    clock = [0.0]

    def pretended(run, device):
        seconds = 3 + 0.001 * run.budget.steps
        clock[0] += 5 + seconds + 0.2 * run.budget.evaluations
        return SimpleNamespace(cost={"seconds": seconds, "steps": run.budget.steps})

    monkeypatch.setattr(sweep.training, "train", pretended)
    monkeypatch.setattr(sweep.time, "monotonic", lambda: clock[0])
    prices = {}
    for steps, evaluations in ((10_000, 10), (5, 1)):
        run = replace(RUN, budget=Budget(steps, evaluations=evaluations))
        true = 8 + 0.001 * steps + 0.2 * evaluations
        assert sweep._estimate(run, "cpu", prices) == pytest.approx(1.2 * true)
    assert len(prices) == 1


def test_a_slow_first_step_is_counted_once(monkeypatch):
    """The same with real trainings: half a second before the first step is no part of what a step takes."""
    honest = Training.begin
    monkeypatch.setattr(Training, "begin", lambda self, t: (t or time.sleep(0.5), honest(self, t)))
    price = sweep._price(RUN, "cpu")
    assert price.fixed > 0.25 and price.step < 0.005


@pytest.mark.parametrize("options", [{"minutes": 0}, {"minutes": -1}, {"jobs": 0}])
def test_senseless_limits_are_refused(options):
    with pytest.raises(UserError):
        collect(RUNS, **options)


def test_noise_that_does_not_fit_stops_before_anything_starts():
    misfit = replace(RUN, noise=Matrix(((1.0, 0.0), (0.0, 1.0))))
    with pytest.raises(UserError, match="2 classes"):
        collect([RUN, misfit])
    assert states([RUN]) == ["missing"]


def test_an_unwritable_store_stops_before_anything_starts(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NLCORE_RUNS", str(tmp_path / "file" / "runs"))
    with pytest.raises(UserError, match="cannot write"):
        collect(RUNS)


GOLD = """
import pathlib, sys, time
from nlcore import sweep
from nlcore.methods import GLC, MentorNet
from nlcore.methods.mentor import Mentor
from nlcore.noise import SymmetricInclusive
from nlcore.runs import Budget, Run
from nlcore.training import step

mark, stage = map(pathlib.Path, sys.argv[1:])
at, seen = {"first": 1, "second": 2}[stage.name], []
original = step.optimiser

def spy(*args):  # each stage makes one; the one that shall be killed says so and waits
    seen.append(1)
    if len(seen) == at:
        mark.touch()
        time.sleep(600)
    return original(*args)

step.optimiser = spy
run = Run("digits", "mlp1", Budget(20, evaluations=2), SymmetricInclusive(0.4), GLC(), 600, trusted=50)
sweep.collect([run], "nopaper", jobs=1)
"""
GOLD_RUN = Run("digits", "mlp1", Budget(20, evaluations=2), SymmetricInclusive(0.4), GLC(), 600, trusted=50)


@pytest.mark.parametrize("stage", ["first", "second"])
def test_a_run_of_two_stages_killed_in_either_is_made_again(stage, tmp_path):
    """A record is whole or not there: what was killed leaves nothing that a second start could go wrong by."""
    mark = tmp_path / "mark"
    process = subprocess.Popen([sys.executable, "-c", GOLD, mark, stage], stdout=subprocess.DEVNULL)
    while not mark.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not [*store.working().glob("*.json")]
    [ours], _ = collect([GOLD_RUN])
    assert [path.stem for path in store.working().glob("*.json")] == [GOLD_RUN.key]
    assert without_times(ours) == without_times(train.train(GOLD_RUN, "cpu"))


LONG = """
from nlcore import sweep
from nlcore.noise import Uniform
from nlcore.runs import Budget, Run
from nlcore.training.checkpoint import Checkpoints

Checkpoints.due = lambda self, step, evaluated=False: step % 50 == 0
sweep.collect([Run("digits", "mlp1", Budget(1000, evaluations=2), Uniform(1.0))], "nopaper", jobs=1)
"""
LONG_RUN = Run("digits", "mlp1", Budget(1000, evaluations=2), Uniform(1.0))


def test_a_long_run_that_was_killed_goes_on_where_it_was(monkeypatch):
    process = subprocess.Popen([sys.executable, "-c", LONG], stdout=subprocess.DEVNULL)
    states = store.working() / "checkpoints"
    while not [*states.glob("*-000000[2-9]??.0.safetensors")]:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not [*store.working().glob("*.json")] and [*states.glob("*.safetensors")]
    step, done = Training.step, []
    monkeypatch.setattr(Training, "step", lambda self, given: (done.append(1), step(self, given)))
    [ours], _ = collect([LONG_RUN])
    assert len(done) <= 800 and not [*states.iterdir()]
    assert [path.stem for path in store.working().glob("*.json")] == [LONG_RUN.key]
    assert without_times(ours) == without_times(train.train(LONG_RUN, "cpu"))


def test_a_killed_sweep_goes_on_where_it_stopped():
    """kill -9 in the middle: finished records stay, workers end, a second start trains the rest only."""
    script = (
        "from nlcore import sweep; from nlcore.runs import *; from nlcore.noise import Uniform\n"
        "if __name__ == '__main__':\n"
        "    budget = Budget(steps=400, evaluations=1)\n"
        "    runs = [Run('digits', 'mlp2', budget, Uniform(1.0), seed=s) for s in range(30)]\n"
        "    sweep.collect(runs, 'nopaper', jobs=2)\n"
    )
    path = store.working().parent / "sweep.py"
    path.write_text(script)
    process = subprocess.Popen([sys.executable, str(path)], stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while len(list(store.working().glob("*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 20
    while _alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _alive(process.pid), "workers must end with their parent"
    finished = len(list(store.working().glob("*.json")))
    assert 3 <= finished < 30
    runs = [Run("digits", "mlp2", Budget(steps=400, evaluations=1), Uniform(1.0), seed=s) for s in range(finished + 2)]
    before = {key for key, (state, _) in sweep.find(runs, "nopaper").items() if state == "done"}
    _, said = collect(runs)
    assert len(said) - 1 == len(runs) - len(before) and states(runs) == ["done"] * len(runs)


def _alive(group: int) -> bool:
    """Whether a process of the group still runs (zombies do not count)."""
    out = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True).stdout
    return any(int(p) == group and not s.startswith("Z") for p, s in map(str.split, out.splitlines()))


def test_the_users_own_data_are_pinned_by_content(tmp_path):
    def write(shift: int):
        draw = np.random.default_rng(0)
        arrays = {"train_images": draw.integers(0, 99, (40, 6, 6, 3), dtype=np.uint8) + np.uint8(shift)}
        arrays |= {"train_labels": np.arange(40) % 4, "test_images": arrays["train_images"][:8]}
        np.savez(tmp_path / "own.npz", **arrays, test_labels=np.arange(8) % 4)
        data.datasets._loaded.cache_clear()

    write(0)
    first = data.pin(str(tmp_path / "own.npz"))
    assert collect([replace(RUN, dataset=first)])[0]
    write(1)
    assert data.pin(str(tmp_path / "own.npz")) != first
    with pytest.raises(UserError, match="changed"):
        data.load(first)


def test_data_that_are_named_by_their_path_alone_are_those_that_lie_there_now(tmp_path):
    def write(shift: int):
        y = np.arange(40) % 4
        arrays = {"train_images": np.full((40, 6, 6, 3), 60 * y[:, None, None, None], np.uint8), "train_labels": y}
        arrays |= {"test_images": arrays["train_images"][:8], "test_labels": (y[:8] + shift) % 4}
        np.savez(tmp_path / "own.npz", **arrays)

    own, lasts = str(tmp_path / "own.npz"), []
    run = replace(RUN, dataset=own, noise=Clean(), model="mlp1", budget=Budget(steps=100, evaluations=1))
    for shift in (0, 1, 1):
        write(shift)
        (record,), said = collect([run])
        lasts.append(record.history[-1]["test_accuracy"])
        alone = train.train(run, "cpu")
        assert alone.history[-1]["test_accuracy"] == lasts[-1] and alone.key == record.key
    assert lasts[0] > 0.9 and lasts[1] == lasts[2] < 0.3 and said == []


def test_a_mentor_that_has_learned_elsewhere_makes_no_record():
    """Its key would be that of a run that learns one by itself."""
    led = replace(RUN, noise=Clean(), method=MentorNet("data").led_by(Mentor()), trusted=10)
    for train_it in (lambda: collect([led]), lambda: train.train(led, "cpu")):
        with pytest.raises(UserError, match="is not part of what a run is known by"):
            train_it()


def test_threads_train_one_after_the_other():
    """Their random numbers are those of the whole process."""
    alone = [without_times(train.train(run, "cpu")) for run in RUNS]
    with ThreadPoolExecutor(3) as pool:
        assert [without_times(record) for record in pool.map(lambda run: train.train(run, "cpu"), RUNS)] == alone


def test_what_is_done_to_a_record_does_not_reach_others(monkeypatch, tmp_path):
    collect([RUN])
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    store.publish("nopaper", [store.load_working(RUN.key)])
    monkeypatch.setenv("NLCORE_RUNS", str(tmp_path / "empty"))
    (first,) = sweep.recorded(sweep.find([RUN], "nopaper"))
    right = first.history[-1]["test_accuracy"]
    first.history[-1]["test_accuracy"] = 94.0  # in percent, for a plot
    (again,) = sweep.recorded(sweep.find([RUN], "nopaper"))
    assert again.history[-1]["test_accuracy"] == right and again.dump() != first.dump()
    store.load_published("nopaper")[RUN.key].history.clear()
    assert store.load_published("nopaper")[RUN.key].history
