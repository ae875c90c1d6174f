"""The loop: a run that was killed goes on where it was, to the last digit, from any step and in any stage."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nlcore import data, sweep
from nlcore.inputs import UserError
from nlcore.methods import (
    GLC,
    CoTeaching,
    DeepKNN,
    Distillation,
    DivideMix,
    ForwardEstimated,
    MentorNet,
    MLaC,
    NoiseAdaptation,
    Truncated,
)
from nlcore.models import build
from nlcore.noise import SymmetricInclusive
from nlcore.runs import Budget, Run, store
from nlcore.runs.miniatures import LAW
from nlcore.training import step, train
from nlcore.training.checkpoint import Checkpoints
from nlcore.training.device import SURROUNDINGS, devices, full_precision, reproducible
from nlcore.training.loop import How, evaluation_points, fit
from nlcore.training.processes import Process
from nlcore.training.sources import Resident, by_class, drawn
from nlcore.training.split import Labels, check
from nlcore.training.split import split as divide

CPU = torch.device("cpu")
RUN = Run("digits", "mlp1", Budget(40, 32, evaluations=4, lr=3e-3), SymmetricInclusive(0.4), examples=400)
RUN = replace(RUN, validation=60)


class Killed(Exception):
    """In place of the signal."""


def rows(run: Run, how: How) -> list[dict]:
    """The history without times."""
    with reproducible(run.seed, CPU):
        source = Resident.of(run, CPU)
        found = fit(run, source, build(run.model, source.task.shape, source.task.K), how)
        return [{k: v for k, v in row.items() if k != "seconds"} for row in found]


class Impatient(Checkpoints):
    """Keeps every state, and dies after so many."""

    def __init__(self, folder, left):
        super().__init__(folder, Process(CPU), "run", "", steps=1)
        self.left = left

    def save(self, state):
        super().save(state)
        self.left -= 1
        if not self.left:
            raise Killed


# deaths after so many kept states; of methods with two stages 40 of them are of the first
CASES = [
    (MLaC(trusted_batch=30), (13, 20)),
    (Truncated(start=0.2, every=0.2), (9, 25)),
    (GLC(), (17, 23, 30)),
    (ForwardEstimated(), (40, 1)),
    (Distillation(teacher="mlp2"), (20, 21, 15)),
    (Distillation(), (45,)),
    (DeepKNN(k=5), (44,)),
    (MentorNet("data", source="digits"), (50,)),
    (CoTeaching(0.4, ramp=0.5), (15,)),
    (DivideMix(), (10, 17)),
]


@pytest.mark.parametrize("method, deaths", CASES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_a_killed_run_goes_on_to_the_same_end(tmp_path, method, deaths, optimiser):
    goes_on(tmp_path, method, deaths, optimiser)


def test_a_mentor_that_has_learned_survives_too(tmp_path):
    goes_on(tmp_path, MentorNet("data", burn_in=0.1), (10, 22), "sgd")


def goes_on(tmp_path, method, deaths, optimiser) -> None:
    budget = replace(RUN.budget, optimiser=optimiser, schedule="cosine", augment="flip_crop")
    run = replace(RUN, method=method, trusted=50 if method.trust else 0, budget=budget)
    whole = rows(run, How())
    for left in deaths:
        keep = Impatient(tmp_path, left)
        with pytest.raises(Killed):
            rows(run, How(keep, keep.newest()))
    keep = Impatient(tmp_path, 0)
    assert rows(run, How(keep, keep.newest())) == whole


def test_a_run_keeps_its_state_now_and_then_and_clears_it_away_once_its_record_is_written(monkeypatch):
    states, save = [], Checkpoints.save
    monkeypatch.setattr(Checkpoints, "due", lambda self, step, evaluated=False: step % 10 == 0)
    monkeypatch.setattr(Checkpoints, "save", lambda self, state: (states.append(state), save(self, state)))
    folder, write = store.working() / "checkpoints", store.save

    def full(record):
        raise OSError("no space left")

    monkeypatch.setattr(store, "save", full)
    assert "no space left" in sweep.work(RUN, "cpu")
    assert [state["done"] for state in states] == [10, 20, 30, 40] and len([*folder.iterdir()]) == 1
    monkeypatch.setattr(store, "save", write)
    sweep.work(RUN, "cpu")
    assert len(states) == 4 and not [*folder.iterdir()]  # it went on behind its last step


def test_a_state_of_other_code_or_of_another_device_is_not_used_and_not_lost(tmp_path, monkeypatch, capsys):
    Checkpoints(tmp_path, Process(CPU), "run", "old").save({"depth": 0, "done": 3})
    assert Checkpoints(tmp_path, Process(CPU), "run", "old").newest()["done"] == 3
    assert Checkpoints(tmp_path, Process(CPU), "run", "new").newest() is None
    assert (
        "was made with code of other golden runs; it is set aside as run-1-000000003.0.other" in capsys.readouterr().err
    )
    aside, state = tmp_path / "run-1-000000003.0.other", tmp_path / "run-1-000000003.0.safetensors"
    aside.rename(state)
    with monkeypatch.context() as patch:
        patch.setattr("nlcore.training.checkpoint.device_name", lambda device: "another")
        elsewhere = Checkpoints(tmp_path, Process(CPU), "run", "old")
        assert elsewhere.newest() is None and "not another; it is set aside" in capsys.readouterr().err
        elsewhere.save({"depth": 0, "done": 1})
    for path in elsewhere.files(0):
        path.unlink()
    aside.rename(state)
    assert Checkpoints(tmp_path, Process(CPU), "run", "old").newest()["done"] == 3  # brought back by hand
    state.rename(aside)
    Checkpoints(tmp_path, Process(CPU), "run", "old").clear()
    assert not [*tmp_path.iterdir()]


def test_a_damaged_state_is_named_set_aside_and_the_run_starts_again(tmp_path, capsys):
    keep = Impatient(tmp_path, 7)
    with pytest.raises(Killed):
        rows(RUN, How(keep))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    keep = Checkpoints(tmp_path, Process(CPU), "run", "")
    assert keep.newest() is None and path.name in capsys.readouterr().err
    assert [p.suffix for p in tmp_path.iterdir()] == [".damaged"]


def test_files_of_others_are_neither_read_nor_removed(tmp_path):
    stems = ("weights", "run-notes", "runner-1-000000003")
    others = [tmp_path / f"{stem}.0.safetensors" for stem in stems]
    for path in others:
        path.write_text("mine")
    keep = Checkpoints(tmp_path, Process(CPU), "run", "")
    assert keep.newest() is None
    keep.save({"depth": 0, "done": 3})
    keep.save({"depth": 0, "done": 4})
    (tmp_path / ".run-1-000000005.0.safetensors.abc.part").write_text("torn")
    keep.clear()
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_a_state_is_due_by_steps_or_by_time(tmp_path):
    by_steps = Checkpoints(tmp_path, Process(CPU), "run", "", steps=7)
    by_time = Checkpoints(tmp_path, Process(CPU), "run", "", seconds=60)
    assert [by_steps.due(t) for t in (6, 7, 14)] == [False, True, True] and by_steps.due(6, evaluated=True)
    assert not by_time.due(7) and not by_time.due(7, evaluated=True)
    by_time.written -= 61
    assert by_time.due(7)


def test_evaluations_are_spread_evenly():
    assert evaluation_points(Budget(60, evaluations=3)) == {20, 40, 60}
    assert evaluation_points(Budget(2, evaluations=10)) == {1, 2}


# ---- trusted images


def of_classes(counts: list[int]) -> Labels:
    """Trusted images with so many of each class; rows are numbers of their own."""
    true = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return Labels(torch.arange(len(true)), true, true)


def test_every_class_uses_all_images_that_it_has():
    trusted = of_classes([1, 3, 20])
    table, seen = by_class(trusted, 3), set()
    for _ in range(200):
        rows, classes = drawn(table, 12)
        assert classes.bincount().tolist() == [4, 4, 4] and torch.equal(trusted.true[rows], classes)
        seen |= {*rows.tolist()}
    assert seen == {*range(24)}


def test_balanced_images_are_drawn_as_they_always_were():
    """Without replacement, by the generator's uniform numbers: published records rest on it."""
    trusted = of_classes([5, 5])
    torch.manual_seed(3)
    rows, _ = drawn(by_class(trusted, 2), 6)
    torch.manual_seed(3)
    assert torch.equal(rows, trusted.row.reshape(2, 5).gather(1, torch.rand(2, 5).topk(3, 1).indices).flatten())
    assert all(len({*drawn(by_class(trusted, 2), 6)[0].tolist()}) == 6 for _ in range(20))


def lacking(k: int, count: int, digits):
    """The digits with all but `count` training images of class k taken away."""
    mine = (digits.train.y == k).nonzero()[:, 0]
    keep = torch.ones(len(digits.train.y), dtype=torch.bool)
    keep[mine[count:]] = False
    return digits._replace(train=type(digits.train)(digits.train.x[keep], digits.train.y[keep]))


def test_a_class_without_a_trusted_image_is_refused_and_a_rare_one_is_counted(monkeypatch):
    run, digits = replace(RUN, method=GLC(), trusted=100, examples=0), data.load("digits")
    with pytest.raises(UserError, match=r"of every class; of class \[4\] there is none"):
        divide(run, lacking(4, 0, digits))
    told = divide(run, lacking(4, 3, digits)).card["trusted"]
    assert sum(told) == 100 and 1 <= told[4] <= 3
    assert divide(run, digits).card["trusted"] == [10] * 10
    few = replace(run, examples=80, trusted=80)
    with pytest.raises(UserError, match="80 trusted images of 80 are too many; at most 79"):
        check(few)
    monkeypatch.setattr("nlcore.data.shared", lambda name: digits._replace(K=1))
    with pytest.raises(UserError, match="single class"):
        check(RUN)


def test_every_trusted_image_that_a_record_tells_of_was_used():
    """All that GLC is given teach it, however few a class has."""
    digits_ = lacking(4, 3, data.load("digits"))
    run = replace(RUN, method=GLC(trusted_batch=40), trusted=100, examples=0)
    split = divide(run, digits_)
    source = Resident(run, digits_.train.x, tuple(digits_.test), split, 10)
    used = set()
    for _ in range(300):
        used |= {*drawn(source.trusted, 40)[0].tolist()}
    assert len(used) == sum(split.card["trusted"]) == 100


# ---- what the process had before


def test_precision_and_generators_are_put_back():
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    new = hasattr(cudnn, "conv")
    cpu = torch.backends.mkldnn
    all_of_them = (cudnn.conv, cudnn.rnn, matmul, cpu.conv, cpu.rnn, cpu.matmul)
    switches = [(s, "fp32_precision") for s in all_of_them] if new else []
    switches = switches or [(s, "allow_tf32") for s in (cudnn, matmul)]
    before = [getattr(*switch) for switch in switches]
    with full_precision():
        assert all(getattr(*switch) in ("ieee", False) for switch in switches)
    assert [getattr(*switch) for switch in switches] == before
    torch.manual_seed(5)
    state = torch.get_rng_state()
    train.train(RUN, "cpu")
    assert torch.equal(torch.get_rng_state(), state) and [getattr(*switch) for switch in switches] == before


def test_a_cpu_run_never_touches_the_generator_of_a_gpu(monkeypatch):
    seeded = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", lambda *a: seeded.append(a))
    monkeypatch.setattr(torch.cuda, "manual_seed", lambda *a: seeded.append(a))
    train.train(RUN, "cpu")
    assert not seeded


def test_a_capture_that_fails_is_one_sentence_and_ends_the_sweep(monkeypatch):
    def fails(training, given):
        raise step.CaptureFailed("the step of CE could not be captured (for a test)")

    monkeypatch.setitem(step.CAPTURE, "cpu", fails)
    with pytest.raises(UserError, match="could not be captured .for a test.; see .*start again"):
        sweep.collect([RUN], "nopaper", jobs=1)


def test_a_first_stage_that_diverges_is_charged_for_itself_alone():
    run = replace(RUN, method=GLC(), trusted=50, budget=Budget(20, evaluations=2, optimiser="sgd", lr=1e30))
    record = train.train(run, "cpu")
    steps = record.cost["steps"]
    assert record.diverged and (record.cost["forward_passes"], record.cost["backward_passes"]) == (steps, steps)


@pytest.mark.parametrize("kind", [GLC, ForwardEstimated, NoiseAdaptation])
def test_a_method_that_is_given_its_matrix_is_charged_for_one_stage(kind):
    whole, second = kind().passes, kind(LAW).passes
    assert (whole[0] - second[0], whole[1] - second[1]) == (1, 1) and kind(LAW).first is None


def test_calibration_without_held_out_labels_is_refused():
    with pytest.raises(UserError, match="calibration needs noisy labels of images that are held out"):
        check(replace(RUN, validation=0, analyses=("calibration",)))


def test_a_projection_of_three_classes_needs_as_many(tmp_path):
    x, y = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), np.uint8), np.arange(60) % 2
    np.savez(tmp_path / "two.npz", train_images=x[:40], train_labels=y[:40], test_images=x[40:], test_labels=y[40:])
    run = replace(RUN, dataset=str(tmp_path / "two.npz"), examples=20, validation=10, analyses=("projection",))
    with pytest.raises(UserError, match="the projection is of three classes, and there are 2"):
        check(run)


def test_precision_around_a_training_is_refused():
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(UserError, match="outside of torch.autocast"):
        with reproducible(0, torch.device("cpu")):
            pass


def test_less_precise_products_that_a_notebook_allows_are_not_those_of_a_training():
    before = torch.get_float32_matmul_precision()
    plain = train.train(RUN, "cpu").history
    try:
        torch.set_float32_matmul_precision("medium")
        assert [row["loss"] for row in train.train(RUN, "cpu").history] == [row["loss"] for row in plain]
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("switch", SURROUNDINGS)
def test_less_than_fp32_by_the_environment_is_refused(switch, monkeypatch):
    monkeypatch.setenv(switch, "1")
    with pytest.raises(UserError, match=f"{switch}=1 lets fp32 be less than fp32"):
        devices("cpu")
    monkeypatch.setenv(switch, SURROUNDINGS[switch].upper())
    assert devices("cpu")


def test_a_training_among_tensors_that_are_made_elsewhere_is_refused():
    with torch.device("meta"), pytest.raises(UserError, match="on the CPU, not on meta"):
        with reproducible(0, torch.device("cpu")):
            pass
