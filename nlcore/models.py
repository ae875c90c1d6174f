"""The networks of the papers, from images (C, H, W) to logits (B, K). Sizes that we did not find are ours."""

import math
import warnings
from functools import lru_cache, partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, unfold

from .inputs import UserError, lookup, require
from .machine import memory


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
    first = [nn.Conv2d(C, 16, 5, stride=2, padding=2), nn.ReLU(inplace=True)]  # its maps are large
    # flat before the ReLU, whose gradient is faster in the order of the head than in that of the convolution
    second = [nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.Flatten(), nn.ReLU()]
    h, w = math.ceil(H / 4), math.ceil(W / 4)
    return nn.Sequential(*first, *second, *head(32 * h * w, K))


def conv(shape, K, blocks):
    """For each number of channels in `blocks` two 3x3 convolutions and a 2x2 maximum, then the head."""
    C, H, W = shape
    layers = []
    for channels in blocks:
        layers += [nn.Conv2d(C, channels, 3, padding=1), nn.ReLU(inplace=True)]
        layers += [nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
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
    channels with local response normalisation, layers of 384 and 192 units, dropout that keeps 0.8. Initial weights
    are torch's; theirs are normal, cut off, with deviations of 0.05 and 0.04, and biases of 0.1."""
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
        short = nn.functional.avg_pool2d(x, self.stride, ceil_mode=True) if self.stride > 1 else x
        filled = nn.functional.pad(short, (0, 0, 0, 0, 0, self.added))
        return self.body(x) + filled


def wide_resnet(shape, K, depth=9, widths=(160, 320, 640)):
    """The "resnet101" of Jiang et al. 2018 in their code: nine blocks a stage, 84.6 M weights on CIFAR-10.

    In their first block the shortcut starts behind the leaky unit and the normalisation; here it takes the block's
    input, as in all others. They normalise with an epsilon of 1e-3 (here 1e-5) and draw He's initial weights.
    """
    layers, a = [nn.Conv2d(shape[0], 16, 3, 1, 1, bias=False)], 16
    for stage, b in enumerate(widths):
        layers += stacked(Leaky, a, b, depth, halved=stage > 0)
        a = b
    layers += [nn.BatchNorm2d(a), nn.LeakyReLU(0.1), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(a, K))


def resnet50(shape, K, weights=None):
    """ResNet-50 of torchvision, with the ImageNet stem; `weights`: trained on ImageNet, for 1000 classes."""
    from .data.vision import vision  # only where it is used

    models = vision().models
    net = models.resnet50(num_classes=K)
    if weights:  # torchvision by itself would read them as a pickle, which can run code
        net.load_state_dict(models.ResNet50_Weights[weights].get_state_dict(check_hash=True, weights_only=True))
    if shape[0] != 3:
        net.conv1 = nn.Conv2d(shape[0], 64, 7, 2, 3, bias=False)
    *layers, last = net.children()
    return nn.Sequential(*layers, nn.Flatten(), last)


class Whitening(nn.Module):
    """A 2x2 convolution to 8 C channels whose weights are not learned: they make the patches of the training images
    uncorrelated, with variance 1, and give each of these numbers with either sign. Its bias is learned."""

    def __init__(self, C: int):
        super().__init__()
        self.register_buffer("weight", signed(torch.eye(4 * C)))  # until `whiten` has seen images
        self.bias = nn.Parameter(torch.zeros(8 * C))

    def forward(self, x):
        return conv2d(x, self.weight, self.bias)

    @torch.no_grad()
    def whiten(self, images: Tensor) -> None:
        """Take the weights from normalised images (n, C, H, W): the eigenvectors of the covariance of their patches,
        divided by the deviations along them."""
        variance, vectors = torch.linalg.eigh(covariance_of_patches(images))
        # either sign of an eigenvector is right: we take the one that no processor doubts
        place = 2.0 ** torch.arange(len(variance), dtype=torch.double)
        vectors = vectors * (place @ vectors).sign()
        self.weight.copy_(signed((vectors / (variance + 5e-4).sqrt()).T))


def signed(rows: Tensor) -> Tensor:
    """Vectors (4 C, 4 C) of patches as weights (8 C, C, 2, 2) of a convolution: each, and then each negated."""
    return torch.cat([rows, -rows]).view(2 * len(rows), -1, 2, 2).float()


def covariance_of_patches(images: Tensor) -> Tensor:
    """Of the 2x2 patches of images (n, C, H, W), (4 C, 4 C), in double precision and on the CPU."""
    count, total, products = 0, 0, 0
    for part in images.split(64):
        patches = unfold(part.float(), 2).transpose(1, 2).flatten(0, 1).double()  # (patches, 4 C)
        count, total, products = count + len(patches), total + patches.sum(0), products + patches.T @ patches
    mean = total / count
    return (products / count - mean.outer(mean)).cpu()


class Shifted(nn.BatchNorm2d):
    """Batch norm with a learned shift but no scale. The shift is learned at 64 times the rate: it is 8 times its
    parameter, and so is the gradient of that."""

    def __init__(self, channels: int):
        super().__init__(channels, momentum=0.4, affine=False)
        self.shift = nn.Parameter(torch.zeros(channels))
        self.register_buffer("scale", torch.ones(channels), persistent=False)  # cuDNN wants one

    def forward(self, x):
        averages = (self.running_mean, self.running_var)
        return batch_norm(x, *averages, self.scale, 8 * self.shift, self.training, self.momentum, self.eps)


def passing(a: int, b: int) -> nn.Conv2d:
    """A 3x3 convolution from a to b >= a channels without bias, which at first passes its input on in a of them."""
    layer = nn.Conv2d(a, b, 3, padding=1, bias=False)
    nn.init.dirac_(layer.weight[:a].detach())
    return layer


class Mirrored(nn.Module):
    """Where the network is evaluated, it sees the mirror images too."""

    def forward(self, x):
        return x if self.training else torch.cat([x, x.flip(-1)])


class Averaged(nn.Module):
    """The means of features of images and of their mirror images; a linear layer then gives the means of logits."""

    def forward(self, x):
        return x if self.training else x.unflatten(0, (2, -1)).mean(0)


class Scaled(nn.Module):
    """A ninth of the features of the last layer, hence of the logits."""

    def forward(self, x):
        return x / 9


def airbench(shape, K, blocks=(64, 256, 256)):
    """The network of Jordan 2024 (arXiv 2404.00498, airbench94), from its definition: whitened patches, two 3x3
    convolutions a block with a 2x2 maximum between, batch norm and GELU. The bias of the last layer is ours."""
    C, H, W = shape
    layers, a, h, w = [Mirrored(), Whitening(C), nn.GELU()], 8 * C, H - 1, W - 1
    for b in blocks:
        halved = min(h, w) > 1  # always, but for the smallest images
        layers += [passing(a, b), nn.MaxPool2d(2) if halved else nn.Identity(), Shifted(b), nn.GELU()]
        layers += [passing(b, b), Shifted(b), nn.GELU()]
        a, h, w = b, h // 2 if halved else h, w // 2 if halved else w
    return nn.Sequential(*layers, nn.MaxPool2d((h, w)), nn.Flatten(), Averaged(), Scaled(), nn.Linear(a, K))


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
    "airbench94": airbench,
}


# networks that share their code
FAMILIES = {name: "mlp" for name in MODELS if name.startswith(("mlp", "perceptron"))}
FAMILIES |= {name: name for name in ("conv_small", "cifarnet", "wide_resnet", "resnet50")}
FAMILIES |= {"wide_resnet_tiny": "wide_resnet", "airbench94": "airbench"}
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


@lru_cache(maxsize=64)
def check(name: str, shape: tuple[int, int, int], K: int, batch: int) -> None:
    """Refuse, without computing anything, images (C, H, W) that a network cannot take, or batches that are too large
    for the memory of this machine (where there is a GPU, it says so itself)."""
    told = f"{name} cannot take images of {shape[1]} x {shape[2]} pixels with {shape[0]} channels"
    try:
        needed = training_bytes(name, shape, K, batch)
    except RuntimeError as error:
        raise UserError(f"{told} ({str(error).splitlines()[0]})") from None
    fits = torch.cuda.is_available() or needed < memory()
    require(fits, f"{told} in batches of {batch}: that needs {needed / 1e9:.0f} GB of memory; make the images smaller")


def training_bytes(name: str, shape: tuple[int, int, int], K: int, batch: int) -> int:
    """About how much memory a step takes: what every layer gives, for the backward pass, and the weights with their
    gradients and the two averages of Adam. Nothing is computed but sizes."""
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of layers without weights, which the forward pass refuses
        net, x = build(name, shape, K), torch.empty(2, *shape)
    given = []  # bytes, for two images
    for layer in net.modules():
        if not [*layer.children()] and not getattr(layer, "inplace", False):
            layer.register_forward_hook(lambda _, __, out: given.append(out.nbytes))
    net(x)
    return sum(given) // 2 * batch + 4 * sum(p.nbytes for p in net.parameters())
