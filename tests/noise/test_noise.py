"""The laws: they are laws, they are what their names say, and draws follow them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nlcore import data, noise
from nlcore.inputs import UserError

rates = st.floats(0, 1)
FLIPS = [noise.SymmetricInclusive, noise.SymmetricExclusive, noise.PairFlip]
OF_CIFAR100 = [noise.AsymmetricSuperclass, noise.AsymmetricBlocks, noise.Hierarchical]


@st.composite
def structured(draw, K: int):
    """Structured noise whose orders are known."""
    ranking = tuple(tuple(draw(st.permutations([j for j in range(K) if j != k]))) for k in range(K))
    delta = draw(rates)
    alpha = K * delta + draw(st.floats(0, 50))
    return noise.Structured(alpha, delta, draw(st.sampled_from(noise.ORDERS)), ranking)


def models(K: int):
    found = [st.sampled_from([noise.Clean()]), st.builds(noise.Uniform, st.floats(0, 200))]
    found += [st.builds(flip, rates) for flip in FLIPS]
    if K > 2:
        found.append(structured(K))
    if K == 10:
        found += [st.builds(kind, rates) for kind in (noise.AsymmetricCifar10, noise.AsymmetricMnist)]
    if K == 100:
        found += [st.builds(kind, rates) for kind in OF_CIFAR100]
    return st.one_of(found)


@given(st.sampled_from([2, 3, 10, 100]).flatmap(lambda K: st.tuples(st.just(K), models(K))))
def test_rows_of_every_law_sum_to_one(case):
    K, model = case
    for T in (model.law(K), model.matrix(K)):
        assert T.shape == (K, K) and (T >= -1e-12).all()  # exactly 0 where alpha = K delta, but for rounding
        np.testing.assert_allclose(T.sum(1), 1)


@given(rates, st.integers(2, 100))
def test_inclusive_noise_is_exclusive_noise_at_a_smaller_rate(rate, K):
    np.testing.assert_allclose(
        noise.SymmetricInclusive(rate).matrix(K), noise.SymmetricExclusive(rate * (K - 1) / K).matrix(K), atol=1e-12
    )


@pytest.mark.parametrize("flip", [*FLIPS, noise.AsymmetricCifar10])
def test_rate_zero_is_clean(flip):
    np.testing.assert_array_equal(flip(0.0).matrix(10), np.eye(10))


@given(rates, st.permutations(range(10)))
def test_a_permutation_of_classes_permutes_symmetric_matrices(rate, order):
    for model in (noise.SymmetricInclusive(rate), noise.SymmetricExclusive(rate), noise.Uniform(10 * rate)):
        T = model.matrix(10)
        np.testing.assert_allclose(T[np.ix_(order, order)], T)


def test_uniform_has_the_probabilities_of_the_paper():
    # P(true) and P(any other) for K = 10, to four digits
    for alpha, true, other in ((10, 0.1818, 0.0909), (20, 0.1429, 0.0952), (50, 0.1176, 0.0980), (100, 0.1089, 0.0990)):
        T = noise.Uniform(alpha).matrix(10)
        assert (round(T[0, 0], 4), round(T[0, 1], 4)) == (true, other)


def test_asymmetric_cifar10_is_the_map_of_the_literature():
    names = "airplane automobile bird cat deer dog frog horse ship truck".split()
    T = noise.AsymmetricCifar10(0.4).matrix(10)
    flips = {names[i]: names[j] for i in range(10) for j in range(10) if i != j and T[i, j]}
    wanted = {"truck": "automobile", "bird": "airplane", "deer": "horse", "cat": "dog", "dog": "cat"}
    assert flips == wanted and np.isclose(T.diagonal().mean(), 0.8)


def test_asymmetric_mnist_is_the_map_of_the_literature():
    T = noise.AsymmetricMnist(0.4).matrix(10)
    flips = {(i, j) for i in range(10) for j in range(10) if i != j and T[i, j]}
    assert flips == {(7, 1), (2, 7), (5, 6), (6, 5), (3, 8)} and np.isclose(T.diagonal().mean(), 0.8)


BLOCKS = np.arange(100) // 5


@pytest.mark.parametrize(
    ("flip", "group"),
    [(noise.AsymmetricSuperclass, np.array(noise.CIFAR100_SUPERCLASS)), (noise.AsymmetricBlocks, BLOCKS)],
)
def test_superclass_flips_stay_in_the_superclass_and_go_round(flip, group):
    target = flip(1.0).target(100).argmax(1)
    assert (np.bincount(group) == 5).all() and (group[target] == group).all()
    place = np.arange(100)
    for _ in range(5):
        place = target[place]
    assert (place == np.arange(100)).all() and (target != np.arange(100)).all()


def test_hierarchical_flips_go_to_the_other_four_of_the_superclass_alike():
    T, group = noise.Hierarchical(0.4).matrix(100), np.array(noise.CIFAR100_SUPERCLASS)
    inside = (group[:, None] == group) & ~np.eye(100, dtype=bool)
    assert np.allclose(T[inside], 0.1) and np.allclose(T.diagonal(), 0.6) and np.allclose(T.sum(1), 1)


@settings(max_examples=30)
@given(st.sampled_from([3, 10]).flatmap(lambda K: st.tuples(st.just(K), models(K))), st.integers(0, 2**32 - 1))
def test_draws_follow_the_law(case, seed):
    K, model = case
    y = np.arange(400 * K) % K
    pairs = noise.draw(model, y, K, seed)
    T, counts = model.matrix(K).clip(0), np.asarray(noise.card(model, pairs, y, y[pairs.row], K, seed)["counts"])
    n = counts.sum(1, keepdims=True)
    bound = 6 * np.sqrt(n * T * (1 - T)) + 2 + (model.copies or 0)  # six standard deviations, and rounding of copies
    assert (np.abs(counts - n * T) <= bound).all()


@given(arrays(np.int64, st.integers(1, 50), elements=st.integers(0, 9)), st.floats(0, 5))
def test_added_labels_leave_every_clean_pair_and_use_images_equally(y, alpha):
    pairs = noise.draw(noise.Uniform(alpha), y, 10, 0)
    N = len(y)
    assert len(pairs.row) == N + round(alpha * N)
    assert (pairs.row[:N] == np.arange(N)).all() and (pairs.label[:N] == y).all()
    assert np.ptp(np.bincount(pairs.row, minlength=N)) <= 1


def test_a_seed_names_a_draw():
    y = np.arange(1000) % 10

    def named(seed):
        pairs = noise.draw(noise.Uniform(3), y, 10, seed)
        return noise.card(noise.Uniform(3), pairs, y, y[pairs.row], 10, seed)["labels_sha256"]

    a, b, c = map(named, (1, 1, 2))
    assert a == b != c
    # the draw itself is pinned: if this fails, raise noise.VERSION and say so in book/log.md
    assert a == PINNED


PINNED = "82061435748f091b4b73727b4fb20c1393f9504ab8e3c3c0ad58c3de703bdb7b"


@given(structured(10))
def test_delta_0_is_uniform_and_fresh_orders_are_too(model):
    flat = noise.Uniform(model.alpha).matrix(10)
    np.testing.assert_allclose(replace(model, delta=0.0).matrix(10), flat)
    np.testing.assert_allclose(replace(model, order="fresh").matrix(10), flat)


@given(structured(10))
def test_delta_1_ties_the_first_false_label_with_the_truth(model):
    model = replace(model, alpha=model.alpha + 10, delta=1.0, order="random")
    T, first = model.matrix(10), [order[0] for order in model.ranking]
    np.testing.assert_allclose(T[np.arange(10), first], T.diagonal())
    assert (T <= T.diagonal()[:, None] + 1e-12).all()


@given(structured(10), st.permutations(range(10)))
def test_a_permutation_of_classes_permutes_structured_matrices(model, names):
    model = replace(model, order="random")
    ranking = [None] * 10
    for k, order in enumerate(model.ranking):
        ranking[names[k]] = tuple(names[j] for j in order)
    renamed = replace(model, ranking=tuple(ranking)).matrix(10)
    np.testing.assert_allclose(renamed[np.ix_(names, names)], model.matrix(10))


def test_structured_has_the_probabilities_of_the_papers_diagram():
    # alpha = 20, delta = 0.5, K = 10, to four digits
    ranking = tuple(tuple(j for j in range(10) if j != k) for k in range(10))
    T = noise.Structured(20, 0.5, "random", ranking).matrix(10)
    assert T[0].round(4).tolist() == [0.1429, 0.119, 0.1131, 0.1071, 0.1012, 0.0952, 0.0893, 0.0833, 0.0774, 0.0714]


def test_the_rarest_label_vanishes_where_alpha_is_K_delta():
    ranking = tuple(tuple(j for j in range(10) if j != k) for k in range(10))
    assert noise.Structured(10, 1.0, "random", ranking).matrix(10).min() == pytest.approx(0, abs=1e-12)
    with pytest.raises(UserError, match="alpha >= 10"):
        noise.Structured(9.9, 1.0).check(10)


def test_orders_are_measured_drawn_and_reversed():
    digits = data.load("digits")
    found = {o: noise.Structured(20, 0.5, o).on(digits, 0) for o in noise.ORDERS}
    for order in ("confusing", "reverse", "random"):
        ranking = np.array(found[order].ranking)
        assert (np.sort(ranking) == [[j for j in range(10) if j != k] for k in range(10)]).all()
    assert (np.array(found["reverse"].ranking) == np.array(found["confusing"].ranking)[:, ::-1]).all()
    assert found["random"].ranking != noise.Structured(20, 0.5, "random").on(digits, 1).ranking
    assert found["fresh"].ranking == ()
    with pytest.raises(UserError, match="not measured"):
        noise.Structured(20, 0.5, "confusing").law(10)


def test_the_confusing_order_counts_the_errors_of_the_nearest_neighbour():
    # some images of class 0 look like those of another: twice as many like 1 as like 2
    x = np.array([0, 10, 20] * 40 + [10, 10, 20] * 10, dtype=np.uint8).reshape(-1, 1, 1, 1)
    y = np.array([0, 1, 2] * 40 + [0, 0, 0] * 10)
    images = data.Images(torch.from_numpy(x), torch.from_numpy(y))
    found = data.Dataset("synthetic", ("a", "b", "c"), 3, images, images, "")
    assert noise.confusing_order(found, 0, 30)[0].tolist() == [1, 2]
    y[y > 0] = 3 - y[y > 0]  # under the same name
    assert noise.confusing_order(found, 0, 30)[0].tolist() == [2, 1]


@given(st.integers(1, 300), st.floats(0, 3), st.integers(1, 50))
def test_carriers_bear_all_added_labels_equally(N, alpha, n):
    y, others = np.arange(N) % 3, np.full(n, 3)
    pairs = noise.draw(noise.Uniform(alpha), y, 3, 0, others)
    added = round(alpha * N)
    assert (pairs.row[:N] == np.arange(N)).all() and (pairs.label[:N] == y).all()
    use = np.bincount(pairs.row[N:] - N, minlength=n)
    assert len(use) == n and use.sum() == added and np.ptp(use) <= 1
    told = noise.card(noise.Uniform(alpha), pairs, y, np.append(y, others)[pairs.row], 3, 0)
    assert told["realised_rate"] == pytest.approx(added / (N + added), abs=1e-6)  # an image without a class is wrong
    assert np.sum(told["counts"]) == N


PINNED_STRUCTURED = {"confusing": "21e4b89d450b3062", "random": "57079fd708edc0d8", "fresh": "2bc04e26d55e9f2c"}


@pytest.mark.parametrize("order", PINNED_STRUCTURED)
def test_a_seed_names_a_draw_of_structured_noise(order):
    digits = data.load("digits")
    y = digits.train.y.numpy()
    model = noise.Structured(20.0, 1.0, order).on(digits, 0)
    pairs = noise.draw(model, y, 10, 0)
    told = noise.card(model, pairs, y, y[pairs.row], 10, 0)
    assert told["labels_sha256"][:16] == PINNED_STRUCTURED[order]
    assert told["definition"].get("ranking", ()) == model.ranking  # the card keeps what was measured


def test_more_classes_than_a_byte():
    y = np.arange(3000) % 300
    pairs = noise.draw(noise.SymmetricInclusive(1.0), y, 300, 0)
    assert pairs.label.max() > 255 and pairs.label.dtype == np.int16


@pytest.mark.parametrize(
    "make",
    [
        lambda: noise.Uniform(-1),
        lambda: noise.Uniform(float("inf")),
        lambda: noise.Uniform(float("nan")),
        lambda: noise.SymmetricInclusive(1.01),
        lambda: noise.SymmetricExclusive(-0.1),
        lambda: noise.PairFlip(float("nan")),
        lambda: noise.AsymmetricCifar10(0.4).matrix(7),
        lambda: noise.AsymmetricMnist(0.4).matrix(7),
        lambda: noise.AsymmetricBlocks(0.4).matrix(10),
        lambda: noise.InstanceDependent(0.0),
        lambda: noise.InstanceDependent(1.0),
        lambda: noise.InstanceDependent(0.4).matrix(10),
        lambda: noise.OpenSet(1.1),
        lambda: noise.AsymmetricSuperclass(0.4).matrix(10),
        lambda: noise.Matrix(((0.5, 0.6), (0.5, 0.5))),
        lambda: noise.Structured(20, 1.1),
        lambda: noise.Structured(20, 0.5, "alphabetical"),
        lambda: noise.Structured(20, 0.5).check(2),
        lambda: noise.Matrix(((1.5, -0.5), (0.5, 0.5))),
        lambda: noise.Matrix(((0.5, 0.5),)),
        lambda: noise.Matrix(((1.0, 0.0), (0.0, 1.0))).matrix(3),
    ],
)
def test_bad_parameters_are_refused(make):
    with pytest.raises(UserError):
        make()


@pytest.mark.parametrize("y", [[1, 10], [-1, 3]])
def test_classes_that_are_none_are_refused(y):
    with pytest.raises(UserError, match="y are classes 0 to 9, not"):
        noise.draw(noise.Clean(), np.array(y), 10, 0)


def test_an_order_that_is_given_is_the_one_that_is_drawn_by():
    ranking = tuple(tuple(j for j in range(10) if j != k) for k in range(10))
    law = noise.Structured(20.0, 0.9, "confusing", ranking)
    found = law.on(data.load("digits"), 0)
    assert found.ranking == ranking and np.array_equal(found.law(10), law.law(10))


def test_classes_in_a_series_go_by_their_places():
    """pandas would look them up by its index."""
    y = np.random.default_rng(0).integers(0, 10, 500)
    series = pd.Series(y, index=np.random.default_rng(1).permutation(500))
    law = noise.Structured(5.0, 0.3, "fresh")
    assert np.array_equal(noise.draw(law, series, 10, 0).label, noise.draw(law, y, 10, 0).label)


@pytest.mark.parametrize("given", [[0, 10], [-1, 2], [0.5, 1.0], [[1, 0], [0, 1]]])
def test_given_labels_that_are_no_classes_are_refused(given):
    with pytest.raises(UserError, match="whole numbers .N,., 0 to 9"):
        noise.taken(given, 10)


LAW = noise.SymmetricExclusive(0.2)


@pytest.mark.parametrize(
    "told, law, y, K, options",
    [
        ("classes .N,., whole numbers, not int64 of shape .5, 1.", LAW, np.zeros((5, 1), int), 3, {}),
        ("with its brackets, not", noise.SymmetricExclusive, [0, 1], 3, {}),
        ("with its brackets, not 'symmetric_exclusive'", "symmetric_exclusive", [0, 1], 3, {}),
        ("K is 40000; 10,000 classes", LAW, [0, 1], 40_000, {}),
        ("OpenSet needs images", noise.OpenSet(0.5), [0, 1], 3, {}),
        ("OpenSet needs images", noise.OpenSet(0.5), [0, 1], 3, {"carriers": []}),
        ("Uniform needs images", noise.Uniform(2.0), [0, 1], 3, {"carriers": []}),
        ("carriers are classes .n,., 0 to 2, or 3 of", noise.Uniform(2.0), [0, 1], 3, {"carriers": [4]}),
        ("carriers are classes .n,., 0 to 2, or 3 of", noise.Uniform(2.0), [0, 1], 3, {"carriers": [-1]}),
    ],
)
def test_what_no_label_can_be_drawn_for_is_refused(told, law, y, K, options):
    with pytest.raises(UserError, match=told):
        noise.draw(law, y, K, 0, **options)
