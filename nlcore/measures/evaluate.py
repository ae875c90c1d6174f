"""What is measured at an evaluation, and the rules that pick the evaluation to report."""

import math

import pandas as pd
import torch
from torch import Tensor

from ..inputs import lookup, require


def accuracy(logits: Tensor, y: Tensor) -> float:
    """Share of right predictions, in [0, 1], of logits (n, K) for classes (n,)."""
    _check_alike(predictions=logits[:, 0], classes=y)
    return (logits.argmax(1) == y).double().mean().item()


def _check_alike(**parts: Tensor) -> None:
    """Refuse tensors, by what they are, that do not have one shape (M,)."""
    shapes = {name: (*part.shape,) for name, part in parts.items()}
    alike = len({*shapes.values()}) == 1 and all(len(shape) == 1 for shape in shapes.values())
    told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
    require(alike, f"these are (M,) each, and as many of one as of the other, not {told}")


def nll(logits: Tensor, y: Tensor) -> float:
    """Mean negative log likelihood, in nats."""
    return torch.nn.functional.cross_entropy(logits.float(), y).item()


def confidence_bins(logits: Tensor, y: Tensor, count: int = 15, adaptive: bool = False) -> Tensor:
    """(count, 3): number, mean confidence and accuracy of the predictions in bins of confidence, least confident first.

    Bins are equally wide, or equally full when `adaptive` (Nguyen & O'Connor 2015). An empty bin is 0, 0, 0.
    """
    _check_alike(predictions=logits[:, 0], classes=y)
    confidence, guess = logits.double().softmax(1).max(1)
    hit = (guess == y).double()
    if adaptive:
        rank = confidence.argsort(stable=True).argsort()
        place = rank * count // len(y)
    else:
        edges = torch.linspace(0, 1, count + 1, device=logits.device, dtype=torch.double)
        place = torch.bucketize(confidence, edges[1:-1])  # right edges closed, as is usual
    sums = torch.zeros(count, 3, device=logits.device, dtype=torch.double)
    sums.index_add_(0, place, torch.stack([torch.ones_like(hit), confidence, hit], 1))
    number, sum_of_confidence, hits = sums.T
    filled = number.clamp_min(1)
    return torch.stack([number, sum_of_confidence / filled, hits / filled], 1)


def ece(logits: Tensor, y: Tensor, bins: int = 15, adaptive: bool = False) -> float:
    """Expected calibration error, in [0, 1]: the mean gap between confidence and accuracy over bins of equal width
    (Guo et al. 2017, eq. 3) or, when `adaptive`, equally full ones."""
    number, confidence, hit = confidence_bins(logits, y, bins, adaptive).T
    return ((number * (confidence - hit).abs()).sum() / number.sum()).item()


def pair_accuracy(guess: Tensor, label: Tensor, true: Tensor) -> dict[str, float]:
    """How predictions meet pairs, all (M,): shares predicted as labelled over all pairs (given), over those with a
    right and a wrong label (the last is memorisation), and share predicted as the true class. Of nothing: NaN."""
    _check_alike(guesses=guess, labels=label, classes=true)
    hit, fits = (guess == label).double(), label == true
    parts = {"given": hit, "right": hit[fits], "wrong": hit[~fits], "true": (guess == true).double()}
    return {name: part.mean().item() for name, part in parts.items()}


def detection(weight: Tensor, right: Tensor) -> dict[str, float]:
    """How weights (M,) in [0, 1] tell `right` labels (M,) from wrong ones: share kept (weight > 0.5), precision and
    recall of the kept as right ones, area under the ROC curve of the weight. Of nothing, or of weights that are no
    numbers any more: NaN."""
    from sklearn.metrics import roc_auc_score  # only where it is used: it is slow to import

    _check_alike(weights=weight, right=right)
    kept, right = weight > 0.5, right.bool()
    parts = {"kept": kept, "kept_precision": right[kept], "kept_recall": kept[right]}
    if not weight.isfinite().all():
        return dict.fromkeys([*parts, "kept_auc"], math.nan)
    shares = {name: part.double().mean().item() for name, part in parts.items()}
    ranked = 0 < int(right.sum()) < len(right)
    return shares | {"kept_auc": roc_auc_score(right.cpu(), weight.cpu()) if ranked else math.nan}


def transition_error(found: Tensor, true: Tensor) -> dict[str, float]:
    """Of an estimated transition matrix (K, K): mean total variation of its rows from the true ones, mean diagonal,
    mean Pearson chi-square divergence of the true rows from the estimated ones."""
    K = len(true)
    square = found.shape == true.shape == (K, K)
    require(square, f"both matrices are (K, K), not {(*found.shape,)} and {(*true.shape,)}")
    found, true = found.double().cpu(), true.double().cpu()
    total_variation = (found - true).abs().sum(1) / 2
    chi_square = ((true - found).square() / found.clamp_min(1e-12)).sum(1)
    return {
        "T_error": total_variation.mean().item(),
        "T_diagonal": found.diagonal().mean().item(),
        "T_chi2": chi_square.mean().item(),
    }


def correction(believed: Tensor, label: Tensor, true: Tensor, K: int) -> dict[str, float]:
    """Of corrected labels (M,), given and true ones of K classes: shares of all that are right, of wrong ones that were
    put right, of right ones that were put wrong, and the mean diagonal of their realised transition matrix, to which
    images without a class (true: K) do not belong. Of nothing: NaN."""
    _check_alike(believed=believed, labels=label, classes=true)
    hit, fits = (believed == true).double(), label == true
    parts = {"corrected": hit, "corrected_wrong": hit[~fits], "miscorrected": 1 - hit[fits]}
    diagonal = torch.tensor([hit[true == k].mean().item() for k in true.unique() if k < K], dtype=torch.double)
    return {name: part.mean().item() for name, part in parts.items()} | {"corrected_diagonal": diagonal.mean().item()}


def weighed(weight: Tensor, loss: Tensor, right: Tensor) -> list[list]:
    """How weights (M,) go with losses (M,), of `right` and of wrong labels: for 24 bins of 0.25 nats, the last one
    open, the number of right and of wrong labels and their mean weights (of nothing: 0)."""
    _check_alike(weights=weight, losses=loss, right=right)
    bins, width = 24, 0.25
    bin_of = (loss / width).nan_to_num(math.inf).clamp(0, bins - 1).long()  # of a loss that is no number: the last
    place = bin_of + bins * ~right.bool()  # right ones first, wrong ones behind them
    count = torch.bincount(place, minlength=2 * bins)
    mean = torch.bincount(place, weight.double(), minlength=2 * bins) / count.clamp_min(1)
    columns = [part.tolist() for part in (*count.split(bins), *mean.split(bins))]
    return [[a, b, round(c, 3), round(d, 3)] for a, b, c, d in zip(*columns, strict=True)]


# rule -> the column whose first maximum is reported; the second leaks the test set and says so
RULES = {
    "last": None,
    "best on test (leaks)": "test_accuracy",
    "noisy validation": "noisy_validation",
    "clean validation": "clean_validation",
}
COMPARED = ("last", "noisy validation")  # that need no clean label, under which chapters compare methods


def select(history: pd.DataFrame, rule: str = "last") -> pd.DataFrame:
    """One row per run of a frame with one row per run and evaluation, chosen by one of `RULES`; of equally good
    evaluations the earliest."""
    column = lookup("selection rule", rule, RULES) or "step"
    require(column in history, f"these runs held no images out, so the rule {rule!r} cannot choose")
    numbered = history.reset_index(drop=True)  # frames that were put together repeat their numbers
    measured = numbered[numbered[column].notna()]
    runs = history.key.unique()
    lacking = len(runs) - measured.key.nunique()
    require(not lacking, f"{lacking} of these runs have no {column}, so the rule {rule!r} cannot choose for them")
    first_of_best = measured.sort_values("step", kind="stable").groupby("key")[column].idxmax()
    return history.iloc[first_of_best[runs]]


def curve_numbers(history: pd.DataFrame, rule: str = "last") -> pd.DataFrame:
    """The evaluation of every run that a rule chooses and, of its curve of test accuracy, the `peak`, what it ends at
    (`final`) and the `rise`: epochs until it first reaches 80 % of that; `wrong_mean`: the share of wrong labels that
    is predicted, as a mean over training; `stopped`: the accuracy where noisy validation chooses; where labels are
    corrected and T is estimated, `T_follows`: the correlation of the mean diagonals of T and of what the labels really
    are, before the learning rate falls."""
    last = select(history)
    final = history.key.map(last.set_index("key").test_accuracy)  # of each row's run
    risen = history[history.test_accuracy >= 0.8 * final]
    curve = {"peak": history.groupby("key").test_accuracy.max(), "rise": risen.groupby("key").epoch.min()}
    if {"T_diagonal", "corrected_diagonal"} <= {*history}:
        early = history[history.step <= history.steps * history.falls].dropna(subset=["T_diagonal"])
        curve["T_follows"] = correlations(early, "T_diagonal", "corrected_diagonal")
    if "train_wrong" in history:
        curve["wrong_mean"] = history.groupby("key").train_wrong.mean()
    if "noisy_validation" in history:
        curve["stopped"] = select(history, "noisy validation").set_index("key").test_accuracy
    chosen = select(history, rule).assign(final=final)
    return chosen.assign(**{name: chosen.key.map(values) for name, values in curve.items()})


def correlations(history: pd.DataFrame, a: str, b: str) -> pd.Series:
    """Pearson's correlation of two columns over the rows of each run, by its key; NaN where one of them is constant."""
    both = history[[a, b]].where(history[[a, b]].notna().all(axis=1))
    off = both - both.groupby(history.key).transform("mean")
    sums = pd.DataFrame({"ab": off[a] * off[b], "aa": off[a] ** 2, "bb": off[b] ** 2}).groupby(history.key).sum()
    runs = both.groupby(history.key)
    moves = (runs.max() > runs.min()).all(axis=1)  # rounding lets the mean of equal numbers be another one
    return (sums.ab / (sums.aa * sums.bb) ** 0.5).where(moves)


def best(rows: pd.DataFrame, knob: str, within: list[str], by: str = "test_accuracy") -> pd.DataFrame:
    """The runs (a row each) at the value of `knob` with the highest mean of column `by`, for each group of `within`.

    A paper that reports the best of several values reports this; by test accuracy it leaks the test set.
    """
    require(by in rows and rows[by].notna().all(), f"these runs have no column {by!r} to choose by")
    lacking = [column for column in (*within, knob) if rows[column].isna().any()]
    require(not lacking, f"some of these runs have no {' and no '.join(lacking)}; leave them out")
    means = rows.groupby([*within, knob])[by].mean().reset_index()
    chosen = means.loc[means.groupby(within)[by].idxmax(), [*within, knob]]
    return rows.merge(chosen, on=[*within, knob])
