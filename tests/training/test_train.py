"""The loop: one seed, one result; what it measures is what happened; the captured step is the eager step."""

import contextlib
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlcore import data
from nlcore.data.images import flip_crop
from nlcore.inputs import UserError
from nlcore.methods import CE, GLC, FasTEN, HAlpha, MLaC
from nlcore.noise import Clean, Matrix, SymmetricInclusive, Uniform
from nlcore.runs import Budget, Run
from nlcore.training import step, train
from nlcore.training.device import devices, pick_device
from nlcore.training.sources import moments
from nlcore.training.split import split as divide

SHORT = Run("digits", "mlp1", Budget(steps=60, evaluations=3), Uniform(2.0), validation=100)


def history(run: Run, **options) -> list[dict]:
    """What was measured, without the clock."""
    return [{k: v for k, v in row.items() if k != "seconds"} for row in train.train(run, "cpu", **options).history]


def fitting(run: Run, method) -> Run:
    """The run with this method, and with trusted images where it needs them."""
    trusted = {"trusted": 100, "noise": SymmetricInclusive(0.4)} if method.trust else {}
    return replace(run, method=method, **trusted)


def test_two_runs_of_one_seed_are_identical_and_of_two_seeds_are_not():
    """Every method repeats its golden run within a tolerance; to the last digit it is shown for these."""
    for method in (CE(), FasTEN(), MLaC()):
        run = fitting(SHORT, method)
        first = history(run)
        assert first == history(run)
        assert first != history(replace(run, seed=1))


def test_threads_and_global_seeds_of_the_caller_change_nothing():
    first, threads = history(SHORT), torch.get_num_threads()
    torch.manual_seed(99)
    before = torch.get_rng_state()
    assert history(SHORT) == first
    assert torch.equal(torch.get_rng_state(), before) and torch.get_num_threads() == threads


def test_labels_replaced_by_the_identity_are_clean_labels():
    identity = Matrix(tuple(tuple(float(i == j) for j in range(10)) for i in range(10)))
    assert history(replace(SHORT, noise=identity)) == history(replace(SHORT, noise=Clean()))


def test_uniform_noise_with_no_copies_is_clean():
    assert history(replace(SHORT, noise=Uniform(0.0))) == history(replace(SHORT, noise=Clean()))


def test_h_0_trains_as_cross_entropy():
    ours, theirs = (history(replace(SHORT, method=m))[-1] for m in (HAlpha(0.0), CE()))
    assert ours == pytest.approx(theirs, abs=1e-3, nan_ok=True)


def test_it_learns():
    run = replace(SHORT, budget=Budget(steps=400, evaluations=1), noise=Clean())
    assert history(run)[-1]["test_accuracy"] > 0.95
    run = replace(run, budget=Budget(steps=400, evaluations=1, optimiser="sgd", lr=0.1, schedule="cosine"))
    assert history(run)[-1]["test_accuracy"] > 0.95


def test_memorisation_is_seen():
    run = Run("digits", "mlp2", Budget(steps=1500, evaluations=1), SymmetricInclusive(0.5), examples=200)
    last = history(run)[-1]
    assert last["train_wrong"] > 0.9 and last["train_right"] > 0.9 and last["test_accuracy"] < 0.8


def test_evaluations_are_spread_over_the_budget():
    assert [row["step"] for row in history(SHORT)] == [20, 40, 60]
    few = replace(SHORT, budget=replace(SHORT.budget, steps=2))
    assert [row["step"] for row in history(few)] == [1, 2]


def test_every_selection_rule_has_its_column():
    from nlcore.measures.evaluate import RULES

    assert {c for c in RULES.values() if c} <= set(history(SHORT)[-1])


def test_a_diverged_run_is_a_record():
    run = replace(SHORT, budget=Budget(steps=100, optimiser="sgd", lr=1e6, evaluations=5))
    record = train.train(run, "cpu")
    assert record.diverged and record.history[-1]["loss"] is None
    assert record.history[-1]["step"] < 100  # it stops there


def test_the_cost_is_accounted():
    cost = train.train(SHORT, "cpu").cost
    assert (cost["steps"], cost["forward_passes"], cost["backward_passes"]) == (60, 60, 60)
    assert cost["seconds"] > 0 and cost["examples_per_second"] > 0 and "CPU" in cost["device"]


@pytest.mark.parametrize("percent", range(1, 100))
def test_the_rate_falls_at_the_very_step(percent):
    """0.55 times 100 is a little more than 55."""
    budget = Budget(100, schedule="steps", milestones=(percent / 100,))
    assert step.rate(budget, percent - 1) == budget.lr > step.rate(budget, percent)


def test_schedules():
    cosine, steps = Budget(100, schedule="cosine"), Budget(100, schedule="steps", milestones=(0.5, 0.9))
    assert step.rate(cosine, 0) == cosine.lr and step.rate(cosine, 50) == pytest.approx(cosine.lr / 2)
    assert [step.rate(steps, t) / steps.lr for t in (0, 50, 90)] == pytest.approx([1, 0.1, 0.01])


@pytest.mark.parametrize("options", [{"precision": "bf16"}, {"channels_last": True}])
def test_switches_of_speed_stay_near(options):
    run = Run("digits", "conv_small", Budget(steps=150, batch=64, lr=3e-3, evaluations=1))
    fast = replace(run, budget=replace(run.budget, **options))
    assert history(fast)[-1]["test_accuracy"] == pytest.approx(accuracy_of(run), abs=0.03)


@cache
def accuracy_of(run: Run) -> float:
    return history(run)[-1]["test_accuracy"]


def test_normalised_images_have_mean_0_and_deviation_1():
    x = data.load("digits").train.x
    mean, std = moments(x)
    z = (x.double() - mean) / std
    assert z.mean().abs() < 1e-5 and (z.std() - 1).abs() < 1e-3


def test_a_split_depends_on_the_seed_alone_and_keeps_parts_apart():
    digits = data.load("digits")
    y = digits.train.y.numpy()
    a, b = (divide(replace(SHORT, noise=n), digits) for n in (Uniform(2.0), Clean()))
    assert torch.equal(a.validation.row.unique(), b.validation.row.unique())
    assert not np.intersect1d(a.train.row, a.validation.row).size
    assert np.isin(a.probe.row, a.train.row).all()
    assert (a.train.true.numpy() == y[a.train.row.numpy()]).all()
    small = divide(replace(SHORT, examples=50), digits)
    assert len(small.train.row.unique()) == 50 and len(small.train.row) == 150


@given(st.integers(0, 2**31 - 1))
def test_flip_crop_moves_images_about_and_does_nothing_else(seed):
    torch.manual_seed(seed)
    x = torch.arange(1, 1 + 3 * 2 * 6 * 6).to(torch.uint8).reshape(3, 2, 6, 6)
    padded = torch.nn.functional.pad(x, [4] * 4)
    views = [torch.stack([padded.flip(3), padded])[:, :, :, d : d + 6, r : r + 6] for d in range(9) for r in range(9)]
    out = flip_crop(x)
    assert out.shape == x.shape and out.dtype == x.dtype
    for i in range(3):
        assert any(torch.equal(out[i], view[m, i]) for view in views for m in (0, 1))


def test_augmentation_changes_training_and_no_padding_is_the_image_or_its_mirror():
    x = data.load("digits").train.x[:50]
    out = flip_crop(x, pad=0)
    mirrored = (out == x.flip(3)).flatten(1).all(1)
    assert ((out == x).flatten(1).all(1) | mirrored).all() and 5 < mirrored.sum() < 45
    plain, augmented = (replace(SHORT, budget=replace(SHORT.budget, augment=a)) for a in ("none", "flip_crop"))
    assert plain.key == SHORT.key and history(augmented) == history(augmented) != history(plain)


def test_trained_returns_the_network_of_the_run():
    net, last = train.trained(SHORT), history(SHORT)[-1]
    digits = data.load("digits")
    mean, std = moments(digits.train.x)
    guess = net((digits.test.x.float() - mean) / std).argmax(1)
    assert (guess == digits.test.y).double().mean().item() == pytest.approx(last["test_accuracy"], abs=1e-6)


def test_too_few_images_are_refused():
    with pytest.raises(UserError, match="too few"):
        train.train(replace(SHORT, examples=1400), "cpu")


def test_cuda_is_refused_where_there_is_none():
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="no GPU"):
            pick_device("cuda")
    with pytest.raises(UserError, match="cuda"):
        pick_device("cudda")


def test_a_name_stands_for_one_gpu_or_for_all(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    found = {name: [str(place) for place in devices(name)] for name in ("auto", "cuda", "cuda:1", "cpu")}
    every = ["cuda:0", "cuda:1", "cuda:2"]
    assert found == {"auto": every, "cuda": every, "cuda:1": ["cuda:1"], "cpu": ["cpu"]}
    assert pick_device() == pick_device("cuda") == torch.device("cuda:0") and pick_device("cuda:2").index == 2
    for name in ("cuda:3", "cuda:", "cuda:x", "cpu:1"):
        with pytest.raises(UserError, match="device"):
            devices(name)


@pytest.mark.parametrize("setting", [torch.no_grad, torch.inference_mode, None])
def test_a_run_learns_whatever_the_process_has_chosen(setting):
    run = replace(SHORT, budget=Budget(3, evaluations=1))
    plain = train.train(run, "cpu").history[-1]["loss"]
    torch.set_default_dtype(torch.float32 if setting else torch.float64)
    try:
        with setting() if setting else contextlib.nullcontext():
            assert train.train(run, "cpu").history[-1]["loss"] == plain
        assert torch.get_default_dtype() == (torch.float32 if setting else torch.float64)
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_single_training_pair_is_enough():
    run = Run("digits", "perceptron", Budget(3, 8, evaluations=1), validation=1436)
    assert train.train(run, "cpu").card["pairs"] == 1


def test_trusted_images_are_in_every_step():
    with pytest.raises(UserError, match="trusted_batch of GLC must be 1 or more, not 0"):
        GLC(trusted_batch=0)
