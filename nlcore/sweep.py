"""Which runs are missing, and training them: here, or in a pool of single-threaded processes."""

import os
import threading
import time
import traceback
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context, parent_process

from .inputs import UserError, lookup, require
from .runs import Record, Run, store
from .training import train as training
from .training.device import pick_device
from .training.split import check
from .training.step import CaptureFailed

TRAIN = ("never", "missing", "stale")
STATES = ("done", "stale", "failed", "missing")


def find(runs: list[Run], paper: str) -> dict[str, tuple[str, Record | None]]:
    """State and record of each run by key: current before stale, then the working store before the published one."""
    public, found = store.load_published(paper), {}
    for run in runs:
        both = [r for r in (store.load_working(run.key), public.get(run.key)) if r]
        record = min(both, key=lambda r: r.stale, default=None)
        failed = (store.working() / f"{run.key}.failed").exists()
        if record and not record.stale:
            found[run.key] = ("done", record)
        else:
            found[run.key] = ("failed" if failed else "stale" if record else "missing", record)
    return found


def collect(
    runs: list[Run], paper: str, train="missing", *, jobs=None, device="auto", minutes=None, echo=print
) -> list[Record]:
    """The records of `runs`. `train` says what is trained first: nothing, runs without a record, or stale ones as well.

    `jobs` processes run side by side (default: one per CPU core; one on a GPU or for a few short runs). With `minutes`
    no run is started that cannot finish in time. Every record is saved the moment it exists, so a killed sweep loses
    only runs in progress.
    """
    lookup("train", train, TRAIN)
    require(minutes is None or minutes > 0, f"--budget must be more than 0 minutes, not {minutes}")
    require(jobs is None or jobs > 0, f"--jobs must be 1 or more, not {jobs}")
    place = pick_device(device)
    runs = list({run.key: run for run in runs}.values())
    found = find(runs, paper)
    todo = [run for run in runs if not found[run.key][1] or train == "stale" and found[run.key][0] != "done"]
    if todo and train != "never":
        store.writable()
        for run in {run if run.trusted else replace(run, seed=0): run for run in todo}.values():
            check(run)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        brief = sum(run.budget.steps for run in todo) < 5000  # starting workers would take longer
        jobs = min(jobs or (1 if place.type == "cuda" or brief else cores), len(todo))
        for i, line in enumerate(_train(todo, place.type, jobs, 60 * minutes if minutes else None), 1):
            echo(f"[{i}/{len(todo)}] {line}")
        found = find(runs, paper)
    return [record for _, record in found.values() if record]


def _train(todo: list[Run], device: str, jobs: int, seconds: float | None):
    """Train runs and yield a line for each that ended or was not started."""
    deadline, speed, queue, busy = time.monotonic() + (seconds or 0), {}, list(todo), {}
    if jobs == 1:
        for run in queue:
            late = seconds and time.monotonic() + _estimate(run, device, speed) > deadline
            yield f"{title(run)}: {'too long to start' if late else work(run, device, progress=True)}"
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_follow_parent) as pool:
        while queue or busy:
            while queue and len(busy) < jobs:
                run = queue.pop(0)
                if seconds and time.monotonic() + _estimate(run, device, speed) > deadline:
                    yield f"{title(run)}: too long to start"
                else:
                    busy[pool.submit(work, run, device)] = run
            for future in wait(busy, return_when=FIRST_COMPLETED).done:
                try:
                    yield f"{title(busy.pop(future))}: {future.result()}"
                except BrokenProcessPool:
                    raise UserError("a worker was killed, perhaps for memory; start again with fewer --jobs") from None


def _estimate(run: Run, device: str, speed: dict) -> float:
    """Seconds that a run will take, with a fifth to spare: from a short trial of the same kind of run."""
    kind = replace(run, seed=0, budget=replace(run.budget, steps=1))
    if kind not in speed:
        trial = replace(run, budget=replace(run.budget, steps=min(100, run.budget.steps), evaluations=1))
        training.train(trial, device)  # loads and warms up
        start = time.monotonic()
        cost = training.train(trial, device).cost
        speed[kind] = cost["seconds"] / cost["steps"], time.monotonic() - start - cost["seconds"]
    step, around = speed[kind]  # around: drawing labels and one evaluation
    return 1.2 * (step * run.budget.steps + around * run.budget.evaluations)


def _follow_parent() -> None:
    """Let a worker end with its parent, also when that was killed."""
    threading.Thread(target=lambda: (parent_process().join(), os._exit(1)), daemon=True).start()


def work(run: Run, device: str, progress: bool = False) -> str:
    """Train one run and save its record, or save why that failed; returns what to tell."""
    failed, keep = store.working() / f"{run.key}.failed", None
    try:
        keep = training.checkpoints(run, device, store.working() / "checkpoints")
        record = training.train(run, device, progress, keep=keep)
        store.save(record)
        keep.clear()
    except Exception as error:  # one broken run must not end a sweep
        failed.write_text(traceback.format_exc())
        if isinstance(error, CaptureFailed):  # but nothing more can be trained on the device by this process
            raise UserError(f"{error}; see {failed}, then start again, perhaps with --device cpu") from None
        return f"failed ({error}); see {failed}"
    last = record.history[-1]
    return "diverged" if record.diverged else f"{last['test_accuracy']:.1%} in {last['seconds']:.0f} s"


def title(run: Run) -> str:
    """A run in a few words."""
    spec = run.spec()
    told = spec["noise"] | spec["method"] | {k: spec[k] for k in ("examples", "carrier") if k in spec}
    told |= {k: v for k, v in spec["budget"].items() if k in ("batch", "lr", "schedule")} | {"seed": run.seed}
    words = [f"{k}={v}" for k, v in told.items() if k not in ("name", "T")]
    return " ".join([run.dataset, run.model, spec["noise"]["name"], spec["method"]["name"], *words])
