"""What methods do beside their loss: pruning, first stages, estimates; and the account of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_train import SHORT, history
from torch.overrides import TorchFunctionMode

from nlcore import data
from nlcore.inputs import UserError
from nlcore.losses import lq
from nlcore.measures.evaluate import correction, detection, transition_error, weighed
from nlcore.methods import (
    CE,
    GCE,
    METHODS,
    Backward,
    Batch,
    Clock,
    Distillation,
    Forward,
    ForwardEstimated,
    HardBootstrap,
    NoiseAdaptation,
    SoftBootstrap,
    Task,
    Truncated,
    View,
)
from nlcore.methods.correction import estimated
from nlcore.models import build
from nlcore.noise import PairFlip, SymmetricExclusive
from nlcore.runs import Budget
from nlcore.training import train
from nlcore.training.device import reproducible
from nlcore.training.loop import fit
from nlcore.training.sources import Resident, moments
from nlcore.training.split import split as divide
from nlcore.training.step import groups

NOISY = replace(SHORT, noise=SymmetricExclusive(0.4), budget=Budget(steps=120, evaluations=4))


def without(rows: list[dict], *names: str) -> list[dict]:
    return [{k: v for k, v in row.items() if not k.startswith(names)} for row in rows]


@given(st.integers(1, 40), st.integers(1, 2000), st.floats(0, 1), st.floats(0.01, 1))
def test_what_is_due_comes_once_for_every_share_and_never_early(per_epoch, steps, start, every):
    clock, due = Clock(torch.zeros(()), steps, per_epoch), []
    for clock.epoch in range(-(-steps // per_epoch)):
        due += [clock.epoch * per_epoch / steps] if clock.due(start, every) else []
    assert len(due) <= 1 + max(0, (1 - start) / every) and all(share >= start - 1e-6 for share in due)
    if per_epoch / steps <= every and start <= (len(range(-(-steps // per_epoch))) - 1) * per_epoch / steps:
        assert due


def test_the_papers_epochs_of_pruning():
    """Epoch 40 of 120, then every 10."""
    clock = Clock(torch.zeros(()), 120 * 351, 351)
    due = [epoch for clock.epoch in range(120) if clock.due(1 / 3, 1 / 12) for epoch in [clock.epoch]]
    assert due == list(range(40, 120, 10))


def pruned(method: Truncated, logits: torch.Tensor, label: torch.Tensor, clock: Clock):
    net = method.build(torch.nn.Identity(), Task(logits.shape[1], len(label), (1, 1, 1)))
    method.on_epoch(net, clock, View(label, lambda best: logits))
    return net


@given(st.integers(0, 2**31 - 1), st.floats(0.05, 0.95), st.floats(0.1, 1))
def test_pruning_is_self_paced_learning(seed, k, q):
    """Claim C9: w = 1 exactly where L_q <= L_q(k), for pairs in the order of the data set."""
    draw = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(64, 10, generator=draw, dtype=torch.double)
    label = torch.randint(10, (64,), generator=draw)
    weight = pruned(Truncated(q, k), logits, label, Clock(torch.zeros(()), 3, 1, 1)).pair_weight
    loss, limit = lq(logits, label, q), (1 - k**q) / q
    clear = (loss - limit).abs() > 1e-6
    assert ((weight == 1) == (loss <= limit))[clear].all()


def test_nothing_is_pruned_before_its_time():
    logits, label = torch.zeros(6, 10), torch.zeros(6, dtype=torch.long)
    assert (pruned(Truncated(), logits, label, Clock(torch.zeros(()), 9, 1, 2)).pair_weight == 1).all()
    assert (pruned(Truncated(), logits, label, Clock(torch.zeros(()), 9, 1, 3)).pair_weight == 0).all()


def test_a_pruned_pair_has_no_gradient_and_the_others_their_own():
    method, logits = Truncated(), torch.randn(4, 10, requires_grad=True)
    net, y = torch.nn.Identity(), torch.arange(4)
    method.build(net, Task(10, 6, (1, 1, 1)))
    net.pair_weight[[2, 5]] = 0
    loss = method.loss(net, Batch(torch.tensor([5, 0, 2, 1]), logits, y), None)
    (slope,) = torch.autograd.grad(loss, logits)
    (whole,) = torch.autograd.grad(GCE().loss(net, Batch(None, logits, y), None), logits)
    torch.testing.assert_close(slope[[1, 3]], whole[[1, 3]])  # of all four pairs, not of those that are left
    assert (slope[[0, 2]] == 0).all()


@pytest.mark.parametrize("pruner", ["best", "current"])
def test_truncation_at_k_0_is_l_q_and_pruning_leaves_the_network_alone(pruner):
    ours = history(replace(NOISY, method=Truncated(k=0.0, pruner=pruner)))
    assert without(ours, "kept") == history(replace(NOISY, method=GCE()))
    assert ours[-1]["kept"] == ours[-1]["kept_recall"] == 1


def test_truncation_finds_wrong_labels():
    last = history(replace(NOISY, model="conv_small", budget=Budget(600, evaluations=6), method=Truncated()))[-1]
    assert last["kept_precision"] > 0.9 and last["kept_recall"] > 0.8 and last["kept"] < 0.7


def test_truncation_from_the_start_trains_nothing():
    """At first p is about 1/K < k for every pair (the reason for the search, section 3.4)."""
    rows = history(replace(NOISY, method=Truncated(k=0.9, start=0.0, every=1.0)))
    assert {row["kept"] for row in rows} == {0} and len({row["test_accuracy"] for row in rows}) == 1


def test_gradients_to_a_detached_copy_are_lost():
    """Pruned in every epoch, without momentum and decay, the network stays as it was."""
    budget = Budget(60, evaluations=3, optimiser="sgd", lr=0.1, momentum=0.0)
    stuck = Truncated(k=0.0, start=0.0, every=1e-3, detached=True)
    rows = [history(replace(NOISY, budget=budget, method=m)) for m in (stuck, replace(stuck, detached=False))]
    still, moving = ({row["test_accuracy"] for row in part} for part in rows)
    assert len(still) == 1 < len(moving)


def test_the_first_stage_is_the_same_training_on_cross_entropy():
    plain = history(replace(NOISY, method=CE()))[-1]["test_accuracy"]
    two = history(replace(NOISY, method=ForwardEstimated()))[-1]
    assert two["first_test_accuracy"] == plain and 0 < two["T_error"] < 1


def test_estimating_with_the_truth_at_hand_is_forward_correction():
    """Predictions that are rows of T: the rule finds T, and leaves the predictions whole."""
    T = torch.from_numpy(PairFlip(0.3).matrix(10))
    p = T.repeat(50, 1)
    before = p.clone()
    torch.testing.assert_close(estimated(p, 1.0), T)
    assert torch.equal(p, before)
    known = tuple(map(tuple, T.tolist()))
    given_T, forward = (history(replace(NOISY, method=m)) for m in (ForwardEstimated(T=known), Forward(T=known)))
    assert without(given_T, "T_") == forward


def test_outliers_are_passed_over_row_by_row():
    """The most certain 3 % of a class do not count, and what is passed over for one class still counts for others."""
    p = torch.full((100, 3), 0.1)
    p[:, 0] = torch.linspace(0.1, 0.9, 100)
    p[97:, 1] = torch.tensor([0.3, 0.2, 0.25])
    T = estimated(p, 0.97)
    assert T[0, 0] < p[97, 0] and torch.equal(T[0], p[96])
    assert torch.equal(p.max(0).values, torch.tensor([0.9, 0.3, 0.1]))


def test_the_best_network_is_the_one_of_the_best_evaluation():
    """On a run that overfits: left in `net`, its predictions of the held-out images are those of the best row."""
    run = replace(NOISY, noise=SymmetricExclusive(0.6), examples=300, budget=Budget(600, evaluations=12, lr=3e-3))
    digits = data.load("digits")
    split, images = divide(run, digits), digits.train.x
    found = {}
    for best in (False, True):
        with reproducible(0, images.device):
            net = build("mlp1", (1, 8, 8), 10)
            rows = list(fit(run, Resident(run, images, (digits.test.x, digits.test.y), split, 10), net, best=best))
        mean, std = moments(images)
        guess = net((images[split.validation.row].float() - mean) / std).argmax(1)
        found[best] = (guess == split.validation.label).double().mean().item()
    values = [row["noisy_validation"] for row in rows]
    assert values[-1] < max(values)
    assert [found[False], found[True]] == pytest.approx([values[-1], max(values)], abs=1e-6)


def test_best_and_current_prune_differently():
    run = replace(NOISY, noise=SymmetricExclusive(0.6), examples=300, budget=Budget(600, evaluations=12, lr=3e-3))
    best, current = (history(replace(run, method=Truncated(pruner=p)))[-1] for p in ("best", "current"))
    assert best["kept"] != current["kept"]


def test_a_first_stage_needs_noisy_validation():
    with pytest.raises(UserError, match="noisy validation"):
        train.train(replace(NOISY, validation=0, method=ForwardEstimated()), "cpu")
    with pytest.raises(UserError, match="noisy validation"):
        train.train(replace(NOISY, validation=0, method=Truncated()), "cpu")


def test_adaptation_starts_from_the_confusion_of_predictions_and_labels_and_moves():
    label = torch.arange(10).repeat(100)
    guess = 50.0 * torch.eye(10)[(label - 1) % 10]  # every class i is called i + 1
    T = torch.tensor(NoiseAdaptation().after(None, View(label, lambda best: guess))["T"])
    assert (T.argmax(1) == (torch.arange(10) + 1) % 10).all() and T.max(1).values.min() > 0.9
    rows = history(replace(NOISY, method=NoiseAdaptation(), budget=Budget(200, evaluations=2)))
    assert rows[0]["T_error"] != rows[1]["T_error"]
    plain = history(replace(NOISY, method=CE()))[-1]["test_accuracy"]
    assert history(replace(NOISY, method=NoiseAdaptation()))[-1]["first_test_accuracy"] == plain


def test_adaptation_goes_on_from_its_first_training_unless_it_restarts():
    budget = Budget(60, evaluations=1)
    on, again = (history(replace(NOISY, method=NoiseAdaptation(restart=r), budget=budget))[-1] for r in (False, True))
    assert on["first_test_accuracy"] == again["first_test_accuracy"] and on["loss"] < again["loss"]


def test_weight_decay_leaves_the_layer_of_noise_alone():
    method, task = NoiseAdaptation(), Task(10, 100, (1, 8, 8))
    net = method.build(build("mlp1", task.shape, task.K), task)
    decayed, free = groups(net, method, None)
    assert [p is net.W for p in free["params"]] == [True] and free["weight_decay"] == 0
    assert len(decayed["params"]) == len([*net.parameters()]) - 1


def test_a_fixed_start_needs_no_first_stage():
    known = tuple(map(tuple, PairFlip(0.3).matrix(10).tolist()))
    last = history(replace(NOISY, validation=0, method=NoiseAdaptation(T=known), budget=Budget(1, evaluations=1)))[-1]
    assert "first_test_accuracy" not in last and last["T_diagonal"] == pytest.approx(0.7, abs=0.01)


def test_a_student_that_ignores_its_teacher_trains_alone():
    alone, taught = (history(replace(NOISY, method=m)) for m in (CE(), Distillation(b=0.0, teacher="conv_small")))
    assert without(taught, "first", "loss") == without(alone, "loss")
    teacher = history(replace(NOISY, model="conv_small", method=CE()))[-1]["test_accuracy"]
    assert taught[-1]["first_test_accuracy"] != teacher  # another start: the student's weights are drawn first


def test_both_stages_are_in_the_account():
    cost = train.train(replace(NOISY, method=ForwardEstimated()), "cpu").cost
    alone = train.train(replace(NOISY, method=CE()), "cpu").cost
    assert cost["forward_passes"] == 2 * alone["forward_passes"]
    assert cost["seconds"] > alone["seconds"]


def at_work(name: str) -> tuple:
    """A method in its last stage, its network, a batch of 60 pairs and of 20 trusted images, and late in training."""
    torch.manual_seed(0)
    method, net, teacher = METHODS[name](), build("mlp1", (1, 8, 8), 10), build("mlp1", (1, 8, 8), 10)
    x, y = torch.randn(60, 1, 8, 8), torch.arange(60) % 10
    trusted_x, trusted_y = torch.randn(20, 1, 8, 8), torch.arange(10).repeat_interleave(2)
    with torch.no_grad():
        logits, of_trusted = teacher(x), teacher(trusted_x)
    view = View(y, lambda best: logits, torch.arange(20), trusted_y, lambda: of_trusted, lambda part: logits)
    if method.first:
        method = method.second(method.after(teacher, view), teacher)
    net, clock = method.build(net, Task(10, 60, (1, 8, 8))), Clock(torch.tensor(0), 10, rate=torch.tensor(0.1))
    method.on_epoch(net, clock, view)
    clock.step.fill_(9)
    return method, net, Batch(torch.arange(60), x, y, trusted_x, trusted_y, x), clock


class SeenByGradients(TorchFunctionMode):
    """Refuses to use what learns where gradients are not recorded."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        learning = [arg for arg in args if isinstance(arg, torch.nn.Parameter) and arg.requires_grad]
        assert torch.is_grad_enabled() or not learning, f"{func.__name__} of parameters without gradients"
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", METHODS)
def test_in_half_precision_all_that_should_learn_gets_a_gradient(name):
    """Until torch 2.10 autocast remembers the first cast of a parameter. Made without gradients, it has none later."""
    method, net, batch, clock = at_work(name)
    with torch.autocast("cpu", torch.bfloat16), SeenByGradients():
        loss = method.loss(net, batch, clock)
    loss.backward()
    learning = {name: p for name, p in net.named_parameters() if p.requires_grad}
    assert learning and not [name for name, p in learning.items() if p.grad is None or not p.grad.isfinite().all()]


def test_detection():
    found = detection(torch.tensor([1.0, 1.0, 0.0, 0.0]), torch.tensor([True, False, True, True]))
    assert (found["kept"], found["kept_precision"], found["kept_recall"]) == pytest.approx((0.5, 0.5, 1 / 3))
    perfect = detection(torch.tensor([0.9, 0.8, 0.6, 0.1]), torch.tensor([True, True, True, False]))
    assert perfect["kept_auc"] == perfect["kept_precision"] == perfect["kept_recall"] == 1
    assert np.isnan(detection(torch.ones(3), torch.ones(3))["kept_auc"])
    lost = detection(torch.tensor([float("nan")] * 2), torch.tensor([True, False]))
    assert np.isnan([*lost.values()]).all()  # of a run that diverged


def test_the_error_of_a_transition_matrix():
    T = torch.from_numpy(PairFlip(0.3).matrix(10))
    assert transition_error(T, T) == pytest.approx({"T_error": 0, "T_diagonal": 0.7, "T_chi2": 0})
    assert transition_error(torch.eye(10), T)["T_error"] == pytest.approx(0.3)  # total variation
    assert transition_error(torch.full((10, 10), 0.1), T)["T_chi2"] == pytest.approx((0.6**2 + 0.2**2 + 8 * 0.01) / 0.1)


def test_the_correction_of_labels():
    true, given = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 1, 0])
    found = correction(torch.tensor([0, 0, 1, 0]), given, true, 2)
    assert found == {"corrected": 0.75, "corrected_wrong": 0.5, "miscorrected": 0.0, "corrected_diagonal": 0.75}
    assert correction(given, given, true, 2)["corrected_wrong"] == 0  # nothing changed


def test_weights_by_loss():
    loss, right = torch.tensor([0.1, 0.2, 9.0, 0.1]), torch.tensor([True, True, False, False])
    rows = weighed(torch.tensor([1.0, 0.5, 0.25, 0.0]), loss, right)
    assert rows[0] == [2, 1, 0.75, 0.0] and rows[-1] == [0, 1, 0.0, 0.25] and sum(sum(r) for r in rows[1:-1]) == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: Truncated(k=1.0),
        lambda: Truncated(start=1.5),
        lambda: Truncated(pruner="first"),
        lambda: ForwardEstimated(quantile=0.0),
        lambda: NoiseAdaptation(T=((0.5, 0.6), (0.5, 0.5))),
        lambda: SoftBootstrap(b=1.5),
        lambda: HardBootstrap(b=-0.5),
        lambda: Distillation(temperature=0.0),
        lambda: Distillation(teacher="convsmall"),
        lambda: Backward(T=((0.1,) * 10,) * 10).matrix(10),
    ],
)
def test_bad_parameters_are_refused(make):
    with pytest.raises(UserError):
        make()
