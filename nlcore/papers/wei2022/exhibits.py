"""What chapter 10 shows of labels that people gave: totals of the labels themselves, and our runs on them."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ... import data, figures, home, words
from ...figures import NOTHING_RUN
from ...files import read_json
from ...inputs import require
from ...measures.evaluate import COMPARED, select
from ...noise.human import stand_in
from .. import growing, runs, texts
from ..tables import gaps, in_order, percent, published
from ..texts import WHEN
from .measured import DRAWN, MOST_WRONG, PEOPLE

# the sets of labels in words, in the order of their wrong labels
SETS = {
    "aggregate": "aggregate",
    "random1": "one person",
    "random2": "one person (2nd)",
    "random3": "one person (3rd)",
    "worst": "worst",
    "noisy": "CIFAR-100N",
    "stand_in": "stand-in on digits",
}
COLUMNS = ["key", "method", "noise", "labels", "seed", "model", "dataset", "images", "step", "steps", "test_accuracy"]
COLUMNS += ["noisy_validation", "train_wrong", "realised_rate"]
circumstances = texts.of_growing  # for chapters


def rows(name: str, tier: str, train: str, device: str, **knobs) -> pd.DataFrame:
    """The records of an experiment, a row per run and evaluation; a frame without rows where there is none."""
    return growing(f"wei2022.{name}", tier, train, device, COLUMNS, **knobs)


def complete(name: str, tier: str, table: pd.DataFrame, **knobs) -> str:
    """How much of an experiment was run, for a text: `12 of 72 runs`."""
    return f"{table.key.nunique()} of {len(runs(f'wei2022.{name}', tier, **knobs))} runs"


def facts() -> dict:
    """What `nlcore data people` counted on the labels of people: `book/people.json`; a `UserError` where its counts are
    not as many as it says."""
    path = home() / "book" / "people.json"
    told = read_json(path)
    for name, own in told["sets"].items():
        if "counts" in own:
            off = own["images"] - int(np.trace(own["counts"]))
            require(off == own["wrong"], f"{path}: {name} has {own['wrong']} wrong labels, but its counts have {off}")
    return told


def matrices(names: tuple[str, ...] = ("aggregate", "worst")) -> Figure:
    """The transition matrices of sets of labels of CIFAR-10N, true classes down and given labels across."""
    told = facts()
    fig, panels = figures.row(len(names), 3.4)
    for ax, name in zip(panels, names, strict=True):
        counts = np.array(told["sets"][name]["counts"], float)
        figures.matrix(counts / counts.sum(1, keepdims=True), ax=ax, top=0.6)
        ax.set_title(f"{SETS[name]}: {100 * wrong(told, name):.1f} % are wrong", fontsize=10)
        ax.set_xticks(np.arange(10) + 0.5, told["classes"], rotation=60, ha="right", fontsize=8)
        ax.set_yticks(np.arange(10) + 0.5, told["classes"], rotation=0, fontsize=8)
    return fig


def wrong(told: dict, name: str) -> float:
    """The share of wrong labels of a set."""
    return told["sets"][name]["wrong"] / told["sets"][name]["images"]


def sets_of_labels() -> pd.DataFrame:
    """Each set of labels: the share that is wrong and, of ten classes, the one that is wrong most often and the most
    frequent mistake."""
    told, found = facts(), {}
    for name, of in told["sets"].items():
        row = {"wrong, %": f"{100 * wrong(told, name):.1f}"}
        if "counts" in of:
            shares = 100 * np.array(of["wrong_in_class"])
            most = int(shares.argmax())
            row["hardest class"] = f"{told['classes'][most]} ({shares[most]:.0f} %)"
            row["most frequent mistake"] = mistake(of["counts"], told["classes"])
        found[SETS[name]] = row
    return pd.DataFrame(found).T.rename_axis("labels").fillna("")


def mistake(counts: list[list[int]], names: list[str]) -> str:
    """The most frequent wrong label, as `cat for dog (9 % of dogs)`."""
    shares = np.array(counts, float)
    shares /= shares.sum(1, keepdims=True)
    np.fill_diagonal(shares, 0)
    true, given = np.unravel_index(shares.argmax(), shares.shape)
    return f"{names[given]} for {names[true]} ({100 * shares[true, given]:.0f} %)"


def three_people() -> Figure:
    """How many of three people are wrong on an image: counted, and if labels were drawn from their matrices."""
    three = facts()["three"]
    ax = figures.axes(None, 5.6, 3.2)
    for shift, (name, told, colour) in enumerate(
        (("people", "wrong", "#0072b2"), ("drawn from their matrices", "wrong_if_drawn", "#d55e00"))
    ):
        bars = ax.bar(np.arange(4) + 0.4 * shift - 0.2, 100 * np.array(three[told]), 0.38, color=colour, label=name)
        ax.bar_label(bars, fmt="%.1f", fontsize=8)
    ax.set(xlabel="how many of three people are wrong", ylabel="% of the images", xticks=range(4))
    ax.legend(frameon=False)
    return ax.figure


def agreement() -> pd.DataFrame:
    """How two people agree in their mistakes, in percent: counted, and if labels were drawn from their matrices."""
    three = facts()["three"]
    told = {
        "the second is wrong where the first is": "wrong_again",
        "both wrong, and both say the same class": "same_wrong",
    }
    found = {
        what: {"people": 100 * three[name], "if drawn": 100 * three[f"{name}_if_drawn"]} for what, name in told.items()
    }
    return pd.DataFrame(found).T.map("{:.1f}".format).rename_axis("in percent")


def votes() -> Figure:
    """How many test images of CIFAR-10 have which share of their votes for the true class."""
    tenths = facts()["votes"]["tenths"]
    ax = figures.axes(None, 5.6, 3.0)
    bars = ax.bar(np.arange(10) * 10 + 5, tenths, 9, color="#0072b2")
    ax.bar_label(bars, fontsize=8)
    ax.set(xlabel="% of the votes that are for the true class", ylabel="test images", yscale="log", ylim=(1, 20_000))
    return ax.figure


def same_wrong_neighbours(given: np.ndarray) -> float:
    """Of the embedded digits whose label is wrong the share, in percent, whose most similar other image bears the same
    wrong label."""
    true, _ = stand_in()
    x = data.load("digits").train.x.flatten(1).numpy().astype(np.float64)
    distance = (x**2).sum(1) - 2 * x @ x.T
    np.fill_diagonal(distance, np.inf)
    nearest = distance.argmin(1)
    mistaken = given != true
    return 100 * float((given[nearest] == given)[mistaken].mean())


def on_most_wrong(table: pd.DataFrame) -> pd.DataFrame:
    """The rows on the labels that are wrong most often, and on those drawn from their matrix."""
    table = table[table.noise.isin([PEOPLE, DRAWN])]
    return table[table.labels.isin(MOST_WRONG)]


def over_training(history: pd.DataFrame) -> Figure:
    """Test accuracy and the share of wrong training labels that cross entropy and L_q predict over training, in
    percent, on people's labels (solid) and on drawn ones (dashed)."""
    table = on_most_wrong(history)
    fig, grid = figures.row(2, 3.1)
    for ax, column in zip(grid, ("test_accuracy", "train_wrong"), strict=True):
        for name in ("ce", "gce"):
            for noise, style in ((PEOPLE, "-"), (DRAWN, "--")):
                part = table[(table.method == name) & (table.noise == noise)]
                means = 100 * figures.mean_curve(part, "epoch", column) if len(part) else pd.Series(dtype=float)
                label = f"{words.method(name)}, {'people' if noise == PEOPLE else 'drawn'}"
                ax.plot(means.index, means, style, label=label, **words.look(name), ms=4)
        ax.set(xlabel="epoch", ylim=(0, None))
        ax.grid(alpha=0.3)
    if not len(table):
        figures.nothing_run(grid[0])
    grid[0].set(ylabel=words.said("accuracy"))
    grid[1].set(ylabel="wrong labels predicted, %")
    figures.below(fig, *grid[0].get_legend_handles_labels())
    return fig


def nothing() -> pd.DataFrame:
    """What stands in place of a table without runs."""
    return pd.DataFrame({"method": ["all of them"], "test accuracy": [NOTHING_RUN]})


def twins(history: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent on the labels that are wrong most often, by method: of people, drawn from their matrix,
    and the difference; under both rules."""
    table, sides = on_most_wrong(history), {}
    for rule in COMPARED:
        if not len(table):
            continue
        chosen = select(table, rule)
        cells = percent(chosen, "method", "noise")
        gap = gaps(chosen, "noise", "method", DRAWN)
        cells = cells.reindex(columns=[PEOPLE, DRAWN]).rename(columns={PEOPLE: "people", DRAWN: "drawn"})
        if {PEOPLE, DRAWN} <= {*gap.index}:
            cells["apart"] = (100 * gap.loc[PEOPLE]).map("{:+.1f}".format).replace("+nan", "")
        sides[WHEN[rule]] = cells
    return in_order(pd.concat(sides, axis=1)) if sides else nothing()


def accuracy(history: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent by method, on each set of people's labels, under both rules."""
    table, sides = history[history.noise == PEOPLE], {}
    for rule in COMPARED:
        if len(table):
            sides[WHEN[rule]] = percent(select(table, rule), "method", "labels").rename(columns=SETS)
    return in_order(pd.concat(sides, axis=1)) if sides else nothing()


def by_noise(history: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent by method and rule, on people's labels and on drawn ones."""
    table, sides = history, {}
    for rule in COMPARED:
        if len(table):
            cells = percent(select(table, rule), "method", "noise")
            sides[WHEN[rule]] = cells.rename(columns={PEOPLE: "people", DRAWN: "drawn"})
    return in_order(pd.concat(sides, axis=1)) if sides else nothing()


def of_paper() -> pd.DataFrame:
    """The paper's test accuracies in percent, methods by set of labels, as far as we have them."""
    table = published("wei2022").query("`where` == 'Table 2'")
    table = table.assign(method=table.series.str.removeprefix("method="), labels=table.knob.str.removeprefix("labels="))
    cells = table.value.map("{:.2f}".format) + table.plusminus.map(" ± {:.2f}".format)
    wide = table.assign(cell=cells).pivot(index="method", columns="labels", values="cell")
    return in_order(wide[[name for name in SETS if name in wide]].rename(columns=SETS))
