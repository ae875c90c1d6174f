"""On a CUDA device: the captured step is the eager one, in the recipe of the papers, to the last digit."""

from dataclasses import replace

import pytest
import torch
from test_train import fitting

from nlcore.methods import CE, METHODS, FasTEN
from nlcore.methods.deep_knn import voted_on_device
from nlcore.methods.mentor import imitate
from nlcore.noise import SymmetricInclusive
from nlcore.runs import Budget, Run
from nlcore.training import step, train
from nlcore.training.checkpoint import Checkpoints
from nlcore.training.loop import PLAINLY, steps

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    pytest.mark.filterwarnings("ignore:.*deterministic"),  # of what the fixture below asks for
    pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype"),
]

RECIPE = {"optimiser": "sgd", "lr": 0.02, "schedule": "steps", "milestones": (0.5,), "weight_decay": 1e-4}
ON_CIFAR = RECIPE | {"augment": "flip_crop", "precision": "bf16", "channels_last": True}
RUN = Run("digits", "conv_small", Budget(40, evaluations=4, **ON_CIFAR), SymmetricInclusive(0.4), validation=100)


@pytest.fixture(autouse=True)
def deterministic(monkeypatch):
    """Otherwise the gradients of weights are added in any order, and equal runs differ in their last digits."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def inputs_checked(monkeypatch):
    """A graph whose inputs are freed is refused, where torch can tell."""
    graph = torch.cuda.graph
    if "check_input_liveness" in (graph.__init__.__doc__ or "") + str(graph.__init__.__annotations__):
        monkeypatch.setattr(torch.cuda, "graph", lambda g, **k: graph(g, check_input_liveness=True, **k))


def histories(run: Run) -> list[list[dict]]:
    """Captured and eager, without times."""
    both = [train.train(run, "cuda", eager=eager).history for eager in (False, True)]
    return [[{k: v for k, v in row.items() if k != "seconds"} for row in history] for history in both]


@pytest.mark.parametrize("name", METHODS)
def test_the_captured_step_of_every_method_equals_the_eager_one(name, inputs_checked):
    captured, eager = histories(fitting(RUN, METHODS[name]()))
    assert captured == eager


@pytest.mark.parametrize("model", ["mlp2", "conv4", "resnet18", "resnet32", "cifarnet"])
@pytest.mark.parametrize(
    "switches", [ON_CIFAR, RECIPE, {"lr": 1e-3, "schedule": "cosine"}], ids=["bf16", "sgd", "adam"]
)
@pytest.mark.parametrize("method", [CE(), FasTEN()], ids=["ce", "fasten"])
def test_of_every_network_in_every_precision(model, switches, method, inputs_checked):
    captured, eager = histories(
        fitting(replace(RUN, model=model, budget=Budget(20, 64, evaluations=2, **switches)), method)
    )
    assert captured == eager


def test_labels_are_the_same_on_every_device():
    cards = [train.train(RUN, device).card for device in ("cpu", "cuda")]
    assert cards[0] == cards[1]


def test_one_seed_gives_one_result_whatever_ran_before():
    """The first mentor of a process is taught within the run, later ones are remembered."""
    run = replace(fitting(RUN, METHODS["mentornet"]()), seed=7)
    imitate.cache_clear()
    assert histories(run) == histories(run)


class Killed(Exception):
    """In place of the signal."""


@pytest.mark.parametrize("switches", [ON_CIFAR, {"lr": 1e-3, "schedule": "cosine"}], ids=["sgd", "adam"])
@pytest.mark.parametrize("name", ["ce", "glc", "mwnet"])
def test_a_killed_run_goes_on_to_the_same_end(tmp_path, monkeypatch, name, switches):
    run = replace(fitting(RUN, METHODS[name]()), budget=Budget(40, evaluations=4, **switches))
    whole, save = histories(run)[0], Checkpoints.save

    def dies(self, state):
        save(self, state)
        raise Killed

    monkeypatch.setattr(Checkpoints, "due", lambda self, step, evaluated=False: step == 13)
    monkeypatch.setattr(Checkpoints, "save", dies)
    with pytest.raises(Killed):
        train.train(run, "cuda", keep=train.checkpoints(run, "cuda", tmp_path))
    monkeypatch.setattr(Checkpoints, "due", lambda self, step, evaluated=False: False)
    rest = train.train(run, "cuda", keep=train.checkpoints(run, "cuda", tmp_path)).history
    assert [{k: v for k, v in row.items() if k != "seconds"} for row in rest] == whole


@pytest.mark.parametrize("augment", ["none", "flip_crop"])
def test_between_evaluations_the_host_does_not_wait(augment):
    """As the counts of `test_capture` have it, here by torch's own watch, after the capture of the first step."""
    run = replace(RUN, budget=replace(RUN.budget, augment=augment))
    place = torch.device("cuda", torch.cuda.current_device())
    with train.prepared(run, place) as (source, net):
        training = step.Training(run, run.method, net, source)
        pause, watch = training.pause_clock, torch.cuda.set_sync_debug_mode

        def pauses() -> float:
            watch("default")
            return pause()

        def starts() -> None:
            if training.done:
                watch("error")

        training.pause_clock, training.start_clock = pauses, starts
        try:
            assert len([*steps(training, PLAINLY, 0)]) == 4
        finally:
            watch("default")


def test_the_search_for_neighbours_is_that_of_the_cpu():
    points, label, asked = 3 * torch.randn(2000, 10), torch.randint(10, (2000,)), torch.randn(500, 10)
    expected = voted_on_device(points, label, asked, 50)
    found = voted_on_device(points.cuda(), label.cuda(), asked.cuda(), 50, most=2**18)
    assert found.tolist() == expected.tolist()


def test_captures_share_a_stream_and_a_failed_one_is_told(monkeypatch):
    train.train(RUN, "cuda")
    train.train(RUN, "cuda")
    assert step.side_stream.cache_info().currsize == 1

    def reads_the_host(self, net, batch, clock):
        return net(batch.x).mean() * (1 + 0 * float(batch.x.mean()))

    monkeypatch.setattr(CE, "loss", reads_the_host)
    with pytest.raises(step.CaptureFailed, match="CE could not be captured"):
        train.train(RUN, "cuda")
