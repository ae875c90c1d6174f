"""What chapter 13 shows: the comparison of all methods as far as it was run, and noise that depends on the image."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ... import data, figures, sweep, words
from ...measures.evaluate import select
from ...methods import METHODS
from ...noise import InstanceDependent, Noise, PairFlip, draw
from ...runs import Run, frame
from .. import runs, texts
from ..effects import Effect, ahead, estimate
from ..texts import WHEN, data_and_network, decimal
from .experiments import ALL, KNOBS
from .measured import DEPENDENT, INSTANCE, SYMMETRIC

RULES = ("last", "noisy validation")
# kinds of noise, by the word under which an exhibit shows them
KINDS = {"symmetric": [SYMMETRIC], "pair": DEPENDENT, "instance": [INSTANCE]}
COLUMNS = ["key", "method", "noise", "rate", "seed", "model", "dataset", "images", "step", "test_accuracy"]
COLUMNS += ["noisy_validation", "train_wrong", "realised_rate"]
NOTHING_RUN = "not run yet"


def rows(tier: str, train: str, device: str, **knobs) -> pd.DataFrame:
    """The records of the comparison, a row per run and evaluation; a frame without rows where there is none."""
    records = sweep.collect(runs("field.fashion", tier, **knobs), "field", train, device=device)
    return frame(records) if records else pd.DataFrame(columns=COLUMNS)


def complete(table: pd.DataFrame, planned: list[Run]) -> str:
    """How much of an experiment was run, for a text: `12 of 72 runs`."""
    return f"{table.key.nunique()} of {len(planned)} runs"


def circumstances(table: pd.DataFrame, tier: str, rule: str = "") -> str:
    """What rows rest on, for a caption: data, number of images, network, tier, rule and seeds."""
    if not len(table):
        return "Not run yet"
    of, network = data_and_network(table)
    return texts.circumstances([f"{of} ({table.images.max():,.0f} images)", network], table, tier, rule)


def cell(values: pd.Series) -> str:
    """Accuracies of the seeds that were run in percent: `80.1 ± 0.3 (n = 3)`."""
    percent = (100 * values).round(9)
    spread = f" ± {percent.std():.1f}" if len(values) > 1 else ""
    return f"{decimal(percent.mean())}{spread} (n = {len(values)})"


def accuracy(history: pd.DataFrame, kind: str, planned: list[str]) -> pd.DataFrame:
    """Test accuracies by method, in columns of the rates of a kind of noise under both rules. Every method that is
    planned has a row; what was not run is empty."""
    table, columns = history[history.noise.isin(KINDS[kind])], {}
    for rule in RULES:
        chosen = select(table, rule) if len(table) else table
        for rate, part in chosen.groupby("rate"):
            columns[WHEN[rule], f"{rate:g}"] = part.groupby("method").test_accuracy.agg(cell)
    names = in_order(planned)
    if not columns:
        return pd.DataFrame({"test accuracy": NOTHING_RUN}, pd.Index(map(words.method, names), name="method"))
    return pd.DataFrame(columns).reindex(names).fillna("").rename(index=words.method).rename_axis("method")


def in_order(names) -> list[str]:
    """Names of methods, each once, in the order of the experiment."""
    return [name for name in ALL if name in {*names}]


def gains(history: pd.DataFrame) -> pd.DataFrame:
    """A row per noise, rate, method and rule: points of test accuracy ahead of cross entropy, paired by seed, with the
    ends of the 95 % interval. Methods have none where they, or cross entropy, were not run."""
    found = []
    for rule in RULES:
        chosen = select(history, rule) if len(history) else history
        for (noise, rate), part in chosen.groupby(["noise", "rate"]):
            for name in in_order(part.method):
                told = estimate(part, Effect("", lambda one, name=name: ahead(one, name, "ce")))
                if told and name != "ce":
                    found.append({"noise": noise, "rate": rate, "method": name, "rule": rule} | told._asdict())
    columns = ["noise", "rate", "method", "rule", "effect", "error", "low", "high", "seeds"]
    return pd.DataFrame(found, columns=columns)


def dots(found: pd.DataFrame, kinds: tuple[str, ...]) -> Figure:
    """Gains over cross entropy in points, a panel for each noise of the kinds that was run: filled at the last
    evaluation, open where noisy validation chooses."""
    table = found[found.noise.isin([noise for kind in kinds for noise in KINDS[kind]])]
    panels, names = [*table.groupby(["noise", "rate"])], in_order(table.method)
    fig, grid = figures.row(max(len(panels), 1), 1.2 + 0.27 * len(names), sharey=True, sharex=True)
    if not panels:
        grid[0].text(0.5, 0.5, NOTHING_RUN, ha="center", transform=grid[0].transAxes)
        return fig
    for ax, (_, part) in zip(grid, panels, strict=True):
        for row in part.itertuples():
            mark(ax, names.index(row.method), row)
        ax.axvline(0, color="black", lw=1)
        ax.set(title=texts.noise_of(part).iloc[0], xlim=reach(table))
        ax.set_yticks(range(len(names)), [words.method(name).split(" (")[0] for name in names], fontsize=8)
        ax.grid(axis="x", alpha=0.3)
    grid[0].invert_yaxis()
    for ax in grid[-2:]:
        ax.set_xlabel("points ahead of cross entropy")
    look = {"color": "#222222", "marker": "o", "ls": "none"}
    handles = [Line2D([], [], **look), Line2D([], [], mfc="white", **look)]
    figures.below(fig, handles, [WHEN[rule] for rule in RULES])
    return fig


def reach(table: pd.DataFrame) -> tuple[float, float]:
    """Ends of an axis that holds all gains, with room for a part of their intervals."""
    low, high = min(table.effect.min(), 0), max(table.effect.max(), 0)
    room = 0.15 * (high - low) + 1
    return low - room, high + room


def mark(ax: Axes, y: float, row) -> None:
    """A gain and, of more than one seed, its interval; the two rules a little apart."""
    look, last = words.look(row.method), row.rule == "last"
    y += -0.15 if last else 0.15
    if math.isfinite(row.low):
        ax.plot([row.low, row.high], [y, y], color=look["color"], lw=1.2, alpha=0.7)
    ax.plot(row.effect, y, look["marker"], ms=5, mec=look["color"], mfc=look["color"] if last else "white")


def demands(needed: Callable[[str], str], prices: dict[str, float]) -> pd.DataFrame:
    """What each method of the comparison has to be given, its passes through a network in a step, what a training
    takes as a multiple of cross entropy's, and the knob that would be tuned."""
    found = {}
    for name in ALL:
        forward, backward = METHODS[name].passes
        knob, values = KNOBS.get(name, ("", []))
        row = {"needs": needed(name), "forward": forward, "backward": backward}
        row["time"] = f"{prices[name]:.2f}" if name in prices else "not measured"
        found[words.method(name)] = row | {"knob": f"{knob}: {', '.join(f'{v:g}' for v in values)}" if knob else ""}
    return pd.DataFrame(found).T.rename_axis("method")


def labels_of_digits(noise: Noise, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The true and the drawn labels (N,) of the embedded digits."""
    digits = data.load("digits")
    true = digits.train.y.numpy()
    return true, draw(noise.on(digits, seed), true, digits.K, seed).label.astype(int)


def two_matrices(rate: float = 0.4) -> Figure:
    """What labels of the embedded digits were drawn: pair noise and instance-dependent noise of one rate."""
    fig, panels = figures.row(2, 3.0, sharey=True)
    for ax, noise in zip(panels, (PairFlip(rate), InstanceDependent(rate)), strict=True):
        true, given = labels_of_digits(noise)
        counts = np.zeros((10, 10))
        np.add.at(counts, (true, given), 1)
        figures.matrix(counts / counts.sum(1, keepdims=True), ax=ax, top=0.6)
        ax.set_title(words.said("instance" if isinstance(noise, InstanceDependent) else "pair_flip"))
    panels[1].set_ylabel("")
    return fig


def nearest() -> np.ndarray:
    """The most similar other one of each embedded digit, among those of its own class."""
    images = data.load("digits").train
    x, true = images.x.flatten(1).numpy().astype(np.float64), images.y.numpy()
    distance = (x**2).sum(1)[:, None] - 2 * x @ x.T + (x**2).sum(1)
    distance[true[:, None] != true] = np.inf
    np.fill_diagonal(distance, np.inf)
    return distance.argmin(1)


def shared_mistakes(true: np.ndarray, given: np.ndarray) -> float:
    """Of two similar images of a class that are both labelled wrong, how often the wrong class is the same, in
    percent."""
    other = nearest()
    both = (given != true) & (given[other] != true)
    return 100 * float((given == given[other])[both].mean())


def sure(noise: InstanceDependent) -> float:
    """Of all embedded digits, the mean share of a digit's probability of being wrong that its likeliest wrong class
    has, in percent: 100 where the image alone decides which class it is."""
    digits = data.load("digits")
    laws = np.array(noise.on(digits, 0).laws)
    laws[np.arange(len(laws)), digits.train.y.numpy()] = 0
    return 100 * float((laws.max(1) / laws.sum(1)).mean())
