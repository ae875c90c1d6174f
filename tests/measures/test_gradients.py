"""Every formula of nlcore.gradients against autograd and against chance."""

import pytest
import torch

from nlcore.losses import cross_entropy, smoothed_cross_entropy
from nlcore.measures.gradients import alignment, gradient, squares
from nlcore.models import build

K, N = 4, 60
torch.manual_seed(0)
NET = build("mlp1", (1, 3, 3), K).double()
X, Y = torch.randn(N, 1, 3, 3, dtype=torch.double), torch.randint(K, (N,))


def mean_gradient(y):
    return gradient(NET, cross_entropy(NET(X), y).mean())


@pytest.mark.parametrize("alpha", [0.0, 1.0, 20.0])
def test_the_mean_gradient_is_clean_plus_alpha_uniform_and_that_of_H_alpha(alpha):
    c = mean_gradient(Y)
    u = torch.stack([mean_gradient(torch.full_like(Y, k)) for k in range(K)]).mean(0)
    H = gradient(NET, smoothed_cross_entropy(NET(X), Y, alpha / (1 + alpha)).mean())
    torch.testing.assert_close((c + alpha * u) / (1 + alpha), H)


def test_squares_are_those_of_one_pair_at_a_time():
    one = [gradient(NET, cross_entropy(NET(X[i : i + 1]), Y[i : i + 1]).mean()).square().sum() for i in range(N)]
    torch.testing.assert_close(squares(NET, X, Y), torch.stack(one))


@pytest.mark.parametrize("B", [1, 8, 64])
def test_the_squared_length_of_a_batch_gradient_falls_as_one_over_the_batch(B):
    """E |g|^2 = |E g|^2 + (E |g1|^2 - |E g|^2) / B, for batches drawn with replacement; five standard errors."""
    c, generator = mean_gradient(Y), torch.Generator().manual_seed(0)
    lengths = []
    for _ in range(2000):
        i = torch.randint(N, (B,), generator=generator)
        lengths.append(gradient(NET, cross_entropy(NET(X[i]), Y[i]).mean()).square().sum())
    found, square = torch.stack(lengths), c.square().sum()
    expected = square + (squares(NET, X, Y).mean() - square) / B
    assert abs(found.mean() - expected) < 5 * found.std() / 2000**0.5


def test_alignment():
    rows = {(r["alpha"], r["batch"]): r for r in alignment(NET, X, Y, K, [0, 20], [16, 256], draws=200)}
    for row in rows.values():
        assert row["cosine"] == pytest.approx(row["expected"], abs=0.08)
        assert row["expected"] <= row["limit"] + 1e-12
    assert rows[0.0, 16]["length"] == pytest.approx(1) and rows[0.0, 16]["limit"] == pytest.approx(1)
    assert rows[20.0, 256]["length"] < 1
    for alpha in (0.0, 20.0):  # larger batches point nearer to the clean gradient
        assert rows[alpha, 256]["cosine"] > rows[alpha, 16]["cosine"]
    assert rows[20.0, 16]["cosine"] < rows[0.0, 16]["cosine"]
