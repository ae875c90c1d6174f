"""Run: what shall be computed, by value."""

import hashlib
import json
import math
import re
from dataclasses import dataclass, field, replace
from functools import cached_property

from .. import data
from ..inputs import check_types, describe, lookup, require
from ..measures.analysis import ANALYSES
from ..methods import CE, METHODS, Method
from ..models import MODELS
from ..noise import NOISES, Clean, Noise, OpenSet, Uniform

CARRIERS = ("same", "novel", "white", "photos")  # of labels; else a data set


@dataclass(frozen=True)
class Budget:
    """How long and how to optimise. A default is part of every key that leaves it out: never change one."""

    steps: int
    batch: int = 128
    optimiser: str = "adam"  # adam | sgd
    lr: float = 1e-3
    momentum: float = 0.9  # sgd only
    weight_decay: float = 0.0
    schedule: str = "constant"  # constant | cosine | steps | triangle
    milestones: tuple[float, ...] = ()  # "steps": shares of the budget after which the rate falls tenfold
    precision: str = "fp32"  # fp32 | bf16
    channels_last: bool = False
    evaluations: int = 10
    augment: str = "none"  # none | flip_crop | flip_shift
    nesterov: bool = False  # sgd only

    def __post_init__(self):
        check_types(self)
        require(min(self.steps, self.batch, self.evaluations) > 0, "steps, batch and evaluations must be 1 or more")
        require(0 < self.lr < math.inf, f"lr must be more than 0 and finite, not {self.lr}")
        lookup("optimiser", self.optimiser, ("adam", "sgd"))
        lookup("schedule", self.schedule, ("constant", "cosine", "steps", "triangle"))
        lookup("precision", self.precision, ("fp32", "bf16"))
        lookup("augmentation", self.augment, ("none", "flip_crop", "flip_shift"))
        sgd = self.optimiser == "sgd" and self.momentum > 0
        require(sgd or not self.nesterov, "nesterov goes with optimiser sgd and a momentum of more than 0")


@dataclass(frozen=True)
class Run:
    """One training, by value. Fields at their default are left out of the key, so a new field changes no old key."""

    dataset: str
    model: str
    budget: Budget
    noise: Noise = field(default_factory=Clean)
    method: Method = field(default_factory=CE)
    examples: int = 0  # clean training images used; 0: all that the validation split leaves
    validation: int = 0  # training images held out to choose an evaluation
    seed: int = 0
    carrier: str = "same"  # of added or open-set labels: same | novel (unused images) | white | photos | a data set
    trusted: int = 0  # of the examples: images whose true class is known, as many of each class as can be
    analyses: tuple[str, ...] = ()  # of the trained network: calibration | projection | information | norms

    def __post_init__(self):
        check_types(self)
        lookup("model", self.model, MODELS)
        added, classless = self.noise.copies is not None, self.carrier not in ("same", "novel")
        open_set = isinstance(self.noise, OpenSet)
        require(classless or not open_set, "open_set needs images of another set: carrier white, photos or a data set")
        carried = added or open_set or self.carrier == "same"
        require(carried, f"only added labels have carriers, not those of {self.noise}")
        fits = open_set or type(self.noise) is Uniform or not classless
        require(fits, f"images of {self.carrier} have no true class, so their labels can only be uniform")
        sizes = (self.seed, self.examples, self.validation, self.trusted)
        require(min(sizes) >= 0, "seed, examples, validation and trusted must be 0 or more")
        require(
            not (added and self.trusted), "trusted images go with noise that replaces labels, not with added labels"
        )
        for name in self.analyses:
            lookup("analysis", name, ANALYSES)

    def pinned(self) -> "Run":
        """The same run, data of one's own named with their content as it is now (see `data.pin`): under a path alone
        other data may lie tomorrow."""
        parts = {"dataset": data.pin(self.dataset)}
        if self.carrier not in CARRIERS:
            parts["carrier"] = data.pin(self.carrier)
        if source := getattr(self.method, "source", ""):
            parts["method"] = replace(self.method, source=data.pin(source))
        same = all(getattr(self, name) == value for name, value in parts.items())
        return self if same else replace(self, **parts)

    def spec(self) -> dict:
        """The run as plain data."""
        parts = {"noise": describe(self.noise, NOISES), "method": describe(self.method, METHODS)}
        return describe(self) | parts | {"budget": describe(self.budget)}

    @cached_property
    def key(self) -> str:
        """The beginning of the hash of `spec`, in which data of one's own stand as their content alone."""
        parts = {"noise": written(self.noise, NOISES), "method": written(self.method, METHODS)}
        parts |= {"budget": written(self.budget)}
        parts |= {name: canonical(by_content(value)) for name, value in describe(self).items() if name not in parts}
        return text_hash("{" + ",".join(f'"{name}":{parts[name]}' for name in sorted(parts)) + "}")[:16]


PINNED = re.compile("(?<=.)#[0-9a-f]{12}$")  # data of one's own, as `data.pin` names them: `path#hash`
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def canonical(value) -> str:
    """Plain data as JSON, in the one way in which it is hashed."""
    return str(value) if type(value) is int else ENCODER.encode(value)  # the encoder takes long to start


def by_content(value):
    """A value as it goes into a key: of data of one's own the hash alone, wherever they lie; all else as it is."""
    pinned = PINNED.search(value) if isinstance(value, str) else None
    return pinned.group() if pinned else value


def written(part: Budget | Noise | Method, names: dict[str, type] | None = None) -> str:
    """A part of a run as text. The part keeps it: many runs share it, and a matrix is long."""
    if "_written" not in vars(part):
        values = describe(part, names).items()
        vars(part)["_written"] = canonical({name: by_content(value) for name, value in values})
    return vars(part)["_written"]


def content_hash(value) -> str:
    return text_hash(canonical(value))


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def parse_run(spec: dict) -> Run:
    """The inverse of `Run.spec`."""
    spec = dict(spec)
    for part, names in (("noise", NOISES), ("method", METHODS)):
        options = dict(spec[part])
        spec[part] = lookup(part, options.pop("name"), names)(**options)
    budget = {k: tuple(v) if isinstance(v, list) else v for k, v in spec["budget"].items()}
    return Run(**(spec | {"budget": Budget(**budget), "analyses": tuple(spec.get("analyses", ()))}))
