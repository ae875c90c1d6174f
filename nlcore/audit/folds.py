"""What networks make of labels that they have not seen: cross-validation, each fold being kept once it is done."""

import hashlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from .. import vouch
from ..data.duplicates import digests
from ..files import whole
from ..inputs import require
from ..losses import cross_entropy
from ..methods import CE, MentorNet
from ..models import Net, build
from ..runs import Budget, Run
from ..training.device import pick_device, reproducible
from ..training.loop import How, fit
from ..training.sources import Resident, evaluating
from ..training.split import Labels, Split

SGD = {"optimiser": "sgd", "lr": 0.05, "weight_decay": 5e-4, "schedule": "cosine", "evaluations": 10}
NEIGHBOURS = 20
EPOCHS, LEAST_STEPS = 10, 300
EARLY = (0.21,)  # when a mentor learns
CODE = Path(__file__).read_bytes()  # of this file as it is obeyed; `vouch` has the code below


class Plan(NamedTuple):
    """How the labels are predicted."""

    folds: int = 5
    model: str = "conv_small"
    steps: int = 0  # of each training; 0: 10 epochs, 300 at least
    seed: int = 0
    device: str = "auto"


class Seen(NamedTuple):
    """What is known of N labels: `probability` (N, K) by a model that was trained without the example, the mean `loss`
    (N,) of the example over the trainings that it was part of, and the share (N,) of its nearest `neighbours` among the
    others that have its label. None: not known."""

    probability: np.ndarray
    loss: np.ndarray | None = None
    neighbours: np.ndarray | None = None


Trainings = Iterator[tuple[Net, Resident]]  # a network and its source, as training goes on


class Watched(CE):
    """Cross entropy that remembers the losses of each pair."""

    def build(self, net, task):
        net.register_buffer("total", torch.zeros(task.M))
        net.register_buffer("met", torch.zeros(task.M))
        return net

    def loss(self, net, batch, clock):
        loss = cross_entropy(net(batch.x), batch.y)
        index = batch.index.long()
        net.total.index_add_(0, index, loss.detach().float())
        net.met.index_add_(0, index, torch.ones_like(net.met[index]))
        return loss.mean()


def drawn(x: np.ndarray, given: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The fold (N,) of each example: as many of each class in each as can be; equal examples share theirs, or a model
    would have seen the one when it judges the other."""
    order = np.random.default_rng(seed).permutation(len(given))
    fold = np.empty(len(given), int)
    for k in np.unique(given):
        own = order[given[order] == k]
        fold[own] = (np.arange(len(own)) + k) % folds  # not every class begins with the first fold
    first = {}
    for i, digest in enumerate(digests(x)):
        fold[i] = fold[first.setdefault(digest, i)]
    return fold


def predicted(x: np.ndarray, given: np.ndarray, K: int, plan: Plan, keep: Path | None = None, echo=None) -> Seen:
    """What cross-validation knows of the labels `given` (N,) of examples `x`: images uint8 (N, C, H, W), or features
    float (N, F). Each fold is kept in the folder `keep`, if there is one, and found there again."""
    vouch.unedited()
    fold, judge = drawn(x, given, plan.folds, plan.seed), by_network if x.ndim == 4 else by_trees
    require(
        len(np.unique(fold)) == plan.folds, f"{len(x)} examples, many of them equal, do not fill {plan.folds} folds"
    )
    parts, key = [], keep and key_of(x, given, plan)
    for k in range(plan.folds):
        path = keep and keep / f"{key}-{k}.npz"
        part = _kept(path)
        found = part is not None
        if not found:
            part = judge(x, given, K, fold != k, plan)
            if path:
                with whole(path) as hidden, hidden.open("wb") as file:
                    np.savez(file, **part)
        parts.append(part)
        if echo:
            echo(f"fold {k + 1} of {plan.folds}: {'was there already' if found else 'done'}")
    return _joined(parts, fold, K)


def key_of(x: np.ndarray, given: np.ndarray, plan: Plan) -> str:
    """What the content of the folds follows from, as a hash, the code among it; not the device."""
    digest = hashlib.sha256(json.dumps([*plan._replace(device="auto"), x.shape, str(x.dtype)]).encode())
    digest.update(vouch.code().encode() + CODE)
    digest.update(np.ascontiguousarray(x).tobytes())
    digest.update(given.astype("<i8").tobytes())
    return digest.hexdigest()[:16]


def _kept(path: Path | None) -> dict[str, np.ndarray] | None:
    """A fold that was kept whole."""
    if not path or not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in ("probability", "loss", "neighbours")}
    except Exception:  # whatever a torn file makes of reading it: the fold is made again
        return None


def _joined(parts: list[dict[str, np.ndarray]], fold: np.ndarray, K: int) -> Seen:
    """The folds together. A loss is a mean over the trainings that an example was part of, each of which counts the
    same; it is measured against that of the training, which differs from one to the next."""
    probability, neighbours = np.empty((len(fold), K)), np.empty(len(fold))
    loss = np.zeros(len(fold))
    for k, part in enumerate(parts):
        held = fold == k
        probability[held], neighbours[held] = part["probability"], part["neighbours"]
        loss[~held] += part["loss"] / (len(parts) - 1)
    return Seen(probability, loss, neighbours)


def by_network(x: np.ndarray, given: np.ndarray, K: int, used: np.ndarray, plan: Plan) -> dict[str, np.ndarray]:
    """Of a network trained on the images `used` (N,): probabilities of the others, mean losses of those used, and how
    many of the neighbours of the others have their label."""
    place, images, label = pick_device(plan.device), torch.from_numpy(x), torch.from_numpy(given)
    inside = torch.from_numpy(used)
    run = Run("own", plan.model, Budget(steps_of(plan, int(used.sum())), 128, **SGD), method=Watched(), seed=plan.seed)
    held, moments = images[~inside].to(place), []
    for net, source in training(run, images[inside], label[inside], K, place):
        with evaluating(net):
            moments.append(source.logits(run.method, net, held).softmax(1))
    probability = torch.stack(moments).mean(0)
    with evaluating(net):
        near = shares(features(net, source, source.images), label[inside], features(net, source, held), label[~inside])
    loss = net.total / net.met.clamp_min(1)
    return {"probability": probability.cpu().numpy(), "loss": loss.cpu().numpy(), "neighbours": near}


def by_trees(x: np.ndarray, given: np.ndarray, K: int, used: np.ndarray, plan: Plan) -> dict[str, np.ndarray]:
    """The same of gradient boosted trees on features (N, F), which may have gaps; a loss is the mean over the growing
    number of trees."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(early_stopping=False, random_state=plan.seed % 2**32)
    trees.fit(x[used], given[used])
    probability = np.zeros((int((~used).sum()), K))
    predicted = trees.predict_proba(x[~used])
    probability[:, trees.classes_] = predicted[:, : len(trees.classes_)]  # of a single class there are two columns
    own = np.searchsorted(trees.classes_, given[used])
    stages = [-np.log(p[np.arange(len(own)), own].clip(1e-12)) for p in trees.staged_predict_proba(x[used])]
    scaled = standardised(x, used)
    near = shares(scaled[used], given[used], scaled[~used], given[~used])
    return {"probability": probability, "loss": np.mean(stages, 0), "neighbours": near}


def standardised(x: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Features (N, F) with the mean 0 and the standard deviation 1 among those `used` (N,); gaps are 0."""
    with warnings.catch_warnings(action="ignore"):  # of columns that are gaps where they are used
        largest = np.nanmax(abs(x), 0)
        x = x / np.where(largest > 0, largest, 1)  # squares of tiny or huge numbers would be 0 or infinite
        spread = np.nanstd(x[used], 0)
        return np.nan_to_num((x - np.nanmean(x[used], 0)) / np.where(spread > 0, spread, 1))


def mentored(x: np.ndarray, given: np.ndarray, K: int, index: np.ndarray, true: np.ndarray, plan: Plan) -> np.ndarray:
    """The weight (N,) that a mentor gives to each label of images, having learned from those at `index` (m,), which are
    really `true` (m,), while a network was trained on all of them."""
    images, label = torch.from_numpy(x), torch.from_numpy(given)
    budget = Budget(steps_of(plan, len(given)), 128, **(SGD | {"evaluations": 1}))
    run = Run("own", plan.model, budget, method=MentorNet("data", updates=EARLY), seed=plan.seed, trusted=len(index))
    *_, (net, _) = training(run, images, label, K, pick_device(plan.device), index, true)
    return run.method.weights(net).cpu().numpy()


def steps_of(plan: Plan, images: int) -> int:
    """How many steps a training on so many images has."""
    return plan.steps or max(LEAST_STEPS, EPOCHS * images // 128)


def training(run: Run, images: Tensor, label: Tensor, K: int, place: torch.device, index=(), true=()) -> Trainings:
    """Train a network as a run says on images uint8 (n, C, H, W) with these labels (n,), of which those at `index` (m,)
    were checked and are really `true` (m,); yield it, with its source, at every evaluation."""
    rows = torch.arange(len(label))
    few, index, true = slice(min(100, len(label))), torch.as_tensor(index).long(), torch.as_tensor(true).long()
    pairs, none = Labels(rows, label, label), Labels(*(3 * [rows[:0]]))
    probe = Labels(*(part[few] for part in pairs))  # what is measured of it, nobody looks at
    split = Split(pairs, none, probe, Labels(index, label[index], true), index, images[:0], {})
    images = images.to(place)
    with reproducible(run.seed, place):
        source = Resident(run, images, (images[few], label[few].to(place)), split.to(place), K)
        net = build(run.model, source.task.shape, K)
        for _ in fit(run, source, net, How(progress=True)):
            yield net, source


@torch.no_grad()
def features(net: Net, source: Resident, images: Tensor) -> np.ndarray:
    """What the last layer sees of images uint8 (n, C, H, W), (n, F)."""
    parts = [net.body[:-1](source.normalised(part)).flatten(1) for part in images.split(source.at_once)]
    return torch.cat(parts).float().cpu().numpy()


def shares(known: np.ndarray, label, asked: np.ndarray, asked_label) -> np.ndarray:
    """Of each of the points `asked` (m, F): the share of its nearest neighbours among the `known` (n, F) that have its
    label."""
    nearest = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(known)), algorithm="brute").fit(known)
    index = nearest.kneighbors(asked, return_distance=False)
    return (np.asarray(label)[index] == np.asarray(asked_label)[:, None]).mean(1)


def seconds_of(x: np.ndarray, given: np.ndarray, K: int, plan: Plan) -> float:
    """About how long the folds of images will take, from a few steps."""
    some = slice(512)
    budget = Budget(12, 128, **(SGD | {"evaluations": 2}))
    run = Run("own", plan.model, budget, method=Watched(), seed=plan.seed)
    images, label = torch.from_numpy(x[some]), torch.from_numpy(given[some])
    times = [perf_counter() for _ in training(run, images, label, K, pick_device(plan.device))]
    inside = len(given) * (plan.folds - 1) // plan.folds
    return (times[1] - times[0]) / 6 * steps_of(plan, inside) * plan.folds
