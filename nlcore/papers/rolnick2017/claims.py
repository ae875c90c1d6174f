"""The claims of the paper: the effects that they are about, their bounds and the reasons for them."""

from functools import partial

from ..effects import CORRELATION, SIGN, Claim, Effect, ahead, identity, points
from . import published
from .experiments import (
    batch_size,
    cifar_source,
    cifar_uniform,
    data_size,
    knee,
    learning_rate,
    novel,
    order,
    rate_and_batch,
    source,
    structured,
    uniform,
)
from .measured import (
    ahead_of_random,
    apart_at_equal_ratio,
    conv_at,
    fall_of_infinite_batch,
    fall_of_the_best_rate,
    falls_by_order,
    foreign_ahead,
    gain_by_depth,
    growth_by_alpha,
    knee_of,
    largest_jump,
    lead_of_conv,
    less_under_cosine,
    loss_to_10,
    more_in_the_second_half,
    novel_ahead,
    off_smoothing,
    off_the_papers,
    off_when_fresh,
    rank_with_batch,
    spread_of_orders,
    white_ahead,
)

AT_100 = Effect("accuracy at alpha = 100 [%]", partial(conv_at, 100), least=90, why="the number of the abstract")
AT_50 = Effect(
    "accuracy at alpha = 50 [%]", partial(conv_at, 50), least=95, why="the paper's 96.3, less a point for a smaller net"
)
FALLS = [
    Effect("fall from delta = 0 to 0.5 in the order that falls least [points]", falls_by_order, least=0, why=SIGN),
    Effect(
        "how much more accuracy falls from 0.5 to 1 than from 0 to 0.5 [points]",
        more_in_the_second_half,
        least=0,
        why=SIGN,
    ),
    Effect(
        "difference of the orders at 0.5, as a share of the fall to delta = 1",
        spread_of_orders,
        most=1 / 3,
        why="the order matters little if delta matters three times as much",
    ),
]
CARRIERS = [
    Effect("white noise ahead of foreign images at alpha = 10 [points]", white_ahead, least=0, why=SIGN),
    Effect("foreign images ahead of the same ones at alpha = 10 [points]", foreign_ahead, least=0, why=SIGN),
]
CARRIERS_NEED = "same, foreign and white carriers at alpha = 10"

CLAIMS = [
    Claim(
        "A1",
        "Fig. 1",
        "A conv net on MNIST stays above 90 % with 100 random labels per clean one.",
        uniform,
        [AT_100, AT_50],
        "a convolutional net at alpha = 50 and 100",
        single=("dataset",),
        published=published.fig1,
    ),
    Claim(
        "A2",
        "Fig. 1",
        "Robustness orders Conv4 > MLP4 ~ MLP2 > MLP1 > Perceptron.",
        uniform,
        [
            Effect(
                "conv net ahead of the best MLP at alpha = 50 [points]",
                lead_of_conv,
                least=4,
                why="two thirds of the paper's lead",
            ),
            Effect("deeper MLPs ahead of one layer at alpha = 50 [points]", gain_by_depth, least=0, why=SIGN),
            Effect(
                "accuracy of the perceptron at alpha = 50 [%]",
                partial(points, model="perceptron", alpha=50),
                most=80,
                why="far below all others, which the paper has at 87 % or more",
            ),
        ],
        "five networks at alpha = 50",
        single=("dataset",),
        published=published.fig1,
    ),
    Claim(
        "A3",
        "Fig. 2",
        "On CIFAR-10 a ResNet loses far less to noise than a plain conv net.",
        cifar_uniform,
        [
            Effect(
                "what ResNet loses from alpha = 0 to 10, as a share of what Conv4 loses",
                lambda rows: loss_to_10("resnet18", rows) / loss_to_10("conv4", rows),
                most=0.5,
                why="far less is half at most; the paper has 0.4",
            ),
            Effect(
                "accuracy of ResNet at alpha = 10 [%]",
                partial(points, model="resnet18", alpha=10),
                least=80,
                why="it has to be a network that works",
            ),
        ],
        "resnet18 and conv4 at alpha = 0 and 10",
        single=("dataset",),
        published=published.fig2,
    ),
    Claim(
        "A4",
        "Fig. 2",
        "Six layers are no more robust than four.",
        cifar_uniform,
        [
            Effect(
                "Conv6 ahead of Conv4 at alpha = 10 [points]",
                partial(ahead, a="conv6", b="conv4", by="model", alpha=10),
                most=3,
                why="twice the distance that the paper's two curves have there",
            )
        ],
        "conv4 and conv6 at alpha = 10",
        single=("dataset",),
        published=published.fig2,
    ),
    Claim(
        "A5",
        "structured noise",
        "Accuracy falls with delta; the order of labels matters little.",
        structured,
        FALLS,
        "three fixed orders at alpha = 20, delta = 0, 0.5 and 1",
    ),
    Claim(
        "A5b",
        "structured noise",
        "Accuracy falls hard past delta = 0.5.",
        knee,
        [
            Effect(
                "share of the fall from delta = 0 to 1 that comes after 0.5",
                knee_of,
                least=0.75,
                why="hard is three times as much in the second half as in the first",
            )
        ],
        "delta = 0, 0.5 and 1 at alpha = 20",
    ),
    Claim(
        "A5c",
        "the article",
        "At equal delta the confusing order does slightly better than others.",
        order,
        [
            Effect(
                "confusing order ahead of a random one [points]",
                partial(ahead_of_random, "confusing"),
                least=0,
                why=SIGN,
            ),
            Effect(
                "learned confusing order ahead of a random one [points]",
                partial(ahead_of_random, "learned"),
                least=0,
                why=SIGN,
            ),
        ],
        "confusing, learned and random orders at the same deltas",
    ),
    Claim(
        "Q1",
        "a reader's question",
        "A fresh order for every label acts as uniform noise (proved; the runs confirm it).",
        structured,
        [
            Effect(
                "delta = 1 ahead of 0 with fresh orders, as a share of the fall with fixed ones",
                off_when_fresh,
                least=-0.1,
                most=0.1,
                why="equal but for a tenth of what delta costs otherwise",
            )
        ],
        "fresh and fixed orders at alpha = 20, delta = 0, 0.5 and 1",
    ),
    Claim(
        "A6",
        "source of noise",
        "Wrong labels hurt most on the same images, least on white noise.",
        cifar_source,
        CARRIERS,
        CARRIERS_NEED,
    ),
    Claim("A6b", "source of noise", "So they do on MNIST.", source, CARRIERS, CARRIERS_NEED),
    Claim(
        "A7",
        "Fig. 9, computed from Fig. 8",
        "The clean examples needed grow with the noise.",
        data_size,
        [
            Effect(
                "least growth of the examples needed for 90 % from one alpha to the next [factor]",
                growth_by_alpha,
                least=1,
                factor=True,
                why="less than 1 is no growth",
            )
        ],
        "alpha = 0, 10, 20 and 50 at the same sizes, which reach 90 %",
        published=published.fig8,
    ),
    Claim(
        "A7b",
        "Fig. 9, computed from Fig. 8",
        "They are about those that the paper read off.",
        data_size,
        [
            Effect(
                "largest distance from the paper's numbers, either way [factor]",
                off_the_papers,
                most=2,
                factor=True,
                why="sizes are a factor of 2 apart, and the small net is not the paper's",
            )
        ],
        "MNIST, alpha = 0, 10, 20 and 50 at the same sizes, which reach 90 %",
        published=published.fig8,
    ),
    Claim(
        "A8",
        "Fig. 8",
        "At 50 noisy labels per clean one, learning sets in suddenly.",
        data_size,
        [
            Effect(
                "largest jump between sizes at most a factor of 2 apart [points]",
                largest_jump,
                least=40,
                why="more than half of the way from chance to 90 %; the paper has 55",
            )
        ],
        "sizes no more than a factor of 2 apart at alpha = 50",
        published=published.fig8,
    ),
    Claim(
        "A9",
        "Fig. 7",
        "Repeated and novel images for the wrong labels do equal harm.",
        novel,
        [
            Effect(
                "novel images ahead of repeated ones, over alphas [points]",
                novel_ahead,
                least=-1.5,
                most=1.5,
                why="twice the largest distance of the paper's two curves",
            )
        ],
        "noisy labels on the same and on novel images at the same alphas",
        published=published.fig7,
    ),
    Claim(
        "A10",
        "Fig. 11",
        "Larger batches help under noise; the infinite batch hardly falls.",
        batch_size,
        [
            Effect(
                "rank correlation of batch size and accuracy at alpha = 50",
                rank_with_batch,
                within=CORRELATION,
                least=0.8,
                why="of five sizes one pair of neighbours may change places (0.9)",
            ),
            Effect(
                "fall of the infinite batch from alpha = 0 to 50 [points]",
                fall_of_infinite_batch,
                most=1.5,
                why="hardly is a point and a half",
            ),
        ],
        "three batch sizes, and H_alpha at alpha = 0 and 50, at a constant rate",
        published=published.fig11,
    ),
    Claim(
        "A11",
        "Rajagopal et al.",
        "Under a cosine schedule larger batches help less (rule and noise are ours).",
        batch_size,
        [
            Effect(
                "gain from the smallest to the largest batch, cosine less constant [points]",
                less_under_cosine,
                most=0,
                why=SIGN,
            )
        ],
        "three batch sizes under both schedules at alpha = 50",
    ),
    Claim(
        "A12",
        "Fig. 12",
        "The best learning rate falls as noise grows.",
        learning_rate,
        [
            Effect(
                "best rate at the least noise over that at the most [factor]",
                fall_of_the_best_rate,
                least=2,
                factor=True,
                why="the finest step of the grid of rates",
            )
        ],
        "two rates at two alphas each, constant",
        published=published.fig12,
    ),
    Claim(
        "Q2",
        "a reader's question",
        "Runs with the same learning rate per batch agree.",
        rate_and_batch,
        [
            Effect(
                "spread of accuracy at equal rate per batch, as a share of the spread of all",
                apart_at_equal_ratio,
                most=0.25,
                why="agreeing is that the ratio explains all but a sixteenth of the variance",
            )
        ],
        "several batches with the same rate per batch",
    ),
    Claim(
        "A13",
        "Fig. 11",
        "H_alpha is label smoothing with e = alpha/(1+alpha).",
        None,
        [identity("largest difference on 256 random logits", off_smoothing, 1e-6)],
    ),
]
