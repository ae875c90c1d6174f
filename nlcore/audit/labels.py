"""The audit: which labels of a data set to doubt, how many are wrong, and a report to look at."""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from ..data.own import check_outside
from ..data.prepared import KNOWN
from ..files import check_own, check_writable, free, sha256, whole, write_whole
from ..inputs import counted, few, require
from ..models import check as check_model
from . import report, signals
from .examples import Examples, changed, read
from .folds import Plan, Seen, key_of, mentored, predicted, seconds_of, steps_of
from .predictions import own_predictions
from .reviewed import checked as read_checked
from .reviewed import corrected
from .twins import MOST, nearness, twins

USUAL = Plan()
WRITTEN = ("labels.csv", "summary.json", "report.html")  # into the folder of an audit
CUTS = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


class Known(NamedTuple):
    """Examples whose labels somebody has checked, and their true classes, (m,) each; how many more were checked and are
    to be removed; and how many of these labels had been corrected before, None if the data were never relabelled."""

    index: np.ndarray
    true: np.ndarray
    removed: int = 0
    corrected: int | None = None


class Found(NamedTuple):
    """What an audit has found."""

    table: pd.DataFrame  # a row for each label, the most doubtful first
    summary: dict
    twins: list[tuple[int, int]]  # pairs of examples that are nearly alike, with different labels


def _silent(line: str) -> None:
    """Say nothing."""


def audit(
    data: str | Path,
    out: Path | None = None,
    plan: Plan = USUAL,
    side=32,
    probabilities=None,
    checked=None,
    echo=_silent,
) -> tuple[Found, Path]:
    """Which labels of DATA to doubt. `out` (default: a folder audit-NAME here) gets `labels.csv`, `summary.json` and
    `report.html`; a fold of training that is there already is not made again. `probabilities` is a file of one's own
    predictions (N, K) for examples that the model had not seen; `checked` a table of those whose true label is known.
    `echo` is called with what to say on the way. Returns what was found, and the folder. A `UserError` says what is
    wrong with any of these."""
    data = os.fspath(data)
    out, probabilities, checked = (path and Path(path) for path in (out, probabilities, checked))
    require(8 <= side <= 512, f"--side must be between 8 and 512 pixels, not {side}")
    require(plan.steps >= 0 and plan.seed >= 0, "--steps and --seed must be 0 or more")
    require(bool(data.strip()), "DATA is the path of a folder, an .npz or a table, not an empty text")
    require("\0" not in f"{data}{out}", "a path has no character of number 0")
    place = Path(data).expanduser()
    name = place.resolve().name if place.is_dir() else place.stem
    out = Path(f"audit-{name or 'data'}") if out is None else out
    whole_place = data if data in KNOWN else str(place.resolve())
    _check_out(out, place, whole_place)
    found = read(data, side)
    for line in [*found.said, *(f"left out: {line}" for line in found.left_out[:10])]:
        echo(line)
    known = _known(checked, found, place) if checked else Known(np.empty(0, int), np.empty(0, int))
    files = pd.DataFrame({"row": found.row, "file": found.file, "given": np.array(found.classes)[found.given]})
    seen = (
        own_predictions(probabilities, found, files, out, echo) if probabilities else _predicted(found, plan, out, echo)
    )
    weight = _weight(found, known, plan, echo)
    if moved := changed(found):
        told = f"changed or removed since they were read, so what is said is of what they were: {few(moved)}"
        echo(told)
        found.said.append(told)
    made = _judged(found, seen, known, weight, plan)
    made.summary["place"] = whole_place
    _write(made, out, echo)
    write_whole(out / "report.html", report.page(found, made.table, made.summary, made.twins))
    return made, out


def _check_out(out: Path, place: Path, whole_place: str) -> None:
    """Refuse a folder that lies in the data, cannot be written, or has the audit of other data."""
    check_outside(out, place)
    check_writable(out, "choose another folder with --out")
    own = _told(out / "summary.json", "labels_sha256") or any((out / "folds").glob(f"{16 * '[0-9a-f]'}-*.npz"))
    check_own(out, WRITTEN, bool(own), "audit")
    before = _told(out / "summary.json", "place")
    others = before not in ("", whole_place) and (before in KNOWN or Path(before).exists())
    require(not others, f"{out} has the audit of {before}; choose another --out for that of {place}")


def _write(made: Found, out: Path, echo) -> None:
    """Write the table and the summary. A table that somebody has written into since it was made is moved aside, and so
    is all of an audit of data that were elsewhere and are not there now: other data, or these before they were moved.
    """
    path, told = out / "labels.csv", out / "summary.json"
    before = _told(told, "place")
    if before not in ("", made.summary["place"]):
        for name in WRITTEN:
            if (old := out / name).exists():
                old.rename(free(old.with_stem(f"{old.stem}-before")))
        echo(f"{out} had the audit of {before}, which is not there now; it is kept beside, as labels-before.csv")
    if path.exists() and sha256(path) != _told(told, "labels_sha256"):
        aside = free(out / "labels-edited.csv")
        path.rename(aside)
        echo(f"{path} is not as the last audit wrote it; it is kept as {aside.name}")
    table = made.table.to_csv(index=False).encode()
    digest = hashlib.sha256(table).hexdigest()  # is told first: a table without it would be somebody else's
    write_whole(told, json.dumps(made.summary | {"labels_sha256": digest}, indent=1) + "\n")
    with whole(path) as part:
        part.write_bytes(table)


def _told(summary: Path, name: str) -> str:
    """What the last audit of a folder says, such as the SHA-256 that its table had; nothing where no summary does."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(summary.read_text())[name])
    return ""


def _predicted(found: Examples, plan: Plan, out: Path, echo) -> Seen:
    """Predictions by cross-validation, after a word on how long that takes."""
    N, images = len(found.given), found.x.ndim == 4
    require(
        2 <= plan.folds <= N // 2, f"folds must be between 2 and {N // 2}, half of the {N} examples, not {plan.folds}"
    )
    keep = out / "folds"
    if images:
        check_model(plan.model, found.x.shape[1:], found.K, 128)
        kept = len([*keep.glob(f"{key_of(found.x, found.given, plan)}-*.npz")])
        if kept < plan.folds:
            left = seconds_of(found.x, found.given, found.K, plan) * (plan.folds - kept) / plan.folds
            steps = steps_of(plan, N * (plan.folds - 1) // plan.folds)
            echo(f"{counted(N, 'label')}: {plan.folds - kept} trainings of {steps} steps, about {_minutes(left)}")
    return predicted(found.x, found.given, found.K, plan, keep, echo)


def _minutes(seconds: float) -> str:
    """A time in words."""
    return f"{seconds / 60:.0f} minutes" if seconds > 90 else counted(max(round(seconds), 1), "second")


def _weight(found: Examples, known: Known, plan: Plan, echo) -> np.ndarray | None:
    """The weights of a mentor, if there are checked labels of images, right ones and wrong ones."""
    right = found.given[known.index] == known.true
    if not len(right) or found.x.ndim != 4:
        return None
    if right.all() or not right.any():
        echo(f"all {len(right)} checked labels are {'right' if right.all() else 'wrong'}: a mentor needs some of both")
        return None
    echo(f"one more training, for a mentor that learns from {len(right)} checked labels")
    return mentored(found.x, found.given, found.K, known.index, known.true, plan)


def _judged(found: Examples, seen: Seen, known: Known, weight: np.ndarray | None, plan: Plan) -> Found:
    """The ranked table and what is said of all labels."""
    p, given, names = seen.probability, found.given, np.array(found.classes, dtype=object)
    doubts = signals.doubts(seen, given, weight)
    score = signals.together(doubts)
    estimate, low, high = signals.rate(p, given)
    count = round(estimate * len(given))
    if estimate == 0:  # no data set drawn from one without wrong labels has any, however small it is
        high = max(high, _wilson(0, len(given))["high"])
    table = pd.DataFrame({"row": found.row, "file": found.file, "given": names[given]})
    table["suggested"] = names[signals.suggested(p, given)]
    table["score"] = score.round(4)
    for name, signal in doubts.items():
        table[name] = signal.round(4)
    table["agree"] = signals.agreement(doubts, count)
    table["checked"] = ""
    table.loc[known.index, "checked"] = names[known.true]
    order = np.argsort(-score, kind="stable")
    pairs, like_others = twins(found.x, given)
    summary = _summary(found, doubts, known, plan) | {
        "agreement": round(float((p.argmax(1) == given).mean()), 4),
        "rate": {"estimate": round(estimate, 4), "low": round(low, 4), "high": round(high, 4)},
        "wrong_labels": count,
        "matrix": signals.transition(signals.joint(p, given)).round(4).tolist(),
        "cuts": _cuts(doubts["matrix"][order], given[order], known, order),
        "twins": like_others,
        "twins_are": _alike(found.x),
    }
    return Found(table.iloc[order].reset_index(drop=True), summary, pairs)


def _alike(x: np.ndarray) -> str:
    """Which examples are compared as twins."""
    if nearness(x):
        return "nearly alike"
    return f"equal (nearly equal ones are looked for among {MOST:,} images at most)" if x.ndim == 4 else "equal"


def _summary(found: Examples, doubts: dict, known: Known, plan: Plan) -> dict:
    """What was audited, and how."""
    missing = [name for name in signals.SAID if name not in doubts]
    checked = int((found.given[known.index] != known.true).sum())
    return {
        "data": found.name,
        "labels": len(found.given),
        "classes": found.classes,
        "said": found.said,
        "left_out": found.left_out,
        "folds": plan.folds,
        "model": plan.model if found.x.ndim == 4 else "gradient boosted trees",
        "signals": [*doubts],
        "missing": missing,
        "checked": {
            "labels": len(known.index),
            "wrong": checked,
            "removed": known.removed,
            "relabelled": known.corrected is not None,
            "corrected": known.corrected or 0,
        }
        | ({} if known.corrected else _share_of_wrong(checked, known)),
    }


def _share_of_wrong(wrong: int, known: Known) -> dict[str, float]:
    """A 95 % interval of the share of wrong labels, if those that were checked were drawn at random. The labels of
    examples that are to be removed may be right or wrong; it holds either way."""
    count = len(known.index) + known.removed
    return _wilson(wrong, count) | {"high": _wilson(wrong + known.removed, count)["high"]} if count else {}


def _known(checked: Path, found: Examples, place: Path) -> Known:
    """What a table says of labels that somebody has checked."""
    index, true, removed = read_checked(checked, found, place)
    before = corrected(place)
    return Known(index, true, removed, None if before is None else int(np.isin(found.row[index], before).sum()))


def _wilson(wrong: int, count: int) -> dict[str, float]:
    """A 95 % interval (Wilson's) of a share of which a sample is known."""
    low, high = binomtest(wrong, count).proportion_ci(method="wilson")
    return {"low": round(float(low), 4), "high": round(float(high), 4)}


def _cuts(expected: np.ndarray, given: np.ndarray, known: Known, order: np.ndarray) -> list[dict]:
    """For the first k labels, the share that is expected to be wrong, and how many of those checked are. `expected` and
    `given` (N,) are in the `order` (N,) of the table."""
    truth = dict(zip(known.index.tolist(), known.true.tolist(), strict=True))
    rows = []
    for k in [k for k in CUTS if k < len(order)] + [len(order)]:
        looked = [i for i in range(k) if order[i] in truth]
        wrong = sum(int(truth[order[i]] != given[i]) for i in looked)
        rows.append(
            {"labels": k, "expected": round(float(expected[:k].mean()), 4), "checked": len(looked), "wrong": wrong}
        )
    return rows


def told(found: Found, out: Path) -> str:
    """What the command says at the end."""
    summary, rate = found.summary, found.summary["rate"]
    doubt = "" if summary["agreement"] >= report.SURE else ", by models that predict few of the labels"
    lines = [
        f"{counted(summary['labels'], 'label')}, {counted(len(summary['left_out']), 'example')} left out",
        f"estimated to be wrong{doubt}: {rate['estimate']:.1%} ({rate['low']:.1%} to {rate['high']:.1%})",
        f"{summary['twins_are']}, with different labels: {counted(summary['twins'], 'example')}",
        f"ranked labels: {out / 'labels.csv'}",
        f"report: {out / 'report.html'}",
        "next: list the labels that you correct in a table file,label, and say nlcore relabel",
    ]
    if "cleanlab" in summary["missing"]:
        lines.insert(3, "without the signal of cleanlab, which is not installed")
    return "\n".join(lines)
