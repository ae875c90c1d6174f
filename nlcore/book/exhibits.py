"""What chapters show beside their own cells."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .. import figures, home, noise, words
from ..files import read_json


def two_laws(K: int, rate: float = 0.8, true: int = 0) -> Figure:
    """What label an image of the class `true` gets under symmetric noise of one rate, inclusive and exclusive: two
    panels of bars, the right label in blue."""
    laws = (noise.SymmetricInclusive(rate), noise.SymmetricExclusive(rate))
    fig, grid = figures.row(2, 2.8, sharey=True)
    for ax, law in zip(grid, laws, strict=True):
        shares = 100 * law.matrix(K)[true]
        colours = np.where(np.arange(K) == true, "#0072b2", "#d55e00")
        ax.bar(range(K), shares, color=colours)
        wrong = 100 - shares[true]
        ax.set(xlabel="given label", title=f"{named(law)}:\n{wrong:.0f} % are wrong")
        ax.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    grid[0].set_ylabel("% of the images")
    return fig


def named(law: noise.Noise) -> str:
    """A noise model in words."""
    return words.said(next(name for name, kind in noise.NOISES.items() if type(law) is kind))


def of_two_laws(K: int, rate: float = 0.8) -> dict[str, str]:
    """The shares of wrong labels of both kinds of symmetric noise with ten classes (`ten_`) and with K (`here_`)."""
    found = {"rate": f"{rate:.0%}".replace("%", " %"), "K": str(K)}
    for way, law in (("inclusive", noise.SymmetricInclusive(rate)), ("exclusive", noise.SymmetricExclusive(rate))):
        for place, classes in (("ten", 10), ("here", K)):
            wrong = 100 * (1 - law.matrix(classes).diagonal().mean())
            found[f"{place}_{way}"] = f"{wrong:.4g} %"
    return found


def class_names(names: tuple[str, ...]) -> str:
    """A sentence that says which number stands for which class, where they have other names and are few."""
    if len(names) > 12 or [*names] == [str(k) for k in range(len(names))]:
        return ""
    return " Classes: " + ", ".join(f"{k} {name}" for k, name in enumerate(names)) + "."


def laws_for(K: int, rate: float, alpha: float, T: list) -> dict[str, noise.Noise]:
    """The noise models that fit K classes, by name; with a matrix `T` of one's own, unless it is empty."""
    models = {
        "symmetric_inclusive": noise.SymmetricInclusive(rate),
        "symmetric_exclusive": noise.SymmetricExclusive(rate),
        "pair_flip": noise.PairFlip(rate),
        "uniform": noise.Uniform(alpha),
    }
    if K == 10:
        models["asymmetric_cifar10"] = noise.AsymmetricCifar10(rate)
    if K == 100:
        models["asymmetric_superclass"] = noise.AsymmetricSuperclass(rate)
        models["hierarchical"] = noise.Hierarchical(rate)
    if T:
        models["matrix"] = noise.Matrix(T)
    return models


def noise_cards(models: dict[str, noise.Noise], y: np.ndarray, K: int, seed: int) -> dict[str, dict]:
    """The card of one draw of each noise for the true classes `y` (N,), by name."""
    cards = {}
    for name, model in models.items():
        model.check(K)
        pairs = noise.draw(model, y, K, seed)
        cards[name] = noise.card(model, pairs, y, y[pairs.row], K, seed)
    return cards


def realised_matrices(cards: dict[str, dict]) -> Figure:
    """The transition matrices that were counted on draws, true classes down and given labels across; axes per name."""
    fig, panels = figures.row(len(cards), 3)
    for ax, (name, card) in zip(panels, cards.items(), strict=True):
        figures.matrix(noise.realised(card), ax=ax)
        ax.set_title(words.said(name))
        if (K := len(card["counts"])) > 20:  # too many to be named
            shown = range(0, K, K // 5)
            ax.set_xticks([k + 0.5 for k in shown], shown, rotation=0)
            ax.set_yticks([k + 0.5 for k in shown], shown)
    return fig


def parameters_of(card: dict) -> str:
    """The parameters of a noise as in the formulas: `r = 0.4`."""
    signs = {"rate": "r", "alpha": "α"}
    given = {k: v for k, v in card["definition"].items() if k not in ("name", "T")}
    return ", ".join(f"{signs.get(k, k)} = {v:g}" for k, v in given.items())


def asked_and_obtained(cards: dict[str, dict]) -> pd.DataFrame:
    """The parameter of each noise (a row), and the shares of wrong labels, in percent, that its law has and that were
    drawn."""
    rows = []
    for name, card in cards.items():
        row = {"noise": words.said(name), "parameter": parameters_of(card)}
        shares = {"by the law, %": card["requested_rate"], "as drawn, %": card["realised_rate"]}
        rows.append(row | {column: f"{100 * share:.1f}" for column, share in shares.items()})
    return pd.DataFrame(rows).set_index("noise")


def of_cards(cards: dict[str, dict]) -> dict[str, str]:
    """The largest distance, in points, between what laws say and what was drawn (`most_off`)."""
    return {
        "most_off": f"{100 * max(abs(card['requested_rate'] - card['realised_rate']) for card in cards.values()):.1f}"
    }


def true_class_left_out(K: int = 10, alphas: tuple[int, ...] = (1, 9, 10, 100)) -> pd.DataFrame:
    """The probabilities of the true label and of each other one, a row for each alpha, where labels that are added to K
    classes include the true one, and where they leave it out."""
    rows = []
    for alpha in alphas:
        included = noise.Uniform(alpha).matrix(K)
        left_out = (np.eye(K) + alpha * noise.SymmetricExclusive(1.0).law(K)) / (1 + alpha)
        row = {"α": alpha}
        for way, T in (("included", included), ("left out", left_out)):
            row |= {f"{way}: true": T[0, 0], f"{way}: other": T[0, 1]}
        rows.append(row)
    return pd.DataFrame(rows).set_index("α").round(4)


def equal_images() -> pd.DataFrame:
    """What `nlcore data duplicates` found in the known data sets, a row each: `book/duplicates.json`."""
    rows = []
    for found in read_json(home() / "book" / "duplicates.json"):
        row = {"data set": words.said(found["name"]), "in the test set too": found["in_test"]}
        row |= {"twice in training": found["equal"], "with two labels": len(found["differ"])}
        rows.append(row)
    return pd.DataFrame(rows).set_index("data set")


def contradictions(name: str) -> str:
    """The labels that equal training images of a known data set have: `baby / girl, otter / seal (3 times)`."""
    (found,) = (each for each in read_json(home() / "book" / "duplicates.json") if each["name"] == name)
    pairs = [" / ".join(labels) for labels in found["differ"]]
    often = {pair: pairs.count(pair) for pair in pairs}
    return ", ".join(pair + (f" ({n} times)" if n > 1 else "") for pair, n in often.items())
