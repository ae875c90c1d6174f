"""Jiang et al. 2018, "MentorNet: Learning Data-Driven Curriculum for Very Deep Neural Networks on Corrupted Labels"
(arXiv 1712.05055)."""

from functools import partial

import pandas as pd
import torch

from .. import data
from ..inputs import lookup
from ..methods import CE, Curriculum, Forgetting, MentorNet, Method, SoftBootstrap
from ..methods.curriculum import linear, self_paced
from ..methods.mentor import Mentor, examples, imitate
from ..noise import Noise, SymmetricInclusive
from ..runs import Run
from ..training.device import reproducible
from .base import CIFAR, DIGITS, Experiment, compared
from .claims import Claim, Verdict, above, judged

# The released recipe: SGD with momentum from 0.1, divided by ten after 19,531, 25,000 and 30,000 of 39,000 steps,
# batches of 128. The smaller tiers start at 0.05 and keep those shares.
SGD = {"optimiser": "sgd", "weight_decay": 2e-4, "schedule": "steps", "milestones": (0.5, 0.64, 0.77)}
SGD |= {"evaluations": 25}
FASHION = {"dataset": "fashion", "models": ["conv_small"], "seeds": 3, "steps": 2000, "lr": 0.05, "examples": [5000]}
FASHION |= {"trusted": [500]}  # one in ten, as 5,000 of the 50,000 images of CIFAR-10
FAST = CIFAR | {"models": ["resnet32"], "steps": 16_000, "trusted": [5000]}
FULL = FAST | {"models": ["wide_resnet"], "steps": 39_000}
TOY = DIGITS | {"trusted": [100]}

ALL = {"methods": ["ce", "forgetting", "self_paced", "focal", "soft_bootstrap", "pd", "data"], "rates": [0.2, 0.4, 0.8]}
STUDENTS = {
    "smoke": TOY | ALL | {"rates": [0.4]},
    "laptop": FASHION | ALL | {"models": ["conv_small", "mlp1"]},
    "gpu": FAST | ALL | {"models": ["resnet32", "cifarnet"]},
    "paper": FULL | ALL | {"models": ["wide_resnet", "cifarnet"]},
}
MOVED = {"methods": ["ce", "data", "moved"], "rates": [0.4]}
TRANSFER = {
    "smoke": TOY | MOVED | {"source": "digits"},
    "laptop": FASHION | MOVED | {"source": "mnist", "rates": [0.4, 0.8]},
    "gpu": FAST | MOVED | {"source": "cifar10", "dataset": "cifar100"},
    "paper": FULL | MOVED | {"source": "cifar10", "dataset": "cifar100", "rates": [0.2, 0.4, 0.8]},
}
CHECKED = {"methods": ["data"], "rates": [0.4]}
BUDGET = {
    "smoke": TOY | CHECKED | {"trusted": [20, 100]},
    "laptop": FASHION | CHECKED | {"trusted": [5, 25, 50, 125, 250, 500]},
    "gpu": FAST | CHECKED | {"trusted": [50, 250, 500, 1250, 2500, 5000]},
    "paper": FULL | CHECKED | {"trusted": [50, 250, 500, 1250, 2500, 5000]},
}
START = {"methods": ["self_paced", "data"], "rates": [0.4], "burn_ins": [0, 0.1, 0.2, 0.4]}
BURN_IN = {
    "smoke": TOY | START | {"burn_ins": [0, 0.2]},
    "laptop": FASHION | START,
    "gpu": FAST | START,
    "paper": FULL | START,
}
BUILT = {"methods": ["pd", "data"], "rates": [0.4], "forms": ["released", "paper"]}
FORMS = {
    "smoke": TOY | BUILT | {"methods": ["data"]},
    "laptop": FASHION | BUILT,
    "gpu": FAST | BUILT,
    "paper": FULL | BUILT,
}
CUT = {"methods": ["self_paced", "pd"], "rates": [0.4, 0.8], "percentiles": [0.3, 0.5, 0.75, 0.9]}
PERCENTILE = {
    "smoke": TOY | CUT | {"rates": [0.4], "percentiles": [0.5, 0.7], "methods": ["self_paced"]},
    "laptop": FASHION | CUT | {"seeds": 2, "methods": ["self_paced"]},
    "gpu": FAST | CUT,
    "paper": FULL | CUT,
}

PLAIN = {"ce": CE, "forgetting": Forgetting, "soft_bootstrap": SoftBootstrap}
# p of the released commands by rate of noise; the others use 0.7
P = {"pd": {0.2: 0.75, 0.4: 0.75, 0.8: 0.5}, "data": {0.2: 0.8, 0.4: 0.6, 0.8: 0.5}}
P["moved"] = P["data"]


def percentile(name: str, rate: float) -> float:
    """p of a method at the nearest rate of noise that the commands name."""
    told = P.get(name)
    return told[min(told, key=lambda r: abs(r - rate))] if told else 0.7


def methods(size: dict, noise: Noise, K: int) -> list[Method]:
    """The methods of a size."""
    found = []
    for name in size["methods"]:
        lookup("method", name, [*PLAIN, "self_paced", "focal", "pd", "data", "moved"])
        if name in PLAIN:
            found.append(PLAIN[name]())
            continue
        kind = "data" if name == "moved" else name
        make = Curriculum if name in ("self_paced", "focal") else MentorNet
        for p in size.get("percentiles", [percentile(name, noise.rate)]):
            options = {"source": data.pin(size["source"])} if name == "moved" else {}
            forms = [{"form": form} for form in size.get("forms", ["released"])] if make is MentorNet else [{}]
            burn_ins = map(float, size.get("burn_ins", [0.2]))
            found += [make(kind, float(p), burn_in=b, **form, **options) for b in burn_ins for form in forms]
    return found


def grid(size: dict) -> list[Run]:
    """All methods at all rates of symmetric noise (inclusive; the paper's generator was never released)."""
    return compared(size, SGD, [SymmetricInclusive(float(r)) for r in size["rates"]], partial(methods, size))


students = Experiment("students", STUDENTS, "Table 2: seven ways to train two students", grid)
transfer = Experiment("transfer", TRANSFER, "a mentor from another data set", grid)
budget = Experiment("budget", BUDGET, "what the data-driven mentor costs in checked labels", grid)
burn_in = Experiment("burn_in", BURN_IN, "is the burn-in needed?", grid)
forms = Experiment("forms", FORMS, "the mentor of the paper and the released one", grid)
percentiles = Experiment("percentile", PERCENTILE, "p, the flag that is misspelt in every published command", grid)

EXPERIMENTS = [students, transfer, budget, burn_in, forms, percentiles]


def named(frame: pd.DataFrame) -> pd.Series:
    """Which method a row has: a curriculum by its kind, mentors as PD, DD and DD from elsewhere."""
    kind = frame.get("method_kind", pd.Series(index=frame.index, dtype=object))
    source = frame.get("method_source", pd.Series(index=frame.index, dtype=object)).fillna("")
    mentor = kind.map({"pd": "PD", "data": "DD"}).where(source == "", "DD from " + source.str.partition("#")[0])
    return frame.method.where(
        ~frame.method.isin(["curriculum", "mentornet"]), kind.where(frame.method != "mentornet", mentor)
    )


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
    orders = [size["models"] for size in STUDENTS.values() if len(size["models"]) == 2]
    return next((order for order in orders if {*order} == {*frame.model}), [*frame.model.unique()])


def _missing(*values) -> bool:
    return any(v is None for v in values)


def e1(frame: pd.DataFrame) -> Verdict:
    with reproducible(1, torch.device("cpu")), torch.no_grad():
        error, mentor = imitate("pd", steps=800)[1], imitate("self_paced", steps=400)[0]
        z, percent = examples(5000, mentor.steps)
        right = (mentor(z, torch.zeros_like(percent), percent) > 0) == (z[:, -1, 1] <= 0)
    found = {}
    found["PD: mean squared error below 0.01"] = error < 0.01
    share = right.double().mean().item()
    return judged(found | {"self-paced: more than 97 % of the weights on the right side of a half": share > 0.97})


def e2(frame: pd.DataFrame) -> Verdict:
    v = torch.linspace(0, 1, 1001, dtype=torch.double)[:, None]
    loss = torch.linspace(0, 4, 37, dtype=torch.double)
    limit, found = 1.51, {}
    for name, curriculum, gamma in (("self-paced", self_paced, 0.0), ("linear", linear, 1.0)):
        best = v[(v * loss + gamma * v**2 / 2 - (limit + gamma) * v).argmin(0), 0]
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
    gains = [ahead(frame, "DD", "ce", 0.4, m) for m in models]
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
    return judged({f"{m}: focal - full model at 0.4 {g:+.1f} points, at most 1": g < 1.001 for m, g in gaps.items()})


def e7(frame: pd.DataFrame) -> Verdict:
    moved = [n for n in named(frame).unique() if n.startswith("DD from ")]
    gaps = {(n, r): ahead(frame, n, "ce", r) for n in moved for r in sorted(frame.rate.unique())}
    if not gaps or _missing(*gaps.values()):
        return Verdict("not run", "needs the full model and a mentor from another data set")
    elsewhere = all(not n.endswith(f" {d.partition('#')[0]}") for n in moved for d in frame.dataset.unique())
    if not elsewhere:
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
    big, found = students_of(frame)[0], {}
    if ahead(frame, "DD", "ce", 0.4, big) is None:
        return Verdict("not run", "needs DD and the full model at 0.4")
    for name, text, good in (("ce", "full model", lambda x: x >= 3), ("DD", "DD", lambda x: x < 1)):
        rows = frame[(named(frame) == name) & (frame.rate == 0.4) & (frame.model == big)]
        rise = 100 * (rows.peak - rows.test_accuracy).mean()
        found[f"{text}: error {rise:.1f} points above its lowest, {'at least 3' if name == 'ce' else 'below 1'}"] = (
            good(rise)
        )
    return judged(found)


def e10(frame: pd.DataFrame) -> Verdict:
    found, kinds = {}, {"self_paced": "self-paced", "data": "DD"}
    one = frame.model.nunique() == frame.rate.nunique() == 1 and "method_burn_in" in frame
    means = 100 * frame.groupby(["method_kind", "method_burn_in"]).test_accuracy.mean() if one else {}
    for kind, text in kinds.items():
        if not {(kind, 0), (kind, 0.2)} <= {*getattr(means, "index", ())}:
            return Verdict("not run", "needs self-paced and DD without burn-in and with 0.2")
        gap = means[kind, 0.2] - means[kind, 0]
        found[f"{text}: {gap:+.1f} points by a burn-in of 0.2, above 0"] = gap > 0
    return judged(found)


def e11(frame: pd.DataFrame) -> Verdict:
    with reproducible(0, torch.device("cpu")), torch.no_grad():
        mentor = Mentor("paper")
        z, percent = examples(64, mentor.steps)
        label, order = torch.zeros_like(percent), torch.randperm(64)
        off = (mentor(z, label, percent)[order] - mentor(z[order], label[order], percent[order])).abs().max().item()
        alone = (mentor(z[:1], label[:1], percent[:1]) - mentor(z, label, percent)[:1]).abs().max().item()
    found = {"permuting the batch permutes v": off < 1e-5}
    return judged(found | {"a pair alone has the weight that it has in a batch": alone < 1e-5})


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
