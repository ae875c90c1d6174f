"""What uniform noise does to the gradient of a batch: it divides the part of its mean that depends on the labels.

For a fixed network let c be the mean gradient of the cross entropy over clean pairs, and u the mean over the same
images with uniform labels. Draw B pairs, alpha noisy ones per clean one; the gradient g of their mean loss has

    E g = (c + alpha u) / (1 + alpha),        E |g|^2 = |E g|^2 + (E |g1|^2 - |E g|^2) / B,

g1 being the gradient of a single pair. The first is the gradient of H_alpha, and equals u + (c - u) / (1 + alpha): what
depends on the labels is 1 + alpha times shorter, while the spread of single pairs does not shrink with it. For networks
without batch norm, on the CPU.
"""

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from ..losses import cross_entropy, smoothed_cross_entropy


def gradient(net: nn.Module, loss: Tensor) -> Tensor:
    """The gradient of a scalar, flat: (P,) for P weights."""
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, [*net.parameters()])])


def squares(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """|g1|^2, the squared length of the gradient of each pair (n,), of images x (n, C, H, W) and labels y (n,)."""
    weights = {name: w.detach() for name, w in net.named_parameters()}

    def square(image: Tensor, label: Tensor) -> Tensor:
        def loss(w):
            return cross_entropy(functional_call(net, w, (image[None],)), label[None])[0]

        return sum(g.square().sum() for g in grad(loss)(weights).values())

    return vmap(square, chunk_size=64)(x, y)


def noisy_gradient(net: nn.Module, x: Tensor, y: Tensor, K: int, alpha: float, B: int, draw: torch.Generator) -> Tensor:
    """g (P,): the gradient of the mean loss of B pairs, drawn with replacement, alpha noisy ones for each clean one."""
    image = torch.randint(len(x), (B,), generator=draw)
    noisy = torch.rand(B, generator=draw) < alpha / (1 + alpha)
    label = torch.where(noisy, torch.randint(K, (B,), generator=draw), y[image])
    return gradient(net, cross_entropy(net(x[image]), label).mean())


def alignment(net: nn.Module, x: Tensor, y: Tensor, K: int, alphas, batches, draws: int = 50) -> list[dict]:
    """How the gradient of a noisy batch lies to the clean one, over images `x` (n, C, H, W) of true classes `y` (n,).

    A row per alpha and batch size: `cosine`, the mean over random batches of the cosine between g and c; `expected`,
    its estimate E g.c / (|c| sqrt(E |g|^2)); `limit`, that of an infinite batch; `length`, |E g| / |c|.
    """
    draw, rows = torch.Generator().manual_seed(0), []
    c = gradient(net, cross_entropy(net(x), y).mean())
    u = gradient(net, smoothed_cross_entropy(net(x), y, 1.0).mean())
    clean = squares(net, x, y).mean()
    uniform = torch.stack([squares(net, x, torch.full_like(y, k)).mean() for k in range(K)]).mean()
    for alpha in map(float, alphas):
        mean = (c + alpha * u) / (1 + alpha)  # E g
        square = mean.square().sum()
        single = (clean + alpha * uniform) / (1 + alpha)  # E |g1|^2
        for B in batches:
            cosines = []
            for _ in range(draws):
                g = noisy_gradient(net, x, y, K, alpha, B, draw)
                cosines.append(torch.cosine_similarity(g, c, dim=0))
            expected_square = square + (single - square) / B  # E |g|^2
            row = {
                "cosine": torch.stack(cosines).mean(),
                "length": mean.norm() / c.norm(),
                "expected": mean @ c / (c.norm() * expected_square.sqrt()),
                "limit": mean @ c / (c.norm() * mean.norm()),
            }
            rows.append({"alpha": alpha, "batch": B} | {name: value.item() for name, value in row.items()})
    return rows
