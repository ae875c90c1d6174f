"""What chapter 5 shows of Zhang & Sabuncu 2018: tables and figures of our runs, beside the paper's numbers."""

from functools import partial

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import figures, words
from ...losses import lq
from ...measures.evaluate import COMPARED, curve_numbers, select
from .. import texts
from ..tables import gaps, in_order, over_seeds, percent, published
from ..texts import WHEN, data_and_network, decimal, noise_of
from .experiments import TABLE_1

UNIFORM = "symmetric_exclusive"
one_network = texts.one_network  # for chapters, as `compared`


def compared(names: list[str]) -> list[str]:
    """The methods that a reader asks for, with cross entropy and L_q (see `texts.compared`)."""
    return texts.compared(names, TABLE_1, {"ce", "gce"})


def circumstances(rows: pd.DataFrame, tier: str, rule: str = "") -> str:
    """What rows rest on, for a caption: data, numbers of images, network, tier, rule and seeds."""
    data, network = data_and_network(rows)
    images = " and ".join(f"{count:,.0f}" for count in sorted(rows.images.unique()))
    return texts.circumstances([f"{data} ({images} images)", network], rows, tier, rule)


def kind_of(noise: str) -> str:
    """A noise in one word: `symmetric`, `pair`, `asymmetric`."""
    return words.said(noise).split(" (")[0]


def highest(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows at symmetric noise of 0.6 or, where nothing has it, at the highest rate of symmetric noise."""
    rows = rows[rows.noise == UNIFORM]
    return rows[rows.rate == (0.6 if 0.6 in {*rows.rate} else rows.rate.max())]


def over_training(history: pd.DataFrame) -> Figure:
    """Test accuracy and the share of wrong training labels that are predicted over training, in percent, of cross
    entropy, absolute error and both forms of L_q under symmetric noise of 0.6."""
    rows = highest(history)
    rows = rows[rows.method.isin(["ce", "mae", "gce", "truncated"])]
    columns = {"test_accuracy": "test accuracy", "train_wrong": "wrong training labels predicted"}
    both = [rows.assign(what=name, value=100 * rows[column]) for column, name in columns.items()]
    drawn = figures.lines(pd.concat(both, ignore_index=True), "value", "method", "what", "%")
    return drawn


def against_rate(history: pd.DataFrame) -> Figure:
    """Test accuracy in percent against the rate, a line per method and an Axes per kind of noise (across) and rule
    (down); bands are one standard deviation over seeds."""
    kinds = [*history.noise.unique()]
    fig, grid = figures.row(len(kinds) * len(COMPARED), 3.4, sharey=True)
    panels = [(rule, kind) for rule in COMPARED for kind in kinds]
    for ax, (rule, kind) in zip(grid, panels, strict=True):
        rows = select(history, rule)
        draw_by_rate(ax, rows[rows.noise == kind])
        ax.set(title=f"{kind_of(kind)} noise,\n{WHEN[rule]}", xlabel="noise rate", ylim=(10, 92))
        ax.title.set_fontsize("medium")
    for ax in figures.on_the_left(grid):
        ax.set(ylabel=words.said("accuracy"))
    figures.below(fig, *grid[0].get_legend_handles_labels())
    return fig


def draw_by_rate(ax: Axes, rows: pd.DataFrame) -> None:
    """A line per method of test accuracy in percent against the rate, with its band over seeds."""
    for name, part in rows.groupby("method", sort=False):
        of_rate = 100 * part.groupby("rate").test_accuracy.agg(["mean", "std"]).fillna(0)
        look = words.look(name)
        ax.plot(of_rate.index, of_rate["mean"], label=words.method(name), lw=1.4, ms=5, **look)
        low, high = of_rate["mean"] - of_rate["std"], of_rate["mean"] + of_rate["std"]
        ax.fill_between(of_rate.index, low, high, color=look["color"], alpha=0.12, lw=0)
    ax.grid(alpha=0.3)


def accuracy(rows: pd.DataFrame, symmetric: bool) -> pd.DataFrame:
    """Test accuracy in percent with its standard deviation over seeds, methods by rate, of the runs under symmetric
    noise or of those under noise that depends on the class."""
    rows = rows[(rows.noise == UNIFORM) == symmetric]
    return in_order(percent(rows.assign(noise=noise_of(rows)), "method", "noise"))


def leads(history: pd.DataFrame) -> pd.DataFrame:
    """How far each method is ahead of cross entropy under the same noise, in points of test accuracy: ours under two
    rules of selection and, of runs on CIFAR-10, the paper's, which has the second."""
    found = {}
    for rule in COMPARED:
        rows = select(history, rule)
        found[f"ours, {WHEN[rule]}"] = 100 * gaps(rows.assign(noise=noise_of(rows)), "method", "noise", "ce")
    if {*history.dataset} == {"cifar10"}:
        paper = published_accuracy()
        own = found[f"ours, {WHEN[rule]}"].columns
        found["the paper, noisy validation"] = (paper - paper.loc["ce"]).reindex(columns=own)
    cells = {}
    for name, table in found.items():
        gap = table.drop("ce", errors="ignore").dropna(how="all")
        cells[name] = in_order(gap.map(partial(decimal, form="+.1f")).replace("+nan", ""))
    return pd.concat(cells, names=["from", "method"]).fillna("")


def published_accuracy() -> pd.DataFrame:
    """The paper's test accuracies on CIFAR-10 in percent, methods by noise."""
    paper = published("zhang2018").query("`where` == 'Table 1' and dataset == 'cifar10'")
    kind = paper.knob.map({"uniform rate (exclusive)": "symmetric ", "class-dependent rate": "asymmetric "})
    paper = paper.assign(noise=kind + paper["at"].map("{:g}".format), method=paper.series.str.removeprefix("method="))
    return paper.pivot(index="method", columns="noise", values="value")


def training_curves(history: pd.DataFrame) -> Figure:
    """Networks of different q over the epochs, in percent: test accuracy, an Axes for each rate of symmetric noise, and
    the wrong training labels that are predicted at the highest rate. Means over seeds."""
    history = history.assign(noise=noise_of(history))
    noises = [*history.sort_values("rate").noise.unique()]
    panels = [(noise, "test_accuracy", "test accuracy") for noise in noises]
    panels.append((noises[-1], "train_wrong", "wrong labels predicted"))
    names = sorted(history.method_q.unique())
    colours = figures.colours_of(names)
    fig, grid = figures.row(len(panels), 3)
    for ax, (noise, column, what) in zip(grid, panels, strict=True):
        for q, rows in history[history.noise == noise].groupby("method_q"):
            means = 100 * figures.mean_curve(rows, "epoch", column)
            ax.plot(means.index, means, color=colours[q], label=f"q = {q:g}")
        ax.set(xlabel="epoch", title=f"{noise}:\n{what}", ylim=(0, None))
        ax.title.set_fontsize("medium")
        ax.grid(alpha=0.3)
    for ax in figures.on_the_left(grid):
        ax.set(ylabel="%")
    figures.below(fig, *grid[0].get_legend_handles_labels())
    return fig


def peak_and_last(history: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent at the best and at the last evaluation by noise and q: ours and, beside runs on
    CIFAR-10, what was read off the paper's figure."""
    rows = curve_numbers(history).rename(columns={"method_q": "q"})
    table = 100 * rows.groupby(["rate", "q"])[["peak", "test_accuracy"]].mean()
    table.columns = ["ours, best", "ours, last"]
    if {*history.dataset} == {"cifar10"}:
        table = table.join(figure_of_q())
    names = ["noise", "q"]
    table.index = pd.MultiIndex.from_tuples(
        [(f"symmetric {rate:g}" if rate else "clean labels", f"{q:g}") for rate, q in table.index], names=names
    )
    return table.map(decimal).replace("nan", "")


def figure_of_q() -> pd.DataFrame:
    """The best and the last test accuracy in percent of the paper's curves, by rate and q."""
    paper = published("zhang2018").query("`where` == 'figure of q'")
    q, when = paper.series.str.removeprefix("q=").astype(float), paper.metric.str.partition(", ")[2]
    paper = paper.assign(rate=paper["at"].astype(float), q=q, when=when)
    wide = paper.pivot(index=["rate", "q"], columns="when", values="value")
    return wide[["peak", "last"]].set_axis(["the paper, best", "the paper, last"], axis=1)


def by_images(images: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy of cross entropy and L_q in percent under the noise of `images`, by the number of images; runs of
    `others` under the same noise are the other numbers of images. (Those of a number that `images` has are the same
    runs, or had other steps.)"""
    same = others[others.method.isin(["ce", "gce"])].merge(images[["noise", "rate", "dataset"]].drop_duplicates())
    rows = pd.concat([images, same[~same.images.isin(images.images)]]).sort_values(["images", "method"])
    rows = rows.assign(images=rows.images.map("{:,.0f}".format))
    return percent(rows, "images", "method").rename(columns=words.method).rename_axis("training images").fillna("")


def by_rule(history: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent, mean and spread over seeds, a row for each method, by rule and noise; `history` has a
    row per run and evaluation."""
    sides = {}
    for rule in COMPARED:
        rows = select(history, rule)
        sides[rule] = in_order(percent(rows.assign(noise=noise_of(rows)), "method", "noise"))
    return pd.concat(sides, axis=1)


def pruning_variant(rows: pd.DataFrame) -> pd.Series:
    """Which variant of truncated L_q a run is."""
    others = {
        "a copy learns for an epoch": rows.method_detached.astype(bool),
        "from the first step on": rows.method_start == 0,
        "the current network prunes": rows.method_pruner == "current",
    }
    return pd.Series(np.select([*others.values()], [*others], "as in the paper"), rows.index)


def what_pruning_keeps(rows: pd.DataFrame) -> pd.DataFrame:
    """By threshold k and variant, in percent: test accuracy, pairs kept, kept labels that are right, right labels that
    are kept, wrong labels that the network predicts. Cells of nothing are empty."""
    columns = {
        "test_accuracy": "test accuracy",
        "kept": "pairs kept",
        "kept_precision": "kept that are right",
        "kept_recall": "right that are kept",
        "train_wrong": "wrong predicted",
    }
    rows = rows.assign(variant=pruning_variant(rows), k=rows.method_k.map("{:g}".format))
    found = 100 * over_seeds(rows.groupby(["k", "variant"])[[*columns]])
    return found.map(decimal).replace("nan", "").rename(columns=columns)


def backward_by_seed(history: pd.DataFrame) -> Figure:
    """Test accuracy in percent and training loss of backward correction over the epochs, a line for each seed, under
    symmetric noise of 0.6."""
    rows = highest(history[history.method == "backward"])
    rows = rows.assign(accuracy=100 * rows.test_accuracy)
    fig, grid = figures.row(2, 3.1)
    for ax, column, label in zip(grid, ("accuracy", "loss"), (words.said("accuracy"), "training loss"), strict=True):
        for seed, run in rows.groupby("seed"):
            ax.plot(run.epoch, run[column], marker="o", ms=3, lw=1.2, label=f"seed {seed}")
        ax.set(xlabel="epoch", ylabel=label)
        ax.grid(alpha=0.3)
    grid[1].axhline(0, color="grey", lw=0.8)
    grid[0].set(ylim=(0, 100))
    grid[0].legend()
    return fig


def rest_of_the_field(field: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent by method, rule and noise (symmetric 0.6, and what depends on the class) of the other
    ways of correcting a loss, and of cross entropy and forward correction from `others` on the same data under the same
    noise. Both have a row per evaluation."""
    field = pd.concat([highest(field), field[field.noise != UNIFORM]])
    known = others[others.method.isin(["ce", "forward", "forward_estimated"])]
    same = known.merge(field[["noise", "rate", "dataset", "model"]].drop_duplicates())
    return by_rule(pd.concat([same, field], ignore_index=True))


def errors_of_estimates(field: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """How far a T that was estimated or learned is from the realised one: the mean total variation of its rows, a row
    for each method of `field`, and of `others` on the same data under the same noise; both have a row per run."""
    same = others.merge(field[["noise", "rate", "dataset", "model"]].drop_duplicates())
    rows = pd.concat([field, same], ignore_index=True).dropna(subset="T_error")
    error = rows.assign(noise=noise_of(rows)).pivot_table(index="method", columns="noise", values="T_error", sort=False)
    return in_order(error.map("{:.2f}".format).replace("nan", ""))


def losses_and_pulls(q: float) -> Figure:
    """L_q against the probability of the given label for four q, and how hard it pulls at the logit of that label, as
    autograd has it."""
    p = torch.linspace(0.002, 0.998, 250, dtype=torch.double)
    logits = torch.stack([p, 1 - p], 1).log().requires_grad_()  # of two classes, the first being the label
    label = torch.zeros(len(p), dtype=torch.long)
    kinds = {"cross entropy (q = 0)": 0.0, "q = 0.4": 0.4, f"q = {q:g}": q, "half of the absolute error (q = 1)": 1.0}
    fig, grid = figures.row(2, 3)
    for name, value in kinds.items():
        loss = lq(logits, label, value)
        (slope,) = torch.autograd.grad(loss.sum(), logits)
        grid[0].plot(p, loss.detach(), label=name)
        grid[1].plot(p, -slope[:, 0])
    grid[0].set(xlabel="p of the given label", ylabel="loss", ylim=(0, 4))
    grid[1].set(xlabel="p of the given label", ylabel="pull at its logit", ylim=(0, 1))
    for ax in grid:
        ax.grid(alpha=0.3)
    figures.below(fig, *grid[0].get_legend_handles_labels())
    return fig


def sums_over_labels(q: float, K: int = 10, eta: float = 0.6) -> pd.DataFrame:
    """The sum of L_q over all K labels of random predictions between its bounds (Lemma 1), and how far the clean risk
    can be from the best under symmetric noise of `eta` (A'), a row for each of some q."""
    draw = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(1000, K, generator=draw, dtype=torch.double)
    rows = {}
    for value in sorted({0.01, 0.4, q or 0.01, 1.0}):
        total = sum(lq(logits, torch.full((1000,), label), value) for label in range(K))
        low, high = (K - K ** (1 - value)) / value, (K - 1) / value
        far = eta * (K ** (1 - value) - 1) / (value * (K - 1 - eta * K))
        rows[f"{value:g}"] = [low, total.min().item(), total.max().item(), high, far]
    names = ["lower bound", "least seen", "largest seen", "upper bound", "A'"]
    return pd.DataFrame(rows, index=names).T.rename_axis("q").map("{:.2f}".format)
