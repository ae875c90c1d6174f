"""What the chapter on data, batches and learning rates shows: frames in (`runs.frame`, or one row per run), tables and
figures out."""

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import data, figures, noise
from ...data.images import moments
from ...measures import evaluate, gradients
from ...runs import Budget, Run
from ...training.train import trained
from ..tables import percent
from .exhibits import figure_of_paper
from .exhibits_of_noise import gap, room
from .measured import needed
from .published import fig9

SMALL, LARGE = 32, 256  # the batches whose gradients are measured
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")

# The gradient of a noisy batch


def gradient_alignment(lengths=(10, 300), alphas=(0, 10, 20, 50), batches=(SMALL, LARGE)) -> pd.DataFrame:
    """How noisy batches lie to the clean gradient (`gradients.alignment`), of MLP1 on 500 digits after so many steps
    at alpha = 20: a row for each number of steps, alpha and batch size."""
    digits = data.load("digits")
    mean, std = moments(digits.train.x)
    x, y = (digits.train.x[:500].float() - mean) / std, digits.train.y[:500]
    rows = []
    for steps in lengths:
        net = trained(Run("digits", "mlp1", Budget(steps, evaluations=1), noise.Uniform(20.0)))
        rows += [{"steps": steps} | row for row in gradients.alignment(net, x, y, digits.K, alphas, batches)]
    return pd.DataFrame(rows)


def cosines(measured: pd.DataFrame) -> Figure:
    """Cosine of the gradient of a noisy batch to the clean one against alpha, a curve for each batch size, measured
    (points) and expected (dashed), and one for the infinite batch; Axes for each number of steps."""
    lengths = measured.steps.unique()
    fig, panels = figures.row(len(lengths), 3.1, sharey=True)
    for ax, steps in zip(panels, lengths, strict=True):
        here = measured[measured.steps == steps]
        for colour, (batch, part) in zip(cycle(COLOURS), here.groupby("batch"), strict=False):
            ax.plot(part.alpha, part.cosine, "o", color=colour, ms=5, label=f"batch of {batch}, measured")
            ax.plot(part.alpha, part.expected, "--", color=colour, lw=1, label=f"batch of {batch}, expected")
        limit = here[here.batch == here.batch.max()]
        ax.plot(limit.alpha, limit.limit, "-", color="black", lw=1, label="infinite batch")
        ax.set(xlabel="noisy labels per clean label, α", title=f"after {steps} steps")
        ax.grid(alpha=0.3)
    panels[0].set_ylabel("cosine to c")
    return figures.legend_below(fig)


def alignment_table(measured: pd.DataFrame) -> pd.DataFrame:
    """A row for each number of steps and alpha: cosines of batches to the clean gradient, measured; that of an infinite
    batch; and the length of its gradient, the clean one's being 1."""
    rows = []
    for (steps, alpha), part in measured.groupby(["steps", "alpha"], sort=False):
        row = {"after step": f"{steps}", "α": f"{alpha:g}"}
        row |= {f"cosine, batch {one.batch}": f"{one.cosine:.2f}" for one in part.itertuples()}
        last = part.iloc[-1]  # limit and length are the same for all batches
        rows.append(row | {"cosine, infinite batch": f"{last.limit:.2f}", "length": f"{last.length:.2f}"})
    return pd.DataFrame(rows).set_index(["after step", "α"])


# The number of clean examples


def price_of_noise(ours: pd.DataFrame, target: float = 0.9) -> Axes:
    """How many labels in all it takes for an accuracy, on a logarithmic scale, against alpha: our runs' geometric mean,
    smallest and largest over seeds, and the paper's Fig. 9. What a seed does not reach is left out, and what it reaches
    with the fewest examples that were tried."""
    found = between(ours, target)
    by_alpha = found.assign(labels=found.n * (1 + found.alpha)).groupby("alpha").labels
    low, high, middle = by_alpha.min(), by_alpha.max(), np.exp(by_alpha.agg(lambda n: np.log(n).mean()))
    reached = middle.index
    ax = figures.axes(None, figures.WIDTH, 3.6)
    middle = middle.clip(low, high)  # of one seed the rounded mean may lie beside it
    ax.errorbar(reached, middle, [middle - low, high - middle], fmt="o-", color=COLOURS[0], capsize=3, label="ours")
    paper = fig9()
    ax.plot(paper.index, paper * (1 + paper.index.to_series()), "x--", color=COLOURS[1], label="the paper's")
    ax.set(xlabel="noisy labels per clean label, α", ylabel=f"labels for {100 * target:g} %", yscale="log")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    return ax


def accuracy_against_images(ours: pd.DataFrame) -> Axes:
    """Test accuracy in percent against the number of clean examples (logarithmic), a curve for each alpha; dashed: the
    paper's Fig. 8."""
    paper = figure_of_paper("Fig. 8")
    limits = room(100 * ours.test_accuracy, paper.value)
    shown, theirs = ours.assign(noise=ours.alpha.map("α = {:g}".format)), paper.assign(noise="α = " + paper.of)
    return figures.curves(shown, "images", "noise", theirs, xscale="log", ylim=limits)


def examples_needed(ours: pd.DataFrame, targets=(0.9, 0.8, 0.7, 0.6)) -> pd.DataFrame:
    """Clean examples needed for an accuracy, a row for each alpha: ours, the geometric mean over seeds, the smallest
    and the largest; and the paper's Fig. 9. Ours are empty where a seed does not reach the accuracy, and `≤` the
    smallest size where that suffices."""
    paper = figure_of_paper("Fig. 9")
    theirs = paper.assign(of=paper.of.astype(int)).set_index(["of", "at"]).value
    rows = []
    for target in targets:
        for alpha, n in needed(ours, target).groupby("alpha").n:
            smallest = ours[ours.alpha == alpha].images.min()
            row = {"accuracy, %": f"{100 * target:g}", "α": f"{alpha:g}", "ours": in_text(n, smallest)}
            spread = row["ours"] and len(n) > 1 and not at_most(n, smallest).all()
            row["over seeds"] = f"{n.min():,.0f} to {n.max():,.0f}" if spread else ""
            of_paper = theirs.get((round(100 * target), alpha))
            rows.append(row | {"paper": "" if of_paper is None else f"{of_paper:,.0f}"})
    return pd.DataFrame(rows).set_index(["accuracy, %", "α"])


def in_text(n: pd.Series, smallest: int) -> str:
    """Examples needed by the seeds, as one number: their geometric mean, which is a bound where one needs no more than
    the smallest size."""
    if not np.isfinite(n).all():
        return ""
    return ("≤ " if at_most(n, smallest).any() else "") + f"{np.exp(np.log(n).mean()):,.0f}"


def at_most(n: pd.Series, smallest: int | pd.Series) -> pd.Series:
    """Whether examples needed are an upper bound: the smallest size suffices."""
    return n <= smallest * 1.001  # of rounding


def between(ours: pd.DataFrame, target: float) -> pd.DataFrame:
    """Clean examples needed for an accuracy, by alpha and seed, of those alphas at which every seed needs more than the
    smallest size and no more than the largest."""
    found = needed(ours, target)
    smallest = found.alpha.map(ours.groupby("alpha").images.min())
    known = np.isfinite(found.n) & ~at_most(found.n, smallest)
    return found[known.groupby(found.alpha).transform("all")]


def clean_needed(ours: pd.DataFrame, target: float = 0.9) -> pd.Series:
    """Clean examples needed for an accuracy, by alpha: geometric means over seeds, missing where that is not known (see
    `between`)."""
    n = np.exp(np.log(between(ours, target).set_index("alpha").n).groupby("alpha").mean())
    return n.reindex(sorted(ours.alpha.unique()))


def worth(n: pd.Series) -> pd.DataFrame:
    """From clean examples needed by alpha: labels in all, and how many of them one label of clean data replaces."""
    labels = n * (1 + n.index.to_series())
    alone = n.get(0, float("nan"))
    return pd.DataFrame({"clean examples": n, "labels in all": labels, "labels for a clean one": labels / alone})


def clean_or_more(ours: pd.DataFrame, target: float = 0.9) -> pd.DataFrame:
    """What it takes for an accuracy, a row for each alpha: clean examples, labels in all, and how many labels of that
    noise one label of clean data replaces; ours beside the paper's."""
    mine, theirs = worth(clean_needed(ours, target)), worth(fig9().astype(float))
    table = pd.concat({"ours": mine, "paper": theirs.reindex(mine.index)}, axis=1)
    cells = table.map(lambda value: "" if pd.isna(value) else f"{value:,.0f}")
    return cells.rename(index="{:g}".format).rename_axis("α")


def as_good_as_clean(ours: pd.DataFrame) -> pd.DataFrame:
    """Of the runs with the most clean examples, a row for each alpha above 0: their accuracy in percent, and how many
    clean examples alone, without any noisy label, are as good."""
    clean, most = ours[ours.alpha == 0], ours[ours.images == ours.images.max()]
    rows = []
    for alpha, part in most[most.alpha > 0].groupby("alpha"):
        accuracy = part.test_accuracy.mean()
        n = needed(clean, accuracy).n if len(clean) else pd.Series([np.inf])  # by the seeds
        row = {"α": f"{alpha:g}", "clean examples": f"{most.images.max():,}", "accuracy, %": f"{100 * accuracy:.1f}"}
        rows.append(row | {"as good as clean ones alone": in_text(n, clean.images.min())})
    columns = ["α", "clean examples", "accuracy, %", "as good as clean ones alone"]
    return pd.DataFrame(rows, columns=columns).set_index("α")


def steps_in_words(longer: pd.DataFrame) -> str:
    """How many steps the longer runs have."""
    return ", ".join(f"{steps:,}" for steps in sorted(longer.steps.unique()))


def while_training(longer: pd.DataFrame) -> Figure:
    """Test accuracy, and the share of wrong labels that are predicted, both in percent, against the passes over all
    pairs, a curve for each number of clean examples; means over seeds. `longer` has a row per run and evaluation."""
    fig, panels = figures.row(2, 3.1)
    parts = {"test_accuracy": "test accuracy, %", "train_wrong": "wrong labels predicted, %"}
    for ax, (column, label) in zip(panels, parts.items(), strict=True):
        for colour, (images, part) in zip(cycle(COLOURS), longer.groupby("images"), strict=False):
            means = part.groupby("step")[["epoch", column]].mean()
            ax.plot(means.epoch, 100 * means[column], "o-", ms=4, color=colour, label=f"{images:,} clean examples")
        ax.set(xlabel="passes over all pairs", ylabel=label)
        ax.grid(alpha=0.3)
    return figures.legend_below(fig)


def longer_beside_shorter(longer: pd.DataFrame, sizes: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent and the passes over all pairs, of the runs above and of longer ones, a row for each
    alpha and number of clean examples; and the points gained, seed by seed, with a 95 % interval."""
    rows = []
    for (alpha, images), long in longer.groupby(["alpha", "images"]):
        short = sizes[(sizes.alpha == alpha) & (sizes.images == images)]
        row = {"α": f"{alpha:g}", "clean examples": f"{images:,}"}
        for name, part in (("as above", short), ("longer", long)):
            row[f"passes, {name}"] = f"{part.epoch.mean():.1f}" if len(part) else ""
            row[f"{name}, %"] = f"{100 * part.test_accuracy.mean():.1f}" if len(part) else ""
        both = pd.concat([short.assign(length="short"), long.assign(length="long")])
        rows.append(row | {"gained, points": gap(both, "long", "short", by="length")})
    return pd.DataFrame(rows).set_index(["α", "clean examples"])


def accuracy_at_constant_rates(onset: pd.DataFrame, sizes: pd.DataFrame) -> Axes:
    """Test accuracy in percent at alpha = 50 against the number of clean examples (logarithmic), a curve for each
    constant rate and one for the rate that falls; dashed: the paper's Fig. 8."""
    falling = sizes[sizes.alpha.isin(onset.alpha) & sizes.images.isin(onset.images)]
    shown = pd.concat(
        [onset.assign(rate=onset.lr.map("constant rate {:g}".format)), falling.assign(rate="falling rate")]
    )
    shown = shown.rename(columns={"rate": "learning rate"})
    paper = figure_of_paper("Fig. 8").query("series == 'alpha=50'").assign(**{"learning rate": "Conv4"})
    return figures.curves(shown, "images", "learning rate", paper, xscale="log")


def second_largest_noise(table: pd.DataFrame) -> float:
    """The second largest alpha of some runs, or the only one."""
    return sorted(table.alpha.unique())[-2:][0]


def accuracy_by_images_and_rule(table: pd.DataFrame) -> pd.DataFrame:
    """Mean test accuracy in percent at the second largest alpha, a row for each number of clean examples and a column
    for each rule that picks the evaluation. `table` has a row per run and evaluation."""
    middle = table[table.alpha == second_largest_noise(table)]
    chosen = {rule: evaluate.select(middle, rule) for rule in evaluate.RULES}
    means = {rule: 100 * rows.groupby("images").test_accuracy.mean() for rule, rows in chosen.items()}
    cells = pd.DataFrame(means).map("{:.1f}".format)
    return cells.rename(index="{:,}".format).rename_axis("clean examples")


# Batch size and learning rate


def with_infinite(ours: pd.DataFrame, schedule: str) -> pd.DataFrame:
    """The runs under a schedule, smallest batch first, their `batch size` in words; that of H_alpha is infinite and its
    alpha that of the loss."""
    rows = ours[ours.schedule == schedule]
    rows = rows.assign(infinite=rows.method == "h_alpha").sort_values(["infinite", "batch"], kind="stable")
    name = rows.batch.map("batch {}".format).mask(rows.infinite, "infinite batch")
    return rows.assign(alpha=rows.alpha.mask(rows.infinite, rows.get("method_alpha")), **{"batch size": name})


def accuracy_by_batch_size(ours: pd.DataFrame, schedule: str) -> Axes:
    """Test accuracy in percent against alpha under a schedule, a curve for each batch size and one for the infinite
    batch, H_alpha; dashed, under the constant one: the paper's Fig. 11."""
    rows, paper = with_infinite(ours, schedule), figure_of_paper("Fig. 11")
    name = ("batch " + paper.of).replace("batch h_alpha", "infinite batch")
    paper = paper.assign(**{"batch size": name})
    limits = room(100 * ours.test_accuracy, paper.value)
    theirs = paper if schedule == "constant" else None
    return figures.curves(rows, "alpha", "batch size", theirs, ylim=limits)


def accuracy_by_batch_and_schedule(ours: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent, mean and spread over seeds, a row for each batch size; without noise and at the largest
    alpha, at a constant rate and under a cosine schedule."""
    top, parts = ours.alpha.max(), {}
    for schedule in ours.schedule.unique():
        rows = with_infinite(ours, schedule)
        found = percent(rows[rows.alpha.isin([0, top])], "batch size", "alpha")
        parts |= {f"{schedule}, α = {alpha:g}": found[alpha] for alpha in sorted(found)}
    return pd.DataFrame(parts).rename_axis("batch")


def accuracy_by_rate(ours: pd.DataFrame) -> Axes:
    """Test accuracy in percent against alpha, a curve for each learning rate; dashed, beside runs on CIFAR-10: the
    paper's Fig. 12."""
    theirs = rates_of_paper() if set(ours.dataset) == {"cifar10"} else None
    shown = ours.assign(**{"learning rate": ours.lr.map("rate {:g}".format)})
    limits = room(100 * ours.test_accuracy)
    return figures.curves(shown, "alpha", "learning rate", theirs, ylim=limits)


def rates_of_paper() -> pd.DataFrame:
    """Fig. 12, its learning rates in a column `lr`, and in words."""
    paper = figure_of_paper("Fig. 12")
    return paper.assign(lr=paper.of.astype(float), **{"learning rate": "rate " + paper.of})


def nearest_to_the_shortest(table: pd.DataFrame) -> pd.DataFrame:
    """Of every run the evaluation nearest to the length of the shortest run."""
    distance = (table.step - table.steps.min()).abs()
    return table.loc[distance.groupby(table.key).idxmin()]


def chosen_rates(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The runs at the best learning rate of each alpha: chosen by test accuracy at the end, by noisy validation there,
    and by test accuracy after as many steps as the shortest run has. `table` has a row per run and evaluation."""
    last = evaluate.select(table, "last")
    return {
        "best on test (leaks)": evaluate.best(last, "lr", ["alpha"]),
        "noisy validation": evaluate.best(last, "lr", ["alpha"], "noisy_validation"),
        "equally long": evaluate.best(nearest_to_the_shortest(table), "lr", ["alpha"]),
    }


def best_rates(table: pd.DataFrame) -> pd.DataFrame:
    """The best learning rate at each alpha (a row) and its test accuracy in percent, by three ways to choose it."""
    side = {}
    for name, rows in chosen_rates(table).items():
        by_alpha = rows.groupby("alpha")
        side[f"{name}: rate"] = by_alpha.lr.first().map("{:g}".format)
        side[f"{name}: %"] = (100 * by_alpha.test_accuracy.mean()).map("{:.1f}".format)
    return pd.DataFrame(side).rename(index="{:g}".format).rename_axis("α")


def best_rates_of_paper() -> pd.DataFrame:
    """The paper's best learning rate at each alpha (a row) and its accuracy in percent, Conv4 on CIFAR-10."""
    paper = rates_of_paper()
    best = paper.loc[paper.groupby("at").value.idxmax()].set_index("at")
    cells = {"best rate": best.lr.map("{:g}".format), "accuracy, %": best.value.map("{:.1f}".format)}
    return pd.DataFrame(cells).rename(index=str).rename_axis("α")


def with_ratio(rows: pd.DataFrame) -> pd.DataFrame:
    """The runs with a column `ratio`: the rate per image of a batch, in units of the smallest."""
    ratio = rows.lr / rows.batch
    return rows.assign(ratio=(ratio / ratio.min()).round(6))


def by_rate_per_batch(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean test accuracy in percent, a row for each rate per image of a batch (in units of the smallest) and a column
    for each batch size: if only the ratio matters, rows are constant."""
    table = 100 * with_ratio(rows).pivot_table(index="ratio", columns="batch", values="test_accuracy")
    cells = table.map(lambda value: "" if pd.isna(value) else f"{value:.1f}")
    return cells.rename(index="{:g}".format, columns="batch {}".format).rename_axis("rate / batch", columns=None)


def accuracy_against_ratio(rows: pd.DataFrame) -> Axes:
    """Test accuracy in percent against the rate per image of a batch, a curve for each batch size."""
    shown = with_ratio(rows).sort_values("batch")
    shown = shown.assign(**{"batch size": shown.batch.map("batch {}".format)})
    label = "rate / batch, the smallest = 1"
    limits = room(100 * rows.test_accuracy)
    ax = figures.curves(shown, "ratio", "batch size", xscale="log", xlabel=label, ylim=limits)
    ticks = sorted(shown.ratio.unique())
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    return ax
