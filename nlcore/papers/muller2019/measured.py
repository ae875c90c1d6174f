"""What the claims measure: numbers of the runs of one seed, a row for each."""

import math

import pandas as pd
import torch
from torch import Tensor

from ... import data
from ...losses import backward_corrected, cross_entropy, smoothed_cross_entropy
from ...noise import SymmetricExclusive
from ..effects import ahead


def by_a(column: str, rows: pd.DataFrame, rate: float = 0.0) -> pd.Series:
    """A column by smoothing a, 0 being cross entropy, at a rate of symmetric noise; empty where it was not measured."""
    if not {column, "method_a"} <= {*rows}:
        return pd.Series(dtype=float)
    rows = rows[rows.method.isin(["ce", "label_smoothing"]) & (rows.rate == rate)]
    return rows.groupby(rows.method_a.fillna(0.0))[column].mean().dropna()


def usual(values: pd.Index) -> float:
    """The smoothing that a claim is about: the papers' 0.1 or, where somebody tries another, the least above 0."""
    return 0.1 if 0.1 in values else min(a for a in values if a > 0)


def hard_and_smooth(column: str, rows: pd.DataFrame, rate: float = 0.0) -> tuple[float, float]:
    """A column for cross entropy and for the usual smoothing."""
    return pair(by_a(column, rows, rate))


def pair(found: pd.Series) -> tuple[float, float]:
    """The numbers at 0 and at the usual smoothing; NaN where one is missing."""
    if 0 not in found.index or found.index.max() <= 0:
        return math.nan, math.nan
    return found[0], found[usual(found.index)]


def change(column: str, rows: pd.DataFrame, rate: float = 0.0) -> float:
    """How far a column is higher with smoothing."""
    hard, smooth = hard_and_smooth(column, rows, rate)
    return smooth - hard


def gain(rate: float, rows: pd.DataFrame) -> float:
    """Points of test accuracy that smoothing gains."""
    return 100 * change("test_accuracy", rows, rate)


def share(column: str, rows: pd.DataFrame) -> float:
    """A column with smoothing, over that without."""
    hard, smooth = hard_and_smooth(column, rows)
    return smooth / hard


def temperature(rows: pd.DataFrame) -> float:
    return hard_and_smooth("temperature", rows)[1]


def share_with_temperature(rows: pd.DataFrame) -> float:
    """ECE of cross entropy with a temperature, over that without."""
    found = [by_a(column, rows).get(0.0, math.nan) for column in ("ece_scaled", "ece")]
    return found[0] / found[1]


def temperature_above_smoothing(rows: pd.DataFrame) -> float:
    """How far the ECE of cross entropy with a temperature is above that of smoothing, in points."""
    return 100 * (by_a("ece_scaled", rows).get(0.0, math.nan) - hard_and_smooth("ece", rows)[1])


def information_over_two_classes(rows: pd.DataFrame) -> float:
    """Mutual information with smoothing, over log 2."""
    return hard_and_smooth("information", rows)[1] / math.log(2)


def errors(column: str, rate: float, rows: pd.DataFrame) -> tuple[float, float]:
    """Of students at temperature 1 whose teachers were trained on hard and on smoothed labels: one less a column of
    accuracies, in percent."""
    if not {column, "method_temperature"} <= {*rows}:
        return math.nan, math.nan
    of = (rows.method == "distillation") & (rows.method_temperature == 1) & (rows.rate == rate)
    return pair(100 * (1 - rows[of].groupby("method_a")[column].mean().dropna()))


def share_of_errors(column: str, rows: pd.DataFrame) -> float:
    """Errors on clean labels with a smoothed teacher, over those with a hard one."""
    hard, smooth = errors(column, 0.0, rows)
    return smooth / hard


def fewer_errors_under_noise(rows: pd.DataFrame) -> float:
    """Points that the student of a smoothed teacher errs less than that of a hard one, at 0.2."""
    hard, smooth = errors("test_accuracy", 0.2, rows)
    return hard - smooth


def gain_of(method: str, rows: pd.DataFrame) -> float:
    """Points that a correction is ahead of cross entropy at 0.2."""
    return ahead(rows, method, "ce", rate=0.2)


def best_at_much_noise(rows: pd.DataFrame, sign: int) -> float:
    """The test accuracy of the best positive (1) or negative (-1) a at 0.6, in percent. Noisy validation labels choose
    it: by test accuracy the best of more values would be the higher by chance."""
    accuracy, validation = (by_a(column, rows, 0.6) for column in ("test_accuracy", "noisy_validation"))
    of_sign = validation[sign * validation.index > 0]
    return 100 * accuracy[of_sign.idxmax()] if len(of_sign) else math.nan


def positive_ahead(rows: pd.DataFrame) -> float:
    """Points that the best positive a is ahead of cross entropy at 0.6."""
    plain = by_a("test_accuracy", rows, 0.6).get(0.0, math.nan)
    return best_at_much_noise(rows, 1) - 100 * plain


def negative_ahead(rows: pd.DataFrame) -> float:
    """Points that the best negative a is ahead of the best positive one at 0.6."""
    return best_at_much_noise(rows, -1) - best_at_much_noise(rows, 1)


def gap_over_optimum(rows: pd.DataFrame) -> float:
    """The gap between the largest logit and the others with smoothing by a, over that at which the loss is least:
    log(1 + K (1 - a) / a)."""
    found = by_a("logit_gap", rows)
    found = found[found.index > 0]
    if not len(found):
        return math.nan
    a, K = usual(found.index), data.classes(rows.dataset.iloc[0])
    return found[a] / math.log(1 + K * (1 - a) / a)


def random_logits(K: int = 10) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(256, K, generator=draw, dtype=torch.double)
    return logits, torch.randint(K, (256,), generator=draw)


def symmetric(a: float, K: int = 10) -> Tensor:
    """T of symmetric noise, as the noise model states it, of which a share `a` of labels is drawn anew."""
    return torch.from_numpy(SymmetricExclusive(a * (K - 1) / K).matrix(K))


def off_smearing(a: float = 0.3) -> float:
    """Between smoothing and T applied to the losses of all labels."""
    logits, y = random_logits()
    smeared = (-logits.log_softmax(1) @ symmetric(a)).gather(1, y[:, None])[:, 0]
    return (smoothed_cross_entropy(logits, y, a) - smeared).abs().max().item()


def off_backward(a: float = 0.3) -> float:
    """Between backward correction for T and smoothing by -a / (1 - a)."""
    logits, y = random_logits()
    corrected = backward_corrected(logits, y, symmetric(a).inverse())
    return (corrected - smoothed_cross_entropy(logits, y, -a / (1 - a))).abs().max().item()


def off_infinite_batch(a: float = 0.3) -> float:
    """Between H_alpha and smoothing by alpha / (1 + alpha)."""
    logits, y = random_logits()
    alpha, every = a / (1 - a), -logits.log_softmax(1).mean(1)
    limit = (cross_entropy(logits, y) + alpha * every) / (1 + alpha)
    return (limit - smoothed_cross_entropy(logits, y, a)).abs().max().item()
