"""The exhibits of the chapter on noise models."""

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt

from nlcore import noise
from nlcore.book import exhibits
from nlcore.inputs import UserError


def test_equal_images_are_told_by_data_set():
    table = exhibits.equal_images()
    row = table.loc["CIFAR-100"]
    assert row["in the test set too"] == 10 and row["with two labels"] == 9
    assert "otter / seal (3 times)" in exhibits.contradictions("cifar100")
    assert exhibits.contradictions("mnist") == ""


@pytest.fixture
def cards() -> dict[str, dict]:
    models = {"symmetric_inclusive": noise.SymmetricInclusive(0.5), "uniform": noise.Uniform(2.0)}
    return exhibits.noise_cards(models, np.arange(3000) % 3, 3, seed=0)


def test_cards_are_those_of_the_draws(cards):
    assert [*cards] == ["symmetric_inclusive", "uniform"]
    assert cards["symmetric_inclusive"]["pairs"] == 3000 and cards["uniform"]["pairs"] == 9000
    assert cards["symmetric_inclusive"]["definition"] == {"name": "symmetric_inclusive", "rate": 0.5}


def test_asked_and_obtained_says_the_parameter_and_both_shares(cards):
    table = exhibits.asked_and_obtained(cards)
    assert [*table.index] == ["symmetric (inclusive)", "uniform labels, added"]
    assert [*table.parameter] == ["r = 0.5", "α = 2"]
    assert [*table["by the law, %"]] == ["33.3", "44.4"]
    off = (table["as drawn, %"].astype(float) - table["by the law, %"].astype(float)).abs().max()
    assert off < 3 and abs(off - float(exhibits.of_cards(cards)["most_off"])) < 0.11


def test_every_matrix_is_named_by_its_noise(cards):
    matplotlib.use("agg")
    fig = exhibits.realised_matrices(cards)
    first, second = fig.axes
    assert first.get_title() == "symmetric (inclusive)" and second.get_title() == "uniform labels, added"
    assert [text.get_text() for text in first.texts] == [
        f"{100 * share:.0f}" for share in noise.realised(cards["symmetric_inclusive"]).flat
    ]
    plt.close(fig)


@pytest.mark.parametrize(("K", "more"), [(2, set()), (10, {"asymmetric_cifar10"}), (100, {"hierarchical"})])
def test_every_number_of_classes_has_its_laws(K, more):
    models = exhibits.laws_for(K, 0.4, 2.0, np.eye(K).tolist())
    assert more | {"pair_flip", "matrix"} <= {*models}
    cards = exhibits.noise_cards(models, np.arange(500) % K, K, seed=0)
    assert cards["matrix"]["realised_rate"] == 0
    assert exhibits.asked_and_obtained(cards).loc["a matrix of your own", "parameter"] == ""
    plt.close(exhibits.two_laws(K))


def test_a_matrix_of_another_size_is_refused():
    with pytest.raises(UserError, match="2 classes"):
        exhibits.noise_cards(exhibits.laws_for(3, 0.4, 2.0, [[0.9, 0.1], [0.2, 0.8]]), np.arange(30) % 3, 3, seed=0)


def test_two_laws_share_a_name_and_not_a_share():
    told = exhibits.of_two_laws(100)
    assert told["ten_inclusive"] == "72 %" and told["ten_exclusive"] == "80 %" and told["here_inclusive"] == "79.2 %"


def test_classes_are_named_where_numbers_do_not_say_it():
    assert exhibits.class_names(("0", "1")) == "" and exhibits.class_names(("a",) * 13) == ""
    assert exhibits.class_names(("cat", "dog")) == " Classes: 0 cat, 1 dog."


def test_a_true_class_that_is_left_out_becomes_the_rarest():
    table = exhibits.true_class_left_out(alphas=(9, 100))
    included, left_out = table.columns[:2], table.columns[2:]
    assert table.loc[9, left_out[0]] == table.loc[9, left_out[1]] == 0.1
    assert table.loc[100, left_out[0]] == 0.0099 < table.loc[100, left_out[1]] == 0.11
    assert table.loc[100, included[0]] == 0.1089 > table.loc[100, included[1]]
