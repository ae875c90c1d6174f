"""The claims of the paper: the effects that they are about, their bounds and the reasons for them."""

from functools import partial

from ..effects import CORRELATION, SIGN, Claim, Effect, identity
from . import published
from .experiments import cifar10, cifar100, fashion, pruning, q_sweep
from .measured import (
    ahead_at,
    ahead_class_dependent,
    clean_cost_of_1,
    growth_of_the_lead,
    kept_by_one_rule_alone,
    lead_by_rate,
    lost_of_what_was_learned,
    memorised,
    off_at_1,
    off_in_gradient,
    off_near_0,
    outside_of_the_bounds,
    pruned,
    rank_with_q,
    robust_at_08,
    robust_at_1,
    share_of_ce,
    truncated_ahead,
    wrong_among_kept,
)

RULE = "noisy validation"  # the paper holds out a tenth of the noisy labels
CURVES = ("dataset", "model", "images")
TABLE = (*CURVES, "method_q", "method_k")
LEAD = Effect("L_q ahead of cross entropy at the rate where it leads least [points]", lead_by_rate, least=0, why=SIGN)
SCATTER = "half a point is twice what the paper's own draws of L_q scatter by"


def estimated(dataset: str, rate: float, **bound) -> Effect:
    """How forward correction with an estimated matrix does against cross entropy."""
    what = f"forward correction with estimated T ahead of cross entropy at {rate:g} [points]"
    return Effect(what, partial(ahead_at, "forward_estimated", "ce", dataset, rate), **bound, why=SIGN)


CLAIMS = [
    Claim(
        "C1",
        "Table 1",
        "L_q beats cross entropy under uniform noise, the more the more noise.",
        cifar10,
        [LEAD, Effect("how much more it leads at 0.6 than at 0.4 [points]", growth_of_the_lead, least=0, why=SIGN)],
        "CE and L_q under uniform noise of 0.4 and 0.6 at least",
        rule=RULE,
        single=TABLE,
        published=partial(published.table1, "cifar10"),
    ),
    Claim(
        "C2",
        "Table 1",
        "Truncated L_q is at least as good as L_q.",
        cifar10,
        [
            Effect(
                f"truncated L_q ahead of L_q at {rate:g} [points]",
                partial(truncated_ahead, rate),
                least=-0.5,
                why=SCATTER,
            )
            for rate in (0.4, 0.6)
        ],
        "L_q and truncated L_q under uniform noise of 0.4 and 0.6",
        rule=RULE,
        single=TABLE,
        published=partial(published.table1, "cifar10"),
    ),
    Claim(
        "C3",
        "figure of q",
        "Cross entropy first learns, then memorises.",
        q_sweep,
        [
            Effect(
                "share of what it had learned above chance at its peak that is lost at the end, at 0.6",
                lost_of_what_was_learned,
                least=1 / 3,
                why="the paper's curve loses 0.43; more than a third is not what evaluations scatter by",
            ),
            Effect(
                "wrong training labels that it predicts at the end [%]",
                memorised,
                least=90,
                why="one that memorises predicts nearly all of them",
            ),
        ],
        "q = 0 under uniform noise of 0.6",
        end=True,
        single=CURVES,
        published=published.figure_of_q,
    ),
    Claim(
        "C4",
        "figure of q",
        "A larger q bears more noise and learns more slowly.",
        q_sweep,
        [
            Effect(
                "share of the accuracy on clean labels that is left at 0.6: q = 1 less q = 0.8 [points]",
                robust_at_1,
                least=0,
                why=SIGN,
            ),
            Effect("the same share: q = 0.8 less the better of 0 and 0.4 [points]", robust_at_08, least=0, why=SIGN),
            Effect(
                "q = 1 ahead of the lowest of the others on clean labels [points]", clean_cost_of_1, most=0, why=SIGN
            ),
            Effect(
                "rank correlation of q and the epochs to 80 % of the last accuracy on clean labels",
                rank_with_q,
                within=CORRELATION,
                least=0.8,
                why="of four q one pair of neighbours may change places (0.8)",
            ),
        ],
        "q = 0, 0.4, 0.8 and 1 on clean labels and under uniform noise of 0.6",
        end=True,
        single=CURVES,
        published=published.figure_of_q,
    ),
    Claim(
        "C5",
        "text; cross entropy from an independent run",
        "MAE fails on CIFAR-100.",
        cifar100,
        [
            Effect(
                "accuracy of MAE over that of cross entropy, clean labels [factor]",
                share_of_ce,
                most=0.6,
                factor=True,
                why="the paper's 38 % are half of what cross entropy reaches in an independent run",
            )
        ],
        "CE and MAE on clean CIFAR-100",
        rule=RULE,
        single=TABLE,
        published=published.clean_cifar100,
    ),
    Claim(
        "C6",
        "Table 1",
        "Under much class-dependent noise L_q is no better than cross entropy.",
        cifar10,
        [Effect("L_q ahead of cross entropy at 0.4 [points]", ahead_class_dependent, most=0, why=SIGN)],
        "CE and L_q on CIFAR-10 under class-dependent noise of 0.4",
        rule=RULE,
        single=TABLE,
        published=partial(published.table1, "cifar10"),
    ),
    Claim(
        "C7",
        "Table 1",
        "On CIFAR-10 forward correction with estimated T helps under uniform noise.",
        cifar10,
        [estimated("cifar10", rate, least=0) for rate in (0.4, 0.6)],
        "CE and forward correction with estimated T on CIFAR-10 under uniform noise of 0.4 and 0.6",
        rule=RULE,
        single=TABLE,
        published=partial(published.table1, "cifar10"),
    ),
    Claim(
        "C7b",
        "Table 1",
        "On CIFAR-100 it harms.",
        cifar100,
        [estimated("cifar100", 0.6, most=0)],
        "CE and forward correction with estimated T on CIFAR-100 under uniform noise of 0.6",
        rule=RULE,
        single=TABLE,
        published=partial(published.table1, "cifar100"),
    ),
    Claim(
        "C8",
        "section 3",
        "Gradient, limits and bounds of L_q.",
        None,
        [
            identity("largest difference of its gradient from p^q times that of cross entropy", off_in_gradient, 1e-9),
            identity("largest difference of q -> 0 from cross entropy, as a share of it", off_near_0, 1e-6),
            identity("largest difference of q = 1 from 1 - p", off_at_1, 1e-9),
            identity("how far its sum over labels goes beyond the bounds of Lemma 1", outside_of_the_bounds, 1e-9),
        ],
    ),
    Claim(
        "C9",
        "Algorithm 1",
        "The pruning of truncated L_q is self-paced learning.",
        None,
        [
            identity(
                "predictions of 4096 that p > k keeps and L_q < L_q(k) does not, or the other way round",
                kept_by_one_rule_alone,
                0,
                "they are one rule",
            )
        ],
    ),
    Claim(
        "C10",
        "ours",
        "Pruning keeps mostly right labels.",
        pruning,
        [
            Effect(
                "share of wrong labels among those kept, over that among all [factor]",
                wrong_among_kept,
                most=0.5,
                factor=True,
                why="half as many at most, if it tells wrong from right",
            ),
            Effect(
                "right labels that it keeps [%]",
                lambda rows: 100 * pruned("kept_recall", rows),
                least=50,
                why="to keep few labels is no pruning of wrong ones",
            ),
        ],
        "truncated L_q with k = 0.5 under uniform noise of 0.6, and that it keeps pairs",
        end=True,
        single=(*CURVES, "method_q"),
    ),
    Claim(
        "C11",
        "its Fashion table",
        "L_q beats CE on Fashion-MNIST (no printed target).",
        fashion,
        [LEAD],
        "CE and L_q under uniform noise",
        rule=RULE,
        single=TABLE,
    ),
]
