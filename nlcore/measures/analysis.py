"""What a trained network is examined for once, after its last step: calibration, the geometry of its last layer, what
its logits still tell of a training image."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from scipy.optimize import minimize_scalar
from torch import Tensor, nn

from ..data.images import flip_crop
from .evaluate import confidence_bins, ece, nll


class Trained(NamedTuple):
    """A network in evaluation mode, `logits` of images uint8 (n, C, H, W), and its data; pairs are (row, given label,
    true class), each (M,), and `images` what their rows mean."""

    net: nn.Module
    logits: Callable[[Tensor], Tensor]
    images: Tensor
    test_x: Tensor
    test_y: Tensor
    train: tuple[Tensor, Tensor, Tensor]
    validation: tuple[Tensor, Tensor, Tensor]
    K: int


def temperature(logits: Tensor, y: Tensor) -> float:
    """The T > 0 that minimises the negative log likelihood of logits / T (Guo et al. 2017, section 4.2)."""
    found = minimize_scalar(lambda s: nll(logits * 2.0**-s, y), bounds=(-6, 6), method="bounded")
    return float(2.0**found.x)


def calibration(t: Trained) -> dict:
    """ECE on the clean test labels with equal-width and with adaptive bins, before and after the temperature that suits
    the held-out images with the labels they are given; and the bins of the reliability diagram."""
    row, label, _ = t.validation
    T = temperature(t.logits(t.images[row]), label.long())
    out = t.logits(t.test_x)
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
    """Activations before the last linear layer, with a 1 appended (n, D + 1), and its templates (K, D + 1)."""
    last, seen = [m for m in t.net.body.modules() if isinstance(m, nn.Linear)][-1], []
    hook = last.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach().double()))
    t.logits(x)
    hook.remove()
    seen = torch.cat(seen)
    templates = torch.cat([last.weight, last.bias[:, None]], 1).detach().double()
    return torch.cat([seen, torch.ones_like(seen[:, :1])], 1), templates


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
    far = torch.cdist(z, means)
    a, b = far.gather(1, (y[:, None] + 1) % 3), far.gather(1, (y[:, None] + 2) % 3)
    within = (z - means[y]).square().sum(1).mean()
    return (within / between).item(), ((a - b).abs() / (a + b)).mean().item()


def projection(t: Trained) -> dict:
    """Penultimate activations of three classes in the plane of their templates (Muller 2019, section 2): `points` are
    up to 50 test images of classes 0, 1, 2 as (class, x, y), in units of the mean distance between the templates. The
    two numbers are means over the classes k, k+1, k+2 for all k, with 100 training or test images each."""
    found, points = {}, []
    rows, first = _first(t.train[0])
    kept_x, kept_y = t.images[rows], t.train[2][first].long()
    for part, x, y in (("train", kept_x, kept_y), ("test", t.test_x, t.test_y)):
        near = torch.cat([(y == k).nonzero()[:100, 0] for k in range(t.K)])
        h, templates = features(t, x[near])
        y, numbers = y[near], []
        for k in range(t.K):
            three = [(k + i) % t.K for i in range(3)]
            mine = (y[:, None] == torch.tensor(three, device=y.device)).any(1)
            z, w = plane(h[mine], templates[three])
            numbers.append(shape(z, (y[mine] - k) % t.K))
            if not k and part == "test":
                z = (z - w.mean(0)) / torch.pdist(w).mean()
                of = y[mine]
                points = [[c, *z[i].tolist()] for c in range(3) for i in (of == c).nonzero()[:50, 0]]
        tight, unequal = torch.tensor(numbers).mean(0).tolist()
        found |= {f"tightness_{part}": round(tight, 6), f"unequal_{part}": round(unequal, 6)}
    return found | {"points": [[c, round(a, 3), round(b, 3)] for c, a, b in points]}


def _first(row: Tensor) -> tuple[Tensor, Tensor]:
    """Distinct rows and the position of one pair of each."""
    rows, place = row.unique(return_inverse=True)
    return rows, torch.zeros_like(rows, dtype=torch.long).scatter_(0, place, torch.arange(len(row), device=row.device))


def told(f: Tensor) -> float:
    """Mutual information in nats between which image was shown and a number that it gave, of `f` (draws, images):
    Gaussians of one variance around each image's mean, at most the logarithm of the number of images. Means of a few
    draws lie near their own draws, so the estimate is a little high."""
    mean, variance = f.mean(0), f.var(0).mean()
    log_p = -((f[:, :, None] - mean) ** 2) / (2 * variance)  # (draws, shown, supposed)
    own = log_p.diagonal(dim1=1, dim2=2)
    return (own - log_p.logsumexp(2)).mean().item() + math.log(len(mean))


def information(t: Trained, images: int = 300, draws: int = 5) -> dict:
    """What the difference of two classes' logits tells of which of 2 x 300 training images was shown, mirrored and
    shifted at random (Muller 2019, section 3); log 2 when the two classes are all that is left."""
    rows, first = _first(t.train[0])
    y = t.train[2][first]
    x = t.images[torch.cat([rows[y == k][:images] for k in (0, 1)])]
    out = torch.stack([t.logits(flip_crop(x)).double() for _ in range(draws)])
    return {"information": round(told(out[:, :, 0] - out[:, :, 1]), 6)}


ANALYSES = {"calibration": calibration, "projection": projection, "information": information}
