"""What Müller et al. 2019 and Lukasik et al. 2020 claim: effects, their bounds and the reasons for them."""

from functools import partial

from ..effects import SIGN, Claim, Effect, identity
from . import published
from .experiments import calibration, cifar100, distillation, information, noise, norms
from .measured import (
    change,
    fewer_errors_under_noise,
    gain,
    gain_of,
    gap_over_optimum,
    information_over_two_classes,
    negative_ahead,
    off_backward,
    off_infinite_batch,
    off_smearing,
    positive_ahead,
    share,
    share_of_errors,
    share_with_temperature,
    temperature,
    temperature_above_smoothing,
)

LUKASIK = published.LUKASIK
SINGLE = ("dataset", "model", "images")
STUDENTS = (*SINGLE, "method_teacher")
CLEAN = "cross entropy and smoothing on clean labels, and what the networks are examined for"

UNHARMED = Effect(
    "smoothing ahead of hard labels [points]",
    partial(gain, 0.0),
    least=-0.5,
    why="the paper's tables have it from -0.1 to 0.6, give or take 0.3",
)
CALIBRATED = Effect(
    "ECE with smoothing over that without [factor]",
    partial(share, "ece"),
    most=0.5,
    factor=True,
    why="by far is by half, as on ImageNet, where it falls least in the paper's table",
)
SCALED = [
    Effect(
        "ECE of hard labels with a temperature over that without [factor]",
        share_with_temperature,
        most=0.5,
        factor=True,
        why="by half, as with smoothing",
    ),
    Effect(
        "ECE of hard labels with a temperature above that of smoothing [points]",
        temperature_above_smoothing,
        most=1,
        why="the paper has it below everywhere; a point above is still a fraction of what either takes off",
    ),
]
GAIN = Effect(
    "smoothing ahead of cross entropy at 0.2 [points]",
    partial(gain, 0.2),
    least=1,
    why="between a third and a fourth of the paper's gains",
)


def drawn_together(column: str, what: str) -> Effect:
    why = "the figure shows it without numbers; a tenth less is the least that one would see"
    return Effect(
        f"{what}: with smoothing over without [factor]", partial(share, column), most=0.9, factor=True, why=why
    )


TOGETHER = [
    drawn_together("tightness_train", "variance within classes over that between them, training images"),
    drawn_together("tightness_test", "variance within classes over that between them, test images"),
    drawn_together("unequal_train", "how unequal distances to two other classes are, training images"),
    drawn_together("unequal_test", "how unequal distances to two other classes are, test images"),
]

on_clean = partial(Claim, needs=CLEAN, single=SINGLE)
analysed = partial(on_clean, end=True)  # the analyses exist at the end of training alone
OF_CLEAN = [
    on_clean(
        "D1",
        "Table 2",
        "Smoothing does no harm to accuracy on clean labels.",
        calibration,
        [UNHARMED],
        published=partial(published.accuracy, "cifar10"),
    ),
    on_clean(
        "D1b",
        "Table 2",
        "Nor does it with a hundred classes.",
        cifar100,
        [UNHARMED],
        published=partial(published.accuracy, "cifar100"),
    ),
    analysed(
        "D2",
        "Table 3",
        "Smoothing calibrates: ECE falls by far.",
        calibration,
        [CALIBRATED],
        published=published.calibration,
    ),
    analysed(
        "D2b",
        "Table 3",
        "It calibrates with a hundred classes.",
        cifar100,
        [CALIBRATED],
        published=published.calibration,
    ),
    analysed(
        "D3",
        "Table 3",
        "So does temperature scaling of a network trained on hard labels.",
        calibration,
        SCALED,
        published=published.calibration,
    ),
    analysed(
        "D3b",
        "Table 3",
        "Temperature scaling does so with a hundred classes.",
        cifar100,
        SCALED,
        published=published.calibration,
    ),
    analysed(
        "D4",
        "text",
        "A smoothed network needs no temperature.",
        calibration,
        [
            Effect(
                "the best temperature with smoothing [factor]",
                temperature,
                least=0.8,
                most=1.25,
                factor=True,
                why="1 is none; a fourth more or less moves ECE little",
            )
        ],
    ),
    analysed(
        "D5",
        "Fig. 1",
        "Smoothing draws classes together, as far from one wrong template as from another.",
        calibration,
        TOGETHER,
    ),
    analysed(
        "D7",
        "Fig. 6",
        "Logits of a smoothed network tell less of the image.",
        information,
        [
            Effect(
                "mutual information of image and logits, with smoothing less that without [nats]",
                partial(change, "information"),
                most=0,
                why=SIGN,
            )
        ],
    ),
    analysed(
        "D7b",
        "Fig. 6",
        "They end slightly above log 2: of two classes which one it is, and little more.",
        information,
        [
            Effect(
                "mutual information of image and logits with smoothing, over log 2 [factor]",
                information_over_two_classes,
                least=0.8,
                most=1.25,
                factor=True,
                why="slightly is a fourth at most; less than 1 is for networks that confuse the two",
            )
        ],
    ),
    analysed(
        "D12",
        "the article",
        "On hard targets, which a softmax never meets, weights grow larger and predictions more extreme.",
        norms,
        [
            Effect(
                "norm of all weights: with smoothing over without [factor]",
                partial(share, "norm_weights"),
                most=1,
                factor=True,
                why=SIGN,
            ),
            Effect(
                "largest logit less the mean of the others: with smoothing over without [factor]",
                partial(share, "logit_gap"),
                most=1,
                factor=True,
                why=SIGN,
            ),
        ],
    ),
    analysed(
        "D13",
        "ours",
        "Smoothed targets can be met, and logits grow until they are.",
        norms,
        [
            Effect(
                "largest logit less the mean of the others, over where the smoothed loss is least [factor]",
                gap_over_optimum,
                least=0.8,
                most=1.25,
                factor=True,
                why="training ends near the optimum, a fourth off at most",
            )
        ],
    ),
]

OF_STUDENTS = [
    Claim(
        "D6",
        "section 4, MNIST",
        "A smoothed teacher is no worse, its student is.",
        distillation,
        [
            Effect(
                "errors of the smoothed teacher over those of the hard one [factor]",
                partial(share_of_errors, "first_test_accuracy"),
                most=1,
                factor=True,
                why=SIGN,
            ),
            Effect(
                "errors of its student at temperature 1 over those of the hard one's [factor]",
                partial(share_of_errors, "test_accuracy"),
                least=1.1,
                factor=True,
                why="about half of the paper's excess of 23 %",
            ),
        ],
        "students of hard and of smoothed teachers on clean labels",
        single=STUDENTS,
        published=published.students,
    ),
    Claim(
        "D9",
        LUKASIK,
        "Under noise a smoothed teacher helps its student.",
        distillation,
        [
            Effect(
                "student of a smoothed teacher ahead of that of a hard one at 0.2 [points]",
                fewer_errors_under_noise,
                least=0,
                why=SIGN,
            )
        ],
        "students of hard and of smoothed teachers under symmetric noise of 0.2",
        single=STUDENTS,
        published=published.students_under_noise,
    ),
]

FORWARD = Effect(
    "forward correction ahead of cross entropy at 0.2 [points]", partial(gain_of, "forward"), least=0, why=SIGN
)
BACKWARD = Effect(
    "backward correction ahead of cross entropy at 0.2 [points]", partial(gain_of, "backward"), most=0, why=SIGN
)
OF_NOISE = [
    Claim(
        "D8",
        LUKASIK,
        "Under 20 % noise smoothing and forward correction gain, backward correction loses.",
        noise,
        [GAIN, FORWARD, BACKWARD],
        "smoothing, forward and backward correction under symmetric noise of 0.2",
        single=SINGLE,
        published=partial(published.under_noise, "cifar10"),
    ),
    Claim(
        "D8b",
        LUKASIK,
        "With a hundred classes smoothing gains as well.",
        cifar100,
        [GAIN],
        "cross entropy and smoothing under symmetric noise of 0.2",
        single=SINGLE,
        published=partial(published.under_noise, "cifar100"),
    ),
    Claim(
        "D10",
        "Wei et al.",
        "At much noise smoothing no longer helps, and negative smoothing does better.",
        noise,
        [
            Effect(
                "the best positive a ahead of cross entropy at 0.6 [points]",
                positive_ahead,
                most=1,
                why="less than a point is no help, as in D8",
            ),
            Effect(
                "the best negative a ahead of the best positive one at 0.6 [points]", negative_ahead, least=0, why=SIGN
            ),
        ],
        "cross entropy, a positive and a negative a under symmetric noise of 0.6",
        single=SINGLE,
    ),
]

IDENTITIES = [
    Claim(
        "D11",
        LUKASIK,
        "Smoothing and backward correction are inverse smearings; H_alpha is smoothing.",
        None,
        [
            identity("largest difference of smoothing from T on the losses", off_smearing, 1e-9),
            identity("largest difference of backward correction from smoothing by -a / (1 - a)", off_backward, 1e-9),
            identity("largest difference of H_alpha from smoothing by alpha / (1 + alpha)", off_infinite_batch, 1e-9),
        ],
    )
]

CLAIMS = [*OF_CLEAN, *OF_STUDENTS, *OF_NOISE, *IDENTITIES]
