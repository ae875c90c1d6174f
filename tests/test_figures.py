"""Figures can be read on a phone: they are no wider than it takes, and their legends are inside of them."""

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from nlcore import figures, words

matplotlib.use("agg")


def test_a_curve_of_means_ends_where_a_run_does():
    """Behind that it would be the mean of the others."""
    seeds = [{"key": "a", "step": s, "steps": 4, "y": 1.0} for s in (1, 2)] + [
        {"key": "b", "step": s, "steps": 4, "y": 3.0} for s in (1, 2, 3, 4)
    ]
    rows = pd.DataFrame(seeds).assign(by="one", panel="p")
    assert figures.mean_curve(rows, "step", "y").to_dict() == {1: 2.0, 2: 2.0}
    [ax] = figures.lines(rows, "y", "by", "panel", "y").axes
    assert ax.lines[0].get_xdata().tolist() == [0.25, 0.5] and ax.lines[0].get_ydata().tolist() == [2.0, 2.0]
    plt.close("all")


@pytest.mark.parametrize("names", [["ce", "fasten"], ["forward", "forward_estimated", "gce"], [*words.METHODS]])
def test_a_legend_lies_below_the_axes_and_inside_the_figure(names):
    rows = pd.DataFrame(
        [(name, x, 0.5) for name in names for x in (0, 1)], columns=["method", "alpha", "test_accuracy"]
    )
    fig = figures.curves(rows, "alpha", "method").figure
    fig.draw_without_rendering()
    legend, axes = fig.legends[0].get_window_extent(), fig.axes[0].get_window_extent()
    assert legend.x0 >= 0 and legend.x1 <= fig.bbox.x1 and legend.y0 >= 0 and legend.y1 <= axes.y0
    assert axes.height > 0.5 * 3.9 * fig.dpi and fig.get_figwidth() == figures.WIDTH  # however long the legend is
    plt.close(fig)


def test_lines_of_the_paper_have_one_entry_but_for_networks_that_we_do_not_have():
    ours = pd.DataFrame([("mlp1", x, 0.5) for x in (0, 1)], columns=["model", "alpha", "test_accuracy"])
    paper = pd.DataFrame(
        [(model, x, 60.0) for model in ("mlp1", "conv4") for x in (0, 1)], columns=["model", "at", "value"]
    )
    fig = figures.curves(ours, "alpha", "model", paper).figure
    names = [text.get_text() for text in fig.legends[0].get_texts()]
    assert names == ["MLP, 1 hidden layer", "Conv4 (paper)", "dashed: the paper's"]
    plt.close(fig)
