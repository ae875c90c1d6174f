"""The report: one file that opens without a network, with the pictures in it."""

import base64
import html
import io
from collections import Counter

import numpy as np
import pandas as pd

from ..data.pictures import shown
from ..inputs import UserError, counted
from .examples import Examples, stamp
from .signals import SAID

WORST, PAIRS, OF_A_PAIR, TWINS = 120, 12, 6, 30  # how much is shown
SURE = 0.8  # of the labels: what models predict that know the classes
PIXELS = 96  # of a picture's longer side

STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: auto; padding: 1rem }
table { border-collapse: collapse; display: block; overflow-x: auto }
td, th { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #8886 }
th:first-child, td:first-child { text-align: left }
.grid { display: flex; flex-wrap: wrap; gap: .8rem }
figure { margin: 0; width: 9rem; font-size: .8rem; overflow-wrap: anywhere }
img { height: 6rem; max-width: 9rem; object-fit: contain; image-rendering: pixelated }
.big { font-size: 1.2rem }
del { color: #c33 }
ins { color: #283; text-decoration: none }
@media (prefers-color-scheme: dark) { del { color: #f88 } ins { color: #8d8 } }
"""


def page(found: Examples, table: pd.DataFrame, summary: dict, twins: list[tuple[int, int]]) -> str:
    """The report as HTML. `table` is ranked, the most doubtful label first; `twins` are pairs of examples."""
    title = f"Labels of {found.name}"
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        _in_short(summary),
        _what_was_done(summary),
        "<h2>How many to look at</h2>",
        _cuts(summary),
        f"<h2>The most doubtful labels</h2>{_worst(found, table)}",
        f"<h2>By pairs of classes</h2>{_by_pair(found, table, summary)}",
        f"<h2>{summary['twins_are'].capitalize()}, with different labels</h2>{_twins(found, twins, summary['twins'])}",
        "<h2>Which class is taken for which</h2>",
        _matrix(summary),
        "<h2>The columns of labels.csv</h2>",
        _columns(summary),
    ]
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
    )
    head = f"<head>{head}<style>{STYLE}</style></head>"
    return f'<!doctype html>\n<html lang="en">{head}<body>{"".join(parts)}</body></html>\n'


def _in_short(summary: dict) -> str:
    """The estimate, and how far to trust it."""
    rate, checked = summary["rate"], summary["checked"]
    told = (
        f"Estimate: about <b>{rate['estimate']:.1%}</b> of {counted(summary['labels'], 'label')} are wrong, that is "
        f"{summary['wrong_labels']:,}. The 95 % interval is {rate['low']:.1%} to {rate['high']:.1%}."
    )
    trust = (
        f"Models that had not seen a label predicted {summary['agreement']:.1%} of them. What a model gets wrong "
        "itself can look like a wrong label, so the estimate is too high where a model does not know the classes well. "
        "Mistakes that a model can learn from the examples, such as those of one labeller who always takes the same "
        "kind of thing for another, look right to it, so the estimate is too low where there are many of these. "
        "The interval says how the estimate would move with other examples, not with better models."
    )
    return f'<p class="big">{told}</p><p>{trust}{_what_was_checked(checked) if checked["labels"] else ""}</p>'


def _what_was_checked(checked: dict) -> str:
    """How many labels somebody has checked, and what that says of the others."""
    said = f" You have checked {checked['labels']:,} labels, of which {checked['wrong']:,} are wrong. "
    if checked["removed"]:
        said += f"{checked['removed']:,} more are to be removed, whose labels may be right or wrong. "
    if checked["corrected"]:
        since = "Unless all were drawn at random since, they do not tell how many of the others are wrong."
        return f"{said}{checked['corrected']:,} of them had been corrected before. {since}"
    drawn = "all of these were drawn at random" if checked["removed"] else "these were drawn at random"
    drawn += " since the data were relabelled" if checked["relabelled"] else ""
    between = f"between {checked['low']:.1%} and {checked['high']:.1%}"
    return f"{said}If {drawn}, the share of wrong labels is {between}; trust that more than the estimate."


def _what_was_done(summary: dict) -> str:
    """What was used, converted and left out."""
    lines = [*summary["said"], *(f"left out: {line}" for line in summary["left_out"])]
    if "cleanlab" in summary["missing"]:
        lines.append("cleanlab is not installed, so its signal is missing: pip install cleanlab")
    listed = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<ul>{listed}</ul>" if lines else ""


def _cuts(summary: dict) -> str:
    """A table of how many of the first labels are expected to be wrong."""
    frame = pd.DataFrame(summary["cuts"])
    columns = {"the first": frame.labels.map("{:,}".format), "expected wrong": frame.expected.map("{:.0%}".format)}
    if frame.checked.any():
        columns |= {"checked": frame.checked, "of these wrong": frame.wrong}
    told = (
        "Of so many labels from the top of the order, this share is expected to be wrong. It is the mean of the column "
        "<code>matrix</code>: too high where models do not know the classes, too low where they have learned mistakes, "
        "and over all labels not the estimate above, which counts otherwise. Stop where most labels that you see are "
        "right."
    )
    return f"<p>{told}</p>" + pd.DataFrame(columns).to_html(index=False, border=0)


def _worst(found: Examples, table: pd.DataFrame) -> str:
    """The labels that come first and have not been checked."""
    rows = table[table.checked == ""].head(WORST)
    if found.x.ndim != 4:
        return rows[["file", "given", "suggested", "score", "agree"]].head(50).to_html(index=False, border=0)
    told = (
        "Struck through is the label as it was given. Behind the arrow is the likeliest other class, also where models "
        "find the given label right."
    )
    return f"<p>{told}</p>{_grid(found, rows)}"


def _grid(found: Examples, rows: pd.DataFrame) -> str:
    """Pictures with their given and their suggested label."""
    place = {row: i for i, row in enumerate(found.row.tolist())}
    figures = []
    for one in rows.itertuples():
        told = f"<del>{html.escape(str(one.given))}</del> → <ins>{html.escape(str(one.suggested))}</ins>"
        name = html.escape(one.file)
        figures.append(f"<figure>{_picture(found, place[one.row])}<br>{told}<br><small>{name}</small></figure>")
    return f'<div class="grid">{"".join(figures)}</div>'


def _picture(found: Examples, i: int) -> str:
    """A picture as a data URI: from its file, if there is one, or from the array."""
    from PIL import Image

    try:
        if not found.path or stamp(found.path[i]) != found.stamp[i]:
            raise UserError("no file")
        image = shown(found.path[i], 2 * PIXELS)
        image.thumbnail((PIXELS, PIXELS))
    except UserError:  # no file, or one that has changed or is gone since
        pixels = found.x[i].transpose(1, 2, 0)
        image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., :3])
    file = io.BytesIO()
    image.save(file, "PNG" if max(image.size) <= 32 else "JPEG")
    kind = "png" if max(image.size) <= 32 else "jpeg"
    return f'<img alt="" src="data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}">'


def _by_pair(found: Examples, table: pd.DataFrame, summary: dict) -> str:
    """Among as many labels as are estimated to be wrong: the most frequent pairs of given and suggested class."""
    doubted = table.head(summary["wrong_labels"])
    pairs = Counter(zip(doubted.given, doubted.suggested, strict=True)).most_common(PAIRS)
    parts = []
    for (given, suggested), count in pairs:
        rows = doubted[(doubted.given == given) & (doubted.suggested == suggested)].head(OF_A_PAIR)
        parts.append(f"<h3>{html.escape(str(given))} → {html.escape(str(suggested))}: {count:,}</h3>")
        parts.append(_grid(found, rows) if found.x.ndim == 4 else "")
    told = f"<p>These are the {counted(len(doubted), 'most doubtful label')}, as many as are estimated to be wrong.</p>"
    return told + "".join(parts) if parts else "<p>No label is estimated to be wrong.</p>"


def _twins(found: Examples, pairs: list[tuple[int, int]], count: int) -> str:
    """Pairs of examples that are nearly alike, of which one of the two labels is wrong; and the `count` of all that are
    like another one with a different label."""
    names, parts = found.classes, []
    for pair in pairs[:TWINS]:
        for i in pair:
            told = f"{html.escape(names[found.given[i]])}<br><small>{html.escape(found.file[i])}</small>"
            parts.append(f"<figure>{_picture(found, i) if found.x.ndim == 4 else ''}<br>{told}</figure>")
    told = f"<p>{counted(count, 'example')} in all. Of equal ones with one label a single one is shown.</p>"
    more = f"<p>{len(pairs) - TWINS:,} more pairs are not shown.</p>" if len(pairs) > TWINS else ""
    return f'{told}<div class="grid">{"".join(parts)}</div>{more}' if parts else "<p>There are none.</p>"


def _matrix(summary: dict) -> str:
    """The estimated matrix in percent, or its largest entries where there are many classes."""
    names, T = summary["classes"], np.array(summary["matrix"])
    if len(names) <= 12:
        frame = pd.DataFrame((100 * T).round(1), index=names, columns=names)
        told = "<p>Percent of the examples of each true class (row) by given label (column), as estimated.</p>"
        return told + frame.to_html(border=0)
    wrong = np.where(np.eye(len(T), dtype=bool), 0, T)
    largest = np.argsort(-wrong, axis=None)[:20]
    rows = [(names[i], names[j], f"{T[i, j]:.1%}") for i, j in zip(*np.unravel_index(largest, T.shape), strict=True)]
    return pd.DataFrame(rows, columns=["true class", "labelled as", "share"]).to_html(index=False, border=0)


def _columns(summary: dict) -> str:
    """What each signal is."""
    others = {
        "score": "from 0 to 1, 1 for the most doubtful: the mean place by the signals that tell most",
        "agree": "how many signals have the label among as many as are estimated to be wrong",
        "suggested": "the likeliest other class",
    }
    told = others | {name: SAID[name] for name in summary["signals"]}
    listed = "".join(f"<li><b>{name}</b>: {html.escape(text)}.</li>" for name, text in told.items())
    after = (
        "List the labels that you correct in a table with the columns <code>file</code> and <code>label</code>, say "
        "<code>reviewed.csv</code>. Then <code>nlcore relabel DATA reviewed.csv --out NEW</code> writes all labels "
        "anew, and <code>nlcore audit NEW</code> looks at them again. Your files were not changed."
    )
    return f"<ul>{listed}</ul><p>{after}</p>"
