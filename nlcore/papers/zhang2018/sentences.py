"""The numbers that sentences of chapter 5 name, as texts: `(not run)` where they are missing. Accuracies are in
percent, leads in points with their 95 % intervals, paired by seed."""

from functools import partial

import pandas as pd

from ... import words
from ...measures.evaluate import COMPARED, curve_numbers, select
from ..effects import ahead, mean, points
from ..tables import published
from ..texts import interval, number
from .exhibits import UNIFORM, pruning_variant, published_accuracy
from .measured import lost_of_what_was_learned

DEPENDENT = ["pair_flip", "asymmetric_cifar10", "asymmetric_superclass"]


def lead(rows: pd.DataFrame, a, b="ce", **at) -> str:
    """Points that `a` is ahead of `b`, with the interval."""
    return interval(rows, partial(ahead, a=a, b=b, **at))


def numbers(tables: dict[str, pd.DataFrame]) -> dict[str, str]:
    """All numbers, of the experiments of the chapter by name (a row per run and evaluation)."""
    said = setting(tables) | of_fashion(tables["fashion"]) | of_cifar(tables["cifar10"])
    said |= of_q(tables["q_sweep"]) | of_hundred(tables["cifar100"])
    said |= of_images(tables["images"], tables["cifar10"]) | of_pruning(tables["pruning"])
    return said | of_field(tables["field"]) | of_paper()


def setting(tables: dict[str, pd.DataFrame]) -> dict[str, str]:
    """On what was trained."""
    said = {name: words.listed(table.dataset.unique()) for name, table in tables.items()}
    return {f"{name}_data": text for name, text in said.items()}


def of_fashion(history: pd.DataFrame) -> dict[str, str]:
    """What the methods reach, and how far they are ahead, under both rules."""
    said = {}
    for rule in COMPARED:
        rows, of = select(history, rule), rule.split()[0]
        for kind, noise, rates in (("sym", UNIFORM, (0.2, 0.4, 0.6, 0.8)), ("pair", DEPENDENT, (0.1, 0.2, 0.3, 0.4))):
            for rate in rates:
                at, name = {"noise": noise, "rate": rate}, f"{kind}{round(10 * rate)}_{of}"
                for method in ("ce", "mae", "gce", "truncated", "forward", "forward_estimated"):
                    said[f"{method}_{name}"] = number(points(rows, method=method, **at))
                    if method != "ce":
                        said[f"lead_{method}_{name}"] = lead(rows, method, **at)
                said[f"truncated_over_gce_{name}"] = lead(rows, "truncated", "gce", **at)
    last, at = select(history), {"noise": UNIFORM, "rate": 0.6}
    for method in ("ce", "mae", "gce", "truncated"):
        said[f"wrong_{method}"] = number(100 * mean(last, "train_wrong", method=method, **at))
        said[f"wrong_pair_{method}"] = number(100 * mean(last, "train_wrong", method=method, noise=DEPENDENT, rate=0.4))
    mae = last[(last.method == "mae") & (last.noise != UNIFORM)].groupby("rate").test_accuracy.std()
    said["mae_spread"] = number(100 * mae.max())
    return said | of_rules(history)


def of_rules(history: pd.DataFrame) -> dict[str, str]:
    """What another rule than the last evaluation gains for cross entropy, on the mean over symmetric noise."""
    plain = history[(history.method == "ce") & (history.noise == UNIFORM)]
    rules = {"last": "last", "noisy": "noisy validation", "leak": "best on test (leaks)"}
    chosen = pd.concat([select(plain, rule).assign(chosen=of) for of, rule in rules.items()], ignore_index=True)
    gains = {f"gain_{of}": lead(chosen, of, "last", by="chosen") for of in ("noisy", "leak")}
    mean_lead = {}
    for rule in COMPARED:
        rows = select(history, rule)
        mean_lead[f"mean_lead_{rule.split()[0]}"] = lead(rows[rows.noise == UNIFORM], "gce")
    return gains | mean_lead


def of_cifar(history: pd.DataFrame) -> dict[str, str]:
    """How far methods are ahead of cross entropy on the second data set, under both rules."""
    said = {}
    for rule in COMPARED:
        rows, of = select(history, rule), rule.split()[0]
        for method in ("gce", "truncated", "forward_estimated", "mae"):
            for rate in (0.4, 0.6):
                said[f"cifar_{method}_{round(10 * rate)}_{of}"] = lead(rows, method, noise=UNIFORM, rate=rate)
            said[f"cifar_{method}_dep_{of}"] = lead(rows, method, noise=DEPENDENT, rate=0.4)
        for rate in (0.4, 0.6):
            over = lead(rows, "truncated", "gce", noise=UNIFORM, rate=rate)
            said[f"cifar_truncated_over_gce_{round(10 * rate)}_{of}"] = over
    last = select(history)
    return said | {"cifar_mae": number(points(last, method="mae", noise=UNIFORM, rate=0.6))}


def of_q(history: pd.DataFrame) -> dict[str, str]:
    """Where the curves of q have their best and their last accuracy, and what is memorised."""
    rows, said = curve_numbers(history), {}
    for rate in (0.0, 0.6):
        for q in (0.0, 0.4, 0.8, 1.0):
            name, at = f"q{round(10 * q)}_{round(10 * rate)}", {"rate": rate, "method_q": q}
            said[f"{name}_best"] = number(100 * mean(rows, "peak", **at))
            said[f"{name}_last"] = number(100 * mean(rows, **at))
            said[f"{name}_wrong"] = number(100 * mean(rows, "train_wrong", **at))
            said[f"{name}_rise"] = number(mean(rows, "rise", **at), ".0f")
    share = interval(rows, lambda seed: 100 * lost_of_what_was_learned(seed), ".0f")
    return said | {"lost": share, "q_epochs": number(rows.epoch.max(), ".0f")}


def of_hundred(history: pd.DataFrame) -> dict[str, str]:
    """What is reached with a hundred classes."""
    said = {}
    for rule in COMPARED:
        rows, of = select(history, rule), rule.split()[0]
        for method in ("ce", "mae", "gce", "forward_estimated"):
            said[f"hundred_{method}_clean_{of}"] = number(points(rows, method=method, noise="clean"))
            said[f"hundred_{method}_{of}"] = number(points(rows, method=method, noise=UNIFORM, rate=0.6))
        said[f"hundred_lead_gce_{of}"] = lead(rows, "gce", noise=UNIFORM, rate=0.6)
        said[f"hundred_lead_estimated_{of}"] = lead(rows, "forward_estimated", noise=UNIFORM, rate=0.6)
    return said


def of_images(images: pd.DataFrame, cifar: pd.DataFrame) -> dict[str, str]:
    """How far L_q is ahead under noise that depends on the class, by the number of images."""
    more, fewer = select(images), select(cifar)
    at = {"noise": DEPENDENT, "rate": 0.4}
    said = {"lead_few_images": lead(fewer, "gce", **at), "lead_many_images": lead(more, "gce", **at)}
    return said | {"few_images": f"{fewer.images.max():,.0f}", "many_images": f"{more.images.max():,.0f}"}


def of_pruning(history: pd.DataFrame) -> dict[str, str]:
    """What pruning keeps at k = 0.5, and what its variants change there."""
    rows = select(history)
    rows = rows[rows.method_k == 0.5]
    rows = rows.assign(variant=pruning_variant(rows))
    paper, said = rows[rows.variant == "as in the paper"], {}
    for column in ("kept", "kept_precision", "kept_recall"):
        said[column] = number(100 * mean(paper, column))
    said["of_all_right"] = number(100 * (1 - mean(paper, "realised_rate")))
    names = {
        "detached": "a copy learns for an epoch",
        "current": "the current network prunes",
        "at_once": "from the first step on",
    }
    for name, variant in names.items():
        said[f"effect_{name}"] = lead(rows, variant, "as in the paper", by="variant")
    return said


def of_field(history: pd.DataFrame) -> dict[str, str]:
    """Where the seeds of backward correction end, and what the others reach, under both rules."""
    backward = 100 * select(history[history.method == "backward"]).test_accuracy
    chance = (backward < 15).sum()
    said = {"backward_runs": str(len(backward)), "backward_at_chance": str(chance)}
    said["backward_loss"] = number(history[history.method == "backward"].loss.min())
    for rule in COMPARED:
        rows, of = select(history, rule), rule.split()[0]
        for method in ("noise_adaptation", "soft_bootstrap", "hard_bootstrap", "backward"):
            said[f"{method}_sym_{of}"] = number(points(rows, method=method, noise=UNIFORM, rate=0.6))
            said[f"{method}_pair_{of}"] = number(points(rows, method=method, noise=DEPENDENT, rate=0.4))
    return said


def choices(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What other choices than ours change, in points of test accuracy, with intervals."""
    said = of_pruning(tables["pruning"]) | of_rules(tables["fashion"])
    rows = {
        "pruning: a copy of the network learns in the epoch after each (best known port)": "effect_detached",
        "pruning: by the current network": "effect_current",
        "pruning: from the first step on": "effect_at_once",
        "reporting cross entropy: chosen by noisy validation (paper)": "gain_noisy",
        "reporting cross entropy: best on the test set (port; leaks)": "gain_leak",
    }
    found = [(what, said[name]) for what, name in rows.items()]
    return pd.DataFrame(found, columns=["another choice than ours", "its effect [points]"])


def of_paper() -> dict[str, str]:
    """The paper's leads of L_q on CIFAR-10, and its curve of q = 1."""
    table = published_accuracy()
    lead_of_lq = table.loc["gce"] - table.loc["ce"]
    curve = published("zhang2018").query("`where` == 'figure of q' and series == 'q=1' and at == 0.6")
    at = {metric.partition(", ")[2]: value for metric, value in zip(curve.metric, curve.value, strict=True)}
    said = {f"paper_gce_{round(10 * rate)}": f"{lead_of_lq[f'symmetric {rate:g}']:.1f}" for rate in (0.4, 0.6)}
    return said | {"paper_q1_early": f"{at['epoch 150']:g}", "paper_q1_last": f"{at['last']:g}"}
