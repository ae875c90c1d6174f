"""Calibration, geometry and information against cases with a known answer."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_train import SHORT

from nlcore.measures import analysis, evaluate
from nlcore.methods import LabelSmoothing
from nlcore.models import build
from nlcore.training import train

seeds = st.integers(0, 2**31 - 1)


def case(seed: int, scale: float = 3.0, n: int = 600):
    draw = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(n, 10, generator=draw, dtype=torch.double)
    return logits, torch.multinomial(logits.softmax(1), 1, generator=draw)[:, 0]  # calibrated by construction


@given(seeds, st.floats(-7, 7))
def test_the_temperature_of_scaled_logits_is_the_scale(seed, power):
    logits, y = case(seed)
    one, other = analysis.temperature(logits, y), analysis.temperature(10**power * logits, y)
    assert other == pytest.approx(10**power * one, rel=0.01) and 0.7 < one < 1.4


def test_the_temperature_of_a_network_that_is_always_right_or_wrong_has_no_end():
    logits, _ = case(0)
    certain, uniform = (analysis.temperature(logits, y) for y in (logits.argmax(1), logits.argmin(1)))
    assert evaluate.nll(logits / certain, logits.argmax(1)) < 1e-6
    assert (logits / uniform).abs().max() < 1e-6


@given(seeds)
def test_the_plane_keeps_distances_between_templates(seed):
    draw = torch.Generator().manual_seed(seed)
    templates = torch.randn(3, 17, generator=draw, dtype=torch.double)
    z, w = analysis.plane(templates, templates)
    torch.testing.assert_close(torch.pdist(w), torch.pdist(templates))
    torch.testing.assert_close(z, w)


def test_shape_of_collapsed_and_of_leaning_classes():
    w = torch.tensor([[0.0, 0.0], [2.0, 0.0], [1.0, 3**0.5]], dtype=torch.double)
    y = torch.arange(3).repeat(6)
    assert analysis.shape(w[y], y) == pytest.approx((0, 0))
    side = torch.cat([torch.full((9, 1), -0.5), torch.full((9, 1), 0.5)]).double()
    leaning = w[y] + side * (w[(y + 1) % 3] - w[(y + 2) % 3])  # half of a class nearer to one of the others
    tight, unequal = analysis.shape(leaning, y)
    assert tight > 0.1 and unequal > 0.2
    assert analysis.shape(7 * leaning + 3, y) == pytest.approx((tight, unequal))


def trained(logits, n: int = 40):
    """A `Trained` whose logits are given; half of the images are of class 0, half of class 1."""
    images = torch.arange(n, dtype=torch.uint8)[:, None, None, None].expand(n, 1, 16, 16)
    y = (torch.arange(n) >= n // 2).long()
    pairs = (torch.arange(n), y, y)
    shown = images.__getitem__
    return analysis.Trained(torch.nn.Identity(), logits, shown, shown, lambda: logits(images), y, pairs, pairs, 2)


def test_information_is_log_2_of_two_clusters_and_log_n_of_all_apart():
    def clusters(x):
        side = (x.flatten(1).amax(1) >= 20).double()
        noise = 1e-3 * torch.randn(len(x), dtype=torch.double)
        return torch.stack([side + noise, -side], 1)

    def shifted(x):  # what both logits share says nothing of their difference
        return clusters(x) + x.flatten(1).amax(1).double()[:, None]

    torch.manual_seed(0)
    assert analysis.information(trained(shifted))["information"] == pytest.approx(math.log(2), abs=0.1)
    assert analysis.information(trained(clusters))["information"] == pytest.approx(math.log(2), abs=0.1)

    def apart(x):
        return torch.stack([x.flatten(1).amax(1).double() + 1e-3 * torch.randn(len(x)), torch.zeros(len(x))], 1)

    found = analysis.information(trained(apart), draws=8)["information"]
    assert found == pytest.approx(math.log(40), abs=0.6)


def test_norms_of_known_weights():
    """A linear layer that copies its two inputs three and five times, on images of 0 to 39 in both."""
    net = torch.nn.Module()
    net.body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2, 2))
    with torch.no_grad():
        net.body[1].weight.copy_(torch.tensor([[3.0, 0.0], [0.0, 5.0]]))
        net.body[1].bias.copy_(torch.tensor([1.0, 1.0]))
    t = trained(lambda x: net.body(x[:, :, :1, :2].float()))._replace(net=net)
    found = analysis.norms(t)
    assert found["norm_rows"] == pytest.approx(4) and found["norm_weights"] == pytest.approx(6)
    assert found["norm_features"] == pytest.approx(19.5 * 2**0.5) and found["logit_gap"] == pytest.approx(2 * 19.5)


def test_no_analysis_asks_for_all_images_at_once():
    """A source that streams them could not give them; and pieces give what the whole gives."""
    net, n, asked = build("mlp1", (1, 8, 8), 3).eval(), 6000, []
    images, y = torch.randint(256, (n, 1, 8, 8)).byte(), torch.arange(n) % 3

    def shown(rows):
        asked.append(len(rows))
        return images[rows]

    @torch.no_grad()
    def logits(x):
        return net(x.float())

    pairs = (torch.arange(n), y, y)
    t = analysis.Trained(net, logits, shown, shown, lambda: logits(images), y, pairs, pairs, 3)
    torch.testing.assert_close(analysis.logits_of_pairs(t, pairs[0]), logits(images))
    assert asked == [4096, n - 4096]
    asked.clear()
    assert len(analysis.projection(t)["points"]) == 150 and asked == [300, 300]
    asked.clear()
    assert analysis.information(t)["information"] > 0 and asked == [600]
    asked.clear()
    assert analysis.norms(t)["logit_gap"] > 0 and asked == [300]


def test_a_run_records_what_its_network_is_examined_for():
    run = replace(SHORT, analyses=(*analysis.ANALYSES,), method=LabelSmoothing())
    first, last = train.train(run, "cpu").history[0], train.train(run, "cpu").history[-1]
    assert "temperature" not in first and last["temperature"] > 0 and 0 <= last["ece_scaled"] <= 1
    assert sum(n for n, _, _ in last["reliability"]) == 360 and {c for c, _, _ in last["points"]} == {0, 1, 2}
    assert last["information"] > 0 and last["logit_gap"] > 0
    plain = train.train(replace(run, analyses=()), "cpu").history[-1]
    assert plain["test_loss"] == last["test_loss"] and run.key != replace(run, analyses=()).key


def test_an_unknown_analysis_is_refused():
    from nlcore.inputs import UserError

    with pytest.raises(UserError, match="calibration"):
        replace(SHORT, analyses=("calibrated",))
