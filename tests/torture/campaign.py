"""Torture: commands are killed, files damaged, disks filled; every trial has a seed, and fails or holds.

    python tests/torture/campaign.py [--minutes 10] [--seeds 0] [--out book/torture.json]
    python tests/torture/campaign.py --trial NAME --seeds SEED

The first line makes all trials in turn, each time with a new seed, until the time is over; each at least once, and
damage, which has more kinds and takes less time, three times a turn. With several seeds it does so for each of them.
The second line repeats a trial that failed, with its own seed.
"""

import argparse
import json
import os
import random
import shutil
import tempfile
import time
import traceback
import zlib
from datetime import date
from pathlib import Path

from places import Place
from trials import Skipped, trials

from nlcore import home
from nlcore.files import write_whole
from nlcore.inputs import lookup
from nlcore.machine import in_words, machine

HELD = "held"


def attempt(name: str, seed: int) -> str:
    """Try once: `held`, what did not hold, or why it was skipped."""
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    try:
        trials()[name](Place(folder, random.Random(seed)))
    except Skipped as why:
        return f"skipped: {why}"
    except AssertionError as error:
        return " ".join(str(error).split())[:600] or traceback.format_exc()[-600:]
    except Exception:  # of the trial itself: that did not hold either
        return traceback.format_exc()[-600:]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return HELD


def campaign(names: list[str], seeds: list[int], minutes: float) -> dict[str, dict]:
    """All trials in turn, for each seed until the time is over and each trial at least once: by name the seeds of its
    tries, how many held, what did not."""
    rows = {name: {"seeds": [], "held": 0, "skipped": "", "failures": {}} for name in names}
    for seed in seeds:
        _campaign(rows, seed, minutes)
    return rows


def _campaign(rows: dict[str, dict], seed: int, minutes: float) -> None:
    """Those of one seed, into the rows."""
    deadline, turn, names = time.monotonic() + 60 * minutes, 0, [*rows]
    while True:
        for i, name in enumerate(names + 2 * [name for name in names if name.startswith("damage")]):
            if turn and time.monotonic() > deadline:
                return
            own = zlib.crc32(f"{seed} {turn} {i} {name}".encode())
            outcome, row = attempt(name, own), rows[name]
            print(f"{name}, seed {own}: {outcome}", flush=True)
            if outcome.startswith("skipped: "):
                row["skipped"] = outcome.removeprefix("skipped: ")
                continue
            row["seeds"].append(own)
            if outcome == HELD:
                row["held"] += 1
            else:
                row["failures"][str(own)] = outcome
        turn += 1


def table(rows: dict[str, dict]) -> str:
    lines = [f"{'trial':50} {'tried':>5} {'held':>5}  what did not, by seed"]
    for name, row in rows.items():
        said = row["skipped"] or "; ".join(f"{seed}: {text[:200]}" for seed, text in row["failures"].items())
        lines.append(f"{name:50} {len(row['seeds']):5} {row['held']:5}  {said}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--trial", default="", help="one of them alone, with just this seed")
    parser.add_argument("--out", type=Path, default=home() / "book" / "torture.json")
    args = parser.parse_args()
    names = [lookup("trial", args.trial, trials()) or args.trial] if args.trial else [*trials()]
    if args.trial:
        (seed,) = args.seeds
        outcome = attempt(args.trial, seed)
        print(f"{args.trial}, seed {seed}: {outcome}")
        raise SystemExit(outcome != HELD)
    rows = campaign(names, args.seeds, args.minutes)
    print(table(rows))
    rights = "root" if os.geteuid() == 0 else "an ordinary user"
    where = f"{in_words(machine())}, {rights}"
    about = {"date": date.today().isoformat(), "machine": where, "seeds": args.seeds, "minutes": args.minutes}
    write_whole(args.out, json.dumps(about | {"trials": rows}, indent=1) + "\n")
    print(f"written to {args.out}")
    raise SystemExit(int(any(row["failures"] for row in rows.values())))


if __name__ == "__main__":
    main()
