"""A mentor of one's own: learned from the labels of a data set that somebody has checked, applied to all of them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import torch

from .. import data as datasets
from .. import models, vouch
from ..data.own import SPLITS
from ..data.tables import called, repeated
from ..files import check_writable, free, sha256, whole
from ..inputs import UserError, few, lookup, require, tell
from ..methods import MentorNet
from ..methods.mentor import Mentor
from ..models import Net, build
from ..runs import Budget, Run
from ..training.device import pick_device, reproducible
from ..training.loop import How, fit
from ..training.sources import Resident, resident
from ..training.split import Labels, Split
from .reviewed import check_given, table_of_checked, true_classes

SGD = {"optimiser": "sgd", "lr": 0.05, "weight_decay": 2e-4, "schedule": "steps", "milestones": (0.5, 0.75)}
# learned once and early, as the released one was: to a later one the losses of a young student look too large
EARLY = (0.21,)


def learn(dataset: str, checked: Path, out: Path, *, model="conv_small", steps=0, device="auto") -> str:
    """Train a student on the labels of a data set as they are, and a mentor on what becomes of those that are `checked`
    (a table of `file`, as `Dataset.files` has it, and true `label`; images kept for testing are passed over); write it
    to `out` (.npz). Returns what to tell."""
    done, data = _there(out, ".npz"), datasets.shared(datasets.pin(dataset))
    index, true = _checked(data, checked)
    source = f"data {data.sha256[:12]}, checked labels {sha256(checked)[:12]}, {model}, --steps {steps}"
    if done:
        before = _source(out)
        require(before in ("", source), f"{out} was learned from {before}, not from {source}; choose another --out")
        return done
    right = (data.train.y[index] == true).double().mean().item()
    all_are = "right" if right else "wrong"
    told = f"of the {len(index)} labels checked in {checked} all are {all_are}: a mentor needs some of both"
    require(0 < right < 1, told)
    net, accuracy = _student(data, MentorNet("data", updates=EARLY), index, true, model, steps, device)
    arrays = {name: value.cpu().numpy() for name, value in net.mentor.state_dict().items()} | {"source": source}
    place = _write(out, lambda file: np.savez(file, **arrays))
    return f"of {len(index)} checked labels {right:.0%} are right; student at {accuracy:.1%}; mentor in {place}"


def apply(dataset: str, mentor: Path, out: Path, *, model="conv_small", steps=0, device="auto") -> str:
    """Train a student on a data set under a mentor, and write the weight of every training label to `out` (.csv) as
    file, label, weight, the least trusted first. Returns what to tell."""
    done, method = _there(out, ".csv"), MentorNet("data").led_by(load(mentor))
    data = datasets.shared(datasets.pin(dataset))
    if done:
        _check_weights(out, data)
        return f"{done} (made by whatever mentor, network and steps)"
    nothing = torch.empty(0, dtype=torch.long)
    net, accuracy = _student(data, method, nothing, nothing, model, steps, device)
    table = pd.DataFrame({"file": data.files, "label": [data.classes[k] for k in data.train.y.tolist()]})
    table["weight"] = net.v.cpu().numpy().round(4)
    table = table.sort_values("weight", kind="stable")
    place = _write(out, lambda file: table.to_csv(file, index=False))
    doubted = int((table.weight < 0.5).sum())
    return f"{doubted} of {len(table)} labels have a weight below 0.5; student at {accuracy:.1%}; weights in {place}"


def load(path: Path) -> Mentor:
    """The mentor that `learn` has written; a `UserError` if a file holds none."""
    mentor = Mentor()
    require(path.exists(), f"there is no file {path}")
    require(path.is_file(), f"{path} is no mentor, as it is no file")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            mentor.load_state_dict({k: torch.from_numpy(arrays[k]) for k in arrays.files if k != "source"})
    except Exception as error:  # whatever a torn file makes of reading it
        raise UserError(f"{path} is no mentor of `nlcore mentor learn` ({type(error).__name__})") from None
    finite = all(value.isfinite().all() for value in mentor.state_dict().values())
    sound = finite and -1 <= mentor.at < mentor.percent.num_embeddings
    require(sound, f"{path} is no mentor of `nlcore mentor learn` (numbers that no mentor has)")
    return mentor


def _source(mentor: Path) -> str:
    """What a mentor says that it was learned from; nothing if it is one that says nothing of it."""
    load(mentor)
    with np.load(mentor, allow_pickle=False) as arrays:
        return str(arrays["source"]) if "source" in arrays else ""


def _there(out: Path, suffix: str) -> str:
    """Refuse a place that cannot be written to; say so if the result is there already."""
    require(out.suffix == suffix, f"--out must be a file {suffix}, not {out}")
    require(out.parent.is_dir(), f"there is no folder {out.parent} for {out.name}")
    check_writable(out.parent, "choose another --out")
    return f"{out} is there already; remove it to make it again" if out.exists() else ""


def _check_weights(out: Path, data: datasets.Dataset) -> None:
    """Refuse a file that is there in place of a table of weights of the labels that this data set has now."""
    table, labels = _table(out), [data.classes[k] for k in data.train.y.tolist()]
    pairs = {(file.lstrip(), label) for file, label in zip(data.files, labels, strict=True)}  # as cells begin
    own = "weight" in table and {*zip(table.file, table.label, strict=True)} == pairs
    require(own, f"{out} is no table of weights of {data.name} as it is now; choose another --out, or remove it")


def _write(out: Path, save: Callable[[BinaryIO], None]) -> Path:
    """Let `save` write a file, which is there only once it is whole; under another name if one has come to be there
    meanwhile. Returns its place."""
    place = free(out)
    with whole(place) as part, part.open("wb") as file:
        save(file)
    return place


def _checked(data: datasets.Dataset, path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Training images (m,) whose label was checked, and their true classes (m,); rows of images that are kept for
    testing are passed over, and counted. A `UserError` says what else is wrong with the table."""
    table = _table(path)
    place = Path(datasets.parted(data.name)[0])
    rows = {file: row for row, file in enumerate(data.files)}
    names = {file: _name(file, place, rows) for file in table.file.unique()}
    kept = [place, *(folder for folder in place.glob("*/") if folder.name.lower() in SPLITS["test"])]
    others = {file: name for file, name in names.items() if name not in rows and not _outside(name)}
    tested = [file for file, name in others.items() if any(os.path.isfile(folder / name) for folder in kept)]
    table = table[~table.file.isin(tested)]
    if tested:
        tell(f"{path}: {len(tested)} rows are of images kept for testing, and passed over: {few(tested, most=3)}")
    files = table.file.map(names)
    index = [lookup("training image", file, rows) for file in files]
    require(len(index) > 0, f"{path} names no training image of {place}")
    many = sorted({*files} & repeated(data.files))
    require(not many, f"{place} lists {few(many, most=3)} more than once, so {path} does not say which is meant")
    twice = files[files.duplicated()].tolist()
    require(not twice, f"{path} names an image twice: {few(twice, most=3)}")
    labels = [data.classes[k] for k in data.train.y[index].tolist()]
    check_given(table, path, data.name, [*zip(files, labels, strict=True)])
    return torch.tensor(index), torch.tensor(true_classes(table, path, labels, data.classes))


def _table(path: Path) -> pd.DataFrame:
    """A table with the columns file and label, all cells as text and the former filled."""
    table, gone = table_of_checked(path, ("file", "label"))
    table = table[~gone]
    empty = table.index[table.file == ""][:1]
    require(not len(empty), f"{path}: row {[*empty + 1]} below the header has no file")
    return table


def _name(file: str, place: Path, rows: dict[str, int]) -> str:
    """A file of a table as `Dataset.files` has it (see `called`), which may have the folder of the split before it."""
    name = called(file, place, rows)
    split, _, rest = name.partition("/")
    return rest if name not in rows and split.lower() in SPLITS["train"] and rest in rows else name


def _outside(name: str) -> bool:
    """Whether a name leads out of the folder that it is joined to."""
    return os.path.isabs(name) or ".." in Path(name).parts


def _student(data, method, index, true, model, steps, device) -> tuple[Net, float]:
    """A student trained on all labels as they are, with the mentor beside it, and its accuracy on the test images.
    `true` (m,) are the classes of the images `index` (m,); with 0 `steps` it trains for 50 epochs, 500 steps at least.
    """
    place, M = pick_device(device), len(data.train.y)
    steps = steps or max(500, 50 * M // 128)
    enough = 10 * max(M // 128, 1)  # steps of ten epochs
    require(steps >= enough, f"{steps} steps are less than ten epochs of {M} images; at least {enough} are needed")
    run = Run(data.name, model, Budget(steps, 128, evaluations=10, **SGD), method=method, trusted=len(index))
    models.check(model, tuple(data.train.x.shape[1:]), data.K, 128)
    vouch.vouch([run], lambda line: None)  # a chapter that shows this shows no word of golden runs
    label, rows = data.train.y, torch.arange(M)
    truth = label.clone()
    truth[index] = true

    def pairs(of) -> Labels:
        return Labels(rows[of], label[of], truth[of])

    nothing, probe = slice(0), slice(2000)
    split = Split(pairs(slice(M)), pairs(nothing), pairs(probe), pairs(index), index, data.train.x[:0], {})
    images, *test = resident(data.name, place)
    with reproducible(run.seed, place):
        source = Resident(run, images, tuple(test), split.to(place), data.K)
        net = build(model, source.task.shape, data.K)
        *_, row = fit(run, source, net, How(progress=True))
    require(row["loss"] is not None, "the student diverged; there is no mentor to write")
    return net, row["test_accuracy"]
