"""The networks of the papers, from images (C, H, W) to logits (B, K). Sizes that we did not find are ours."""

import math
from functools import partial
from itertools import pairwise

from torch import nn

from .inputs import lookup


def mlp(shape, K, depth, width=256):
    """`depth` hidden layers of `width` ReLU units; depth 0 is multinomial logistic regression."""
    C, H, W = shape
    sizes = [C * H * W] + [width] * depth
    layers = [nn.Flatten()]
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], K))


def head(features, K, width=256):
    """From features (B, F, h, w), F h w = `features`, to logits: the layers of an MLP with two hidden ones."""
    first = [nn.Flatten(), nn.Linear(features, width), nn.ReLU()]
    return [*first, nn.Linear(width, width), nn.ReLU(), nn.Linear(width, K)]


def conv_small(shape, K):
    """Two strided convolutions before the head of Conv4: a net that one CPU core trains quickly (ours)."""
    C, H, W = shape
    first = [nn.Conv2d(C, 16, 5, stride=2, padding=2), nn.ReLU()]
    # flat before the ReLU, whose gradient is several times as fast in the order of the head as in that of the convolution
    second = [nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.Flatten(), nn.ReLU()]
    h, w = math.ceil(H / 4), math.ceil(W / 4)
    return nn.Sequential(*first, *second, *head(32 * h * w, K))


def conv(shape, K, blocks):
    """For each number of channels in `blocks` two 3x3 convolutions and a 2x2 maximum, then the head."""
    C, H, W = shape
    layers = []
    for channels in blocks:
        layers += [nn.Conv2d(C, channels, 3, padding=1), nn.ReLU()]
        layers += [nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        C, H, W = channels, H // 2, W // 2
    return nn.Sequential(*layers, *head(C * H * W, K))


class Block(nn.Module):
    """The basic residual block (He et al. 2016): two 3x3 convolutions with batch norm beside a shortcut."""

    def __init__(self, a: int, b: int, stride: int):
        super().__init__()
        first = [nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*first, nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b))
        project = nn.Sequential(nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b))
        self.shortcut = nn.Identity() if (a, stride) == (b, 1) else project  # drawn in any case: the seed's order

    def forward(self, x):
        return (self.body(x) + self.shortcut(x)).relu()


def stacked(block: type[nn.Module], a: int, b: int, depth: int, halved: bool) -> list[nn.Module]:
    """A stage of residual blocks, from a to b channels; the first block may halve the sides of the image."""
    return [block(a, b, 2 if halved else 1)] + [block(b, b, 1) for _ in range(depth - 1)]


def resnet(shape, K, depths, width=64):
    """ResNet with the CIFAR stem: a 3x3 convolution, stride 1, no maximum (the ImageNet stem loses points at 32x32)."""
    layers = [nn.Conv2d(shape[0], width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    a = width
    for stage, depth in enumerate(depths):
        b = width * 2**stage
        layers += stacked(Block, a, b, depth, halved=stage > 0)
        a = b
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(a, K))


def cifarnet(shape, K):
    """The "inception" of Jiang et al. 2018 in their code, 1.76 M weights on CIFAR-10: two 5x5 convolutions of 64
    channels with local response normalisation, layers of 384 and 192 units, dropout that keeps 0.8."""
    C, H, W = shape
    norm = nn.LocalResponseNorm(9, alpha=1e-3, beta=0.75, k=1.0)
    first = [nn.Conv2d(C, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), norm]
    second = [nn.Conv2d(64, 64, 5, padding=2), nn.ReLU(), norm, nn.MaxPool2d(2), nn.Flatten()]
    dense = [nn.Linear(64 * (H // 4) * (W // 4), 384), nn.ReLU(), nn.Dropout(0.2), nn.Linear(384, 192), nn.ReLU()]
    return nn.Sequential(*first, *second, *dense, nn.Linear(192, K))


class Leaky(nn.Module):
    """A residual block with its normalisation first and leaky units; where it widens, the shortcut is averaged and
    filled up with zeros."""

    def __init__(self, a: int, b: int, stride: int):
        super().__init__()
        first = [nn.BatchNorm2d(a), nn.LeakyReLU(0.1), nn.Conv2d(a, b, 3, stride, 1, bias=False)]
        self.body = nn.Sequential(*first, nn.BatchNorm2d(b), nn.LeakyReLU(0.1), nn.Conv2d(b, b, 3, 1, 1, bias=False))
        self.stride, self.added = stride, b - a  # channels that the shortcut lacks

    def forward(self, x):
        short = nn.functional.avg_pool2d(x, self.stride) if self.stride > 1 else x
        filled = nn.functional.pad(short, (0, 0, 0, 0, 0, self.added))
        return self.body(x) + filled


def wide_resnet(shape, K, depth=9, widths=(160, 320, 640)):
    """The "resnet101" of Jiang et al. 2018 in their code: nine blocks a stage, 84.6 M weights on CIFAR-10."""
    layers, a = [nn.Conv2d(shape[0], 16, 3, 1, 1, bias=False)], 16
    for stage, b in enumerate(widths):
        layers += stacked(Leaky, a, b, depth, halved=stage > 0)
        a = b
    layers += [nn.BatchNorm2d(a), nn.LeakyReLU(0.1), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(a, K))


def resnet50(shape, K, weights=None):
    """ResNet-50 of torchvision, with the ImageNet stem; `weights`: trained on ImageNet, for 1000 classes."""
    from .data.vision import vision  # only where it is used

    net = vision().models.resnet50(num_classes=K, weights=weights)
    if shape[0] != 3:
        net.conv1 = nn.Conv2d(shape[0], 64, 7, 2, 3, bias=False)
    *layers, last = net.children()
    return nn.Sequential(*layers, nn.Flatten(), last)


MODELS = {
    "perceptron": partial(mlp, depth=0),
    "mlp1": partial(mlp, depth=1),
    "mlp2": partial(mlp, depth=2),
    "mlp4": partial(mlp, depth=4),
    "mlp2_800": partial(mlp, depth=2, width=800),
    "mlp2_1200": partial(mlp, depth=2, width=1200),
    "conv_small": conv_small,
    "conv4": partial(conv, blocks=(64, 128)),
    "conv6": partial(conv, blocks=(64, 128, 256)),
    "resnet18": partial(resnet, depths=(2, 2, 2, 2)),
    "resnet32": partial(resnet, depths=(5, 5, 5), width=16),
    "resnet56": partial(resnet, depths=(9, 9, 9), width=16),
    "resnet34": partial(resnet, depths=(3, 4, 6, 3)),
    "resnet50": resnet50,
    "cifarnet": cifarnet,
    "wide_resnet": wide_resnet,
    "wide_resnet_tiny": partial(wide_resnet, depth=1, widths=(8, 16, 32)),  # ours: the same code at a size for tests
}


# networks that share their code
FAMILIES = {name: "mlp" for name in MODELS if name.startswith(("mlp", "perceptron"))}
FAMILIES |= {name: name for name in ("conv_small", "cifarnet", "wide_resnet", "resnet50")}
FAMILIES |= {"wide_resnet_tiny": "wide_resnet"}
FAMILIES |= {"conv4": "conv", "conv6": "conv"}
FAMILIES |= {name: "resnet" for name in ("resnet18", "resnet32", "resnet34", "resnet56")}


class Net(nn.Module):
    """The layers of a network in `body`, the last being linear; methods may add modules of their own beside it."""

    def __init__(self, body: nn.Sequential):
        super().__init__()
        self.body = body

    def forward(self, x):
        return self.body(x)


def build(name: str, shape: tuple[int, int, int], K: int) -> Net:
    """The network called `name` for images of `shape` (C, H, W) and K classes, initialised by torch's global generator;
    an error, with the nearest names, where there is none of that name."""
    return Net(lookup("model", name, MODELS)(shape, K))
