"""The numbers that sentences of the chapters on the amount and on the shape of the noise name, as texts: accuracies in
percent, leads and losses in points with their 95 % intervals; `(not run)` where a run is missing."""

import pandas as pd

from ... import words
from ...measures.evaluate import select
from ..effects import mean, points
from ..texts import NOT_RUN, interval, number
from .exhibits import figure_of_paper
from .exhibits_of_noise import by_chance, gap, largest_noise, repeated_at_zero, weights
from .measured import foreign_ahead, knee_of, white_ahead

RULES_COMPARED = ("last", "noisy validation", "best on test (leaks)")


def effect(rows: pd.DataFrame, of, form: str = ".1f", **at) -> str:
    """An effect over seeds, of the rows where columns have these values, with its interval."""
    for name, value in at.items():
        rows = rows[rows[name] == value]
    return interval(rows, of, form)


def lead(rows: pd.DataFrame, a, b, **by) -> str:
    """Points that `a` is ahead of `b`, with the interval."""
    return gap(rows, a, b, **by) or NOT_RUN


# Massive label noise


def amount(table: pd.DataFrame, cifar: pd.DataFrame, rule: str) -> dict[str, str]:
    """What the chapter on massive label noise says, of frames with a row per run and evaluation."""
    ours = select(table, rule)
    conv, top = largest_noise(ours)
    its, data = ours[ours.model == conv], words.listed(ours.dataset.unique())
    said = {"conv": words.said(conv), "largest": f"{top:g}", "data": data}
    said |= {"wrong_at_10": number(100 * mean(ours, "realised_rate", alpha=10))}
    said |= {"wrong_at_largest": number(100 * mean(ours, "realised_rate", alpha=top))}
    for alpha in (0, 10, 50, 100):
        said[f"conv_{alpha}"] = number(points(its, alpha=alpha))
    said |= {"conv_lost_to_10": lead(its, 0, 10, by="alpha"), "conv_lost": lead(its, 0, top, by="alpha")}
    said["conv_interval"] = effect(its, points, alpha=top)
    passes = ours.groupby("alpha").epoch.mean()
    said["passes"] = ", ".join(f"{times(n)} at α = {at:g}" for at, n in passes.items())
    said |= networks(ours, top) | by_rule(table, top) | of_wrong_labels(ours)
    return said | on_cifar(cifar, rule) | paper()


def times(n: float) -> str:
    """`once`, or `1.6 times`."""
    return "once" if f"{n:.2g}" == "1" else f"{n:.2g} times"


def networks(ours: pd.DataFrame, top: float) -> dict[str, str]:
    """How networks compare at the largest alpha, and what the second hidden layer adds."""
    said = {name: number(points(ours, model=name, alpha=top)) for name in ("perceptron", "mlp1", "mlp2", "mlp4")}
    said["deeper"] = lead(ours, "mlp2", "mlp1", by="model", alpha=top)
    one, two = (weights(name, ours.dataset.iloc[0]) for name in ("mlp1", "mlp2"))
    return said | {"more_weights": f"{100 * (two / one - 1):.0f}"}


def by_rule(table: pd.DataFrame, top: float) -> dict[str, str]:
    """What choosing by noisy validation costs at the largest alpha, and what the leak gains, for the networks where it
    is most."""
    here = table[table.alpha == top]
    means = pd.DataFrame({rule: select(here, rule).groupby("model").test_accuracy.mean() for rule in RULES_COMPARED})
    cost = 100 * (means["last"] - means["noisy validation"])
    gain = 100 * (means["best on test (leaks)"] - means["last"])
    return {
        "noisy_costs": number(cost.max()),
        "noisy_costs_whom": words.said(cost.idxmax()),
        "leak": number(gain.max()),
    }


def of_wrong_labels(ours: pd.DataFrame) -> dict[str, str]:
    """How far the wrong labels that are predicted exceed what chance would give, at the most."""
    noisy = ours[ours.alpha > 0].groupby(["model", "alpha"])[["train_right", "train_wrong"]].mean()
    beyond = 100 * (noisy.train_wrong - by_chance(noisy.train_right, ours))
    return {"beyond_chance": number(beyond.max(), ".2f")}


def on_cifar(cifar: pd.DataFrame, rule: str) -> dict[str, str]:
    """The small net on a part of CIFAR-10."""
    rows = select(cifar, rule)
    said = {"cifar_images": f"{rows.images.max():,}"}
    for alpha in (0, 10):
        said[f"cifar_{alpha}"] = number(points(rows, alpha=alpha))
    few, test_best = rows[rows.alpha == 2], select(cifar, "best on test (leaks)")
    said["cifar_hit_2"] = number(100 * few.train_wrong.mean())
    said["cifar_chance_2"] = number(100 * by_chance(few.train_right, rows).mean())
    said["cifar_forgotten_2"] = number(points(test_best, alpha=2) - points(rows, alpha=2))
    return said | {"cifar_lost": lead(rows, 0, 10, by="alpha"), "cifar_passes_2": f"{few.epoch.mean():.0f}"}


def paper() -> dict[str, str]:
    """What the paper's figures have."""
    said = {}
    for where, models, alphas in (("Fig. 1", ["conv4"], (50, 100)), ("Fig. 2", ["conv4", "conv6", "resnet"], (0, 10))):
        values = figure_of_paper(where).set_index(["model", "at"]).value
        said |= {f"paper_{model}_{alpha}": f"{values[model, alpha]}" for model in models for alpha in alphas}
    return said


# The shape of the noise


def shape(tables: dict[str, pd.DataFrame], rule: str) -> dict[str, str]:
    """What the chapter on the shape of the noise says, of frames with a row per run and evaluation by experiment."""
    rows = {name: select(table, rule) for name, table in tables.items()}
    return (
        of_structure(rows["structured"], rows["knee"])
        | of_orders(rows["order"], rows["knee"], rows["structured"])
        | of_carriers(rows["source"], rows["cifar_source"], rows["novel"])
    )


def of_structure(whole: pd.DataFrame, part: pd.DataFrame) -> dict[str, str]:
    """What delta costs on all images and on a part of them."""
    said = {"images": f"{whole.images.max():,}", "few_images": f"{part.images.max():,}"}
    for name, rows in (("whole", whole), ("part", part)):
        every = repeated_at_zero(rows, "delta", "order")
        fixed = every[every["order"] != "fresh"]
        said[f"{name}_half"] = lead(fixed, 0, 0.5, by="delta")
        said[f"{name}_second"] = lead(fixed, 0.5, 1, by="delta")
        said[f"{name}_knee"] = effect(fixed, lambda one: 100 * knee_of(one), ".0f")
        for order in ("random", "confusing", "learned", "reverse", "fresh"):
            mine = every[every["order"] == order]
            said[f"{name}_{order}_half"] = lead(mine, 0, 0.5, by="delta")
            said[f"{name}_{order}_tie"] = lead(mine, 0, 1, by="delta")
    spreads = 100 * whole[whole.delta == 1].groupby("order").test_accuracy.std()
    return said | {"most_spread": number(spreads.max())}


def of_card(card: dict) -> dict[str, str]:
    """The first false labels of some classes, from the noise card of a confusing order."""
    ranking = card["definition"]["ranking"]
    return {f"first_{k}": str(ranking[k][0]) if k < len(ranking) else NOT_RUN for k in (4, 5, 7)}


def of_orders(ten: pd.DataFrame, part: pd.DataFrame, whole: pd.DataFrame) -> dict[str, str]:
    """How far orders are ahead of a random one, and of uniform noise where the tilt is small."""
    said = {"confusing_whole_half": lead(whole, "confusing", "random", by="order", delta=0.5)}
    said |= {"order_seeds": str(ten.seed.nunique()), "order_delta": f"{ten.delta.max():g}"}
    every = repeated_at_zero(part, "delta", "order")
    for order in ("confusing", "learned", "random"):
        mine = every[every["order"] == order]
        said |= {f"{order}_at_{100 * delta:.0f}": lead(mine, delta, 0, by="delta") for delta in (0.25, 0.5)}
        if order != "random":
            said[f"{order}_ahead"] = lead(ten, order, "random", by="order")
    return said


def of_carriers(mnist: pd.DataFrame, cifar: pd.DataFrame, novel: pd.DataFrame) -> dict[str, str]:
    """What noisy labels cost on other images."""
    said = {"cifar_images": f"{cifar.images.max():,}", "novel_images": f"{novel.images.max():,}"}
    for name, rows in (("mnist", mnist), ("cifar", cifar)):
        foreign = next((c for c in rows.carrier.unique() if c not in ("same", "white")), "")
        said |= {f"{name}_white_ahead": effect(rows, white_ahead), f"{name}_foreign_ahead": effect(rows, foreign_ahead)}
        every = repeated_at_zero(rows, "alpha", "carrier")
        for key, carrier in (("same", "same"), ("foreign", foreign), ("white", "white")):
            said[f"{name}_{key}_lost"] = lead(every[every.carrier == carrier], 0, 10, by="alpha")
    said["cifar_foreign_at_5"] = lead(cifar, "cifar100", "same", by="carrier", alpha=5)
    return said


def of_ten(novel: pd.DataFrame) -> dict[str, str]:
    """How far novel images are ahead of repeated ones, over more seeds at one alpha."""
    return {"novel_ahead": lead(novel, "novel", "same", by="carrier")}
