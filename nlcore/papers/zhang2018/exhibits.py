"""What chapter 5 shows of Zhang & Sabuncu 2018: tables and figures of our runs, beside the paper's numbers."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import figures
from ...measures.evaluate import curve_numbers, select
from ..tables import blank, percent, published, verdict_names

UNIFORM = "symmetric_exclusive"


def points(difference: float) -> str:
    """A difference of two accuracies in points, as text; "(not run)" where one of them is missing."""
    return "(not run)" if pd.isna(difference) else f"{difference:+.1f} points"


def noise_of(rows: pd.DataFrame) -> pd.Series:
    """The noise of each run in short: `u 0.6` is uniform at a rate of 0.6, `d 0.4` class-dependent at 0.4."""
    return rows.noise.eq(UNIFORM).map({True: "u ", False: "d "}) + rows.rate.map("{:g}".format)


def words(
    verdicts: pd.DataFrame, tier: str, rule: str, fashion: pd.DataFrame, cifar: pd.DataFrame, field: pd.DataFrame
) -> dict[str, str]:
    """What the prose names: every verdict, the tier, the rule of selection, and what was trained on what."""
    found = verdict_names(verdicts)
    found |= {"tier": tier, "rule": rule}
    for name, rows in (("fashion", fashion), ("cifar", cifar), ("field", field)):
        found[f"{name}_data"] = ", ".join(rows.dataset.unique())
    return found | {"network": ", ".join(fashion.model.unique())}


def accuracy_against_rate(rows: pd.DataFrame, uniform: bool) -> Axes:
    """Test accuracy in percent against the rate of uniform or of class-dependent noise, a line per method."""
    kind = "uniform noise rate (exclusive)" if uniform else "class-dependent noise rate"
    return figures.curves(rows[(rows.noise == UNIFORM) == uniform], "rate", "method", xlabel=kind)


def accuracy_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent with its standard deviation over seeds, methods by noise."""
    return percent(rows.assign(rate=noise_of(rows)), "method", "rate")


def training_curves(history: pd.DataFrame) -> Figure:
    """What networks of different q predict over the epochs, in percent: test images (solid), wrong labels (dashed)
    and right ones (dotted) of the training pairs; axes for each rate of uniform noise."""
    named = history.rate.map("uniform noise, {:g}".format).where(history.rate > 0, "clean labels")
    return figures.training(history.assign(rate=named), "method_q", "rate")


def peak_and_last(history: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent at the best and at the last evaluation by rate of uniform noise and q, ours and what was
    read off the paper's figure."""
    ours = curve_numbers(history).groupby(["rate", "method_q"])[["peak", "test_accuracy"]].mean()
    ours = (100 * ours).rename(columns={"test_accuracy": "last"}).add_prefix("ours, ")
    paper = published("zhang2018").query("`where` == 'figure of q'")
    q, when = paper.series.str.removeprefix("q=").astype(float), paper.metric.str.partition(", ")[2]
    paper = paper.assign(rate=paper["at"], method_q=q, when="paper, " + when)
    theirs = paper.pivot(index=["rate", "method_q"], columns="when", values="value")
    return blank(ours.join(theirs).round(1))


def published_accuracy() -> pd.DataFrame:
    """The paper's test accuracies on CIFAR-10 in percent, methods by noise."""
    paper = published("zhang2018").query("`where` == 'Table 1' and dataset == 'cifar10'")
    kind = paper.knob.map({"uniform rate (exclusive)": "u ", "class-dependent rate": "d "})
    paper = paper.assign(rate=kind + paper["at"].map("{:g}".format), method=paper.series.str.removeprefix("method="))
    return paper.pivot(index="method", columns="rate", values="value")


def above_cross_entropy(history: pd.DataFrame) -> pd.DataFrame:
    """How far each method is above cross entropy under the same noise, in points of test accuracy: ours under two rules
    of selection, and the paper's, which has the second."""
    accuracy = {}
    for rule in ("last", "noisy validation"):
        rows = select(history, rule)
        rows = rows.assign(rate=noise_of(rows))
        accuracy[f"ours, {rule}"] = 100 * rows.pivot_table(index="method", columns="rate", values="test_accuracy")
    accuracy["paper"] = published_accuracy()
    gaps = {name: (table - table.loc["ce"]).drop("ce") for name, table in accuracy.items()}
    return blank(pd.concat(gaps).sort_index(axis=1).round(1))


def accuracy_by_images(images: pd.DataFrame, cifar: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy of cross entropy and L_q in percent under class-dependent noise of 0.4, by the number of images;
    runs of `cifar` with the noise of `images` are the other numbers of images."""
    same = cifar[cifar.method.isin(["ce", "gce"]) & (cifar.noise == images.noise.iloc[0])]
    rows = pd.concat([images, same])
    return percent(rows[rows.rate == 0.4].sort_values(["images", "method"]), "images", "method")


def pruning_variant(rows: pd.DataFrame) -> pd.Series:
    """Which variant of truncated L_q a run is."""
    others = {
        "detached": rows.method_detached.astype(bool),
        "at once": rows.method_start == 0,
        "current": rows.method_pruner == "current",
    }
    return pd.Series(np.select([*others.values()], [*others], "as in the paper"), rows.index)


def what_pruning_keeps(rows: pd.DataFrame) -> pd.DataFrame:
    """By threshold k and variant, in percent: test accuracy, pairs kept, kept pairs that are right (precision), right
    pairs that are kept (recall), wrong labels that the network predicts."""
    rows = rows.assign(variant=pruning_variant(rows))
    rows = rows.rename(columns={"method_k": "k", "kept_precision": "precision", "kept_recall": "recall"})
    columns = ["test_accuracy", "kept", "precision", "recall", "train_wrong"]
    return (100 * rows.groupby(["k", "variant"])[columns].mean()).round(1)


def effects_of_variants(rows: pd.DataFrame) -> dict[str, str]:
    """What each variant of pruning changes at k = 0.5, in points of test accuracy."""
    half = rows[rows.method_k == 0.5]
    accuracy = 100 * half.groupby(pruning_variant(half)).test_accuracy.mean()
    accuracy = accuracy.reindex(["detached", "current", "at once", "as in the paper"])
    effects = accuracy.drop("as in the paper") - accuracy["as in the paper"]
    return {f"effect_{name.replace(' ', '_')}": points(effect) for name, effect in effects.items()}


def gaps_of_lq(rows: pd.DataFrame) -> dict[str, str]:
    """L_q less cross entropy in points of test accuracy: under uniform noise of 0.6, and under the most class-dependent
    noise there is."""
    accuracy = 100 * rows.pivot_table(index=["noise", "rate"], columns="method", values="test_accuracy")
    gap = accuracy.gce - accuracy.ce
    dependent = gap[gap.index.get_level_values("noise") != UNIFORM]
    return {"gap_uniform": points(gap.get((UNIFORM, 0.6))), "gap_dependent": points(dependent.iloc[-1])}


def effects_of_rules(history: pd.DataFrame) -> dict[str, str]:
    """What another rule of selection than the last evaluation does to cross entropy, mean over the rates of uniform
    noise, in points of test accuracy."""
    rows = history[(history.method == "ce") & (history.noise == UNIFORM)]
    leak, noisy, last = (
        100 * select(rows, rule).test_accuracy.mean() for rule in ("best on test (leaks)", "noisy validation", "last")
    )
    return {"effect_leak": points(leak - last), "effect_noisy": points(noisy - last)}


def effects(history: pd.DataFrame, rows: pd.DataFrame, pruned: pd.DataFrame) -> dict[str, str]:
    """All differences that the prose names; `rows` are those of `history` that the rule selects, `pruned` the runs of
    truncated L_q."""
    return effects_of_variants(pruned) | gaps_of_lq(rows) | effects_of_rules(history)


def rest_of_the_field(rest: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent of the other ways of correcting a loss, and of cross entropy and forward correction from
    `others` on the same data under the same noise; then how far an estimated T is from the realised one (mean total
    variation of its rows)."""
    compared = others.method.isin(["ce", "forward", "forward_estimated"]) & (others.dataset == rest.dataset.iloc[0])
    same = others[compared].merge(rest[["noise", "rate"]].drop_duplicates())
    rows = pd.concat([rest, same])
    rows = rows.assign(rate=noise_of(rows))
    error = rows.pivot_table(index="method", columns="rate", values="T_error").round(2)
    return blank(percent(rows, "method", "rate").join(error.add_prefix("T_error, ")))


def by_rule(history: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent, mean and spread over seeds, a row for each method, by rule and noise; `history` has a
    row per run and evaluation."""
    sides = {}
    for rule in ("last", "noisy validation"):
        rows = select(history, rule)
        noise = rows.noise.replace({"symmetric_exclusive": "uniform"}) + rows.rate.map(" {:g}".format)
        sides[rule] = percent(rows.assign(noise=noise.str.removesuffix(" 0")), "method", "noise")
    return pd.concat(sides, axis=1)
