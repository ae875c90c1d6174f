"""The networks have the sizes that arithmetic says, for every image size of the data sets."""

import pytest
import torch

from nlcore.data.vision import vision
from nlcore.inputs import UserError
from nlcore.models import MODELS, build, check, resnet50, training_bytes

MNIST, CIFAR = (1, 28, 28), (3, 32, 32)


def linear(a, b):
    return a * b + b


def conv(a, b, k=3, bias=True):
    return a * b * k * k + bias * b


def residual(a, b, first_stride):
    """A basic block without biases: two convolutions, two norms, and a projection where the shape changes."""
    project = conv(a, b, 1, bias=False) + 2 * b if a != b or first_stride > 1 else 0
    return conv(a, b, bias=False) + conv(b, b, bias=False) + 4 * b + project


def resnet(depths):
    total, a = conv(3, 64, bias=False) + 128, 64
    for stage, depth in enumerate(depths):
        for i in range(depth):
            b = 64 << stage
            total += residual(a, b, 2 if stage and not i else 1)
            a = b
    return total + linear(512, 10)


def wide(widths):
    """Nine blocks a stage, norms first, shortcuts without weights."""
    total, a = conv(3, 16, bias=False), 16
    for b in widths:
        total += sum(conv(c, b, bias=False) + conv(b, b, bias=False) + 2 * c + 2 * b for c in [a] + 8 * [b])
        a = b
    return total + 2 * a + linear(a, 10)


COUNTS = {
    ("perceptron", MNIST): linear(784, 10),
    ("mlp1", MNIST): linear(784, 256) + linear(256, 10),
    ("mlp2", MNIST): linear(784, 256) + linear(256, 256) + linear(256, 10),
    ("mlp4", MNIST): linear(784, 256) + 3 * linear(256, 256) + linear(256, 10),
    ("conv4", MNIST): conv(1, 64) + conv(64, 64) + conv(64, 128) + conv(128, 128)
    + linear(7 * 7 * 128, 256) + linear(256, 256) + linear(256, 10),
    ("conv6", CIFAR): conv(3, 64) + conv(64, 64) + conv(64, 128) + conv(128, 128) + conv(128, 256) + conv(256, 256)
    + linear(4 * 4 * 256, 256) + linear(256, 256) + linear(256, 10),
    ("resnet18", CIFAR): resnet((2, 2, 2, 2)),
    ("resnet34", CIFAR): resnet((3, 4, 6, 3)),
    ("cifarnet", CIFAR): conv(3, 64, 5) + conv(64, 64, 5) + linear(4096, 384) + linear(384, 192) + linear(192, 10),
    ("airbench94", CIFAR): 24 + conv(24, 64, bias=False) + conv(64, 64, bias=False) + conv(64, 256, bias=False)
    + 3 * conv(256, 256, bias=False) + 2 * (64 + 256 + 256) + linear(256, 10),
    ("wide_resnet", CIFAR): wide((160, 320, 640)),
}  # fmt: skip


@pytest.mark.parametrize("name, shape", COUNTS)
def test_parameter_counts(name, shape):
    assert sum(p.numel() for p in build(name, shape, 10).parameters()) == COUNTS[name, shape]


@pytest.mark.parametrize("shape", [(1, 8, 8), (4, 9, 11), MNIST, CIFAR])
@pytest.mark.parametrize("name", MODELS)
def test_every_network_takes_every_image_size(name, shape):
    net = build(name, shape, 7).eval()
    with torch.no_grad():
        assert net(torch.zeros(2, *shape)).shape == (2, 7)


@pytest.mark.parametrize("name", ["conv4", "conv6", "cifarnet", "airbench94"])
def test_images_that_a_network_cannot_take_are_refused(name):
    with pytest.raises(UserError, match=f"{name} cannot take images of 1 x 1 pixels with 3 channels"):
        check(name, (3, 1, 1), 10, 32)


def test_images_too_large_for_the_memory_are_refused():
    check("conv_small", CIFAR, 10, 128)
    with pytest.raises(UserError, match="GB of memory; make the images smaller"):
        check("resnet18", (3, 100_000, 100_000), 10, 128)


def test_the_memory_of_a_step_is_that_of_its_layers():
    assert training_bytes("perceptron", MNIST, 10, 7) == 7 * 4 * (784 + 10) + 4 * 4 * (784 * 10 + 10)


def test_the_cifar_stem_keeps_the_resolution():
    with torch.no_grad():
        assert build("resnet18", CIFAR, 10).body[:3].eval()(torch.zeros(1, *CIFAR)).shape == (1, 64, 32, 32)


def test_an_unknown_network_gets_the_nearest_names():
    with pytest.raises(UserError, match="conv4"):
        build("conv_4", MNIST, 10)


def test_weights_of_imagenet_are_read_as_tensors_alone(monkeypatch):
    models = vision().models
    asked, there = [], models.resnet50().state_dict()
    monkeypatch.setattr(models._api, "load_state_dict_from_url", lambda url, **how: asked.append(how) or there)
    net = resnet50((3, 32, 32), 1000, "IMAGENET1K_V1")
    assert asked == [{"check_hash": True, "weights_only": True}]
    assert torch.equal(net[0].weight, there["conv1.weight"]) and torch.equal(net[-1].bias, there["fc.bias"])
