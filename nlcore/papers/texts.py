"""Numbers and circumstances as texts, for the sentences and the captions of all chapters."""

import math
from collections.abc import Callable

import pandas as pd

from .. import words
from ..inputs import lookup, require
from .effects import Effect, estimate, in_words

NOT_RUN = "(not run)"
# the rules of selection in words
WHEN = {
    "last": "last evaluation",
    "noisy validation": "chosen by noisy validation",
    "clean validation": "chosen by clean validation",
    "best on test (leaks)": "best on the test set (a leak)",
}


def number(value: float | None, form: str = ".1f") -> str:
    """A number as text; `(not run)` where there is none."""
    return NOT_RUN if value is None or math.isnan(value) else decimal(value, form)


def decimal(value: float, form: str = ".1f") -> str:
    """A number as text. A tie such as 80.85, which a mean has but for its last digits, is rounded alike in a
    sentence and in the table beside it."""
    return format(round(value, 6), form)


def interval(rows: pd.DataFrame, of: Callable, form: str = "+.1f", missing: str = NOT_RUN, factor: bool = False) -> str:
    """An effect of the rows of each seed with its interval over seeds, whose ends bear no plus sign; `missing` where it
    was not run."""
    found = estimate(rows, Effect("", of, factor=factor)) if len(rows) else None
    return in_words(found, form, form.removeprefix("+")) if found else missing


APART = ("dataset", "images", "model", "noise", "rate", "alpha", "delta", "method")


def seeds(rows: pd.DataFrame) -> str:
    """How many seeds there are; "up to" so many, where some setting that a table may tell apart has fewer."""
    apart = [name for name in APART if name in rows]
    fewest = rows.groupby(apart, dropna=False).seed.nunique().min() if apart else 0
    count = rows.seed.nunique()
    return "one seed" if count == 1 else f"{count} seeds" if fewest == count else f"up to {count} seeds"


def data_and_network(rows: pd.DataFrame) -> list[str]:
    """What was trained on what."""
    return [words.listed(rows.dataset.unique()), words.listed(rows.model.unique())]


def circumstances(parts: list[str], rows: pd.DataFrame, tier: str, rule: str = "") -> str:
    """What rows rest on, for a caption: the parts, then tier, rule and seeds."""
    told = ", ".join([*parts, f"tier {tier}", *([WHEN[rule]] if rule else []), seeds(rows)])
    return told[0].upper() + told[1:]


def of_growing(rows: pd.DataFrame, tier: str, rule: str = "") -> str:
    """What rows rest on, for a caption, as far as there are any: data, images, network, tier, rule and seeds."""
    if not len(rows):
        return "Not run yet"
    data, network = data_and_network(rows)
    images = " to ".join(f"{count:,.0f}" for count in sorted({rows.images.min(), rows.images.max()}))
    return circumstances([f"{data} ({images} images)", network], rows, tier, rule)


def noise_of(rows: pd.DataFrame) -> pd.Series:
    """The noise of each row in words, as `symmetric 0.6`; clean labels have no rate."""
    kinds = rows.noise.map(lambda name: words.said(name).split(" (")[0])
    return (kinds + rows.rate.map(" {:g}".format)).where(rows.noise != "clean", "clean labels")


def one_network(names: list[str], of: str = "methods") -> list[str]:
    """The networks that a reader asks for: at most one, since methods or targets are compared on the same."""
    require(len(names) <= 1, f"this chapter compares {of} on one network; name one, not {', '.join(names)}")
    return names


def compared(names: list[str], known: list[str], always: set[str]) -> list[str]:
    """The methods that a reader asks for, with those that the others are held against, in the order of the table of
    `known` ones; none for none. A `UserError` if a name is not one of the table's."""
    for name in names:
        lookup("method", name, known)
    return [name for name in known if name in {*names, *always}] if names else []
