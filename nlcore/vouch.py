"""No record by code that its golden runs do not vouch for: they are repeated before anything is trained.

What held is remembered in the working store, with a hash of the code, so that this costs some seconds after an edit and
nothing otherwise. Without it an edit that breaks a loss, and is undone later, would leave records that look current.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import numpy
import torch

from . import AT_IMPORT, code_of
from .files import write_whole
from .inputs import few, require
from .runs import Run, golden, store
from .runs.run import content_hash
from .training import train


def code_now() -> str:
    """A hash of all code that numbers of records depend on, and of the versions of what it computes with."""
    return _with_versions(code_of(Path(__file__).parent))


def _with_versions(code: str) -> str:
    libraries = [torch.__version__, numpy.__version__, version("scipy"), version("scikit-learn")]
    return content_hash([code, *libraries])[:16]


AT_START = _with_versions(AT_IMPORT)  # an edit after this may or may not be what this process obeys


def code() -> str:
    """The hash of the code that this process obeys."""
    return AT_START


def unedited() -> None:
    """A `UserError` if the code was edited since this process began: who knows which of it the process obeys."""
    again = "start it again (in Jupyter: restart the kernel)"
    require(code_now() == AT_START, f"the code was edited since this process began; {again}")


def vouch(runs: list[Run], echo: Callable[[str], object]) -> None:
    """A `UserError`, before any of the runs is trained, if a golden run that one of them rests on gives other numbers
    than those that are committed, or if the code was edited since this process began: it obeys the old one, and its
    workers would obey the new one."""
    unedited()
    unknown = sorted({feature for run in runs for feature in golden.features(run)} - golden.known())
    if unknown:
        echo(f"no golden run has {few(unknown, most=3)}: if an edit changes what that does, nothing will notice")
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
        change = golden.changed(kind, golden.outcome(record.card, record.history, record.cost))
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
