"""Figures: a tidy frame in, Axes out. No titles; the caption has them."""

import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import words

WIDTH = 5.6  # inches of a figure: so a phone shows it at more than six tenths of its size
PAPER = " (paper)"  # behind the name of a line that a paper has
LETTERS = 62  # of a legend, beside each other
plt.rcParams.update({"font.size": 11, "axes.titlesize": "medium"})  # then type and legends can be read there

NOTHING_RUN = "not run yet"  # in place of what a figure or a table would show
NETS = ("perceptron", "mlp1", "mlp2", "mlp4", "conv4", "conv_small", "conv6", "resnet18", "resnet34")
COLOURS = dict(zip(NETS, sns.color_palette("colorblind", len(NETS)), strict=True))  # one for each network, everywhere
COLOURS["conv6"] = COLOURS["conv_small"]  # free, and further from that of Conv4
COLOURS["conv_small"] = COLOURS["conv4"]  # it stands in for it
COLOURS["resnet"] = COLOURS["resnet18"]  # of a paper that does not say its depth
ORDERS = ("confusing", "learned", "random", "reverse", "fresh")  # of false labels; they have one colour each, too
COLOURS |= dict(zip(ORDERS, sns.color_palette("colorblind"), strict=False))


def axes(ax: Axes | None, *size: float) -> Axes:
    """The given Axes, or new ones on white, so that they can be read on a dark page too."""
    return ax or plt.subplots(figsize=size, layout="constrained", facecolor="white")[1]


def row(count: int, height: float, **options) -> tuple[Figure, list[Axes]]:
    """A figure of `count` Axes, each of this height in inches, at most two side by side."""
    columns, lines = min(count, 2), math.ceil(count / 2)
    style = {"squeeze": False, "layout": "constrained", "facecolor": "white"}
    fig, grid = plt.subplots(lines, columns, figsize=(WIDTH, height * lines), **style, **options)
    for ax in grid.flat[count:]:
        ax.remove()
    return fig, [*grid.flat[:count]]


def on_the_left(panels: list[Axes]) -> list[Axes]:
    """The Axes of `row` that have no other to their left."""
    return panels[::2]


def curves(ours: pd.DataFrame, x: str, by: str, theirs: pd.DataFrame | None = None, **options) -> Axes:
    """Test accuracy against column `x`, a line per value of `by`, of `ours` (a row per run) and `theirs`.

    `theirs` is `tables.published`, which has x `at` and y `value`, with a column `by`. Bands are one standard deviation
    over seeds; `options` go to `Axes.set`.
    """
    ax, ours = axes(None, WIDTH, 3.9), _in_words(ours, by).assign(accuracy=100 * ours.test_accuracy)
    names = [*ours[by].unique()]
    if by == "model":
        names = [net for net in NETS if net in names] + [net for net in names if net not in NETS]
    colours = colours_of(names)
    style = {"hue": by, "hue_order": names, "palette": colours, "errorbar": "sd"} | markers_of(by, names)
    sns.lineplot(ours, x=x, y="accuracy", ax=ax, **style)
    if theirs is not None:
        for name, line in _in_words(theirs, by).groupby(by, sort=False):
            colour = colours.get(name) or COLOURS.get(name, "grey")
            ax.plot(line["at"], line.value, "x--", color=colour, lw=1, ms=4, label=name + PAPER)
    ax.set(xlabel=words.said(x), ylabel=words.said("accuracy"), ylim=(0, 101))
    ax.set(**options)
    ax.grid(alpha=0.3)
    legend_below(ax.figure)
    return ax


def colours_of(names: list[str]) -> dict[str, str]:
    """A colour for each name: methods, networks and orders have the same one on every page, other things the next in
    order."""
    if all(name in words.METHODS for name in names):
        return {name: words.look(name)["color"] for name in names}
    if all(name in COLOURS for name in names):
        return {name: COLOURS[name] for name in names}
    return dict(zip(names, sns.color_palette("colorblind", len(names)), strict=True))


def markers_of(by: str, names: list[str]) -> dict:
    """How seaborn draws a marker for each value of column `by`: methods have their own, other things the next in
    order."""
    known = all(name in words.METHODS for name in names)
    every = itertools.cycle(marker for _, marker in words.LOOKS.values())
    markers = {name: words.look(name)["marker"] if known else next(every) for name in names}
    return {"style": by, "style_order": names, "markers": markers, "dashes": False, "ms": 6, "mew": 0}


def legend_below(fig: Figure) -> Figure:
    """The figure with a legend of its last Axes below all of them, where it hides no line."""
    last = fig.axes[-1]
    if last.get_legend():  # seaborn's
        last.get_legend().remove()
    below(fig, *in_words(last))
    return fig


def in_words(ax: Axes) -> tuple[list, list[str]]:
    """Handles and names of a legend, as people read them. Dashed lines of the paper have one entry together, but for
    those whose name no line of ours has."""
    drawn = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    alike = {label for label in drawn if label.endswith(PAPER) and label.removesuffix(PAPER) in drawn}
    named = {label: handle for label, handle in drawn.items() if label not in alike}
    said = [label.replace(label.removesuffix(PAPER), words.said(label.removesuffix(PAPER))) for label in named]
    handles = [*named.values()]
    if alike:
        handles.append(Line2D([], [], color="grey", ls="--", lw=1, marker="x", ms=4))
        said.append("dashed: the paper's")
    return handles, said


def gain(ax: Axes, y: float, row, look: dict, filled: bool) -> None:
    """The `effect` of a row and, if it has one, its interval from `low` to `high`. For one beyond an edge of the axis
    stands an arrow there."""
    left, right = ax.get_xlim()
    fill = look["color"] if filled else "white"
    if not left <= row.effect <= right:
        edge, arrow = (left, "<") if row.effect < left else (right, ">")
        ax.plot(edge, y, arrow, ms=5, mec=look["color"], mfc=fill, clip_on=False)
        return
    if math.isfinite(row.low):
        ax.plot([row.low, row.high], [y, y], color=look["color"], lw=1.2, alpha=0.7)
    ax.plot(row.effect, y, look["marker"], ms=5, mec=look["color"], mfc=fill)


def filled_and_open(fig: Figure, filled: str, opened: str) -> None:
    """The legend below a figure of gains: what a filled mark means, and what an open one."""
    look = {"color": "black", "marker": "o", "ls": "none"}
    below(fig, [Line2D([], [], **look), Line2D([], [], mfc="white", **look)], [filled, opened])


def below(fig: Figure, handles: list, names: list[str]) -> None:
    """A legend below a figure, with as many columns as its longest name leaves room for; the figure grows by it."""
    columns = max(1, LETTERS // (max(map(len, names), default=0) + 6))  # a handle is as wide as six letters
    fig.set_figheight(fig.get_figheight() + 0.23 * math.ceil(len(names) / columns))  # inches a line
    fig.legend(handles, names, loc="outside lower center", ncols=columns, frameon=False)


def _in_words(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The table with the numbers of a column as text: values that have a colour each, not a place on a scale."""
    is_number = table[column].dtype.kind == "f"
    return table.assign(**{column: table[column].map("{:g}".format)}) if is_number else table


def nothing_run(ax: Axes) -> None:
    """Say in Axes that there is nothing to draw yet."""
    ax.text(0.5, 0.5, NOTHING_RUN, ha="center", transform=ax.transAxes)


def mean_curve(rows: pd.DataFrame, x: str, y: str) -> pd.Series:
    """The mean of column `y` by `x` over runs, as far as all of them go: beyond the end of one that diverged it would
    be the mean of the others."""
    at = rows.groupby(x)[y]
    return at.mean()[at.size() == at.size().max()]


def lines(table: pd.DataFrame, y: str, by: str, panel: str, ylabel: str) -> Figure:
    """Column `y` against the share of training that is over, of a frame with a row per run and evaluation: means over
    seeds with bands of one standard deviation, a colour per value of `by`, axes per value of `panel`."""
    panels, names = [*table[panel].unique()], [*table[by].unique()]
    table = table.assign(share=table.step / table.steps)
    runs = table.groupby([panel, by, "share"], dropna=False)[y].transform("size")  # a line goes as far as all its runs
    table = table[runs == runs.groupby([table[panel], table[by]], dropna=False).transform("max")]
    fig, grid = row(max(len(panels), 1), 3.1, sharey=True)
    if not panels:
        nothing_run(grid[0])
        return fig
    style = {"hue": by, "hue_order": names, "palette": colours_of(names), "errorbar": "sd"} | markers_of(by, names)
    for ax, value in zip(grid, panels, strict=True):
        rows = table[table[panel] == value]
        every = max(1, rows.share.nunique() // 10)  # about ten markers a line
        sns.lineplot(rows, x="share", y=y, ax=ax, legend=ax is grid[-1], markevery=every, **style)
        ax.set(xlabel="share of training", ylabel=ylabel, title=str(value))
        ax.grid(alpha=0.3)
    return legend_below(fig)


def weighed(parts: dict[str, list], width: float = 0.25) -> Figure:
    """How often right and wrong labels have a loss (bars, in bins of `width`, the last one open) and what they weigh on
    average (line), axes per name; bins as from `evaluate.weighed`, empty ones without a point."""
    fig, grid = row(len(parts), 3.1, sharey=True)
    for ax, (name, bins) in zip(grid, parts.items(), strict=True):
        counts, weights = np.array(bins)[:, :2].T, np.array(bins)[:, 2:].T  # of right labels, of wrong ones
        at = (np.arange(len(bins)) + 0.5) * width
        for n, colour, kind in zip(counts, ("C0", "C3"), ("right labels", "wrong labels"), strict=True):
            ax.bar(at, n / counts.sum(), width, color=colour, alpha=0.5, label=kind)
        total = counts.sum(0)
        mean = (counts * weights).sum(0) / np.maximum(total, 1)
        ax.plot(at[total > 0], mean[total > 0], "k.-", lw=1, ms=4, label="weight v")
        ax.set(xlabel="loss", title=name, ylim=(-0.02, 1.02))
    for ax in on_the_left(grid):
        ax.set(ylabel="share of pairs; weight v")
    return legend_below(fig)


def weight_maps(maps: dict[str, np.ndarray], extent: tuple[float, float, float, float]) -> Figure:
    """Weights in [0, 1], losses across and differences from the percentile upwards, over `extent`; axes per name."""
    fig, grid = row(len(maps), 2.4, sharey=True)
    for ax, (name, v) in zip(grid, maps.items(), strict=True):
        shown = ax.imshow(v, origin="lower", extent=extent, aspect="auto", vmin=0, vmax=1, cmap="viridis")
        ax.set(title=name.replace(": ", ":\n"), xlabel="loss")
    for ax in on_the_left(grid):
        ax.set(ylabel="loss - percentile")
    fig.colorbar(shown, ax=list(grid), label="v")
    return fig


def reliability(diagrams: dict[str, list]) -> Figure:
    """Accuracy against confidence for bins (number, mean confidence, accuracy), axes per name; below the diagonal the
    network is too sure. The area of a point is the number of images in its bin."""
    fig, grid = row(len(diagrams), 3.1, sharey=True)
    for ax, (name, bins) in zip(grid, diagrams.items(), strict=True):
        n, confidence, hit = np.array([b for b in bins if b[0]], float).T
        ax.plot([0, 1], [0, 1], color="grey", lw=1)
        ax.plot(confidence, hit, color="C0", lw=1)
        ax.scatter(confidence, hit, s=5 + 300 * n / n.sum(), color="C0", alpha=0.7)
        ax.set(xlabel="confidence", title=name, xlim=(0, 1), ylim=(0, 1), aspect="equal")
    for ax in on_the_left(grid):
        ax.set(ylabel="accuracy")
    return fig


def projection(clouds: dict[str, list], classes: list[str]) -> Figure:
    """Points (class, x, y) of three classes, whose names are given, axes of one scale per name."""
    fig, grid = row(len(clouds), 3.1, sharex=True, sharey=True)
    for ax, (name, points) in zip(grid, clouds.items(), strict=True):
        of, x, y = np.array(points).T
        for k, (word, marker) in enumerate(zip(classes, "os^", strict=True)):
            style = {"color": sns.color_palette("colorblind")[k], "marker": marker, "s": 14, "alpha": 0.7}
            ax.scatter(x[of == k], y[of == k], label=word, **style)
        ax.set(title=name, aspect="equal")
        ax.grid(alpha=0.3)
    return legend_below(fig)


def cost(panels: dict[str, pd.DataFrame]) -> Figure:
    """Accuracy and its spread, in percent, against cost on a logarithmic axis, a named point for each row of a frame
    with these columns; axes per name."""
    fig, grid = row(len(panels), 3.1, sharex=True)
    for ax, (title, table) in zip(grid, panels.items(), strict=True):
        for name, point in table.iterrows():
            style = words.look(name) | {"ms": 7, "lw": 1, "ls": "none", "label": words.method(name)}
            ax.errorbar(point.cost, point.accuracy, point.spread, **style)
        ax.set(xlabel="cost, FasTEN's = 1", title=title, xscale="log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.set_xticks([0.5, 1, 2, 5])
        ax.minorticks_off()
        ax.grid(alpha=0.3)
    for ax in on_the_left(grid):
        ax.set(ylabel=words.said("accuracy"))
    longest = max((ax.get_legend_handles_labels() for ax in grid), key=lambda legend: len(legend[0]))
    below(fig, *longest)
    return fig


def matrix(T: np.ndarray, ax: Axes | None = None, top: float = 1.0) -> Axes:
    """A transition matrix (K, K) in percent: true classes down, given labels across; `top` has the brightest colour."""
    style = {"cmap": "viridis", "square": True, "cbar": False, "annot": len(T) <= 10, "fmt": ".0f"}
    ax = sns.heatmap(100 * T, vmin=0, vmax=100 * top, annot_kws={"size": 9}, ax=axes(ax, 4.8, 4.4), **style)
    ax.set(xlabel="given label", ylabel="true class")
    return ax


def labelled(x: np.ndarray, given: np.ndarray, true: np.ndarray, columns: int = 10) -> Figure:
    """Images uint8 (n, C, H, W) above the labels they are given; wrong labels in red."""
    rows = math.ceil(len(x) / columns)
    size = WIDTH, 1.4 * WIDTH / columns * rows  # a label takes less than half of the height of an image
    fig, grid = plt.subplots(rows, columns, figsize=size, layout="constrained", facecolor="white", squeeze=False)
    for ax in grid.flat:
        ax.set(xticks=[], yticks=[])
    for ax, image, label, y in zip(grid.flat, x, given, true, strict=False):
        ax.imshow(image[0] if len(image) == 1 else image.transpose(1, 2, 0), cmap="gray", vmin=0, vmax=255)
        colour, linewidth = ("black", 0.5) if label == y else ("#c00000", 2)
        ax.set_xlabel(str(label), color=colour, labelpad=1)
        ax.spines[:].set(color=colour, linewidth=linewidth)
    return fig
