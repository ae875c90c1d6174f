"""All methods on cards: what each is, what it needs, what it costs, and where our records show it at its best."""

from typing import NamedTuple

import pandas as pd

from .. import words
from ..methods import METHODS
from ..papers.effects import in_words
from ..papers.scoreboard import NOISY
from . import show
from .helps import needs


class About(NamedTuple):
    """A method in a sentence, its paper, the label of the chapter about it, if any; what it is called among the gains,
    where it has variants; and what it needs, where that is neither nothing nor trusted images nor the true T."""

    what: str
    paper: str
    chapter: str = ""
    variants: tuple[str, ...] = ()
    needs: str = ""


ABOUT = {
    "ce": About("Minus the logarithm of the probability of the given label, which it believes.", "", "robust"),
    "label_smoothing": About(
        "Cross entropy against a target that has a small share of every class.", "Szegedy et al. 2016", "smoothing"
    ),
    "h_alpha": About(
        "The mean of cross entropy over uniform noise, as a batch without end would give it.",
        "Rolnick et al. 2017",
        "training",
        needs="clean labels",
    ),
    "forgetting": About(
        "Cross entropy with dropout before the last layer, to make memorisation harder.", "Jiang et al. 2018", "mentor"
    ),
    "distillation": About(
        "A student learns the predictions of a teacher that was trained on the same labels.",
        "Hinton et al. 2015",
        "smoothing",
    ),
    "mae": About(
        "The distance between prediction and label: no pair can weigh much, and learning is slow.",
        "Ghosh et al. 2017",
        "robust",
    ),
    "gce": About(
        "A loss between cross entropy and absolute error; an exponent q says where.", "Zhang and Sabuncu 2018", "robust"
    ),
    "truncated": About(
        "The same, but a pair whose label is predicted with a probability below k no longer counts.",
        "Zhang and Sabuncu 2018",
        "robust",
    ),
    "unhinged": About(
        "One minus the probability of the given label, which is half the absolute error.",
        "van Rooyen et al. 2015",
        "robust",
    ),
    "forward": About(
        "The prediction passes through the true transition matrix before it is compared with the label.",
        "Patrini et al. 2017",
        "robust",
    ),
    "forward_estimated": About(
        "The same, with a matrix from the predictions of a first training on the noisy labels.",
        "Patrini et al. 2017",
        "robust",
    ),
    "backward": About(
        "The losses of all classes are mixed by the inverse of the true matrix, so that their mean is the clean loss.",
        "Patrini et al. 2017",
        "robust",
    ),
    "noise_adaptation": About(
        "The matrix is a layer above the network and is learned with it.", "Goldberger and Ben-Reuven 2017", "robust"
    ),
    "soft_bootstrap": About(
        "The target is the given label and, by a small share, the network's own prediction.",
        "Reed et al. 2015",
        "robust",
    ),
    "hard_bootstrap": About(
        "The same, with the class that the network predicts in place of its prediction.", "Reed et al. 2015", "robust"
    ),
    "curriculum": About(
        "Pairs weigh by a fixed rule of their loss; self-paced learning leaves out those with a large one.",
        "Jiang et al. 2018",
        "mentor",
        ("self_paced", "focal"),
    ),
    "mentornet": About(
        "A second network, the mentor, gives each pair a weight from the history of its loss.",
        "Jiang et al. 2018",
        "mentor",
        ("PD", "DD"),
    ),
    "trusted_only": About("Cross entropy on the trusted images; noisy ones are not looked at.", "", "fasten"),
    "glc": About(
        "A first training on the noisy labels tells the matrix on the trusted images; a second one uses it.",
        "Hendrycks et al. 2018",
        "fasten",
    ),
    "l2rw": About(
        "A pair weighs as much as a step on it would lower the loss of the trusted images.", "Ren et al. 2018", "fasten"
    ),
    "mwnet": About(
        "A small net, taught by looking ahead, turns the loss of a pair into its weight.", "Shu et al. 2019", "fasten"
    ),
    "mloc": About(
        "The matrix moves in every step to where the next step lowers the loss of the trusted images.",
        "Wang et al. 2020",
        "fasten",
    ),
    "mlac": About(
        "A small net, taught by looking ahead, makes a soft label from an image and its given label.",
        "Zheng et al. 2021",
        "fasten",
    ),
    "mslc": About(
        "The label is a mixture of the given one, the last one and the prediction; looking ahead says which.",
        "Wu et al. 2021",
        "fasten",
    ),
    "deep_knn": About(
        "Labels that the nearest neighbours do not share are left out of a second training.",
        "Bahri et al. 2020",
        "fasten",
    ),
    "fasten": About(
        "A second head tells the matrix in every step; labels are corrected, and can be given back.",
        "Kye et al. 2022",
        "fasten",
    ),
    "symmetric_ce": About(
        "Cross entropy, by a small share, and a loss in which label and prediction have changed places.",
        "Wang et al. 2019",
        "field",
    ),
    "active_passive": About(
        "Two robust losses together: one raises the given class, the other lowers all others.",
        "Ma et al. 2020",
        "field",
    ),
    "peer": About(
        "From the loss under the given label is taken the loss under the label of some other image.",
        "Liu and Guo 2020",
        "field",
    ),
    "elr": About(
        "A term holds predictions to the mean of earlier ones, from before wrong labels were learned.",
        "Liu et al. 2020",
        "field",
    ),
    "sop": About(
        "Each pair has parameters of its own, which learn to explain a wrong label in place of the network.",
        "Liu et al. 2022",
        "field",
    ),
    "volminnet": About(
        "The matrix is learned with the network; among those that fit, the one of smallest volume is sought.",
        "Li et al. 2021",
        "field",
    ),
    "mixup": About("Images are mixed in pairs, and so are their labels.", "Zhang, Cissé et al. 2018", "field"),
    "small_loss": About(
        "Only the pairs of a batch with the smallest losses count, fewer and fewer until the noise rate is left out.",
        "Han et al. 2018",
        "field",
        needs="the noise rate",
    ),
    "co_teaching": About(
        "Two networks, each of which learns from the pairs with the smallest losses of the other one.",
        "Han et al. 2018",
        "field",
        needs="the noise rate",
    ),
    "dividemix": About(
        "Two networks tell each other which labels are likely right, and learn from the other images without labels.",
        "Li et al. 2020",
        "field",
    ),
}


def needed(name: str) -> str:
    """What a method has to be given beside noisy labels, with its variants where they differ."""
    about = ABOUT[name]
    if about.needs:
        return about.needs
    found = {variant: needs(variant) for variant in about.variants or (name,)}
    if len({*found.values()}) == 1:
        return next(iter(found.values()))
    return ", ".join(f"{need} ({variant})" for variant, need in found.items())


def times(parts: dict[str, dict]) -> dict[str, float]:
    """How long a training with each method takes, that of cross entropy being 1, from the parts of the benchmark."""
    return {row["method"]: row["ratio"] for row in parts["methods"]["rows"] if "method" in row}


def at_its_best(name: str, found: pd.DataFrame) -> str:
    """Under which noise and recipe a method gains most over cross entropy where noisy validation stops both (`found`
    as from `helps.gains`), and what it gains there at the end."""
    if name == "ce":
        return "all others are measured against it"
    rows = found[found.method.isin(ABOUT[name].variants or (name,))]
    stopped = rows[rows.rule == NOISY]
    if stopped.empty:
        return "not compared with others under one recipe"
    best = stopped.loc[stopped.effect.idxmax()]
    same = (rows.method == best.method) & (rows.recipe == best.recipe) & (rows.noise == best.noise)
    last = rows[same & (rows.rule == "last")].iloc[0]
    who = f"as {words.method(best.method)}, " if best.method != name else ""
    gain, end = (in_words(row, "+.1f", ".1f") for row in (best, last))
    where = f"{who}noise {best.noise}, recipe of {best.recipe}"
    return f"{where}: {gain} points where noisy validation stops both, {end} at the end"


def of_family(family: str) -> list[str]:
    """The methods of a family, in their order."""
    return [name for name in ABOUT if words.METHODS[name][1] == family]


def overview(parts: dict[str, dict]) -> pd.DataFrame:
    """All methods, a row each, by family: what each needs, its passes a step and its cost."""
    cost, rows = times(parts), {}
    for name in (name for family in words.FAMILIES for name in of_family(family)):
        forward, backward = METHODS[name]().passes
        row = {"family": words.METHODS[name][1], "needs": needed(name), "forward": forward, "backward": backward}
        rows[words.method(name)] = row | {"cost": f"{cost[name]:.2f}"}
    return pd.DataFrame(rows).T.rename_axis("method")


def facts(name: str, found: pd.DataFrame, parts: dict[str, dict]) -> dict[str, str]:
    """What a card says of a method below its sentence."""
    forward, backward = METHODS[name]().passes
    code = f"`nlcore.methods.{METHODS[name].__name__}`, in experiments `{name}`"
    told = {"Needs": needed(name)}
    cost = f"{times(parts)[name]:.2f} times cross entropy" if name != "ce" else "what all others are measured against"
    told["Cost"] = f"{cost}; passes: {forward} forward, {backward} backward a step"
    told["At its best"] = at_its_best(name, found)
    paper, chapter = ABOUT[name].paper, ABOUT[name].chapter
    where = [paper, f"chapter {{ref}}`ch:{chapter}`" if chapter else ""]
    return told | {"Code": code, "Read": "; ".join(filter(None, where))}


def cards(family: str, found: pd.DataFrame, parts: dict[str, dict]) -> None:
    """Show a card for each method of a family; gains as from `helps.gains`, parts as from `costs.measured`."""
    shown = {name: facts(name, found, parts) for name in of_family(family)}
    show.display(
        {
            "text/markdown": "\n\n".join(card(name, told) for name, told in shown.items()),
            "text/plain": "\n\n".join(f"{words.method(name)}: {ABOUT[name].what}" for name in shown),
        }
    )


def card(name: str, told: dict[str, str]) -> str:
    """One card, in Markdown."""
    lines = "\n".join(f"- **{what}**: {text}" for what, text in told.items())
    return f":::{{card}} {words.method(name)}\n\n{ABOUT[name].what}\n\n{lines}\n:::"
