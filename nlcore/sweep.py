"""Which runs are missing, and training them: here, or in a pool of single-threaded processes."""

import contextlib
import math
import os
import signal
import statistics
import threading
import time
import traceback
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import active_children, current_process, get_context, parent_process
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import NamedTuple

import torch

from . import data, vouch
from .files import write_whole
from .inputs import UserError, lookup, require
from .machine import cores
from .noise import check_foreign
from .runs import CARRIERS, Record, Run, golden, store
from .training import train as training
from .training.device import device_name, devices
from .training.split import check
from .training.step import CaptureFailed

TRAIN = ("never", "missing", "stale")
STATES = ("done", "stale", "failed", "missing")


def find(runs: list[Run], paper: str, there: store.Listing | None = None) -> dict[str, tuple[str, Record | None]]:
    """State and record of each run by key: current before stale, then the working store before the published one; where
    neither is current, one that was put aside: by another state of the code, or while it was still being copied here. A
    record names data of one's own where they lie today.

    The working store is listed for runs that lack a current record alone, so runs that have one take no longer where
    many others are; or it is listed before, as `there`, by who asks often.
    """
    public = store.shared_published(paper, [run.key for run in runs])
    current, folder, found = golden.today(), store.working(), {}
    for run in runs:
        made = there is None or f"{run.key}.json" in there.names
        working, shared = store.load_working(run.key, folder) if made else None, public.get(run.key)
        both = [record.of(run) for record in (working, shared and shared.copied()) if record]
        done = [record for record in both if record.rests_on(current)]
        if not done:
            there = there or store.listing()
            done = [record for record in _put_aside(run, folder, there) if record.rests_on(current)]
        if done:
            found[run.key] = "done", done[0]
        elif f"{run.key}.failed" in there.names:
            found[run.key] = "failed", both[0] if both else None
        else:
            found[run.key] = ("stale", both[0]) if both else ("missing", None)
    return found


def _put_aside(run: Run, folder: Path, there: store.Listing) -> list[Record]:
    """The records of a run that were put aside in the working store."""
    names = [name for name in there.aside if name.startswith(run.key)]
    return [record.of(run) for record in store.load_aside(run.key, [folder / name for name in names])]


def collect(
    runs: list[Run], paper: str, train="missing", *, jobs=None, device="auto", minutes=None, echo=print
) -> list[Record]:
    """The records of `runs`, after those that have none were trained as `train_missing` does."""
    found = train_missing([(paper, runs)], train, jobs=jobs, device=device, minutes=minutes, echo=echo)
    return recorded(found)


def recorded(found: dict[str, tuple[str, Record | None]]) -> list[Record]:
    """The records among what `find` has found."""
    return [record for _, record in found.values() if record]


def train_missing(
    wanted: list[tuple[str, list[Run]]], train="missing", *, jobs=None, device="auto", minutes=None, like=(), echo=print
) -> dict[str, tuple[str, Record | None]]:
    """Train what is wanted, runs of papers, and has no record; returns the state and record of every run by key.

    `train` says what is trained: nothing ("never"), runs without a record ("missing"), or stale ones as well. `jobs`
    processes run side by side (default: one per CPU core or GPU; one for a few short runs), in turn on each GPU that
    `device` stands for, and whoever is done gets the next run, of whatever experiment. With `minutes` no run is started
    that cannot finish in time. Every record is saved the moment it exists, so a killed sweep loses only runs in
    progress. Sweeps that share a store share the work: none trains what another has in hand, but waits for its record.
    How long it takes is told from records of these runs, and of others that are `like` them, given as `wanted` is.
    A `UserError` says, before anything starts, what no run can be made of.
    """
    lookup("train", train, TRAIN)
    check_minutes(minutes)
    wanted = [(paper, [run.pinned() for run in runs]) for paper, runs in wanted]
    places, found = devices(device), states_of(wanted)
    todo = [run for run in unique(wanted) if to_train(train, *found[run.key])]
    jobs = side_by_side(todo, jobs, places)
    if not todo:
        return found
    store.writable()
    differing = {run if run.trusted else replace(run, seed=0): run for run in todo}  # in more than seeds
    for run in differing.values():
        check(run)
        if run.carrier not in CARRIERS:
            check_foreign(run.carrier, data.shared(run.dataset))
    vouch.vouch(todo, echo)
    echo(forecast(todo, made_on(device_name(places[0]), recorded(found | states_of(like))), jobs))
    seconds = 60 * minutes if minutes else None
    for i, line in enumerate(_train(todo, [str(place) for place in places], jobs, seconds), 1):
        echo(f"[{i}/{len(todo)}] {line}")
    return states_of(wanted)


def check_minutes(minutes: float | None) -> None:
    """Refuse a budget that is none."""
    finite = minutes is None or 0 < minutes < math.inf
    require(finite, f"--budget must be finite and more than 0 minutes, not {minutes}")


def side_by_side(todo: list[Run], jobs: int | None, places: list[torch.device]) -> int:
    """How many runs are trained at the same time: as many as `jobs` says; else one per CPU core or GPU, or one where
    starting workers would take longer than the runs."""
    require(jobs is None or jobs > 0, f"--jobs must be 1 or more, not {jobs}")
    brief = sum(run.budget.steps for run in todo) < 5000
    most = cores() if places[0].type == "cpu" else len(places)
    return min(jobs or (1 if brief else most), len(todo))


def states_of(wanted: list[tuple[str, list[Run]]]) -> dict[str, tuple[str, Record | None]]:
    """State and record by key of runs of several papers (see `find`)."""
    found = {}
    for paper, runs in wanted:
        found |= find(runs, paper)
    return found


def unique(wanted: list[tuple[str, list[Run]]]) -> list[Run]:
    """Each run once, in the order of what is wanted."""
    return list({run.key: run for _, runs in wanted for run in runs}.values())


def to_train(train: str, state: str, record: Record | None) -> bool:
    """Whether a run in this state is trained."""
    if train == "never":
        return False
    return record is None or (train == "stale" and state != "done")


def batches(runs: list[Run], records: list[Record], count: int) -> list[list[Run]]:
    """Runs in `count` batches, or one for each run where these are fewer, that will take about equally long: the
    longest run first, each to the batch that has least to do.

    A run will take its steps, each of them as long as in the `records` with its network and method, else as in all of
    them; without any, only steps count.
    """
    seconds = expected_seconds(runs, records)
    shares, loads = [[] for _ in range(min(count, len(runs)))], [0.0] * min(count, len(runs))
    for run in sorted(runs, key=seconds.get, reverse=True):
        least = loads.index(min(loads))
        shares[least].append(run)
        loads[least] += seconds[run]
    return shares


def expected_seconds(runs: list[Run], records: list[Record]) -> dict[Run, float]:
    """About how long each run will take (see `batches`): the median of the paces, as a record that was made while the
    machine had much else to do tells nothing of the others. A diverged run has made fewer steps than it was to make."""
    paces = defaultdict(list)
    on = Counter(record.cost["device"] for record in records)
    for record in made_on(max(on, key=on.get), records) if on else []:  # times of two devices are not compared
        steps = record.cost.get("steps") or record.run.budget.steps
        for group in ("all", kind_of_step(record.run)):
            paces[group].append(record.cost["seconds"] / steps)
    pace = {group: statistics.median(found) for group, found in paces.items()}
    usual = pace.get("all", 1.0)
    return {run: run.budget.steps * pace.get(kind_of_step(run), usual) for run in runs}


def made_on(device: str, records: list[Record]) -> list[Record]:
    """Those records that were made on a device of this name (see `device_name`)."""
    return [record for record in records if record.cost["device"] == device]


def forecast(todo: list[Run], records: list[Record], jobs: int) -> str:
    """How many runs are to be trained and about how long that takes; how long is said only where records tell it."""
    told = f"{len(todo)} runs to train, {jobs} side by side" if len(todo) > 1 else "one run to train"
    if not records:
        return f"{told}; how long they take is not known yet"
    minutes = sum(expected_seconds(todo, records).values()) / jobs / 60
    return f"{told}; about {minutes:.0f} minutes, as the records have it" if minutes >= 1 else f"{told}; about a minute"


def kind_of_step(run: Run) -> tuple:
    """What the time of a step depends on most."""
    return run.model, type(run.method)


def _train(todo: list[Run], places: list[str], jobs: int, seconds: float | None):
    """Train runs on `places` and yield a line for each that ended, or was not started as it would not end in time."""
    deadline, prices = time.monotonic() + (seconds or 0), {}

    def late(run: Run) -> bool:
        if not seconds:
            return False
        try:
            needed = _estimate(run, places[0], prices)  # the trials take time as well
        except Exception:  # `work` meets it too, and records the run as failed
            return False
        return time.monotonic() + needed > deadline

    if jobs > 1:
        yield from _train_in_pool(todo, places, jobs, late)
        return
    queue, elsewhere = deque(todo), set()
    while queue:
        run = queue.popleft()
        told = "too long to start" if late(run) else work(run, places[0], progress=True, wait=run in elsewhere)
        if told:
            yield f"{title(run)}: {told}"
        else:  # when all others are done, its record is waited for
            elsewhere.add(run)
            queue.append(run)


KILLED = "a worker was killed, perhaps for memory; start again with fewer --jobs"
UNGUARDED = "no worker could start: each imports the script that was started, so what trains in that script must stand "
UNGUARDED += 'under `if __name__ == "__main__":`, or have jobs=1'


@contextlib.contextmanager
def _ended_with_us() -> Iterator[None]:
    """Kill the workers when an error or Ctrl-C stops what waits for them; every finished record is saved."""
    try:
        yield
    except BaseException:
        for worker in active_children():
            worker.kill()
        raise


@contextlib.contextmanager
def _out_of_reach_of_ctrl_c() -> Iterator[None]:
    """A process that starts in here never hears of Ctrl-C, of which a terminal tells the whole group; we hear of it
    at the end."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _train_in_pool(todo: list[Run], places: list[str], jobs: int, late: Callable[[Run], bool]):
    """The same with `jobs` processes; whoever is done gets the next run."""
    queue, busy, elsewhere, begun = deque(todo), {}, set(), get_context("spawn").Event()
    with _workers(jobs, places, begun) as pool, _ended_with_us():
        while queue or busy:
            while queue and len(busy) < jobs:
                run = queue.popleft()
                if late(run):
                    yield f"{title(run)}: too long to start"
                else:
                    with _out_of_reach_of_ctrl_c():
                        busy[pool.submit(_work_here, run, run in elsewhere, vouch.code())] = run
            for future in wait(busy, return_when=FIRST_COMPLETED).done:
                run = busy.pop(future)
                try:
                    told = future.result()
                except BrokenProcessPool:
                    raise UserError(KILLED if begun.is_set() else UNGUARDED) from None
                if told:
                    yield f"{title(run)}: {told}"
                else:
                    elsewhere.add(run)
                    queue.append(run)


class Price(NamedTuple):
    """Seconds that a run of some kind takes: once, for each step, for each evaluation."""

    fixed: float  # drawing labels, building the network, capturing the step
    step: float
    evaluation: float


def _estimate(run: Run, device: str, prices: dict[Run, Price]) -> float:
    """Seconds that a run will take, with a fifth to spare, from trials of its kind, whose outcome `prices` keeps."""
    kind = replace(run, seed=0, budget=replace(run.budget, steps=1, evaluations=1))
    if kind not in prices:
        prices[kind] = _price(run, device)
    price, budget = prices[kind], run.budget
    return 1.2 * (price.fixed + price.step * budget.steps + price.evaluation * budget.evaluations)


def _price(run: Run, device: str) -> Price:
    """From two short trials: by what the longer one takes more, a step and an evaluation; the rest is taken once."""
    steps, evaluations = (10, 60), (1, 3)
    _trial(run, device, steps[0], evaluations[0])  # loads and warms up
    short, long = (_trial(run, device, *sizes) for sizes in zip(steps, evaluations, strict=True))
    step = max(0.0, long[0] - short[0]) / (steps[1] - steps[0])
    evaluation = max(0.0, long[1] - short[1]) / (evaluations[1] - evaluations[0])
    return Price(max(0.0, sum(short) - step * steps[0] - evaluation * evaluations[0]), step, evaluation)


def _trial(run: Run, device: str, steps: int, evaluations: int) -> tuple[float, float]:
    """Seconds that a run of this size spends on training, in which its step is captured, and on all else."""
    start = time.monotonic()
    record = training.train(replace(run, budget=replace(run.budget, steps=steps, evaluations=evaluations)), device)
    return record.cost["seconds"], time.monotonic() - start - record.cost["seconds"]


_place: list[str] = []  # in a worker: the device that it trains on
_code: list[str] = []  # and a hash of the code when all of it had been read


def _workers(jobs: int, places: list[str], begun: Event) -> ProcessPoolExecutor:
    """So many single-threaded processes, each with a device of its own as far as there are as many; the first to start
    says that it has `begun`."""
    if getattr(current_process(), "_inheriting", False):  # a worker imports a script that would start workers
        raise SystemExit(1)  # its parent tells why
    context = get_context("spawn")
    given = context.SimpleQueue()
    for i in range(jobs):
        given.put(places[i % len(places)])
    return ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=(given, begun))


def _begin(given: SimpleQueue, begun: Event) -> None:
    """Let a worker take a device, and end with its parent, also when that was killed."""
    threading.Thread(target=lambda: (parent_process().join(), os._exit(1)), daemon=True).start()
    begun.set()
    with contextlib.suppress(OSError):  # of files that are being replaced just now
        _code.append(vouch.code_now())
    _place.append(given.get())


def _work_here(run: Run, wait: bool, code: str) -> str:
    """The same as `work`, on the device of this worker; a `UserError` if it began with other code than the sweep."""
    require([vouch.code(), *_code] == [code, code], "the code was edited while workers started; start again")
    return work(run, _place[0], wait=wait)


def work(run: Run, device: str, progress: bool = False, wait: bool = True) -> str:
    """Train one run and save its record, or save why that failed; returns what to tell.

    While another process has the run in hand, wait for its record; or, not to `wait`, return "" at once.
    """
    with store.claim(run.key, wait) as ours:
        if not ours:
            return ""
        made = store.load_working(run.key)
        if made and not made.stale:
            return "another process has made its record"
        return _trained(run, device, progress)


def _trained(run: Run, device: str, progress: bool) -> str:
    """Train a run that no other process has in hand."""
    failed = store.working() / f"{run.key}.failed"
    try:
        keep = training.checkpoints(run, device, store.working() / "checkpoints")
        record = training.train(run, device, progress, keep=keep)
        store.save(record)
        keep.clear()
    except Exception as error:  # one broken run must not end a sweep
        write_whole(failed, traceback.format_exc())
        if isinstance(error, CaptureFailed):  # but nothing more can be trained on the device by this process
            raise UserError(f"{error}; see {failed}, then start again, perhaps with --device cpu") from None
        return f"failed ({error}); see {failed}"
    last = record.history[-1]
    return "diverged" if record.diverged else f"{last['test_accuracy']:.1%} in {last['seconds']:.0f} s"


def title(run: Run) -> str:
    """A run in a few words: data set, network, noise, method, and what is set of them."""
    spec = run.spec()
    told = spec["noise"] | spec["method"]
    for part, names in ((spec, ("examples", "carrier")), (spec["budget"], ("batch", "lr", "schedule"))):
        told |= {name: part[name] for name in names if name in part}
    told["seed"] = run.seed
    words = [f"{name}={value}" for name, value in told.items() if name not in ("name", "T")]
    return " ".join([run.dataset, run.model, spec["noise"]["name"], spec["method"]["name"], *words])
