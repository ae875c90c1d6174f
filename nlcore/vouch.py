"""No record by code that its golden runs do not vouch for: they are repeated before anything is trained.

What held is remembered in the working store, with a hash of the code, so that this costs some seconds after an edit and
nothing otherwise. Without it an edit that breaks a loss, and is undone later, would leave records that look current.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import torch

from .files import write_whole
from .inputs import require
from .runs import Run, golden, store
from .training import train

# rooms that compute no number of a record
BYSTANDERS = ("cli", "book", "audit", "papers", "figures.py", "words.py")


@cache
def code() -> str:
    """A hash of all code that numbers of records depend on, as this process first found it, and of torch's version."""
    package = Path(__file__).parent
    paths = [path for path in sorted(package.rglob("*.py")) if path.relative_to(package).parts[0] not in BYSTANDERS]
    texts = [torch.__version__.encode(), *(path.read_bytes() for path in paths)]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()[:16]


def vouch(runs: list[Run], echo: Callable[[str], object]) -> None:
    """A `UserError`, before any of the runs is trained, if a golden run that one of them rests on gives other numbers
    than those that are committed."""
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
    write_whole(memory(), json.dumps(told))


def memory() -> Path:
    """Where is remembered what held."""
    return store.working() / ".golden"


def remembered() -> set[str]:
    """The digests of the golden runs that held with this code."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        told = json.loads(memory().read_text())
        if told["code"] == code():
            return set(told["held"])
    return set()
