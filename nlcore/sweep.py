"""Which runs are missing, and training them: here, or in a pool of single-threaded processes."""

import math
import os
import threading
import time
import traceback
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import replace
from multiprocessing import get_context, parent_process

from . import data, records
from . import train as loop
from .inputs import lookup, require
from .records import Record, Run

STATES = ("done", "stale", "failed", "missing")


def find(runs: list[Run], paper: str) -> dict[str, tuple[str, Record | None]]:
    """State and record of each run by key; the working store comes before the published one."""
    public, found = records.load_published(paper), {}
    for run in runs:
        record = records.load_working(run.key) or public.get(run.key)
        failed = not record and (records.working() / f"{run.key}.failed").exists()
        state = ("stale" if record.stale else "done") if record else "failed" if failed else "missing"
        found[run.key] = (state, record)
    return found


def collect(
    runs: list[Run], paper, train="missing", *, jobs=None, device="auto", minutes=None, keep_stale=False, echo=print
) -> list[Record]:
    """The records of `runs`. What has none, or a stale one, is trained first unless `train` is "never".

    `jobs` processes run side by side (default: one per CPU core, one per GPU). With `minutes` no run is started that
    cannot finish in time. Every record is saved the moment it exists, so a killed sweep loses only runs in progress.
    """
    lookup("train", train, ("never", "missing"))
    require(minutes is None or minutes > 0, f"--budget must be more than 0 minutes, not {minutes}")
    require(jobs is None or jobs > 0, f"--jobs must be 1 or more, not {jobs}")
    runs = list({run.key: run for run in runs}.values())
    found = find(runs, paper)
    fine = ("done", "stale") if keep_stale else ("done",)
    todo = [run for run in runs if found[run.key][0] not in fine]
    if todo and train == "missing":
        place = loop.pick_device(device)
        records.writable()
        for run in todo:
            run.noise.matrix(data.load(run.dataset).K)  # a wrong name or a noise that does not fit stops here
        jobs = min(jobs or (1 if place.type == "cuda" else len(os.sched_getaffinity(0))), len(todo))
        for line in _train(todo, place.type, jobs, minutes):
            echo(line)
        found = find(runs, paper)
    return [record for _, record in found.values() if record]


def _train(todo: list[Run], device: str, jobs: int, minutes: float | None):
    """Train runs and yield a line for each that ended."""
    deadline, done, skipped, speed = time.monotonic() + 60 * (minutes or math.inf), 0, 0, {}
    # one job runs here, with a bar for its steps
    pool = None if jobs == 1 else ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_follow_parent)
    with pool or nullcontext():
        queue, busy = list(todo), {}
        while queue or busy:
            while queue and len(busy) < jobs:
                run = queue.pop(0)
                if minutes and time.monotonic() + _estimate(run, device, speed) > deadline:
                    skipped += 1
                    continue
                busy[pool.submit(work, run, device) if pool else _done(work(run, device, progress=True))] = run
            for future in wait(busy, return_when=FIRST_COMPLETED).done:
                done += 1
                yield f"[{done}/{len(todo)}] {title(busy.pop(future))}: {future.result()}"
    if skipped:
        yield f"{skipped} runs were not started, because they could not finish in {minutes:g} minutes"


def _done(result: str) -> Future:
    future = Future()
    future.set_result(result)
    return future


def _estimate(run: Run, device: str, speed: dict) -> float:
    """Seconds that a run will take, with a fifth to spare: from a short trial of the same net, data and method."""
    kind = (run.dataset, run.model, run.method, run.budget.batch)
    if kind not in speed:
        trial = replace(run, budget=replace(run.budget, steps=min(100, run.budget.steps), evaluations=1))
        loop.train(trial, device)  # loads and warms up
        start = time.monotonic()
        loop.train(trial, device)
        speed[kind] = (time.monotonic() - start) / trial.budget.steps
    return 1.2 * speed[kind] * run.budget.steps


def _follow_parent() -> None:
    """Let a worker end with its parent, also when that was killed."""
    threading.Thread(target=lambda: (parent_process().join(), os._exit(1)), daemon=True).start()


def work(run: Run, device: str, progress: bool = False) -> str:
    """Train one run and save its record, or save why that failed; returns what to tell."""
    try:
        record = loop.train(run, device, progress)
    except Exception as error:  # one broken run must not end a sweep
        path = records.working() / f"{run.key}.failed"
        path.write_text(traceback.format_exc())
        return f"failed ({error}); see {path}"
    records.save(record)
    last = record.history[-1]
    return "diverged" if record.diverged else f"{last['test_accuracy']:.1%} in {last['seconds']:.0f} s"


def title(run: Run) -> str:
    """A run in a few words."""
    spec = run.spec()
    words = [f"{k}={v}" for part in ("noise", "method") for k, v in spec[part].items() if k not in ("name", "T")]
    return " ".join([run.dataset, run.model, spec["noise"]["name"], spec["method"]["name"], *words, f"seed={run.seed}"])
