"""Run a command and keep in _build/times.json how many seconds it took: of a target of the Makefile, a part.

python benchmarks/timed.py test chapters pytest book --nbval
"""

import json
import subprocess
import sys
import time

from nlcore import home
from nlcore.files import write_whole


def main() -> None:
    target, part, *command = sys.argv[1:]
    start = time.perf_counter()
    code = subprocess.run(command).returncode
    if code:
        raise SystemExit(code)
    place = home() / "_build" / "times.json"
    times = json.loads(place.read_text()) if place.exists() else {}
    times.setdefault(target, {})[part] = round(time.perf_counter() - start, 1)
    place.parent.mkdir(exist_ok=True)
    write_whole(place, json.dumps(times, indent=1) + "\n")


if __name__ == "__main__":
    main()
