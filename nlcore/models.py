"""The networks of the papers, from images (C, H, W) to logits (B, K). Sizes that we did not find are ours."""

from functools import partial

from torch import nn

from .inputs import lookup


def mlp(shape, K, depth, width=256):
    """`depth` hidden layers of `width` ReLU units; depth 0 is multinomial logistic regression."""
    C, H, W = shape
    sizes = [C * H * W] + [width] * depth
    hidden = [layer for a, b in zip(sizes, sizes[1:], strict=False) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(sizes[-1], K))


def head(features, K, width=256):
    """Two hidden layers, then logits."""
    first = [nn.Flatten(), nn.Linear(features, width), nn.ReLU()]
    return [*first, nn.Linear(width, width), nn.ReLU(), nn.Linear(width, K)]


def conv_small(shape, K):
    """Two strided convolutions before the head of Conv4: a net that one CPU core trains quickly (ours)."""
    C, H, W = shape
    first = [nn.Conv2d(C, 16, 5, stride=2, padding=2), nn.ReLU()]
    second = [nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU()]
    return nn.Sequential(*first, *second, *head(32 * ((H + 3) // 4) * ((W + 3) // 4), K))


def conv(shape, K, blocks):
    """Blocks of two 3x3 convolutions and a 2x2 maximum, then the head."""
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
        self.shortcut = nn.Identity() if (a, stride) == (b, 1) else project

    def forward(self, x):
        return (self.body(x) + self.shortcut(x)).relu()


def resnet(shape, K, depths, width=64):
    """ResNet with the CIFAR stem: a 3x3 convolution, stride 1, no maximum (the ImageNet stem loses points at 32x32)."""
    layers = [nn.Conv2d(shape[0], width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    a = width
    for stage, depth in enumerate(depths):
        for i in range(depth):
            layers.append(Block(a, a := width << stage, 2 if stage and not i else 1))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(a, K))


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
}


def build(name: str, shape: tuple[int, int, int], K: int) -> nn.Module:
    """The network called `name`, initialised by torch's global generator."""
    return lookup("model", name, MODELS)(shape, K)
