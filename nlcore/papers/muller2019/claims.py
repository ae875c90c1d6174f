"""What Müller et al. 2019 and Lukasik et al. 2020 claim, each with a predicate over one row per run."""

import pandas as pd
import torch

from ...losses import backward_corrected, cross_entropy, smoothed_cross_entropy
from ...noise import SymmetricExclusive
from ..claims import Claim, Verdict, above, judged
from .experiments import calibration, distillation, information, noise


def groups(frame: pd.DataFrame, column: str, **at) -> dict[float, pd.Series] | None:
    """Values of a column over seeds by smoothing a, 0 being cross entropy; None without both, or for more than one
    network."""
    if column not in frame or frame.model.nunique() != 1:
        return None
    rows = frame[frame.method.isin(["ce", "label_smoothing"])]
    for name, value in at.items():
        rows = rows[rows[name] == value]
    if "method_a" not in rows:
        return None
    found = dict(list(rows.groupby(rows.method_a.fillna(0.0))[column]))
    return found if 0 in found and max(found) > 0 else None


def by_a(frame: pd.DataFrame, column: str, **at) -> pd.Series | None:
    """The means of these groups."""
    found = groups(frame, column, **at)
    return pd.Series({a: values.mean() for a, values in found.items()}) if found else None


def usual(values) -> float:
    """The smoothing that a claim is about: the papers' 0.1 or, where somebody tries another, the least above 0."""
    return 0.1 if 0.1 in values else min(a for a in values if a > 0)


def means(frame: pd.DataFrame, *columns: str) -> list[pd.Series] | None:
    """Means of several columns by smoothing; None if one is missing."""
    found = [by_a(frame, column) for column in columns]
    return None if any(f is None for f in found) else found


NEEDS = Verdict("not run", "needs cross entropy and smoothing on clean labels, one network, and its analyses")


def d1(frame: pd.DataFrame) -> Verdict:
    if not (found := means(frame, "test_accuracy")):
        return NEEDS
    a = usual(found[0].index)
    gap = 100 * (found[0][a] - found[0][0])
    return judged({f"accuracy at a = {a:g} is {gap:+.1f} points from a = 0, within 1": abs(gap) <= 1})


def d2(frame: pd.DataFrame) -> Verdict:
    if not (found := means(frame, "ece")):
        return NEEDS
    best = found[0].drop(0).idxmin()
    text = f"ECE {found[0][best]:.3f} at a = {best:g}, at most half of {found[0][0]:.3f} at a = 0"
    return judged({text: found[0][best] <= found[0][0] / 2})


def d3(frame: pd.DataFrame) -> Verdict:
    if not (found := means(frame, "ece", "ece_scaled")):
        return NEEDS
    smooth, scaled = found[0].drop(0).min(), found[1][0]
    text = f"hard labels with temperature: ECE {scaled:.3f}, at most 0.02 above smoothing's {smooth:.3f}"
    return judged({text: scaled <= smooth + 0.02})


def d4(frame: pd.DataFrame) -> Verdict:
    if not (found := means(frame, "temperature", "ece")):
        return NEEDS
    best = found[1].drop(0).idxmin()
    T = found[0][best]
    text = f"the best temperature at a = {best:g} is {T:.2f}, between 0.8 and 1.25 (at a = 0: {found[0][0]:.2f})"
    return judged({text: 0.8 <= T <= 1.25})


def d5(frame: pd.DataFrame) -> Verdict:
    columns = [f"{what}_{part}" for part in ("train", "test") for what in ("tightness", "unequal")]
    if not (found := means(frame, *columns)):
        return NEEDS
    a, conditions = usual(found[0].index), {}
    for name, mean in zip(columns, found, strict=True):
        text = f"{name} {mean[0]:.3f} at a = 0, at least a tenth less at {a:g} ({mean[a]:.3f})"
        conditions[text] = mean[a] <= 0.9 * mean[0]
    return judged(conditions)


def students(frame: pd.DataFrame, rate: float) -> tuple[dict, dict] | None:
    """Test errors in percent over seeds of the teachers, and of their students at temperature 1, by the teacher's a."""
    rows = frame[(frame.method == "distillation") & (frame.rate == rate)]
    rows = rows[rows.method_temperature == 1] if len(rows) else rows
    if not len(rows) or 0 not in {*rows.method_a} or rows.method_a.max() <= 0 or frame.model.nunique() > 1:
        return None
    teachers = {a: 100 * (1 - same.first_test_accuracy) for a, same in rows.groupby("method_a")}
    return teachers, {a: 100 * (1 - same.test_accuracy) for a, same in rows.groupby("method_a")}


def d6(frame: pd.DataFrame) -> Verdict:
    found = students(frame, 0)
    if found is None:
        return Verdict("not run", "needs students of hard and of smoothed teachers on clean labels")
    a = usual(found[0])
    teacher, student = ({at: values.mean() for at, values in part.items()} for part in found)
    text = f"the smoothed teacher errs no more: {teacher[a]:.2f} % against {teacher[0]:.2f} %"
    conditions = {text: teacher[a] <= teacher[0]}
    text = f"its student at temperature 1 errs at least a tenth more: {student[a]:.2f} % against {student[0]:.2f} %"
    return judged(conditions | {text: student[a] >= 1.1 * student[0]})


def d7(frame: pd.DataFrame) -> Verdict:
    if not (found := groups(frame, "information")):
        return NEEDS
    a = usual(found)
    gap, error = above(found[0], found[a])
    text = f"at the end of training {found[a].mean():.2f} nats at a = {a:g}, less than {found[0].mean():.2f} at a = 0"
    return judged({f"{text} by more than a standard error ({gap:.3f}, {error:.3f})": gap > error})


def d8(frame: pd.DataFrame) -> Verdict:
    smooth = by_a(frame, "test_accuracy", rate=0.2)
    other = frame[frame.rate == 0.2].groupby("method").test_accuracy.mean()
    if smooth is None or not {"forward", "backward"} <= {*other.index}:
        return Verdict("not run", "needs smoothing, forward and backward correction under symmetric noise of 0.2")
    a = usual(smooth.index)
    gain, forward, backward = (100 * (mean - smooth[0]) for mean in (smooth[a], other["forward"], other["backward"]))
    conditions = {f"smoothing by {a:g} gains at least 1 point ({gain:+.1f})": gain >= 1}
    conditions[f"forward correction gains ({forward:+.1f})"] = forward > 0
    conditions[f"backward correction loses ({backward:+.1f})"] = backward < 0
    return judged(conditions)


def d9(frame: pd.DataFrame) -> Verdict:
    found = students(frame, 0.2)
    if found is None:
        return Verdict("not run", "needs students of hard and of smoothed teachers under symmetric noise of 0.2")
    student, a = found[1], usual(found[1])
    gap, error = above(student[0], student[a])
    text = f"under noise the student of a smoothed teacher errs less, {student[a].mean():.2f} % against"
    text += f" {student[0].mean():.2f} %, by more than a standard error ({gap:.2f}, {error:.2f})"
    return judged({text: gap > error})


def d10(frame: pd.DataFrame) -> Verdict:
    found = by_a(frame, "test_accuracy", rate=0.6)
    if found is None or not {0.1, 0.8} <= {*found.index} or found.index.min() >= 0:
        return Verdict("not run", "needs a = 0.1, 0.8 and a negative one under symmetric noise of 0.6")
    told = ", ".join(f"{a:g}: {v:.1%}" for a, v in found.items())
    conditions = {f"at 0.6 a = 0.8 is no better than a = 0.1 ({told})": found[0.8] <= found[0.1]}
    ahead = found[found.index < 0].max() - found[found.index > 0].max()
    text = f"the best negative a is at most 1 point below the best positive one ({100 * ahead:+.1f})"
    return judged(conditions | {text: ahead >= -0.01})


def d11(_: pd.DataFrame) -> Verdict:
    """On random logits, in double precision; T is that of symmetric noise, as the noise model states it."""
    draw, K, a = torch.Generator().manual_seed(0), 10, 0.3
    logits = 3 * torch.randn(256, K, generator=draw, dtype=torch.double)
    y, T = torch.randint(K, (256,), generator=draw), torch.from_numpy(SymmetricExclusive(a * (K - 1) / K).matrix(K))
    each, row = -logits.log_softmax(1), torch.arange(256)
    smooth = {v: smoothed_cross_entropy(logits, y, v) for v in (a, -a / (1 - a))}
    found = {"smoothing is T on the losses": torch.allclose(smooth[a], (each @ T)[row, y])}
    back = backward_corrected(logits, y, T.inverse())
    found["backward correction for T is smoothing by -a / (1-a)"] = torch.allclose(back, smooth[-a / (1 - a)])
    alpha = a / (1 - a)
    H = cross_entropy(logits, y) / (1 + alpha) + alpha / (1 + alpha) * each.mean(1)
    return judged(found | {"H_alpha is smoothing by alpha / (1 + alpha)": torch.allclose(smooth[a], H)})


LUKASIK = "Lukasik et al."
TOGETHER = "Smoothing draws classes together, as far from one wrong template as from another."
CLAIMS = [
    Claim("D1", "Table 2", "Smoothing leaves accuracy on clean labels as it is.", calibration, d1),
    Claim("D2", "Table 3", "Smoothing calibrates: ECE falls by far.", calibration, d2),
    Claim("D3", "Table 3", "So does temperature scaling of a network trained on hard labels.", calibration, d3),
    Claim("D4", "text", "A smoothed network needs no temperature.", calibration, d4),
    Claim("D5", "Fig. 1", TOGETHER, calibration, d5),
    Claim("D6", "Fig. 5", "A smoothed teacher is no worse, its student is.", distillation, d6),
    Claim("D7", "Fig. 6", "Logits of a smoothed network tell less of the image.", information, d7),
    Claim("D8", LUKASIK, "Under 20 % noise smoothing gains, backward correction loses.", noise, d8),
    Claim("D9", LUKASIK, "Under noise a smoothed teacher helps its student.", distillation, d9),
    Claim("D10", "Wei et al.", "At much noise large a stops helping, negative a keeps up.", noise, d10),
    Claim("D11", LUKASIK, "Smoothing and backward correction are inverse smearings; H_alpha is smoothing.", None, d11),
]
