"""What chapter 6 shows of label smoothing: frames in, a table or a figure out. Tables are in words; accuracies and
errors are in percent, calibration errors are shares."""

import math
from functools import partial
from itertools import cycle

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from ... import data, figures, words
from ...inputs import require
from ...measures.evaluate import COMPARED, select
from .. import texts
from ..effects import ahead
from ..tables import over_seeds, percent, published
from ..texts import WHEN, data_and_network, decimal, interval

SMOOTHING = "smoothing a"
BEFORE, AFTER = "ECE", "ECE with a temperature"
UNBROKEN = "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"
one_network = partial(texts.one_network, of="targets")  # for the chapter


def smoothing(rows: pd.DataFrame) -> pd.Series:
    """The smoothing a of each run; that of cross entropy is 0."""
    return rows.get("method_a", pd.Series(0.0, rows.index)).fillna(0.0).rename("a")


def of_targets(rows: pd.DataFrame) -> pd.DataFrame:
    """The runs on hard and on smoothed targets, without corrections and students."""
    return rows[rows.method.isin(["ce", "label_smoothing"])]


def circumstances(rows: pd.DataFrame, tier: str, rule: str = "") -> str:
    """What rows rest on, for a caption: data, network, images, tier, rule and seeds."""
    parts = [*data_and_network(rows), f"{int(rows.images.max()):,} training images"]
    return texts.circumstances(parts, rows, tier, rule)


# What a hard target asks for, without any run


def check_smoothing(a: float) -> None:
    """Refuse a smoothing whose loss has no least value, before anything is trained with it."""
    require(0 < a <= 1, f"a is the smoothing of this page, above 0 and at most 1, not {a:g}")


def check_trained(tables: dict[str, pd.DataFrame], a: float) -> None:
    """Refuse tables that have no run with the smoothing `a`."""
    lacking = [name for name in ("calibration", "information", "noise") if not (smoothing(tables[name]) == a).any()]
    told = f"no run of {', '.join(lacking)} with a = {a:g} has a record"
    require(not lacking, f"{told}; with train=missing this page trains them")


def optimum(a: float, K: int = 10) -> float:
    """How far the logit of the label is ahead of each other where the smoothed loss is least."""
    return math.log(1 + K * (1 - a) / a)


def loss_of_lead(a: float, lead: np.ndarray, K: int = 10) -> np.ndarray:
    """The smoothed loss of a pair whose label's logit is ahead of each of the others by `lead`."""
    log_sum = np.logaddexp(lead, math.log(K - 1))
    on_label, on_other = 1 - a + a / K, a / K
    return on_label * (log_sum - lead) + (K - 1) * on_other * log_sum


def losses_of_leads(smoothings: list[float]) -> Figure:
    """The loss against the lead of the label's logit, a line for each smoothing, its least value marked."""
    lead = np.linspace(-2, 14, 321)
    fig, (ax,) = figures.row(1, 3.8)
    for a, colour in shades(smoothings):
        ax.plot(lead, loss_of_lead(a, lead), color=colour, label=named(a))
        if a > 0:
            best = optimum(a)
            ax.plot(best, loss_of_lead(a, np.array(best)), "o", color=colour)
    ax.set(xlabel="lead of the label's logit over each other one", ylabel="loss", ylim=(-0.1, 4.5))
    ax.grid(alpha=0.3)
    ax.legend()
    return fig


def named(a: float) -> str:
    """A smoothing in words, as legends have it."""
    return f"a = {a:g}" if a else "a = 0 (hard targets)"


def shades(smoothings: list[float]) -> list[tuple[float, str]]:
    """Each smoothing with the colour that it has on every figure of the chapter: hard targets black, and the more
    smoothing the lighter; negative ones are red."""
    positive = sorted(a for a in smoothings if a > 0)
    shade = {a: words.shaded("#004a80", 0.75 * place / max(len(positive) - 1, 1)) for place, a in enumerate(positive)}
    return [(a, shade[a] if a > 0 else "#333333" if a == 0 else "#d55e00") for a in sorted(smoothings)]


def linear_model(smoothings: list[float], steps: int = 10_000, images: int = 100) -> pd.DataFrame:
    """Softmax regression on some embedded digits by gradient descent with rate 1. By smoothing `a` and `step` (powers
    of two, and the last): the mean `lead` of the largest logit over the mean of the others, and the `length` of all
    weights."""
    train = data.load("digits").train
    x = torch.as_tensor(train.x[:images]).double().flatten(1) / 255
    x, y = x - x.mean(0), torch.as_tensor(train.y[:images]).long()
    shown = {2**power for power in range(steps.bit_length())} | {steps}
    found = []
    for a in smoothings:
        target = torch.eye(10, dtype=torch.double)[y] * (1 - a) + a / 10
        w = torch.zeros(x.shape[1], 10, dtype=torch.double)
        for step in range(1, steps + 1):
            w -= x.T @ ((x @ w).softmax(1) - target) / len(x)
            if step in shown:
                found.append({"a": a, "step": step, "lead": lead_of(x @ w), "length": w.norm().item()})
    return pd.DataFrame(found)


def lead_of(logits: torch.Tensor) -> float:
    """The largest logit less the mean of the others, on average."""
    top = logits.max(1).values
    return (top - (logits.sum(1) - top) / (logits.shape[1] - 1)).mean().item()


def growth(grown: pd.DataFrame) -> Figure:
    """Leads, with the optimum of each smoothed loss as a dotted line, and lengths as from `linear_model`, against the
    step on a logarithmic axis."""
    fig, grid = figures.row(2, 3.1)
    for a, colour in shades([*grown.a.unique()]):
        line = grown[grown.a == a]
        for ax, column in zip(grid, ("lead", "length"), strict=True):
            ax.plot(line.step, line[column], "o-", ms=4, color=colour, label=named(a))
        if a > 0:
            grid[0].axhline(optimum(a), color=colour, ls=":", lw=1)
            grid[1].plot([], [], color=colour, ls=":", lw=1, label=f"lead where its loss is least, {optimum(a):.1f}")
    for ax, said in zip(grid, ("lead of the logit", "length of all weights"), strict=True):
        ax.set(xlabel="step of gradient descent", ylabel=said, xscale="log", ylim=(0, None))
        ax.grid(alpha=0.3)
    return figures.legend_below(fig)


# Clean labels


def in_percent(values: pd.Series) -> pd.Series:
    return (100 * values).map(decimal)


def formed(means: pd.DataFrame) -> pd.DataFrame:
    """Means of accuracy and calibration for a table: the columns that there are, in words."""
    forms = {"test_accuracy": ("test accuracy, %", in_percent)}
    for name, said in (("ece", BEFORE), ("ece_adaptive", "ECE, equally full bins"), ("ece_scaled", AFTER)):
        forms[name] = (said, lambda values: values.map("{:.3f}".format))
    forms["temperature"] = ("best temperature", lambda values: values.map("{:.2f}".format))
    forms["test_loss"] = ("log likelihood, negative", lambda values: values.map("{:.2f}".format))
    forms["information"] = ("mutual information, nats", lambda values: values.map("{:.2f}".format))
    return pd.DataFrame({forms[name][0]: forms[name][1](means[name]) for name in means})


def by_smoothing(rows: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Means of some columns over seeds, a row for each smoothing a."""
    found = over_seeds(rows.groupby(smoothing(rows))[[*columns]])
    return found.rename(index="{:g}".format).rename_axis(SMOOTHING)


def calibration(rows: pd.DataFrame) -> pd.DataFrame:
    """By smoothing a: test accuracy, calibration errors before and after division of the logits by the temperature, and
    the negative log likelihood in nats."""
    columns = ("test_accuracy", "ece", "ece_adaptive", "temperature", "ece_scaled", "test_loss")
    return formed(by_smoothing(rows, *columns))


def hundred_classes(rows: pd.DataFrame) -> pd.DataFrame:
    """The same with a hundred classes, by rate of symmetric noise and smoothing."""
    columns = ["test_accuracy", "ece", "temperature", "ece_scaled"]
    found = over_seeds(rows.groupby([rows.rate.rename("noise rate"), smoothing(rows).rename(SMOOTHING)])[columns])
    return formed(found.rename(index="{:g}".format))


def information(rows: pd.DataFrame) -> pd.DataFrame:
    """By smoothing a: mutual information of image and logits in nats, test accuracy, calibration."""
    return formed(by_smoothing(rows, "information", "test_accuracy", "ece", "temperature", "ece_scaled"))


def geometry(rows: pd.DataFrame) -> pd.DataFrame:
    """By smoothing a: variance within classes over that between them (tightness), and how unequal distances to two
    other classes are, in [0, 1]; of training and of test images."""
    names = {"tightness_train": "tightness, training", "tightness_test": "tightness, test"}
    names |= {"unequal_train": "inequality, training", "unequal_test": "inequality, test"}
    return by_smoothing(rows, *names).map("{:.3f}".format).rename(columns=names)


def norms(rows: pd.DataFrame) -> pd.DataFrame:
    """By smoothing a: how far the largest logit is ahead, and how long weights and features are."""
    names = {"logit_gap": "lead of the largest logit", "norm_weights": "length of all weights"}
    names |= {"norm_rows": "length of a row of the last layer", "norm_features": "length of the features"}
    return by_smoothing(rows, *names).map("{:.1f}".format).rename(columns=names)


def published_calibration() -> pd.DataFrame:
    """Accuracies and calibration errors of Müller et al., Tables 2 and 3, a row for each network."""
    paper = published("muller2019").query("`where` in ['Table 2', 'Table 3']")
    target = np.where(paper["at"] > 0, "smoothed", np.where(paper.series.notna(), AFTER.split(" ", 1)[1], "hard"))
    accuracy = paper.metric == "test accuracy (%)"
    column = np.where(accuracy, "accuracy, %, ", "ECE, ") + pd.Series(target, paper.index)
    value = paper.value.map("{:.1f}".format).where(accuracy, paper.value.map("{:.3f}".format))
    network = paper.dataset.map(PAPERS_DATA) + ", " + paper.model.map(PAPERS_NETWORKS)
    table = pd.DataFrame({"data and network": network, "column": column, "value": value})
    order = ["accuracy, %, hard", "accuracy, %, smoothed", "ECE, hard", "ECE, with a temperature", "ECE, smoothed"]
    return table.pivot(index="data and network", columns="column", values="value")[order].fillna("")


PAPERS_DATA = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet": "ImageNet", "en-de": "English to German"}
PAPERS_NETWORKS = {"alexnet": "AlexNet", "resnet56": "ResNet-56", "inception-v4": "Inception-v4"}
PAPERS_NETWORKS |= {"transformer": "Transformer"}


def of_seed_0(rows: pd.DataFrame, column: str) -> dict[str, list]:
    """What a column holds for seed 0, by the name of the smoothing, in its order."""
    first = rows[rows.seed == 0].sort_values("method_a", na_position="first")
    return {named(a): value for a, value in zip(smoothing(first), first[column], strict=True)}


def reliability(rows: pd.DataFrame) -> Figure:
    """Accuracy against confidence for bins of test images, axes for each smoothing, seed 0."""
    return figures.reliability(of_seed_0(rows, "reliability"))


def projection(rows: pd.DataFrame, a: float) -> Figure:
    """Test images of three classes in the plane through the templates of these, on hard targets and on targets smoothed
    by `a`, seed 0."""
    chosen = rows[smoothing(rows).isin([0, a])]
    classes = words.FIRST_CLASSES.get(rows.dataset.iloc[0], "012")
    return figures.projection(of_seed_0(chosen, "points"), [*classes])


# Under noise


def memorised(history: pd.DataFrame) -> Figure:
    """The share of wrong training labels that is predicted, against the share of training that is over: a line for each
    smoothing from 0, axes for each rate of noise, beside chance."""
    rows = of_targets(history)
    rows = rows.assign(a=smoothing(rows), share=rows.step / rows.steps)
    rows = rows[rows.a >= 0]
    fig, grid = figures.row(rows.rate.nunique(), 3.1, sharey=True)
    for ax, (rate, part) in zip(grid, rows.groupby("rate"), strict=True):
        for a, colour in shades([*part.a.unique()]):
            means = 100 * figures.mean_curve(part[part.a == a], "share", "train_wrong")
            ax.plot(means.index, means, "o-", ms=3, color=colour, label=named(a))
        ax.set(xlabel="share of training", title=f"noise rate {rate:g}", ylim=(0, 101))
        ax.grid(alpha=0.3)
    grid[0].set(ylabel="wrong labels predicted, %")
    return figures.legend_below(fig)


def accuracy_against_smoothing(history: pd.DataFrame) -> Figure:
    """Test accuracy in percent against the smoothing a, a line with bands per rate of symmetric noise: at the last
    evaluation, and where noisy validation chooses it."""
    fig, grid = figures.row(len(COMPARED), 3.1, sharey=True)
    for ax, rule in zip(grid, COMPARED, strict=True):
        rows = of_targets(select(history, rule))
        rows = rows.assign(a=smoothing(rows), accuracy=100 * rows.test_accuracy)
        for (rate, part), look in zip(rows.groupby("rate"), cycle(("o-", "s--", "^:")), strict=False):
            of = part.groupby("a").accuracy.agg(["mean", "std"])
            ax.errorbar(of.index, of["mean"], of["std"], fmt=look, ms=5, capsize=3, label=f"noise rate {rate:g}")
        ax.set(xlabel="smoothing a", title=WHEN[rule])
        ax.locator_params(axis="x", nbins=5)
        ax.grid(alpha=0.3)
    grid[0].set(ylabel=words.said("accuracy"))
    return figures.legend_below(fig)


def with_smoothing(rows: pd.DataFrame) -> pd.Series:
    """The method of each run in words, with its smoothing."""
    name = rows.method.map(words.method)
    smoothed = name + f", a{UNBROKEN}" + rows.method_a.map("{:g}".format)
    return name.where(rows.method != "label_smoothing", smoothed).rename("method")


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """A table by method in words: cross entropy, smoothing from negative to large, the corrections."""
    places = ["cross entropy", "label smoothing", "forward correction", "backward correction"]

    def place(name: str) -> tuple[int, float]:
        kind = next(i for i, start in enumerate(places) if name.startswith(start))
        return kind, float(name.partition("=")[2] or 0)

    return table.loc[sorted(table.index, key=place)].fillna("")


def methods_under_noise(history: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy by method, rate of noise and rule, mean ± standard deviation over seeds."""
    blocks = []
    for rule, said in (("last", "last"), ("noisy validation", "noisy validation")):
        rows = select(history, rule)
        rows = rows.assign(method=with_smoothing(rows), of=rows.rate.map(f"{said}, {{:g}}".format))
        blocks.append(percent(rows, "method", "of"))
    return in_order(pd.concat(blocks, axis=1))


def memory_and_calibration(rows: pd.DataFrame) -> pd.DataFrame:
    """By method and rate of noise: wrong labels that are predicted, in percent, and the calibration error on true
    labels, before and after a temperature, which a run has at its end alone; of what every seed has."""
    columns = {"train_wrong": "wrong labels, %", "ece": BEFORE, "ece_scaled": "ECE scaled"}
    means = over_seeds(rows.groupby([with_smoothing(rows), "rate"])[[*columns]])
    found = {}
    for name, said in columns.items():
        for rate, values in means[name].unstack("rate").items():
            shown = in_percent(values) if name == "train_wrong" else values.map("{:.3f}".format)
            found[f"{said}, {rate:g}"] = shown.where(values.notna(), "")
    return in_order(pd.DataFrame(found).rename_axis("method"))


def above_cross_entropy(rows: pd.DataFrame, a: float) -> pd.DataFrame:
    """Points of test accuracy that smoothing by `a` and the corrections are above cross entropy: Lukasik et al. at
    symmetric noise of 0.2, and ours at the lowest rate there is, with 95 % intervals."""
    chosen = "`where` == 'Lukasik et al.' and metric == 'test accuracy (%)' and dataset != 'imagenet'"
    paper = published("muller2019").query(chosen)
    paper = paper.assign(method=paper.series.str.removeprefix("method="))
    accuracy = paper.pivot(index="method", columns="dataset", values="value")
    table = (accuracy - accuracy.loc["ce"]).drop("ce").map("{:+.1f}".format).rename(columns="theirs, {}".format)
    table = table.rename(columns=lambda name: name.replace("cifar", "CIFAR-"))
    here = rows[(rows.rate == rows.rate.min()) & (rows.method_a.isna() | (rows.method_a == a))]
    ours = f"ours, {words.listed(here.dataset.unique())} at {here.rate.min():g}"
    table[ours] = [lead(here, method, "ce") for method in table.index]
    said = {"label_smoothing": f"label smoothing, a = {a:g}", "forward": "forward correction"}
    said["backward"] = "backward correction"
    return table.loc[[*said]].rename(index=said)


def lead(rows: pd.DataFrame, a, b, by: str = "method", **at) -> str:
    """Points that the runs whose column `by` is `a` are ahead of those where it is `b`, with the interval; nothing
    where they were not run."""
    return interval(rows, partial(ahead, a=a, b=b, by=by, **at), missing="")


# Teachers and students


def published_students() -> pd.DataFrame:
    """Test errors in percent of students in the papers, by what their teacher was trained on."""
    paper = published("muller2019").query("experiment == 'distillation'")
    clean = paper[paper["where"] == "section 4"]
    teacher = np.where(clean["at"] > 0, "smoothed labels", "hard labels")
    rows = pd.DataFrame({"error": clean.value, "of": clean.series.str.removeprefix("role="), "teacher": teacher})
    table = rows.pivot(index="teacher", columns="of", values="error").map("{:.2f}".format)
    found = pd.DataFrame({"Müller et al., MNIST: teacher": table.teacher, "its student": table.student})
    noisy = paper[paper["where"] != "section 4"].assign(teacher=lambda t: t.series.str.removeprefix("teacher="))
    errors = (100 - noisy.pivot(index="teacher", columns="dataset", values="value")).map("{:.2f}".format)
    errors = errors.rename(index={"ce": "hard labels", "label_smoothing": "smoothed labels"})
    for name in ("cifar10", "cifar100"):
        found = found.join(errors[name].rename(f"Lukasik et al., 0.2, {PAPERS_DATA[name]}: student"), how="outer")
    return found.drop(index="forward").fillna("").rename_axis("teacher trained on")


def with_teachers(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the columns that students of a teacher have, also where there is none among them yet."""
    lacking = {"method_temperature", "first_test_accuracy"} - {*rows}
    return rows.assign(**dict.fromkeys(lacking, np.nan))


def students(rows: pd.DataFrame) -> pd.DataFrame:
    """Test errors in percent, mean ± standard deviation over seeds, of teachers and their students by noise rate;
    rows without a teacher are networks trained on labels."""
    rows = with_teachers(rows)
    told = rows.assign(role=rows.apply(role, axis=1), place=rows.method_temperature.fillna(0.0), a=smoothing(rows))
    found = {}
    for column, said in (("first_test_accuracy", "teacher"), ("test_accuracy", "student")):
        for rate, part in told.groupby("rate"):
            of = 100 * part.groupby(["a", "place", "role"])[column].agg(["mean", "std"])
            spread = of["std"].map(" ± {:.1f}".format).replace(" ± nan", "")
            found[f"{said}, noise {rate:g}"] = ((100 - of["mean"]).map(decimal) + spread).replace("nan", "")
    return pd.DataFrame(found).fillna("").droplevel(["a", "place"]).rename_axis("student learns from")


def role(run: pd.Series) -> str:
    """What a network learns from, in words."""
    a = 0.0 if math.isnan(run.method_a) else run.method_a
    target = f"smoothed labels (a = {a:g})" if a else "hard labels"
    if run.method != "distillation":
        return target
    return f"a teacher of {target}, temperature {run.method_temperature:g}"
