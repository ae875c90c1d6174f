"""What all commands share, and how they end.

torch and pandas take seconds to import; so each command imports what it needs itself, and `--help` is there at once.
"""

import io
import json
import os
import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from .. import __version__, home
from ..inputs import UserError, few, one_line, parse, require

if TYPE_CHECKING:
    from ..runs import Run

INTERRUPTED = 130  # the exit code after Ctrl-C
UsageError = typer.BadParameter.__base__  # of the click that typer has, whichever that is

app = typer.Typer(
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    help="Learning with noisy labels: runs, chapters, claims.",
)

Experiment = Annotated[str, typer.Argument(help="such as rolnick2017.uniform")]
Tier = Annotated[str, typer.Option(help="smoke | laptop | gpu | paper")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Set = Annotated[list[str] | None, typer.Option("--set", help="override, such as alphas=[0,20]; repeatable")]


def main() -> None:
    """Run the command line; bad input and what the system refuses is one sentence on standard error and exit code 2.
    Ctrl-C is one line and exit code 130."""
    sys.stderr = sys.stderr or open(os.devnull, "w")  # closed, as some services start what they start
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # to a terminal that knows ASCII alone
    interrupted = False
    try:
        _home_is_there()
        code = app(standalone_mode=False)
        interrupted = code == INTERRUPTED  # as some versions of typer tell it
    except (KeyboardInterrupt, typer.Abort):
        interrupted = True
    except UsageError as error:
        _refuse(error.format_message())
    except OSError as error:
        _refuse(": ".join(str(part) for part in (error.filename, error.strerror) if part) or str(error))
    except UserError as error:
        _refuse(str(error))
    if interrupted:  # only here, where pools of workers have ended with the frames that held them
        print("nlcore: stopped; start it again to go on", file=sys.stderr, flush=True)
        if threading.active_count() > 1:  # of chapters, which nothing else ends
            sys.stdout.flush()
            os._exit(INTERRUPTED)
    raise SystemExit(INTERRUPTED if interrupted else code)


def _home_is_there() -> None:
    """Refuse a home that is not there, where all published records would seem to be missing."""
    told = (
        f"NLCORE_HOME is {home()}, and there is no such folder; it is that of the records and chapters that are meant"
    )
    require(not os.environ.get("NLCORE_HOME") or home().is_dir(), told)


def _refuse(sentence: str) -> None:
    """End with exit code 2; where only help was asked for there is no sentence."""
    if sentence:
        print(f"nlcore: {one_line(sentence)}", file=sys.stderr)
    raise SystemExit(2)


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", is_eager=True, help="print the version and exit")] = False,
) -> None:
    if version:
        print(f"nlcore {__version__}")
        raise typer.Exit


def show(rows: list[dict], as_json: bool) -> None:
    """Rows as JSON, or as a table with a column for each of their keys; a table without rows is not shown."""
    if as_json:
        print(json.dumps(rows, indent=1))
    elif rows:
        import pandas as pd

        print(pd.DataFrame(rows).to_string(index=False, justify="left"))


def runs_of(experiment: str, tier: str, override: list[str] | None) -> tuple[str, list["Run"]]:
    """The paper and the runs that a command line means."""
    from .. import papers

    return experiment.partition(".")[0], papers.runs(experiment, tier, **named(override))


def named(texts: list[str] | None) -> dict[str, object]:
    """What `name=value` sets, each name once."""
    pairs = [*map(parse, texts or [])]
    found = dict(pairs)
    twice = [name for name in found if [other for other, _ in pairs].count(name) > 1]
    require(not twice, f"{few(twice)} is set more than once, and only one value can count")
    return found
