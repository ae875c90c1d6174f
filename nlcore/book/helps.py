"""What helps, and when: every method's gain over cross entropy, by kind of noise and by when training is stopped."""

import math

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .. import figures, papers, words
from ..measures.evaluate import select
from ..methods import METHODS
from ..papers.effects import Effect, Estimate, ahead, estimate, in_words, points
from ..papers.jiang2018.measured import named
from ..papers.scoreboard import NOISY

RULES = ("last", NOISY)
# kinds of noise and their rates; whether the rate of symmetric noise counts the true class in, papers differ
SYMMETRIC, DEPENDENT = ("symmetric_inclusive", "symmetric_exclusive"), ("pair_flip", "asymmetric_cifar10")
NOISES = {
    "symmetric, 0.4": (SYMMETRIC, 0.4),
    "symmetric, 0.8": (SYMMETRIC, 0.8),
    "class-dependent, 0.4": (DEPENDENT, 0.4),
}
# the recipes under which methods were compared, and the experiments that share each
RECIPES = {
    "Zhang & Sabuncu": ("zhang2018.fashion", "zhang2018.field"),
    "MentorNet": ("jiang2018.students",),
    "FasTEN": ("kye2022.table",),
}


def comparable(tier: str, train: str, device: str, **knobs) -> dict[str, pd.DataFrame]:
    """By recipe a frame with a row per run and evaluation, of one network, with what each method is called."""
    frames = {}
    for recipe, experiments in RECIPES.items():
        parts = [papers.frame(name, tier, train, device, **knobs) for name in experiments]
        whole = pd.concat(parts, ignore_index=True)
        network = "conv_small" if "conv_small" in {*whole.model} else whole.model.iloc[0]
        frames[recipe] = whole[whole.model == network].assign(name=named)
    return frames


def needs(method: str) -> str:
    """What a method has to be given beside noisy labels."""
    if method in ("forward", "backward"):
        return "the true T"
    trusted = method == "DD" or (method in METHODS and bool(METHODS[method]().trust))
    return "trusted images" if trusted else "nothing"


def gain(rows: pd.DataFrame, method: str) -> Estimate | None:
    """Points that a method is ahead of cross entropy, paired by seed; rows are of one kind and rate of noise."""
    return estimate(rows, Effect("gain", lambda one: ahead(one, method, "ce", by="name")))


def gains(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """A row per recipe, method, noise and rule: the gain over cross entropy with its interval; of cross entropy itself
    the accuracy."""
    found = []
    for recipe, history in frames.items():
        for rule in RULES:
            chosen = select(history, rule)
            for noise, (kinds, rate) in NOISES.items():
                rows = chosen[chosen.noise.isin(kinds) & (chosen.rate == rate)]
                found += [
                    {"recipe": recipe, "method": method, "noise": noise, "rule": rule} | told._asdict()
                    for method, told in estimates(rows).items()
                ]
    return pd.DataFrame(found)


def estimates(rows: pd.DataFrame) -> dict[str, Estimate]:
    """Of each method that was run its gain, of cross entropy its accuracy."""
    found = {method: gain(rows, method) for method in rows.name.unique() if method != "ce"}
    found["ce"] = estimate(rows, Effect("accuracy", lambda one: points(one, name="ce"))) if len(rows) else None
    return {method: told for method, told in found.items() if told}


def lines(found: pd.DataFrame) -> pd.DataFrame:
    """Every recipe and method once, in their order."""
    return found[["recipe", "method"]].drop_duplicates()


def table(found: pd.DataFrame) -> pd.DataFrame:
    """The gains as text: a row per recipe and method, the two rules side by side for each noise."""
    forms = {True: {"form": ".1f", "unit": " %"}, False: {"form": "+.1f", "ends": ".1f"}}
    cells = [in_words(row, **forms[row.method == "ce"]) for row in found.itertuples()]
    named = found.assign(cell=cells, needs=found.method.map(needs), method=found.method.map(words.method))
    wide = named.pivot(index=["recipe", "method", "needs"], columns=["noise", "rule"], values="cell")
    rows = [(line.recipe, words.method(line.method), needs(line.method)) for line in lines(found).itertuples()]
    columns = [(noise, rule) for noise in NOISES for rule in RULES if (noise, rule) in wide.columns]
    return wide.reindex(index=pd.MultiIndex.from_tuples(rows, names=wide.index.names), columns=columns).fillna("")


def picture(found: pd.DataFrame) -> Figure:
    """A panel per noise, a line per method: its gain when training runs to the end (filled) and when noisy validation
    stops it (open), with 95 % intervals."""
    shown = found[found.method != "ce"]
    order = [*lines(shown).itertuples()]
    noises = [noise for noise in NOISES if noise in {*shown.noise}]
    fig, panels = figures.row(len(noises), 3.6, 0.9 + 0.3 * len(order), sharey=True, sharex=True)
    colours = dict(zip(RECIPES, ("#0072b2", "#d55e00", "#009e73"), strict=True))
    for ax, noise in zip(panels, noises, strict=True):
        for place, line in enumerate(reversed(order)):
            same = shown[(shown.recipe == line.recipe) & (shown.method == line.method) & (shown.noise == noise)]
            for row in same.itertuples():
                last = row.rule == "last"
                y, colour = place + (0.15 if last else -0.15), colours[row.recipe]
                if math.isfinite(row.low):
                    ax.plot([row.low, row.high], [y, y], color=colour, lw=1, alpha=0.7)
                ax.plot(row.effect, y, "o", ms=5, mec=colour, mfc=colour if last else "white")
        ax.axvline(0, color="black", lw=0.8)
        ax.set_xlabel(f"{noise}\npoints ahead of cross entropy", fontsize=9)
        ax.set_xlim(-45, 45)
        ax.grid(axis="y", lw=0.3)
    panels[0].set_yticks(range(len(order)), [words.method(line.method) for line in reversed(order)], fontsize=8)
    handles = [Line2D([], [], color=colour, marker="o", label=f"recipe of {name}") for name, colour in colours.items()]
    handles.append(Line2D([], [], color="grey", marker="o", label="last evaluation"))
    handles.append(Line2D([], [], color="grey", marker="o", mfc="white", label="noisy validation"))
    fig.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=8, frameon=False)
    return fig


def findings(found: pd.DataFrame) -> dict[str, str]:
    """The largest gain under symmetric and under class-dependent noise of 0.4, by rule, and whose it is, in words."""
    said = {}
    for kind, noise in (("", "symmetric, 0.4"), ("dependent_", "class-dependent, 0.4")):
        for name, rule in (("last", "last"), ("noisy", NOISY)):
            rows = found[(found.noise == noise) & (found.rule == rule) & (found.method != "ce")]
            rows = rows[rows.method.map(needs) != "the true T"]  # nobody has it
            best = rows.loc[rows.effect.idxmax()] if len(rows) else None
            said[f"gain_{kind}{name}"] = "(not run)" if best is None else in_words(best, "+.1f", ".1f")
            said[f"best_{kind}{name}"] = "(not run)" if best is None else words.method(best.method)
    return said
