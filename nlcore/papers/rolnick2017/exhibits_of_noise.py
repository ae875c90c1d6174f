"""What the chapters on the amount and on the shape of the noise show: frames in (`runs.frame`, or one row per run),
tables and figures out."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import data, figures, models, noise, words
from ...inputs import require
from ...measures import evaluate
from ...noise import carriers
from ...runs import Record
from ..effects import ahead, points
from ..tables import percent
from ..texts import NOT_RUN, interval, number, seeds
from .exhibits import figure_of_paper

RIGHT, WRONG = "#0072b2", "#d55e00"  # right labels and wrong ones
CARRIERS = {"same": "the same images", "novel": "novel images", "white": "white noise", "photos": "photographs"}
SHAPES = {"digits": (1, 8, 8), "mnist": (1, 28, 28), "fashion": (1, 28, 28)}  # of images, known without a download


def setting(rows: pd.DataFrame, tier: str, rule: str) -> str:
    """What some runs are, for a caption: data, networks, tier, rule, seeds."""
    names = rows.model.unique()
    networks = words.listed(names) if len(names) < 3 else f"{len(names)} networks"
    return f"{words.listed(rows.dataset.unique())}, {networks}; tier {tier}, rule {rule}, {seeds(rows)}"


def repeated_at_zero(rows: pd.DataFrame, knob: str, by: str) -> pd.DataFrame:
    """The runs at `knob` = 0, where all curves of `by` begin, once for each of its values; then the others."""
    zero, others = rows[rows[knob] == 0], rows[rows[knob] > 0]
    copies = [zero.assign(**{by: value}) for value in others[by].unique()]
    return pd.concat([*(copies or [zero]), others])


def room(*accuracies: pd.Series) -> tuple[float, float]:
    """Limits of an axis of percent that show all differences: round numbers a little beyond the values."""
    low, high = min(a.min() for a in accuracies), max(a.max() for a in accuracies)
    step = next((step for step in (1, 5) if high - low < 8 * step), 10)
    return max(0, math.floor(low / step - 0.2) * step), min(100.5, math.ceil(high / step + 0.1) * step)


# Massive label noise


def largest_noise(rows: pd.DataFrame) -> tuple[str, float]:
    """The convolutional network, or else the last one, and the largest alpha that it was trained at."""
    here = set(rows.model)
    model = next((name for name in ("conv4", "conv_small") if name in here), rows.model.iloc[-1])
    return model, rows[rows.model == model].alpha.max()


def labels_of_a_three(alpha: int, seed: int = 0) -> Figure:
    """Shares of the labels, in percent, that uniform noise gives to the first 3 of the digits and to all of them."""
    digits = data.load("digits")
    y = digits.train.y.numpy()
    pairs = noise.draw(noise.Uniform(float(alpha)), y, digits.K, seed)
    first = int(np.flatnonzero(y == 3)[0])
    parts = {"one image": pairs.row == first, "all images of a 3": y[pairs.row] == 3}
    fig, panels = figures.row(2, 2.9)
    for ax, (name, chosen) in zip(panels, parts.items(), strict=True):
        counts = np.bincount(pairs.label[chosen], minlength=digits.K)
        bars(ax, 100 * counts / counts.sum(), 3)
        ax.set(xlabel="label", ylabel="share of its labels, %", title=f"{name}:\n{counts.sum():,} labels")
    panels[0].set_ylim(0, 1.45 * panels[0].get_ylim()[1])  # room for the picture
    panels[1].set_ylim(8, None)
    picture = panels[0].inset_axes((0.02, 0.7, 0.2, 0.28), xticks=[], yticks=[])
    picture.imshow(digits.train.x[first, 0].numpy(), cmap="gray")
    return fig


def bars(ax: Axes, shares: np.ndarray, true: int) -> None:
    """A bar for the share of each label, the true one in another colour."""
    colours = [RIGHT if label == true else WRONG for label in range(len(shares))]
    ax.bar(range(len(shares)), shares, color=colours)
    ax.set_xticks(range(len(shares)))


def law_by_alpha(alphas=(1, 10, 20, 50, 100), K: int = 10) -> pd.DataFrame:
    """Of uniform noise in K classes, a row for each alpha, in percent: wrong labels, the true and each other label; and
    the clean examples to pool until the true label leads another one by two standard deviations of chance."""
    rows = []
    for alpha in alphas:
        true, other = noise.Uniform(float(alpha)).matrix(K)[0, :2]
        row = {"α": f"{alpha}", "wrong labels, %": f"{100 * (1 - true):.1f}", "true label, %": f"{100 * true:.1f}"}
        row |= {"each other, %": f"{100 * other:.1f}", "examples to pool": f"{8 * alpha / K:.0f}"}
        rows.append(row)
    return pd.DataFrame(rows).set_index("α")


def accuracy_against_alpha(ours: pd.DataFrame, where: str = "Fig. 1") -> Axes:
    """Test accuracy in percent against alpha, a curve for each network; dashed: a figure of the paper."""
    paper = figure_of_paper(where)
    limits = room(100 * ours.test_accuracy, paper.value)
    return figures.curves(ours, "alpha", "model", paper, ylim=limits)


def uniform_beside_the_papers(ours: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent, a column for each alpha: for each network ours, as mean and spread, and the paper's.
    Under `conv_small` the paper's is its Conv4. A cell is empty where the paper has no such point."""
    mine = percent(ours, "alpha", "model")
    paper = figure_of_paper("Fig. 1").pivot(index="at", columns="model", values="value").rename(index="{:g}".format)
    rows = {}
    for model in mine.columns:
        rows[words.said(model), "ours"] = mine[model]
        theirs = "conv4" if model == "conv_small" else model
        if theirs in paper:
            whose = "paper" if theirs == model else f"paper, {words.said(theirs)}"
            rows[words.said(model), whose] = paper[theirs].map("{:.1f}".format)
    table = pd.DataFrame(rows).reindex(mine.index).T
    return table.rename(columns=lambda alpha: f"α = {alpha}").rename_axis(["network", "whose"])


def weights(model: str, dataset: str) -> int:
    """How many weights a network has on a data set."""
    shape = SHAPES.get(dataset) or tuple(data.load(dataset).train.x.shape[1:])
    return sum(w.numel() for w in models.build(model, shape, data.classes(dataset)).parameters())


def capacity(ours: pd.DataFrame) -> pd.DataFrame:
    """A row for each network: its weights, its mean test accuracy in percent without noise and at the largest alpha,
    and the points lost between them, seed by seed, with a 95 % interval."""
    _, alpha = largest_noise(ours)
    rows = []
    for model, part in ours.groupby("model", sort=False):
        row = {"network": words.said(model), "weights": f"{weights(model, part.dataset.iloc[0]):,}"}
        for at in (0, alpha):
            row[f"at α = {at:g}, %"] = number(points(part, alpha=at)).replace(NOT_RUN, "")
        rows.append(row | {"points lost": gap(part, 0, alpha, by="alpha")})
    return pd.DataFrame(rows).set_index("network")


def gap(rows: pd.DataFrame, a, b, **by) -> str:
    """Points that `a` is ahead of `b` (see `effects.ahead`), seed by seed: `12.8 (9.5 to 16.2)`; nothing where a run is
    missing."""
    return interval(rows, lambda part: ahead(part, a, b, **by), ".1f", missing="")


def memorised(ours: pd.DataFrame) -> pd.DataFrame:
    """How many wrong labels are predicted, in percent, a row for each network and a column for each alpha; in brackets
    what a network would hit whose predictions do not depend on the labels that were drawn."""
    noisy = ours[ours.alpha > 0].groupby(["model", "alpha"], sort=False)[["train_right", "train_wrong"]].mean()
    expected = by_chance(noisy.train_right, ours)
    cells = (100 * noisy.train_wrong).map("{:.2f}".format) + (100 * expected).map(" ({:.2f})".format)
    table = cells.unstack("alpha", sort=False).rename(columns="α = {:g}".format, index=words.said)
    return table.rename_axis(index="network", columns=None)


def by_chance(right: pd.Series, rows: pd.DataFrame) -> pd.Series:
    """The share of wrong labels that are hit by errors which do not depend on them; `right`: that of right labels."""
    return (1 - right) / (data.classes(rows.dataset.iloc[0]) - 1)


def accuracy_by_rule(table: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent at the largest alpha, mean and spread over seeds, a row for each network and a column
    for each rule that picks the evaluation. `table` has a row per run and evaluation."""
    _, alpha = largest_noise(table)
    chosen = [evaluate.select(table[table.alpha == alpha], rule).assign(by_rule=rule) for rule in evaluate.RULES]
    found = percent(pd.concat(chosen), "model", "by_rule").rename(index=words.said)
    return found.rename_axis(index="network", columns=None)


def training_minutes(ours: pd.DataFrame) -> pd.DataFrame:
    """Minutes of training, summed over seeds, a row for each network and a column for each alpha; `n` where fewer seeds
    were run than elsewhere, and empty where none was."""
    found, every = ours.groupby(["model", "alpha"], sort=False).train_seconds.agg(["sum", "size"]), ours.seed.nunique()
    fewer = found["size"].map(" (n = {})".format).where(found["size"] < every, "")
    cells = (found["sum"] / 60).map("{:.1f}".format) + fewer
    table = cells.unstack("alpha", fill_value="").sort_index(axis=1).rename(index=words.said, columns="α = {:g}".format)
    return table.rename_axis(index="network", columns=None)


# The shape of the noise


def law_by_delta(deltas=(0, 0.5, 0.75, 0.9, 1), alpha: float = 20) -> pd.DataFrame:
    """Of structured noise in ten classes, a row for each delta, in percent: the true label, the first and the last
    false one, and how far the first is behind the truth; and the clean examples to pool until that is two standard
    deviations of chance."""
    turn = tuple(tuple((k + i) % 10 for i in range(1, 10)) for k in range(10))  # some order
    rows = []
    for delta in deltas:
        law = 100 * noise.Structured(float(alpha), float(delta), ranking=turn).matrix(10)[0]
        shares = {"truth, %": law[0], "first false, %": law[1], "last false, %": law[9]}
        row = {"δ": f"{delta:g}"} | {name: f"{share:.1f}" for name, share in shares.items()}
        row["lead, points"] = f"{(1 - delta) * 100 / (1 + alpha):.1f}"
        row["examples to pool"] = f"{8 * alpha / 10 / (1 - delta) ** 2:,.0f}" if delta < 1 else ""  # never enough
        rows.append(row)
    return pd.DataFrame(rows).set_index("δ")


def confusing_card(records: list[Record]) -> dict:
    """The noise card of the run of seed 0 with a confusing order and the largest delta."""
    runs = [record for record in records if record.run.noise.order == "confusing" and record.run.seed == 0]
    require(bool(runs), "no run has a confusing order; deltas needs a value above 0")
    return runs[-1].card


def ranked_labels(card: dict) -> pd.DataFrame:
    """The likeliest three false labels of each true class (a row), and the least likely one; from a noise card."""
    ranking = np.array(card["definition"]["ranking"])
    columns = ["first", "second", "third", "last"]
    table = pd.DataFrame(ranking[:, [0, 1, 2, -1]], columns=columns)
    return table.astype(str).rename(index=str).rename_axis("true class")


def labels_added_to_a_three() -> Figure:
    """Shares of the labels added to the 3s of the digits at alpha = 20 and delta = 1, as drawn, Axes for one random
    order and for fresh ones; in both the true label stands first, then the false ones in the order of the first."""
    digits = data.load("digits")
    y = digits.train.y.numpy()
    fig, panels = figures.row(2, 3, sharey=True)
    places = [3, *noise.Structured(20.0, 1.0, "random").on(digits, seed=0).ranking[3]]
    titles = {"random": "one order for all labels", "fresh": "a new order for each"}
    for ax, (order, title) in zip(panels, titles.items(), strict=True):
        tilted = noise.Structured(20.0, 1.0, order).on(digits, seed=0)
        pairs = noise.draw(tilted, y, 10, seed=0)
        image, label = pairs.row[len(y) :], pairs.label[len(y) :]  # behind the clean pairs
        of_three = y[image] == 3
        bars(ax, (100 * np.bincount(label[of_three], minlength=10) / of_three.sum())[places], 0)
        ax.set(xlabel="label added to a 3", title=title, xticklabels=places)
        ax.axhline(10, color="black", lw=0.8)
    panels[0].set_ylabel("% of the added labels")
    return fig


def accuracy_against_delta(ours: pd.DataFrame) -> Axes:
    """Test accuracy in percent against delta, a curve for each order of the false labels; at 0 they share the runs."""
    shown = in_order(repeated_at_zero(ours, "delta", "order"))
    limits = room(100 * ours.test_accuracy)
    return figures.curves(shown, "delta", "order", ylim=limits, xlabel="tilt, δ")


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, those of the same order of labels together: so an order has the same colour in all figures."""
    return rows.sort_values("order", key=lambda column: column.map(figures.ORDERS.index), kind="stable")


def accuracy_by_order(ours: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent, mean and spread over seeds, a row for each order and a column for each delta."""
    table = percent(in_order(repeated_at_zero(ours, "delta", "order")), "order", "delta")
    columns = {delta: f"δ = {delta:g}" for delta in table.columns}
    return table.rename(columns=columns).rename_axis(columns=None)


def where_errors_go(ours: pd.DataFrame) -> pd.DataFrame:
    """At the largest delta, a row for each order: of the right and of the wrong training labels the share that is
    predicted, in percent; and what the second would be if errors were spread evenly over the false labels, or if all
    named the first one of the order."""
    tilted = ours[ours.delta == ours.delta.max()]
    rows = []
    for order, part in in_order(tilted).groupby("order", sort=False):
        right, wrong = part.train_right.mean(), part.train_wrong.mean()
        law = noise.Structured(part.alpha.iloc[0], part.delta.iloc[0]).tilted(data.classes(part.dataset.iloc[0]))
        even, all_first = (1 - right) / len(law), (1 - right) * law[0] / law.sum()
        row = {"order": order, "right, %": right, "wrong, %": wrong, "if even, %": even, "if all first, %": all_first}
        rows.append(row)
    return (100 * pd.DataFrame(rows).set_index("order")).map("{:.1f}".format)


def fall_by_images(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Points lost to a tilt, seed by seed, with 95 % intervals: a row for each order and number of images, a column for
    either half of delta. Frames have a row per run; orders that not all of them have are left out."""
    shared = set.intersection(*(set(part[part.delta > 0]["order"]) for part in parts))
    rows = []
    for order in (name for name in figures.ORDERS if name in shared):
        for part in parts:
            here = repeated_at_zero(part, "delta", "order").query("order == @order")
            row = {"order": order, "clean examples": f"{here.images.max():,}"}
            row |= {"from δ = 0 to 0.5": gap(here, 0, 0.5, by="delta"), "from 0.5 to 1": gap(here, 0.5, 1, by="delta")}
            rows.append(row)
    return pd.DataFrame(rows).set_index(["order", "clean examples"])


def ahead_of_uniform(ours: pd.DataFrame) -> pd.DataFrame:
    """Points by which structured noise of a delta (a row) and an order (a column) is ahead of uniform noise, seed by
    seed, with 95 % intervals."""
    rows = {}
    for order, part in in_order(repeated_at_zero(ours, "delta", "order")).groupby("order", sort=False):
        deltas = sorted(part.delta[part.delta > 0].unique())
        rows[order] = {f"{delta:g}": gap(part, delta, 0, by="delta") for delta in deltas}
    return pd.DataFrame(rows).rename_axis("δ")


def foreign_images() -> Figure:
    """The carriers at `smoke`: ten windows of photographs and ten images of white noise, each with a label."""
    digits = data.load("digits")
    images = [carriers.foreign(kind, digits, 10, seed=0).numpy() for kind in ("photos", "white")]
    never_right = np.full(20, -1)
    fig = figures.labelled(np.concatenate(images), np.arange(20) % 10, never_right)
    for first, kind in zip(fig.axes[::10], ("photos", "white noise"), strict=True):
        first.set_ylabel(kind)
    return fig


def in_words_of_carriers(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, at alpha = 0 once for each carrier, and carriers in words."""
    shown = repeated_at_zero(rows, "alpha", "carrier")
    return shown.assign(carrier=shown.carrier.map(lambda name: CARRIERS.get(name) or words.said(name)))


def accuracy_against_alpha_by_carrier(ours: pd.DataFrame) -> Axes:
    """Test accuracy in percent against alpha, a curve for each carrier of noisy labels; at 0 they share the runs."""
    shown = in_words_of_carriers(ours)
    return figures.curves(shown, "alpha", "carrier", ylim=room(100 * ours.test_accuracy))


def accuracy_by_carrier(ours: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent, mean and spread over seeds, a row for each carrier and a column for each alpha."""
    table = percent(in_words_of_carriers(ours), "carrier", "alpha")
    columns = {alpha: f"α = {alpha:g}" for alpha in table.columns}
    return table.rename(columns=columns).rename_axis(index="carriers", columns=None)


def repeated_or_novel(ours: pd.DataFrame) -> Axes:
    """Test accuracy in percent against alpha, noisy labels on the clean images or on novel ones; dashed: Fig. 7."""
    paper = figure_of_paper("Fig. 7").rename(columns={"of": "carrier"}).replace({"carrier": CARRIERS})
    limits = room(100 * ours.test_accuracy, paper.value)
    return figures.curves(in_words_of_carriers(ours), "alpha", "carrier", paper, ylim=limits)


def novel_or_repeated(ours: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent at one alpha, mean and spread over seeds, on repeated and on novel images; and how far
    the novel ones are ahead, seed by seed, with a 95 % interval."""
    means = percent(ours.assign(what="accuracy"), "carrier", "what").accuracy
    row = {"same images, %": means["same"], "novel images, %": means["novel"]}
    return pd.DataFrame([row | {"novel ahead, points": gap(ours, "novel", "same", by="carrier")}])
