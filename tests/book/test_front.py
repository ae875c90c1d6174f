"""The front page: what it draws, and what its sentences name."""

import pandas as pd
from matplotlib import pyplot as plt
from test_helps import history

from nlcore.book import front
from nlcore.papers import PAPERS
from nlcore.runs import store


def curves(noise: str, rate: float) -> pd.DataFrame:
    """Runs of both methods of the front page."""
    rows = history({"fasten": (20.0, 2.0)}, noise, rate).rename(columns={"name": "method"})
    return rows.assign(epoch=rows.step)


def test_a_panel_for_each_kind_of_noise_and_a_ring_where_noisy_validation_stops():
    fig = front.curves(pd.concat([curves("symmetric_inclusive", 0.4), curves("pair_flip", 0.4)]))
    assert [ax.get_title() for ax in fig.axes] == ["symmetric noise of 0.4", "pair noise of 0.4"]
    rings = [line for line in fig.axes[0].lines if line.get_marker() == "o"]
    assert [ring.get_xdata()[0] for ring in rings] == [1.0, 1.0]
    assert [round(ring.get_ydata()[0], 6) for ring in rings] == [71.0, 73.0]
    plt.close(fig)


def test_another_rate_is_drawn_where_that_of_the_page_was_not_run():
    fig = front.curves(curves("symmetric_inclusive", 0.6))
    assert [ax.get_title() for ax in fig.axes] == ["symmetric noise of 0.6"]
    plt.close(fig)


def test_the_best_network_at_the_most_noise_is_named():
    rows = pd.DataFrame({"alpha": [0, 100, 100], "model": ["mlp1", "mlp1", "mlp2"], "test_accuracy": [0.9, 0.5, 0.6]})
    said = front.outvoted(rows.assign(dataset="mnist"))
    assert said == {"alpha": "100", "outvoted": "60.0", "network": "MLP, 2 hidden layers", "data": "MNIST"}


def test_effort_counts_what_is_published():
    count = len({key for paper in PAPERS for key in store.load_published(paper)})
    told = front.effort()
    assert told["runs"] == f"{count:,}" and float(told["hours"]) > float(told["on_gpu"]) > 0
