"""The three loops of the chapter, and what methods ask of a loop."""

import inspect

import matplotlib.pyplot as plt
import pytest

from nlcore.book import loops


def test_the_loops_come_out_as_the_chapter_says():
    mine = loops.digits()
    trained = loops.trained(mine, epochs=4)
    found = loops.accuracies(trained, mine)
    assert found["ce"] < found["gce"] < found["fasten"] and found["fasten"] > 0.9
    assert found["ce"] < found["trusted_only"] < found["fasten"]
    alone = found.pop("elr")
    assert alone > found["ce"] and len(trained.scores) == 4 and max(trained.scores) < 0.8  # of noisy labels
    table = loops.compared(found)
    assert table["new lines"].tolist() == ["0", "1", "9", "0"]
    told = loops.numbers(found, trained, mine)
    assert int(told["given"]) == pytest.approx(60, abs=4) and int(told["believed"]) > 85
    fig = loops.bars(found)
    assert len(fig.axes[0].patches) == 4
    plt.close(fig)


def test_what_methods_ask():
    asks = loops.asks()
    assert len(asks) == len(loops.ASKED)
    assert set(asks.loc["cross entropy"][:5]) == {""}
    fasten, dd = asks.loc["FasTEN"], asks.loc["MentorNet, data-driven (DD)"]
    assert fasten["remembers pairs"] == fasten["epoch()"] == "yes" and fasten["trusted labels"] == "in every step"
    assert dd["trusted labels"] == "by index"
    assert "second optimiser" in asks.loc["Meta-Weight-Net"]["follow()"]
    assert asks.loc["gold loss correction (GLC)"]["trained after"] == "cross entropy"
    assert asks.loc["forward correction, true T"]["follow()"] == ""
    dividemix = asks.loc["DivideMix"]
    assert dividemix["remembers pairs"] == dividemix["x2="] == "yes"


@pytest.mark.parametrize(
    "loop", [loops.train_plain, loops.train_robust, loops.train_fasten, loops.train_stopped, loops.SmallNet]
)
def test_what_is_shown_fits_a_page(loop):
    assert max(map(len, inspect.getsource(loop).splitlines())) <= 92
