"""The numbers that sentences of chapter 7 name, as texts; `(not run)` where they are missing."""

import itertools
import math
from functools import partial

import pandas as pd

from ... import words
from ...measures.evaluate import select
from ..effects import ahead
from ..scoreboard import of_effects
from ..tables import published
from ..texts import interval, number
from .exhibits import WAYS
from .measured import ahead_with, named, student, students_of

RATES = (0.2, 0.4, 0.8)
STUDENTS = ("big", "small")
SEEN = {"accuracy": "test_accuracy", "wrong": "train_wrong", "kept": "kept", "right": "kept_precision"}
SEEN |= {"found": "kept_recall", "area": "kept_auc"}


def numbers(tables: dict[str, pd.DataFrame], effects: pd.DataFrame) -> dict[str, str]:
    """All numbers, of the experiments of the chapter by name (a row per run and evaluation) and of the effects that the
    claims are about. Those of a student are called `DD_big_4_accuracy`: method, student, tenths of noise, what."""
    history = tables["students"]
    said = of_effects(effects) | setting(history)
    said |= of_students(select(history, "last")) | by_noisy_validation(history)
    said |= of_parameter(tables["percentile"], "method_p", "p", (0.3, 0.5, 0.75, 0.9))
    said |= of_parameter(tables["burn_in"], "method_burn_in", "burn", (0.0, 0.1, 0.2, 0.4))
    said |= form_over_form(tables["forms"]) | of_focal_weights()
    return said | moved(tables["transfer"]) | budget(tables["budget"])


def setting(history: pd.DataFrame) -> dict[str, str]:
    """What was run."""
    names = [words.said(name) for name in students_of(history)]
    said = {"data": words.listed(history.dataset.unique()), "network": names[0], "small_network": names[-1]}
    share = history.groupby("rate").realised_rate.mean()
    said |= {f"right_of_100_{tenths(rate)}": number(100 * (1 - share.get(rate, math.nan)), ".0f") for rate in RATES}
    return said | {"trusted": f"{history.trusted.max():,}", "examples": f"{int(history.images.max()):,}"}


def tenths(rate: float) -> str:
    return f"{10 * rate:.0f}"


def of_students(rows: pd.DataFrame) -> dict[str, str]:
    """Means and gains on the full model, in percent and points, and the spread over seeds."""
    said = {}
    for which, name in enumerate(STUDENTS):
        part = student(rows, which)
        means, spread = (100 * part.groupby(["name", "rate"])[[*SEEN.values()]].agg(of) for of in ("mean", "std"))
        for way, rate in itertools.product(WAYS, RATES):
            key, there = f"{way}_{name}_{tenths(rate)}", (way, rate) in means.index
            found = means.loc[(way, rate)] if there else pd.Series(math.nan, index=[*SEEN.values()])
            said |= {f"{key}_{told}": number(found[column]) for told, column in SEEN.items()}
            full = means.test_accuracy.get(("ce", rate), math.nan)
            said[f"{key}_gain"] = number(found.test_accuracy - full, "+.1f")
            said[f"{key}_spread"] = number(spread.test_accuracy[(way, rate)] if there else math.nan)
    return said


def by_noisy_validation(history: pd.DataFrame) -> dict[str, str]:
    """The same accuracies, with the evaluation chosen by noisy validation; and how far the full model is ahead of DD
    then, at 0.8."""
    rows = select(history, "noisy validation")
    said = {f"{key}_noisy": value for key, value in of_students(rows).items()}
    return said | {"ce_over_DD_big_8_noisy": interval(rows, partial(ahead_with, 0, "ce", "DD", 0.8))}


def of_parameter(history: pd.DataFrame, column: str, name: str, values: tuple) -> dict[str, str]:
    """Accuracies by a parameter, as `p_DD_4_0.5` without its point, and how they scatter over seeds."""
    rows = select(history, "last")
    found = 100 * rows.groupby([named(rows), "rate", column]).test_accuracy.agg(["mean", "std"])
    said = {}
    for way, rate, value in itertools.product(WAYS, RATES, values):
        mean, spread = found.loc[(way, rate, value)] if (way, rate, value) in found.index else (math.nan, math.nan)
        key = f"{name}_{way}_{tenths(rate)}_{value}".replace(".", "")
        said |= {key: number(mean), f"{key}_spread": number(spread)}
    return said


def of_focal_weights() -> dict[str, str]:
    """Points that focal weights gain at 0.4 in the two tables of the authors, for the big student."""
    said = {}
    for where, whose in (("Table 2", "paper"), ("README", "code")):
        rows = published("jiang2018").query("dataset == 'cifar10' and model == 'wide_resnet' and at == 0.4")
        at = rows[rows["where"] == where].set_index("series").value
        said[f"focal_{whose}"] = number(at["method=focal"] - at["method=ce"], "+.1f")
    return said


def form_over_form(history: pd.DataFrame) -> dict[str, str]:
    """Points that the paper's form of the mentor is ahead of the released one at 0.4."""
    rows = select(history, "last")
    rows = rows.assign(name=named(rows))
    form_ahead = partial(ahead, a="paper", b="released", by="method_form", rate=0.4)
    return {f"form_{way}_gain": interval(rows, partial(form_ahead, name=way)) for way in ("PD", "DD")}


def moved(history: pd.DataFrame) -> dict[str, str]:
    """Accuracies with a mentor from elsewhere and from the data themselves."""
    rows = select(history, "last")
    rows = rows.assign(way=named(rows).str.replace(r"DD from .*", "moved", regex=True))
    found = 100 * rows.groupby(["way", "rate"]).test_accuracy.agg(["mean", "std"])
    said = {}
    for way, rate in itertools.product(("ce", "DD", "moved"), RATES):
        mean, spread = found.loc[(way, rate)] if (way, rate) in found.index else (math.nan, math.nan)
        said |= {f"{way}_{tenths(rate)}": number(mean), f"{way}_{tenths(rate)}_spread": number(spread)}
    return said


def budget(history: pd.DataFrame) -> dict[str, str]:
    """Accuracies and areas by the number of trusted labels."""
    rows = select(history, "last")
    found = 100 * rows.groupby("trusted")[["test_accuracy", "kept_auc"]].mean()
    spread = 100 * rows.groupby("trusted").test_accuracy.std()
    said = {}
    for count in (5, 25, 50, 125, 250, 500):
        here = found.loc[count] if count in found.index else pd.Series(math.nan, index=found.columns)
        said |= {f"with_{count}": number(here.test_accuracy), f"area_{count}": number(here.kept_auc)}
        said[f"with_{count}_spread"] = number(spread.get(count, math.nan))
    return said
