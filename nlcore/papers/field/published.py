"""The papers' numbers as rows like ours, for the papers' own values of the effects."""

import pandas as pd

from ..tables import published
from ..zhang2018.published import table1


def of_cifar10() -> pd.DataFrame:
    """Symmetric noise on CIFAR-10: what was reported of later methods, beside the table of Zhang & Sabuncu.

    The later papers' own rows are of inclusive noise, which at a rate of 0.8 leaves 28 % of the labels right and not
    20 %; so their leads are somewhat too large.
    """
    table = published("field").query("dataset == 'cifar10' and knob == 'symmetric rate (inclusive)'")
    later = pd.DataFrame({"method": table.series.str.removeprefix("method="), "rate": table["at"].astype(float)})
    later = later.assign(test_accuracy=table.value / 100, noise="symmetric_exclusive", seed=0)
    return pd.concat([table1("cifar10"), later.assign(dataset="cifar10", model="resnet34")], ignore_index=True)
