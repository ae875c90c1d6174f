"""The claims of the paper: the effects that they are about, their bounds and the reasons for them."""

from functools import partial

from ..effects import SIGN, Claim, Effect, identity
from . import published
from .experiments import burn_in, students, transfer
from .measured import (
    ahead_with,
    error_of_imitation,
    gain_by_burn_in,
    helped_more,
    kept_alike,
    moved_ahead,
    off_by_place,
    off_the_minimum,
    rise,
    told_apart,
)

BIG, SMALL = 0, 1
STUDENT = {BIG: "big student", SMALL: "small student"}
one_data_set = partial(Claim, single=("dataset",))


def gap(a: str, b: str, rate: float, which: int, told: str, **bound) -> Effect:
    """How many points one method is ahead of another with a student."""
    what = f"{STUDENT[which]}: {told} at {rate:g} [points]"
    return Effect(what, partial(ahead_with, which, a, b, rate), **({"least": 0, "why": SIGN} | bound))


def of_students(suffix: str, which: int, gain: float, why: str) -> list[Claim]:
    """The claims on Table 2 for one of the students."""
    needs = "DD, PD, self-paced learning, focal weights and the full model at 0.4 and 0.8"
    table = partial(one_data_set, experiment=students, needs=needs, published=published.table2)
    return [
        table(
            "E3" + suffix,
            "Table 2",
            "At noise of 0.4 DD is at least as good as PD, and PD as the full model.",
            effects=[
                gap("DD", "PD", 0.4, which, "DD ahead of PD"),
                gap("PD", "ce", 0.4, which, "PD ahead of the full model"),
                gap("DD", "ce", 0.4, which, "DD ahead of the full model", least=gain, why=why),
            ],
        ),
        table(
            "E5" + suffix,
            "Table 2",
            "Self-paced learning helps at noise of 0.4, and falls behind DD at 0.8.",
            effects=[
                gap("self_paced", "ce", 0.4, which, "self-paced learning ahead of the full model"),
                gap("DD", "self_paced", 0.8, which, "DD ahead of self-paced learning"),
            ],
        ),
        table(
            "E6" + suffix,
            "Table 2",
            "Focal weights, which prefer hard pairs, do not help.",
            effects=[
                gap(
                    "focal",
                    "ce",
                    0.4,
                    which,
                    "focal weights ahead of the full model",
                    least=-float("inf"),
                    most=1,
                    why="the paper's table has them a point ahead, and its authors read that as no help",
                )
            ],
        ),
    ]


CLAIMS = [
    Claim(
        "E1",
        "README",
        "A mentor learns a predefined curriculum from examples.",
        None,
        [
            identity("mean squared error of one that imitates PD", error_of_imitation, 0.01, "weights go from 0 to 1"),
            Effect(
                "share of self-paced weights on the right side of a half",
                lambda _: kept_alike(),
                least=0.97,
                why="what is left lies near the threshold",
            ),
        ],
    ),
    Claim(
        "E2",
        "Eq. 7",
        "v* minimises v l + G(v).",
        None,
        [
            identity(
                f"{kind} weights: largest distance from the minimum",
                partial(off_the_minimum, kind),
                5.1e-4,
                "half a step of the grid",
            )
            for kind in ("self_paced", "linear")
        ],
    ),
    *of_students("", BIG, 8, "two fifths of the paper's 20"),
    *of_students("b", SMALL, 2, "two thirds of the paper's 3"),
    one_data_set(
        "E4",
        "Table 2",
        "The mentor helps a big student more than a small one.",
        students,
        [
            Effect(
                "gain by DD at 0.4, of the big student less that of the small one [points]",
                helped_more,
                least=0,
                why=SIGN,
            )
        ],
        "DD and the full model at 0.4 with two students",
        published=published.table2,
    ),
    Claim(
        "E7",
        "Table 2",
        "A mentor learned on one data set helps on another.",
        transfer,
        [
            Effect(
                "DD from elsewhere ahead of the full model at the rate where it gains least [points]",
                moved_ahead,
                least=0,
                why=SIGN,
            )
        ],
        "the full model and a mentor from another data set",
        published=published.moved,
    ),
    one_data_set(
        "E8",
        "ours",
        "v tells right labels from wrong ones.",
        students,
        [
            Effect(
                "area under the ROC curve of v at 0.4, of the student where it is smaller",
                told_apart,
                least=0.8,
                why="of a right and a wrong label the right one has the larger weight four times in five",
            )
        ],
        "DD at 0.4",
        end=True,
    ),
    one_data_set(
        "E9",
        "Fig. 3",
        "The full model overfits, DD does not.",
        students,
        [
            Effect(
                "full model: error at the end above its lowest at 0.4 [points]",
                partial(rise, "ce"),
                least=3,
                why="half of the rise in the paper's figure",
            ),
            Effect(
                "DD: error at the end above its lowest at 0.4 [points]",
                partial(rise, "DD"),
                most=1,
                why="the figure shows none; a lowest point of several evaluations is a little too low by chance",
            ),
        ],
        "DD and the full model at 0.4",
        end=True,
        published=published.fig3,
    ),
    Claim(
        "E10",
        "text",
        "The burn-in matters.",
        burn_in,
        [
            Effect(f"{told}: gain by a burn-in of 0.2 [points]", partial(gain_by_burn_in, kind), least=0, why=SIGN)
            for kind, told in (("self_paced", "self-paced"), ("data", "DD"))
        ],
        "self-paced learning and DD without burn-in and with 0.2",
    ),
    Claim(
        "E11",
        "identity",
        "The weight of a pair does not depend on its place in the batch.",
        None,
        [
            identity("largest difference when the batch is permuted", partial(off_by_place, False), 1e-5),
            identity("largest difference to a pair alone", partial(off_by_place, True), 1e-5),
        ],
    ),
]
