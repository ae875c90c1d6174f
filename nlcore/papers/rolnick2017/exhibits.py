"""What the chapter on data, batches and learning rates shows, and what other chapters on this paper share: frames in
(`runs.frame`, or one row per run), tables and figures out."""

import pandas as pd
from matplotlib.axes import Axes

from ... import data, figures, noise
from ...measures import evaluate, gradients
from ...runs import Budget, Run
from ...training.sources import moments
from ...training.train import trained
from ..tables import percent, published
from .measured import needed


def figure_of_paper(where: str) -> pd.DataFrame:
    """The numbers of a figure of the paper; `of` is the value of its `series`, such as 0.1 of `lr=0.1`, as text."""
    table = published("rolnick2017")
    return table.assign(of=table.series.str.extract("=(.*)", expand=False)).query("`where` == @where")


def names(rows: pd.DataFrame, column: str) -> str:
    """The values of a column, in words."""
    return ", ".join(rows[column].unique())


# Data, batches, learning rates


def gradient_alignment(lengths=(10, 300), alphas=(0, 10, 20, 50), batches=(32, 256)) -> pd.DataFrame:
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


def alignment_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Cosines of the noisy gradient to the clean one, measured and expected, for each batch size; and, the same for all
    batches, the limit and the length. A row for each number of steps and alpha."""
    index = ["after step", "alpha", "batch"]
    measured = rows.rename(columns={"steps": "after step"}).set_index(index).round(2).unstack("batch")
    of_all = measured[["limit", "length"]].xs(rows.batch.max(), axis=1, level="batch")
    of_all.columns = pd.MultiIndex.from_product([of_all.columns, ["all"]])
    return pd.concat([measured[["cosine", "expected"]], of_all], axis=1)


def data_size_values(ours: pd.DataFrame, tier: str, rule: str) -> dict[str, str]:
    """What the prose of the chapter says about the runs on more or fewer clean examples."""
    return {"tier": tier, "data": names(ours, "dataset"), "rule": rule, "size_network": names(ours, "model")}


def accuracy_against_images(ours: pd.DataFrame) -> Axes:
    """Test accuracy in percent against the number of clean examples (logarithmic), a curve for each alpha; dashed: the
    paper's Fig. 8."""
    paper = figure_of_paper("Fig. 8")
    return figures.curves(ours, "images", "alpha", paper.assign(alpha=paper.of.astype(float)), xscale="log")


def examples_needed(ours: pd.DataFrame, targets=(0.9, 0.8, 0.7, 0.6)) -> pd.DataFrame:
    """Clean examples needed for an accuracy (a row each, in percent) at each alpha: ours, the geometric mean over seeds
    with the smallest and the largest, beside the paper's Fig. 9. Empty where the paper has no such alpha."""
    rows = []
    for target in targets:
        for alpha, n in needed(ours, target).groupby("alpha").n:
            middle = n.prod() ** (1 / len(n))
            text = f"{middle:.0f} ({n.min():.0f} to {n.max():.0f})"
            rows.append({"target, %": 100 * target, "alpha": alpha, "n": text})
    mine = pd.DataFrame(rows).pivot(index="target, %", columns="alpha", values="n")
    paper = figure_of_paper("Fig. 9")
    paper = paper.assign(target=paper.of.astype(float)).pivot(index="target", columns="at", values="value")
    side = pd.concat({"ours": mine, "paper (± 40)": paper.map("{:.0f}".format)}, axis=1)
    return side.sort_index(ascending=False).rename_axis(None).fillna("")


def longer_values(longer: pd.DataFrame) -> dict[str, str]:
    """How many steps the longer runs have, in words."""
    return {"longer_steps": ", ".join(f"{steps:,}" for steps in sorted(longer.steps.unique()))}


def longer_beside_one_pass(longer: pd.DataFrame, sizes: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent, a row for each alpha and number of clean examples: one pass (`as above`), longer."""
    short = sizes[sizes.alpha.isin(longer.alpha) & sizes.images.isin(longer.images)]
    both = pd.concat([short.assign(length="as above"), longer.assign(length="longer")])
    points = both.alpha.map("{:g}".format) + ", " + both.images.astype(str)
    return percent(both.assign(point=points), "point", "length")


def accuracy_at_constant_rates(onset: pd.DataFrame, sizes: pd.DataFrame) -> Axes:
    """Test accuracy in percent at alpha = 50 against the number of clean examples (logarithmic), a curve for each
    constant rate and one for the rate that falls; dashed: the paper's Fig. 8."""
    falling = sizes[sizes.alpha.isin(onset.alpha) & sizes.images.isin(onset.images)]
    shown = pd.concat([onset.assign(rate=onset.lr.map("constant {:g}".format)), falling.assign(rate="falling")])
    paper = figure_of_paper("Fig. 8").query("series == 'alpha=50'")
    return figures.curves(shown, "images", "rate", paper.assign(rate="Conv4"), xscale="log")


def second_largest_noise(table: pd.DataFrame) -> float:
    """The second largest alpha of some runs, or the only one."""
    return sorted(table.alpha.unique())[-2:][0]


def accuracy_by_images_and_rule(table: pd.DataFrame) -> pd.DataFrame:
    """Mean test accuracy in percent at the second largest alpha, a row for each number of clean examples and a column
    for each rule that picks the evaluation. `table` has a row per run and evaluation."""
    middle = table[table.alpha == second_largest_noise(table)]
    chosen = {rule: evaluate.select(middle, rule) for rule in evaluate.RULES}
    means = {rule: 100 * rows.groupby("images").test_accuracy.mean() for rule, rows in chosen.items()}
    return pd.DataFrame(means).round(1)


def accuracy_by_batch_size(ours: pd.DataFrame, schedule: str) -> Axes:
    """Test accuracy in percent against alpha under a schedule, a curve for each batch size and one for H_alpha; dashed,
    under the constant one: the paper's Fig. 11."""
    rows = ours[ours.schedule == schedule]
    limit = rows.method == "h_alpha"
    curve = rows.batch.astype(str).mask(limit, "H_alpha")
    rows = rows.assign(alpha=rows.alpha.fillna(rows.method_alpha), **{"batch size": curve})
    paper = figure_of_paper("Fig. 11").replace({"of": {"h_alpha": "H_alpha"}}).rename(columns={"of": "batch size"})
    return figures.curves(rows, "alpha", "batch size", paper if schedule == "constant" else None)


def rates_of_paper() -> pd.DataFrame:
    """Fig. 12, its learning rates in a column `lr`."""
    paper = figure_of_paper("Fig. 12")
    return paper.assign(lr=paper.of.astype(float))


def accuracy_by_rate(ours: pd.DataFrame) -> Axes:
    """Test accuracy in percent against alpha, a curve for each learning rate; dashed, beside runs on CIFAR-10: the
    paper's Fig. 12."""
    return figures.curves(ours, "alpha", "lr", rates_of_paper() if set(ours.dataset) == {"cifar10"} else None)


def nearest_to_the_shortest(table: pd.DataFrame) -> pd.DataFrame:
    """Of every run the evaluation nearest to the length of the shortest run."""
    distance = (table.step - table.steps.min()).abs()
    return table.loc[distance.groupby(table.key).idxmin()]


def best_rates(ours: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The best learning rate at each alpha (a row) and its test accuracy in percent: chosen by test accuracy, by noisy
    validation, and by test accuracy after as many steps as the shortest run has. `table` has all evaluations of `ours`.
    """
    chosen = {
        "best on test (leaks)": evaluate.best(ours, "lr", ["alpha"]),
        "noisy validation": evaluate.best(ours, "lr", ["alpha"], "noisy_validation"),
        "as long as at alpha = 0": evaluate.best(nearest_to_the_shortest(table), "lr", ["alpha"]),
    }
    side = {}
    for name, rows in chosen.items():
        by_alpha = rows.groupby("alpha")
        side[name, "rate"] = by_alpha.lr.first()
        side[name, "accuracy, %"] = (100 * by_alpha.test_accuracy.mean()).round(1)
    return pd.DataFrame(side)


def best_rates_of_paper() -> pd.DataFrame:
    """The paper's best learning rate at each alpha (a column) and its accuracy in percent, Conv4 on CIFAR-10."""
    paper = rates_of_paper()
    best = paper.loc[paper.groupby("at").value.idxmax()].set_index("at")[["lr", "value"]]
    return best.rename(columns={"lr": "best rate", "value": "accuracy, %"}).rename_axis("alpha").T
