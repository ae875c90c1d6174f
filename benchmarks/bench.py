"""What this project costs, measured into one file.

    python benchmarks/bench.py [--only PART ...] [--quick] [--again] [--out book/bench.json]

Every part is a script of this folder, with a clock of its own. A part that the file has of the same commit and the same
machine is not measured again without --again; so it can be stopped at any time. --quick takes a minute and proves that
everything runs; its numbers mean little, and the file says so.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import NamedTuple

from nlcore import home
from nlcore.files import write_whole
from nlcore.inputs import lookup
from nlcore.machine import machine

HERE = Path(__file__).parent


class Part(NamedTuple):
    what: str
    seconds: int  # about so long on two cores
    command: str  # a script of this folder with its options
    quick: str  # the same in seconds


TINY = "--rounds 1 --seconds 0.05 --models mlp2"
PARTS = {
    "step": Part(
        "our loop beside the textbook loop, steps per second",
        110,
        "step.py --seconds 0.5 --rounds 2",
        f"step.py {TINY} --batches 128",
    ),
    "same": Part("do both loops compute the same losses", 20, "same.py", "same.py --models mlp2"),
    "limit": Part("how near a step comes to what a core can do", 35, "limit.py --seconds 0.5", f"limit.py {TINY}"),
    "methods": Part(
        "each method in units of cross entropy",
        65,
        "methods.py --device cpu --steps 40 --rounds 2",
        "methods.py --device cpu --model perceptron --steps 5 --rounds 1",
    ),
    "run": Part("where the time of a run goes", 30, "where.py --rounds 2", "where.py --rounds 1 --steps 20"),
    "growth": Part(
        "how seconds grow with labels, images, classes, runs",
        25,
        "growth.py --steps 100 --rounds 2",
        "growth.py --steps 2 --rounds 1",
    ),
}
# read from files that other commands write, where there are any
READ = {"make": "_build/times.json", "gpu": "_build/gpu"}


def git(*words: str) -> str:
    told = subprocess.run(["git", *words], cwd=HERE, capture_output=True, text=True)
    return told.stdout.strip()


def commit() -> str:
    """Of the checkout; with a plus where tracked code differs from it."""
    changed = git("status", "--porcelain", "--untracked-files=no", "nlcore", "benchmarks")
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") + ("+" if changed else "")


def used() -> tuple[float, float]:
    """Seconds that all CPU cores have worked, and those of them for the scripts started here; Linux only, else zero."""
    stat, own = Path("/proc/stat"), os.times()
    if not stat.exists():
        return 0.0, 0.0
    user, nice, system = map(int, stat.read_text().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK"), own.children_user + own.children_system


def measured(part: Part, quick: bool) -> list[dict]:
    """The rows of a part, from its script."""
    script, *options = (part.quick if quick else part.command).split()
    command = [sys.executable, str(HERE / script), *options, "--json"]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"TQDM_DISABLE": "1"})
    if told.returncode:
        raise SystemExit(f"{script} failed; what was measured before it is kept")
    return json.loads(told.stdout)


def read(name: str) -> list[dict]:
    """What the files of another command say, a row for each of its entries; none where it has not run."""
    place = home() / READ[name]
    if name == "make":
        found = json.loads(place.read_text()) if place.exists() else {}
        return [{"command": command} | times for command, times in found.items()]
    return [{"file": path.stem, "content": json.loads(path.read_text())} for path in sorted(place.glob("*.json"))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="PART", help=f"of {', '.join([*PARTS, *READ])}")
    parser.add_argument("--quick", action="store_true", help="a minute in all; the numbers mean little")
    parser.add_argument("--again", action="store_true", help="measure what the file has already")
    parser.add_argument("--out", type=Path, default=home() / "book" / "bench.json")
    args = parser.parse_args()
    wanted = args.only or [*PARTS, *READ]
    for name in wanted:
        lookup("part", name, PARTS | READ)
    known = json.loads(args.out.read_text())["parts"] if args.out.exists() else {}
    made = {"machine": machine(), "commit": commit(), "quick": args.quick}
    todo = []
    for name in (name for name in wanted if name in PARTS):
        done = {field: known.get(name, {}).get(field) for field in made} == made
        if args.again or not done or made["commit"].endswith("+"):
            todo.append(name)
        print(f"{name:8} {PARTS[name].what}: " + (f"{PARTS[name].seconds} s" if name in todo else "is there already"))
    total = "a minute" if args.quick else f"about {sum(PARTS[name].seconds for name in todo)} s"
    print(f"{len(todo)} parts, {total} in all, on an idle machine with two cores; into {args.out}", flush=True)
    for name in todo:
        start, before = time.perf_counter(), used()
        rows = measured(PARTS[name], args.quick)
        took = round(time.perf_counter() - start, 1)
        everything, own = (end - begin for end, begin in zip(used(), before, strict=True))
        others = max(0.0, (everything - own) / max(took, 0.1))  # cores that other programs kept busy
        known[name] = made | {"date": str(date.today()), "seconds": took, "others": others, "rows": rows}
        write(args.out, known)
        print(f"{name:8} {took} s", flush=True)
    for name in (name for name in wanted if name in READ):
        rows = read(name)
        if rows:  # what is not there now may have been measured before
            known[name] = {"rows": rows}
    write(args.out, known)


def rounded(value):
    """Plain data with its numbers to four digits."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def write(path: Path, parts: dict) -> None:
    """The whole file, in the order of the parts."""
    order = {name: rounded(parts[name]) for name in [*PARTS, *READ] if name in parts}
    write_whole(path, json.dumps({"parts": order}, indent=1) + "\n")


if __name__ == "__main__":
    main()
