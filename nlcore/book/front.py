"""What the front page shows: how wrong labels are learned, and what came out, from the published records."""

import pandas as pd
from matplotlib.figure import Figure

from .. import figures, words
from ..measures.evaluate import select
from ..papers.scoreboard import NOISY
from ..runs import store
from . import costs, evidence, helps

METHODS = ("ce", "fasten")  # plain training, and one that knows which class is mistaken for which
KINDS = ("symmetric", "pair")


def shown_rate(history: pd.DataFrame) -> float:
    """The rate of noise that the front page shows: 0.4, or the highest that was run."""
    rates = {*history.rate}
    return 0.4 if 0.4 in rates else max(rates)


def curves(history: pd.DataFrame) -> Figure:
    """Mean test accuracy in percent over training, axes per kind of noise, a line per method; a ring where noisy
    validation would stop, on average over seeds."""
    rate = shown_rate(history)
    kinds = [kind for kind in KINDS if len(of_kind(history, kind, rate))]
    fig, grid = figures.row(len(kinds), 3.1, sharey=True)
    for ax, kind in zip(grid, kinds, strict=True):
        rows = of_kind(history, kind, rate)
        for method in METHODS:
            own = rows[rows.method == method]
            mean, look = 100 * own.groupby("epoch").test_accuracy.mean(), words.look(method)
            ax.plot(mean.index, mean, color=look["color"], lw=2, label=words.method(method))
            stop = select(own, NOISY)[["epoch", "test_accuracy"]].mean()
            ax.plot(stop.epoch, 100 * stop.test_accuracy, "o", ms=10, mew=2, mfc="none", mec=look["color"])
        ax.set(title=f"{kind} noise of {rate:g}", xlabel="epochs")
        ax.grid(alpha=0.3)
    grid[0].set_ylabel(words.said("accuracy"))
    return figures.legend_below(fig)


def of_kind(history: pd.DataFrame, kind: str, rate: float) -> pd.DataFrame:
    """The rows of a kind of noise at a rate."""
    noises = helps.SYMMETRIC if kind == "symmetric" else helps.PAIR
    return history[history.noise.isin(noises) & (history.rate == rate)]


def findings(frames: dict[str, pd.DataFrame], effects: pd.DataFrame) -> dict[str, str]:
    """What sentences name: gains and accuracies (see `helps.findings`) and the verdicts on all claims."""
    verdicts = evidence.findings(effects)
    return helps.findings(helps.gains(frames)) | verdicts


def outvoted(rows: pd.DataFrame) -> dict[str, str]:
    """The accuracy of the best network at the most random labels for each clean one, of a frame with a row per run."""
    most = rows[rows.alpha == rows.alpha.max()]
    means = 100 * most.groupby("model").test_accuracy.mean()
    said = {"alpha": f"{rows.alpha.max():g}", "outvoted": f"{means.max():.1f}", "network": words.said(means.idxmax())}
    return said | {"data": words.listed(rows.dataset)}


def effort() -> dict[str, str]:
    """How many runs are published, how many hours they trained on a core and on a GPU, and how many minutes
    `make reproduce` takes, in words."""
    records = store.load_all_published().values()  # a run that papers share counts once
    on_core = sum(record.cost["seconds"] for record in records if costs.kind_of_device(record.cost) == "CPU") / 3600
    in_all = sum(record.cost["seconds"] for record in records) / 3600
    commands = costs.measured().get("make", {}).get("rows", [])
    seconds = [sum(row[part] for part in row if part != "command") for row in commands if row["command"] == "reproduce"]
    minutes = f"{seconds[0] / 60:.1f}" if seconds else costs.NONE
    hours = {"hours": f"{on_core:.0f}", "on_gpu": f"{in_all - on_core:.1f}"}
    return {"runs": f"{len(records):,}", "reproduce": minutes} | hours
