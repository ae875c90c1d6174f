"""The trials: kill a command, damage a file, fill the disk; then start again, and compare with a run left alone.

A trial takes a place and raises an `AssertionError` that says what did not hold; `Skipped` where this machine cannot.
"""

import atexit
import hashlib
import http.server
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import places
from places import Command, Place, aged, alive, contents, ended, kill, no_orphans, no_temporaries, obey, started

from nlcore.data import fetch, prepared
from nlcore.runs import golden

ROOT = Path(__file__).parents[2]


class Skipped(Exception):
    """This machine cannot try that."""


# ---- commands, how their place is made ready, and what shall be the same at the end

RUN = ["run", "rolnick2017.uniform", "--set", 'models=["mlp1"]', "--set", "alphas=[0,10]", "--set", "steps=120"]
RUN += ["--set", "seeds=4", "--jobs"]
LEARN = ["mentor", "learn", "{place}/photos", "--checked", "{place}/checked.csv", "--out", "{place}/mentor.npz"]
AUDIT = ["audit", "{place}/photos", "--model", "perceptron", "--steps", "60", "--folds", "3", "--out", "{place}/audit"]
RELABEL = ["relabel", "{place}/photos", "{place}/reviewed.csv", "--out", "{place}/labels.csv"]
STREAM = ["stream", "{place}/archive", "--model", "mlp1", "--side", "8", "--batch", "20", "--steps", "30", "--every"]
STREAM += ["5", "--lr", "0.02", "--device", "cpu", "--method", "fasten", "--workers", "1", "--out", "{place}/out"]
CHAPTER = ["chapter", "01_noise_models", "-p", "tier=smoke", "--out", "{place}/out", "--jobs", "1"]
PUBLISH = ["publish", *RUN[1:-1], "--tier", "smoke"]


def with_records(place: Place) -> None:
    shutil.copytree(left_alone("run, one job").folder / "runs", place.runs)


def with_photos(place: Place) -> None:
    places.photos(place.folder)


def with_a_review(place: Place) -> None:
    """Labels that somebody has corrected, by the paths of the pictures."""
    with_photos(place)
    head, *rows = (place.folder / "checked.csv").read_text().splitlines()
    (place.folder / "reviewed.csv").write_text("\n".join([head, *(f"train/{row}" for row in rows)]) + "\n")


def at_home(place: Place) -> None:
    """`publish` writes into a book of the trial."""
    (place.folder / "book").mkdir(exist_ok=True)
    os.environ["NLCORE_HOME"] = str(place.folder)


def slow_server(place: Place) -> None:
    """MNIST comes from a server of this process, which breaks off now and then."""
    content = (ROOT / "tests" / "torture" / "campaign.py").read_bytes() * 200
    draw, dice = np.random.default_rng(0), random.Random()
    arrays = {f"{split}_images": draw.integers(0, 99, (12, 5, 5, 1), np.uint8) for split in ("train", "test")}
    arrays |= {f"{split}_labels": np.arange(12) % 3 for split in ("train", "test")} | {"classes": np.array([*"abc"])}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            start = int(self.headers.get("Range", "bytes=0-").split("=")[1].rstrip("-"))
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            for at in range(start, len(content), len(content) // 10):
                time.sleep(0.03)
                if dice.random() < 0.05:
                    return
                self.wfile.write(content[at : at + len(content) // 10])

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url, md5 = f"http://127.0.0.1:{server.server_port}/file", hashlib.md5(content).hexdigest()

    def source(work):
        fetch.download(url, work / "file", md5)
        return arrays

    both = [prepared.canonical(arrays[f"{s}_images"], arrays[f"{s}_labels"])[1] for s in ("train", "test")]
    prepared.KNOWN["mnist"] = (12, hashlib.sha256("".join(both).encode()).hexdigest())
    fetch.SOURCES["mnist"] = {f"attempt {i}": source for i in range(20)}


def own_golden(place: Place) -> None:
    golden.place = lambda: place.folder / "golden" / "golden.json"


def moved_golden(place: Place) -> None:
    """Two kinds of golden runs have another outcome than they would have now."""
    known = json.loads(golden.place().read_text())
    for name in ("plain", "method=gce"):
        known[name]["labels"] = "moved"
    (place.folder / "golden").mkdir()
    (place.folder / "golden" / "golden.json").write_text(json.dumps(known))


def nothing(place: Place) -> None:
    pass


# name: command, what makes its place ready, files that must be the same at the end
COMMANDS: dict[str, tuple[Command, Callable[[Place], None], str]] = {
    "run, one job": (Command([*RUN, "1"]), nothing, "runs/*.json"),
    "run, two jobs": (Command([*RUN, "2"]), nothing, "runs/*.json"),
    "chapter": (Command(CHAPTER), nothing, "out/*.ipynb"),
    "data get": (Command(["data", "get", "mnist"], slow_server), nothing, "data/*.npz"),
    "mentor learn": (Command([*LEARN, "--model", "perceptron", "--steps", "150"]), with_photos, "*.npz"),
    "audit": (Command(AUDIT), with_photos, "audit/labels*.csv"),
    "relabel": (Command(RELABEL), with_a_review, "labels*.csv"),
    "stream": (Command(STREAM), lambda place: places.archive(place.folder), "out/*.jsonl"),
    "publish": (Command(PUBLISH, at_home), with_records, "book/records/*.jsonl"),
    "golden --update": (
        Command(["golden", "--update", "plain", "--update", "method=gce"], own_golden),
        moved_golden,
        "golden/golden.json",
    ),
}


REFUSES_ITS_OWN = {"relabel"}  # writes over no table, not even over the one that it has made


class Alone:
    """What a command leaves that nobody disturbs, and how long it takes."""

    def __init__(self, name: str):
        command, ready, self.pattern = COMMANDS[name]
        self.folder = Path(tempfile.mkdtemp(prefix="torture-alone-"))
        atexit.register(shutil.rmtree, self.folder, True)
        place = Place(self.folder, random.Random(0))
        ready(place)
        begun = time.monotonic()
        obey(place, command)
        self.seconds, self.end = time.monotonic() - begun, contents(self.folder, self.pattern)
        assert self.end, f"{name} left nothing: {place.said()}"


left_alone = cache(Alone)


def same_end(place: Place, name: str) -> None:
    """The end is that of a command left alone, beside what was kept because somebody might have written it."""
    alone = left_alone(name)
    found = {file: told for file, told in contents(place.folder, alone.pattern).items() if "-edited" not in file}
    assert found.keys() == alone.end.keys(), f"{sorted(found.keys() ^ alone.end.keys())} differ from a run left alone"
    for file, told in alone.end.items():
        assert told_is(found[file], told, name), f"{file} is not that of a run left alone"


def told_is(one, other, name: str) -> bool:
    """Golden files are compared as what they say: numbers that did not move stay as they were written."""
    return json.loads(one) == json.loads(other) if name == "golden --update" else one == other


# ---- kills


def killed(place: Place, name: str, group: bool) -> None:
    """kill -9 at a random moment, once or twice; what is finished stays; started again it ends as if left alone."""
    command, ready, pattern = COMMANDS[name]
    alone = left_alone(name)
    ready(place)
    for _ in range(place.dice.choice([1, 1, 2])):
        pid = started(place, command)
        time.sleep(place.dice.uniform(0, alone.seconds))
        kill(pid, group)
        no_orphans(pid)
    finished = {path: path.read_bytes() for path in place.folder.glob(pattern)} if name != "golden --update" else {}
    aged(place.folder)
    done = name in REFUSES_ITS_OWN and bool(finished)
    assert obey(place, command, (2,) if done else (0,)) == 0 or "is there already" in place.said(), place.said()[-300:]
    for path, content in finished.items():
        lost = not path.exists() or (path.read_bytes() != content and path.suffix == ".json")
        assert not lost, f"{path.name} was finished before the kill, and is lost or was made again"
    same_end(place, name)
    no_temporaries(place.folder)


def two_sweeps(place: Place) -> None:
    """Two sweeps over one store, one of them killed: the other ends well."""
    command, ready, _ = COMMANDS["run, one job"]
    one, other = (started(place, command) for _ in range(2))
    time.sleep(place.dice.uniform(0, left_alone("run, one job").seconds))
    kill(one, True)
    code = ended(other)
    assert code == 0 and "Traceback" not in place.said(), place.said()[-400:]
    same_end(place, "run, one job")


def two_streams(place: Place, group: bool) -> None:
    """`torchrun` with two processes, killed: the processes end, and a second start goes on to the end."""
    places.archive(place.folder)
    launch = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    launch += ["-m", "nlcore", *(word.format(place=place.folder) for word in STREAM)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "TQDM_DISABLE": "1"}

    def start() -> subprocess.Popen:
        log = place.log.open("ab")
        return subprocess.Popen(launch, stdout=log, stderr=log, env=environment, start_new_session=True)

    first = start()
    limit = time.monotonic() + 60
    while not [*place.folder.glob("out/*.safetensors")] and time.monotonic() < limit and first.poll() is None:
        time.sleep(0.02)  # it takes long to start
    time.sleep(place.dice.uniform(0, 0.5))
    if first.poll() is None:
        kill(first.pid, group)
        first.returncode = -9
    no_orphans(first.pid)
    second = start()
    code = second.wait(120)
    assert code == 0, place.said()[-600:]
    rows = contents(place.folder, "out/history.jsonl")["out/history.jsonl"]
    assert rows[-1]["step"] == 30 and (place.folder / "out" / "result.json").exists()


# ---- damage

HARM = ("flipped", "cut", "emptied", "deleted", "a folder")


def harm(path: Path, how: str, dice: random.Random) -> None:
    """Damage a file."""
    content = bytearray(path.read_bytes())
    if how == "flipped":
        for _ in range(3):
            content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    if how in ("deleted", "a folder"):
        path.unlink()
        if how == "a folder":
            path.mkdir()
    else:
        kept = {"flipped": len(content), "cut": dice.randrange(len(content)), "emptied": 0}[how]
        path.write_bytes(content[:kept])


def interrupted_stream(place: Place) -> None:
    """A stream that has left a checkpoint, but no result."""
    places.archive(place.folder)
    pid = started(place, Command(STREAM))
    while not (left := [*place.folder.glob("out/state-*")]) and alive(pid):
        time.sleep(0.005)
    kill(pid, True)
    assert left, f"the stream ended without a state: {place.said()[-300:]}"


def ended_stream(place: Place) -> None:
    """A stream with its result; not a copy of one, which would be of an archive elsewhere."""
    places.archive(place.folder)
    obey(place, Command(STREAM))


def audited(place: Place) -> None:
    """An audit that has ended; not a copy of one, which would be of photos elsewhere."""
    with_photos(place)
    obey(place, Command(AUDIT))


def finished(name: str, place: Place) -> None:
    """The place of a command that has ended."""
    shutil.copytree(left_alone(name).folder, place.folder, dirs_exist_ok=True)


APPLY = ["mentor", "apply", "{place}/photos", "--mentor", "{place}/mentor.npz", "--out", "{place}/weights.csv"]
APPLY += ["--model", "perceptron", "--steps", "150"]

# kind of file: command that ended, made otherwise ready by, the files, the command that meets the damage
FILES = {
    "working record": ("run, one job", None, "runs/*.json", COMMANDS["run, one job"][0]),
    "published records": ("publish", None, "book/records/*.jsonl", COMMANDS["publish"][0]),
    "checkpoint": ("stream", interrupted_stream, "out/state-*", Command(STREAM)),
    "settings of a stream": ("stream", interrupted_stream, "out/settings.json", Command(STREAM)),
    "result of a stream": ("stream", ended_stream, "out/result.json", Command(STREAM)),
    "history of a stream": ("stream", ended_stream, "out/history.jsonl", Command(STREAM)),
    "prepared data set": ("data get", None, "data/mnist.npz", COMMANDS["data get"][0]),
    "mentor": ("mentor learn", None, "mentor.npz", Command(APPLY)),
    "fold of an audit": ("audit", audited, "audit/folds/*.npz", Command(AUDIT)),
    "summary of an audit": ("audit", audited, "audit/summary.json", Command(AUDIT)),
    "golden file": ("golden --update", None, "golden/golden.json", COMMANDS["golden --update"][0]),
    "output of a chapter": ("chapter", None, "out/*.ipynb", COMMANDS["chapter"][0]),
    "stamp of a chapter": ("chapter", None, "out/.*.inputs", COMMANDS["chapter"][0]),
}
# damage that no command can tell from a file that says so, and why it is harmless
TOLD_LATER = {
    ("published records", "cut"): "cut between two lines it is a shorter store, and `publish` merges what is missing",
    ("golden file", "flipped"): "a moved digit is a moved golden run, which `make test` tells",
}


def damaged(place: Place, kind: str) -> None:
    """One file is damaged: the next command names it in one sentence, or makes it again as it was."""
    name, ready, pattern, command = FILES[kind]
    (ready or partial(finished, name))(place)
    if place.log.exists():
        place.log.unlink()
    path = place.dice.choice(sorted(place.folder.glob(pattern)))
    how = place.dice.choice(HARM)
    harm(path, how, place.dice)
    code = obey(place, command, (0, 2))
    said = place.said()
    if code == 2:
        lines = [line for line in said.splitlines() if line.startswith("nlcore: ")]
        assert len(lines) == 1 and path.name in said, f"{how}: the file is not named: {said[-300:]}"
    elif kind != "mentor" and (kind, how) not in TOLD_LATER:
        try:
            same_end(place, name)
        except AssertionError as error:
            raise AssertionError(f"{how}: {error}; it said {said[-200:]!r}") from None
    else:
        assert kind != "mentor", f"{how}: a damaged mentor was used"


def a_failed_run(place: Place) -> None:
    """The file that tells why a run failed is damaged or gone: it is trained again, and the file goes."""
    with_records(place)
    victim = place.dice.choice(sorted(place.runs.glob("*.json")))
    victim.with_suffix(".failed").write_bytes(place.dice.randbytes(place.dice.randrange(99)))
    victim.unlink()
    obey(place, COMMANDS["run, one job"][0])
    same_end(place, "run, one job")
    assert not victim.with_suffix(".failed").exists(), "a failure is told of a run that has a record"


# ---- disks and clocks


def mounted(folder: Path, options: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], capture_output=True)
    if done.returncode:
        raise Skipped("a file system cannot be mounted here")


def full_disk(place: Place) -> None:
    """The disk is full after some bytes: one sentence with a path; with room again the rest is made."""
    name, inside = place.dice.choice([("run, one job", "runs"), ("stream", "out"), ("mentor learn", ".")])
    command, ready, _ = COMMANDS[name]
    if name == "mentor learn":
        ready(place)
        command, limit = Command(command.words, limited(place.dice.randrange(1000, 9000))), None
    else:
        ready(place)
        limit = place.folder / inside
        mounted(limit, f"size={4 * place.dice.randrange(1, 7)}k")
    try:
        code = obey(place, command, (0, 1, 2))
        assert code, f"{name} ended well on a full disk"
        assert str(place.folder) in place.said(), f"no path is told: {place.said()[-300:]}"
        if limit:
            subprocess.run(["mount", "-o", "remount,size=50m", limit], check=True)
        obey(place, COMMANDS[name][0])
        same_end(place, name)
        no_temporaries(place.folder)
    finally:
        if limit:
            subprocess.run(["umount", limit], check=True)


def limited(size: int) -> Callable[[Place], None]:
    """No file may be larger, that of what the command says either: a stand-in for a full disk."""
    return lambda place: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def read_only(place: Place) -> None:
    """The store cannot be written: one sentence before anything is trained."""
    mounted(place.runs, "size=1m")
    try:
        subprocess.run(["mount", "-o", "remount,ro", place.runs], check=True)
        obey(place, COMMANDS["run, one job"][0], (2,))
        assert "cannot write to" in place.said() and str(place.runs) in place.said(), place.said()
        subprocess.run(["mount", "-o", "remount,rw", place.runs], check=True)
        obey(place, COMMANDS["run, one job"][0])
        same_end(place, "run, one job")
    finally:
        subprocess.run(["umount", place.runs], check=True)


def jumping_clock(place: Place) -> None:
    """The clock of the day jumps by days at every look, forth and back: nothing differs."""
    name = place.dice.choice(["run, one job", "stream", "publish"])
    command, ready, _ = COMMANDS[name]
    ready(place)
    true, dice = time.time, random.Random(place.dice.random())

    def jump(here: Place) -> None:
        command.before(here)
        time.time = lambda: true() + dice.uniform(-3, 3) * 86400

    obey(place, Command(command.words, jump))
    same_end(place, name)


def trials() -> dict[str, Callable[[Place], None]]:
    """All trials by name."""
    found = {}
    for name in COMMANDS:
        found[f"kill all of: {name}"] = partial(killed, name=name, group=True)
    for name in ("run, two jobs", "chapter", "stream"):  # the others have one process
        found[f"kill the parent of: {name}"] = partial(killed, name=name, group=False)
    found["kill one of two sweeps over one store"] = two_sweeps
    found["kill all of: stream in two processes"] = partial(two_streams, group=True)
    found["kill the parent of: stream in two processes"] = partial(two_streams, group=False)
    for kind in FILES:
        found[f"damage: {kind}"] = partial(damaged, kind=kind)
    found["damage: note of a failed run"] = a_failed_run
    return found | {"full disk": full_disk, "read-only store": read_only, "jumping clock": jumping_clock}
