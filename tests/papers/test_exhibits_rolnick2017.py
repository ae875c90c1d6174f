"""What the chapters on Rolnick et al. show, on frames of a few rows."""

import matplotlib
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from nlcore.papers import experiments


@pytest.fixture(autouse=True)
def canvas():
    """Figures are drawn in memory, and closed."""
    matplotlib.use("agg")
    yield
    plt.close("all")


def curves(ax: Axes) -> dict[str, list[tuple[float, float]]]:
    """The points of all curves of Axes, under the names that the legend has."""
    handles, names = ax.get_legend_handles_labels()
    name_of = {handle.get_color(): name for handle, name in zip(handles, names, strict=True) if "paper" not in name}
    found = {}
    for line in ax.lines:
        name = line.get_label() if "paper" in line.get_label() else name_of[line.get_color()]
        points = [(float(x), round(float(y), 3)) for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)]
        if points:  # those without are there for the legend
            found[name] = points
    return found


def history(**columns) -> pd.DataFrame:
    """One run with three evaluations, of which each rule picks another one where it can."""
    found = {"step": [1, 2, 3], "test_accuracy": [0.5, 0.9, 0.7], "noisy_validation": [0.4, 0.1, 0.2]}
    return pd.DataFrame(found | {"clean_validation": [0.1, 0.2, 0.3], "key": "a"} | columns)


# The tables of sizes


@pytest.mark.parametrize("name", [name for name in experiments() if name.startswith("rolnick2017.")])
def test_laptop_and_paper_differ_in_size_only(name):
    """What is set at one tier is set at all, but for how many examples and how a GPU computes."""
    tiers = experiments()[name].tiers
    machine = {"examples", "augment", "precision", "channels_last"}
    assert len({frozenset(size.keys() - machine) for size in tiers.values()}) == 1
