"""Methods in a training loop of one's own: the same losses as in ours, and networks that we did not write."""

import copy
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_train import SHORT
from torch import nn
from torch.nn import functional as F

from nlcore import data
from nlcore.data.vision import vision
from nlcore.inputs import UserError
from nlcore.methods import (
    CE,
    GCE,
    GLC,
    L2RW,
    METHODS,
    CoTeaching,
    Curriculum,
    DivideMix,
    FasTEN,
    Forgetting,
    ForwardEstimated,
    MentorNet,
    MLaC,
    MWNet,
    NoiseAdaptation,
    SmallLoss,
    Truncated,
    attach,
    of_each_class,
)
from nlcore.methods.wrapped import check_end
from nlcore.models import build
from nlcore.noise import SymmetricExclusive
from nlcore.runs import Budget
from nlcore.training.device import reproducible
from nlcore.training.loop import fit
from nlcore.training.sources import Resident
from nlcore.training.step import optimiser

CPU = torch.device("cpu")
NOISY = replace(SHORT, noise=SymmetricExclusive(0.4), budget=Budget(steps=60, evaluations=4, schedule="cosine"))


def recorded(run, monkeypatch):
    """Our loop on a run: each call of the method with the random numbers before it, its batch and loss; the history."""
    kind, calls = type(run.method), []

    def loss(self, net, batch, clock, honest=kind.loss):
        before, batch = torch.get_rng_state(), type(batch)(*(None if t is None else t.clone() for t in batch))
        found = honest(self, net, batch, clock)
        calls.append(("loss", before, batch, found.item()))
        return found

    def on_epoch(self, net, clock, view, honest=kind.on_epoch):
        calls.append(("epoch", torch.get_rng_state()))
        honest(self, net, clock, view)

    with reproducible(run.seed, CPU), monkeypatch.context() as patch:
        patch.setattr(kind, "loss", loss)
        patch.setattr(kind, "on_epoch", on_epoch)
        source = Resident.of(run, CPU)
        history = list(fit(run, source, build(run.model, source.task.shape, source.task.K)))
    return calls, history


def attached_to(run, source):
    """The method of a run around its network, as a user attaches it."""
    net = build(run.model, source.task.shape, source.task.K).to(memory_format=source.layout)
    pairs, M = source.split.train, source.task.M
    shown = [(i, source.normalised(source.images[pairs.row[i]])) for i in torch.arange(M).split(512)]
    given = {"labels": pairs.label, "pairs": shown}
    if run.method.trust == "within":
        given |= {"trusted_index": source.split.index, "trusted_y": source.split.trusted.true}
    return attach(run.method, net, source.task.K, M, **given)


NOISY = replace(SHORT, noise=SymmetricExclusive(0.4), budget=Budget(steps=60, evaluations=4, schedule="cosine"))
WITH = {"trusted": 200, "examples": 1000}
SAME = [
    replace(NOISY, method=CE()),
    replace(NOISY, method=Truncated(start=0.5, every=0.25)),
    replace(NOISY, method=MentorNet(kind="data", burn_in=0.1, updates=(0.3,)), **WITH),
    replace(NOISY, method=FasTEN(), **WITH),
    replace(NOISY, method=L2RW(), model="conv_small", **WITH),
    replace(NOISY, method=MWNet(), **WITH),
    replace(NOISY, method=MLaC(), **WITH),
    replace(NOISY, method=Forgetting()),
]


@pytest.mark.parametrize("run", SAME, ids=lambda run: type(run.method).__name__)
def test_the_losses_are_those_of_our_loop(run, monkeypatch):
    calls, history = recorded(run, monkeypatch)
    evaluated = {row["step"]: row for row in history}
    with reproducible(run.seed, CPU):
        source = Resident.of(run, CPU)
        learner = attached_to(run, source)
        opt = optimiser(run.budget, learner.parameters(), CPU)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(opt, run.budget.steps)
        learner.follow(opt, run.budget.steps, source.per_epoch)
        for kind, before, *rest in calls:
            torch.set_rng_state(before)
            if kind == "epoch":
                learner.epoch()
                continue
            batch, theirs = rest
            loss = learner.loss(*batch)
            assert loss.item() == pytest.approx(theirs, rel=1e-6), f"step {learner.steps}"
            opt.zero_grad()
            loss.backward()
            opt.step()
            schedule.step()
            if learner.steps in evaluated:
                learner.keep(evaluated[learner.steps]["noisy_validation"])
    assert learner.steps == run.budget.steps
    if not isinstance(run.method, CE):
        assert learner.weights() is None or 0 < learner.weights().mean() < 1  # something was weighed


class Timm(nn.Module):
    """A network as timm has them: a head that is not its last module, and a method that names it."""

    def __init__(self, K=10):
        super().__init__()
        self.head = nn.Linear(32, K)
        self.stem = nn.Sequential(nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(inplace=True), nn.Flatten())
        self.mix = nn.Linear(16 * 36, 32)
        self.drop = nn.Dropout(0.1)

    def forward_features(self, x):
        return self.mix(self.stem(x)).relu()

    def forward_head(self, x, pre_logits=False):
        return self.drop(x) if pre_logits else self.head(self.drop(x))

    def get_classifier(self):
        return self.head

    def forward(self, x):
        return self.forward_head(self.forward_features(x))


class HuggingFace(nn.Module):
    """A network as Hugging Face has them: attention, a layer that the logits do not use, an object that is returned."""

    def __init__(self, K=10):
        super().__init__()
        self.embed, self.query, self.mix = nn.Linear(8, 32), nn.Linear(32, 96), nn.Linear(32, 32)
        self.place = nn.Parameter(torch.zeros(8, 32))
        self.pooler = nn.Linear(32, 32)
        self.classifier = nn.Linear(32, K)

    def forward(self, pixel_values):
        rows = self.embed(pixel_values[:, 0]) + self.place
        q, k, v = self.query(rows).chunk(3, 2)
        seen = rows + F.scaled_dot_product_attention(q, k, v)
        return SimpleNamespace(logits=self.classifier(self.mix(seen.mean(1)).relu()), pooled=self.pooler(seen))


def resnet18():
    """Of torchvision, for grey images."""
    net = vision().models.resnet18(weights=None, num_classes=10)
    net.conv1 = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    return net


class Mine:
    """A reader's data: the first digits, 40 % of their labels wrong, and some trusted ones."""

    def __init__(self, M=1000):
        digits, draw = data.load("digits"), torch.Generator().manual_seed(0)
        x, y = digits.train.x.float() / 8 - 1, digits.train.y.long()
        self.x, self.true, self.M = x[:M], y[:M], M
        wrong = torch.rand(M, generator=draw) < 0.4
        self.y = torch.where(wrong, (self.true + torch.randint(1, 10, (M,), generator=draw)) % 10, self.true)
        self.trusted_x, self.trusted_y = x[-200:], y[-200:]
        self.test_x, self.test_y = digits.test.x[:M].float() / 8 - 1, digits.test.y[:M].long()

    def attached(self, method, make, **loop):
        """A method with all that any method asks for, its first stage trained, around a network that `make` makes."""
        pairs = [(i, self.x[i]) for i in torch.arange(self.M).split(64)]
        given = {"labels": self.y, "pairs": pairs, "trusted_x": self.trusted_x, "trusted_y": self.trusted_y}
        if method.trust == "within":
            given |= {"trusted_index": torch.arange(20), "trusted_y": self.true[:20]}
        if method.first:
            given["first"] = self.attached(method.first.method, make)
            self.train(given["first"], **loop)
        return attach(method, make(), 10, self.M, **given)

    def train(self, learner, epochs=2, size=10, lr=1e-3, watch=None):
        """A loop of one's own; returns the losses."""
        opt = torch.optim.Adam(learner.parameters(), lr=lr)
        learner.follow(opt, steps=epochs * (self.M // size), per_epoch=self.M // size)
        found = []
        for _ in range(epochs):
            learner.epoch()
            for i in torch.randperm(self.M).split(size):
                known = of_each_class(self.trusted_y, 2)
                x2 = self.x[i]  # nothing is augmented
                loss = learner.loss(i, self.x[i], self.y[i], self.trusted_x[known], self.trusted_y[known], x2)
                opt.zero_grad()
                loss.backward()
                found.append(loss.item())
                reached_by_gradients(learner)
                opt.step()
            learner.keep(self.accuracy(learner))
        return found

    def accuracy(self, learner):
        return (learner.predict(self.test_x).argmax(1) == self.test_y).float().mean().item()


def reached_by_gradients(learner):
    """After a backward pass, all that learns has a gradient, but what the network itself does not use."""
    learning = {name: p for name, p in learner.net.named_parameters() if p.requires_grad and "pooler" not in name}
    assert all(p.grad is not None and p.grad.isfinite().all() for p in learning.values())


@pytest.fixture(scope="module")
def mine():
    return Mine()


HARD = [Truncated(), MentorNet(kind="data", updates=(0.5,)), FasTEN(), L2RW()]


@pytest.mark.parametrize("make", [resnet18, Timm, HuggingFace])
@pytest.mark.parametrize(
    "method", [Truncated(), MentorNet(kind="data", updates=(0.5,)), FasTEN(), L2RW()], ids=lambda m: str(m)[:8]
)
def test_networks_that_we_did_not_write(method, make):
    torch.manual_seed(0)
    few = Mine(M=20)
    learner = few.attached(method, make)
    assert torch.tensor(few.train(learner, size=20)).isfinite().all()
    assert learner.predict(few.test_x[:5]).shape == (5, 10)


@pytest.mark.parametrize("make", [Timm, HuggingFace])
@pytest.mark.parametrize("method", [GCE(), FasTEN()], ids=lambda method: type(method).__name__)
def test_they_learn(method, make, mine):
    torch.manual_seed(0)
    learner = mine.attached(method, make)
    before = mine.accuracy(learner)
    mine.train(learner, epochs=6, size=25, lr=5e-3)
    assert mine.accuracy(learner) > before + 0.3
    if isinstance(method, FasTEN):
        assert (learner.labels() == mine.true).float().mean() > (mine.y == mine.true).float().mean()


@pytest.mark.parametrize("name", METHODS)
def test_every_method_works_and_says_what_it_asks_for(name):
    torch.manual_seed(0)
    few, method = Mine(M=20), METHODS[name]()
    if name == "mentornet":  # its default learns a curriculum first, which takes seconds; a test of the chapter has it
        method = HARD[1]
    try:
        bare = attach(method, Timm(), 10, few.M)
        bare.loss(torch.arange(10), few.x[:10], few.y[:10]).backward()
    except UserError as error:
        assert type(method).__name__ in str(error)
    learner = few.attached(method, Timm)
    assert torch.tensor(few.train(learner)).isfinite().all()


def follow(learner, **more):
    """An optimiser, followed; the learner."""
    learner.follow(torch.optim.SGD(learner.parameters(), lr=0.1, **more), steps=40, per_epoch=10)
    return learner


def two_heads():
    net = Timm()
    net.get_classifier = lambda: None
    net.other = nn.Linear(32, 10)
    return net


REFUSED = {
    "no layer": (lambda m: attach(CE(), Timm(7), 10, m.M), "no nn.Linear with 10 outputs"),
    "two layers": (lambda m: attach(CE(), two_heads(), 10, m.M), r"several linear layers .*last='other'"),
    "unknown layer": (lambda m: attach(CE(), Timm(), 10, m.M, last="hed"), "did you mean head"),
    "layer of another size": (lambda m: attach(CE(), Timm(), 10, m.M, last="mix"), "'mix' has 32 outputs"),
    "no method": (lambda m: attach("fasten", Timm(), 10, m.M), "such as FasTEN"),
    "a class": (lambda m: attach(FasTEN, Timm(), 10, m.M), "with its brackets"),
    "K": (lambda m: attach(CE(), Timm(), 10.0, m.M), "K is the number of classes"),
    "M": (lambda m: attach(CE(), Timm(), 10, m.y), "M is the number of training pairs"),
    "labels of others": (lambda m: attach(CE(), Timm(), 10, m.M, labels=m.y[1:]), "all M=20 pairs"),
    "labels from 1": (lambda m: attach(CE(), Timm(), 10, m.M, labels=m.y + 1), "labels are 0 to 9"),
    "no first stage": (lambda m: attach(GLC(), Timm(), 10, m.M), r"attach\(CE\(\), \.\.\.\), train it"),
    "another first stage": (
        lambda m: attach(GLC(), Timm(), 10, m.M, first=attach(GCE(), Timm(), 10, m.M)),
        r"begins with CE\(\), not with GCE",
    ),
    "the same network": (
        lambda m: attach(GLC(), net := Timm(), 10, m.M, first=attach(CE(), net, 10, m.M)),
        "give attach another net",
    ),
    "no trusted images": (
        lambda m: attach(GLC(), Timm(), 10, m.M, first=attach(CE(), Timm(), 10, m.M)),
        r"asks for trusted_x: attach\(..., trusted_x=...\)",
    ),
    "no clock": (lambda m: step(attach(Curriculum(), Timm(), 10, m.M), m), "call follow"),
    "no optimiser": (lambda m: step(attach(NoiseAdaptation(T=IDENTITY), Timm(), 10, m.M), m), "parameters of its own"),
    "an optimiser without the second head": (
        lambda m: attach(FasTEN(), net := Timm(), 10, m.M).follow(torch.optim.SGD(net.parameters(), 0.1), 40, 10),
        "build it from parameters",
    ),
    "steps": (lambda m: attach(CE(), net := Timm(), 10, m.M).follow(sgd(net), 5, 10), "not fewer than the 10"),
    "no epoch": (lambda m: step(follow(attach(FasTEN(), Timm(), 10, m.M)), m), "call epoch"),
    "no labels": (lambda m: follow(attach(FasTEN(), Timm(), 10, m.M)).epoch(), "asks for labels"),
    "no trusted batch": (
        lambda m: step(follow(attach(L2RW(), Timm(), 10, m.M)), m),
        r"loss\(index, x, y, trusted_x, trusted_y\)",
    ),
    "index of another set": (lambda m: step(attach(CE(), Timm(), 10, 5), m), "among all M=5"),
    "index with fractions": (
        lambda m: attach(CE(), Timm(), 10, m.M).loss(torch.arange(10) + 0.7, m.x[:10], m.y[:10]),
        "whole numbers",
    ),
    "index in the batch": (
        lambda m: attach(CE(), Timm(), 10, m.M, labels=m.y).loss(torch.arange(9), m.x[9:18], m.y[9:18]),
        "index is the place of a pair in the data set",
    ),
    "index in a later batch": (
        lambda m: [
            learner := attach(CE(), Timm(), 10, m.M, labels=m.y),
            step(learner, m),
            learner.loss(torch.arange(9), m.x[9:18], m.y[9:18]),
        ],
        "index is the place of a pair in the data set",
    ),
    "pairs in another order": (
        lambda m: follow(attach(PRUNED, Timm(), 10, m.M, labels=m.y, pairs=[(torch.arange(20), m.x, 9 - m.y)])).epoch(),
        r"labels in pairs are not labels\[index\]",
    ),
    "an optimiser that was built anew": (
        lambda m: [
            learner := follow(attach(CE(), Timm(), 10, m.M)),
            learner.epoch(),
            step(learner, m),
            learner.epoch(),
        ],
        "made no step; call follow again",
    ),
    "more steps than were told": (
        lambda m: [
            learner := follow(attach(CE(), Timm(), 10, m.M)),
            [learner.stepped() for _ in range(40)],
            step(learner, m),
        ],
        "told of 40 steps in all",
    ),
    "a layer that is not the last": (
        lambda m: step(attach(CE(), nn.Sequential(Timm(), nn.ReLU(), nn.Tanh()), 10, m.M), m),
        r"does not return what its linear layer '0.head' gives",
    ),
    "no network that was best": (
        lambda m: follow(attach(Truncated(start=0.0), Timm(), 10, m.M, labels=m.y, pairs=[])).epoch(),
        r"call keep\(score\)",
    ),
    "a class without a trusted image": (
        lambda m: attach(GLC(), Timm(), 10, m.M, trusted_x=m.x[:9], trusted_y=torch.arange(9)),
        "trusted image of each of K=10 classes; of class 9 there is none",
    ),
    "a trusted batch without a class": (
        lambda m: follow(attach(FasTEN(), Timm(), 10, m.M, labels=m.y)).check(
            torch.arange(10), m.y[:10], m.x[:9], torch.arange(9), None
        ),
        "epoch|of class 9 there is none",
    ),
    "fewer trusted classes than images": (
        lambda m: attach(GLC(), Timm(), 10, m.M, trusted_x=m.x[:11], trusted_y=torch.arange(10)),
        "11 images and trusted_y 10 classes",
    ),
    "a trusted class that is none": (
        lambda m: attach(GLC(), Timm(), 10, m.M, trusted_x=m.x[:10], trusted_y=torch.arange(1, 11)),
        "trusted_y are 0 to 9, not 1 to 10",
    ),
    "trusted places as a mask": (
        lambda m: attach(MentorNet("data"), Timm(), 10, m.M, trusted_index=m.y == 1, trusted_y=m.y),
        r"as whole numbers, not torch.bool of shape \(20,\)",
    ),
    "trusted places beyond the pairs": (
        lambda m: attach(MentorNet("data"), Timm(), 10, m.M, trusted_index=[3, 20], trusted_y=[0, 1]),
        "places among the pairs, 0 to 19, not 3 to 20",
    ),
    "trusted classes from 1 on": (
        lambda m: attach(MentorNet("data"), Timm(), 10, m.M, trusted_index=[3, 4], trusted_y=[1, 10]),
        "of the 2 pairs of trusted_index, 0 to 9, not 1 to 10",
    ),
    "one trusted class for all": (
        lambda m: attach(MentorNet("data"), Timm(), 10, m.M, trusted_index=[3, 4], trusted_y=[1]),
        r"not of shape \(1,\)",
    ),
    "a label that is none": (
        lambda m: attach(CE(), Timm(), 10, m.M).loss(torch.arange(10), m.x[:10], torch.full((10,), -1)),
        "y are classes 0 to 9, not -1 to -1",
    ),
    "trusted images without any": (
        lambda m: attach(GLC(), Timm(), 10, m.M, trusted_x=m.x[:0], trusted_y=m.y[:0]),
        "0 images and trusted_y 0 classes",
    ),
    "half of the pairs": (
        lambda m: follow(attach(PRUNED, Timm(), 10, m.M, labels=m.y, pairs=[(torch.arange(9), m.x[:9])])).epoch(),
        "each of the M=20 training pairs once; it showed 9",
    ),
    "weights in half precision": (
        lambda m: attach(FasTEN(), Timm().bfloat16(), 10, m.M),
        "weights of torch.bfloat16; keep them as torch.float32",
    ),
    "a map of features": (lambda m: step(attach(CE(), nn.Linear(8, 10), 10, m.M), m), r"features \(B, F\)"),
}
IDENTITY = tuple(tuple(float(i == j) for j in range(10)) for i in range(10))
PRUNED = Truncated(start=0.0, pruner="current")


def sgd(net):
    return torch.optim.SGD(net.parameters(), lr=0.1)


def step(learner, mine):
    learner.loss(torch.arange(10), mine.x[:10], mine.y[:10])


@pytest.mark.parametrize("wrong", REFUSED)
def test_what_is_missing_or_wrong_is_said_in_a_sentence(wrong):
    call, told = REFUSED[wrong]
    with pytest.raises(UserError, match=told):
        call(Mine(M=20))


@pytest.mark.parametrize("end", [nn.Identity(), nn.Softmax(1), nn.LogSoftmax(1)])
def test_a_network_may_end_with_probabilities_or_their_logarithms(end):
    step(attach(CE(), nn.Sequential(Timm(), end), 10, 20), Mine(M=20))
    step(attach(CE(), nn.Sequential(Timm(), nn.ReLU()), 10, 20, last="0.head"), Mine(M=20))


def test_a_network_that_was_refused_stays_refused():
    learner = attach(CE(), nn.Sequential(Timm(), nn.ReLU(), nn.Tanh()), 10, 20)
    for _ in range(2):
        with pytest.raises(UserError, match="does not return what its linear layer"):
            step(learner, Mine(M=20))


def test_an_epoch_that_was_forgotten_is_found_out():
    few = Mine(M=20)
    learner = attach(PRUNED, Timm(), 10, few.M, labels=few.y, pairs=[(torch.arange(20), few.x)])
    opt = torch.optim.SGD(learner.parameters(), lr=0.1)
    learner.follow(opt, steps=4, per_epoch=2)
    learner.epoch()
    for _ in range(2):
        learner.loss(torch.arange(10), few.x[:10], few.y[:10]).backward()
        opt.step()
    with pytest.raises(UserError, match=r"after 2 steps epoch\(\) was called 1 times"):
        learner.loss(torch.arange(10), few.x[:10], few.y[:10])


def test_a_learner_that_follows_nothing_yet_is_copied():
    learner = copy.deepcopy(Mine(M=20).attached(CE(), Timm))
    with pytest.raises(UserError, match="CE must know its place"):
        learner.clock.step  # noqa: B018


@pytest.mark.parametrize("method", [MWNet(), Truncated(start=0.0)], ids=lambda method: type(method).__name__)
def test_a_state_goes_on(method):
    """Two epochs are one epoch, its state loaded into new objects, and one more."""
    few, losses = Mine(M=20), []
    for cut in (False, True):
        torch.manual_seed(0)
        learner = few.attached(replace(method), Timm)
        learner.keep(0.0)
        opt = torch.optim.Adam(learner.parameters(), lr=1e-3)
        learner.follow(opt, steps=4, per_epoch=2)
        for epoch in range(2):
            if cut and epoch == 1:
                kept = copy.deepcopy([learner.state_dict(), opt.state_dict(), torch.get_rng_state()])
                learner = few.attached(method, Timm)
                opt = torch.optim.Adam(learner.parameters(), lr=1e-3)
                learner.follow(opt, steps=4, per_epoch=2)
                learner.load_state_dict(kept[0])
                opt.load_state_dict(kept[1])
                torch.set_rng_state(kept[2])
            learner.epoch()
            for i in torch.arange(20).split(10):
                loss = learner.loss(i, few.x[i], few.y[i], few.trusted_x[:20], few.trusted_y[:20])
                opt.zero_grad()
                loss.backward()
                opt.step()
        losses.append(loss.item())
    assert losses[0] == losses[1] and learner.steps == 4 and int(learner.clock.step) == 4


def test_the_network_itself_learns_and_stays_what_it_is():
    """No module is added to it, its modes stay, and evaluation does not move it."""
    few, net = Mine(M=20), Timm()
    names, before = [*net.state_dict()], copy.deepcopy(net.state_dict())
    learner = attach(FasTEN(), net, 10, few.M, labels=few.y)
    net.train()
    net.stem[1].eval()  # frozen averages
    learner.predict(few.x)
    assert net.training and not net.stem[1].training and learner.net.noisy.training
    assert all(torch.equal(before[name], now) for name, now in net.state_dict().items())
    few.train(learner)
    assert [*net.state_dict()] == names and not torch.equal(before["head.weight"], net.head.weight)
    net.eval()
    torch.testing.assert_close(net(few.x), learner.predict(few.x))


def test_frozen_layers_stay_and_a_look_ahead_passes_over_them():
    few, net = Mine(M=20), Timm()
    net.stem.requires_grad_(False)
    learner = attach(L2RW(), net, 10, few.M)
    before = net.stem[0].weight.clone()
    opt = torch.optim.SGD(learner.parameters(), lr=0.1)
    learner.follow(opt, steps=4, per_epoch=2)
    learner.loss(torch.arange(10), few.x[:10], few.y[:10], few.trusted_x[:20], few.trusted_y[:20]).backward()
    opt.step()
    assert torch.equal(before, net.stem[0].weight) and net.mix.weight.grad is not None


def test_a_schedule_of_the_rate_is_followed():
    few = Mine(M=20)
    learner = attach(L2RW(), Timm(), 10, few.M)
    opt = torch.optim.SGD(learner.parameters(), lr=0.1)
    learner.follow(opt, steps=4, per_epoch=2)
    opt.param_groups[0]["lr"] = 0.025
    learner.loss(torch.arange(10), few.x[:10], few.y[:10], few.trusted_x[:20], few.trusted_y[:20])
    assert learner.clock.rate.item() == pytest.approx(0.025)


def test_what_a_first_stage_found_and_hands_on():
    few = Mine(M=20)
    first = attach(CE(), Timm(), 10, few.M)
    pairs = [(torch.arange(20).flip(0), few.x.flip(0))]
    second = attach(NoiseAdaptation(), Timm(), 10, few.M, labels=few.y, pairs=pairs, first=first)
    torch.testing.assert_close(first.predict(few.x), second.predict(few.x))
    counts = torch.ones(10, 10)
    for guess, label in zip(first.predict(few.x).argmax(1), few.y, strict=True):
        counts[guess, label] += 1
    torch.testing.assert_close(second.transition(), counts / counts.sum(1, keepdim=True))
    estimated = attach(ForwardEstimated(), Timm(), 10, few.M, pairs=pairs, first=first)
    assert estimated.transition().shape == (10, 10)


def test_a_trusted_batch_has_every_class_alike():
    y = torch.tensor([2, 0, 1, 1, 0, 1])
    rows = of_each_class(y, 4)
    assert y[rows].tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_a_batch_may_lack_a_class_where_the_matrix_is_known():
    learner = follow(attach(GLC(T=IDENTITY), Timm(), 10, 20))
    learner.epoch()
    learner.check(torch.arange(10), torch.arange(10), torch.zeros(3, 3, 8, 8), torch.arange(3), None)


def test_epochs_that_are_shorter_than_was_told_are_said_once(capsys):
    """As where gradients are accumulated over some batches."""
    learner = follow(attach(CE(), nn.Sequential(nn.Flatten(), nn.Linear(8, 10)), 10, 20))
    for _ in range(3):
        learner.epoch()
        learner.stepped()
    assert capsys.readouterr().err.count("steps of the optimiser an epoch; the last one made 1") == 1


class Scaled(nn.Module):
    """A network that scales its logits by what it learns, which is 1 at first."""

    def __init__(self, said=lambda logits: logits):
        super().__init__()
        self.net, self.scale, self.said = Timm(), nn.Parameter(torch.ones(())), said

    def forward(self, x):
        return self.said(self.net(x) * self.scale)


def test_what_is_learned_after_the_last_layer_is_found_in_the_next_epoch():
    net = Scaled()
    learner = attach(CE(), net, 10, 20)
    step(learner, Mine(M=20))
    net.scale.data += 1
    step(learner, Mine(M=20))
    learner.epoch()
    with pytest.raises(UserError, match="does not return what its linear layer"):
        step(learner, Mine(M=20))


def test_logits_in_a_dictionary_are_compared():
    net = Scaled(lambda logits: {"logits": logits})
    step(attach(CE(), net, 10, 20), Mine(M=20))
    net.scale.data += 1
    with pytest.raises(UserError, match="does not return what its linear layer"):
        step(attach(CE(), net, 10, 20), Mine(M=20))


@pytest.mark.parametrize("method", [CoTeaching(), DivideMix(), FasTEN(shared=False)], ids=lambda m: str(m)[:8])
def test_a_second_network_starts_anew_or_is_refused(method, capsys):
    net, more = Timm(), {"trusted_x": torch.zeros(10, 1, 8, 8), "trusted_y": torch.arange(10)}
    learner = attach(method, net, 10, 20, **more)
    told = capsys.readouterr().err
    assert ("starts from initial weights" in told) == (method.networks > 1)
    second = learner.net.noisy if isinstance(method, FasTEN) else learner.net.twin
    both = [[*part.parameters()] for part in (net, second)]
    assert not all(torch.equal(*pair) for pair in zip(*both, strict=False))
    next(net.parameters()).requires_grad_(False)
    with pytest.raises(UserError, match="in which nothing may be frozen"):
        attach(method, net, 10, 20, **more)
    with pytest.raises(UserError, match=r"\(Scaled\) of it has no reset_parameters"):
        attach(method, Scaled(), 10, 20, **more)


def test_what_a_method_trains_by_itself_is_not_trained_twice():
    learner = attach(MWNet(), Timm(), 10, 20)
    with pytest.raises(UserError, match="by an optimiser of its own, and this one has them as well"):
        learner.follow(sgd(learner.net), steps=2, per_epoch=2)


def test_labels_of_another_shape_are_refused():
    mine = Mine(M=20)
    with pytest.raises(UserError, match=r"one for each place of index, not of shape \(10, 1\)"):
        attach(CE(), Timm(), 10, 20).loss(torch.arange(10), mine.x[:10], mine.y[:10, None])


def test_a_state_without_a_best_network_has_none():
    learner = attach(CE(), Timm(), 10, 20)
    begun = learner.state_dict()
    learner.keep(0.9)
    learner.load_state_dict(begun)
    assert learner.best is None and learner.score == -float("inf")


@pytest.mark.parametrize(
    "method, M, options", [(GCE(), 20, {}), (CE(), 21, {}), (CE(), 20, {"labels": torch.arange(20) % 7})]
)
def test_a_state_of_another_method_or_other_pairs_is_refused(method, M, options):
    """What is remembered of a pair goes by its place, and the pairs may stand in another order now."""
    state = attach(method, Timm(), 10, M, **options).state_dict()
    with pytest.raises(UserError, match=r"the state is that of .*, and not of \{'method': 'CE\(\)', 'K': 10, 'M': 20"):
        attach(CE(), Timm(), 10, 20).load_state_dict(state)


def test_a_score_that_changes_later_stays_what_it_was():
    learner, score = attach(CE(), Timm(), 10, 20), torch.tensor(0.3)
    learner.keep(score)
    score += 0.1
    learner.keep(score)
    assert learner.score == pytest.approx(0.4)


def test_a_network_that_is_another_one_in_training_is_refused():
    class Cooled(Timm):
        def forward(self, x):
            return super().forward(x) / (2 if self.training else 1)

    mine, learner = Mine(M=20), attach(CE(), Cooled(), 10, 20)
    with pytest.raises(UserError, match="does not return what its linear layer"):
        learner.loss(torch.arange(10), mine.x[:10], mine.y[:10])


def test_looking_at_the_end_of_a_network_leaves_no_trace():
    net = nn.Sequential(nn.Flatten(), nn.LazyBatchNorm1d(), nn.Dropout(), nn.LazyLinear(10))
    mine = Mine(M=20)
    net(mine.x)  # makes the lazy layers
    before, learner = copy.deepcopy(net.state_dict()), attach(CE(), net, 10, 20)
    torch.manual_seed(0)
    check_end(*learner.net.body, mine.x[:2])
    assert torch.equal(torch.rand(3), torch.rand(3, generator=torch.Generator().manual_seed(0)))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_a_first_stage_that_has_learned_nothing_is_said(capsys):
    mine, first = Mine(M=20), attach(GLC().first.method, Timm(), 10, 20)
    attach(GLC(), Timm(), 10, 20, first=first, trusted_x=mine.trusted_x, trusted_y=mine.trusted_y)
    assert "has made no step of its own" in capsys.readouterr().err


def test_labels_that_are_no_whole_numbers_are_refused():
    with pytest.raises(UserError, match="labels are classes, whole numbers, not torch.float32"):
        attach(CE(), Timm(), 10, 20, labels=torch.full((20,), 1.9))


def test_what_a_method_believes_is_handed_out_as_it_was():
    """It changes its memory in place, and nobody else does."""
    learner = attach(FasTEN(), Timm(), 10, 20, labels=Mine(M=20).y)
    before = learner.labels()
    learner.method.labels(learner.net).fill_(3)
    assert not (before == 3).any() and (learner.labels() == 3).all()


def test_an_optimiser_of_another_network_is_refused():
    with pytest.raises(UserError, match="none of the parameters of this network"):
        attach(CE(), Timm(), 10, 20).follow(sgd(Timm()), steps=2, per_epoch=2)


def test_a_last_layer_that_was_replaced_is_refused():
    mine, net = Mine(M=20), Timm()
    learner = attach(CE(), net, 10, 20)
    net.head = nn.Linear(32, 10)
    with pytest.raises(UserError, match="'head' of the network was replaced by another one"):
        learner.loss(torch.arange(10), mine.x[:10], mine.y[:10])


def test_what_a_network_returns_under_another_name_is_looked_at():
    class Named(Timm):
        def forward(self, x):
            return {"features": x, "pred": super().forward(x) / 5}

    mine = Mine(M=20)
    with pytest.raises(UserError, match="does not return what its linear layer"):
        attach(CE(), Named(), 10, 20).loss(torch.arange(10), mine.x[:10], mine.y[:10])


def test_a_network_that_gives_nan_is_told_so():
    """The layer that its name is asked for is not to blame."""
    mine, net = Mine(M=20), Timm()
    learner = attach(CE(), net, 10, 20)
    net.head.weight.data.fill_(torch.nan)
    with pytest.raises(UserError, match="the network gives NaN or infinity: the learning rate is too high"):
        learner.loss(torch.arange(10), mine.x[:10], mine.y[:10])


def test_numbers_of_numpy_are_whole_and_truths_are_none():
    assert attach(CE(), Timm(), np.int64(10), np.int64(20)).task.K == 10
    for K, M, told in ((True, 20, "K is the number of classes, 2 or"), (10, True, "M is the number of training pairs")):
        with pytest.raises(UserError, match=told):
            attach(CE(), Timm(), K, M)


def test_the_state_of_other_trusted_pairs_is_refused():
    of = [dict(trusted_index=torch.tensor([i, 5]), trusted_y=torch.tensor([0, 3])) for i in (1, 2)]
    state = attach(CE(), Timm(), 10, 20, **of[0]).state_dict()
    attach(CE(), Timm(), 10, 20, **of[0]).load_state_dict(state)
    with pytest.raises(UserError, match="the state is that of"):
        attach(CE(), Timm(), 10, 20, **of[1]).load_state_dict(state)


def test_labels_that_are_names_and_labels_that_are_none_are_told_so():
    with pytest.raises(UserError, match="labels are classes, whole numbers .M,."):
        attach(CE(), Timm(), 10, 2, labels=["cat", "dog"])
    with pytest.raises(UserError, match="y are the labels .m,. to draw from, one or more"):
        of_each_class(torch.zeros(0, dtype=torch.long), 2)


@pytest.mark.parametrize("method", [SmallLoss(), CoTeaching(), MentorNet("linear"), Curriculum("self_paced")])
def test_what_methods_remember_does_not_depend_on_the_default_type(method):
    """In a notebook that computes in double precision a network may still be in single precision."""
    mine, net = Mine(M=20), Timm()
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        learner = attach(method, net, 10, 20, labels=mine.y[:20])
        follow(learner).epoch()
        loss = learner.loss(torch.arange(10), mine.x[:10], mine.y[:10])
    finally:
        torch.set_default_dtype(before)
    assert loss.dtype == torch.float32 and loss.isfinite()


def test_a_pair_that_is_trusted_twice_is_refused():
    with pytest.raises(UserError, match="names a pair twice"):
        attach(CE(), Timm(), 10, 20, trusted_index=torch.tensor([1, 1]), trusted_y=torch.tensor([0, 3]))


def test_a_second_stage_begins_where_the_first_was_best(capsys):
    """As the stage asks for; without a score its last network counts, which is said."""
    mine, learnt = Mine(M=20), []
    pairs = [(torch.arange(20), mine.x)]
    for told in (True, False):
        torch.manual_seed(0)
        first = attach(CE(), Timm(), 10, 20)
        if told:
            first.keep(0.9)
        with torch.no_grad():
            first.net.body[0].net.head.weight.mul_(50)  # what came after the best evaluation
        second = attach(ForwardEstimated(), Timm(), 10, 20, labels=mine.y, pairs=pairs, first=first)
        learnt.append(second.transition())
    assert (learnt[0] - learnt[1]).abs().max() > 0.1
    assert capsys.readouterr().err.count("no keep(score) was called, its last one counts") == 1


def test_a_new_optimiser_has_its_own_rate():
    """torch writes the rate of the first one into the groups that it is given."""
    first = attach(CE(), Timm(), 10, 20)
    first.keep(0.0)
    mine = Mine(M=20)
    learner = attach(NoiseAdaptation(), Timm(), 10, 20, labels=mine.y, pairs=[(torch.arange(20), mine.x)], first=first)
    for rate in (0.1, 1e-4):
        opt = torch.optim.SGD(learner.parameters(), lr=rate, weight_decay=rate)
        learner.follow(opt, steps=20, per_epoch=10)
        assert [group["lr"] for group in opt.param_groups] == [rate, rate]
        assert [group["weight_decay"] for group in opt.param_groups] == [rate, 0.0]


def test_logits_that_are_changed_in_place_are_seen():
    class Shifted(Timm):
        def forward(self, x):
            out = super().forward(x)
            out += torch.arange(10.0)
            return out

    mine = Mine(M=20)
    with pytest.raises(UserError, match="does not return what its linear layer"):
        attach(CE(), Shifted(), 10, 20).loss(torch.arange(10), mine.x[:10], mine.y[:10])


@pytest.mark.parametrize("method, says", [(MWNet(), 1), (CE(), 0)])
def test_several_learning_rates_are_one_for_a_look_ahead_and_that_is_said(method, says, capsys):
    learner = attach(method, Timm(), 10, 20)
    head, rest = learner.net.body[0].net.head, learner.net.body[0].net.stem
    groups = [{"params": head.parameters(), "lr": 0.5}, {"params": rest.parameters(), "lr": 0.1}]
    learner.follow(torch.optim.SGD(groups), steps=2, per_epoch=2)
    assert capsys.readouterr().err.count("looks ahead by the learning rate of the optimiser's first group") == says


def test_more_images_than_places_are_refused():
    mine = Mine(M=20)
    with pytest.raises(UserError, match="x has 20 images and index 10 places"):
        attach(CE(), Timm(), 10, 20).loss(torch.arange(10), mine.x[:20], mine.y[:10])


def test_a_state_of_other_settings_is_refused():
    state = attach(GCE(q=0.3), Timm(), 10, 20).state_dict()
    with pytest.raises(UserError, match=r"GCE\(q=0.3\).* and not of .*GCE\(q=0.7\)"):
        attach(GCE(), Timm(), 10, 20).load_state_dict(state)


@pytest.mark.parametrize("state", [None, {}, {"model": {}, "optimizer": {}}, Timm().state_dict()])
def test_what_is_no_state_of_an_attached_method_is_refused(state):
    with pytest.raises(UserError, match="this is no state of an attached method"):
        attach(CE(), Timm(), 10, 20).load_state_dict(state)


@pytest.mark.parametrize("other", [lambda key: f"module.{key}", lambda key: key], ids=["other names", "other shapes"])
def test_a_state_of_another_network_changes_nothing(other):
    mine = Mine(M=20)
    learner = attach(CE(), Timm(), 10, 20)
    opt = torch.optim.SGD(learner.parameters(), lr=0.1)
    learner.follow(opt, steps=4, per_epoch=2)
    learner.epoch()
    learner.loss(torch.arange(10), mine.x[:10], mine.y[:10]).backward()
    opt.step()
    before = copy.deepcopy(learner.state_dict())
    state = attach(CE(), Timm(), 10, 20).state_dict()
    state["net"] = {other(key): value[:1] if value.ndim else value for key, value in state["net"].items()}
    with pytest.raises(UserError, match="the state is that of another network: .* differ in name or shape"):
        learner.load_state_dict(state)
    after = learner.state_dict()
    assert all(torch.equal(before["net"][key], value) for key, value in after["net"].items())
    assert after["steps"] == before["steps"] == 1 and after["epochs"] == before["epochs"] == 1


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_a_score_that_is_no_number_is_refused(score):
    with pytest.raises(UserError, match="score is a number, higher being better, not"):
        attach(CE(), Timm(), 10, 20).keep(score)


def test_batches_of_plain_python_and_of_small_numbers_are_taken():
    mine, learner = Mine(M=20), attach(CE(), Timm().eval(), 10, 20)
    plain = learner.loss(torch.arange(10), mine.x[:10], mine.y[:10])
    for index, y in ((np.arange(10, dtype=np.uint8), mine.y[:10].tolist()), ([*range(10)], mine.y[:10].numpy())):
        assert torch.equal(learner.loss(index, mine.x[:10], y), plain)


def test_what_is_no_batch_and_no_optimiser_is_told_so():
    mine, learner = Mine(M=20), attach(CE(), Timm(), 10, 20)
    for told, index, x in (
        ("x is a tensor, or", range(10), mine.x[:10].numpy()),
        ("index has the place", [], mine.x[:0]),
    ):
        with pytest.raises(UserError, match=told):
            learner.loss(torch.tensor([*index], dtype=torch.long), x, mine.y[: len(index)])
    with pytest.raises(UserError, match="an optimiser of torch.optim, not of None"):
        learner.follow(None, steps=2, per_epoch=1)


@pytest.mark.parametrize("y, each", [(torch.eye(3, dtype=torch.long), 2), ([0, 1], -1), ([0, 1], 2.5)])
def test_rows_that_cannot_be_drawn_are_refused(y, each):
    with pytest.raises(UserError, match="y are the labels .m,. to draw from|each is how many of a class, 1 or more"):
        of_each_class(y, each)
