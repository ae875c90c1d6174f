"""What every chapter shows: source, glued values, verdicts; and the exhibits of the chapter on noise models."""

import IPython.display
import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from nlcore import noise
from nlcore.book import exhibits
from nlcore.papers import scoreboard
from nlcore.papers.tables import verdict_names

VERDICTS = pd.DataFrame(
    {
        "claim": ["A1", "A2"],
        "paper": "rolnick2017",
        "tier": "laptop",
        "verdict": ["reproduced", "not run"],
        "evidence": ["yes: " + "long " * 40 + "reason", "no record"],
        "where": "Fig. 1",
        "sentence": ["It learns.", "It does not."],
    }
)


def test_source_is_without_the_indentation_of_its_class():
    shown = exhibits.source(noise.Flip.law, noise.SymmetricInclusive)
    assert shown.data.startswith("def law(self, K):\n    return") and "\n\nclass SymmetricInclusive" in shown.data
    assert shown.language == "python"


def test_put_glues_every_value(monkeypatch):
    import myst_nb

    glued = []
    monkeypatch.setattr(myst_nb, "glue", lambda name, value, display: glued.append((name, value, display)))
    exhibits.put({"tier": "laptop", "n": 3})
    assert glued == [("tier", "laptop", False), ("n", 3, False)]


def test_verdicts_have_names_for_the_prose():
    assert verdict_names(VERDICTS) == {"verdict_A1": "reproduced", "verdict_A2": "not run"}


def test_the_table_of_verdicts_shows_effects_in_full(monkeypatch):
    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda table: shown.append(table.to_html()))
    exhibits.verdict_table(scoreboard.effects("rolnick2017", "laptop", {None: pd.DataFrame()}))
    assert "largest difference on 256 random logits" in shown[0] and "reproduced" in shown[0]


def test_equal_images_are_told_by_data_set():
    table = exhibits.equal_images()
    row = table.loc["cifar100"]
    assert row["training images in the test set"] == 10 and row["with different labels"] == 9
    assert "otter / seal (3 times)" in row["which"] and table.loc["mnist", "which"] == ""


@pytest.fixture
def cards() -> dict[str, dict]:
    models = {"inclusive": noise.SymmetricInclusive(0.5), "uniform": noise.Uniform(2.0)}
    return exhibits.noise_cards(models, np.arange(3000) % 3, 3, seed=0)


def test_cards_are_those_of_the_draws(cards):
    assert [*cards] == ["inclusive", "uniform"]
    assert cards["inclusive"]["pairs"] == 3000 and cards["uniform"]["pairs"] == 9000
    assert cards["inclusive"]["definition"] == {"name": "symmetric_inclusive", "rate": 0.5}


def test_asked_and_obtained_says_the_parameter_and_both_shares(cards):
    table = exhibits.asked_and_obtained(cards)
    assert table.index.name == "noise" and [*table.parameter] == ["rate = 0.5", "alpha = 2.0"]
    assert [*table["wrong by law"]] == [0.3333, 0.4444]
    assert (table["wrong as drawn"] - table["wrong by law"]).abs().max() < 0.03
    assert table.loc["uniform", "wrong as drawn"] == round(cards["uniform"]["realised_rate"], 4)


def test_every_matrix_has_axes_that_name_its_noise(cards):
    matplotlib.use("agg")
    fig = exhibits.realised_matrices(cards)
    first, second, *others = fig.axes
    assert first.get_xlabel() == "given label: inclusive" and second.get_xlabel() == "given label: uniform"
    assert [text.get_text() for text in first.texts] == [
        f"{share:.2f}" for share in noise.realised(cards["inclusive"]).flat
    ]
    assert len(others) == 4 and not any(ax.axison for ax in others)
    plt.close(fig)


def test_a_true_class_that_is_left_out_becomes_the_rarest():
    table = exhibits.true_class_left_out((9, 100))
    assert table.loc[9, ("P(true)", "left out")] == table.loc[9, ("P(each other)", "left out")] == 0.1
    assert table.loc[100, ("P(true)", "left out")] == 0.0099 < table.loc[100, ("P(each other)", "left out")] == 0.11
    assert table.loc[100, ("P(true)", "included")] == 0.1089 > table.loc[100, ("P(each other)", "included")]
