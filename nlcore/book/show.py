"""What a cell of a chapter shows: sentences with live numbers, captioned tables and figures, source, verdicts.

Everything is an output, so that it can be read in Jupyter and on GitHub too. The rendered book takes the Markdown of an
output, in which tables and figures are numbered and roles such as {ref} work; elsewhere HTML or the picture is shown.
"""

import difflib
import html
import inspect
import io
import re
import textwrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..inputs import require
from .plain import as_html, without_roles

DPI = 192  # two dots for each of a page's pixels
EDITION = {"other": ""}  # the parameters of a page, as text, that the committed one has otherwise; `chapters` tells
NUMBER = re.compile(r"\{\{(\w+)\}\}")  # {{name}} in a text stands for a live number
SPREAD = re.compile(r"(?<=[\d*%]) (± \S+|\((?:n = )?[-+−]?\d[^()]*\))")  # after a number: what is set in small type


def say(text: str, numbers: dict[str, object] | None = None) -> None:
    """Show a text in Markdown. `{{name}}` stands for the number of that name; one that is missing is an error."""
    _written(filled(text, numbers or {}))


def findings(text: str, numbers: dict[str, object], committed: bool) -> None:
    """Show what was found, in sentences about the committed records, as `say` does. With other parameters a remark
    stands in their place, because the numbers may say something else."""
    other = "*Sentences about what was found stand here in the committed edition. This page has other parameters.*"
    told = filled(text, numbers)  # a name that is missing is an error in every edition
    _written(told if committed else other)


def _written(text: str) -> None:
    """Show a text that has its numbers."""
    display({"text/markdown": text, "text/html": as_html(text), "text/plain": "a text, in Markdown"})


def written_for_another(caption: str) -> str:
    """A caption, which says on a page with other parameters that its words are the committed edition's."""
    if not EDITION["other"]:
        return caption
    of_committed = "names of data, networks, rates and settings in a caption may be the committed page's"
    return f"{caption.rstrip('. ')}. (This page has {EDITION['other']}; {of_committed}.)"


def filled(text: str, numbers: dict[str, object]) -> str:
    """The text, without its indentation, with numbers in place of their names."""
    names = {*NUMBER.findall(text)}
    require(names <= numbers.keys(), f"the text names {', '.join(sorted(names - numbers.keys()))}, which has no number")
    told = NUMBER.sub(lambda match: str(numbers[match[1]]), textwrap.dedent(text).strip())
    comment = re.search(r"^ *%.*", told, re.MULTILINE)
    require(comment is None, f"a line that begins with % would vanish from the page as a comment: {comment}")
    return told


def table(frame: pd.DataFrame, name: str, caption: str, best: str = "") -> None:
    """Show a frame as the numbered table `name` (for `{numref}`), its index included, under a caption.

    Cells are shown as they are, missing ones empty; what follows a number, as its spread or interval, is in small type.
    `best`: "max" or "min" sets the best number of each column in bold.
    """
    cells = flat(frame)
    if best:
        of_index = cells.shape[1] - frame.shape[1]
        cells.iloc[:, of_index:] = cells.iloc[:, of_index:].apply(lambda column: emphasised(column, best))
    aligned = ["right" if holds_numbers(cells[column]) else "left" for column in cells]
    caption = written_for_another(caption)
    small = cells.map(lambda cell: SPREAD.sub(r" <small>\1</small>", cell))
    body = small.to_markdown(index=False, colalign=aligned, disable_numparse=True)
    plain = cells.map(lambda cell: cell.replace("**", ""))
    style = plain.style.hide(axis="index").set_caption(html.escape(without_roles(caption))).set_uuid(name)
    shown = f":::{{table}} {caption}\n:name: {name}\n:align: left\n\n{body}\n:::"
    display({"text/markdown": shown, "text/html": style.to_html(), "text/plain": plain.to_string(index=False)})


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame of texts with one row of headers, whose index has become columns; what an index repeats is left out."""
    named = [name for name in frame.index.names if name is not None]
    if named or not pd.api.types.is_numeric_dtype(frame.index):  # else it only counts rows
        frame = frame.reset_index(names=None if named else "")
    frame = frame.reset_index(drop=True).astype(object)
    cells = frame.map(as_text)
    cells.columns = [in_one(header) for header in frame.columns.to_flat_index()]
    every = cells.copy()
    for level, column in enumerate(cells.columns[: max(len(named) - 1, 0)]):
        same = (every.iloc[:, : level + 1] == every.iloc[:, : level + 1].shift()).all(axis=1)
        cells[column] = cells[column].mask(same, "")
    return cells


def in_one(header: object) -> str:
    """A header of several rows in one."""
    return ", ".join(str(part) for part in header if part != "") if isinstance(header, tuple) else str(header)


def as_text(cell: object) -> str:
    """A cell as text: nothing where it is missing, and no bar, which would end it."""
    if isinstance(cell, float):
        return "" if pd.isna(cell) else f"{cell:g}"
    return "" if cell is None else str(cell).replace("|", "\\|")


def leading(cell: str) -> float:
    """The number that a cell begins with; NaN where there is none."""
    found = re.match(r"[-+−]?\d[\d,]*\.?\d*(e[-+]?\d+)?", cell)
    return float(found[0].replace(",", "").replace("−", "-")) if found else float("nan")


def holds_numbers(column: pd.Series) -> bool:
    """Whether every cell that is not empty begins with a number."""
    told = column[column != ""]
    return len(told) > 0 and bool(told.str.strip("*").map(leading).notna().all())


def emphasised(column: pd.Series, best: str) -> pd.Series:
    """A column of numbers with its best one in bold; others as they are."""
    if not holds_numbers(column):
        return column
    values = column.map(leading)
    chosen = values == (values.max() if best == "max" else values.min())
    return column.mask(chosen, column.str.replace(r"^(\S+)", r"**\1**", regex=True))


def figure(drawn: Figure | Axes, name: str, caption: str, alt: str) -> None:
    """Show a figure as the numbered one `name` (for `{numref}`) above its caption; `alt` says what one sees in it.

    What both say of data and of curves is true of the committed edition, and with other parameters they say so. They
    travel with the output, and `chapters.normalise` hands them on to the rendered book.
    """
    import matplotlib.pyplot as plt

    fig = drawn if isinstance(drawn, Figure) else drawn.figure
    picture = io.BytesIO()
    fig.savefig(picture, format="png", dpi=DPI)
    width = round(fig.get_figwidth() * DPI / 2)
    alt = f"in the committed edition, which has other parameters: {alt}" if EDITION["other"] else alt
    plt.close(fig)  # or it would be shown a second time, without a caption
    told = {"name": name, "caption": written_for_another(caption), "alt": alt, "width": f"{width}px"}
    display({"image/png": picture.getvalue(), "text/plain": alt}, {"exhibit": told, "image/png": {"width": width}})


def source(*things) -> None:
    """Show the source of classes or functions."""
    code = "\n\n".join(textwrap.dedent(inspect.getsource(thing)).rstrip() for thing in things)
    display({"text/markdown": f"```python\n{code}\n```", "text/plain": code})


def diff(old, new) -> None:
    """Show what changes from the source of one function to that of another; all their lines are shown."""
    texts = [textwrap.dedent(inspect.getsource(thing)).splitlines() for thing in (old, new)]
    whole = max(map(len, texts))  # lines around a change: all
    lines = [*difflib.unified_diff(*texts, n=whole, lineterm="")][3:]  # behind the names and places of the files
    code = "\n".join(lines)
    display({"text/markdown": f"```diff\n{code}\n```", "text/plain": code})


def display(bundle: dict[str, object], metadata: dict | None = None) -> None:
    """Show one output, in the forms that it has."""
    from IPython import display as ipython

    ipython.display(bundle, raw=True, metadata=metadata)
