"""Figures: a tidy frame in, Axes out. No titles; the caption has them."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

NETS = ("perceptron", "mlp1", "mlp2", "mlp4", "conv4", "conv_small", "conv6", "resnet18", "resnet34")
COLOURS = dict(zip(NETS, sns.color_palette("colorblind", len(NETS)), strict=True))  # one for each network, everywhere


def axes(ax: Axes | None, width: float, height: float) -> Axes:
    """The given Axes, or new ones on white, so that they can be read on a dark page too."""
    return ax or plt.subplots(figsize=(width, height), layout="constrained", facecolor="white")[1]


def robustness(ours: pd.DataFrame, theirs: pd.DataFrame | None = None, ax: Axes | None = None) -> Axes:
    """Test accuracy against alpha, a line per network; bands are one standard deviation over seeds.

    `ours` has a row per run (model, alpha, test_accuracy); `theirs` rows of `claims.published` (model, at, value in %).
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


def history(frame: pd.DataFrame, columns: dict[str, str], ax: Axes | None = None) -> Axes:
    """Measured quantities (column -> label) against the step, mean and one standard deviation over runs."""
    long = frame.melt(["key", "step"], list(columns), "quantity", "share").replace({"quantity": columns})
    ax = sns.lineplot(long, x="step", y="share", hue="quantity", errorbar="sd", marker="o", ax=axes(ax, 7, 3.6))
    ax.set(ylim=(0, 1), ylabel="share")
    ax.legend(title=None, fontsize="small")
    ax.grid(alpha=0.3)
    return ax


def matrix(T: np.ndarray, ax: Axes | None = None) -> Axes:
    """A transition matrix (K, K): true classes down, given labels across."""
    style = {"cmap": "viridis", "square": True, "cbar": False, "annot": len(T) <= 10, "fmt": ".2f"}
    ax = sns.heatmap(T, vmin=0, vmax=1, annot_kws={"size": 6}, ax=axes(ax, 4.2, 3.6), **style)
    ax.set(xlabel="given label", ylabel="true class")
    return ax


def labelled(x: np.ndarray, given: np.ndarray, true: np.ndarray, columns: int = 20) -> Axes:
    """Images uint8 (n, C, H, W) above the labels they are given; wrong ones in red and in a frame."""
    (H, W), rows = x.shape[2:], -(-len(x) // columns)
    ax = axes(None, columns * 0.42, rows * 0.55)
    for i, (image, label, y) in enumerate(zip(x, given, true, strict=True)):
        left, top, wrong = (i % columns) * 1.25 * W, (i // columns) * 1.6 * H, label != y
        style = {"cmap": "gray", "vmin": 0, "vmax": 255} if len(image) == 1 else {}
        picture = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        ax.imshow(picture, extent=(left, left + W, top + H, top), **style)
        colour = "#c00000" if wrong else "black"
        ax.text(left + W / 2, top + 1.3 * H, str(label), color=colour, ha="center", va="center", fontsize=8)
        ax.add_patch(plt.Rectangle((left, top), W, H, fill=False, ec=colour, lw=1.4 if wrong else 0.4))
    ax.set(xlim=(-W * 0.1, columns * 1.25 * W), ylim=(rows * 1.6 * H, -H * 0.1))
    ax.axis("off")
    return ax
