"""The evidence in one picture: all effects with their intervals, beside the papers'."""

import math
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from .. import figures
from ..papers.scoreboard import VERDICTS, by_kind, found_in_words, number, verdicts
from . import show

# colour and shape of a verdict: blue, grey and vermilion can be told apart by everybody
LOOKS = {
    "reproduced": {"color": "#0072b2", "marker": "o"},
    "inconclusive": {"color": "#7f7f7f", "marker": "s"},
    "not reproduced": {"color": "#d55e00", "marker": "X"},
}
PAPERS = {
    "rolnick2017": "Rolnick et al. 2017",
    "zhang2018": "Zhang & Sabuncu 2018",
    "muller2019": "Müller et al. 2019, Lukasik et al. 2020",
    "jiang2018": "Jiang et al. 2018",
    "kye2022": "Kye et al. 2022",
    "wei2022": "Wei et al. 2022",
    "field": "The field: later papers",
}
SHORT = {"rolnick2017": "Rolnick et al.", "zhang2018": "Zhang & Sabuncu", "muller2019": "Müller et al., Lukasik et al."}
SHORT |= {"jiang2018": "Jiang et al.", "kye2022": "Kye et al.", "wei2022": "Wei et al.", "field": "the field"}
FILLS = {verdict: LOOKS[verdict]["color"] if verdict in LOOKS else "#dddddd" for verdict in VERDICTS}
NAME = 70  # letters of an effect's name that fit on a line of the picture
OFFSET = {True: -0.02, False: -0.24}  # of the paper's rule and of the other one, in rows


def forest(rows: pd.DataFrame) -> Figure:
    """All effects of one paper at one tier (rows as from `scoreboard.effects`), a line each under its name.

    Each line has a scale of its own, since their units differ: the bound is at 0, the claimed side is to the right, and
    1 is the largest of our effect, its interval (cut at twice the effect) and the paper's value away from the bound.
    """
    lines = [*rows[rows.seeds > 0].groupby(["claim", "what"], sort=False)]
    names = [textwrap.fill(f"{claim}  {what}", NAME) for (claim, what), _ in lines]
    heights = [1 + 0.34 * name.count("\n") for name in names]
    total = sum(heights)
    fig, ax = plt.subplots(figsize=(figures.WIDTH, 1.2 + 0.62 * total), layout="constrained", facecolor="white")
    ground, top = {"facecolor": "white", "edgecolor": "none", "pad": 1}, total
    for name, height, (_, line) in zip(names, heights, lines, strict=True):
        y = top - height
        draw(ax, y, line)
        ax.text(-1.13, y + 0.2, name, fontsize=9, va="bottom", linespacing=1.05, bbox=ground)
        top = y
    ax.axvline(0, color="black", lw=0.8)
    ax.set_yticks([])
    ax.set_xticks([-0.6, 0, 0.6], ["not claimed", "bound", "claimed"])
    ax.set(xlim=(-1.15, 1.15), ylim=(-0.55, total - 0.4))
    ax.spines[["top", "right", "left"]].set_visible(False)
    handles = legend()
    figures.below(fig, handles, [handle.get_label() for handle in handles])
    return fig


def legend() -> list[Line2D]:
    """A handle for each verdict, for the rules and for the paper's value."""
    made = [Line2D([], [], ls="none", label=word, **look) for word, look in LOOKS.items()]
    made.append(Line2D([], [], color="black", marker="o", ls="-", label="the paper's rule"))
    made.append(Line2D([], [], color="black", marker="o", mfc="white", ls="-", label="the other rule"))
    return [*made, Line2D([], [], color="black", marker="|", ms=10, ls="none", label="from published numbers")]


def draw(ax: Axes, y: float, line: pd.DataFrame) -> None:
    """One effect under each of its rules, and the paper's value of it."""
    first = line.iloc[0]
    scale = scale_of(line)
    if not math.isinf(first.least) and not math.isinf(first.most):
        half = (first.most - first.least) / 2 / scale
        ax.fill_between([-half, half], y - 0.38, y + 0.14, color="#0072b2", alpha=0.12, lw=0)
    else:
        ax.fill_between([0, 1.15], y - 0.38, y + 0.14, color="#0072b2", alpha=0.06, lw=0)
    several = len(line) > 1
    for row in line.itertuples():
        look = LOOKS[row.verdict]
        at = y + (OFFSET[row.own_rule] if several else -0.12)
        low, middle, high = sorted(away(row, value) / scale for value in (row.low, row.effect, row.high))
        ax.plot(np.clip([low, high], -1.1, 1.1), [at, at], color=look["color"], lw=1.4)
        fill = look["color"] if row.own_rule else "white"
        ax.plot(np.clip(middle, -1.1, 1.1), at, ls="none", ms=6, mfc=fill, mec=look["color"], marker=look["marker"])
    if not math.isnan(first.papers_effect):
        ax.plot(away(first, first.papers_effect) / scale, y - 0.12, color="black", marker="|", ms=15, mew=1.6)


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


def verdict_cards(rows: pd.DataFrame, folded: bool = False) -> None:
    """Show effects as from `scoreboard.effects`, a card for each claim: what is claimed, what the paper's numbers give
    and ours, under the paper's rule and the other one, and the verdict. Each links to the section about it. Where there
    are many, they may be `folded`: the numbers and the reasons for the bounds come out at a click."""
    written = folded_card if folded else card
    told = [written(claim, part) for claim, part in rows.groupby("claim", sort=False)]
    plain = evidence_table(rows)
    html = plain.style.set_uuid(f"verdicts-{plain.index[0]}").to_html()
    show.display({"text/markdown": "\n\n".join(told), "text/html": html, "text/plain": plain.to_string()})


def card(claim: str, rows: pd.DataFrame) -> str:
    """The card of one claim, in Markdown."""
    first, words = rows.iloc[0], verdicts(rows).verdict.iloc[0]
    lines = [effect_line(line) for _, line in rows.groupby("what", sort=False)]
    looks = f":class-card: verdict {words.replace(' ', '-')}"
    head = f":::{{card}} [{claim}](#claim-{claim.lower()}) · {words} · {first['where']}\n{looks}"
    return f"{head}\n\n{first.sentence}\n\n" + "\n".join(lines) + f"\n\n{rests_on(rows)}\n:::"


def folded_card(claim: str, rows: pd.DataFrame) -> str:
    """The card of one claim, of which the sentence and the verdict are seen at once, in Markdown."""
    first, words = rows.iloc[0], verdicts(rows).verdict.iloc[0]
    lines = [f"{effect_line(line)}. {reason(line)}" for _, line in rows.groupby("what", sort=False)]
    looks = f":class-container: verdict {words.replace(' ', '-')}"
    place = "The claim is our own" if first["where"] == "ours" else f"In the paper: {first['where']}"
    section = f"{place}. Here: [the section about it](#claim-{claim.lower()})."
    head = f":::{{dropdown}} {claim} · {words} · {first.sentence}\n{looks}"
    return f"{head}\n\n" + "\n".join(lines) + f"\n\n{rests_on(rows)} {section}\n:::"


def rests_on(rows: pd.DataFrame) -> str:
    """Which runs a claim was judged on, or why on none."""
    own = rows[rows.own_rule]
    first = own.iloc[own.verdict.eq("not run").argmin()]  # one that was run, where there is one
    return f"Runs: `{first.experiment}`; {first.evidence}." if first.experiment else "Computed, without a run."


def reason(line: pd.DataFrame) -> str:
    """Why the bound of an effect is just there."""
    why = line.iloc[0].why
    return f"The bound: {why}." if why else ""


def effect_line(line: pd.DataFrame) -> str:
    """One effect of a claim: the bound, the paper's value, ours under each rule."""
    own = line[line.own_rule].iloc[0]
    bound = own.bound.replace(">=", "at least").replace("<=", "at most")
    parts = [f"- {own.what}: claimed {bound}"]
    if number(own.papers_effect):
        parts.append(f"published numbers give {number(own.papers_effect)}")
    ran = line[line.verdict != "not run"]
    parts += [f"ours, {under_its_rule(row)} → *{row.verdict}*" for _, row in ran.iterrows()]
    return "; ".join(parts if len(ran) else [*parts, "*not run*"])


def totals_by_paper(rows: pd.DataFrame) -> pd.DataFrame:
    """How many claims of each paper that are measured on runs have each verdict under the paper's own rule; and how
    many identities hold."""
    measured, exact = by_kind(verdicts(rows))
    table = measured.groupby(["paper", "verdict"], sort=False).size().unstack(fill_value=0)
    table = table.reindex(rows.paper.unique(), columns=VERDICTS, fill_value=0)
    held = (exact.verdict == "reproduced").groupby(exact.paper).agg(["sum", "size"])
    said = held["sum"].astype(str) + " of " + held["size"].astype(str)
    table["identities that hold"] = said.reindex(table.index, fill_value="")
    return table.rename(index=PAPERS).rename_axis("paper").astype(str)


def totals_figure(rows: pd.DataFrame) -> Figure:
    """A bar for each paper with its claims that are measured on runs, in the colours of their verdicts; and one for the
    identities of all papers."""
    measured, exact = by_kind(verdicts(rows))
    bars = {SHORT[paper]: part.verdict for paper, part in measured.groupby("paper", sort=False)}
    bars["identities"] = exact.verdict
    fig, ax = plt.subplots(figsize=(5.4, 0.9 + 0.42 * len(bars)), layout="constrained", facecolor="white")
    for y, (name, column) in enumerate(bars.items()):
        left = 0
        for verdict in VERDICTS:
            count = int((column == verdict).sum())
            look = {"color": FILLS[verdict], "hatch": "//" if name == "identities" else None, "edgecolor": "white"}
            ax.barh(y, count, left=left, height=0.7, **look)
            if count:
                ground = {"facecolor": FILLS[verdict], "edgecolor": "none", "pad": 1.5}
                colour = "black" if verdict == "not run" else "white"
                ax.text(left + count / 2, y, count, ha="center", va="center", color=colour, fontsize=9, bbox=ground)
            left += count
    ax.set(yticks=range(len(bars)), yticklabels=bars, xlabel="claims")
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    handles = [Patch(color=colour, label=verdict) for verdict, colour in FILLS.items()]
    fig.legend(handles=handles, loc="outside upper center", ncols=4, fontsize=8.5, frameon=False, handlelength=1)
    return fig


def findings(rows: pd.DataFrame) -> dict[str, str]:
    """How many claims that are measured on runs have each verdict, which change it under noisy validation, and how many
    identities there are and hold, in words."""
    table, exact = by_kind(verdicts(rows))
    counts = table.verdict.value_counts()
    own, noisy = table.verdict == "reproduced", table.noisy_validation == "reproduced"
    fallen, risen = table.claim[own & ~noisy], table.claim[noisy & ~own]
    said = {"claims": len(table), "fall": len(fallen), "rise": len(risen)}
    said |= {"identities": len(exact), "identities_held": (exact.verdict == "reproduced").sum()}
    for word in VERDICTS:
        said[word.replace(" ", "_")] = counts.get(word, 0)
    named = {"fallen": ", ".join(fallen) or "none", "risen": ", ".join(risen) or "none"}
    return {name: str(count) for name, count in said.items()} | named
