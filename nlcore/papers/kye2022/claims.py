"""The claims of Kye et al. 2022, as predicates over a frame with a row per run."""

from itertools import pairwise

import pandas as pd
import torch

from ...methods.fasten import estimated
from ...noise import AsymmetricCifar10
from ..claims import Claim, Verdict, above, judged
from .experiments import cifar100, cost, matrix, perturbed, table

FIG_1 = ["fasten", "glc", "deep_knn", "mslc", "mwnet", "l2rw", "mloc", "mlac"]  # from the cheapest on


def mixed(frame: pd.DataFrame) -> bool:
    """Whether a frame has more than one data set, network or number of trusted images, which no claim averages over."""
    return any(frame[c].nunique() > 1 for c in ("dataset", "model", "trusted") if c in frame)


def _of(frame: pd.DataFrame, name: str, rate: float) -> pd.Series:
    """Accuracies in points, one a seed, of a method under symmetric noise; none of a mixed frame."""
    if mixed(frame):
        return pd.Series(dtype=float)
    rows = frame[(frame.method == name) & (frame.rate == rate) & (frame.noise == "symmetric_inclusive")]
    return 100 * rows.test_accuracy


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
    ours, others = means.fasten, means.drop("fasten")
    name, best = others.idxmax(), others.max()
    text = f"FasTEN {ours:.1f} %, {name} {best:.1f} %: {ours / best:.2f} times, at least 1.3"
    return judged({text: ours >= 1.3 * best})


def priced(frame: pd.DataFrame) -> pd.DataFrame:
    """Of each method the cost in multiples of FasTEN's, accuracy and its standard deviation over seeds in percent."""
    of = frame.groupby("method", sort=False)
    table = (100 * of.test_accuracy.agg(["mean", "std"])).set_axis(["accuracy", "spread"], axis=1)
    least = of.seconds.min()  # over seeds: the rest is what else the machine did
    return table.assign(cost=least / least["fasten"])


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
    off, accuracy = _uncorrected(rows), 100 * rows.test_accuracy
    share = rows.get("method_perturb", pd.Series(0.0, index=rows.index))
    none, fasten, random = (accuracy[which].mean() for which in (off, ~off & (share == 0), ~off & (share == 1)))
    if pd.isna([none, fasten, random]).any() or mixed(frame):
        return Verdict("not run", "needs FasTEN at 0.8 with and without corrections, and with all of them perturbed")
    gain, left = fasten - none, random - none
    return judged(
        {
            f"corrections gain {gain:+.1f} points, above 0": gain > 0,
            f"all of them perturbed {left:+.1f} points, not below -2": left >= -2,
        }
    )


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
    text, apart = ", ".join(f"{name} {value:.1f}" for name, value in means.items()), means.max() - means.min()
    return judged({f"{text}: within {apart:.1f} points, at most 3": apart <= 3})


def b11(frame: pd.DataFrame) -> Verdict:
    T, y, identity = torch.from_numpy(AsymmetricCifar10(0.4).matrix(10)), torch.arange(100) % 10, torch.eye(10).double()
    found = estimated(T[y], y, 10)
    off, turned = (found - T).abs().max().item(), (found - T.T).abs().max().item()
    return judged(
        {
            "T is recovered from a noisy head that knows it": off < 1e-12,
            "and not turned round": turned > 0.1,
            "with clean labels it is the identity": torch.equal(estimated(identity[y], y, 10), identity),
        }
    )


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
