"""The numbers that sentences of chapter 10 name, as texts: `(not run)` where they are missing. Accuracies are in
percent, leads in points with their 95 % intervals, paired by seed."""

from functools import partial

import numpy as np
import pandas as pd

from ...measures.evaluate import COMPARED, curve_numbers, select
from ...noise import HumanMatrix, draw
from ...noise.human import stand_in
from ..effects import ahead, mean, points
from ..texts import NOT_RUN, interval, number
from .exhibits import facts, same_wrong_neighbours, wrong
from .measured import DRAWN, MOST_WRONG, PEOPLE, lead, lost

LEADS = ("gce", "truncated", "label_smoothing", "soft_bootstrap", "forward_estimated", "trusted_only", "glc", "l2rw")
LEADS += ("mentornet", "fasten")


def numbers(tables: dict[str, pd.DataFrame]) -> dict[str, str]:
    """All numbers, of the experiments of the chapter by name (a row per run and evaluation)."""
    said = of_labels() | of_digits() | of_twins(tables["twins"]) | of_methods(tables["cifar10n"])
    return said | of_hundred(tables["cifar100n"])


def of_labels() -> dict[str, str]:
    """What was counted on the labels themselves."""
    told = facts()
    said = {f"wrong_{name}": f"{100 * wrong(told, name):.1f}" for name in told["sets"]}
    three, votes = told["three"], told["votes"]
    for place, word in enumerate(("none", "one", "two", "three")):
        said[f"{word}_wrong"] = f"{100 * three['wrong'][place]:.1f}"
        said[f"{word}_if_drawn"] = f"{100 * three['wrong_if_drawn'][place]:.1f}"
    for name in ("wrong_again", "same_wrong"):
        said[name], said[f"{name}_if_drawn"] = f"{100 * three[name]:.0f}", f"{100 * three[f'{name}_if_drawn']:.0f}"
    said |= {name: f"{100 * votes[name]:.1f}" for name in ("right", "majority", "all_right")}
    said |= {name: str(votes[name]) for name in ("fewest", "most")}
    half = sum(votes["tenths"][:5])
    hardest = int(np.argmin(votes["in_class"]))
    return said | {
        "below_half": str(half),
        "hardest_of_votes": told["classes"][hardest],
        "hardest_share": f"{100 * votes['in_class'][hardest]:.1f}",
    }


def of_digits() -> dict[str, str]:
    """The stand-in on the digits, and its drawn twin."""
    true, given = stand_in()
    drawn = draw(HumanMatrix("stand_in"), true, 10, 0).label
    return {
        "digits_wrong": f"{100 * (given != true).mean():.0f}",
        "drawn_wrong": f"{100 * (drawn != true).mean():.0f}",
        "near_given": f"{same_wrong_neighbours(given):.0f}",
        "near_drawn": f"{same_wrong_neighbours(drawn):.0f}",
    }


def judged(history: pd.DataFrame, rule: str = "last") -> pd.DataFrame:
    """A row per run; none where nothing was run."""
    return curve_numbers(history, rule) if len(history) else history


def of_twins(history: pd.DataFrame) -> dict[str, str]:
    """People's labels against drawn ones, by method, under both rules; what of the wrong ones is predicted."""
    said = {}
    for rule in COMPARED:
        rows, of = judged(history, rule), rule.split()[0]
        for method in ("ce", "gce", "forward_estimated", "glc", "mentornet", "fasten"):
            said[f"apart_{method}_{of}"] = interval(rows, partial(lost, method))
            for noise, word in ((PEOPLE, "people"), (DRAWN, "drawn")):
                at = {"method": method, "noise": noise, "labels": MOST_WRONG}
                said[f"{method}_{word}_{of}"] = number(points(rows, **at)) if len(rows) else NOT_RUN
                over = partial(ahead, a=method, b="ce", noise=noise, labels=MOST_WRONG)
                said[f"gain_{method}_{word}_{of}"] = interval(rows, over)
    rows = judged(history)
    for noise, word in ((PEOPLE, "people"), (DRAWN, "drawn")):
        at = {"method": "ce", "noise": noise, "labels": MOST_WRONG}
        for column in ("train_wrong", "wrong_mean"):
            said[f"{column}_{word}"] = number(100 * mean(rows, column, **at)) if len(rows) else NOT_RUN
    return said


def of_methods(history: pd.DataFrame) -> dict[str, str]:
    """How far methods are ahead of cross entropy on the worst labels, and what stopping saves."""
    said = {}
    for rule in COMPARED:
        rows, of = judged(history, rule), rule.split()[0]
        for method in LEADS:
            said[f"lead_{method}_{of}"] = interval(rows, partial(lead, method, "ce"))
        at = {"method": "ce", "noise": PEOPLE, "labels": MOST_WRONG}
        said[f"worst_ce_{of}"] = number(points(rows, **at)) if len(rows) else NOT_RUN
        said[f"clean_ce_{of}"] = number(points(rows, method="ce", noise="clean")) if len(rows) else NOT_RUN
    if not len(history):
        return said | {"gain_of_stopping": NOT_RUN}
    plain = history[(history.method == "ce") & (history.noise == PEOPLE) & history.labels.isin(MOST_WRONG)]
    both = [select(plain, rule).assign(chosen=rule) for rule in COMPARED] if len(plain) else [plain]
    stopping = partial(ahead, a="noisy validation", b="last", by="chosen")
    return said | {"gain_of_stopping": interval(pd.concat(both), stopping)}


def of_hundred(history: pd.DataFrame) -> dict[str, str]:
    """The lead of L_q and of FasTEN with a hundred classes, and how far both losses are after half of the steps."""
    said = {}
    for rule in COMPARED:
        rows, of = judged(history, rule), rule.split()[0]
        for method in ("gce", "fasten"):
            over = partial(ahead, a=method, b="ce", noise=PEOPLE, labels=["noisy", "stand_in"])
            said[f"hundred_{method}_{of}"] = interval(rows, over)
    half = history[history.step <= history.steps / 2] if len(history) else history
    for method in ("ce", "gce"):
        value = points(judged(half), method=method, noise=PEOPLE) if len(half) else None
        said[f"hundred_half_{method}"] = number(value)
    return said
