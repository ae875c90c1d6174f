"""The numbers that sentences of chapter 6 name, as texts: `what -> "1.6 (0.9 to 2.2)"`, `(not run)` where they are
missing. Accuracies are in percent, leads in points with their 95 % intervals, paired by seed."""

import math

import pandas as pd

from ... import words
from ...measures.evaluate import select
from ..effects import mean, points
from ..texts import NOT_RUN, interval, number
from .exhibits import lead, of_targets, optimum, smoothing, with_teachers
from .measured import by_a, share, usual


def ahead(rows: pd.DataFrame, *of, **at) -> str:
    """Points with the interval (see `exhibits.lead`)."""
    return lead(rows, *of, **at).removeprefix("+") or NOT_RUN


def factor(rows: pd.DataFrame, of) -> str:
    """A factor over seeds, with its interval."""
    return interval(rows, of, ".2f", factor=True)


def numbers(tables: dict[str, pd.DataFrame], a: float) -> dict[str, str]:
    """All numbers, of the experiments of the chapter by name (a row per run and evaluation) and of smoothing by `a`."""
    last = {name: select(table, "last") for name, table in tables.items()}
    said = {"a": f"{a:g}", "optimum": f"{optimum(a):.1f}"}
    said |= clean(last["calibration"], "") | clean(last["information"], "shifted_")
    said |= clean(last["cifar100"][last["cifar100"].rate == 0], "hundred_") | geometry(last["calibration"])
    said |= sizes(last["norms"]) | taught(last["distillation"])
    noisy_hundred = of_targets(last["cifar100"][last["cifar100"].rate > 0])
    said["hundred_noise"] = ahead(noisy_hundred, "label_smoothing", "ce")
    said["hundred_left"] = f"{1 - 0.1 + 0.1 / 100:.3f}"
    stopped = select(tables["distillation"], "noisy validation")
    at = {"method_temperature": 1, "rate": 0.2}
    said["teacher_gain_stopped"] = ahead(stopped, 0.1, 0.0, by="method_a", method="distillation", **at)
    return said | under_noise(tables["noise"])


def clean(rows: pd.DataFrame, prefix: str) -> dict[str, str]:
    """Accuracy and calibration on clean labels, hard and smoothed (`usual`), and the values of the most smoothing."""
    said = {"gain": gain(rows)}
    for column, form in (("ece", ".3f"), ("ece_scaled", ".3f"), ("temperature", ".1f"), ("information", ".2f")):
        found = by_a(column, rows)
        a = usual(found.index) if len(found) > 1 else 0
        said[f"{column}_hard"] = number(found.get(0, math.nan), form)
        said[f"{column}_smooth"] = number(found.get(a, math.nan), form)
        said[f"{column}_most"] = number(found[max(found.index)] if len(found) else math.nan, form)
    said["accuracy_hard"] = number(points(rows, method="ce"))
    said["most"] = f"{smoothing(rows).max():g}"
    said |= {"data": words.listed(rows.dataset.unique()), "loss_hard": number(by_a("test_loss", rows).get(0, math.nan))}
    return {prefix + name: text for name, text in said.items()}


def gain(rows: pd.DataFrame) -> str:
    """Points that the usual smoothing gains."""
    a = usual(pd.Index(smoothing(rows)))
    return ahead(rows[rows.method_a.isna() | (rows.method_a == a)], "label_smoothing", "ce")


def geometry(rows: pd.DataFrame) -> dict[str, str]:
    """With smoothing over without: how tight classes are and how unequal distances, and the values on hard targets."""
    said = {}
    for name in ("tightness_train", "tightness_test", "unequal_train", "unequal_test"):
        said[name] = factor(rows, lambda part, name=name: share(name, part))
        said[f"{name}_hard"] = number(by_a(name, rows).get(0, math.nan), ".2f")
    return said


def sizes(rows: pd.DataFrame) -> dict[str, str]:
    """Leads of logits and lengths, on hard and on smoothed targets; and what a wrong label costs a network that is as
    far ahead as this in favour of the true class, more than the right label does."""
    said = {}
    for name in ("logit_gap", "norm_weights", "norm_rows", "norm_features"):
        found = by_a(name, rows)
        hard, smooth = (found.get(a, math.nan) for a in (0, 0.1))
        said |= {f"{name}_hard": number(hard), f"{name}_smooth": number(smooth), f"{name}_times": number(hard / smooth)}
    smooth = by_a("logit_gap", rows).get(0.1, math.nan)
    said |= {"wrong_hard": said["logit_gap_hard"], "wrong_smooth": number(0.9 * smooth)}
    return said | {"right": number(100 * rows.train_right.min(), ".0f")}


def linear(grown: pd.DataFrame) -> dict[str, str]:
    """Leads as from `exhibits.linear_model`, at about a hundredth of its steps and at the end, and lengths there."""
    leads, lengths = (grown.pivot(index="step", columns="a", values=name) for name in ("lead", "length"))
    end = leads.index[-1]
    early = leads.index[leads.index <= end / 100][-1]
    said = {"linear_steps": f"{end:,}", "linear_early": f"{early:,}"}
    for name, a in (("hard", leads.columns[0]), ("smooth", leads.columns[-1])):
        said |= {f"linear_{name}_early": f"{leads[a][early]:.1f}", f"linear_{name}": f"{leads[a][end]:.1f}"}
        said[f"length_{name}"] = f"{lengths[a][end]:.0f}"
    return said


def under_noise(history: pd.DataFrame) -> dict[str, str]:
    """Leads over cross entropy by smoothing, rate and rule; wrong and right labels that are predicted at the end."""
    said = {}
    for rule in ("last", "noisy validation"):
        rows, of = select(history, rule), rule.split()[0]
        rows = rows.assign(way=rows.method.where(rows.method != "label_smoothing", rows.method_a.map("{:g}".format)))
        for rate in (0.2, 0.6):
            part, at = rows[rows.rate == rate], f"{of}_{str(rate).replace('.', '')}"
            for way in ("-1", "-0.4", "0.1", "0.2", "0.4", "0.8", "forward", "backward"):
                name = f"{way.replace('-', 'minus_').replace('.', '')}_{at}"
                said[f"lead_{name}"] = ahead(part, way, "ce", by="way")
                said[f"accuracy_{name}"] = number(points(part, way=way))
                said[f"wrong_{name}"] = number(100 * mean(part, "train_wrong", way=way), ".0f")
                said[f"right_{name}"] = number(100 * mean(part, "train_right", way=way), ".0f")
            said |= {f"ce_{at}": number(points(part, way="ce"))}
            said |= {f"ece_{at}_ce": number(mean(part, "ece", way="ce"), ".2f")}
            said |= {f"ece_{at}_smooth": number(mean(part, "ece", way="0.1"), ".2f")}
            said |= {f"ece_{at}_more": number(mean(part, "ece", way="0.2"), ".2f")}
            said |= {f"ece_scaled_{at}_ce": number(mean(part, "ece_scaled", way="ce"), ".2f")}
            said[f"ce_wrong_{at}"] = number(100 * mean(part, "train_wrong", way="ce"), ".0f")
            said[f"strong_over_weak_{at}"] = ahead(part, "0.8", "0.1", by="way")
    return said


def taught(rows: pd.DataFrame) -> dict[str, str]:
    """Errors in percent of teachers and students at each temperature, on hard and on smoothed labels, by rate."""
    said = {}
    rows = with_teachers(rows)
    of = rows[rows.method == "distillation"]
    for rate, at in ((0.0, "clean"), (0.2, "noisy")):
        for a, target in ((0.0, "hard"), (0.1, "smooth")):
            for warmth in (1, 4):
                found = {"method_a": a, "method_temperature": warmth, "rate": rate}
                said[f"student_{target}_{warmth}_{at}"] = number(100 - points(of, **found))
            teacher = mean(of, "first_test_accuracy", method_a=a, rate=rate)
            said[f"teacher_{target}_{at}"] = number(100 - 100 * teacher)
        for warmth in (1, 4):
            part = of[(of.method_temperature == warmth) & (of.rate == rate)]
            said[f"teacher_gain_{warmth}_{at}"] = ahead(part, 0.1, 0.0, by="method_a")
        for target, method in (("hard", "ce"), ("smooth", "label_smoothing")):
            said[f"alone_{target}_{at}"] = number(100 - points(rows, method=method, rate=rate))
    return said
