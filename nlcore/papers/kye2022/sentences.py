"""The numbers that sentences of chapter 8 name, as texts: `what -> "19.7 (8.2 to 31.2)"`, `(not run)` where they are
missing. Accuracies are in percent, leads in points with their 95 % intervals, paired by seed."""

import itertools
import math
from functools import partial

import pandas as pd

from ... import words
from ...measures.evaluate import select
from ..effects import Effect, ahead, estimate, in_words, mean, points
from ..tables import published
from ..texts import NOT_RUN, interval, number
from .exhibits import HONEST, changed, hardest, over_fasten, prices_of_paper
from .experiments import ALL
from .measured import FIG_1, SYMMETRIC, cost_of_separation, over_the_others, priced, put_right, whole

CHANCE = 0.15  # an accuracy below it, of ten classes, is that of guessing


def lead(rows: pd.DataFrame, a, b, form: str = "+.1f", **at) -> str:
    """Points that `a` is ahead of `b`, with the interval."""
    return interval(rows, partial(ahead, a=a, b=b, **at), form)


def numbers(tables: dict[str, pd.DataFrame]) -> dict[str, str]:
    """All numbers, of the experiments of the chapter by name (a row per run and evaluation)."""
    said = setting(tables["table"]) | by_rule(tables["table"]) | methods(tables["table"])
    said |= costs(tables["cost"]) | matrices(tables["table"], tables["matrix"])
    last = {name: select(table, "last") for name, table in tables.items()}
    said |= corrections(tables["perturbed"], last["table"]) | parts(last["ablation"]) | two_heads(tables["heads"])
    said |= many_trusted(last["trusted"]) | shifted(last["augmented"], last["ablation"])
    return said | hundred(tables["cifar100"]) | paper()


def setting(history: pd.DataFrame) -> dict[str, str]:
    """What was run: data, images, highest rates."""
    said = {"data": words.listed(history.dataset.unique()), "network": words.listed(history.model.unique())}
    said |= {"trusted": f"{history.trusted.max():,}", "noisy": f"{int(history.images.max()):,}"}
    wrong = history.groupby("rate").realised_rate.mean()
    rates = hardest(history).rate
    if rates.empty:
        return said | dict.fromkeys(("top", "wrong_of_ten"), NOT_RUN)
    return said | {"top": f"{rates.max():g}", "wrong_of_ten": f"{10 * wrong[rates.max()]:.0f}"}


def by_rule(history: pd.DataFrame) -> dict[str, str]:
    """How far FasTEN and others are ahead of cross entropy, and where these are, by the rule that chooses."""
    said = {}
    for rule in HONEST:
        rows, of = select(history, rule), rule.split()[0]
        hard, pair = hardest(rows), hardest(rows, symmetric=False)
        for name in ALL:
            said[f"{name}_{of}"] = number(points(hard, method=name))
            said[f"{name}_{of}_pair"] = number(points(pair, method=name))
        said[f"lead_{of}"] = lead(hard, "fasten", "ce")
        said[f"pair_lead_{of}"] = lead(pair, "fasten", "ce")
        said[f"pair_glc_{of}"] = lead(pair, "glc", "ce")
        said[f"over_glc_{of}"] = lead(hard, "fasten", "glc")
        said[f"pair_over_glc_{of}"] = lead(pair, "fasten", "glc")
        leads = [lead(part, "fasten", "ce").split()[0] for _, part in rows[rows.noise == SYMMETRIC].groupby("rate")]
        said[f"leads_{of}"] = ", ".join(leads)
        said[f"over_glc_by_rate_{of}"] = over_glc_by_rate(rows)
    return said


def over_glc_by_rate(rows: pd.DataFrame) -> str:
    """Points that FasTEN is ahead of GLC at each rate of symmetric noise, without intervals."""
    symmetric = rows[rows.noise == SYMMETRIC]
    return ", ".join(lead(part, "fasten", "glc").split()[0] for _, part in symmetric.groupby("rate"))


def methods(history: pd.DataFrame) -> dict[str, str]:
    """What the table shows at the last evaluation: FasTEN beside others, and how L2RW scatters."""
    rows = select(history, "last")
    alone = [ahead(part, "fasten", "trusted_only") for _, part in rows.groupby(["noise", "rate"])]
    weighed = rows[rows.method == "l2rw"]
    spread = weighed.groupby(["noise", "rate"]).test_accuracy.std().max()
    said = {"over_glc_by_rate": over_glc_by_rate(rows), "over_trusted": f"{min(alone):.1f} to {max(alone):.1f}"}
    said |= {"l2rw_at_chance": str((weighed.test_accuracy < CHANCE).sum()), "l2rw_runs": str(len(weighed))}
    return said | {"l2rw_spread": number(100 * spread, ".0f")}


def costs(history: pd.DataFrame) -> dict[str, str]:
    """Costs over that of FasTEN, ours and the paper's; seconds until noisy validation would stop."""
    rows, chosen = select(history, "last"), select(history, "noisy validation")
    ours, theirs = priced(rows).cost, prices_of_paper(0.8).cost
    said = {f"cost_{name}": number(ours.get(name, math.nan), ".2f") for name in ALL}
    said |= {f"paper_cost_{name}": f"{theirs[name]:.2f}" for name in FIG_1}
    ahead_of_us = ours.reindex(["l2rw", "mwnet", "mslc", "mlac", "mloc"])
    said["cost_ahead"] = f"{ahead_of_us.min():.1f} to {ahead_of_us.max():.1f}" if ahead_of_us.notna().all() else NOT_RUN
    for name in ("mloc", "mlac", "l2rw", "ce"):
        said[f"best_{name}"] = interval(chosen, partial(over_fasten, name), ".2f", factor=True).split(" (")[0]
    return said


def matrices(history: pd.DataFrame, alone: pd.DataFrame) -> dict[str, str]:
    """Where T ends: with corrections its diagonal beside the true one, without them its error beside GLC's."""
    rows, end = whole(select(history, "last")), select(alone, "last")
    mine = hardest(rows)
    said = {"T_diagonal": number(mean(mine, "T_diagonal", method="fasten"), ".2f")}
    said["true_diagonal"] = number(mean(mine, "corrected_diagonal", method="fasten"), ".2f")
    for kind, part in (("", hardest(end)), ("pair_", hardest(end, symmetric=False))):
        for name in ("fasten", "glc", "mloc"):
            said[f"{kind}error_{name}"] = number(mean(part, "T_error", method=name), ".2f")
    return said


def corrections(history: pd.DataFrame, rows: pd.DataFrame) -> dict[str, str]:
    """What corrections gain at 0.8, what random labels in their place gain, at the end and where clean validation stops
    (`history`); and how many wrong labels are put right (`rows`, of the last evaluation)."""
    of = history[history.method == "fasten"]
    way = of.method_perturb.map({0: "right", 1: "random"}).mask(~of.method_correct.astype(bool), "none")
    of = of.assign(way=way)
    last, clean = select(of, "last"), select(of, "clean validation")
    said = {f"with_{name}": number(points(last, way=name)) for name in ("right", "random", "none")}
    said["random_over_right"] = lead(last, "random", "right", by="way")
    for name in ("right", "random"):
        said[f"{name}_over_none"] = lead(last, name, "none", by="way")
        said[f"{name}_clean"] = lead(clean, name, "none", by="way")
    said["put_right"] = number(put_right(rows), ".0f")
    easy = rows[(rows.noise == SYMMETRIC) & (rows.rate == rows.rate.min())]
    said["put_right_easy"] = number(100 * mean(easy, "corrected_wrong", method="fasten"), ".0f")
    said["put_wrong"] = number(100 * mean(hardest(rows), "miscorrected", method="fasten"), ".0f")
    return said | {"put_wrong_mlac": number(100 * mean(hardest(rows), "miscorrected", method="mlac"), ".0f")}


# what of FasTEN was changed, under which name in sentences: the column, and its value there
CHANGED = {
    "strict": ("method_rho", 0.95),
    "lax": ("method_rho", 0.5),
    "at_once": ("method_immediate", True),
    "kept": ("method_correct", False),
}
UNCHANGED = {"method_rho": 0.8, "method_lam": 0.5, "method_immediate": False, "method_correct": True}


def parts(rows: pd.DataFrame) -> dict[str, str]:
    """How far FasTEN with one thing changed is ahead of FasTEN as it is, at two rates."""
    said = {}
    for (name, (column, value)), (at, rate) in itertools.product(CHANGED.items(), (("04", 0.4), ("08", 0.8))):
        others = {other: kept for other, kept in UNCHANGED.items() if other != column}
        said[f"{name}_{at}"] = lead(rows, value, UNCHANGED[column], by=column, rate=rate, **others)
    others = {other: kept for other, kept in UNCHANGED.items() if other != "method_correct"}
    return said | {"corrections_04": lead(rows, True, False, by="method_correct", rate=0.4, **others)}


def two_heads(history: pd.DataFrame) -> dict[str, str]:
    """How far two heads on one network are ahead of two networks, by rate and rule, and what these cost."""
    said = {"heads_cost": number(cost_of_separation(select(history, "last")), ".1f")}
    for rule, (at, rate) in itertools.product(HONEST, (("04", 0.4), ("08", 0.8))):
        rows = select(history, rule)
        said[f"heads_{at}_{rule.split()[0]}"] = lead(rows, True, False, by="method_shared", rate=rate)
    return said


def many_trusted(rows: pd.DataFrame) -> dict[str, str]:
    """What the number of trusted images decides."""
    said = {}
    for name, count in (("few", rows.trusted.min()), ("many", rows.trusted.max())):
        said[f"count_{name}"] = f"{count:,}"
        for method in ("trusted_only", "glc", "fasten"):
            said[f"{method}_{name}"] = number(points(rows, method=method, trusted=count))
    return said


def shifted(rows: pd.DataFrame, parts: pd.DataFrame) -> dict[str, str]:
    """What images that are mirrored and shifted change, beside FasTEN on images as they are (of `parts`)."""
    mine = pd.concat([rows[rows.method != "fasten"], whole(rows[rows.method == "fasten"])])
    said = {"shifted_over_glc": lead(mine, "fasten", "glc")}
    plain = parts[(parts.rate == rows.rate.max()) & (changed(parts) == "as in the paper")]
    for name, part in (("shifted", mine), ("plain", plain)):
        said[f"{name}_diagonal"] = number(100 * mean(part, "T_diagonal", method="fasten"))
        said[f"{name}_right"] = number(100 * mean(part, "corrected_wrong", method="fasten"))
    return said


def hundred(history: pd.DataFrame) -> dict[str, str]:
    """FasTEN and the best method with a hundred classes, and the factor between it and the best of its seven rivals by
    the paper's rule."""
    means = 100 * select(history, "last").groupby("method").test_accuracy.mean()
    factor = estimate(select(history, "clean validation"), Effect("", over_the_others, least=1, factor=True))
    said = {"hundred_fasten": number(means.get("fasten", math.nan)), "hundred_ce": number(means.get("ce", math.nan))}
    rivals = means.drop("ce", errors="ignore")
    said |= {"hundred_best": f"{rivals.max():.1f}", "hundred_best_name": words.method(rivals.idxmax())}
    return said | {"hundred_factor": in_words(factor, ".2f") if factor else NOT_RUN}


def paper() -> dict[str, str]:
    """Numbers of the paper that its prose or ours names."""
    rows = published("kye2022")
    rows = rows.assign(method=rows.series.str.removeprefix("method="))
    clothing = rows[rows["where"] == "Table 2"].set_index("method").value
    twice = rows[(rows["at"] == 0.2) & (rows.method == "l2rw") & (rows.dataset == "cifar10")]
    table = rows[(rows["where"] == "Table 1") & (rows["at"] == 0.8)].set_index(["dataset", "method"]).value
    curve = rows[(rows["where"] == "figure of perturbed corrections") & (rows.method == "fasten")].set_index("at").value
    said = {f"clothing_{name}": f"{clothing[name]:.1f}" for name in ("fasten", "mlac", "AugDesc")}
    said |= {"twice_l2rw": ", ".join(f"{value:.2f}" for value in twice[twice.knob != "asymmetric rate"].value)}
    poster = rows[(rows["where"] == "poster") & (rows.metric == "right corrections of wrong labels (%)")]
    said["poster_right"] = f"{poster.set_index('method').value['fasten']:.0f}"
    said |= {"once_fasten": f"{table['cifar10', 'fasten']:.2f}", "again_fasten": f"{curve[0]:.2f}"}
    symmetric = rows[(rows["where"] == "Table 1") & (rows.dataset == "cifar10") & (rows.knob != "asymmetric rate")]
    wide = symmetric.pivot(index="at", columns="method", values="value")
    said["paper_over_glc"] = ", ".join((wide.fasten - wide.glc).map("+{:.1f}".format))
    rivals = table["cifar100"].drop("fasten")
    said |= {"paper_hundred": f"{table['cifar100', 'fasten']:.1f}", "paper_hundred_next": f"{rivals.max():.1f}"}
    drawn = rows[rows.series == "matrix=estimated, symmetric 0.8 (inclusive)"].set_index("at").value
    return said | {"paper_random": f"{curve[1]:.1f}", "paper_T_diagonal": f"{drawn[drawn.index.max()]:.2f}"}
