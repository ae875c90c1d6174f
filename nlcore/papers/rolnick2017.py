"""Rolnick, Veit, Belongie, Shavit 2017, "Deep Learning is Robust to Massive Label Noise" (arXiv 1705.10694)."""

import itertools

import pandas as pd
import torch

from .. import data
from ..claims import Claim, Verdict, judged, share
from ..inputs import require
from ..losses import cross_entropy, smoothed_cross_entropy
from ..noise import Uniform
from ..records import Budget, Run

NETS = ["perceptron", "mlp1", "mlp2", "mlp4", "conv4"]
SMALL = ["perceptron", "mlp1", "mlp2", "mlp4", "conv_small"]  # a net that a CPU core can train stands in for Conv4

# sizes; `floor` is the least number of steps, for small alphas with a short pass; short runs take a larger rate
LONG = {"dataset": "mnist", "floor": 15_000, "lr": 1e-3}
UNIFORM = {
    "smoke": {"dataset": "digits", "models": SMALL, "alphas": [0, 10, 20, 50], "seeds": 2, "floor": 600, "lr": 4e-3},
    "laptop": LONG | {"models": SMALL, "alphas": [0, 10, 20, 50, 100], "seeds": 3},
    "gpu": LONG | {"models": NETS, "alphas": [0, 20, 50, 100], "seeds": 3},
    "paper": LONG | {"models": NETS, "alphas": [*range(0, 101, 10)], "seeds": 5},
}


def uniform(
    tier: str,
    *,
    dataset: str | None = None,
    models: list[str] | None = None,
    alphas: list[float] | None = None,
    seeds: int | None = None,
    lr: float | None = None,
    steps: int | None = None,
) -> list[Run]:
    """Fig. 1: test accuracy against alpha uniform labels added per clean one, for five networks.

    Adam and batches of 128 as in the paper; its length, schedule and rates were not found. Ours: one pass over all
    N(1 + alpha) pairs (or `steps`), at least the tier's floor, under a cosine schedule from lr / sqrt(1 + alpha), so
    that the random walk of the weights over one pass is as long for every alpha.
    """
    own = {"dataset": dataset, "models": models, "alphas": alphas, "seeds": seeds, "lr": lr}
    size = UNIFORM[tier] | {k: v for k, v in own.items() if v is not None}
    require(size["seeds"] > 0, f"seeds is how many seeds to run, so 1 or more, not {size['seeds']}")
    name = data.pin(size["dataset"])
    N, found = data.train_size(name), []
    held = min(2000, N // 10)
    for seed, alpha in itertools.product(range(size["seeds"]), map(float, size["alphas"])):
        noise, one_pass = Uniform(alpha), int((N - held) * (1 + alpha) / 128)
        length = max(size["floor"], one_pass) if steps is None else steps
        budget = Budget(length, lr=round(size["lr"] / (1 + alpha) ** 0.5, 8), schedule="cosine")
        found += [Run(name, model, budget, noise, validation=held, seed=seed) for model in size["models"]]
    return found


EXPERIMENTS = [uniform]


def _at(frame: pd.DataFrame, alpha: float) -> dict[str, pd.Series]:
    """Test accuracies over seeds by model; the stand-in for Conv4 takes its name where Conv4 was not run."""
    rows = frame[frame.alpha == alpha].groupby("model") if len(frame) else ()
    found = {m: g.test_accuracy.rename(m) for m, g in rows}
    return {"conv4": found["conv_small"]} | found if "conv_small" in found else found


def a1(frame: pd.DataFrame) -> Verdict:
    high, middle = _at(frame, 100).get("conv4"), _at(frame, 50).get("conv4")
    if high is None or middle is None:
        return Verdict("not run", "needs a convolutional net at alpha = 50 and 100")
    first = f"{high.name} {share(high)} at alpha = 100, at least 90 %"
    second = f"{middle.name} {share(middle)} at alpha = 50, at least 95 %"
    return judged({first: high.mean() >= 0.9, second: middle.mean() >= 0.95})


def a2(frame: pd.DataFrame) -> Verdict:
    found = _at(frame, 50)
    if missing := [m for m in NETS if m not in found]:
        return Verdict("not run", f"needs {', '.join(missing)} at alpha = 50")
    perceptron, mlp1, mlp2, mlp4, conv = (found[m].mean() for m in NETS)
    values, lead = ", ".join(f"{found[m].name} {share(found[m])}" for m in NETS), conv - max(mlp1, mlp2, mlp4)
    conditions = {f"at alpha = 50 conv > MLP4, MLP2 > MLP1 ({values})": lead > 0 and min(mlp2, mlp4) > mlp1}
    conditions |= {"the perceptron is last and below 80 %": perceptron < min(0.8, mlp1, mlp2, mlp4, conv)}
    return judged(conditions | {f"the conv net leads the MLPs by at least 4 points ({100 * lead:.1f})": lead >= 0.04})


def a13(frame: pd.DataFrame) -> Verdict:
    draw, worst = torch.Generator().manual_seed(0), 0.0
    logits, y = torch.randn(256, 10, dtype=torch.double, generator=draw) * 5, torch.arange(256) % 10
    each = torch.stack([cross_entropy(logits, torch.full_like(y, k)) for k in range(10)])
    for alpha in (0.0, 1.0, 10.0, 100.0):
        H = cross_entropy(logits, y) / (1 + alpha) + alpha / (1 + alpha) * each.mean(0)
        worst = max(worst, (H - smoothed_cross_entropy(logits, y, alpha / (1 + alpha))).abs().max().item())
    return judged({"largest difference on 256 random logits, alpha in {0, 1, 10, 100}, below 1e-6": worst < 1e-6})


CLAIMS = [
    Claim("A1", "Fig. 1", "A conv net on MNIST stays above 90 % with 100 random labels per clean one.", uniform, a1),
    Claim("A2", "Fig. 1", "Robustness orders Conv4 > MLP4 ~ MLP2 > MLP1 > Perceptron.", uniform, a2),
    Claim("A13", "figure of batch sizes", "H_alpha is label smoothing with e = alpha/(1+alpha).", None, a13),
]
