"""The claims of the paper: the effects that they are about, their bounds and the reasons for them."""

from functools import partial

from ..effects import CORRELATION, SIGN, Claim, Effect, identity
from . import published
from .experiments import cifar100, cost, heads, matrix, perturbed, table
from .measured import (
    ahead_at,
    ahead_dependent,
    cost_of,
    cost_of_separation,
    costs_of_others,
    ends_above,
    gain_by_corrections,
    gain_by_random_ones,
    goes_along,
    growth_of_the_lead,
    lead_goes_with_the_rate,
    lead_over,
    matrix_over_glc,
    off_the_identity,
    off_the_matrix,
    order_of_costs,
    over_the_others,
    put_right,
    right_over_random,
    shared_ahead,
    slowest_other,
)

RULE = "clean validation"  # 5,000 checked labels choose the epoch
SINGLE = ("dataset", "model", "trusted")
of_table = partial(Claim, rule=RULE, single=SINGLE, published=published.table1)
of_cost = partial(Claim, experiment=table, single=(*SINGLE, "device"), published=published.fig1)
EIGHT = "the eight methods of Fig. 1, on one device"

ACCURACY = [
    of_table(
        "B1",
        "Table 1",
        "FasTEN is ahead of GLC under symmetric noise of 0.8.",
        cost,
        [
            Effect(
                "FasTEN ahead of GLC at 0.8 [points]",
                partial(ahead_at, "fasten", "glc", 0.8),
                least=4,
                why="a third of the paper's lead",
            )
        ],
        "FasTEN and GLC at 0.8",
    ),
    of_table(
        "B2",
        "ours",
        "FasTEN is ahead of noisy labels alone and of trusted images alone.",
        table,
        [
            Effect(
                f"FasTEN ahead of {told} at the rate where it leads least [points]",
                partial(lead_over, other),
                least=0,
                why=SIGN,
            )
            for other, told in (("ce", "cross entropy"), ("trusted_only", "the trusted images alone"))
        ],
        "FasTEN, cross entropy and training on the trusted images alone",
        published=None,
    ),
    of_table(
        "B3",
        "Table 1",
        "Its lead over GLC grows with the noise.",
        table,
        [
            Effect(
                "lead over GLC at the highest rate less that at the lowest [points]",
                growth_of_the_lead,
                least=0,
                why=SIGN,
            ),
            Effect(
                "rank correlation of the lead and the rate",
                lead_goes_with_the_rate,
                within=CORRELATION,
                least=0.8,
                why="of four rates one pair of neighbours may change places (0.8)",
            ),
        ],
        "FasTEN and GLC at three rates of symmetric noise or more",
    ),
    of_table(
        "B4",
        "Table 1",
        "With a hundred classes and noise of 0.8 it is far ahead of all others.",
        cifar100,
        [
            Effect(
                "accuracy over that of the best other method [factor]",
                over_the_others,
                least=1.3,
                factor=True,
                why="half of the paper's distance",
            )
        ],
        "all eight methods at 0.8 on CIFAR-100",
        published=partial(published.table1, "cifar100"),
    ),
    of_table(
        "B10",
        "Table 1",
        "Under asymmetric noise of 0.4 GLC, MLoC and FasTEN are close.",
        table,
        [
            Effect(
                f"{told} at asymmetric 0.4 [points]",
                partial(ahead_dependent, a, b),
                least=-3,
                most=3,
                why="three times the largest difference of the paper's three",
            )
            for a, b, told in (
                ("fasten", "glc", "FasTEN ahead of GLC"),
                ("fasten", "mloc", "FasTEN ahead of MLoC"),
                ("glc", "mloc", "GLC ahead of MLoC"),
            )
        ],
        "FasTEN, GLC and MLoC under asymmetric noise of 0.4",
    ),
]

COSTS = [
    of_cost(
        "B5",
        "Fig. 1",
        "One backward pass a step makes FasTEN the cheapest.",
        effects=[
            Effect(
                "cost of MW-Net over that of FasTEN [factor]",
                partial(cost_of, "mwnet"),
                least=1.5,
                factor=True,
                why="the paper has 1.7; three backward passes against one leave room for what both share",
            ),
            Effect(
                "cost of the cheapest other method over that of FasTEN [factor]",
                costs_of_others,
                least=1,
                factor=True,
                why="cheapest is less than all others",
            ),
        ],
        needs=EIGHT,
        end=True,
    ),
    of_cost(
        "B5b",
        "Fig. 1",
        "The order of the costs of eight methods.",
        effects=[
            Effect(
                "rank correlation with the order of the paper",
                order_of_costs,
                within=CORRELATION,
                least=0.9,
                why="of eight methods three pairs of neighbours may change places (0.93)",
            )
        ],
        needs=EIGHT,
        end=True,
    ),
    of_cost(
        "B12",
        "Fig. 1",
        "FasTEN saves up to 6.64 times the training time until a model is at its best.",
        effects=[
            Effect(
                "seconds of the slowest other method to its chosen evaluation, over those of FasTEN [factor]",
                slowest_other,
                least=3.3,
                factor=True,
                why="half of 6.64, since another network and another machine have other costs",
            )
        ],
        experiment=cost,
        needs=EIGHT,
        rule=RULE,
    ),
    Claim(
        "B13",
        "section 3",
        "Two heads on one network do better than two networks, and cost less.",
        heads,
        [
            *(
                Effect(
                    f"two heads ahead of two networks at {rate:g} [points]",
                    partial(shared_ahead, rate),
                    least=0,
                    why=SIGN,
                )
                for rate in (0.4, 0.8)
            ),
            Effect(
                "cost of two networks over that of two heads [factor]",
                cost_of_separation,
                least=1.5,
                factor=True,
                why="two networks have twice the passes; half of that is left for what both share",
            ),
        ],
        "FasTEN with two heads and with two networks at 0.4 and 0.8",
        rule=RULE,
        single=(*SINGLE, "device"),
    ),
]

MATRIX = [
    Claim(
        "B6",
        "figure of T",
        "The error of T ends near that of GLC.",
        matrix,
        [
            Effect(
                "chi-square of T without corrections over that of GLC, under the noise where it is largest [factor]",
                matrix_over_glc,
                most=2,
                factor=True,
                why="the paper's figure ends at 1.6",
            )
        ],
        "FasTEN without corrections and GLC under the same noises",
        end=True,
        single=SINGLE,
        published=published.error_of_T,
    ),
    Claim(
        "B7",
        "figure of T",
        "The diagonal of T goes with the true one, and ends above it.",
        table,
        [
            Effect(
                "correlation of the two before the rate falls, under the noise where it is least",
                goes_along,
                within=CORRELATION,
                least=0,
                why=SIGN,
            ),
            Effect(
                "mean diagonal of T less the true one at the end, under the noise where it is least",
                ends_above,
                least=0,
                why=SIGN,
            ),
        ],
        "FasTEN, evaluated more than once before the rate falls",
        end=True,
        single=SINGLE,
        published=published.diagonals,
    ),
    Claim(
        "B8",
        "figure",
        "Corrections help, and random ones do no harm.",
        perturbed,
        [
            Effect("gain by corrections at 0.8 [points]", gain_by_corrections, least=0, why=SIGN),
            Effect(
                "gain by random labels in the place of corrections at 0.8 [points]",
                gain_by_random_ones,
                least=-2,
                why="no harm is less than two points, as far as neighbouring points of the figure lie apart",
            ),
        ],
        "FasTEN at 0.8 with and without corrections, and with all of them perturbed",
        rule=RULE,
        single=SINGLE,
        published=published.perturbed,
    ),
    Claim(
        "B8b",
        "figure",
        "It is because they are right that corrections help.",
        perturbed,
        [
            Effect(
                "corrections ahead of random labels in their place at 0.8 [points]",
                right_over_random,
                least=0,
                why=SIGN,
            )
        ],
        "FasTEN at 0.8 with corrections, and with all of them perturbed",
        rule=RULE,
        single=SINGLE,
        published=published.perturbed,
    ),
    Claim(
        "B9",
        "poster",
        "Most wrong labels are put right.",
        cost,
        [
            Effect(
                "wrong labels that are put right at the end at 0.8 [%]",
                put_right,
                least=60,
                why="deep k-NN reaches this on the poster, the least of the methods that put right more than half "
                "there; the poster does not name the noise, so 0.8 is taken, as in the claims on accuracy",
            )
        ],
        "FasTEN at 0.8",
        end=True,
        single=SINGLE,
        published=published.poster,
    ),
    Claim(
        "B11",
        "identity",
        "T is the transition matrix, row by row.",
        None,
        [
            identity("largest difference from T of a noisy head that knows it", partial(off_the_matrix, False), 1e-12),
            Effect(
                "its largest difference from T turned round",
                lambda _: off_the_matrix(True),
                least=0.1,
                why="an asymmetric matrix tells rows from columns",
            ),
            identity("largest difference from the identity with clean labels", off_the_identity, 1e-12),
        ],
    ),
]

CLAIMS = [*ACCURACY, *COSTS, *MATRIX]
