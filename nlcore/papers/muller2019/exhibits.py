"""What chapter 6 shows of label smoothing: tables and figures of our runs, beside the papers' numbers."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import figures
from ..tables import blank, published, verdict_names


def words(
    verdicts: pd.DataFrame, tier: str, rule: str, clean: pd.DataFrame, students: pd.DataFrame, a: float
) -> dict[str, str]:
    """What the prose names: every verdict, the tier, the rule of selection, what was trained on what, and what
    smoothing by `a` does on clean labels to the calibration error and, in points, to test accuracy."""
    found = verdict_names(verdicts)
    found |= {"tier": tier, "rule": rule, "data": ", ".join(clean.dataset.unique())}
    found |= {"network": ", ".join(clean.model.unique()), "pupil_data": ", ".join(students.dataset.unique())}
    means = clean.groupby(smoothing(clean))[["ece", "test_accuracy"]].mean()
    hard, smooth = means.loc[0], means.loc[a]
    found |= {"a": f"{a:g}", "ece_hard": f"{hard.ece:.3f}", "ece_smooth": f"{smooth.ece:.3f}"}
    return found | {"gain": f"{100 * (smooth.test_accuracy - hard.test_accuracy):+.1f} points"}


def smoothing(rows: pd.DataFrame) -> pd.Series:
    """The smoothing a of each run; that of cross entropy is 0."""
    return rows.method_a.fillna(0.0).rename("a")


def by_smoothing(rows: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Means of some columns over seeds, a row for each smoothing a."""
    return rows.groupby(smoothing(rows))[[*columns]].mean().round(3)


def calibration(rows: pd.DataFrame) -> pd.DataFrame:
    """By smoothing a: test accuracy and calibration errors as shares, before and after (`scaled`) division of the
    logits by the temperature, and the negative log likelihood in nats."""
    errors = ("ece", "ece_adaptive", "temperature", "ece_scaled", "ece_adaptive_scaled")
    return by_smoothing(rows, "test_accuracy", *errors, "test_loss")


def hundred_classes(rows: pd.DataFrame) -> pd.DataFrame:
    """By smoothing a and rate of symmetric noise, as shares: test accuracy and calibration error, before and after
    (`scaled`) division of the logits by the temperature."""
    columns = ["test_accuracy", "ece", "temperature", "ece_scaled"]
    return rows.groupby([smoothing(rows), "rate"])[columns].mean().round(3)


def norms(rows: pd.DataFrame) -> pd.DataFrame:
    """By smoothing a: how far the largest logit is ahead, and how long weights and features are."""
    names = {"logit_gap": "lead of the largest logit", "norm_weights": "length of all weights"}
    names |= {"norm_rows": "length of a row of the last layer", "norm_features": "length of the features"}
    return by_smoothing(rows, *names).rename(columns=names)


def published_calibration() -> pd.DataFrame:
    """Test accuracies in percent and calibration errors of Müller et al., Tables 2 and 3; `scaled` by a temperature."""
    paper = published("muller2019").query("`where` in ['Table 2', 'Table 3']")
    paper = paper.rename(columns={"at": "a", "series": "scaled"})
    return blank(paper[["metric", "dataset", "model", "a", "scaled", "value"]].set_index(["metric", "dataset"]))


def of_seed_0(rows: pd.DataFrame, column: str) -> dict[str, list]:
    """What a column holds for seed 0, by the name of the smoothing."""
    first = rows[rows.seed == 0]
    return {f"a = {a:g}": value for a, value in zip(smoothing(first), first[column], strict=True)}


def reliability(rows: pd.DataFrame) -> Figure:
    """Accuracy against confidence for bins of test images, axes for each smoothing, seed 0."""
    return figures.reliability(of_seed_0(rows, "reliability"))


def projection(rows: pd.DataFrame) -> Figure:
    """Test images of three classes in the plane through the templates of these, axes for each smoothing, seed 0."""
    return figures.projection(of_seed_0(rows, "points"))


def geometry(rows: pd.DataFrame) -> pd.DataFrame:
    """By smoothing a: variance within classes over that between them (`tightness`), and how `unequal` distances to two
    other classes are, in [0, 1]; of training and of test images."""
    return by_smoothing(rows, "tightness_train", "tightness_test", "unequal_train", "unequal_test")


def information(rows: pd.DataFrame) -> pd.DataFrame:
    """By smoothing a: mutual information of image and logits in nats, test accuracy, calibration."""
    return by_smoothing(rows, "information", "test_accuracy", "ece", "temperature", "ece_scaled")


def accuracy_against_smoothing(rows: pd.DataFrame) -> Axes:
    """Test accuracy in percent against the smoothing a, a line per rate of symmetric noise."""
    swept = rows[rows.method.isin(["ce", "label_smoothing"])]
    return figures.curves(swept.assign(method_a=smoothing(swept)), "method_a", "rate")


def methods_under_noise(rows: pd.DataFrame) -> pd.DataFrame:
    """By method (with its smoothing) and rate of noise, as shares: test accuracy, calibration error before and after a
    temperature, wrong labels that are predicted."""
    name = rows.method + rows.method_a.map(" {:g}".format).where(rows.method_a.notna(), "")
    columns = ["test_accuracy", "ece", "ece_scaled", "train_wrong"]
    means = rows.groupby([name.rename("method, a"), "rate"])[columns].mean()
    return means.unstack("rate").round(3)


def above_cross_entropy(rows: pd.DataFrame, a: float) -> pd.DataFrame:
    """How far smoothing by `a` and the corrections are above cross entropy, in points of test accuracy: Lukasik et al.
    at symmetric noise of 0.2, and ours at the lowest rate there is."""
    chosen = "`where` == 'Lukasik et al.' and metric == 'test accuracy (%)' and dataset != 'imagenet'"
    paper = published("muller2019").query(chosen)
    paper = paper.assign(method=paper.series.str.removeprefix("method="))
    accuracy = paper.pivot(index="method", columns="dataset", values="value")
    here = rows[(rows.rate == rows.rate.min()) & (rows.method_a.isna() | (rows.method_a == a))]
    ours = f"ours, {here.dataset.iloc[0]} at {here.rate.min():g}"
    accuracy[ours] = 100 * here.groupby("method").test_accuracy.mean()
    return (accuracy - accuracy.loc["ce"]).drop("ce").round(1)


def published_students() -> pd.DataFrame:
    """What the papers report of teachers and students."""
    paper = published("muller2019").query("experiment == 'distillation'").rename(columns={"where": "source"})
    return paper.set_index("source")[["dataset", "series", "knob", "at", "metric", "value"]]


def students(rows: pd.DataFrame) -> pd.DataFrame:
    """Test errors in percent, mean and standard deviation over seeds, of teachers and their students by the teacher's
    smoothing a, the temperature and the rate of noise; the rows of `ce` and `label_smoothing` have no teacher."""
    errors = {"teacher": 100 - 100 * rows.first_test_accuracy, "student": 100 - 100 * rows.test_accuracy}
    knobs = {"a": smoothing(rows), "temperature": rows.method_temperature.fillna(0.0)}
    means = rows.assign(**errors, **knobs).groupby(["method", "a", "temperature", "rate"])[[*errors]]
    return blank(means.agg(["mean", "std"]).unstack("rate").round(2))
