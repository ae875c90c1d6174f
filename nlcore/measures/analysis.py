"""What a trained network is examined for once, after its last step: calibration, the geometry of its last layer, what
its logits still tell of a training image, how large its weights and logits are."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..data.images import flip_crop
from .evaluate import confidence_bins, ece, nll


class Trained(NamedTuple):
    """A network in evaluation mode, and ways to the images that it was trained and tested on, uint8 (n, C, H, W).

    An analysis asks for the images that it needs, since a source that streams them does not hold them all at once.
    Pairs are (row, given label, true class), each (M,).
    """

    net: nn.Module
    logits: Callable[[Tensor], Tensor]  # images -> logits (n, K)
    shown: Callable[[Tensor], Tensor]  # rows of pairs (n,) -> their images
    test_shown: Callable[[Tensor], Tensor]  # rows of the test set (n,) -> their images
    test_logits: Callable[[], Tensor]  # logits of the whole test set (N, K)
    test_y: Tensor
    train: tuple[Tensor, Tensor, Tensor]
    validation: tuple[Tensor, Tensor, Tensor]
    K: int


def temperature(logits: Tensor, y: Tensor) -> float:
    """The T > 0 that minimises the negative log likelihood of logits / T (Guo et al. 2017, section 4.2); where none
    does, as of a network that is always right or always wrong, one at which predictions are certain or uniform."""
    from scipy.optimize import minimize_scalar  # only where it is used: it is slow to import

    for widest in (6, 40):  # powers of 2: most networks need a small one
        bounds = (-widest, widest)
        found = minimize_scalar(lambda log2_T: nll(logits * 2.0**-log2_T, y), bounds=bounds, method="bounded").x
        if abs(found) < widest - 0.1:
            break
    return float(2.0**found)


def distinct(row: Tensor) -> tuple[Tensor, Tensor]:
    """Distinct rows, sorted, and for each the place of one pair that has it."""
    rows, place = row.unique(return_inverse=True)
    pairs = torch.arange(len(row), device=row.device)
    return rows, torch.zeros_like(rows, dtype=torch.long).scatter_(0, place, pairs)


def some_of_each(y: Tensor, K: int, count: int = 100) -> Tensor:
    """Where the first `count` of each class are in y."""
    return torch.cat([(y == k).nonzero()[:count, 0] for k in range(K)])


def logits_of_pairs(t: Trained, row: Tensor) -> Tensor:
    """Logits (n, K) of the images in these rows, of which no more than 4,096 are held at once."""
    return torch.cat([t.logits(t.shown(part)) for part in row.split(4096)])


def calibration(t: Trained) -> dict:
    """ECE on the clean test labels with equal-width and with adaptive bins, before and after the temperature that suits
    the held-out images with the labels they are given; and the bins of the reliability diagram."""
    row, label, _ = t.validation
    T = temperature(logits_of_pairs(t, row), label.long())
    out = t.test_logits()
    found = {
        "temperature": T,
        "ece_scaled": ece(out / T, t.test_y),
        "ece_adaptive": ece(out, t.test_y, adaptive=True),
        "ece_adaptive_scaled": ece(out / T, t.test_y, adaptive=True),
        "test_loss_scaled": nll(out / T, t.test_y),
    }
    rounded = {name: round(value, 6) for name, value in found.items()}
    diagram = [[int(n), round(c, 4), round(a, 4)] for n, c, a in confidence_bins(out, t.test_y).tolist()]
    return rounded | {"reliability": diagram}


def features(t: Trained, x: Tensor) -> tuple[Tensor, Tensor]:
    """Of images (n, C, H, W): activations before the last linear layer, with a 1 appended (n, D + 1), and the templates
    of that layer, its weights with the bias appended (K, D + 1)."""
    last = [m for m in t.net.body.modules() if isinstance(m, nn.Linear)][-1]
    seen = []
    hook = last.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach().double()))
    t.logits(x)
    hook.remove()
    h = torch.cat(seen)
    templates = torch.cat([last.weight, last.bias[:, None]], 1).detach().double()
    return torch.cat([h, torch.ones_like(h[:, :1])], 1), templates


def plane(h: Tensor, templates: Tensor) -> tuple[Tensor, Tensor]:
    """Activations (n, D) and three templates (3, D) in the plane through the templates: (n, 2) and (3, 2)."""
    basis = torch.linalg.qr((templates[1:] - templates[0]).T).Q
    return (h - templates[0]) @ basis, (templates - templates[0]) @ basis


def shape(z: Tensor, y: Tensor) -> tuple[float, float]:
    """Of points (n, 2) of classes y in {0, 1, 2}: variance within classes over that between them (tightness), and how
    unequal the distances to the means of the two other classes are, |a - b| / (a + b) on average. Neither changes with
    the scale of the points, which a loss sets freely."""
    means = torch.stack([z[y == k].mean(0) for k in range(3)])
    between = (means - means.mean(0)).square().sum(1).mean()
    within = (z - means[y]).square().sum(1).mean()
    distance = torch.cdist(z, means)  # (n, 3)
    a, b = (distance.gather(1, (y[:, None] + other) % 3) for other in (1, 2))
    return (within / between).item(), ((a - b).abs() / (a + b)).mean().item()


def triple(h: Tensor, templates: Tensor, y: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """From activations (N, D) of classes y (N,) and templates (K, D), the three classes k, k + 1, k + 2 in the plane of
    their templates: points (n, 2), their classes counted from k (n,), and the templates (3, 2). After class K - 1 comes
    class 0."""
    K = len(templates)
    from_k = (y - k) % K
    mine = from_k < 3
    points, corners = plane(h[mine], templates[[(k + i) % K for i in range(3)]])
    return points, from_k[mine], corners


def mean_shape(h: Tensor, templates: Tensor, y: Tensor) -> list[float]:
    """The two numbers of `shape`, each its mean over the classes k, k + 1, k + 2 for all k."""
    numbers = []
    for k in range(len(templates)):
        points, of, _ = triple(h, templates, y, k)
        numbers.append(shape(points, of))
    return torch.tensor(numbers).mean(0).tolist()


def drawn(h: Tensor, templates: Tensor, y: Tensor, count: int = 50) -> list[list]:
    """Up to `count` points of each of the classes 0, 1, 2 as [class, x, y], from the centre of their templates and in
    units of the mean distance between these."""
    points, of, corners = triple(h, templates, y, 0)
    points = (points - corners.mean(0)) / torch.pdist(corners).mean()
    rows = []
    for c in range(3):
        rows += [[c, round(x, 3), round(y, 3)] for x, y in points[of == c][:count].tolist()]
    return rows


def projection(t: Trained) -> dict:
    """Penultimate activations of three classes in the plane of their templates (Muller 2019, section 2): `points` are
    up to 50 test images of classes 0, 1, 2. The two numbers of `shape` are means over the classes k, k+1, k+2 for all
    k, with 100 training or test images each."""
    rows, pair = distinct(t.train[0])
    true = t.train[2][pair].long()
    near = some_of_each(true, t.K)
    h, templates = features(t, t.shown(rows[near]))
    tight, unequal = mean_shape(h, templates, true[near])
    found = {"tightness_train": round(tight, 6), "unequal_train": round(unequal, 6)}

    near = some_of_each(t.test_y, t.K)
    h, templates = features(t, t.test_shown(near))
    tight, unequal = mean_shape(h, templates, t.test_y[near])
    found |= {"tightness_test": round(tight, 6), "unequal_test": round(unequal, 6)}
    return found | {"points": drawn(h, templates, t.test_y[near])}


def told(f: Tensor) -> float:
    """Mutual information in nats between which image was shown and a number that it gave, of `f` (draws, images):
    Gaussians of one variance around each image's mean, at most the logarithm of the number of images. Means of a few
    draws lie near their own draws, so the estimate is a little high."""
    mean, variance = f.mean(0), f.var(0).mean()
    log_p = -((f[:, :, None] - mean) ** 2) / (2 * variance)  # (draws, image shown, image supposed)
    of_the_shown = log_p.diagonal(dim1=1, dim2=2)
    return (of_the_shown - log_p.logsumexp(2)).mean().item() + math.log(len(mean))


def information(t: Trained, images: int = 300, draws: int = 5) -> dict:
    """What the difference of two classes' logits tells of which of 2 x 300 training images was shown, mirrored and
    shifted at random (Muller 2019, section 3); log 2 when the two classes are all that is left."""
    rows, pair = distinct(t.train[0])
    true = t.train[2][pair]
    x = t.shown(torch.cat([rows[true == k][:images] for k in (0, 1)]))
    out = torch.stack([t.logits(flip_crop(x)).double() for _ in range(draws)])
    return {"information": round(told(out[:, :, 0] - out[:, :, 1]), 6)}


def norms(t: Trained) -> dict:
    """How large weights and outputs are: Euclidean norms of the last layer's rows, on average, and of all weights; and,
    on average over 100 training images of each class, the largest logit less the mean of the others, and the norm of
    the activations before the last layer."""
    rows, pair = distinct(t.train[0])
    near = some_of_each(t.train[2][pair].long(), t.K)
    x = t.shown(rows[near])
    h, templates = features(t, x)
    activations, weights = h[:, :-1], templates[:, :-1]  # without the 1 and the bias
    out = t.logits(x).double()
    largest = out.amax(1)
    others = (out.sum(1) - largest) / (t.K - 1)
    squares = [parameter.detach().double().square().sum() for parameter in t.net.parameters()]
    found = {
        "norm_rows": weights.norm(dim=1).mean(),
        "norm_weights": torch.stack(squares).sum().sqrt(),
        "norm_features": activations.norm(dim=1).mean(),
        "logit_gap": (largest - others).mean(),
    }
    return {name: round(value.item(), 6) for name, value in found.items()}


ANALYSES = {"calibration": calibration, "projection": projection, "information": information, "norms": norms}
