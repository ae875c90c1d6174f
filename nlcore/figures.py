"""Figures: a tidy frame in, Axes out. No titles; the caption has them."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

NETS = ("perceptron", "mlp1", "mlp2", "mlp4", "conv4", "conv_small", "conv6", "resnet18", "resnet34")
COLOURS = dict(zip(NETS, sns.color_palette("colorblind", len(NETS)), strict=True))  # one for each network, everywhere
COLOURS["conv_small"] = COLOURS["conv4"]  # it stands in for it


def axes(ax: Axes | None, *size: float) -> Axes:
    """The given Axes, or new ones on white, so that they can be read on a dark page too."""
    return ax or plt.subplots(figsize=size, layout="constrained", facecolor="white")[1]


def robustness(ours: pd.DataFrame, theirs: pd.DataFrame | None = None, ax: Axes | None = None) -> Axes:
    """Test accuracy against alpha, a line per network, of `ours` (a row per run) and `theirs` (`claims.published`).

    Bands are one standard deviation over seeds.
    """
    ax, table = axes(ax, 7, 4.2), ours.assign(accuracy=100 * ours.test_accuracy)
    style = {"hue": "model", "hue_order": [m for m in NETS if m in set(table.model)], "palette": COLOURS}
    sns.lineplot(table, x="alpha", y="accuracy", errorbar="sd", marker="o", ax=ax, **style)
    for model, line in theirs.groupby("model") if theirs is not None else ():
        ax.plot(line["at"], line.value, "x--", color=COLOURS[model], lw=1, ms=4, label=f"{model} (paper)")
    ax.set(xlabel="noisy labels per clean label, alpha", ylabel="test accuracy, %", ylim=(0, 101))
    ax.legend(title=None, fontsize="small", ncols=2, loc="lower left")
    ax.grid(alpha=0.3)
    return ax


def matrix(T: np.ndarray, ax: Axes | None = None) -> Axes:
    """A transition matrix (K, K): true classes down, given labels across."""
    style = {"cmap": "viridis", "square": True, "cbar": False, "annot": len(T) <= 10, "fmt": ".2f"}
    ax = sns.heatmap(T, vmin=0, vmax=1, annot_kws={"size": 6}, ax=axes(ax, 4.2, 3.6), **style)
    ax.set(xlabel="given label", ylabel="true class")
    return ax


def labelled(x: np.ndarray, given: np.ndarray, true: np.ndarray, columns: int = 20) -> Figure:
    """Images uint8 (n, C, H, W) above the labels they are given; wrong labels in red."""
    shape = (-(-len(x) // columns), columns)
    fig, grid = plt.subplots(*shape, figsize=(0.42 * columns, 0.6 * shape[0]), facecolor="white")
    for ax in grid.flat:
        ax.set(xticks=[], yticks=[])
    for ax, image, label, y in zip(grid.flat, x, given, true, strict=False):
        ax.imshow(image[0] if len(image) == 1 else image.transpose(1, 2, 0), cmap="gray", vmin=0, vmax=255)
        ax.set_xlabel(str(label), color="black" if label == y else "#c00000", fontsize=8, labelpad=1)
        ax.spines[:].set(color="black" if label == y else "#c00000", linewidth=0.5 if label == y else 2)
    return fig
