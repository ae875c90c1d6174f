"""The stores of records: a file a run in the working store, a line a run in the published one."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from .. import home, place
from ..files import check_writable, remove_old, write_whole
from ..inputs import UserError, require
from .golden import digests
from .record import Record, parse_record


def working() -> Path:
    """The working store: $NLCORE_RUNS, else `runs/`."""
    return place("NLCORE_RUNS", home() / "runs")


def published(paper: str) -> Path:
    return home() / "book" / "records" / f"{paper}.jsonl"


def writable() -> None:
    """Refuse early, in one sentence, if the working store cannot be written; remove what killed processes left."""
    check_writable(working(), "set NLCORE_RUNS to another folder")
    for pattern in (".*.part", "checkpoints/.*.part"):
        remove_old(working(), pattern)


@contextmanager
def claim(key: str, wait: bool) -> Iterator[bool]:
    """Take a run in hand, alone among all processes that share the working store; yields whether that could be done at
    once or, to `wait`, True as soon as it can.

    It is a lock on one byte of one file, which the system lifts when the process ends, however it ends.
    """
    working().mkdir(parents=True, exist_ok=True)
    with open(working() / ".claims", "ab") as file:
        try:
            import fcntl  # not on Windows

            fcntl.lockf(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), 1, int(key, 16) >> 2)
        except (BlockingIOError, PermissionError):
            yield False
            return
        except (ImportError, OSError):  # no such locks: at worst two processes make the same record
            pass
        yield True


def save(record: Record) -> Path:
    """Write a record to the working store."""
    path = write_whole(working() / f"{record.key}.json", record.dump() + "\n", tidy=False)  # `writable` has
    path.with_suffix(".failed").unlink(missing_ok=True)
    return path


def names() -> frozenset[str]:
    """The names of the files in the working store."""
    try:
        return frozenset(os.listdir(working()))
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()


def load_working(key: str, folder: Path | None = None) -> Record | None:
    """The record of a key in the working store (which is `folder`, if that was found out before); a damaged file is
    named, set aside and counts as missing."""
    path = f"{folder or working()}/{key}.json"
    try:
        with open(path, "rb", buffering=0) as file:
            record = parse_record(file.read().decode(errors="replace"), path)
        require(record.key == key, f"{path} has the record of another run, {record.key}")
        return record
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (UserError, OSError) as error:
        print(f"{error}; it is set aside", file=sys.stderr)
        with suppress(FileNotFoundError):  # another process has done it
            Path(path).rename(Path(path).with_suffix(".damaged"))
        return None


def load_published(paper: str) -> dict[str, Record]:
    """The published records of a paper by key; a damaged line is an error."""
    path = published(paper)
    return dict(_parsed(path, path.stat().st_mtime_ns)) if path.exists() else {}


@lru_cache(maxsize=8)
def _parsed(path: Path, changed: int) -> dict[str, Record]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    found = [parse_record(line, f"{path.name}, line {i}") for i, line in enumerate(lines, 1)]
    return {record.key: record for record in found}


def publish(paper: str, new: list[Record]) -> list[Record]:
    """Merge records into the published store, sorted by key. A new record replaces an old one of the same run unless it
    is weaker; returns those that were taken."""
    old, current = load_published(paper), digests()
    taken = [record for record in new if record.key not in old or not weaker(record, old[record.key], current)]
    merged = old | {record.key: record for record in taken}
    write_whole(published(paper), "".join(merged[key].dump() + "\n" for key in sorted(merged)))
    return taken


def weaker(new: Record, old: Record, current: frozenset[str]) -> bool:
    """Whether the old record is current and the new one is not, or rests on fewer of today's golden runs."""
    count_new, count_old = (len(current.intersection(record.golden.split())) for record in (new, old))
    return old.rests_on(current) and (not new.rests_on(current) or count_new < count_old)
