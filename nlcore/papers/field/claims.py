"""Claims of the papers that came later, as far as a small network can judge them."""

from functools import partial

from ..effects import SIGN, Claim, Effect
from . import published
from .experiments import fashion
from .measured import ahead_at, fewer_memorised, more_gained_by_class, share_of_gain

SAID = {
    "ce": "cross entropy",
    "gce": "L_q",
    "elr": "early-learning regularisation",
    "symmetric_ce": "symmetric cross entropy",
    "active_passive": "the active-passive loss",
    "co_teaching": "co-teaching",
    "small_loss": "one network that drops large losses",
    "dividemix": "DivideMix",
    "mixup": "mixup",
    "forward_estimated": "forward correction with estimated T",
}


def lead(a: str, b: str, rate: float, **bound) -> Effect:
    """How far a method is ahead of another under symmetric noise."""
    what = f"{SAID[a]} ahead of {SAID[b]} at {rate:g} [points]"
    return Effect(what, partial(ahead_at, a, b, rate), **(bound or {"least": 0}), why=SIGN)


def memorises_less(rate: float) -> Effect:
    """By how much mixup memorises less than cross entropy under symmetric noise."""
    what = f"wrong labels that are predicted at {rate:g}: mixup's less those of cross entropy [points]"
    return Effect(what, partial(fewer_memorised, "mixup", rate), most=0, why=SIGN)


def needs(*methods: str) -> str:
    """What a claim needs to be run."""
    return " and ".join(SAID[name] for name in methods) + " on Fashion-MNIST"


OF_OTHERS = "cross entropy and L_q from Zhang & Sabuncu 2018"  # whose noise is exclusive; see `published.of_cifar10`
of_fashion = partial(Claim, experiment=fashion, rule="last")

CLAIMS = [
    of_fashion(
        "F1",
        f"Liu et al. 2020, Table 1; {OF_OTHERS}",
        "Early-learning regularisation beats cross entropy and L_q.",
        effects=[lead("elr", other, rate) for rate in (0.2, 0.5, 0.8) for other in ("ce", "gce")],
        needs=needs("elr", "ce", "gce"),
        published=published.of_cifar10,
    ),
    of_fashion(
        "F2",
        f"Wang et al. 2019; Liu et al. 2020, Table 1; {OF_OTHERS}",
        "Symmetric cross entropy beats L_q under much noise.",
        # at 0.2 and 0.4 the table that we have prints the same numbers for both
        effects=[lead("symmetric_ce", "gce", rate) for rate in (0.5, 0.8)],
        needs=needs("symmetric_ce", "gce"),
        published=published.of_cifar10,
    ),
    of_fashion(
        "F3",
        "Ma et al. 2020, Table 2",
        "An active loss joined with a passive one beats L_q under much noise.",
        effects=[lead("active_passive", "gce", 0.8)],
        needs=needs("active_passive", "gce"),
    ),
    of_fashion(
        "F4",
        "Han et al. 2018",
        "Two networks that choose for each other beat cross entropy, and one network that chooses for itself.",
        effects=[lead("co_teaching", other, 0.5) for other in ("ce", "small_loss")],
        needs=needs("co_teaching", "small_loss", "ce"),
    ),
    of_fashion(
        "F5",
        "ours",
        "The schedule by which large losses are dropped does most of the work of co-teaching.",
        effects=[
            Effect(
                "of what co-teaching gains on cross entropy at 0.5, the share that one network gains with its schedule",
                partial(share_of_gain, "small_loss", "co_teaching", 0.5),
                least=0.5,
                why="most of it is more than half",
            )
        ],
        needs=needs("co_teaching", "small_loss", "ce"),
    ),
    of_fashion(
        "F6",
        f"Li et al. 2020, Table 1; ELR from Liu et al. 2020; {OF_OTHERS}",
        "DivideMix stands noise of 0.8 better than cross entropy and early-learning regularisation.",
        effects=[lead("dividemix", other, 0.8) for other in ("ce", "elr")],
        needs=needs("dividemix", "ce", "elr"),
        published=published.of_cifar10,
    ),
    of_fashion(
        "F7",
        "Xia et al. 2020",
        "Forward correction with an estimated T gains less where noise depends on the image.",
        effects=[
            Effect(
                "what forward correction with estimated T gains on cross entropy under pair noise of 0.4, less what it "
                "gains under instance-dependent noise of 0.4 [points]",
                partial(more_gained_by_class, "forward_estimated"),
                least=0,
                why=SIGN,
            )
        ],
        needs="cross entropy and forward correction under pair and instance-dependent noise of 0.4",
    ),
    of_fashion(
        "F8",
        "Zhang et al. 2018 (mixup), Table 2",
        "With mixup fewer wrong labels are memorised, and it beats cross entropy at the end.",
        effects=[of(rate) for of in (partial(lead, "mixup", "ce"), memorises_less) for rate in (0.2, 0.5, 0.8)],
        needs=needs("mixup", "ce"),
        end=True,
    ),
]
