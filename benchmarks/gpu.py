"""What a GPU should do first, in calls of at most nine minutes; call it again until it says that nothing is left.

    python benchmarks/gpu.py [--minutes 9] [--plan]

First the tests that need a device, one after another, each until it has passed for this code on this device. Then the
benchmarks; their results are JSON files in `_build/gpu`. Then, with the time that is left, the records of tier `gpu`
that are missing, in the order of how many claims of its paper an experiment lets judge, per minute.

What is done stands in `_build/gpu/done.json`, and records in the store of runs. Whatever the end of a call cuts off is
done by the next; a run goes on from its last checkpoint. `--plan` only says what a call would do, and needs no GPU.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import NamedTuple

import torch

from nlcore import papers, sweep
from nlcore.files import write_whole
from nlcore.machine import machine
from nlcore.papers.scoreboard import effects, verdicts
from nlcore.runs import Run

ROOT = Path(__file__).parent.parent
OUT = ROOT / "_build" / "gpu"
DEVICE_TESTS = "tests/training/test_cuda.py"
TIER = "gpu"

# minutes on an H100, guessed but for the tests, which were measured on an H200
TEST_MINUTES = 0.3
BENCHMARKS = {
    "step": (3.0, ["step.py", "--device", "cuda", "--rounds", "1"]),
    "several": (2.0, ["several.py", "--device", "cuda"]),
    "methods": (2.0, ["methods.py", "--device", "cuda", "--rounds", "3"]),
}
# milliseconds of a step of cross entropy there: of mlp2 as an H200 has it, else guessed by the number of kernels and
# their memory, or arithmetic
STEP_MS = {"perceptron": 0.1, "mlp1": 0.1, "mlp2": 0.15, "mlp4": 0.2, "mlp2_800": 0.2, "conv4": 2.0, "conv6": 1.0}
STEP_MS |= {"cifarnet": 0.8, "resnet18": 4.5, "resnet32": 2.5, "resnet34": 7.5}
LOOK_AHEAD = {"l2rw", "mwnet", "mloc", "mlac", "mslc"}  # seven times as slow as cross entropy through batch norm
RUN_OVERHEAD = 5.0  # seconds that a run takes beside its steps


class Part(NamedTuple):
    """Something that a call does: its name, how long it takes (a guess), the command, and where its output goes."""

    name: str
    minutes: float
    command: list[str]
    output: Path


class Wanted(NamedTuple):
    """An experiment with runs to be made, how long they take, and how many claims wait for them."""

    name: str
    runs: int
    minutes: float
    claims: int


def code() -> str:
    """A digest of whatever the tests and the benchmarks rest on."""
    files = [*(ROOT / "nlcore").rglob("*.py"), *(ROOT / "tests" / "training").glob("*.py")]
    files += (ROOT / "benchmarks").glob("*.py")
    told = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)]
    return hashlib.sha256("".join(told).encode()).hexdigest()[:12]


def parts() -> list[Part]:
    """The tests of the device and the benchmarks."""
    names = re.findall(r"^def (test_\w+)", (ROOT / DEVICE_TESTS).read_text(), re.M)
    pytest = [sys.executable, "-m", "pytest", "-q"]
    tests = [Part(name, TEST_MINUTES, [*pytest, f"{DEVICE_TESTS}::{name}"], OUT / f"{name}.txt") for name in names]
    found = []
    for name, (minutes, (script, *options)) in BENCHMARKS.items():
        command = [sys.executable, str(ROOT / "benchmarks" / script), *options, "--json"]
        found.append(Part(name, minutes, command, OUT / f"{name}.json"))
    return tests + found


def guess(run: Run) -> float:
    """Minutes that a run takes."""
    method = run.spec()["method"]["name"]
    passes = sum(run.method.passes) / 2
    factor = 7.0 if method in LOOK_AHEAD else passes
    step = STEP_MS.get(run.model, 5.0) * factor * max(1.0, run.budget.batch / 128)
    return (step * run.budget.steps / 1000 + RUN_OVERHEAD) / 60


def left_of(name: str) -> list[Run]:
    """The runs of an experiment that have no current record, and did not fail."""
    runs = papers.runs(name, TIER)
    state = sweep.find(runs, name.partition(".")[0])
    return [run for run in runs if state[run.key][0] in ("missing", "stale")]


def waiting() -> dict[str, int]:
    """How many claims are not judged at this tier, by experiment."""
    counts = dict.fromkeys(papers.experiments(), 0)
    for paper, module in papers.PAPERS.items():
        table = verdicts(effects(paper, TIER)).set_index("claim")
        for claim in module.CLAIMS:
            if claim.experiment and table.verdict[claim.id] == "not run":
                counts[f"{paper}.{claim.experiment.name}"] += 1
    return counts


def wanted() -> list[Wanted]:
    """Experiments with runs to be made, those first that decide most claims per minute."""
    found, claims = [], waiting()
    for name in papers.experiments():
        runs = left_of(name)
        if runs:
            found.append(Wanted(name, len(runs), sum(map(guess, runs)), claims[name]))
    return sorted(found, key=lambda w: (-w.claims / w.minutes, w.minutes))


class Call:
    """One call: its end, and what earlier ones have done for this code on this device."""

    def __init__(self, minutes: float, device: str):
        self.end, self.stamp = time.monotonic() + 60 * minutes, f"{code()}; {device}"
        self.place = OUT / "done.json"
        self.done = json.loads(self.place.read_text()) if self.place.exists() else {}

    def left(self) -> float:
        """Seconds."""
        return self.end - time.monotonic()

    def has(self, part: Part) -> bool:
        return self.done.get(part.name, {}).get("stamp") == self.stamp

    def run(self, part: Part) -> int | None:
        """The exit status, None if time ended first; what succeeds is done for good."""
        start = time.monotonic()
        print(f"{part.name}: about {part.minutes:.0f} min", flush=True)
        try:
            ended = subprocess.run(part.command, cwd=ROOT, capture_output=True, text=True, timeout=max(1, self.left()))
        except subprocess.TimeoutExpired:
            return None
        errors = ended.stderr if ended.returncode else ""
        part.output.write_text(ended.stdout + errors)
        seconds = round(time.monotonic() - start, 1)
        print(f"{part.name}: {'done' if not ended.returncode else 'FAILED'} in {seconds} s, {part.output}", flush=True)
        if not ended.returncode:
            told = {"stamp": self.stamp, "seconds": seconds}
            passed = re.search(r"(\d+) passed", ended.stdout)
            self.done[part.name] = told | ({"passed": int(passed[1])} if passed else {})
            write_whole(self.place, json.dumps(self.done, indent=1))
        return ended.returncode

    def train(self, name: str) -> None:
        """The runs of an experiment that can end in time; if it is none of them, the first as far as it comes."""
        before = len(left_of(name))
        command = [sys.executable, "-m", "nlcore", "run", name, "--tier", TIER, "--device", "cuda"]
        status = self.timed([*command, "--budget", f"{self.left() / 60:.2f}"])
        if status == 0 and len(left_of(name)) == before and self.left() > 60:
            print(f"{name}: no run fits in this call; one begins, and the next call goes on with it", flush=True)
            self.timed(command)

    def timed(self, command: list[str]) -> int | None:
        try:
            return subprocess.run(command, cwd=ROOT, timeout=max(1, self.left())).returncode
        except subprocess.TimeoutExpired:
            return None


def tell(todo: list[Part], order: list[Wanted], minutes: float) -> None:
    """What will be done, and how long it may take."""
    print(f"This call ends after {minutes:g} minutes. Times are guesses for an H100.")
    print(
        f"{len(todo)} tests and benchmarks, {sum(p.minutes for p in todo):.0f} min: {', '.join(p.name for p in todo)}"
    )
    print(f"{len(order)} experiments at tier {TIER}, {sum(w.minutes for w in order) / 60:.1f} hours:")
    for w in order:
        print(f"  {w.name:26} {w.runs:4} runs {w.minutes:7.1f} min, {w.claims} claims wait")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=9)
    parser.add_argument("--plan", action="store_true", help="only say what would be done")
    args = parser.parse_args()
    if args.plan:
        tell(parts(), wanted(), args.minutes)
        return 0
    if not torch.cuda.is_available():
        print("torch sees no GPU here, so there is nothing to do; --plan says what there would be", file=sys.stderr)
        return 2
    OUT.mkdir(parents=True, exist_ok=True)
    device = torch.cuda.get_device_name()
    about = machine() | {"device": device, "date": str(date.today())}
    write_whole(OUT / "where.json", json.dumps(about, indent=1))
    call = Call(args.minutes, device)
    return everything(call, args.minutes)


def everything(call: Call, minutes: float) -> int:
    """All parts in turn, as far as time allows; 1 where the device fails a test, and nothing is trained on it."""
    todo, order = [part for part in parts() if not call.has(part)], wanted()
    tell(todo, order, minutes)
    for part in todo:
        status = call.run(part)
        if status is None:
            print(f"time is over during {part.name}; the next call begins with it")
            return 0
        if status and part.name.startswith("test_"):
            print(f"the device fails {part.name}, so nothing is trained on it; see {part.output}", file=sys.stderr)
            return 1
    for experiment in order:
        if call.left() < 60:
            print("time is over; the next call goes on")
            return 0
        call.train(experiment.name)
    open_ = sum(w.runs for w in wanted())
    print(f"{open_} runs are left, for the next call" if open_ else "nothing is left")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
