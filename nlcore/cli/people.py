"""Commands about data, also those of one's own: data, mentor, stream."""

import json
import math
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..inputs import conform, lookup, require, tell
from .base import Json, Set, app, named, show

if TYPE_CHECKING:
    from ..methods import Method


@app.command("data")
def data_(
    words: Annotated[list[str] | None, typer.Argument(help="get NAME ... | duplicates NAME ... | people")] = None,
    as_json: Json = False,
) -> None:
    """List the data sets, and the labels that people gave to them: state, images, hash, size, place; or `get` some,
    each from the first source that verifies; or count the `duplicates` in some: images of the training set that are in
    the test set too, or have several labels; or print, as JSON, how far `people` agree on labels."""
    from .. import data
    from ..data import fetch, labels
    from ..data.duplicates import duplicates

    if not words:
        rows = data.listing() + labels.listing()
        return show(rows if as_json else [row | {"sha256": row["sha256"][:12]} for row in rows], as_json)
    if words == ["people"]:
        from ..noise.agreement import facts

        return print(json.dumps(facts()))
    known = words[0] in ("get", "duplicates") and len(words) > 1
    ways = "`nlcore data`, `nlcore data get NAME ...`, `nlcore data duplicates NAME ...` or `nlcore data people`"
    require(known, f"{ways}, not {' '.join(words)}")
    if words[0] == "duplicates":
        return show([duplicates(data.shared(name)) for name in words[1:]], as_json)
    for name in words[1:]:
        lookup("data set to fetch", name, [*fetch.SOURCES, *labels.FILES])
    for name in words[1:]:
        get = labels.get if name in labels.FILES else fetch.get
        print(f"{name}: ready in {get(name, print)}")


mentor = typer.Typer(
    no_args_is_help=True, help="Learn which labels of a data set to trust, from some that were checked."
)
app.add_typer(mentor, name="mentor")
Data = Annotated[str, typer.Argument(help="a data set, such as a folder of images")]
Steps = Annotated[int, typer.Option(help="of the student (default: 50 epochs, 500 at least)")]
Model = Annotated[str, typer.Option(help="the student")]
Device = Annotated[str, typer.Option(help="auto | cpu | cuda | cuda:1")]


@mentor.command()
def learn(
    dataset: Data,
    checked: Annotated[Path, typer.Option(help="table of file,label: true classes of some training images")],
    out: Annotated[Path, typer.Option(help="where the mentor goes")] = Path("mentor.npz"),
    model: Model = "conv_small",
    steps: Steps = 0,
    device: Device = "auto",
) -> None:
    """Train a student on the labels as they are, and a mentor on the losses of those that were checked."""
    from ..audit import mentors

    print(mentors.learn(dataset, checked, out, model=model, steps=steps, device=device))


@mentor.command()
def apply(
    dataset: Data,
    by: Annotated[Path, typer.Option("--mentor", help="the mentor")] = Path("mentor.npz"),
    out: Annotated[Path, typer.Option(help="where the table of weights goes")] = Path("weights.csv"),
    model: Model = "conv_small",
    steps: Steps = 0,
    device: Device = "auto",
) -> None:
    """Train a student under a mentor; list every label with its weight, the least trusted first."""
    from ..audit import mentors

    print(mentors.apply(dataset, by, out, model=model, steps=steps, device=device))


def _method(name: str, override: list[str] | None) -> "Method":
    """A method by name, with what a command line sets of its parameters."""
    from ..methods import METHODS

    kind, values = lookup("method", name, METHODS), named(override)
    types = {field.name: field.type for field in fields(kind)}
    hints = {parameter: lookup(f"parameter of {name}", parameter, types) for parameter in values}
    return kind(**{parameter: conform(parameter, value, hints[parameter]) for parameter, value in values.items()})


@app.command()
def stream(
    folder: Annotated[Path, typer.Argument(help="images and lists in the layout of Clothing1M")],
    out: Annotated[Path, typer.Option(help="folder for the result, and for what a second start needs to continue")],
    method: Annotated[str, typer.Option(help="such as fasten")] = "ce",
    override: Set = None,
    model: Annotated[str, typer.Option(help="a network; resnet50 is that of ImageNet")] = "resnet50",
    pretrained: Annotated[bool, typer.Option("--pretrained", help="start from weights of ImageNet")] = False,
    epochs: Annotated[int, typer.Option(help="over the noisy images")] = 10,
    steps: Annotated[int, typer.Option(help="in place of epochs")] = 0,
    batch: Annotated[int, typer.Option(help="noisy images a step, in each process")] = 32,
    lr: Annotated[float, typer.Option(help="learning rate, a tenth of it in the second half")] = 0.01,
    precision: Annotated[str, typer.Option(help="fp32 | bf16")] = "fp32",
    trusted: Annotated[int, typer.Option(help="images of the clean training list, balanced (default: all)")] = 0,
    examples: Annotated[int, typer.Option(help="noisy images to train on (default: all that are not held out)")] = 0,
    validation: Annotated[int, typer.Option(help="noisy images held out, for methods that choose by them")] = 0,
    calibration: Annotated[
        bool, typer.Option("--calibration", help="examine it at the end; needs --validation")
    ] = False,
    side: Annotated[int, typer.Option(help="pixels that images are resized to; seven eighths are cut out")] = 256,
    workers: Annotated[int, typer.Option(help="that decode images, for each process")] = 4,
    every: Annotated[int, typer.Option(help="steps between checkpoints")] = 1000,
    seed: int = 0,
    device: Device = "auto",
) -> None:
    """Train on images too many for the device, measured once an epoch; torchrun starts it on several. Stop it at any
    time; a second start continues. The recipe is ours: what is usual for ResNet-50, with a weight decay of 0.001."""
    from ..data import archive
    from ..runs import Budget, Run
    from ..training.processes import joined
    from ..training.stream import stream as stream_archive
    from ..training.streamed import Reading
    from ..vouch import unedited, vouch

    chosen, process = _method(method, override), joined(device)
    sizes = {"trusted": trusted, "examples": examples, "validation": validation, "steps": steps}
    for name, value in sizes.items():
        require(value >= 0, f"--{name} must be 0 or more, not {value}")
    require(epochs > 0, f"--epochs must be 1 or more, not {epochs}")
    found = archive.read(folder, trusted)
    pairs = examples or len(found.train.file) - validation
    if chosen.trust == "within":
        pairs += len(found.trusted.file)
    per_epoch = max(pairs // process.world // max(batch, 1), 1)  # steps
    steps = steps or epochs * per_epoch
    recipe = {"optimiser": "sgd", "weight_decay": 1e-3, "schedule": "steps", "milestones": (0.5,)}
    given = {"lr": lr, "precision": precision, "evaluations": max(math.ceil(steps / per_epoch), 1)}
    budget = Budget(steps, batch, channels_last=True, augment="flip_crop", **recipe, **given)
    used = {"examples": examples, "validation": validation, "trusted": len(found.trusted.file)}
    analyses = ("calibration",) if calibration else ()
    run = Run(found.name, model, budget, method=chosen, seed=seed, analyses=analyses, **used)
    vouched = partial(vouch, [run], tell) if process.rank == 0 else unedited
    told = stream_archive(run, found, out, process, Reading(side, workers), every, pretrained, vouched)
    if process.rank == 0:
        print(told)
