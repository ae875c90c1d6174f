"""What chapter 13 shows of a comparison that is made in part."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from nlcore import papers
from nlcore.noise import InstanceDependent
from nlcore.papers.field import exhibits, photographs, sentences
from nlcore.papers.field.experiments import ALL

PLANNED = papers.runs("field.fashion", "laptop")
EMPTY = pd.DataFrame(columns=exhibits.COLUMNS)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def history() -> pd.DataFrame:
    """Cross entropy with three seeds, ELR with one, under symmetric noise; two evaluations, of which noisy validation
    prefers the first."""
    rows = []
    for method, seeds, accuracy in (("ce", 3, 0.5), ("elr", 1, 0.7), ("gce", 3, 0.6)):
        for seed in range(seeds):
            run = {"key": f"{method} {seed}", "method": method, "seed": seed, "noise": "symmetric_exclusive"}
            run |= {"rate": 0.5, "model": "conv_small", "dataset": "fashion", "images": 4500, "realised_rate": 0.5}
            run |= {"train_seconds": 36.0, "steps": 2000, "train_wrong": 0.9}
            late = accuracy + 0.01 * seed
            rows.append(run | {"step": 1, "epoch": 1.0, "noisy_validation": 0.5, "test_accuracy": 0.8 + late / 100})
            rows.append(run | {"step": 2, "epoch": 2.0, "noisy_validation": 0.4, "test_accuracy": late})
    return pd.DataFrame(rows).assign(clean_validation=lambda f: 1 - f.noisy_validation)


def test_every_planned_method_has_a_row_and_what_was_not_run_is_empty():
    table = exhibits.accuracy(history(), "symmetric", PLANNED)
    assert len(table) == len(ALL)
    assert table.loc["cross entropy", ("last evaluation", "0.5")] == "51.0 ± 1.0"
    assert table.loc["early-learning regularisation (ELR)", ("last evaluation", "0.5")] == "70.0 (n = 1)"
    assert set(table.loc["DivideMix"]) == {""}
    assert set(exhibits.accuracy(history(), "pair", PLANNED)["test accuracy"]) == {exhibits.NOTHING_RUN}


def test_every_rule_has_a_column():
    table = exhibits.under_all_rules(history(), PLANNED)
    assert [*table] == [("symmetric 0.5", rule) for rule in ("end", "noisy", "clean", "test")]
    assert table.loc["cross entropy"].tolist() == ["51.0", "80.5", "51.0", "80.5"]
    assert {*exhibits.under_all_rules(EMPTY, PLANNED).to_numpy().ravel()} == {exhibits.NOTHING_RUN}


def test_gains_are_paired_by_seed_and_of_one_seed_have_no_interval():
    found = exhibits.gains(history()).set_index(["method", "rule"])
    assert found.loc[("gce", "last"), "effect"] == pytest.approx(10)
    assert found.loc[("gce", "last"), "low"] == pytest.approx(10)
    assert found.loc[("elr", "last"), "effect"] == pytest.approx(20)
    assert np.isinf(found.loc[("elr", "last"), "low"]) and "ce" not in found.index.get_level_values("method")
    assert exhibits.gains(history().query("method != 'ce'")).empty


def test_a_panel_is_drawn_for_each_noise_that_was_run():
    both = pd.concat([history(), history().assign(noise="instance", rate=0.4, key=lambda f: f.key + " i")])
    assert len(exhibits.dots(exhibits.gains(both), ("symmetric", "pair", "instance")).axes) == 2
    assert exhibits.dots(exhibits.gains(EMPTY), ("pair",)).axes[0].texts[0].get_text() == exhibits.NOTHING_RUN
    found = exhibits.gains(both)
    low, high = exhibits.reach(found)
    assert low < 0 < found.effect.max() < high < 100  # an interval of two seeds does not set the scale


def test_noises_in_which_a_method_is_ahead_and_behind_are_counted():
    pair = history().assign(noise="pair_flip", rate=0.4, key=lambda f: f.key + " p")
    pair.loc[pair.method == "gce", "test_accuracy"] -= 0.3
    table = exhibits.ahead_and_behind(pd.concat([history(), pair]), PLANNED)
    row = table.loc["generalised cross entropy (L_q)"]
    assert (row["noises"], row["last evaluation"]) == ("2", "1 ahead, 1 behind")
    assert "cross entropy" not in table.index
    assert {*table.loc["early-learning regularisation (ELR)"]} == {""}  # one seed says little
    assert {*exhibits.ahead_and_behind(EMPTY, PLANNED).to_numpy().ravel()} == {exhibits.NOTHING_RUN}


def test_methods_are_compared_with_each_other():
    table = exhibits.between(history())
    elr, gce, ce = "early-learning regularisation", "generalised cross entropy", "symmetric cross entropy"
    assert table.loc[f"{elr} ahead of {gce}", "symmetric 0.5"] == "+0.1"
    assert table.loc[f"{gce} ahead of {ce}", "symmetric 0.5"] == table.loc[f"{elr} ahead of {gce}", "pair 0.4"] == ""
    assert {*exhibits.between(EMPTY).to_numpy().ravel()} == {""}


def test_sentences_say_what_is_missing():
    said, none = (sentences.numbers(rows, PLANNED) for rows in (history(), EMPTY))
    assert said.keys() == none.keys() and "nan" not in " ".join([*said.values(), *none.values()])
    assert (said["runs"], none["runs"]) == (f"7 of {len(PLANNED)} runs", f"0 of {len(PLANNED)} runs")
    assert none["elr_half_last"] == none["plain_half_last"] == "(not run)"
    assert (said["plain_half_last"], said["elr_half_last"], said["elr_image_last"]) == ("51.0", "+20.0", "(not run)")
    assert (said["whole_half"], said["better_half_last"], said["worse_half_last"]) == ("1", "1", "0")
    assert said["better_half_noisy"] == "1" and said["memorised_ce_half"] == "90.0"


def people(dataset: str, noise: str, slope: float) -> pd.DataFrame:
    """Three seeds of all methods but forward correction, whose accuracies rise in the order of the table, or fall."""
    rows = []
    for seed in range(3):
        for place, method in enumerate(photographs.WITHOUT_MATRIX):
            run = {"key": f"{dataset} {noise} {method} {seed}", "method": method, "seed": seed, "noise": noise}
            run |= {"rate": 0.4, "model": "conv_small", "dataset": dataset, "images": 4500, "realised_rate": 0.4}
            run |= {"steps": 2000, "train_seconds": 36.0, "train_wrong": 0.9, "step": 1, "epoch": 1.0}
            rows.append(run | {"noisy_validation": 0.5, "test_accuracy": 0.5 + slope * place})
    return pd.DataFrame(rows)


def test_orders_of_methods_are_compared_where_all_were_run():
    pictures = pd.concat([people("cifar10", "instance", 0.01), people("cifar10", "human", -0.01)])
    fashion = people("fashion", "instance", 0.02)
    (row,) = photographs.orders(pictures, fashion).itertuples(index=False)
    assert row[0] == row[1] == "1.00 (1.00 to 1.00)" and row[2] == row[3] == "-1.00 (-1.00 to -1.00)"
    table = photographs.orders(pictures, fashion)
    assert table.index.name == "noise on CIFAR-10" and [*table][0][0] == "the same on Fashion-MNIST"
    same = photographs.orders(pictures, pictures[pictures.noise == "instance"])  # not held against itself
    assert {name for name, _ in same} == {"people's labels"}
    less = pictures[pictures.method != "elr"]
    assert {*photographs.orders(less, fashion).to_numpy().ravel()} == {"(not run)"}
    assert {*photographs.orders(EMPTY, fashion).to_numpy().ravel()} == {"(not run)"}


def test_photographs_have_a_column_for_each_noise_with_peoples_labels_among_them():
    planned = papers.runs("field.cifar10", "laptop")
    table = photographs.accuracy(people("cifar10", "human", 0.01), planned)
    assert [*table] == [(when, "people's labels 0.4") for when in ("last evaluation", "chosen by noisy validation")]
    assert table.iloc[0, 0] == "50.0 ± 0.0"
    assert {*photographs.accuracy(EMPTY, planned).to_numpy().ravel()} == {exhibits.NOTHING_RUN}


def test_the_rate_of_peoples_labels_is_their_share_of_wrong_ones(monkeypatch):
    found = pd.DataFrame({"noise": ["instance", "human"], "rate": [0.2, np.nan], "labels": [np.nan, "worst"]})
    monkeypatch.setattr(exhibits, "growing", lambda *given, **knobs: found)
    assert [*exhibits.rows("cifar10", "laptop", "never", "auto").rate] == [0.2, 0.4]


def test_needs_and_prices_of_all_methods():
    table = exhibits.demands(lambda name: "nothing", {"ce": 1.0})
    assert len(table) == len(ALL) and table.loc["cross entropy", "time"] == "1.00"
    assert table.loc["co-teaching", ["forward", "backward", "time"]].tolist() == [2, 2, "not measured"]


def test_labels_of_the_image_and_labels_of_its_matrix_are_wrong_alike_and_shared_otherwise():
    image = InstanceDependent(0.4)
    of_image, drawn = (exhibits.labels_of_digits(noise) for noise in (image, exhibits.mean_of_images(image)))
    assert np.mean(of_image[0] != of_image[1]) == pytest.approx(np.mean(drawn[0] != drawn[1]), abs=0.03)
    assert exhibits.shared_mistakes(*of_image) > exhibits.shared_mistakes(*drawn) + 10
    assert 50 < exhibits.sure(image) <= 100
    for figure in (exhibits.two_matrices(), exhibits.by_wrong_class(), exhibits.timeline()):
        assert figure.axes


def test_every_method_but_cross_entropy_has_a_year():
    assert {*exhibits.YEARS} == {*ALL} - {"ce"}
