"""Predictions that a user brings to an audit: their rows and their columns."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from ..data.tables import read_table
from ..files import free, write_whole
from ..inputs import UserError, few, require
from ..noise.counts import confusions
from .examples import Examples
from .folds import Seen

SURE = 0.05  # of all labels: so many more that agree are not by chance


def own_predictions(path: Path, found: Examples, files: pd.DataFrame, out: Path, echo) -> Seen:
    """Predictions (N, K) of the user's own, from an array of numpy.save with a row for each example in the order of
    `files.csv`, which is written first. A `UserError` says what is wrong with them."""
    _listed(path, files, out)
    require(path.is_file() or not path.exists(), f"{path} is no file")
    try:
        p = np.load(path, allow_pickle=False)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or 'it is cut off'})") from None
    except (ValueError, EOFError):
        raise UserError(f"{path} is no array without pickles, as numpy.save writes it") from None
    shape = (len(found.given), found.K)
    listed = len(found.given) + len(found.left_out)
    columns = f"its columns are {few(found.classes)}"
    good = isinstance(p, np.ndarray) and p.dtype.kind == "f" and p.shape in (shape, (listed, found.K))
    has = f"{p.dtype} {p.shape}" if isinstance(p, np.ndarray) else "several arrays"
    rows = f"its rows are those of {out / 'files.csv'}"
    require(good, f"{path} must be decimal numbers {shape}, not {has}; {rows}, {columns}")
    if len(p) != shape[0]:
        rows = f"its rows are all {listed:,} of {found.name}, also those that are left out"
    echo(f"{path}: {rows}, {columns}, in this order")
    p = p.astype(np.float64) if len(p) == shape[0] else p[found.row].astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(p).all(1) & (p >= 0).all(1) & (abs(p.sum(1) - 1) < 1e-3)))
    require(not len(bad), f"{path}: row {bad[:1]} is {p[bad[:1]]}, no probabilities: 0 or more, with the sum 1")
    _check_columns(path, p, found, echo)
    return Seen(p)


def _check_columns(path: Path, p: np.ndarray, found: Examples, echo) -> None:
    """Say how often the likeliest class is the given label. If columns in another order would agree far more often,
    say so, and refuse them where that is twice as often: classes may have been sorted as numbers and not as text."""
    N, agree = len(p), confusions(found.given, p.argmax(1), found.K)
    rows, order = linear_sum_assignment(agree, maximize=True)
    now, best = agree.trace() / N, agree[rows, order].sum() / N
    told = f"{path}: the likeliest class is the given label in {now:.0%} of the rows"
    if best - now > SURE:
        moved = few([f"{order[k] + 1} for {found.classes[k]}" for k in rows if order[k] != k], most=5)
        told += f"; it would be in {best:.0%} if columns stood in another order ({moved})"
    refused = best > 0.5 and now < best / 2
    require(not refused, f"{told}: its columns must be {few(found.classes)}, in this order")
    echo(told)


def _listed(path: Path, files: pd.DataFrame, out: Path) -> None:
    """Write the order in which predictions have a row for each example. What else was there is kept beside. A
    `UserError` if the order was another one before, for which the predictions may have been made."""
    order, text, same = out / "files.csv", files.to_csv(index=False), True
    if order.exists() and order.read_text(encoding="utf-8", errors="replace") != text:
        same = _same_order(read_table(order, ("row", "file", "given")), files)
        order.rename(free(out / ("files-edited.csv" if same else "files-before.csv")))
    write_whole(order, text)
    again = f"make {path} anew in the order of {order.name}, or say this again if it is in that order"
    require(same, f"the examples or their classes are not those that {order} listed before; {again}")


def _same_order(before: pd.DataFrame, now: pd.DataFrame) -> bool:
    """Whether two tables list the same examples, whatever their labels, and the same classes, which columns go by."""
    classes = {*before.given} == {*map(str, now.given)}
    return classes and [*before.row] == [*now.row.astype(str)] and [*before.file] == [*map(str, now.file)]
