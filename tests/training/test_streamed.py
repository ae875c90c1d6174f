"""Images that are streamed: bad archives are refused, the numbers are those of resident images, it survives kill -9."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from test_cli import nlcore

from nlcore import cli, data
from nlcore.data import archive
from nlcore.data.images import crop
from nlcore.inputs import UserError
from nlcore.methods import CE, GLC, METHODS, Distillation, DivideMix, FasTEN, MentorNet, Truncated
from nlcore.models import build
from nlcore.runs import Budget, Run, golden
from nlcore.training import sources, states, stream, streamed
from nlcore.training import step as a_step
from nlcore.training.device import reproducible
from nlcore.training.loop import fit
from nlcore.training.processes import Process
from nlcore.training.split import Labels, Split

HERE = Process(torch.device("cpu"))
READING = streamed.Reading(side=8)
SIDE = READING.side  # as the digits are; 7 pixels of it are seen
LISTS = {"noisy_train": 700, "clean_train": 200, "clean_val": 150, "clean_test": 250}
ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.xdist_group("streamed")  # one process makes the archive


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """1,300 digits in the layout of Clothing1M, one noisy label in twenty wrong."""
    folder, digits, draw = tmp_path_factory.mktemp("archive"), data.load("digits"), np.random.default_rng(0)
    x, y, start = digits.train.x, digits.train.y.tolist(), 0
    lines = {"category_names_eng": [f"digit {k}" for k in range(10)], "noisy_label_kv": [], "clean_label_kv": []}
    for name, count in LISTS.items():
        keys = [f"images/{i % 7}/{i}.png" for i in range(start, start + count)]
        for i, key in enumerate(keys, start):
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(x[i, 0].numpy()).save(folder / key)
            noisy = (y[i] + 1) % 10 if draw.random() < 0.05 else y[i]
            kind, label = ("noisy", noisy) if name == "noisy_train" else ("clean", y[i])
            lines[f"{kind}_label_kv"].append(f"{key} {label}")
        lines[f"{name}_key_list"], start = keys, start + count
    for name, content in lines.items():
        (folder / f"{name}.txt").write_text("\n".join(content) + "\n")
    return folder


def run_of(found: archive.Archive, method=None, model="mlp1", **budget) -> Run:
    budget = {"steps": 30, "batch": 50, "evaluations": 3, "lr": 3e-3} | budget
    return Run(found.name, model, Budget(**budget), method=method or CE(), trusted=len(found.trusted.file))


def streams(run, found, out, **options) -> dict:
    stream.stream(run, found, out, HERE, READING, **options)
    return json.loads((out / "result.json").read_text())


def test_the_lists_are_read(place):
    found = archive.read(place)
    assert [len(part.file) for part in found[2:6]] == [*LISTS.values()] and len(found.classes) == 10
    digits = data.load("digits").train
    _, x = streamed.decoded(found.test.file, SIDE, [0, 3])
    assert torch.equal(x[1, 0], digits.x[1053, 0]) and torch.equal(found.test.label, digits.y[1050:1300])
    assert 0.9 < (found.train.label == digits.y[:700]).double().mean() < 1
    assert archive.read(place, trusted=30).trusted.label.bincount().tolist() == [3] * 10


def _append(line):
    return lambda path: path.write_text(path.read_text() + line)


BAD = {
    "cannot be read": ("noisy_train_key_list", Path.unlink),
    "is empty": ("clean_val_key_list", lambda path: path.write_text("\n")),
    "has no label in noisy_label_kv": ("noisy_train_key_list", _append("images/0/none.png")),
    "is in noisy_train_key_list.txt and again in clean_test": ("clean_test_key_list", _append("images/0/0.png")),
    "images/0/0.png is in noisy_train_key_list.txt and ag": ("clean_test_key_list", _append("images/./1/..//0/0.png")),
    "line 601: .* one of 10 classes": ("clean_label_kv", _append("images/0/0.png 10")),
    "line 701: .* is not a path and": ("noisy_label_kv", _append("0.png")),
    "one of 3 classes": ("category_names_eng", lambda path: path.write_text("a\nb\nc\n")),
    "line 701: images/0/0.png has another label": ("noisy_label_kv", _append("images/0/0.png 9")),
    "category_names_eng.txt has digit 1 more than once": ("category_names_eng", _append("digit 1")),
    "images/3/3.png of noisy_train_key_list.txt is not there": ("images/3/3.png", Path.unlink),
    "images/4/4.png of noisy_train_key_list.txt is not there": (
        "images/4/4.png",
        lambda path: path.unlink() or path.mkdir(),
    ),
    "/a/0.png of clean_val_key_list.txt is a whole path, not one from": ("clean_val_key_list", _append("/a/0.png")),
}


def test_a_class_without_an_image_to_train_on_is_said(place, tmp_path, capsys):
    shutil.copytree(place, tmp_path / "own")
    _append("a class more")(tmp_path / "own" / "category_names_eng.txt")
    archive.read(tmp_path / "own")
    assert "noisy_train_key_list.txt: no image to train on has the label a class more" in capsys.readouterr().err


@pytest.mark.parametrize("sentence", BAD)
def test_bad_archives_are_refused(place, tmp_path, sentence):
    folder, (name, spoil) = tmp_path / "bad", BAD[sentence]
    shutil.copytree(place, folder)
    spoil(folder / (name if "/" in name else f"{name}.txt"))
    with pytest.raises(UserError, match=sentence):
        archive.read(folder)


def test_bad_options_are_one_sentence(place, tmp_path, capsys):
    given = ["stream", str(place), "--out", str(tmp_path / "out"), "--steps", "3", "--device", "cpu", "--model", "mlp1"]
    bad = {
        "did you mean fasten": ["--method", "fastem"],
        "conv6 cannot take images of 7 x 7": ["--method", "distillation", "--set", "teacher=conv6", "--side", "8"],
        "did you mean rho": ["--method", "fasten", "--set", "roh=1"],
        "rho must be of type float": ["--method", "fasten", "--set", "rho=high"],
        "noisy labels of images that are held out": ["--method", "truncated"],
        "do not suffice for 700 held out": ["--validation", "700"],
        "calibration needs": ["--calibration"],
        "updates must be a list such as": ["--method", "mentornet", "--set", "updates=3"],
        "T must be a list such as": ["--method", "forward", "--set", "T=hello"],
        "--trusted must be 0 or more": ["--trusted", "-3"],
        "trusted images of each": ["--method", "glc", "--trusted", "5"],
        "only resnet50": ["--pretrained"],
        "starts a second network": ["--pretrained", "--method", "co_teaching"],
        "side 8": ["--side", "4"],
        "1 or more": ["--batch", "0"],
    }
    for sentence, words in bad.items():
        code, out, err = nlcore(capsys, *given, *words)
        assert code == 2 and out == "" and len(err.strip().splitlines()) == 1 and sentence in err, err
    assert not (tmp_path / "out").exists()


def test_methods_that_need_more_than_an_archive_has_are_refused(place):
    found, refused = archive.read(place), set()
    for name, kind in METHODS.items():
        try:
            streamed.check(run_of(found, kind()), found, HERE, READING)
        except UserError:
            refused.add(name)
    assert refused == {"truncated", "forward_estimated", "noise_adaptation"}
    streamed.check(replace(run_of(found, Truncated()), validation=100), found, HERE, READING)
    for sentence, method in (("200 have none", MentorNet("data")), ("other data", MentorNet("data", source="digits"))):
        with pytest.raises(UserError, match=sentence):
            streamed.check(run_of(found, method), found, HERE, READING)


def test_a_file_that_cannot_be_decoded_is_named(tmp_path):
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff cut")
    with pytest.raises(UserError, match="cut.jpg cannot be decoded"):
        streamed.decoded(np.array([bytes(tmp_path / "cut.jpg")]), SIDE, [0])
    deep = tmp_path.joinpath(*["d" * 200] * 3)
    deep.mkdir(parents=True)
    (deep / "cut.jpg").touch()
    for workers, file in ((0, tmp_path / "cut.jpg"), (1, tmp_path / "cut.jpg"), (1, deep / "cut.jpg")):
        with pytest.raises(UserError) as told:
            files, reading = np.array([bytes(file)]), streamed.Reading(SIDE, workers)
            next(streamed.loaded(files, [[0]], reading, HERE.device))
        said = str(told.value)  # a worker's sentence arrives as one
        assert said.startswith(str(tmp_path)) and "cut.jpg" in said and len(said.splitlines()) == 1


def test_crops_are_windows_of_the_image_mirrored_or_not():
    torch.manual_seed(0)
    x = torch.arange(2 * 3 * 9 * 9).reshape(2, 3, 9, 9).repeat(150, 1, 1, 1)
    assert torch.equal(crop(x, 7, False), x[:, :, 1:8, 1:8])
    cut, seen = crop(x, 7, True), set()
    for image, piece in zip(x, cut, strict=True):
        windows = {(a, b): image[:, a : a + 7, b : b + 7] for a in range(3) for b in range(3)}
        fits = [(*at, f) for at, w in windows.items() for f in (0, 1) if torch.equal(w.flip(2) if f else w, piece)]
        assert len(fits) == 1
        seen |= {*fits}
    assert len(seen) == 18


def test_the_streamed_loop_is_the_resident_loop(place, tmp_path, monkeypatch):
    """The same images in the same order give the same losses and accuracies at every step, over three epochs."""
    found = archive.read(place)
    run = run_of(found, optimiser="sgd", lr=0.02, schedule="steps", milestones=(0.5,), steps=42, evaluations=21)
    streams(run, found, tmp_path / "out", every=5)
    ours = [json.loads(line) for line in (tmp_path / "out" / "history.jsonl").read_text().splitlines()]
    images, rows, labels = [], [], []
    for part in (found.train, found.validation, found.test):
        images.append(streamed.decoded(part.file, SIDE, range(len(part.file)))[1][..., :7, :7])
        rows.append(torch.arange(len(part.file)) + sum(map(len, rows)))
        labels.append(part.label)
    pairs, held = (Labels(rows[i], labels[i], labels[i]) for i in (0, 1))
    nothing = Labels(*(t[:0] for t in pairs))
    split = Split(pairs, held, pairs, nothing, torch.empty(0, dtype=torch.long), images[0][:0], {})
    monkeypatch.setattr(sources, "moments", lambda x: (streamed.MEAN, streamed.STD))
    with reproducible(0, torch.device("cpu")):
        known = Run("digits", "mlp1", run.budget, validation=len(held.row))
        source = sources.Resident(known, torch.cat(images[:2]), (images[2], labels[2]), split, 10)
        theirs = list(fit(known, source, build("mlp1", source.task.shape, 10)))
    for name in ("step", "epoch", "loss", "clean_validation", "test_accuracy"):
        np.testing.assert_allclose([r[name] for r in ours], [r[name] for r in theirs], rtol=0, atol=2e-6)
    assert ours[-1]["loss"] < ours[0]["loss"] / 2


def kept(path: Path) -> dict:
    """The state in a file."""
    return states.read(path, torch.device("cpu"))


METHOD = {"fasten": FasTEN(), "glc": GLC(), "distillation": Distillation(teacher="mlp2"), "ce": CE()}
METHOD |= {"dividemix": DivideMix(warm_up=0.2)}


@pytest.mark.parametrize("name", METHOD)
def test_methods_learn(place, tmp_path, name):
    found = archive.read(place)
    budget = {"steps": 80, "augment": "flip_crop", "precision": "bf16" if name == "ce" else "fp32"}
    result = streams(run_of(found, METHOD[name], **budget), found, tmp_path / "out")
    assert result["last"]["test_accuracy"] > 0.6 and result["cost"]["forward_passes"] == 80 * METHOD[name].passes[0]
    assert ("first_test_accuracy" in result["last"]) == (name in ("glc", "distillation"))
    (path,) = (tmp_path / "out").glob("*.safetensors")
    state = kept(path)
    if name == "glc":
        assert state["net"]["T"].diagonal().mean() > 0.5
    if name == "fasten":
        assert len(state["net"]["believed"]) == 700 and (state["net"]["believed"] != found.train.label).any()


@pytest.mark.parametrize("name", ["ce", "glc"])
def test_a_stream_that_diverges_says_so(place, tmp_path, name):
    """GLC in its first stage, whose numbers are not its own."""
    found, out = archive.read(place), tmp_path / "out"
    run = run_of(found, METHOD[name], steps=20, evaluations=4, optimiser="sgd", lr=1e30)
    told = stream.stream(run, found, out, HERE, READING)
    stage = "its first stage " if name == "glc" else ""
    assert f"last: {stage}diverged, and the training ended at epoch" in told and "%" not in told
    assert json.loads((out / "result.json").read_text())["diverged"] is True


def test_a_network_that_whitens_patches_sees_images_of_the_archive(place, tmp_path):
    found = archive.read(place)
    run = run_of(found, model="airbench94", steps=12, evaluations=1, augment="flip_shift", lr=1e-3)
    assert streams(run, found, tmp_path / "out")["last"]["test_accuracy"] > 0.2
    (path,) = (tmp_path / "out").glob("*.safetensors")
    weight = kept(path)["net"]["body.1.weight"]
    assert not torch.equal(weight.flatten(1)[:12], torch.eye(12)) and weight.isfinite().all()


def test_noisy_labels_that_are_held_out_choose_and_calibrate(place, tmp_path):
    """Truncated L_q prunes by its best network; a part of the noisy images trains, another is held out."""
    found = archive.read(place)
    run = run_of(found, Truncated(start=0.2, every=0.3), steps=60, evaluations=6)
    run = replace(run, validation=200, examples=400, analyses=("calibration",))
    result = streams(run, found, tmp_path / "out")
    assert 0 < result["last"]["noisy_validation"] <= 1 and result["last"]["test_accuracy"] > 0.5
    assert result["last"]["temperature"] > 0 and sum(n for n, _, _ in result["last"]["reliability"]) == 250
    (path,) = (tmp_path / "out").glob("*.safetensors")
    state = kept(path)
    assert len(state["net"]["pair_weight"]) == 400 and state["score"] > 0 and state["best"]
    rows = [json.loads(line) for line in (tmp_path / "out" / "history.jsonl").read_text().splitlines()]
    assert state["score"] == pytest.approx(max(row["noisy_validation"] for row in rows), abs=1e-6)


def test_held_out_images_are_none_of_those_that_train(place):
    found = archive.read(place)
    train, held, index = streamed.chosen(replace(run_of(found), validation=200, examples=300), found)
    assert (len(train.file), len(held.file), len(index)) == (300, 200, 0)
    assert not {*train.file} & {*held.file} and {*train.file} | {*held.file} <= {*found.train.file}
    everyone, none, _ = streamed.chosen(run_of(found), found)
    assert [*everyone.file] == [*found.train.file] and not len(none.file)


def test_trusted_images_may_be_among_the_noisy_ones(place, tmp_path):
    """A mentor learns from images of which the noisy label and the true class are known."""
    folder = tmp_path / "both"
    shutil.copytree(place, folder)
    clean = (folder / "clean_train_key_list.txt").read_text().split()
    known = dict(line.split() for line in (folder / "clean_label_kv.txt").read_text().splitlines())
    wrong = [f"{key} {(int(known[key]) + i % 2) % 10}" for i, key in enumerate(clean)]
    _append("\n".join(wrong) + "\n")(folder / "noisy_label_kv.txt")
    found = archive.read(folder)
    assert (found.trusted_noisy == found.trusted.label).double().mean() == 0.5
    run = run_of(found, MentorNet("data", burn_in=0.1), steps=60)
    train, _, index = streamed.chosen(run, found)
    assert len(train.file) == 900 and torch.equal(train.label[index], found.trusted_noisy)
    streams(run, found, tmp_path / "out")
    (path,) = (tmp_path / "out").glob("*.safetensors")
    state = kept(path)
    assert bool(state["net"]["taught"]) and len(state["net"]["v"]) == 900
    two = HERE._replace(world=2)
    with pytest.raises(UserError, match="in one process alone"):
        streamed.check(run, found, two, READING)


def test_a_class_with_few_trusted_images_repeats_them():
    (step,) = streamed.batches(20, 6, 3, [np.arange(0, 9), np.arange(9, 10)], 3, 0, 1, seed=3)
    assert step[9:] == [29] * 3 and len({*step[6:9]}) == 3


def test_trusted_batches_are_balanced_and_pairs_come_once_an_epoch():
    known = [np.arange(0, 9), np.arange(9, 13)]
    steps = list(streamed.batches(20, 6, 3, known, 2, 0, 7, seed=3))
    assert all(len(b) == 10 and all(20 <= i < 29 for i in b[6:8]) and all(29 <= i < 33 for i in b[8:]) for b in steps)
    assert len({i for b in steps[:3] for i in b[:6]}) == 18 and all(len({*b}) == 10 for b in steps)
    assert list(streamed.batches(20, 6, 3, known, 2, 4, 7, seed=3)) == steps[4:]


COMMAND = """
import os, signal, sys
import torch
import torch.distributed as dist
from nlcore import cli, vouch
from nlcore.training import step
from nlcore.training.processes import Process

inner, average, calls, last = step.rate, Process.average, [], int(sys.argv.pop(1))

def rate(budget, t):  # twice a step
    calls.append(t)
    first = os.environ.get("RANK", "1") == "1" and os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0"
    if first and len(calls) == 2 * last:
        os.kill(os.getpid(), signal.SIGKILL)
    return inner(budget, t)

def checked(process, tensors):
    some = process.world > 1 and len(calls) < 5
    if some:
        theirs = [[torch.empty_like(t) for _ in range(process.world)] for t in tensors]
        for parts, t in zip(theirs, tensors):
            dist.all_gather(parts, t.contiguous())
    average(process, tensors)
    for parts, t in zip(theirs if some else [], tensors):
        torch.testing.assert_close(t, sum(parts) / process.world)

step.rate, Process.average = rate, checked
vouch.vouch = lambda runs, echo: None  # golden runs have steps of their own
cli.main()
"""
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
TORCHRUN += ["--max-restarts", "1", "--no-python"]


def started(log: Path, *words, die: int = 0, by=()) -> int:
    """The exit code of `nlcore stream`, in a process of its own or two, killed at step `die` of those that it makes."""
    options = {"env": os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}, "stderr": subprocess.STDOUT}
    command = [*by, sys.executable, "-W", "error", "-c", COMMAND, str(die), *map(str, words)]
    with log.open("w") as file:
        return subprocess.run(command, stdout=file, timeout=120, **options).returncode


def ends(out: Path) -> tuple[list[dict], list[dict]]:
    """The last states of the processes, and the history without times."""
    rows = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
    kept_last = [kept(path) for path in sorted(out.glob("*.safetensors"))]
    return kept_last, [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


def assert_same_end(one: Path, other: Path) -> None:
    (ours, rows), (others, theirs) = ends(one), ends(other)
    assert rows == theirs and len(ours) == len(others)
    for a, b in zip(ours, others, strict=True):
        for part in ("net", "opts", "rng", "total", "found"):
            torch.testing.assert_close(a[part], b[part], rtol=0, atol=0)


def fails(words: list[str], step: int) -> None:
    """The same in this process, an exception in place of the signal: nothing more is written either."""
    inner, calls = a_step.rate, []

    def rate(budget, t):
        calls.append(t)
        if len(calls) == 2 * step:
            raise InterruptedError(f"in step {step}")
        return inner(budget, t)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(a_step, "rate", rate)
        cli.app(words, standalone_mode=False)


# steps that a start makes, and the stage and step of the checkpoint that is there then
DEATHS = [("fasten", {17: (1, 14)}), ("glc", {17: (0, 14), 28: (1, 10)}), ("glc", {31: (0, 30)})]


@pytest.mark.parametrize("name, deaths", DEATHS)
def test_killed_and_started_again_it_ends_the_same(place, tmp_path, name, deaths, capsys):
    """With a checkpoint every 7 of 30 steps and 14 steps an epoch; GLC in each of its stages and between them."""
    words = ["stream", place, "--method", name, "--model", "mlp1", "--side", SIDE, "--batch", 50, "--steps", 30]
    words = [*map(str, words), "--every", "7", "--lr", "0.02", "--device", "cpu", "--workers", "0", "--out"]
    for step, checkpoint in deaths.items():
        if (name, step) == ("glc", 17):
            code = started(tmp_path / "log", *words, tmp_path / "a", "--workers", 1, die=step)
            assert code == -signal.SIGKILL, (tmp_path / "log").read_text()
        else:
            fails([*words, str(tmp_path / "a")], step)
        assert not (tmp_path / "a" / "result.json").exists()
        (path,) = (tmp_path / "a").glob("*.safetensors")
        assert path.name == "state-{}-{:09d}.0.safetensors".format(*checkpoint)
    for out in ("a", "b"):
        code, told, err = nlcore(capsys, *words, str(tmp_path / out))
        assert code == 0, err
        assert str(tmp_path / out / "result.json") in told
    assert_same_end(tmp_path / "a", tmp_path / "b")
    again = [*words, str(tmp_path / "a")]
    assert "there already" in nlcore(capsys, *again)[1]
    code, _, err = nlcore(capsys, *again, "--seed", "1")
    assert code == 2 and "of other settings" in err


@pytest.fixture
def made(place, tmp_path):
    """An archive, a run on it that has ended, and its folder without `settings.json`."""
    found, out = archive.read(place), tmp_path / "out"
    run = run_of(found)
    streams(run, found, out)
    (out / "settings.json").unlink()
    return found, run, out


def test_a_result_of_other_settings_is_refused_and_kept(made):
    found, run, out = made
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(UserError, match="result.json is of other settings; .* the whole folder"):
        streams(replace(run, method=GLC()), found, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    streams(run, found, out)
    (out / "result.json").unlink()
    with pytest.raises(UserError, match="settings.json is damaged, or of another run; .* the whole folder"):
        streams(replace(run, seed=1), found, out)


@pytest.mark.parametrize("name", ["result.json", "history.jsonl"])
def test_a_file_of_somebody_else_is_not_written_over(place, tmp_path, name):
    found = archive.read(place)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text('{"my": "thesis"}')
    with pytest.raises(UserError, match=f"has a file {name} that no training has written"):
        streams(run_of(found), found, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


def test_a_result_that_is_not_as_it_was_written_is_kept_beside_the_new_one(made, tmp_path):
    found, run, first = made
    out = shutil.copytree(first, tmp_path / "copy")
    noted = (out / "result.json").read_text().replace("{", '{"note": "mine", ', 1)
    (out / "result.json").write_text(noted)
    assert stream.whole_result(out) is None
    assert (out / "result.damaged").read_text() == noted and not (out / "result.json").exists()


def test_a_second_start_leaves_a_folder_alone_while_the_first_trains(place, tmp_path):
    found, out = archive.read(place), tmp_path / "out"
    out.mkdir()
    held = "import fcntl, sys; f = open(sys.argv[1], 'wb'); fcntl.lockf(f, fcntl.LOCK_EX, 1, 0); print(1); input()"
    asked = [sys.executable, "-uc", held, str(out / ".running")]
    with subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with pytest.raises(UserError, match="another process trains into"):
            streams(run_of(found), found, out)
        other.communicate(b"\n")
    streams(run_of(found), found, out)


def test_a_result_is_found_again_when_its_archive_has_moved(made, tmp_path):
    found, run, out = made
    streams(run, found, out)  # settings.json is there again
    moved = replace(run, dataset=f"/elsewhere#{run.dataset.rpartition('#')[2]}")
    before = (out / "result.json").read_bytes()
    streams(moved, found, out)
    assert (out / "result.json").read_bytes() == before
    with pytest.raises(UserError, match="of other settings"):
        streams(replace(run, dataset="/elsewhere#000000000000"), found, out)


@pytest.mark.parametrize("other", [{"seed": 1}, {"lr": 1e-2}], ids=str)
def test_a_state_of_other_settings_is_no_begin(made, tmp_path, capsys, other):
    """Another seed or learning rate, with the files of states alone: it is trained as if they were not there."""
    found, run, out = made
    (out / "result.json").unlink()
    changed = replace(run, **other) if "seed" in other else replace(run, budget=replace(run.budget, **other))
    streams(changed, found, out)
    assert "does not say that it is of this run" in capsys.readouterr().err
    streams(changed, found, tmp_path / "alone")
    assert_same_end(out, tmp_path / "alone")


def test_a_stale_result_is_said_to_be_stale(made, monkeypatch, tmp_path):
    found, run, out = made
    moved = {name: told._replace(labels="moved") for name, told in golden.committed().items()}
    monkeypatch.setattr(golden, "place", lambda: tmp_path / "golden.json")
    golden.write(moved)
    with pytest.raises(UserError, match="result.json is stale"):
        streams(run, found, out)
    assert (out / "result.json").exists()


def test_two_processes_learn_with_equal_weights_and_survive(place, tmp_path):
    """Gradients are the means over processes; one is killed in the second epoch, and torchrun starts both again."""
    words = ["stream", place, "--method", "fasten", "--model", "resnet32", "--set", "trusted_batch=50", "--side", SIDE]
    words += ["--batch", 25, "--steps", 42, "--every", 8, "--lr", 0.05, "--device", "cpu", "--workers", 0, "--out"]
    log, out = tmp_path / "log", tmp_path / "out"
    assert started(log, *words, out, die=19, by=TORCHRUN) == 0, log.read_text()
    last, rows = ends(out)
    one, two = (state["net"] for state in last)
    for name in one.keys() - {"believed", "T"}:
        assert torch.equal(one[name], two[name]), name
    assert len(one["believed"]) == len(two["believed"]) == 350
    assert rows[-1]["test_accuracy"] > 0.4 and [row["epoch"] for row in rows] == [1, 2, 3]
    assert json.loads((out / "result.json").read_text())["cost"]["processes"] == 2
    assert log.read_text().count("result.json") == 1 and "exitcode: -9" in log.read_text()


@pytest.mark.parametrize("K, count", [(1000, 25_557_032), (14, 23_536_718)])
def test_resnet50_is_that_of_imagenet(K, count):
    net = build("resnet50", (3, 64, 64), K)
    assert sum(p.numel() for p in net.parameters()) == count and net.body[-1].in_features == 2048
    with torch.no_grad():
        assert net(torch.zeros(2, 3, 64, 64)).shape == (2, K)


def test_pretrained_weights_are_taken_but_for_the_last_layer(place, tmp_path, monkeypatch):
    """The weights themselves cannot be fetched in a test; others stand in for them."""
    made, inner = [], stream.resnet50

    def trained(shape, K, weights):
        made.append((weights, inner(shape, K)))
        return made[0][1]

    def fit(run, source, net, how):
        ours, theirs = net.body.state_dict(), made[0][1].state_dict()
        assert all(torch.equal(ours[k], theirs[k]) for k in theirs if not k.startswith(f"{len(net.body) - 1}."))
        assert made[0][0] == "IMAGENET1K_V1" and len(net.body[-1].bias) == 10
        raise UserError("as far as that")

    monkeypatch.setattr(stream, "resnet50", trained)
    monkeypatch.setattr(stream, "fit", fit)
    found = archive.read(place)
    with pytest.raises(UserError, match="as far as that"):
        stream.stream(run_of(found, model="resnet50"), found, tmp_path / "out", HERE, READING, pretrained=True)


def test_a_worker_whose_parent_was_killed_ends_in_silence():
    script = "import sys; from nlcore.training.streamed import without_a_word as init; init(0); "
    told = [
        subprocess.run([sys.executable, "-c", f"{script}raise {error}"], capture_output=True, text=True)
        for error in ("ConnectionResetError(104)", "ValueError('other')")
    ]
    assert (told[0].returncode, told[0].stderr) == (1, "") and "ValueError: other" in told[1].stderr
