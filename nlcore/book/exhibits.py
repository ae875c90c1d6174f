"""What chapters show beside their own cells."""

import inspect
import json
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from .. import figures, home, noise
from .evidence import evidence_table


def source(*things) -> object:
    """The source of classes or functions, for display in a chapter."""
    from IPython.display import Code

    return Code("\n\n".join(textwrap.dedent(inspect.getsource(t)).rstrip() for t in things), language="python")


def put(values: dict[str, object]) -> None:
    """Glue values under their names, for `{glue:text}` in the prose; nothing is displayed."""
    from myst_nb import glue

    for name, value in values.items():
        glue(name, value, display=False)


def verdict_table(effects: pd.DataFrame) -> None:
    """Display the effects that claims are about, ours beside the bound and the paper's, and the verdicts on them."""
    from IPython.display import display

    with pd.option_context("display.max_colwidth", None):
        display(evidence_table(effects))


def noise_cards(models: dict[str, noise.Noise], y: np.ndarray, K: int, seed: int) -> dict[str, dict]:
    """The card of one draw of each noise for the true classes `y` (N,), by name."""
    cards = {}
    for name, model in models.items():
        pairs = noise.draw(model, y, K, seed)
        cards[name] = noise.card(model, pairs, y, y[pairs.row], K, seed)
    return cards


def realised_matrices(cards: dict[str, dict]) -> Figure:
    """The transition matrices that were counted on draws, true classes down and given labels across; axes per name."""
    fig, grid = plt.subplots(2, 3, figsize=(9, 6.4), layout="constrained", facecolor="white")
    for ax in grid.flat[len(cards) :]:
        ax.axis("off")
    for ax, (name, card) in zip(grid.flat, cards.items(), strict=False):
        figures.matrix(noise.realised(card), ax=ax)
        ax.set_xlabel(f"given label: {name}")
    return fig


def asked_and_obtained(cards: dict[str, dict]) -> pd.DataFrame:
    """The parameter of each noise (a row), and the shares of wrong labels that its law has and that were drawn."""
    rows = []
    for name, card in cards.items():
        parameters = {k: v for k, v in card["definition"].items() if k != "name"}
        row = {"noise": name, "parameter": ", ".join(f"{k} = {v}" for k, v in parameters.items())}
        rows.append(row | {"wrong by law": card["requested_rate"], "wrong as drawn": card["realised_rate"]})
    return pd.DataFrame(rows).set_index("noise").round(4)


def true_class_left_out(alphas: tuple[int, ...] = (1, 9, 10, 100)) -> pd.DataFrame:
    """The probabilities of the true label and of each other one, a row for each alpha: with ten classes, where labels
    that are added include the true class, and where they leave it out."""
    rows = []
    for alpha in alphas:
        included = noise.Uniform(alpha).matrix(10)
        left_out = (np.eye(10) + alpha * noise.SymmetricExclusive(1.0).law(10)) / (1 + alpha)
        for name, T in (("included", included), ("left out", left_out)):
            rows.append({"alpha": alpha, "true class": name, "P(true)": T[0, 0], "P(each other)": T[0, 1]})
    return pd.DataFrame(rows).pivot(index="alpha", columns="true class").round(4)


def equal_images() -> pd.DataFrame:
    """What `nlcore data duplicates` found in the known data sets, a row each: `book/duplicates.json`."""
    rows = []
    for found in json.loads((home() / "book" / "duplicates.json").read_text()):
        pairs = [" / ".join(labels) for labels in found["differ"]]
        often = {pair: pairs.count(pair) for pair in pairs}
        named = ", ".join(pair + (f" ({n} times)" if n > 1 else "") for pair, n in often.items())
        row = {"data set": found["name"], "training images in the test set": found["in_test"]}
        row |= {"groups of equal training images": found["equal"], "with different labels": len(pairs)}
        rows.append(row | {"which": named})
    return pd.DataFrame(rows).set_index("data set")
