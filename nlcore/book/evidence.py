"""The evidence in one picture: all effects with their intervals, beside the papers'."""

import json
import math
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..papers.scoreboard import found_in_words, number, verdicts
from . import show

# colour and shape of a verdict: blue, grey and vermilion can be told apart by everybody
LOOKS = {
    "reproduced": {"color": "#0072b2", "marker": "o"},
    "inconclusive": {"color": "#7f7f7f", "marker": "s"},
    "not reproduced": {"color": "#d55e00", "marker": "X"},
}
OFFSET = {True: 0.16, False: -0.16}  # of the paper's rule and of the other one, in rows


def forest(rows: pd.DataFrame) -> Figure:
    """All effects of one paper at one tier (rows as from `scoreboard.effects`), a line each.

    Each line has a scale of its own, since their units differ: the bound is at 0, the claimed side is to the right, and
    1 is the largest of our effect, its interval (cut at twice the effect) and the paper's value away from the bound.
    """
    lines = [*rows[rows.seeds > 0].groupby(["claim", "what"], sort=False)]
    height = 0.9 + 0.42 * len(lines)
    fig, ax = plt.subplots(figsize=(9.5, height), layout="constrained", facecolor="white")
    for place, (_, line) in enumerate(lines):
        draw(ax, len(lines) - 1 - place, line)
    ax.axvline(0, color="black", lw=0.8)
    names = [f"{claim}  {what}" for (claim, what), _ in lines]
    ax.set_yticks(range(len(lines) - 1, -1, -1), [shortened(name) for name in names], fontsize=8)
    ax.set_xticks([0], ["bound"])
    ax.set(xlim=(-1.15, 1.15), ylim=(-0.6, len(lines) - 0.4))
    ax.grid(axis="y", lw=0.3)
    ax.spines[["top", "right", "left"]].set_visible(False)
    fig.legend(handles=legend(), loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return fig


def shortened(name: str, width: int = 78) -> str:
    """A name on two lines where it is long."""
    if len(name) <= width:
        return name
    cut = name.rfind(" ", 0, width)
    return name[:cut] + "\n" + name[cut + 1 :]


def legend() -> list[Line2D]:
    """A handle for each verdict, for the rules and for the paper's value."""
    made = [Line2D([], [], ls="none", label=word, **look) for word, look in LOOKS.items()]
    made.append(Line2D([], [], color="black", marker="o", ls="-", label="the paper's rule"))
    made.append(Line2D([], [], color="black", marker="o", mfc="white", ls="-", label="the other rule"))
    return [*made, Line2D([], [], color="black", marker="|", ms=10, ls="none", label="the paper's own value")]


def draw(ax: Axes, y: float, line: pd.DataFrame) -> None:
    """One effect under each of its rules, and the paper's value of it."""
    first = line.iloc[0]
    scale = scale_of(line)
    if not math.isinf(first.least) and not math.isinf(first.most):
        half = (first.most - first.least) / 2 / scale
        ax.fill_between([-half, half], y - 0.4, y + 0.4, color="#0072b2", alpha=0.12, lw=0)
    else:
        ax.fill_between([0, 1.15], y - 0.4, y + 0.4, color="#0072b2", alpha=0.06, lw=0)
    several = len(line) > 1
    for row in line.itertuples():
        look = LOOKS[row.verdict]
        at = y + (OFFSET[row.own_rule] if several else 0)
        low, middle, high = sorted(away(row, value) / scale for value in (row.low, row.effect, row.high))
        ax.plot(np.clip([low, high], -1.1, 1.1), [at, at], color=look["color"], lw=1.4)
        fill = look["color"] if row.own_rule else "white"
        ax.plot(np.clip(middle, -1.1, 1.1), at, ls="none", ms=6, mfc=fill, mec=look["color"], marker=look["marker"])
    if not math.isnan(first.papers_effect):
        ax.plot(away(first, first.papers_effect) / scale, y, color="black", marker="|", ms=14, mew=1.6)


def away(row, value: float) -> float:
    """How far a value is on the claimed side of the bound; of a bound with two sides, how far from its middle."""
    if math.isinf(row.most):
        return value - row.least
    return row.most - value if math.isinf(row.least) else value - (row.least + row.most) / 2


def scale_of(line: pd.DataFrame) -> float:
    """The largest distance from the bound that a line has to show."""
    first, shown = line.iloc[0], []
    for row in line.itertuples():
        middle = abs(away(row, row.effect))
        ends = [abs(away(row, end)) for end in (row.low, row.high) if math.isfinite(end)]
        shown += [middle, *(min(end, 2 * middle) for end in ends)]
    if not math.isnan(first.papers_effect):
        shown.append(abs(away(first, first.papers_effect)))
    if not math.isinf(first.least) and not math.isinf(first.most):
        shown.append((first.most - first.least) / 2)
    return max(shown) or 1.0


def under_its_rule(row: pd.Series) -> str:
    """`last: 10.0 (8.1 to 11.9)`; nothing where nothing was run."""
    words = found_in_words(row)
    return f"{row.rule}: {words}" if words and row.seeds else words


def evidence_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Effects as a table, a line each, with what we find under the paper's rule and under the other one."""
    found = []
    for (claim, what), line in rows.groupby(["claim", "what"], sort=False):
        own, others = line[line.own_rule].iloc[0], line[~line.own_rule]
        row = {"claim": claim, "what is measured": what, "claimed": own.bound, "paper": number(own.papers_effect)}
        row |= {"ours": under_its_rule(own), "verdict": own.verdict}
        other = others.iloc[0] if len(others) else None
        row["ours, other rule"] = "" if other is None else under_its_rule(other)
        row["verdict there"] = "" if other is None else other.verdict
        found.append(row)
    return pd.DataFrame(found).set_index("claim")


def verdict_cards(rows: pd.DataFrame) -> None:
    """Show effects as from `scoreboard.effects`, a card for each claim: what is claimed, what the paper's numbers give
    and ours, under the paper's rule and the other one, and the verdict. Each links to the section about it."""
    told = [card(claim, part) for claim, part in rows.groupby("claim", sort=False)]
    plain = evidence_table(rows)
    html = plain.style.set_uuid(f"verdicts-{plain.index[0]}").to_html()
    show.display({"text/markdown": "\n\n".join(told), "text/html": html, "text/plain": plain.to_string()})


def card(claim: str, rows: pd.DataFrame) -> str:
    """The card of one claim, in Markdown."""
    first, words = rows.iloc[0], verdicts(rows).verdict.iloc[0]
    lines = [effect_line(line) for _, line in rows.groupby("what", sort=False)]
    looks = f":class-card: verdict {words.replace(' ', '-')}"
    head = f":::{{card}} [{claim}](#claim-{claim.lower()}) · {words} · {first['where']}\n{looks}"
    return f"{head}\n\n{first.sentence}\n\n" + "\n".join(lines) + "\n:::"


def effect_line(line: pd.DataFrame) -> str:
    """One effect of a claim: the bound, the paper's value, ours under each rule."""
    own = line[line.own_rule].iloc[0]
    parts = [f"- {own.what}: claimed {own.bound}"]
    if number(own.papers_effect):
        parts.append(f"the paper has {number(own.papers_effect)}")
    parts += [f"ours, {under_its_rule(row) or row.rule} → *{row.verdict}*" for _, row in line.iterrows()]
    return "; ".join(parts)


LABEL = re.compile(r"\(claim-(\w+)\)=")  # before the section of a chapter that is about a claim


def sections(folder: Path) -> dict[str, str]:
    """Of each claim the address of its section, from the labels in the chapters of a folder."""
    found = {}
    for chapter in sorted(folder.glob("[0-9]*.ipynb")):
        for cell in json.loads(chapter.read_text())["cells"]:
            for claim in LABEL.findall("".join(cell["source"])):
                found[claim] = f"{chapter.stem}.html#claim-{claim.lower()}"
    return found


def linked(table: pd.DataFrame, addresses: dict[str, str]) -> object:
    """A table whose claims link to their sections, for display in a chapter: alike every time that it is rendered."""
    from IPython.display import HTML

    links = {claim: f'<a href="{addresses[claim]}">{claim}</a>' for claim in table.index.unique() if claim in addresses}
    named = table.style.set_uuid(f"from-{table.index[0]}").format_index(lambda claim: links.get(claim, claim))
    return HTML(named.to_html())


def findings(rows: pd.DataFrame) -> dict[str, str]:
    """How many claims have each verdict, and which change it under noisy validation, in words."""
    table = verdicts(rows)
    counts = table.verdict.value_counts()
    own, noisy = table.verdict == "reproduced", table.noisy_validation == "reproduced"
    fallen, risen = table.claim[own & ~noisy], table.claim[noisy & ~own]
    said = {"claims": len(table), "fall": len(fallen), "rise": len(risen)}
    for word in ("reproduced", "inconclusive", "not reproduced", "not run"):
        said[word.replace(" ", "_")] = counts.get(word, 0)
    named = {"fallen": ", ".join(fallen) or "none", "risen": ", ".join(risen) or "none"}
    return {name: str(count) for name, count in said.items()} | named
