"""What chapter 7 shows: frames in, a table or a figure out."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from ... import data, figures
from ...measures.evaluate import RULES, select
from ...methods import curriculum, mentor
from ...noise import SymmetricInclusive, draw
from ...training.device import reproducible
from ..tables import blank, percent, published, verdict_names
from .measured import named, students_of

LOSSES, DIFFERENCES = torch.linspace(0, 6, 61), torch.linspace(-3, 3, 61)  # of the maps of weights
TAUGHT = [name for name in curriculum.CURRICULA if name != "uniform"]
DETECTION = {"kept": "kept", "kept_precision": "precision", "kept_recall": "recall", "kept_auc": "ROC area"}


def _by_way(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with a column that names their method as the paper does."""
    return rows.assign(way=named(rows))


def _big(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of the big student."""
    return rows[rows.model == students_of(rows)[0]]


def _maps(weights: dict[str, np.ndarray]) -> Figure:
    return figures.weight_maps(weights, (0, 6, -3, 3))


def weights_by_formula() -> Figure:
    """The weight (colour, 0 to 1) that each curriculum gives, halfway through training, to a loss (across, nats) and
    its difference from the percentile (upwards)."""
    d, loss = torch.meshgrid(DIFFERENCES, LOSSES, indexing="ij")
    half = torch.tensor(50)
    return _maps({name: curriculum.CURRICULA[name](loss, d, half).numpy() for name in TAUGHT})


def weights_as_learned(steps: int = 400) -> Figure:
    """The same by a mentor of the released form that has imitated each curriculum for so many steps."""
    d, loss = torch.meshgrid(DIFFERENCES, LOSSES, indexing="ij")
    z, half = torch.stack([loss, d], 2).reshape(-1, 1, 2), torch.full((loss.numel(),), 50)
    learned, label = {}, torch.zeros_like(half)
    with torch.no_grad(), reproducible(0, torch.device("cpu")):
        for name in TAUGHT:
            imitator = mentor.imitate(name, steps=steps)[0]
            learned[name] = imitator(z, label, half).sigmoid().reshape(loss.shape).numpy()
    return _maps(learned)


def findings(verdicts: pd.DataFrame, history: pd.DataFrame, tier: str, rule: str) -> dict[str, str]:
    """What the prose says: the verdicts; points that the big student gains on the full model at noise of 0.4, by the
    rule and (`gain_val`) chosen by noisy validation; what was run. `history` has a row per run and evaluation."""
    said = verdict_names(verdicts)
    ours = select(history, rule)
    said["gain_val"] = gain(select(history, "noisy validation"), "DD")
    for name, way in (("dd", "DD"), ("pd", "PD"), ("spl", "self_paced")):
        said[f"gain_{name}"] = gain(ours, way)
    said |= {"tier": tier, "rule": rule, "network": students_of(ours)[0], "data": ", ".join(ours.dataset.unique())}
    return said | {"trusted": f"{ours.trusted.max():,}", "examples": f"{int(ours.images.max()):,}"}


def gain(rows: pd.DataFrame, way: str) -> str:
    """Points that a method is ahead of the full model for the big student at noise of 0.4, as text."""
    rows = _by_way(_big(rows))
    means = 100 * rows[rows.rate == 0.4].groupby("way").test_accuracy.mean()
    return f"{means[way] - means['ce']:+.1f} points" if {way, "ce"} <= {*means.index} else "(not run)"


def accuracies(rows: pd.DataFrame) -> pd.DataFrame:
    """By network, method and rate of noise, in percent: test accuracy as `mean ± standard deviation` over seeds, and
    the mean share of the wrong training labels that are predicted."""
    blocks = {}
    for model, part in _by_way(rows).groupby("model", sort=False):
        wrong = 100 * part.pivot_table(index="way", columns="rate", values="train_wrong")
        right = percent(part, "way", "rate")
        both = {"test accuracy": right, "wrong labels learned": wrong.map("{:.1f}".format)}
        blocks[model] = pd.concat(both, axis=1)
    return pd.concat(blocks)


def accuracy_by_rule(history: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy of the big student at noise of 0.4, in percent, by the rule that chooses the evaluation."""
    rows = pd.concat([select(history, rule).assign(rule=rule) for rule in RULES])
    rows = _by_way(_big(rows))
    return percent(rows[rows.rate == 0.4], "way", "rule")


def error_over_training(history: pd.DataFrame) -> Figure:
    """Test error in percent over training at noise of 0.4, of the full model, dropout and both mentors; axes per
    network."""
    rows = _by_way(history)
    rows = rows[rows.way.isin(["ce", "forgetting", "PD", "DD"]) & (rows.rate == 0.4)]
    return figures.lines(rows.assign(error=100 * (1 - rows.test_accuracy)), "error", "way", "model", "test error, %")


def weight_by_loss(history: pd.DataFrame, way: str) -> Figure:
    """How often right and wrong labels have a loss, in nats, and what they weigh: of one method at noise of 0.4, the
    big student's first seed, at the first evaluations after 24 % and after 84 % of training."""
    steps, rows = sorted(history.step.unique()), _by_way(_big(history))
    one = rows[(rows.way == way) & (rows.rate == 0.4) & (rows.seed == 0)].set_index("step")
    panels = {}
    for share in (0.24, 0.84):
        step = next(s for s in steps if s >= share * steps[-1])
        if step in one.index:
            panels[f"{way}, {step / steps[-1]:.0%} of training"] = one.weighed[step]
    return figures.weighed(panels)


def detection(rows: pd.DataFrame) -> pd.DataFrame:
    """Weights of the big student as detectors of right labels, by rate of noise, means over seeds in percent: pairs
    with a weight above a half, of these the right ones, of the right ones these, area under the ROC curve."""
    seen = _by_way(_big(rows))
    seen = seen[seen.kept.notna()].rename(columns=DETECTION)
    return (100 * seen.groupby(["rate", "way"])[[*DETECTION.values()]].mean()).round(1)


def detection_over_training(history: pd.DataFrame, column: str, ylabel: str) -> Figure:
    """One of `DETECTION` as a share, of the big student over training; axes per rate of noise."""
    rows = _by_way(_big(history))
    return figures.lines(rows[rows.kept_auc.notna()], column, "way", "rate", ylabel)


def _above_full_model(table: pd.DataFrame) -> pd.DataFrame:
    """Of a table with a row per method: how far each is above the full model in the same column."""
    return (table - table.loc["ce"]).drop("ce")


def beside_the_paper(rows: pd.DataFrame) -> pd.DataFrame:
    """Points above the full model at the same noise: ours by network, then both tables of the authors on CIFAR-10;
    cells that they lack are empty. Methods are those of our big student."""
    ours, gaps = _by_way(rows), {}
    for model, part in ours.groupby("model", sort=False):
        means = 100 * part.pivot_table(index="way", columns="rate", values="test_accuracy")
        gaps[f"ours, {model}"] = _above_full_model(means)
    paper = published("jiang2018").query("dataset == 'cifar10' and `where` in ['Table 2', 'README'] and at > 0")
    paper = paper.assign(way=paper.series.str.removeprefix("method="))
    for (where, model), part in paper.groupby(["where", "model"]):
        gaps[f"{where}, {model}"] = _above_full_model(part.pivot(index="way", columns="at", values="value"))
    ways = gaps[f"ours, {students_of(ours)[0]}"].index
    return blank(pd.concat(gaps, axis=1).reindex(ways).round(1))


def accuracy_by_rate(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent by method, which says where its mentor comes from, and rate of noise."""
    return percent(_by_way(rows), "way", "rate")


def price_of_checked_labels(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy and area under the ROC curve of the weight by the number of checked labels: mean and standard
    deviation over seeds in percent, the latter empty for a single seed."""
    rows = rows.rename(columns={"test_accuracy": "accuracy", "kept_auc": "ROC area"})
    found = rows.groupby("trusted")[["accuracy", "ROC area"]].agg(["mean", "std"])
    return blank((100 * found).round(1))


def accuracy_by_parameter(rows: pd.DataFrame, parameter: str) -> pd.DataFrame:
    """Test accuracy in percent by a parameter of the methods (`burn_in`, `p`, `form`); a row per method and rate of
    noise."""
    column, rows = f"method_{parameter}", _by_way(rows)
    rows = rows.assign(row=rows.way + ", " + rows.rate.map("{:g}".format))
    return percent(rows.sort_values(column, kind="stable"), "row", column)


def _save(x: torch.Tensor, files: list[str], place: Path) -> None:
    """Write grey images (n, 1, H, W) to files under a folder."""
    from PIL import Image

    for name, image in zip(files, x, strict=False):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0].numpy()).save(place / name)


def folder_of_digits(place: Path, count: int = 600, checked: int = 100) -> pd.DataFrame:
    """Write a folder of handwritten digits to `place`, two in five with a random label, and `checked.csv` with the true
    label of the first ones; the table has `file` and true `label` of all."""
    digits = data.load("digits")
    true = digits.train.y[:count].numpy()
    given = draw(SymmetricInclusive(0.4), true, 10, 0).label
    files = [f"{label}/{i}.png" for i, label in enumerate(given)]
    _save(digits.train.x, files, place / "train")
    _save(digits.test.x, [f"{label}/{i}.png" for i, label in enumerate(digits.test.y[:100])], place / "test")
    truth = pd.DataFrame({"file": files, "label": true.astype(str)})
    truth[:checked].to_csv(place / "checked.csv", index=False)
    return truth
