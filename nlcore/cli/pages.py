"""Commands about the book: chapter, scoreboard."""

from pathlib import Path
from typing import Annotated

import typer

from .. import home
from ..inputs import counted, lookup, require
from .base import Json, app, named, show


@app.command()
def chapter(
    names: list[str],
    parameter: Annotated[list[str] | None, typer.Option("-p", help="parameter, such as tier=smoke; repeatable")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the executed notebooks")] = None,
    jobs: Annotated[int | None, typer.Option(help="chapters side by side (default: a core each)")] = None,
    again: Annotated[bool, typer.Option("--again", help="execute also what has not changed")] = False,
    show_it: Annotated[bool, typer.Option("--open", help="render the results as pages, and open them")] = False,
) -> None:
    """Execute chapters; what has no record yet is trained (unless -p train=never). A chapter that was executed into the
    same folder, and of which nothing has changed since, is not executed again."""
    from ..book import chapters
    from ..machine import cores

    given, folder = named(parameter), out or home() / "_build" / "chapters"
    values = {name: chapters.validate(name, given) for name in names}  # all of them, before one starts
    require(jobs is None or jobs > 0, f"--jobs must be 1 or more, not {jobs}")
    typer.echo(f"{counted(len(values), 'chapter')}, about ten seconds each once their runs are trained", err=True)
    for line in chapters.execute_all(values, folder, min(jobs or cores(), len(values)), again):
        print(line, flush=True)
    if show_it:
        typer.echo("rendering the pages, about half a minute", err=True)
        page = chapters.rendered(folder, names) / f"{names[0]}.html"
        print(f"the page: {page}")
        typer.launch(str(page))


@app.command()
def scoreboard(tier: Annotated[str | None, typer.Option(help="one tier only")] = None, as_json: Json = False) -> None:
    """Every claim as an effect with its interval, beside the bound and what published numbers give, and the verdict:
    under the paper's rule of selection and under noisy validation."""
    from .. import papers
    from ..papers.scoreboard import in_short, in_total, told
    from ..papers.scoreboard import scoreboard as all_effects

    require(
        (home() / "book").is_dir(), f"{home()} has no book/ with records; go to a checkout, or set NLCORE_HOME to one"
    )
    effects = all_effects((lookup("tier", tier, papers.TIERS),) if tier else papers.TIERS)
    show(told(effects) if as_json else in_short(effects).to_dict("records"), as_json)
    if not as_json:
        print("", *in_total(effects), sep="\n")
