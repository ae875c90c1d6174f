"""The numbers that sentences of chapter 13 name, as texts: `(not run)` where they are missing. Accuracies are in
percent, leads in points with their 95 % intervals, paired by seed."""

from functools import partial

import pandas as pd

from ... import words
from ...measures.evaluate import select
from ...noise import InstanceDependent
from ...runs import Run
from ..effects import ahead, in_words, mean, points
from ..texts import NOT_RUN, interval, number
from .exhibits import (
    COLUMNS,
    HONEST,
    KINDS,
    NOISES,
    complete,
    gains,
    labels_of_digits,
    mean_of_images,
    seeds_of,
    shared_mistakes,
    sure,
)
from .experiments import ALL


def numbers(history: pd.DataFrame, planned: list[Run]) -> dict[str, str]:
    """All numbers, of the comparison (a row per run and evaluation) and of what was planned."""
    return compared(history, planned) | of_digits()


def compared(history: pd.DataFrame, planned: list[Run]) -> dict[str, str]:
    """The numbers of a comparison."""
    said = {"runs": complete(history, planned), "left": left_out(history, planned)}
    said["trusted"] = str(max(run.trusted for run in planned))
    for rule in HONEST:
        chosen, of = select(history, rule) if len(history) else pd.DataFrame(columns=COLUMNS), rule.split()[0]
        for word, (kind, rate) in NOISES.items():
            under = chosen.noise.isin(KINDS[kind]) & (chosen.rate == rate)
            rows = chosen.loc[under, ["seed", "method", "test_accuracy"]]  # copied for every effect, so no more of them
            said[f"plain_{word}_{of}"] = number(points(rows, method="ce"))
            for method in ALL[1:]:  # all but cross entropy
                said[f"at_{method}_{word}_{of}"] = number(points(rows, method=method))
                said[f"{method}_{word}_{of}"] = interval(rows, partial(ahead, a=method, b="ce"))
    for word, (kind, rate) in NOISES.items():
        for method in ("ce", "mixup"):
            last = select(history) if len(history) else history
            share = mean(last, "train_wrong", method=method, noise=KINDS[kind], rate=rate)
            said[f"memorised_{method}_{word}"] = number(100 * share)
    return said | counted(history, planned)


def left_out(history: pd.DataFrame, planned: list[Run]) -> str:
    """How many of the planned runs are not made."""
    return str(len({run.key for run in planned} - {*history.key}))


def counted(history: pd.DataFrame, planned: list[Run]) -> dict[str, str]:
    """How many methods there are, how many were run under each noise that sentences speak of with all seeds, and how
    many of their intervals are on which side of 0, and which of these methods gains most."""
    said, seeds, found = {}, seeds_of(planned), gains(history, HONEST)
    said["methods"] = str(len({run.spec()["method"]["name"] for run in planned}) - 1)
    for word, (kind, rate) in NOISES.items():
        part = found[found.noise.isin(KINDS[kind]) & (found.rate == rate) & (found.seeds == seeds)]
        for rule in HONEST:
            own, of = part[part.rule == rule], rule.split()[0]
            said[f"whole_{word}"] = str(len(own))
            said[f"better_{word}_{of}"] = str(int((own.low > 0).sum()))
            said[f"worse_{word}_{of}"] = str(int((own.high < 0).sum()))
            most = own.loc[own.effect.idxmax()] if len(own) else None
            said[f"best_{word}_{of}"] = NOT_RUN if most is None else words.method(most.method)
            said[f"gain_{word}_{of}"] = NOT_RUN if most is None else in_words(most, "+.1f", ".1f")
    return said


def of_digits(rate: float = 0.4) -> dict[str, str]:
    """Instance-dependent noise on the embedded digits, and labels drawn from its mean matrix."""
    noise = InstanceDependent(rate)
    said = {"sure": f"{sure(noise):.0f}"}
    for word, of in (("image", noise), ("drawn", mean_of_images(noise))):
        true, given = labels_of_digits(of)
        said[f"digits_wrong_{word}"] = f"{100 * (given != true).mean():.0f}"
        said[f"digits_shared_{word}"] = f"{shared_mistakes(true, given):.0f}"
    return said
