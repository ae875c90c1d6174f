"""The stores of records: a file a run in the working store, a line a run in the published one."""

import mmap
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from .. import home, place
from ..files import check_writable, free, locked, remove_old, write_whole
from ..inputs import UserError, require
from .golden import Today, today
from .record import ForeignRecord, Record, parse_record
from .run import text_hash

MANY = 20_000  # bytes of lines, some ten, that are read as soon as one is looked up by bisection


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
    with locked(working() / ".claims", int(key, 16) >> 2, wait) as taken:
        yield taken


def save(record: Record) -> Path:
    """Write a record to the working store. Another one that is there, as another state of the code makes it or another
    device, is kept as `KEY.GOLDEN.old` (see `load_aside`)."""
    path = working() / f"{record.key}.json"
    there = load_working(record.key) if path.exists() else None
    if there and there.dump() != record.dump():
        path.replace(free(path.with_suffix(f".{text_hash(there.golden)[:8]}.old")))
    write_whole(path, record.dump() + "\n", tidy=False)  # `writable` has
    path.with_suffix(".failed").unlink(missing_ok=True)
    return path


def load_aside(key: str, paths: list[Path]) -> list[Record]:
    """The records of a run in these files, which were put aside by other states of the code, or as damaged while they
    were still being copied here; those that are damaged now are left out. So two checkouts that share a store, or one
    that goes to and fro, find what each has trained."""
    found = []
    for path in paths:
        with suppress(UserError, OSError):
            record = parse_record(path.read_text(errors="replace"), str(path))
            if record.key == key:
                found.append(record)
    return found


class Listing(NamedTuple):
    """The names of all files in the working store, and those among them of records that were put aside."""

    names: frozenset[str]
    aside: list[str]


def listing() -> Listing:
    """What the working store holds now."""
    try:
        names = os.listdir(working())
    except (FileNotFoundError, NotADirectoryError):
        names = []
    return Listing(frozenset(names), sorted(name for name in names if name.endswith((".old", ".damaged"))))


def load_working(key: str, folder: Path | None = None) -> Record | None:
    """The record of a key in the working store (which is `folder`, if that was found out before); a damaged file is
    named, set aside and counts as missing. One that cannot be read now, or by this version of the package, is an
    error and stays where it is."""
    path = f"{folder or working()}/{key}.json"
    try:
        with open(path, "rb", buffering=0) as file:
            record = parse_record(file.read().decode(errors="replace"), path)
        require(record.key == key, f"{path} has the record of another run, {record.key}")
        return record
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ForeignRecord:
        raise
    except OSError as error:
        raise UserError(f"{path} cannot be read now: {error.strerror}") from None
    except UserError as error:
        print(f"{error}; {_set_aside(Path(path))}", file=sys.stderr)
        return None


def _set_aside(damaged: Path) -> str:
    """Rename a damaged file; returns what became of it."""
    aside = free(damaged.with_suffix(".damaged"))
    try:
        damaged.rename(aside)
    except FileNotFoundError:
        return "another process has set it aside"
    except OSError as error:
        return f"it counts as missing, and stays where it is ({error.strerror})"
    return f"it is set aside as {aside.name}"


def load_published(paper: str) -> dict[str, Record]:
    """The published records of a paper by key, the caller's own; a damaged line is an error."""
    return {key: record.copied() for key, record in _every_published(paper).items()}


def shared_published(paper: str, keys: Collection[str]) -> dict[str, Record]:
    """The published records of these runs, as all who ask see them: for whoever changes nothing in them.

    A few are looked up where they stand in the file, whose lines are sorted by key, so that they take no longer where
    many others are. Many, or a few of which one is not there, not current or not whole, are taken from all lines.
    """
    path = published(paper)
    few = path.exists() and MANY * len(keys) < path.stat().st_size and _in_order(path, path.stat().st_mtime_ns)
    looked_up = _looked_up(path, keys) if few else {}
    if looked_up.keys() == set(keys):
        return looked_up
    every = _every_published(paper)
    return {key: every[key] for key in keys if key in every}


def _every_published(paper: str) -> dict[str, Record]:
    path = published(paper)
    return _parsed(path, path.stat().st_mtime_ns) if path.exists() else {}


@lru_cache(maxsize=8)
def _in_order(path: Path, changed: int) -> bool:
    """Whether the keys of the lines of a file grow, each once, as `publish` writes them; a merge may leave others."""
    keys, start = [], 0
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as lines:
        while start < len(lines):
            end = _end(lines, start)
            keys.append(_key_in(lines, start, end))
            start = end + 1
    return all(one < other for one, other in pairwise(keys))


def _looked_up(path: Path, keys: Collection[str]) -> dict[str, Record]:
    """The current records of these runs that are found at once in a file that is sorted by key, and not empty."""
    found, current = {}, today()
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as lines:
        for key in keys:
            line = _line_of(lines, key.encode())
            with suppress(UserError):
                record = parse_record(line.decode(errors="replace"), str(path))
                if record.key == key and record.rests_on(current):
                    found[key] = record
    return found


def _line_of(lines: mmap.mmap, key: bytes) -> bytes:
    """The line of a key, found by bisection; b"" if it is not found."""
    low, high = 0, len(lines)  # it begins in here
    while low < high:
        start = lines.rfind(b"\n", low, (low + high) // 2) + 1 or low
        end = _end(lines, start)
        here = _key_in(lines, start, end)
        if here == key:
            return lines[start:end]
        low, high = (end + 1, high) if here < key else (low, start)
    return b""


def _end(lines: mmap.mmap, start: int) -> int:
    """Where the line that begins at `start` ends."""
    end = lines.find(b"\n", start)
    return len(lines) if end < 0 else end


def _key_in(lines: mmap.mmap, start: int, end: int) -> bytes:
    """The key that stands in a line, near its end (see `Record.dump`); b"" in one without."""
    place = lines.rfind(b'"key":"', start, end)
    return lines[place + 7 : place + 23] if place >= 0 else b""


def load_all_published() -> dict[str, Record]:
    """The published records of all papers by key; a run that papers share has the record of one of them."""
    found = {}
    for path in sorted(published("").parent.glob("*.jsonl")):
        found |= load_published(path.stem)
    return found


@lru_cache(maxsize=8)
def _parsed(path: Path, changed: int) -> dict[str, Record]:
    found, current = {}, today()
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    for i, line in enumerate(lines, 1):
        if line.strip():
            record = parse_record(line, f"{path}, line {i}")
            found[record.key] = _one_of(found.get(record.key), record, current, f"{path}, line {i}")
    return found


def _one_of(old: Record | None, new: Record, current: Today, where: str) -> Record:
    """Of two lines about one run, as a merge of two branches leaves them, the current one; two are an error."""
    if old is None or old.dump() == new.dump():
        return new
    both = old.rests_on(current) and new.rests_on(current)
    require(not both, f"{where}: a second record of the run {new.key}; remove one of the two lines")
    return new if new.rests_on(current) else old


class Published(NamedTuple):
    """What became of records that were to be published: new ones, those in whose place a newer one stands now, those
    whose published one was kept; and by how much the last test accuracy of a replaced one has moved at most."""

    new: int
    replaced: int
    kept: int
    moved: float


def publish(paper: str, records: list[Record]) -> Published:
    """Merge records into the published store, sorted by key. A record replaces an old one of the same run unless it is
    weaker. Of several processes that publish, one waits for the other."""
    with locked(home() / "_build" / ".publishing"):
        _parsed.cache_clear()
        old, current = load_published(paper), today()
        given = {record.key: record for record in records}
        taken = {key: new for key, new in given.items() if key not in old or not weaker(new, old[key], current)}
        merged = old | taken
        write_whole(published(paper), "".join(merged[key].dump() + "\n" for key in sorted(merged)))
    replaced = [key for key in taken if key in old and taken[key].dump() != old[key].dump()]
    moved = max((_difference(taken[key], old[key]) for key in replaced), default=0.0)
    return Published(len(taken.keys() - old.keys()), len(replaced), len(given) - len(taken), moved)


def _difference(new: Record, old: Record) -> float:
    """Of the last test accuracies of two records."""
    return abs(new.history[-1]["test_accuracy"] - old.history[-1]["test_accuracy"])


def weaker(new: Record, old: Record, current: Today) -> bool:
    """Whether the old record is current and the new one is not, rests on fewer of today's golden runs, or is older."""
    if not old.rests_on(current):
        return False
    count_new, count_old = (len(current.digests.intersection(record.golden.split())) for record in (new, old))
    made_new, made_old = (record.environment.get("made", "") for record in (new, old))
    return not new.rests_on(current) or count_new < count_old or made_new < made_old
