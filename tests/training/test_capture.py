"""Every method can be captured as a graph, and what cannot be is refused with its line; see `capture`."""

import copy
from dataclasses import dataclass, replace

import pytest
import torch
from capture import AsOnCuda, Refused, Waits, recorded

from nlcore.losses import cross_entropy
from nlcore.methods import (
    METHODS,
    CoTeaching,
    Distillation,
    DivideMix,
    FasTEN,
    Forward,
    MentorNet,
    Method,
    SmallLoss,
    mentornet,
)
from nlcore.methods.mentor import imitate, teach
from nlcore.methods.meta import Meta
from nlcore.models import build
from nlcore.noise import SymmetricInclusive
from nlcore.runs import Budget, Run
from nlcore.runs.miniatures import LAW
from nlcore.training import step
from nlcore.training.device import reproducible
from nlcore.training.loop import PLAINLY, How, fit, steps
from nlcore.training.sources import Resident
from nlcore.training.step import Training

CPU = torch.device("cpu")
BUDGET = Budget(24, 16, evaluations=3, optimiser="sgd", lr=0.02, schedule="steps", milestones=(0.5,))
RUN = Run("digits", "conv_small", replace(BUDGET, augment="flip_crop"), SymmetricInclusive(0.4), examples=120)
RUN = replace(RUN, validation=60)


def history(run: Run, method: Method, eager: bool) -> list[dict]:
    """Without times; of a method that need not be in METHODS."""

    run = replace(run, trusted=50 if method.trust else 0, method=copy.copy(method))  # whatever it counts in Python
    with reproducible(0, CPU), AsOnCuda():
        source = Resident.of(run, CPU)
        found = fit(run, source, build(run.model, source.task.shape, 10), How(eager=eager))
        return [{k: v for k, v in row.items() if k != "seconds"} for row in found]


@pytest.fixture(autouse=True)
def captured(monkeypatch):
    monkeypatch.setitem(step.CAPTURE, "cpu", recorded)
    monkeypatch.setattr(Meta, "optimiser", as_on_cuda)
    monkeypatch.setattr(mentornet, "imitate", lambda kind, form: imitate(kind, form, steps=10))  # it need not be good
    monkeypatch.setattr(mentornet, "teach", lambda *given, steps: teach(*given, steps=min(steps, 10)))


def as_on_cuda(self, net):
    """The Adam that is not fused reads its step on the host, which the one that CUDA is given does not."""
    return torch.optim.Adam(net.meta.parameters(), lr=self.lr, weight_decay=self.decay, fused=True)


def small(method: Method) -> Method:
    """With trusted batches that suit the small run."""
    return replace(method, trusted_batch=20) if method.trusted_batch else method


VARIANTS = {name: small(kind()) for name, kind in METHODS.items()}
VARIANTS |= {"deep_knn": replace(VARIANTS["deep_knn"], k=5), "mentornet data": MentorNet("data", burn_in=0.1)}
VARIANTS |= {"forward T": Forward(LAW), "distillation mlp2": Distillation(0.1, 4.0, 0.5, "mlp2")}
VARIANTS |= {"fasten perturbed": FasTEN(perturb=0.5, rho=0.1, trusted_batch=20)}
VARIANTS |= {"small_loss tau": SmallLoss(0.4, ramp=0.5), "co_teaching tau": CoTeaching(0.4, ramp=0.5)}
VARIANTS |= {"dividemix asymmetric": DivideMix(warm_up=0.5, asymmetric=True)}
VARIANTS |= {"fasten separate": FasTEN(shared=False, trusted_batch=20)}


@pytest.mark.parametrize("name", VARIANTS)
def test_replays_equal_eager_steps_to_the_last_digit(name):
    """With augmentation and a falling rate, over three epochs and in every stage."""
    method = VARIANTS[name]
    assert history(RUN, method, eager=False) == history(RUN, method, eager=True)


SWITCHES = [
    {"precision": "bf16", "channels_last": True},
    {"nesterov": True, "schedule": "triangle", "augment": "flip_shift"},
    {"precision": "bf16", "optimiser": "adam", "lr": 1e-3, "schedule": "cosine"},
    {"channels_last": True, "optimiser": "adam", "lr": 1e-3, "schedule": "constant", "augment": "none"},
]


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
@pytest.mark.parametrize("name", ["ce", "mentornet", "fasten", "mwnet", "mlac", "truncated"])
def test_in_every_precision_and_layout(name, switches):
    run = replace(RUN, budget=replace(RUN.budget, **switches))
    assert history(run, VARIANTS[name], eager=False) == history(run, VARIANTS[name], eager=True)


@pytest.mark.parametrize("model", ["mlp2", "conv4", "resnet32", "cifarnet", "wide_resnet_tiny", "airbench94"])
def test_of_every_network(model):
    budget = replace(RUN.budget, steps=4, batch=8, evaluations=1)
    run = replace(RUN, model=model, budget=budget, examples=120)
    for name in ("ce", "fasten", "mwnet"):
        assert history(run, VARIANTS[name], eager=False) == history(run, VARIANTS[name], eager=True)


# ---- faults, each of which must be named


def planted(name: str, loss, build=None, on_epoch=None, optimiser=None) -> tuple[str, Method]:
    parts = {"loss": loss, "build": build, "on_epoch": on_epoch, "optimiser": optimiser}
    body = {part: function for part, function in parts.items() if function}
    return name, dataclass(frozen=True)(type("Planted", (Method,), body))()


def ce(net, batch):
    return cross_entropy(net(batch.x), batch.y)


def weighed(self, net, task):
    net.register_buffer("w", torch.ones(task.M))
    return net


def beside(self, net, task):
    net.meta = torch.nn.Linear(1, 1)
    return net


def rebinds(self, net, clock, view):
    net.w = torch.full_like(net.w, float(1 + clock.epoch))


def copies(self, net, clock, view):
    net.w.copy_(torch.full_like(net.w, float(1 + clock.epoch)))


def by_weight(self, net, batch, clock):
    return (net.w[batch.index] * ce(net, batch)).mean()


def counts(self, net, batch, clock):
    object.__setattr__(self, "n", getattr(self, "n", 0) + 1)
    return ce(net, batch).mean() * self.n


REFUSED = [
    planted("_local_scalar_dense", lambda s, net, b, c: ce(net, b).mean() * (1 + 0 * ce(net, b).mean().item())),
    planted(
        "_local_scalar_dense", lambda s, net, b, c: ce(net, b).mean() if ce(net, b).max() > 0 else ce(net, b).sum()
    ),
    planted("by a mask", lambda s, net, b, c: ce(net, b)[b.y > 2].mean()),
    planted("nonzero", lambda s, net, b, c: ce(net, b)[(b.y > 2).nonzero()[:, 0]].mean()),
    planted("_unique2", lambda s, net, b, c: ce(net, b).mean() * len(b.y.unique())),
    planted("torch.ones without device", lambda s, net, b, c: (torch.ones(len(b.y)) * ce(net, b)).mean()),
    planted("torch.arange without device", lambda s, net, b, c: ce(net, b)[torch.arange(5)].mean()),
    planted("torch.rand without device", lambda s, net, b, c: ce(net, b).mean() * float(torch.rand(()))),
    planted("torch.tensor without device", lambda s, net, b, c: ce(net, b).mean() * torch.tensor(2.0)),
]


@pytest.mark.parametrize("told, method", REFUSED, ids=lambda value: value if isinstance(value, str) else "")
def test_what_a_graph_cannot_hold_is_refused_with_its_line(told, method):
    with pytest.raises(Refused) as refused:
        history(RUN, method, eager=False)
    assert told in str(refused.value) and "lambda s, net, b, c" in str(refused.value)
    assert "test_capture.py:" in str(refused.value)


def test_an_optimiser_that_reads_its_step_on_the_host_is_refused():
    _, method = planted(
        "",
        lambda s, net, b, c: net.meta(ce(net, b)[:, None]).mean(),
        beside,
        optimiser=lambda s, net: torch.optim.Adam(net.meta.parameters()),
    )
    with pytest.raises(Refused, match="waits for the device"):
        history(RUN, method, eager=False)


BAKED = [
    planted("rebinding a buffer", by_weight, weighed, rebinds),
    planted("clock.epoch", lambda s, net, b, c: ce(net, b).mean() * (1 + c.epoch)),
    planted("counting in Python", counts),
]


@pytest.mark.parametrize("name, method", BAKED, ids=lambda value: value if isinstance(value, str) else "")
def test_what_a_graph_would_keep_as_it_was_makes_a_difference(name, method):
    eager = history(RUN, method, eager=True)
    assert history(RUN, method, eager=True) == eager != history(RUN, method, eager=False)


def test_what_is_sound_passes():
    _, method = planted("", by_weight, weighed, copies)
    assert history(RUN, method, eager=False) == history(RUN, method, eager=True)


def test_a_run_that_goes_on_from_a_state_is_captured_with_the_memory_of_its_optimiser(tmp_path):
    """Momentum of before must survive the warm-up of the capture."""
    from nlcore.training.checkpoint import Checkpoints
    from nlcore.training.processes import Process

    class Stopped(Exception):
        pass

    class Once(Checkpoints):
        def save(self, state):
            super().save(state)
            raise Stopped

    def rows(how: How) -> list[dict]:
        with reproducible(0, CPU):
            source = Resident.of(RUN, CPU)
            found = fit(RUN, source, build(RUN.model, source.task.shape, 10), how)
            return [{k: v for k, v in row.items() if k != "seconds"} for row in found]

    with pytest.raises(Stopped):
        rows(How(Once(tmp_path, Process(CPU), "run", "", steps=11)))
    assert rows(How(state=Checkpoints(tmp_path, Process(CPU), "run", "").newest())) == rows(How())


# ---- between evaluations the host does not wait for the device


def waits(method: Method, batches=Resident.batches) -> list[str]:
    """What would wait in the recipe of CIFAR, each with its line; `batches` of another source, to plant a fault."""
    run = replace(RUN, method=method, budget=replace(RUN.budget, precision="bf16", channels_last=True))
    with reproducible(0, CPU), AsOnCuda():
        source = Resident.of(run, CPU)
        source.batches = lambda begun: batches(source, begun)
        training, counted = Training(run, method, build(run.model, source.task.shape, 10), source), Waits()
        counted.between_evaluations(training)
        assert len([*steps(training, PLAINLY, 0)]) == 3 and training.done == 24 > 3 * source.per_epoch
        counted.stop()
    return counted.found


def test_between_evaluations_nothing_waits_for_the_device():
    assert waits(VARIANTS["ce"]) == []


def sends_and_waits(source, begun):
    """A copy of the order of pairs that is made before the host goes on."""
    for given in Resident.batches(source, begun):
        yield given.to(source.device)


def plans(read) -> Method:
    """Cross entropy with something that is read before each of the four epochs."""

    def on_epoch(self, net, clock, view):
        read(view.label)

    return planted("", lambda s, net, b, c: ce(net, b).mean(), on_epoch=on_epoch)[1]


PLANTED = [
    ("_local_scalar_dense", lambda label: label[0].item(), 4),
    ("_local_scalar_dense", lambda label: bool(label[0] > 0), 4),
    ("nonzero", lambda label: label.nonzero(), 4),
    ("index", lambda label: label[label > 3], 4),
    ("cpu", lambda label: label.cpu(), 4),
    ("tolist", lambda label: label.tolist(), 4),
    ("numpy", lambda label: label.numpy(), 4),
    ("to", lambda label: label.to("cpu"), 4),
    ("tensor", lambda label: torch.tensor(1.0, device=label.device), 4),
]


@pytest.mark.parametrize("name, read, times", PLANTED, ids=[name for name, *_ in PLANTED])
def test_what_waits_is_counted(name, read, times):
    found = waits(plans(read))
    assert len(found) == times and all(name in line and "test_capture.py:" in line for line in found)


def test_a_copy_of_the_host_that_waits_is_counted_at_every_step():
    found = waits(VARIANTS["ce"], sends_and_waits)
    assert len(found) == 24 and all("to" in line for line in found)


def test_a_loss_that_is_read_after_every_step_is_counted(monkeypatch):
    begin = Training.begin
    monkeypatch.setattr(Training, "begin", lambda self, t: (begin(self, t), float(self.total)))
    assert len(waits(VARIANTS["ce"])) == 24


# ---- memory of the device


def test_where_memory_does_not_suffice_fewer_images_are_predicted_at_once(monkeypatch):
    """The same logits, and the smaller number is remembered."""
    source, net = Resident.of(RUN, CPU), build(RUN.model, (1, 8, 8), 10).eval()
    method, x, sizes = RUN.method, source.images[:200], []
    expected = source.logits(method, net, x)

    def predict(self, net, x):
        sizes.append(len(x))
        if len(x) > 30:
            raise torch.cuda.OutOfMemoryError("too much")
        return net(x)

    monkeypatch.setattr(type(method), "predict", predict)
    torch.testing.assert_close(source.logits(method, net, x), expected)
    assert sizes[:4] == [200, 100, 50, 25] and {*sizes[4:]} == {25} and source.at_once == 25
    sizes.clear()
    source.logits(method, net, x)
    assert sizes == [25] * 8


def test_where_memory_does_not_suffice_for_one_image_that_is_told(monkeypatch):
    def predict(self, net, x):
        raise torch.cuda.OutOfMemoryError("too much")

    source = Resident.of(RUN, CPU)
    monkeypatch.setattr(type(RUN.method), "predict", predict)
    with pytest.raises(torch.cuda.OutOfMemoryError, match="too much"):
        source.logits(RUN.method, build(RUN.model, (1, 8, 8), 10), source.images[:10])
