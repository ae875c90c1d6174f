"""No record by code that its golden runs do not vouch for: they are repeated before anything is trained.

What held is remembered in the working store, with a hash of the code, so that this costs some seconds after an edit and
nothing otherwise. Without it an edit that breaks a loss, and is undone later, would leave records that look current.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy
import scipy
import torch

from .files import write_whole
from .inputs import require
from .runs import Run, golden, store
from .training import train

# rooms that compute no number of a record
BYSTANDERS = ("cli", "book", "audit", "papers", "figures.py", "words.py")


def code_now() -> str:
    """A hash of all code that numbers of records depend on, and of the versions of what it computes with."""
    package = Path(__file__).parent
    paths = [path for path in sorted(package.rglob("*.py")) if path.relative_to(package).parts[0] not in BYSTANDERS]
    versions = [part.__version__.encode() for part in (torch, numpy, scipy)]
    return hashlib.sha256(b"\0".join([*versions, *(path.read_bytes() for path in paths)])).hexdigest()[:16]


AT_START = code_now()  # of what has just been imported: no edit from now on is what this process obeys


def code() -> str:
    """The hash of the code that this process obeys."""
    return AT_START


def vouch(runs: list[Run], echo: Callable[[str], object]) -> None:
    """A `UserError`, before any of the runs is trained, if a golden run that one of them rests on gives other numbers
    than those that are committed, or if the code was edited since this process began: it obeys the old one, and its
    workers would obey the new one."""
    require(
        code_now() == AT_START,
        "the code was edited since this process began; start it again (in Jupyter: restart the kernel)",
    )
    kinds = sorted({kind for run in runs for kind in golden.rests_on(run)})
    committed = golden.committed()
    lacking = [kind for kind in kinds if kind not in committed]
    require(not lacking, f"{golden.place()} lacks {lacking[:1]}; `nlcore golden --update KIND` adds one")
    digests = {kind: golden.digest(kind, committed[kind]) for kind in kinds}
    held = remembered()
    new = [kind for kind in kinds if digests[kind] not in held]
    if not new:
        return
    echo(f"first {len(new)} golden runs, since the code has changed: does it still give their numbers?")
    for kind in new:
        record = train.train(golden.golden_runs()[kind], "cpu")
        change = golden.changed(kind, golden.outcome(record.card, record.history))
        advice = f"undo the edit, or accept it with `nlcore golden --update '{kind}'`"
        require(not change, f"the code gives other numbers than the golden run of {kind!r} has: {change}; {advice}")
    told = {"code": code(), "held": sorted(held | {digests[kind] for kind in new})}
    with suppress(OSError):  # where the store cannot be written, they are repeated the next time
        write_whole(memory(), json.dumps(told))


def memory() -> Path:
    """Where is remembered what held."""
    return store.working() / ".golden"


def remembered() -> set[str]:
    """The digests of the golden runs that held with this code."""
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        told = json.loads(memory().read_text())
        if told["code"] == code():
            return set(told["held"])
    return set()
