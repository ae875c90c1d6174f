"""Files are whole or not there."""

import contextlib
import hashlib
import itertools
import json
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from .inputs import UserError, few, require

DAY = 24 * 3600.0


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as 64 hex digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextlib.contextmanager
def whole(path: Path, tidy: bool = True) -> Iterator[Path]:
    """A hidden place to write the file `path` to, which is there only once it is whole, whoever else writes it too.

    A process that is killed leaves the hidden file; whoever writes `path` a day later removes it. Not to `tidy` spares
    looking through a folder of many files at each of them. An `OSError` names `path`.
    """
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        _to_disk(part)
        part.replace(path.resolve() if path.is_symlink() else path)  # a link stays one
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    if tidy:
        remove_old(path.parent, f".{path.name}.*.part")


def _to_disk(path: Path) -> None:
    """See to it that a file is on the disk, whatever happens to the power: its new name must not come before it."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def write_whole(path: Path, text: str, tidy: bool = True) -> Path:
    """Write a text: all of the file or nothing (see `whole`)."""
    with whole(path, tidy) as part:
        part.write_text(text, encoding="utf-8")
    return path


def read_json(path: Path):
    """What a file of the project says; a `UserError` names it where it is not there or not whole."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is not there; `git checkout` brings it back") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged ({error}); `git checkout` brings it back") from None


def free(path: Path) -> Path:
    """This path, or the first like it with a number, where nothing is yet."""
    others = (path.with_stem(f"{path.stem}-{n}") for n in itertools.count(1))
    return next(place for place in itertools.chain([path], others) if not place.exists())


def remove_old(folder: Path, pattern: str) -> None:
    """Remove files that killed processes left a day ago or longer; nobody is still writing those. Their age is counted
    from a file written there now: the clock of this machine may be another than that of who writes."""
    left = [*folder.glob(pattern)]
    with contextlib.suppress(OSError):
        now = stamped_now(folder) if left else 0.0
        for path in left:
            with contextlib.suppress(OSError):
                if now - path.stat().st_mtime > DAY:
                    path.unlink()


def stamped_now(folder: Path) -> float:
    """The time that a file written to a folder now gets."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".now.", suffix=".part") as file:
        return Path(file.name).stat().st_mtime


def check_writable(folder: Path, instead: str) -> None:
    """Refuse early, in one sentence, a folder that cannot be written, and say what to do `instead`."""
    there = next(
        place for place in (folder.absolute(), *folder.absolute().parents) if place.exists() or place.is_symlink()
    )
    try:
        with tempfile.TemporaryFile(dir=there):  # nothing stays of it, even if we are killed
            pass
    except OSError as error:
        raise UserError(f"cannot write to {folder} ({error.strerror}); {instead}") from None


def check_own(folder: Path, names: tuple[str, ...], own: bool, maker: str) -> None:
    """Refuse a folder that has files of these names, which a `maker` would write over, if they are not its `own`."""
    there = [name for name in names if (folder / name).exists()]
    told = f"{folder} has a file {few(there)} that no {maker} has written"
    require(own or not there, f"{told}; choose another --out")


@contextlib.contextmanager
def locked(path: Path, place: int = 0, wait: bool = True) -> Iterator[bool]:
    """Hold the lock on one byte of a file, if there are such locks: without them at worst two processes do the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = None
    try:
        import fcntl  # not on Windows

        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "rb+")
        fcntl.lockf(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), 1, place)
        taken = True
    except BlockingIOError:
        taken = False
    except (ImportError, OSError):
        taken = True
    try:
        yield taken
    finally:
        if file:
            file.close()
