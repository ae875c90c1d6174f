"""The claims of the paper, and ours about labels that people gave: effects, their bounds and the reasons for them."""

from functools import partial

from ..effects import CORRELATION, SIGN, Claim, Effect
from . import published
from .experiments import cifar10n, cifar100n, twins
from .measured import closed_by_stopping, gain_of_correction, lead, lead_of_a_hundred, lost, order_carries_over, sooner

BOTH = "cross entropy on the worst labels, of people and drawn from their matrix"
OF_SIX = "six methods that are ordered by chance reach 0.83 once in twenty times"

CLAIMS = [
    Claim(
        "N1",
        "abstract",
        "Labels that people gave are harder to learn from than labels drawn from the same matrix.",
        twins,
        [
            Effect(f"{name}: people's labels above drawn ones [points]", partial(lost, method), most=0, why=SIGN)
            for method, name in (("ce", "cross entropy"), ("gce", "L_q"), ("fasten", "FasTEN"))
        ],
        "cross entropy, L_q and FasTEN on the worst labels, of people and drawn from their matrix",
    ),
    Claim(
        "N2",
        "section 5",
        "Wrong labels of people are memorised sooner than drawn ones.",
        twins,
        [
            Effect(
                "wrong labels that are predicted, mean over training: people's less drawn ones [points]",
                sooner,
                least=0,
                why=SIGN,
            )
        ],
        BOTH,
        end=True,
    ),
    Claim(
        "N3",
        "Table 2",
        "On the worst labels of people L_q and forward correction beat cross entropy.",
        cifar10n,
        [
            Effect(f"{told} ahead of cross entropy [points]", partial(lead, method, "ce"), least=0, why=SIGN)
            for method, told in (("gce", "L_q"), ("forward_estimated", "forward correction with estimated T"))
        ],
        "cross entropy, L_q and forward correction on the worst labels",
        published=published.table2,
    ),
    Claim(
        "N4",
        "Table 2",
        "With a hundred classes L_q beats cross entropy on the labels of people.",
        cifar100n,
        [Effect("L_q ahead of cross entropy [points]", lead_of_a_hundred, least=0, why=SIGN)],
        "cross entropy and L_q on the noisy labels of CIFAR-100N",
        published=published.table2,
    ),
    Claim(
        "N5",
        "ours",
        "The order of methods on drawn labels is that on people's.",
        twins,
        [
            Effect(
                "rank correlation of the accuracies of six methods",
                order_carries_over,
                least=0.8,
                why=OF_SIX,
                within=CORRELATION,
            )
        ],
        "six methods on the worst labels, of people and drawn from their matrix",
    ),
    Claim(
        "N6",
        "ours",
        "Forward correction gains less on people's labels than on drawn ones, as its matrix says all of the latter.",
        twins,
        [Effect("its gain on people's labels less that on drawn ones [points]", gain_of_correction, most=0, why=SIGN)],
        "cross entropy and forward correction on the worst labels, of people and drawn from their matrix",
    ),
    Claim(
        "N7",
        "ours",
        "To stop by noisy validation saves most of what cross entropy loses to people's wrong labels.",
        cifar10n,
        [
            Effect(
                "of what it loses from its best evaluation to its last, the share that is saved",
                closed_by_stopping,
                least=0.5,
                why="most of it is more than half",
            )
        ],
        "cross entropy on the worst labels, with labels held out",
        end=True,
    ),
    Claim(
        "N8",
        "ours",
        "A few trusted images help against people's wrong labels.",
        cifar10n,
        [
            Effect(f"{told} ahead of cross entropy [points]", partial(lead, method, "ce"), least=0, why=SIGN)
            for method, told in (("glc", "gold loss correction"), ("fasten", "FasTEN"))
        ],
        "cross entropy, gold loss correction and FasTEN on the worst labels",
    ),
]
