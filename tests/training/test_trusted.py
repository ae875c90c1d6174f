"""Trusted images: within the training pairs or beside them, and in batches with as many of each class."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlcore import data
from nlcore.inputs import UserError
from nlcore.methods import Batch, Distillation, ForwardEstimated, MentorNet, Method
from nlcore.models import build
from nlcore.noise import SymmetricInclusive, Uniform
from nlcore.runs import Budget, Run
from nlcore.training import train
from nlcore.training.device import reproducible
from nlcore.training.loop import fit
from nlcore.training.sources import Resident, moments
from nlcore.training.split import check
from nlcore.training.split import split as divide

RUN = Run("digits", "mlp1", Budget(30, evaluations=2), SymmetricInclusive(0.4), examples=400, validation=50, trusted=40)


@dataclass(frozen=True)
class Spy(Method):
    """Learns from the trusted batch alone, and keeps what it was shown."""

    trust = "beside"
    trusted_batch = 25
    seen = []

    def build(self, net, task):
        net.extra = torch.nn.Parameter(torch.zeros(()))
        return net

    def optimiser(self, net):
        return torch.optim.SGD([net.extra], lr=1.0)

    def loss(self, net, batch, clock):
        self.seen.append((batch, clock.rate.item()))
        return torch.nn.functional.cross_entropy(net(batch.trusted_x), batch.trusted_y) - net.extra

    def on_epoch(self, net, clock, view):
        self.seen.append(view)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 60))
def test_as_many_of_each_class_as_can_be(classes, count):
    y = np.array(classes)
    chosen = data.balanced(y, count)
    assert len({*chosen}) == len(chosen) == min(count, len(y))
    left, taken = np.bincount(y, minlength=5), np.bincount(y[chosen], minlength=5)
    short = taken < left  # classes that could give more
    assert taken[short].max(initial=0) - taken[short].min(initial=99) <= 1 or not short.any()
    assert not short.any() or taken.max() <= taken[short].min() + 1


def test_within_the_training_pairs_they_keep_their_given_labels():
    runs = (replace(RUN, method=MentorNet("data"), trusted=40), replace(RUN, trusted=0))
    with_, without = (divide(run, data.load("digits")) for run in runs)
    assert all(torch.equal(a, b) for a, b in zip(with_.train, without.train, strict=True))
    known = with_.trusted
    assert all(torch.equal(a[with_.index], b) for a, b in zip(with_.train, known, strict=True))
    assert known.true.bincount().tolist() == [4] * 10 and 0 < (known.label != known.true).sum() < 40


def test_beside_the_training_pairs_they_are_none_of_them():
    with_, without = (divide(replace(RUN, trusted=t), data.load("digits")) for t in (40, 0))
    assert {*with_.train.row.tolist()} | {*with_.trusted.row.tolist()} == {*without.train.row.tolist()}
    assert len(with_.train.row) == 360 and len(with_.index) == 0
    assert torch.equal(with_.trusted.label, with_.trusted.true)
    assert torch.equal(with_.trusted.true.long(), data.load("digits").train.y[with_.trusted.row])


def test_a_trusted_batch_has_as_many_of_each_class_and_its_own_optimiser():
    Spy.seen.clear()
    loaded = data.load("digits")
    split, x = divide(RUN, loaded), loaded.train.x
    test, run = (loaded.test.x, loaded.test.y), replace(RUN, method=Spy())
    net = build("mlp1", (1, 8, 8), 10)
    with reproducible(0, torch.device("cpu")):
        rows = list(fit(run, Resident(run, x, test, split, 10), net))
    batches = [entry[0] for entry in Spy.seen if isinstance(entry, tuple) and len(entry) == 2]
    assert len(batches) == 30 and all(e[1] == pytest.approx(1e-3) for e in Spy.seen if len(e) == 2)
    mean, std = moments(x)
    known = (x[split.trusted.row].float() - mean) / std
    for batch in batches:
        assert batch.trusted_y.tolist() == [k for k in range(10) for _ in range(2)]  # 25 // 10 of each
        for image, k in zip(batch.trusted_x, batch.trusted_y, strict=True):
            assert any(torch.equal(image, one) for one in known[split.trusted.true == k])
    assert net.extra.item() == pytest.approx(30)  # thirty steps of 1 by an optimiser of its own
    view = next(entry for entry in Spy.seen if not isinstance(entry[0], Batch))
    assert torch.equal(view.true, split.trusted.true.long()) and view.trusted().shape == (40, 10)
    assert rows[-1]["step"] == 30


@pytest.mark.parametrize(
    "sentence, make",
    [
        ("trusted=N", lambda: check(replace(RUN, method=MentorNet("data"), trusted=0))),
        ("each of 10 classes", lambda: check(replace(RUN, method=Spy(), trusted=9))),
        ("not with added", lambda: replace(RUN, noise=Uniform(1.0))),
        ("0 or more", lambda: replace(RUN, trusted=-1)),
        ("did you mean", lambda: check(replace(RUN, method=MentorNet("data", source="digit")))),
    ],
)
def test_what_cannot_be_is_refused(sentence, make):
    with pytest.raises(UserError, match=sentence):
        make()


@pytest.mark.parametrize("method", [ForwardEstimated(), Distillation(teacher="mlp2")])
def test_a_first_stage_that_diverges_is_a_diverged_run(method):
    budget = Budget(60, evaluations=3, optimiser="sgd", lr=1e30)
    record = train.train(replace(RUN, method=method, budget=budget, trusted=0), "cpu")
    assert record.diverged and len(record.history) == 1  # not one step of the second stage
