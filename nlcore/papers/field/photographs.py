"""What chapter 13 shows of CIFAR-10: is what helps under drawn noise what helps with the labels that people gave?"""

import math
from functools import partial

import pandas as pd

from ... import words
from ...measures.evaluate import COMPARED, select
from ...runs import Run
from .. import texts
from ..effects import CORRELATION, Effect, estimate, in_words
from ..texts import NOT_RUN, WHEN
from .exhibits import KINDS, by_method, cell, seeds_of
from .experiments import ALL

WITHOUT_MATRIX = [name for name in ALL if name != "forward"]  # people's labels have no matrix to be told


def accuracy(history: pd.DataFrame, planned: list[Run]) -> pd.DataFrame:
    """Test accuracies by method under both rules, in a column for each noise. What was not run is empty."""
    columns, of = {}, partial(cell, planned=seeds_of(planned))
    for rule in COMPARED:
        rows = select(history, rule) if len(history) else history
        for noise, part in rows.groupby(texts.noise_of(rows), sort=False) if len(rows) else ():
            columns[WHEN[rule], noise] = part.groupby("method").test_accuracy.agg(of)
    return by_method(columns, planned)


def orders(photographs: pd.DataFrame, fashion: pd.DataFrame) -> pd.DataFrame:
    """Rank correlations of the accuracies of methods on photographs, of CIFAR-10, under each drawn noise: with those on
    Fashion-MNIST under noise of this kind and rate, unless both are the same data, and with those under people's
    labels. Over seeds in which all were run."""
    if not len(photographs):
        return pd.DataFrame({"rank correlation": [NOT_RUN]})
    both, table = {rule: chosen(photographs, fashion, rule) for rule in COMPARED}, {}
    said = texts.noise_of(photographs)
    here, elsewhere = (words.listed(rows.dataset.unique()) for rows in (photographs, fashion))
    people = where("human", photographs[photographs.noise.isin(KINDS["human"])].rate.max())
    for kind, rate in kinds_of(photographs[~photographs.noise.isin(KINDS["human"])]):
        others = {"people's labels": people}
        if elsewhere not in (here, ""):
            others = {f"the same on {elsewhere}": where(kind, rate, photograph=False)} | others
        this = photographs.noise.isin(KINDS[kind]) & (photographs.rate == rate)
        table[said[this].iloc[0]] = {
            (name, WHEN[rule]): correlation(rows, where(kind, rate), other)
            for name, other in others.items()
            for rule, rows in both.items()
        }
    return pd.DataFrame(table).T.rename_axis(f"noise on {here}")


def chosen(photographs: pd.DataFrame, fashion: pd.DataFrame, rule: str) -> pd.DataFrame:
    """The rows of both comparisons that a rule chooses; `photograph` says which are of CIFAR-10."""
    parts = [(photographs, True), (fashion, False)]
    return pd.concat([select(rows, rule).assign(photograph=own) for rows, own in parts if len(rows)])


def kinds_of(rows: pd.DataFrame) -> list[tuple[str, float]]:
    """Kind and rate of each noise of some rows, in the order of the kinds."""
    names = {noise: kind for kind, noises in KINDS.items() for noise in noises}
    found = {*zip(rows.noise.map(names), rows.rate, strict=True)}
    return sorted(found, key=lambda each: ([*KINDS].index(each[0]), each[1]))


def where(kind: str, rate: float, photograph: bool = True) -> dict:
    """Which rows are meant."""
    return {"noise": KINDS[kind], "rate": [rate], "photograph": [photograph]}


def correlation(rows: pd.DataFrame, one: dict, other: dict) -> str:
    """Of two orders of all methods, with its interval over seeds."""
    found = estimate(rows, Effect("", partial(alike, one=one, other=other), within=CORRELATION))
    return in_words(found, ".2f") if found else NOT_RUN


def alike(rows: pd.DataFrame, one: dict, other: dict) -> float:
    """The rank correlation of the accuracies of all methods that need no matrix; NaN where one was not run."""
    first, second = (rows[rows[[*at]].isin(at).all(axis=1)].set_index("method").test_accuracy for at in (one, other))
    whole = {*WITHOUT_MATRIX} <= {*first.index} & {*second.index}
    return first[WITHOUT_MATRIX].corr(second[WITHOUT_MATRIX], "spearman") if whole else math.nan
