"""What trials need: small data, commands in processes of their own that can be killed, and what they leave behind."""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

import torch
from PIL import Image

from nlcore import cli, data, papers
from nlcore.audit import mentors
from nlcore.papers.jiang2018 import exhibits
from nlcore.runs import store
from nlcore.training import stream

SPARE = ("cost", "environment", "digest", "seconds", "settings")  # what differs between two runs of the same
LISTS = {"noisy_train": 200, "clean_train": 60, "clean_val": 50, "clean_test": 50}


class Place(NamedTuple):
    """The folder of a trial, and its dice."""

    folder: Path
    dice: Random

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Command(NamedTuple):
    """Words for `nlcore`, and what is changed in the process before they are obeyed."""

    words: list[str]
    before: Callable[[Place], None] = lambda place: None


def started(place: Place, command: Command) -> int:
    """The id of a process, the leader of its group, that obeys a command: what `nlcore` does once it is imported."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        while os.getpgid(pid) == os.getpgrp():  # until then it would not be found by its group
            time.sleep(0.001)
        return pid
    code = 1
    try:
        os.setsid()
        log = os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        sys.stdout, sys.stderr = (os.fdopen(stream, "w", buffering=1, closefd=False) for stream in (1, 2))
        sys.argv = ["nlcore", *(word.format(place=place.folder) for word in command.words)]
        os.environ |= {"NLCORE_RUNS": str(place.runs), "NLCORE_DATA": str(place.folder / "data"), "TQDM_DISABLE": "1"}
        os.environ["NLCORE_TRIAL"] = str(os.getpid())
        command.before(place)
        cli.main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def ended(pid: int, seconds: float = 120) -> int:
    """The exit code of a process; it is a failure if it does not end."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    kill(pid, True)
    raise AssertionError(f"it did not end within {seconds:.0f} s")


def kill(pid: int, group: bool) -> None:
    """kill -9 of a process, or of it and all that it has started."""
    (os.killpg if group else os.kill)(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def obey(place: Place, command: Command, codes=(0,)) -> int:
    """Obey a command to its end: one of these exit codes, and no traceback."""
    code = ended(started(place, command))
    said = place.said()
    assert "Traceback" not in said, f"a traceback: {said[-600:]}"
    assert code in codes, f"exit code {code}: {said[-300:]}"
    return code


def alive(pid: int) -> list[int]:
    """Processes that belong to a group, or that one of it has started; zombies do not count."""
    mark, found = f"NLCORE_TRIAL={pid}".encode(), []
    for about in Path("/proc").glob("[0-9]*"):
        try:
            state, _, group = (about / "stat").read_text().rpartition(")")[2].split()[:3]
            marked = mark in (about / "environ").read_bytes().split(b"\0")
        except OSError:  # it has ended meanwhile
            continue
        if state not in "ZX" and (int(group) == pid or marked):
            found.append(int(about.name))
    return found


def no_orphans(pid: int, seconds: float = 90) -> None:
    """What a killed process had started ends by itself; on a busy machine it first imports for a while."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if not (left := alive(pid)):
            return
        time.sleep(0.1)
    names = [subprocess.run(["ps", "-o", "args=", "-p", str(p)], capture_output=True, text=True).stdout for p in left]
    for process in left:
        os.kill(process, signal.SIGKILL)
    raise AssertionError(f"orphans after {seconds:.0f} s: {[name[:150] for name in names]}")


def aged(folder: Path) -> None:
    """Two days pass for what killed processes have left."""
    for part in folder.rglob(".*.part"):
        os.utime(part, (time.time() - 2 * 86400,) * 2)


def no_temporaries(folder: Path) -> None:
    left = [path.name for path in folder.rglob(".*.part")]
    assert not left, f"temporary files stay: {left}"


def plain(value):
    """JSON without what differs between two runs of the same."""
    if isinstance(value, dict):
        return {name: plain(own) for name, own in value.items() if name not in SPARE}
    return [plain(own) for own in value] if isinstance(value, list) else value


def told(path: Path):
    """What a file says, as far as that is the same for every run of the same."""
    if path.suffix == ".json" and path.parent.name != "golden":
        return plain(json.loads(path.read_text()))
    if path.suffix == ".jsonl":
        return [plain(json.loads(line)) for line in path.read_text().splitlines()]
    return path.read_bytes()


def contents(folder: Path, pattern: str) -> dict[str, object]:
    """What the files of a pattern say, by name."""
    return {str(path.relative_to(folder)): told(path) for path in sorted(folder.glob(pattern)) if path.is_file()}


def photos(folder: Path) -> None:
    """A folder of 300 digits, two in five with a random label, and a table of the true ones of some."""
    exhibits.folder_of_digits(folder / "photos", 200, 80)
    (folder / "photos" / "checked.csv").rename(folder / "checked.csv")


def archive(folder: Path) -> None:
    """Digits in the layout of Clothing1M."""
    digits, start = data.load("digits").train, 0
    lines = {"category_names_eng": [f"digit {k}" for k in range(10)], "noisy_label_kv": [], "clean_label_kv": []}
    (folder / "archive" / "images").mkdir(parents=True)
    for name, count in LISTS.items():
        keys = [f"images/{i}.png" for i in range(start, start + count)]
        for i, key in enumerate(keys, start):
            Image.fromarray(digits.x[i, 0].numpy()).save(folder / "archive" / key)
            lines[f"{'noisy' if name == 'noisy_train' else 'clean'}_label_kv"].append(f"{key} {int(digits.y[i])}")
        lines[f"{name}_key_list"], start = keys, start + count
    for name, content in lines.items():
        (folder / "archive" / f"{name}.txt").write_text("\n".join(content) + "\n")


# A fork has what is imported and read here, and is killed at its work.
torch.set_num_threads(1)  # or a fork would wait for threads that it does not have
torch.optim.Adam([torch.zeros(1)])  # imports more
NEEDED = (papers.runs("rolnick2017.uniform", "smoke"), store.load_published("rolnick2017"), mentors, stream)
