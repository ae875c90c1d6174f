"""What the chapters on this paper show: frames in (`runs.frame`, or one row per run), tables and figures out."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import data, figures, noise
from ...inputs import require
from ...measures import evaluate, gradients
from ...noise import carriers
from ...runs import Budget, Record, Run
from ...training.sources import moments
from ...training.train import trained
from ..tables import percent, published, share
from .measured import needed


def figure_of_paper(where: str) -> pd.DataFrame:
    """The numbers of a figure of the paper; `of` is the value of its `series`, such as 0.1 of `lr=0.1`, as text."""
    table = published("rolnick2017")
    return table.assign(of=table.series.str.extract("=(.*)", expand=False)).query("`where` == @where")


def names(rows: pd.DataFrame, column: str) -> str:
    """The values of a column, in words."""
    return ", ".join(rows[column].unique())


def repeated_at_zero(rows: pd.DataFrame, knob: str, by: str) -> pd.DataFrame:
    """The runs at `knob` = 0, where all curves of `by` begin, once for each of its values; then the others."""
    zero, others = rows[rows[knob] == 0], rows[rows[knob] > 0]
    copies = [zero.assign(**{by: value}) for value in others[by].unique()]
    return pd.concat([*(copies or [zero]), others])


# Massive label noise


def largest_noise(rows: pd.DataFrame) -> tuple[str, float]:
    """The convolutional network, or else the last one, and the largest alpha that it was trained at."""
    here = set(rows.model)
    model = next((name for name in ("conv4", "conv_small") if name in here), rows.model.iloc[-1])
    return model, rows[rows.model == model].alpha.max()


def massive_noise_values(ours: pd.DataFrame, cifar: pd.DataFrame, tier: str, rule: str) -> dict[str, str]:
    """What the prose of the chapter says about these runs and about the paper's Conv4."""
    conv, alpha = largest_noise(ours)
    top, paper = ours[ours.alpha == alpha], figure_of_paper("Fig. 1")
    conv4 = paper[paper.model == "conv4"].set_index("at").value
    passes = ours.groupby("alpha").epoch.mean()
    return {
        "tier": tier,
        "largest": f"{alpha:g}",
        "conv_name": conv,
        "conv_accuracy": share(top[top.model == conv].test_accuracy),
        "wrong_labels": f"{top.realised_rate.mean():.1%}",
        "conv_paper": f"{conv4[100]} %",
        "conv_paper_50": f"{conv4[50]} %",
        "rule": rule,
        "passes": ", ".join(f"{n:.2g} ({at:g})" for at, n in passes.items()),
        "cifar_data": names(cifar, "dataset"),
        "cifar_images": f"{cifar.images.max():,}",
        "data": names(ours, "dataset"),
    }


def accuracy_against_alpha(ours: pd.DataFrame) -> Axes:
    """Test accuracy in percent against alpha, a curve for each network; dashed: Fig. 1 of the paper."""
    return figures.curves(ours, "alpha", "model", figure_of_paper("Fig. 1"))


def uniform_beside_the_papers(ours: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent, a row for each alpha: for each network ours, as mean and spread, and the paper's.
    Under `conv_small` the paper's is its Conv4. A cell is empty where the paper has no such point."""
    mine = percent(ours, "alpha", "model")
    paper = figure_of_paper("Fig. 1").pivot(index="at", columns="model", values="value").rename(index="{:g}".format)
    side = {}
    for model in mine.columns:
        side[model, "ours"] = mine[model]
        side[model, "paper"] = paper.get("conv4" if model == "conv_small" else model)
    return pd.DataFrame(side).reindex(mine.index).astype(object).fillna("")


def accuracy_on_cifar(ours: pd.DataFrame) -> Axes:
    """Test accuracy in percent against alpha, a curve for each network; dashed: Fig. 2 of the paper, on CIFAR-10."""
    return figures.curves(ours, "alpha", "model", figure_of_paper("Fig. 2"))


def memorised(ours: pd.DataFrame) -> pd.DataFrame:
    """How many wrong labels are predicted, in percent, a row for each alpha: measured (`hit`), and what a network would
    hit whose predictions do not depend on the labels that were drawn (`(1-a)/9`), for each network."""
    noisy = ours[ours.alpha > 0].groupby(["model", "alpha"], sort=False)[["train_right", "train_wrong"]].mean() * 100
    table = pd.DataFrame({"hit": noisy.train_wrong, "(1-a)/9": (100 - noisy.train_right) / 9})
    by_model = table.unstack("model", sort=False).swaplevel(axis=1)
    return by_model[list(ours.model.unique())].round(2)


def accuracy_by_rule(table: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy at the largest alpha, a row for each network and a column for each rule that picks the evaluation.

    `table` has a row per run and evaluation."""
    _, alpha = largest_noise(table)
    chosen = {rule: evaluate.select(table[table.alpha == alpha], rule) for rule in evaluate.RULES}
    return pd.DataFrame({r: rows.groupby("model", sort=False).test_accuracy.agg(share) for r, rows in chosen.items()})


def training_minutes(ours: pd.DataFrame) -> pd.DataFrame:
    """Minutes of training, summed over seeds, a row for each alpha and a column for each network."""
    seconds = ours.pivot_table(index="alpha", columns="model", values="train_seconds", aggfunc="sum", sort=False)
    return (seconds / 60).round(1)


# The shape of the noise


def confusing_card(records: list[Record]) -> dict:
    """The noise card of the run of seed 0 with a confusing order and the largest delta."""
    runs = [record for record in records if record.run.noise.order == "confusing" and record.run.seed == 0]
    require(bool(runs), "no run has a confusing order; deltas needs a value above 0")
    return runs[-1].card


def ranked_labels(card: dict) -> pd.DataFrame:
    """The false labels of each true class (a row), the likeliest first; from the card of structured noise."""
    ranking = card["definition"]["ranking"]
    return pd.DataFrame(ranking, columns=range(1, len(ranking))).rename_axis(index="true class", columns="rank")


def labels_added_to_a_three() -> pd.DataFrame:
    """Shares of the labels added to a 3 of the digits at alpha = 20 and delta = 1, a row for each order, as drawn."""
    digits, drawn = data.load("digits"), {}
    y = digits.train.y.numpy()
    for order in ("random", "fresh"):
        tilted = noise.Structured(20.0, 1.0, order).on(digits, seed=0)
        pairs = noise.draw(tilted, y, 10, seed=0)
        image, label = pairs.row[len(y) :], pairs.label[len(y) :]  # behind the clean pairs
        drawn[order] = np.bincount(label[y[image] == 3], minlength=10) / (y[image] == 3).sum()
    return pd.DataFrame(drawn).T.rename_axis("order").rename_axis("label added to a 3", axis=1).round(3)


def structured_values(ours: pd.DataFrame, tier: str, rule: str) -> dict[str, str]:
    """What the prose of the chapter says about the runs under structured noise."""
    return {"tier": tier, "data": names(ours, "dataset"), "rule": rule, "structured_network": names(ours, "model")}


def accuracy_against_delta(ours: pd.DataFrame) -> Axes:
    """Test accuracy in percent against delta, a curve for each order of the false labels; at 0 they share the runs."""
    return figures.curves(repeated_at_zero(ours, "delta", "order"), "delta", "order", xlabel="delta")


def accuracy_by_order(ours: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent, mean and spread over seeds, a row for each order and a column for each delta."""
    return percent(repeated_at_zero(ours, "delta", "order"), "order", "delta")


def foreign_images() -> Figure:
    """The carriers at `smoke`: ten windows of photographs and ten images of white noise, each with a label."""
    digits = data.load("digits")
    images = [carriers.foreign(kind, digits, 10, seed=0).numpy() for kind in ("photos", "white")]
    never_right = np.full(20, -1)
    return figures.labelled(np.concatenate(images), np.arange(20) % 10, never_right)


def accuracy_against_alpha_by_carrier(ours: pd.DataFrame) -> Axes:
    """Test accuracy in percent against alpha, a curve for each carrier of noisy labels; at 0 they share the runs."""
    return figures.curves(repeated_at_zero(ours, "alpha", "carrier"), "alpha", "carrier")


def accuracy_by_carrier(ours: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent, mean and spread over seeds, a row for each carrier and a column for each alpha."""
    return percent(repeated_at_zero(ours, "alpha", "carrier"), "carrier", "alpha")


def repeated_or_novel(ours: pd.DataFrame) -> Axes:
    """Test accuracy in percent against alpha, noisy labels on the clean images (`same`) or on novel ones; dashed: the
    paper's Fig. 7."""
    paper = figure_of_paper("Fig. 7")
    shown = repeated_at_zero(ours, "alpha", "carrier")
    return figures.curves(shown, "alpha", "carrier", paper.rename(columns={"of": "carrier"}))


def novel_less_repeated(ours: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent on novel and on repeated (`same`) images, and the difference of runs that share a seed:
    mean, standard deviation and standard error of the mean over seeds, of runs at one alpha."""
    pairs = 100 * ours.pivot(index="seed", columns="carrier", values="test_accuracy")
    return pairs.assign(difference=pairs.novel - pairs.same).agg(["mean", "std", "sem"]).round(1)


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
