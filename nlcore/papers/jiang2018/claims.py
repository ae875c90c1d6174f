"""The claims of Jiang et al. 2018, as predicates over a frame with a row per run."""

import pandas as pd
import torch

from ...methods.curriculum import linear, self_paced
from ...methods.mentor import Mentor, examples, imitate
from ...training.device import reproducible
from ..claims import Claim, Verdict, above, judged
from .experiments import burn_in, students, transfer


def named(frame: pd.DataFrame) -> pd.Series:
    """Which method a row has: a curriculum by its kind, mentors as PD, DD and DD from elsewhere."""
    nothing = pd.Series(index=frame.index, dtype=object)
    kind, source = frame.get("method_kind", nothing), frame.get("method_source", nothing).fillna("")
    mentor = kind.map({"pd": "PD", "data": "DD"}).where(source == "", "DD from " + source.str.partition("#")[0])
    return frame.method.mask(frame.method == "curriculum", kind).mask(frame.method == "mentornet", mentor)


def _of(frame: pd.DataFrame, name: str, rate: float, model: str | None = None) -> pd.Series:
    """Accuracies in points, one a seed, of a method at a rate of noise."""
    rows = frame[(named(frame) == name) & (frame.rate == rate)]
    return 100 * rows[rows.model == model if model else rows.model.notna()].test_accuracy


def ahead(frame: pd.DataFrame, a: str, b: str, rate: float, model: str | None = None) -> float | None:
    """Points that method `a` is ahead of `b`, on average over seeds; None if one was not run or networks differ."""
    high, low = _of(frame, a, rate, model), _of(frame, b, rate, model)
    return above(high, low)[0] if len(high) and len(low) and (model or frame.model.nunique() == 1) else None


def students_of(frame: pd.DataFrame) -> list[str]:
    """The big student and the small one, as the experiment lists them; of others the first counts as the big one."""
    found = [*frame.model.unique()]
    for size in students.tiers.values():
        if len(size["models"]) == 2 and {*size["models"]} == {*found}:
            return size["models"]
    return found


def _missing(*values) -> bool:
    return any(v is None for v in values)


def e1(frame: pd.DataFrame) -> Verdict:
    with reproducible(1, torch.device("cpu")), torch.no_grad():
        error, mentor = imitate("pd", steps=800)[1], imitate("self_paced", steps=400)[0]
        z, percent = examples(5000, mentor.steps)
        kept, wanted = mentor(z, torch.zeros_like(percent), percent) > 0, z[:, -1, 1] <= 0
        share = (kept == wanted).double().mean().item()
    return judged(
        {
            "PD: mean squared error below 0.01": error < 0.01,
            "self-paced: more than 97 % of the weights on the right side of a half": share > 0.97,
        }
    )


def e2(frame: pd.DataFrame) -> Verdict:
    v = torch.linspace(0, 1, 1001, dtype=torch.double)[:, None]
    loss = torch.linspace(0, 4, 37, dtype=torch.double)
    limit, found = 1.51, {}
    for name, curriculum, gamma in (("self-paced", self_paced, 0.0), ("linear", linear, 1.0)):
        objective = v * loss + gamma * v**2 / 2 - (limit + gamma) * v  # (1001 weights, 37 losses)
        best = v[objective.argmin(0), 0]
        off = (curriculum(loss, loss - limit, None) - best).abs().max().item()
        found[f"{name}: within {off:.4f} of the minimum of v l + G(v) on a grid of 0.001"] = off <= 5.1e-4
    return judged(found)


def e3(frame: pd.DataFrame) -> Verdict:
    found = {}
    for model, least in zip(students_of(frame), (8, 2), strict=False):
        dd, pd_ = ahead(frame, "DD", "PD", 0.4, model), ahead(frame, "PD", "ce", 0.4, model)
        if _missing(dd, pd_):
            return Verdict("not run", "needs DD, PD and the full model at 0.4")
        found[f"{model}: DD - PD {dd:+.1f}, PD - full model {pd_:+.1f} points, none below 0"] = min(dd, pd_) >= 0
        found[f"{model}: DD - full model {dd + pd_:+.1f} points, at least {least}"] = dd + pd_ >= least
    return judged(found)


def e4(frame: pd.DataFrame) -> Verdict:
    models = students_of(frame)
    gains = [ahead(frame, "DD", "ce", 0.4, model) for model in models]
    if len(models) != 2 or _missing(*gains):
        return Verdict("not run", "needs DD and the full model at 0.4 with two students")
    (big, small), (a, b) = models, gains
    return judged({f"DD - full model at 0.4: {a:+.1f} points with {big}, {b:+.1f} with {small}": a > b})


def e5(frame: pd.DataFrame) -> Verdict:
    found = {}
    for model in students_of(frame):
        good, weak = ahead(frame, "self_paced", "ce", 0.4, model), ahead(frame, "DD", "self_paced", 0.8, model)
        if _missing(good, weak):
            return Verdict("not run", "needs self-paced, DD and the full model at 0.4 and 0.8")
        found[f"{model}: self-paced - full model at 0.4 {good:+.1f} points, above 0"] = good > 0
        found[f"{model}: DD - self-paced at 0.8 {weak:+.1f} points, above 0"] = weak > 0
    return judged(found)


def e6(frame: pd.DataFrame) -> Verdict:
    gaps = {model: ahead(frame, "focal", "ce", 0.4, model) for model in students_of(frame)}
    if not gaps or _missing(*gaps.values()):
        return Verdict("not run", "needs focal and the full model at 0.4")
    most = 1.001  # a point: 74 - 73 per cent, as in the paper, is not exactly 1 when reckoned with shares
    return judged({f"{m}: focal - full model at 0.4 {g:+.1f} points, at most 1": g < most for m, g in gaps.items()})


def e7(frame: pd.DataFrame) -> Verdict:
    moved = [name for name in named(frame).unique() if name.startswith("DD from ")]
    rates = sorted(frame.rate.unique())
    gaps = {(name, rate): ahead(frame, name, "ce", rate) for name in moved for rate in rates}
    if not gaps or _missing(*gaps.values()):
        return Verdict("not run", "needs the full model and a mentor from another data set")
    at_home = {"DD from " + dataset.partition("#")[0] for dataset in frame.dataset.unique()}
    if at_home & {*moved}:
        return Verdict("not run", "the mentor comes from the same data set")
    return judged({f"{n} - full model at {r:g}: {g:+.1f} points, above 0": g > 0 for (n, r), g in gaps.items()})


def e8(frame: pd.DataFrame) -> Verdict:
    rows = frame[(named(frame) == "DD") & (frame.rate == 0.4)]
    if not len(rows):
        return Verdict("not run", "needs DD at 0.4")
    areas = rows.groupby("model").kept_auc.mean()
    return judged({f"{m}: area under the ROC curve of v {a:.2f}, above 0.8": a > 0.8 for m, a in areas.items()})


def e9(frame: pd.DataFrame) -> Verdict:
    """The rise of the error from its lowest point, since with few images it comes before the rate falls."""
    big = students_of(frame)[0]
    if ahead(frame, "DD", "ce", 0.4, big) is None:
        return Verdict("not run", "needs DD and the full model at 0.4")
    rows = frame[(frame.rate == 0.4) & (frame.model == big)]
    rise = 100 * (rows.peak - rows.test_accuracy).groupby(named(rows)).mean()
    return judged(
        {
            f"full model: error {rise['ce']:.1f} points above its lowest, at least 3": rise["ce"] >= 3,
            f"DD: error {rise['DD']:.1f} points above its lowest, below 1": rise["DD"] < 1,
        }
    )


def e10(frame: pd.DataFrame) -> Verdict:
    missing = Verdict("not run", "needs self-paced and DD without burn-in and with 0.2")
    if frame.model.nunique() != 1 or frame.rate.nunique() != 1 or "method_burn_in" not in frame:
        return missing
    means = 100 * frame.groupby(["method_kind", "method_burn_in"]).test_accuracy.mean()
    found = {}
    for kind, text in (("self_paced", "self-paced"), ("data", "DD")):
        if not {(kind, 0), (kind, 0.2)} <= {*means.index}:
            return missing
        gap = means[kind, 0.2] - means[kind, 0]
        found[f"{text}: {gap:+.1f} points by a burn-in of 0.2, above 0"] = gap > 0
    return judged(found)


def e11(frame: pd.DataFrame) -> Verdict:
    with reproducible(0, torch.device("cpu")), torch.no_grad():
        mentor = Mentor("paper")
        z, percent = examples(64, mentor.steps)
        label, order = torch.zeros_like(percent), torch.randperm(64)
        together, one = mentor(z, label, percent), mentor(z[:1], label[:1], percent[:1])
        permuted = mentor(z[order], label[order], percent[order])
    off, alone = (together[order] - permuted).abs().max().item(), (one - together[:1]).abs().max().item()
    return judged(
        {
            "permuting the batch permutes v": off < 1e-5,
            "a pair alone has the weight that it has in a batch": alone < 1e-5,
        }
    )


CLAIMS = [
    Claim("E1", "README", "A mentor learns a predefined curriculum from examples.", None, e1),
    Claim("E2", "Eq. 7", "v* minimises v l + G(v).", None, e2),
    Claim("E3", "Table 2", "At noise of 0.4 DD is at least as good as PD, and PD as the full model.", students, e3),
    Claim("E4", "Table 2", "The mentor helps a big student more than a small one.", students, e4),
    Claim("E5", "Table 2", "Self-paced learning helps at noise of 0.4, and falls behind DD at 0.8.", students, e5),
    Claim("E6", "Table 2", "Focal weights, which prefer hard pairs, do not help.", students, e6),
    Claim("E7", "Table 2", "A mentor learned on one data set helps on another.", transfer, e7),
    Claim("E8", "ours", "v tells right labels from wrong ones.", students, e8),
    Claim("E9", "Fig. 3", "The full model overfits, DD does not.", students, e9),
    Claim("E10", "text", "The burn-in matters.", burn_in, e10),
    Claim("E11", "identity", "The weight of a pair does not depend on its place in the batch.", None, e11),
]
