"""The exhibits of the chapter on background: real wrong labels, memorisation, small losses, labels of an annotator."""

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from torch import nn

from .. import data, figures, home, noise
from ..files import read_json
from ..inputs import require
from ..losses import cross_entropy
from ..models import build
from ..noise.counts import confusions
from ..runs import Budget, Run
from ..training.loop import fit
from ..training.train import prepared

TILE, ACROSS = 32, 7  # pixels of a picture on the sheet, pictures in a row of it
SIDE = {"mnist": 28}  # pixels of a picture that does not fill its tile
MOST = 1500  # images that are looked at here, so that every cell takes seconds
RIGHT, WRONG = "#0072b2", "#d55e00"  # the colours of right and of wrong labels


def facts() -> dict:
    """`book/wrong_labels.json`: pictures with wrong labels, where they come from, and totals of the votes."""
    return read_json(home() / "book" / "wrong_labels.json")


def tiles() -> list[np.ndarray]:
    """The pictures of `facts`, uint8 (H, W, 3), in their order, from the committed sheet."""
    sheet = (plt.imread(home() / "book" / "_static" / "wrong_labels.png")[..., :3] * 255).round().astype(np.uint8)
    found = []
    for place, picture in enumerate(facts()["pictures"]):
        down, across = (TILE * i for i in divmod(place, ACROSS))
        side = SIDE.get(picture["data"], TILE)
        found.append(sheet[down : down + side, across : across + side])
    return found


def real_wrong_labels(split: str) -> Figure:
    """The pictures of one split, four a row ("train": images with two labels; "test": labels that lost a vote)."""
    chosen = [(p, tile) for p, tile in zip(facts()["pictures"], tiles(), strict=True) if p["split"] == split]
    rows = -(-len(chosen) // 4)
    fig, grid = plt.subplots(rows, 4, figsize=(5.6, 1.85 * rows), layout="constrained", facecolor="white")
    for ax, (picture, tile) in zip(grid.flat, chosen, strict=True):
        first, second = picture["labels"]
        told = f"{first} and\n{second}" if split == "train" else f"label: {first}\nvoters: {second}"
        ax.imshow(tile)
        ax.set(xticks=[], yticks=[])
        ax.set_xlabel(told)
    return fig


def of_votes() -> dict[str, str]:
    """The totals of the votes on test labels, by `candidates_`, `lost_` and `share_` and the name of the data set."""
    told = {}
    for name, found in facts()["votes"].items():
        told[f"candidates_{name}"] = f"{found['put to the vote']:,}"
        told[f"lost_{name}"] = str(found["given label lost"])
        told[f"share_{name}"] = f"{found['given label lost'] / found['test images']:.2%}".replace("%", " %")
    return told


class Watched(NamedTuple):
    """A training that was looked at closely: a row per evaluation, the loss of every pair at each (evaluations, M), and
    which labels are wrong (M,)."""

    rows: pd.DataFrame
    losses: np.ndarray
    wrong: np.ndarray

    def at(self, epoch: float) -> int:
        """The evaluation that is nearest to an epoch of the training."""
        check_epoch(epoch, self.rows.epoch.iloc[-1])
        return int((self.rows.epoch - epoch).abs().argmin())


def check_epoch(epoch: float, last: float) -> None:
    """Refuse what is no epoch of a training."""
    require(0 <= epoch <= last, f"early is an epoch of this training, so 0 to {last:.0f}, not {epoch}")


def watched(dataset: str, rate: float, early: float, seed: int, steps: int = 1500) -> Watched:
    """Train a small network on at most 1,500 images with symmetric (exclusive) noise, and
    look at the loss of every pair 30 times. The epoch `early` will be asked for."""
    require(0 < rate < 1, f"rate is a share of wrong labels between 0 and 1, not {rate}")
    name, law = data.pin(dataset), noise.SymmetricExclusive(rate)
    examples = min(MOST, data.train_size(name))
    budget = Budget(steps, batch=64, evaluations=30)
    check_epoch(early, steps * min(budget.batch, examples) / examples)
    run = Run(name, "mlp2", budget, law, examples=examples, seed=seed)
    rows, losses = [], []
    with prepared(run, torch.device("cpu")) as (source, net):
        pairs = source.split.train
        wrong = (pairs.label != pairs.true).numpy()
        both = wrong.any() and not wrong.all()
        require(both, f"rate {rate} makes {wrong.sum()} of {len(wrong)} labels wrong; choose another")
        for row in fit(run, source, net):  # trains, and stops at each evaluation
            # what the network says of all training pairs, and then the loss of each
            logits = source.view(run.method, lambda best: net).logits(False)
            losses.append(cross_entropy(logits, pairs.label.long()).detach().numpy())
            rows.append(row)
    return Watched(pd.DataFrame(rows), np.array(losses), wrong)


def memorising(seen: Watched) -> Axes:
    """Over epochs: test accuracy, and the shares of right and of wrong training labels that the network predicts."""
    ax = figures.axes(None, figures.WIDTH, 3.5)
    lines = {
        "test_accuracy": ("test images: true class predicted", "black", "-"),
        "train_right": ("right training labels: predicted", RIGHT, ":"),
        "train_wrong": ("wrong training labels: predicted", WRONG, "--"),
    }
    for column, (label, colour, style) in lines.items():
        ax.plot(seen.rows.epoch, 100 * seen.rows[column], style, color=colour, label=label, lw=1.8)
    ax.set(xlabel="epoch", ylabel="%", ylim=(0, 101))
    ax.grid(alpha=0.3)
    figures.legend_below(ax.figure)
    return ax


def of_memorising(seen: Watched, early: float) -> dict[str, str]:
    """What the curves say in numbers, at an early epoch (`early_`) and at the last (`last_`)."""
    told = {"images": f"{len(seen.wrong):,}", "wrong_share": f"{100 * seen.wrong.mean():.0f} %"}
    for name, place in (("early", seen.at(early)), ("last", len(seen.rows) - 1)):
        row = seen.rows.iloc[place]
        told[f"{name}_epoch"] = f"{row.epoch:.0f}"
        for column in ("test_accuracy", "train_right", "train_wrong"):
            told[f"{name}_{column}"] = f"{100 * row[column]:.0f} %"
        told[f"{name}_auc"] = f"{roc_auc_score(seen.wrong, seen.losses[place]):.2f}"
    return told


def losses_of_pairs(seen: Watched, early: float) -> Figure:
    """How often right and wrong labels have a loss, at an early epoch and at the last, each on a scale of its own."""
    fig, grid = figures.row(2, 3.1, sharey=True)
    for ax, place in zip(grid, (seen.at(early), len(seen.rows) - 1), strict=True):
        loss = np.log10(seen.losses[place].clip(1e-5))
        bins, share = np.linspace(-5, max(loss.max(), 1), 40), 100 / len(loss)
        for chosen, colour, label in ((~seen.wrong, RIGHT, "right labels"), (seen.wrong, WRONG, "wrong labels")):
            weights = np.full(chosen.sum(), share)
            ax.hist(loss[chosen], bins, weights=weights, color=colour, alpha=0.6, label=label)
        ax.set(xlabel="loss of a pair (logarithmic)", title=f"epoch {seen.rows.epoch.iloc[place]:.0f}")
        ax.set_xticks([-4, -2, 0], ["0.0001", "0.01", "1"])
        ax.grid(alpha=0.3)
    grid[0].set_ylabel("% of the pairs")
    grid[0].legend(loc="upper left")
    return fig


def found_by_checking(seen: Watched, early: float, count: int) -> pd.DataFrame:
    """How many wrong labels a person finds who checks `count` pairs, or all where there are fewer, by how they are
    chosen (a row each)."""
    require(count > 0, f"check is how many labels to check, so 1 or more, not {count}")
    count, last = min(count, len(seen.wrong)), len(seen.rows) - 1
    found = {"at random (expected)": count * seen.wrong.mean()}
    for place in (seen.at(early), last):
        largest = np.argsort(-seen.losses[place], kind="stable")[:count]
        found[f"the largest losses at epoch {seen.rows.epoch.iloc[place]:.0f}"] = seen.wrong[largest].sum()
    rows = [{"wrong labels found": f"{n:.0f}", "share": f"{n / count:.0%}".replace("%", " %")} for n in found.values()]
    return pd.DataFrame(rows, index=pd.Index([*found], name=f"which {count} labels are checked"))


def small(x: np.ndarray) -> np.ndarray:
    """The first images of (N, C, H, W), with every so many pixels that at most 32 are left on a side."""
    step = -(-max(x.shape[2:]) // 32)
    return x[:MOST, :, ::step, ::step]


def by_a_look(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The labels (N,) that somebody gives who sees the upper half of each image (N, C, H, W) alone: the class whose
    mean upper half is nearest."""
    upper = x[:, :, : max(x.shape[2] // 2, 1)].reshape(len(x), -1).astype(float)
    present = np.unique(y)
    means = np.array([upper[y == k].mean(0) for k in present])
    distance = (upper**2).sum(1)[:, None] - 2 * upper @ means.T + (means**2).sum(1)
    return present[distance.argmin(1)].astype(y.dtype)


class TwoDraws(NamedTuple):
    """The same images under two noises with the same transition matrix: images, true classes, and two labels each."""

    x: np.ndarray
    y: np.ndarray
    given: dict[str, np.ndarray]
    T: np.ndarray


def same_matrix(dataset: str, seed: int) -> TwoDraws:
    """Labels that depend on the image, and labels drawn from the transition matrix that was counted on these."""
    images, K = data.load(dataset).train, data.load(dataset).K
    x, y = small(images.x.numpy()), images.y.numpy()[:MOST]
    looked = by_a_look(x, y)
    counts = confusions(y, looked, K).astype(float)
    counts[counts.sum(1) == 0] = 1  # a class of which there is no image here
    T = counts / counts.sum(1, keepdims=True)
    drawn = noise.draw(noise.Matrix(tuple(map(tuple, T.tolist()))), y, K, seed).label
    return TwoDraws(x, y, {"by the annotator": looked, "drawn": drawn.astype(y.dtype)}, T)


def wrong_of_both(draws: TwoDraws, count: int = 7) -> Figure:
    """The first wrong labels of each of the two, a row each (right ones where there are not as many)."""
    count = min(count, len(draws.y))
    chosen = [np.argsort(given == draws.y, kind="stable")[:count] for given in draws.given.values()]
    labels = [given[rows] for rows, given in zip(chosen, draws.given.values(), strict=True)]
    rows = np.concatenate(chosen)
    return figures.labelled(draws.x[rows], np.concatenate(labels), draws.y[rows], count)


def briefly(x: torch.Tensor, y: torch.Tensor, K: int, epochs: int, seed: int) -> nn.Module:
    """A small network after a few epochs of plain training on images `x` (N, C, H, W) with labels `y` (N,)."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        net = build("mlp2", tuple(x.shape[1:]), K)
        optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
        for _ in range(epochs):
            for rows in torch.randperm(len(x)).split(64):
                loss = cross_entropy(net(x[rows]), y[rows]).mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
    return net.eval()


def same_wrong(x: np.ndarray, given: np.ndarray, wrong: np.ndarray, count: int = 10) -> float:
    """Of the nearest other images of those with a `wrong` label (N,), the share that has the same given label."""
    flat = x.reshape(len(x), -1).astype(np.float32)
    near = NearestNeighbors(n_neighbors=min(count, len(x) - 1)).fit(flat).kneighbors(return_distance=False)
    return float((given[near] == given[:, None])[wrong].mean())


@torch.no_grad()
def of_network(net: nn.Module, x: torch.Tensor, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes (N,) that a network predicts, and the losses (N,) of given labels."""
    logits, y = net(x), torch.from_numpy(given).long()
    return logits.argmax(1).numpy(), cross_entropy(logits, y).numpy()


def two_noises(draws: TwoDraws, dataset: str, epochs: int, check: int, seed: int) -> pd.DataFrame:
    """What becomes of the two kinds of wrong labels (a row each), in percent: how many there are, how many of the
    nearest images share them, how many a network predicts after `epochs`, its test accuracy, and how many wrong labels
    are among the `check` with the largest losses. Empty where no label is wrong."""
    test, K = data.load(dataset).test, data.load(dataset).K
    scale = draws.x.mean(), draws.x.std() + 1e-6
    x, unseen = ((torch.from_numpy(part).float() - scale[0]) / scale[1] for part in (draws.x, small(test.x.numpy())))
    rows = {}
    for name, given in draws.given.items():
        net = briefly(x, torch.from_numpy(given).long(), K, epochs, seed)
        guess, loss = of_network(net, x, given)
        hit = of_network(net, unseen, np.zeros(len(unseen), int))[0] == test.y.numpy()[: len(unseen)]
        wrong = given != draws.y
        shares = {"wrong": wrong.mean(), "neighbours": None, "predicted": None, "accuracy": hit.mean(), "found": None}
        if wrong.any():
            shares["neighbours"] = same_wrong(draws.x, given, wrong)
            shares["predicted"] = (guess == given)[wrong].mean()
            shares["found"] = wrong[np.argsort(-loss, kind="stable")[:check]].mean()
        rows[name] = {column: "" if share is None else f"{100 * share:.0f}" for column, share in shares.items()}
    return pd.DataFrame(rows).T.rename_axis("labels")


def of_two_noises(table: pd.DataFrame) -> dict[str, str]:
    """The numbers of `two_noises` by column and row: `wrong_look`, `wrong_drawn` and so on."""
    ways = zip(("look", "drawn"), table.index, strict=True)
    return {f"{column}_{way}": table.loc[row, column] for way, row in ways for column in table}
