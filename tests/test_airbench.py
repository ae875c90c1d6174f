"""The network that learns CIFAR-10 in seconds: its whitened patches, its norms, its recipe, its benchmark."""

import importlib.util
import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nlcore.data.images import flip_shift
from nlcore.inputs import UserError
from nlcore.models import Shifted, Whitening, build
from nlcore.runs import Budget, Run
from nlcore.training.device import reproducible
from nlcore.training.loop import fit
from nlcore.training.sources import Resident
from nlcore.training.step import rate

CPU = torch.device("cpu")
PLACE = Path(__file__).parent.parent / "benchmarks" / "cifar94.py"
RUN = Run("digits", "airbench94", Budget(3, 32, evaluations=1, optimiser="sgd", lr=0.1, weight_decay=1e-3))


def benchmark():
    spec = importlib.util.spec_from_file_location("cifar94", PLACE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def whitened(shape):
    """Images whose neighbours are alike, and a layer that has seen them."""
    x = torch.rand(80, *shape, generator=torch.Generator().manual_seed(0))
    x = torch.nn.functional.avg_pool2d(x, 3, 1) + 0.2 * x[..., 1:-1, 1:-1]
    x = (x - x.mean()) / x.std()
    layer = Whitening(shape[0])
    layer.whiten(x)
    return x, layer


@pytest.mark.parametrize("shape", [(1, 10, 10), (3, 12, 9)])
def test_whitened_patches_are_uncorrelated_with_variance_one(shape):
    x, layer = whitened(shape)
    half = 4 * shape[0]
    with torch.no_grad():
        out = layer(x).transpose(0, 1).flatten(1).double()  # (8 C, patches)
    torch.testing.assert_close(out[:half].cov(), torch.eye(half).double(), atol=0.02, rtol=0)
    torch.testing.assert_close(out[half:], -out[:half])


def test_whitening_is_the_same_whatever_the_order_of_the_images():
    x, layer = whitened((3, 12, 9))
    other = Whitening(3)
    other.whiten(x.flip(0))
    torch.testing.assert_close(other.weight, layer.weight, atol=1e-5, rtol=1e-5)


def test_the_whitening_sees_the_training_images_and_is_not_trained():
    with reproducible(0, CPU):
        source = Resident.of(RUN, CPU)
        net = build(RUN.model, source.task.shape, 10)
        first, expected = net.body[1], Whitening(1)
        expected.whiten(source.normalised(source.whitening()))
        assert not torch.equal(first.weight, expected.weight)
        [*fit(RUN, source, net)]
    assert torch.equal(first.weight, expected.weight)
    assert first.bias.abs().max() > 0 and "body.1.weight" not in dict(net.named_parameters())
    assert "body.1.weight" in net.state_dict()


def test_a_shift_is_learned_64_times_as_fast_and_decays_like_a_weight():
    x, target = torch.randn(16, 2, 3, 3), torch.randn(16, 2, 3, 3)
    ours, plain = Shifted(2), torch.nn.BatchNorm2d(2)
    opts = [torch.optim.SGD([ours.shift], 0.01, 0.85, weight_decay=0.1, nesterov=True)]
    opts.append(torch.optim.SGD([plain.bias], 0.64, 0.85, weight_decay=0.1 / 64, nesterov=True))
    for _ in range(5):
        for norm, opt in zip((ours, plain), opts, strict=True):
            opt.zero_grad()
            (norm(x) - target).square().mean().backward()
            opt.step()
    torch.testing.assert_close(8 * ours.shift, plain.bias)


def test_an_evaluated_image_and_its_mirror_image_get_the_same_logits():
    x, net = torch.randn(4, 3, 16, 16), build("airbench94", (3, 16, 16), 10).eval()
    with torch.no_grad():
        torch.testing.assert_close(net(x), net(x.flip(-1)))
        once = [layer for layer in net.body if type(layer).__name__ not in ("Mirrored", "Averaged")]
        alone = torch.nn.Sequential(*once)
        torch.testing.assert_close(net(x), (alone(x) + alone(x.flip(-1))) / 2)


def test_convolutions_pass_their_input_on_at_first():
    net, x = build("airbench94", (3, 32, 32), 10), torch.randn(2, 24, 9, 9)
    torch.testing.assert_close(net.body[3](x)[:, :24], x)


def test_the_triangle_rises_for_less_than_a_quarter_and_falls_to_seven_hundredths():
    budget = Budget(100, lr=2.0, schedule="triangle")
    assert [round(rate(budget, t), 6) for t in (0, 23, 100)] == [0.4, 2.0, 0.14]
    rates = [rate(budget, t) for t in range(101)]
    assert rates[:24] == sorted(rates[:24]) and rates[23:] == sorted(rates[23:], reverse=True)


def test_nesterov_needs_momentum():
    with pytest.raises(UserError, match="nesterov"):
        Budget(10, nesterov=True)
    with pytest.raises(UserError, match="nesterov"):
        Budget(10, optimiser="sgd", momentum=0.0, nesterov=True)


def test_a_shifted_image_is_a_window_of_the_reflected_one_mirrored_or_not():
    x = torch.arange(36, dtype=torch.uint8).view(1, 1, 6, 6)
    wide = torch.nn.functional.pad(x.float(), [2] * 4, mode="reflect")
    windows = [wide[0, 0, i : i + 6, j : j + 6] for i in range(5) for j in range(5)]
    for image in flip_shift(x.expand(40, -1, -1, -1))[:, 0]:
        assert any(torch.equal(image, w) or torch.equal(image, w.flip(-1)) for w in windows)


def test_the_recipe_is_that_of_the_paper():
    found = benchmark().budget(9.9, 50_000, 1024, "cuda")
    assert (found.steps, found.batch, found.precision, found.lr) == (475, 1024, "bf16", pytest.approx(1.5))
    assert found.lr * found.weight_decay == pytest.approx(0.0153 / (1 + 1 / 0.15))
    half = benchmark().budget(9.9, 50_000, 512, "cuda")
    assert half == replace(found, steps=960, batch=512, lr=found.lr / 2)


def options(**other) -> Namespace:
    given = {"device": "cpu", "seeds": 2, "epochs": 1.0, "batch": 64, "examples": 128, "model": "airbench94"}
    return Namespace(**(given | {"dataset": "digits", "json": True} | other))


def test_the_benchmark_runs_and_its_page_says_what_it_found():
    found = json.loads(json.dumps(benchmark().measured(options())))
    assert [row["seed"] for row in found["seeds"]] == [0, 1] and found["run"]["budget"]["steps"] == 2
    text = benchmark().page(found)
    assert f"{found['median']['accuracy']:.2%}" in text and "digits" in text and "not measured" not in text


def test_a_data_set_that_is_not_there_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("NLCORE_DATA", str(tmp_path))
    with pytest.raises(UserError, match="nlcore data get cifar10"):
        benchmark().measured(options(dataset="cifar10"))


def test_the_committed_page_is_that_of_the_kept_result():
    assert PLACE.with_suffix(".md").read_text() == benchmark().page(benchmark().kept())
    assert "not measured" in benchmark().page(None)
