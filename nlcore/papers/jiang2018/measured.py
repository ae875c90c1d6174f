"""What the claims measure: numbers of the runs of one seed, a row for each."""

import math

import pandas as pd
import torch

from ...data import parted
from ...methods.curriculum import linear, self_paced
from ...methods.mentor import Mentor, examples, imitate
from ...training.device import reproducible
from ..effects import ahead, mean, points
from .experiments import students


def named(frame: pd.DataFrame) -> pd.Series:
    """Which method a row has: a curriculum by its kind, mentors as PD, DD and DD from elsewhere."""
    nothing = pd.Series(index=frame.index, dtype=object)
    kind, source = frame.get("method_kind", nothing), frame.get("method_source", nothing).fillna("")
    mentor = kind.map({"pd": "PD", "data": "DD"}).where(
        source == "", "DD from " + source.map(lambda name: parted(name)[0])
    )
    return frame.method.mask(frame.method == "curriculum", kind).mask(frame.method == "mentornet", mentor)


def students_of(frame: pd.DataFrame) -> list[str]:
    """The big student and the small one, as the experiment lists them; of others the first counts as the big one."""
    found = [*frame.model.unique()]
    for size in students.tiers.values():
        if len(size["models"]) == 2 and {*size["models"]} == {*found}:
            return size["models"]
    return found


def student(rows: pd.DataFrame, which: int) -> pd.DataFrame:
    """The rows of the big student (0) or of the small one (1), with what each method is called; none if it was not run,
    or with several numbers of trusted images."""
    found = students_of(rows)
    several = "trusted" in rows and rows.trusted[rows.trusted > 0].nunique() > 1
    model = found[which] if len(found) > which and not several else None
    return rows.assign(name=named(rows))[rows.model == model]


def ahead_with(which: int, a: str, b: str, rate: float, rows: pd.DataFrame) -> float:
    """Points that method `a` is ahead of `b` with a student."""
    return ahead(student(rows, which), a, b, by="name", rate=rate)


def helped_more(rows: pd.DataFrame) -> float:
    """Points that DD gains more with the big student than with the small one at 0.4."""
    big, small = (ahead_with(which, "DD", "ce", 0.4, rows) for which in (0, 1))
    return big - small


def moved_ahead(rows: pd.DataFrame) -> pd.Series:
    """Points that a mentor from another data set is ahead of the full model, by rate; none if it comes from the same
    data."""
    names = named(rows)
    moved = [name for name in names.unique() if name.startswith("DD from ")]
    at_home = {"DD from " + parted(dataset)[0] for dataset in rows.dataset.unique()}
    if not moved or at_home & {*moved}:
        return pd.Series(dtype=float)
    cells = [(name, rate) for name in moved for rate in sorted(rows.rate.unique())]
    return pd.Series({(name, rate): ahead_with(0, name, "ce", rate, rows) for name, rate in cells})


def told_apart(rows: pd.DataFrame) -> pd.Series:
    """The area under the ROC curve of DD's weights at 0.4, by student."""
    students = range(len(students_of(rows)))
    return pd.Series({which: mean(student(rows, which), "kept_auc", name="DD", rate=0.4) for which in students})


def rise(name: str, rows: pd.DataFrame) -> float:
    """Points that the error of the big student ends above its lowest, at 0.4."""
    at = {"name": name, "rate": 0.4}
    of = student(rows, 0)
    return 100 * mean(of, "peak", **at) - points(of, **at)


def gain_by_burn_in(kind: str, rows: pd.DataFrame) -> float:
    """Points by a burn-in of 0.2."""
    return ahead(rows, 0.2, 0, by="method_burn_in", method_kind=kind) if rows.rate.nunique() == 1 else math.nan


def error_of_imitation() -> float:
    """Mean squared error of a mentor that learned the predefined curriculum (PD)."""
    with reproducible(1, torch.device("cpu")), torch.no_grad():
        return imitate("pd", steps=800)[1]


def kept_alike() -> float:
    """Share of pairs that a mentor that learned self-paced weights puts on the right side of a half."""
    with reproducible(1, torch.device("cpu")), torch.no_grad():
        mentor = imitate("self_paced", steps=400)[0]
        z, percent = examples(5000, mentor.steps)
        kept, wanted = mentor(z, torch.zeros_like(percent), percent) > 0, z[:, -1, 1] <= 0
        return (kept == wanted).double().mean().item()


def off_the_minimum(kind: str) -> float:
    """How far a curriculum is from the minimum of v l + G(v) on a grid of 0.001."""
    curriculum, gamma = {"self_paced": (self_paced, 0.0), "linear": (linear, 1.0)}[kind]
    v = torch.linspace(0, 1, 1001, dtype=torch.double)[:, None]
    loss, limit = torch.linspace(0, 4, 37, dtype=torch.double), 1.51
    objective = v * loss + gamma * v**2 / 2 - (limit + gamma) * v  # (1001 weights, 37 losses)
    return (curriculum(loss, loss - limit, None) - v[objective.argmin(0), 0]).abs().max().item()


def off_by_place(alone: bool) -> float:
    """The largest difference of a mentor's weights when the batch is permuted or, `alone`, when a pair has no batch."""
    with reproducible(0, torch.device("cpu")), torch.no_grad():
        mentor = Mentor("paper")
        z, percent = examples(64, mentor.steps)
        label, order = torch.zeros_like(percent), torch.randperm(64)
        together = mentor(z, label, percent)
        if alone:
            return (mentor(z[:1], label[:1], percent[:1]) - together[:1]).abs().max().item()
        return (together[order] - mentor(z[order], label[order], percent[order])).abs().max().item()
