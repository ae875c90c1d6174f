"""Kye et al. 2022, "Learning with Noisy Labels by Efficient Transition Matrix Estimation to Combat Label Miscorrection"
(FasTEN; arXiv 2111.14932)."""

from dataclasses import asdict
from functools import partial
from itertools import pairwise

import pandas as pd
import torch

from ..inputs import lookup
from ..methods import CE, GLC, L2RW, MSLC, DeepKNN, FasTEN, ForwardEstimated, Method, MLaC, MLoC, MWNet, TrustedOnly
from ..methods.fasten import estimated
from ..noise import AsymmetricCifar10, AsymmetricSuperclass, Noise, PairFlip, SymmetricInclusive
from ..runs import Run
from .base import CIFAR, DIGITS, Experiment, compared
from .claims import Claim, Verdict, above, judged
from .tables import published

# The released recipe: SGD with momentum from 0.1, divided by ten after 50 and 60 of 70 epochs, batches of 100 beside
# 100 trusted images. The smaller tiers start at 0.05 and keep those shares.
SGD = {"optimiser": "sgd", "weight_decay": 5e-4, "schedule": "steps", "milestones": (5 / 7, 6 / 7), "batch": 100}
SGD |= {"evaluations": 10}
FASHION = {"dataset": "fashion", "models": ["conv_small"], "seeds": 3, "steps": 1000, "lr": 0.05, "examples": [5000]}
FASHION |= {"trusted": [100]}  # one in fifty, as 1,000 of the 45,000 images of CIFAR-10
FAST = CIFAR | {"models": ["resnet18"], "steps": 15_400, "trusted": [1000]}
FULL = FAST | {"models": ["resnet34"], "steps": 30_800, "seeds": 5, "evaluations": 70}
TOY = DIGITS | {"trusted": [50], "steps": 200}

ALL = ["ce", "trusted_only", "forward_estimated", "glc", "l2rw", "mwnet", "mloc", "mlac", "mslc", "deep_knn", "fasten"]
TABLE = {"methods": ALL, "rates": [0.2, 0.4, 0.6, 0.8], "dependent": [0.2, 0.4]}
COMPARED = {
    "smoke": TOY | TABLE | {"rates": [0.6], "dependent": []},
    "laptop": FASHION | TABLE,
    "gpu": FAST | TABLE,
    "paper": FULL | TABLE,
}
MANY = {"dataset": "cifar100", "models": ["resnet34"]}
CIFAR100 = {
    "smoke": TOY | TABLE | {"methods": ["glc", "fasten"], "rates": [0.6], "dependent": []},
    "laptop": FASHION | TABLE | MANY | {"models": ["conv_small"], "examples": [20_000], "trusted": [400]},
    "gpu": FAST | TABLE | MANY | {"models": ["resnet18"]},
    "paper": FULL | TABLE | MANY,
}
COST = {tier: size | {"dependent": [], "rates": size["rates"][-1:]} for tier, size in COMPARED.items()}
FOUND = {"methods": ["glc", "mloc", "uncorrected"], "rates": [0.4, 0.8], "dependent": [0.4], "evaluations": 50}
MATRIX = {
    "smoke": TOY | FOUND | {"rates": [0.6], "dependent": [], "evaluations": 20, "methods": ["glc", "uncorrected"]},
    "laptop": FASHION | FOUND,
    "gpu": FAST | FOUND,
    "paper": FULL | FOUND,
}
DOUBTED = {"methods": ["fasten", "uncorrected"], "rates": [0.8], "dependent": []}
DOUBTED |= {"perturbed": [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]}
PERTURBED = {
    "smoke": TOY | DOUBTED | {"rates": [0.6], "perturbed": [0, 1]},
    "laptop": FASHION | DOUBTED | {"perturbed": [0, 0.2, 0.4, 0.6, 0.8, 1]},
    "gpu": FAST | DOUBTED,
    "paper": FULL | DOUBTED,
}
PARTS = {"methods": ["fasten", "uncorrected", "immediate"], "rates": [0.4, 0.8], "dependent": []}
PARTS |= {"rhos": [0.5, 0.8, 0.95], "lams": [0.1, 0.5, 2]}
ABLATION = {
    "smoke": TOY | PARTS | {"rates": [0.6], "rhos": [0.5, 0.8], "lams": [0.5]},
    "laptop": FASHION | PARTS,
    "gpu": FAST | PARTS,
    "paper": FULL | PARTS,
}
KNOWN = {"methods": ["trusted_only", "glc", "fasten"], "rates": [0.8], "dependent": []}
TRUSTED = {
    "smoke": TOY | KNOWN | {"rates": [0.6], "trusted": [20, 50], "methods": ["trusted_only", "fasten"]},
    "laptop": FASHION | KNOWN | {"trusted": [20, 50, 100, 200, 500, 1000]},
    "gpu": FAST | KNOWN | {"trusted": [100, 250, 500, 1000, 2500, 5000]},
    "paper": FULL | KNOWN | {"trusted": [100, 250, 500, 1000, 2500, 5000]},
}

SHAKEN = {"methods": ["trusted_only", "glc", "fasten", "uncorrected"], "rates": [0.8], "dependent": []}
SHAKEN |= {"augment": "flip_crop"}
AUGMENTED = {
    "smoke": TOY | SHAKEN | {"rates": [0.6], "methods": ["glc", "fasten"]},
    "laptop": FASHION | SHAKEN,
    "gpu": FAST | SHAKEN,
    "paper": FULL | SHAKEN,
}

# asymmetric noise: the maps of the paper's data sets; where there is none, a label moves on to the next class
DEPENDENT = {"cifar10": AsymmetricCifar10, "cifar100": AsymmetricSuperclass}
PLAIN = {"ce": CE, "trusted_only": TrustedOnly, "glc": GLC, "l2rw": L2RW, "mwnet": MWNet, "mloc": MLoC}
PLAIN |= {"mlac": MLaC, "mslc": MSLC, "deep_knn": DeepKNN, "forward_estimated": ForwardEstimated}
VARIANTS = {"uncorrected": {"correct": False}, "immediate": {"immediate": True}}


def methods(size: dict, noise: Noise, K: int) -> list[Method]:
    """The methods of a size; FasTEN with one of its parameters at a time at each value that the size names."""
    found = []
    for name in size["methods"]:
        lookup("method", name, [*PLAIN, *VARIANTS, "fasten"])
        if name == "fasten":
            knobs = {"rho": "rhos", "lam": "lams", "perturb": "perturbed"}
            options = [{knob: float(v)} for knob, values in knobs.items() for v in size.get(values, [])] or [{}]
        else:
            options = [VARIANTS.get(name, {})]
        found += [PLAIN.get(name, FasTEN)(**option) for option in options]
    return found


def grid(size: dict) -> list[Run]:
    """All methods under all noises (symmetric noise inclusive, as in the released code). Those that use no trusted
    images train without them too, on the same noisy pairs."""
    dependent = DEPENDENT.get(size["dataset"], PairFlip)
    noises = [SymmetricInclusive(float(r)) for r in size["rates"]] + [dependent(float(r)) for r in size["dependent"]]
    return compared(size, SGD, noises, partial(methods, size), aside=True)


table = Experiment("table", COMPARED, "Table 1: eleven ways to learn with a few trusted images", grid)
cifar100 = Experiment("cifar100", CIFAR100, "Table 1: a hundred classes", grid)
cost = Experiment("cost", COST, "Fig. 1: accuracy against cost, at the highest noise of the table", grid)
matrix = Experiment("matrix", MATRIX, "the error of T over training, without corrections", grid)
perturbed = Experiment("perturbed", PERTURBED, "corrected labels replaced by random ones", grid)
ablation = Experiment("ablation", ABLATION, "corrections, rho and lambda", grid)
trusted = Experiment("trusted", TRUSTED, "how many trusted images?", grid)
augmented = Experiment("augmented", AUGMENTED, "images mirrored and shifted, which the smaller tiers leave out", grid)

EXPERIMENTS = [table, cifar100, cost, matrix, perturbed, ablation, trusted, augmented]


FIG_1 = ["fasten", "glc", "deep_knn", "mslc", "mwnet", "l2rw", "mloc", "mlac"]  # from the cheapest on


def mixed(frame: pd.DataFrame) -> bool:
    """Whether a frame has more than one data set, network or number of trusted images, which no claim averages over."""
    return any(frame[c].nunique() > 1 for c in ("dataset", "model", "trusted") if c in frame)


def _of(frame: pd.DataFrame, name: str, rate: float) -> pd.Series:
    """Accuracies in points, one a seed, of a method under symmetric noise; none of a mixed frame."""
    rows = frame[(frame.method == name) & (frame.rate == rate) & (frame.noise == "symmetric_inclusive")]
    return 100 * rows.test_accuracy[: 0 if mixed(frame) else None]


def ahead(frame: pd.DataFrame, a: str, b: str, rate: float) -> tuple[float, float] | None:
    """Points that method `a` is ahead of `b` under symmetric noise, on average over seeds, and the standard error."""
    high, low = _of(frame, a, rate), _of(frame, b, rate)
    return above(high, low) if len(high) and len(low) else None


def _rates(frame: pd.DataFrame) -> list[float]:
    return sorted(frame[frame.noise == "symmetric_inclusive"].rate.unique())


def _uncorrected(frame: pd.DataFrame) -> pd.Series:
    """Which rows are of FasTEN without corrections."""
    return frame.get("method_correct", pd.Series(True, index=frame.index)).isin([False])


def b1(frame: pd.DataFrame) -> Verdict:
    found = ahead(frame, "fasten", "glc", 0.8)
    if found is None or min(len(_of(frame, name, 0.8)) for name in ("fasten", "glc")) < 2:
        return Verdict("not run", "needs FasTEN and GLC at 0.8, two seeds of each")
    gap, error = found
    text = f"FasTEN - GLC at 0.8: {gap:+.1f} ± {error:.1f} points"
    return judged({f"{text}, at least 4": gap >= 4, "and two standard errors": gap >= 2 * error})


def b2(frame: pd.DataFrame) -> Verdict:
    found = {}
    for rate in _rates(frame):
        gaps = {n: ahead(frame, "fasten", n, rate) for n in ("ce", "trusted_only")}
        if None in gaps.values():
            return Verdict("not run", "needs FasTEN, cross entropy and training on the trusted images alone")
        text = ", ".join(f"{gap:+.1f} points on {n}" for n, (gap, _) in gaps.items())
        found[f"at {rate:g} FasTEN is {text}, above 0"] = all(gap > 0 for gap, _ in gaps.values())
    return judged(found) if found else Verdict("not run", "needs symmetric noise")


def b3(frame: pd.DataFrame) -> Verdict:
    gaps = {rate: ahead(frame, "fasten", "glc", rate) for rate in _rates(frame)}
    if len(gaps) < 3 or None in gaps.values():
        return Verdict("not run", "needs FasTEN and GLC at three rates of symmetric noise or more")
    found = {}
    for (a, (low, _)), (b, (high, _)) in pairwise(gaps.items()):
        found[f"FasTEN - GLC {low:+.1f} points at {a:g}, {high:+.1f} at {b:g}, more"] = high > low
    return judged(found)


def b4(frame: pd.DataFrame) -> Verdict:
    rows = frame[(frame.noise == "symmetric_inclusive") & (frame.rate == 0.8)]
    means = rows.groupby("method").test_accuracy.mean() * 100
    if not {*FIG_1} <= {*means.index} or mixed(frame):
        return Verdict("not run", "needs all eight methods at 0.8 on CIFAR-100")
    ours, (name, best) = means.fasten, max(means.drop("fasten").items(), key=lambda item: item[1])
    return judged(
        {f"FasTEN {ours:.1f} %, {name} {best:.1f} %: {ours / best:.2f} times, at least 1.3": ours >= 1.3 * best}
    )


def changed(frame: pd.DataFrame) -> pd.Series:
    """What is not FasTEN's default in each row, as `rho = 0.5`."""
    told = pd.Series("", index=frame.index)
    for name, value in asdict(FasTEN()).items():
        values = frame[f"method_{name}"]
        told += (f" {name} = " + values.astype(str)).where(values != value, "")
    return told.str.strip().replace("", "FasTEN")


def priced(frame: pd.DataFrame) -> pd.DataFrame:
    """Of each method the cost in multiples of FasTEN's, accuracy and its standard deviation over seeds in percent."""
    of = frame.groupby("method", sort=False)
    table = (100 * of.test_accuracy.agg(["mean", "std"])).set_axis(["accuracy", "spread"], axis=1)
    least = of.seconds.min()  # over seeds: the rest is what else the machine did
    return table.assign(cost=least / least["fasten"])


def prices_of_paper(rate: float) -> pd.DataFrame:
    """The same of the paper, on CIFAR-10 at a rate of symmetric noise, with half of the 95 % interval as spread."""
    rows = published("kye2022").assign(method=lambda t: t.series.str.removeprefix("method="))
    hours = rows[rows.metric == "training time (h)"].set_index("method").value
    told = rows[(rows["where"] == "Table 1") & (rows.dataset == "cifar10") & (rows["at"] == rate)]
    told = told[told.knob == "symmetric rate (inclusive)"].set_index("method")
    return pd.DataFrame({"accuracy": told.value, "spread": told.plusminus, "cost": hours / hours["fasten"]})


def b5(frame: pd.DataFrame) -> Verdict:
    missing = {*FIG_1} - {*frame.method}
    if missing or mixed(frame) or frame.device.nunique() > 1:
        return Verdict("not run", f"needs {', '.join(sorted(missing)) or 'one network on one device'}")
    took = priced(frame).cost[FIG_1]
    found = {f"MW-Net takes {took.mwnet:.2f} times as long as FasTEN, at least 1.5": took.mwnet >= 1.5}
    return judged(found | {"FasTEN is the cheapest of the eight": took.idxmin() == "fasten"})


def b5_order(frame: pd.DataFrame) -> Verdict:
    if (first := b5(frame)).verdict == "not run":
        return first
    took = priced(frame).cost
    return judged({f"{a} {took[a]:.2f} < {b} {took[b]:.2f}": took[a] < took[b] for a, b in pairwise(FIG_1)})


def b6(frame: pd.DataFrame) -> Verdict:
    mine = frame[(frame.method != "fasten") | _uncorrected(frame)]
    means = mine.pivot_table("T_chi2", ["noise", "rate"], "method") if "T_chi2" in mine else mine[[]]
    if mixed(frame) or not {"fasten", "glc"} <= {*means} or means[["fasten", "glc"]].isna().any(axis=None):
        return Verdict("not run", "needs FasTEN without corrections and GLC under the same noises")
    found = {}
    for (noise, rate), row in means.iterrows():
        text = f"{noise} {rate:g}: chi-square {row.fasten:.3f}, GLC {row.glc:.3f}, at most 3 times as much"
        found[text] = row.fasten <= 3 * row.glc
    return judged(found)


def b7(frame: pd.DataFrame) -> Verdict:
    rows = frame[frame.method == "fasten"]
    if not len(rows) or mixed(frame) or "T_follows" not in rows or rows.T_follows.isna().any():
        return Verdict("not run", "needs FasTEN, evaluated more than once before the rate falls")
    found = {}
    for (noise, rate), part in rows.groupby(["noise", "rate"]):
        follows, bias = part.T_follows.mean(), (part.T_diagonal - part.corrected_diagonal).mean()
        found[f"{noise} {rate:g}: correlation {follows:+.2f} before the rate falls, above 0"] = follows > 0
        found[f"{noise} {rate:g}: diagonal of T {bias:+.2f} above the true one at the end, above 0"] = bias > 0
    return judged(found)


def b8(frame: pd.DataFrame) -> Verdict:
    rows = frame[(frame.rate == 0.8) & (frame.method == "fasten") & (frame.noise == "symmetric_inclusive")]
    off = _uncorrected(rows)
    share = rows.get("method_perturb", pd.Series(0.0, index=rows.index))
    mean = {
        k: 100 * rows[which].test_accuracy.mean()
        for k, which in {"none": off, "all": ~off & (share == 1), "fasten": ~off & (share == 0)}.items()
    }
    if any(pd.isna(v) for v in mean.values()) or mixed(frame):
        return Verdict("not run", "needs FasTEN at 0.8 with and without corrections, and with all of them perturbed")
    gain, left = mean["fasten"] - mean["none"], mean["all"] - mean["none"]
    found = {f"corrections gain {gain:+.1f} points, above 0": gain > 0}
    return judged(found | {f"all of them perturbed {left:+.1f} points, not below -2": left >= -2})


def b9(frame: pd.DataFrame) -> Verdict:
    rows = frame[(frame.method == "fasten") & (frame.rate == 0.8) & (frame.noise == "symmetric_inclusive")]
    if not len(rows) or mixed(frame):
        return Verdict("not run", "needs FasTEN at 0.8")
    right = 100 * rows.corrected_wrong.mean()
    return judged({f"{right:.0f} % of the wrong labels are put right at 0.8, at least 60": right >= 60})


def b10(frame: pd.DataFrame) -> Verdict:
    rows = frame[(frame.noise != "symmetric_inclusive") & (frame.rate == 0.4)]
    means = 100 * rows[rows.method.isin(["fasten", "glc", "mloc"])].groupby("method").test_accuracy.mean()
    if len(means) < 3 or mixed(frame):
        return Verdict("not run", "needs FasTEN, GLC and MLoC under asymmetric noise of 0.4")
    text = ", ".join(f"{name} {value:.1f}" for name, value in means.items())
    return judged({f"{text}: within {means.max() - means.min():.1f} points, at most 3": means.max() - means.min() <= 3})


def b11(frame: pd.DataFrame) -> Verdict:
    T, y = torch.from_numpy(AsymmetricCifar10(0.4).matrix(10)), torch.arange(100) % 10
    found = estimated(T[y], y, 10)
    off, turned = (found - T).abs().max().item(), (found - T.T).abs().max().item()
    clean = estimated(torch.eye(10, dtype=torch.double)[y], y, 10)
    result = {"T is recovered from a noisy head that knows it": off < 1e-12, "and not turned round": turned > 0.1}
    return judged(result | {"with clean labels it is the identity": torch.equal(clean, torch.eye(10).double())})


CLAIMS = [
    Claim("B1", "Table 1", "FasTEN is ahead of GLC under symmetric noise of 0.8.", cost, b1),
    Claim("B2", "ours", "FasTEN is ahead of noisy labels alone and of trusted images alone.", table, b2),
    Claim("B3", "Table 1", "Its lead over GLC grows with the noise.", table, b3),
    Claim("B4", "Table 1", "With a hundred classes and noise of 0.8 it is far ahead of all others.", cifar100, b4),
    Claim("B5", "Fig. 1", "One backward pass a step makes FasTEN the cheapest.", cost, b5),
    Claim("B5b", "Fig. 1", "The order of the costs of eight methods.", cost, b5_order),
    Claim("B6", "figure of T", "The error of T ends at no more than three times that of GLC.", matrix, b6),
    Claim("B7", "figure of T", "The diagonal of T goes with the true one, and ends above it.", table, b7),
    Claim("B8", "figure", "Corrections help, and random ones do no harm.", perturbed, b8),
    Claim("B9", "poster", "Most wrong labels are put right at 0.8.", cost, b9),
    Claim("B10", "Table 1", "Under asymmetric noise of 0.4 GLC, MLoC and FasTEN are close.", table, b10),
    Claim("B11", "identity", "T is the transition matrix, row by row.", None, b11),
]
