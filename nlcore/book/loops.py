"""Training loops that anybody could have written, and what changes from one to the next."""

import copy
import difflib
import inspect
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

from .. import data, figures, losses, noise, words
from ..inputs import UserError
from ..methods import ELR, METHODS, Attached, FasTEN, MentorNet, Method, attach, of_each_class

TRUSTED = 100  # of the digits; as many of each class as there happen to be


class SmallNet(nn.Module):
    """A network as torchvision writes them: it ends with `fc`."""

    def __init__(self, num_classes: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16)
        self.conv2, self.bn2 = nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32)
        self.fc = nn.Linear(512, num_classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.relu(self.bn2(self.conv2(x)))
        return self.fc(x.flatten(1))


class Indexed(Dataset):
    """A data set of pairs (x, y) that says the index of each pair as well."""

    def __init__(self, pairs):
        self.pairs = pairs

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        x, y = self.pairs[i]
        return i, x, y


def train_plain(net, pairs, epochs):
    loader = DataLoader(pairs, batch_size=50, shuffle=True, drop_last=True)
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    net.train()
    for _ in range(epochs):
        for x, y in loader:
            loss = F.cross_entropy(net(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()


def train_robust(net, pairs, epochs):
    loader = DataLoader(pairs, batch_size=50, shuffle=True, drop_last=True)
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    net.train()
    for _ in range(epochs):
        for x, y in loader:
            loss = losses.lq(net(x), y, q=0.7).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()


def train_fasten(net, pairs, labels, trusted_x, trusted_y, epochs):
    learner = attach(FasTEN(), net, K=10, M=len(pairs), labels=labels)
    loader = DataLoader(Indexed(pairs), batch_size=50, shuffle=True, drop_last=True)
    opt = torch.optim.Adam(learner.parameters(), lr=1e-3)
    learner.follow(opt, steps=epochs * len(loader), per_epoch=len(loader))
    net.train()
    for _ in range(epochs):
        learner.epoch()
        for i, x, y in loader:
            known = of_each_class(trusted_y, 5)
            loss = learner.loss(i, x, y, trusted_x[known], trusted_y[known])
            opt.zero_grad()
            loss.backward()
            opt.step()
    return learner


def train_stopped(net, pairs, epochs):
    order = torch.randperm(len(pairs)).tolist()
    held = Subset(pairs, order[: len(pairs) // 10])  # a tenth, with labels as they are
    used = Subset(pairs, order[len(pairs) // 10 :])
    held_x, held_y = next(iter(DataLoader(held, batch_size=len(held))))

    labels = torch.tensor([int(y) for _, y in used])
    learner = attach(ELR(), net, K=10, M=len(used), labels=labels)
    loader = DataLoader(Indexed(used), batch_size=50, shuffle=True, drop_last=True)
    opt = torch.optim.Adam(learner.parameters(), lr=1e-3)
    learner.follow(opt, steps=epochs * len(loader), per_epoch=len(loader))
    scores = []
    for _ in range(epochs):
        net.train()
        learner.epoch()
        for i, x, y in loader:
            loss = learner.loss(i, x, y)
            opt.zero_grad()
            loss.backward()
            opt.step()
        right = learner.predict(held_x).argmax(1) == held_y
        scores.append(right.float().mean().item())
        if scores[-1] == max(scores):
            kept = copy.deepcopy(net.state_dict())
    net.load_state_dict(kept)  # the best epoch, by noisy labels
    return scores


def new_lines(old: Callable, new: Callable) -> int:
    """How many lines the second loop has that the first has not, its name apart."""
    texts = [inspect.getsource(loop).splitlines()[1:] for loop in (old, new)]
    return sum(line.startswith("+ ") for line in difflib.ndiff(*texts))


class Digits(NamedTuple):
    """Training images with pair noise, their true classes, trusted images beside them, and the test images."""

    x: Tensor
    y: Tensor
    true: Tensor
    trusted_x: Tensor
    trusted_y: Tensor
    test_x: Tensor
    test_y: Tensor

    @property
    def pairs(self) -> Dataset:
        return TensorDataset(self.x, self.y)


def digits(rate: float = 0.4, seed: int = 0, images: int = 1000) -> Digits:
    """The embedded digits, a share `rate` of the labels of each class being those of the next class."""
    whole = data.load("digits")
    x, test_x = (part.x.float() / 8 - 1 for part in (whole.train, whole.test))
    true = whole.train.y.long()
    given = noise.draw(noise.PairFlip(rate), true[:images].numpy(), whole.K, seed).label
    y = torch.from_numpy(given).long()
    return Digits(x[:images], y, true[:images], x[-TRUSTED:], true[-TRUSTED:], test_x, whole.test.y.long())


class Trained(NamedTuple):
    """What the loops have made of the same network: it, what is attached for FasTEN, and the scores by which the last
    one was stopped."""

    nets: dict[str, nn.Module]
    learner: Attached
    scores: list[float]


def trained(mine: Digits, epochs: int, seed: int = 0) -> Trained:
    """Train the same network with each of the loops, from the same initial weights; with the plain one also on the
    trusted images alone, for as many steps."""

    def fresh() -> nn.Module:
        torch.manual_seed(seed)
        return SmallNet(num_classes=10)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng([]):
        nets = {"ce": fresh()}
        train_plain(nets["ce"], mine.pairs, epochs)
        nets["gce"] = fresh()
        train_robust(nets["gce"], mine.pairs, epochs)
        nets["fasten"] = fresh()
        learner = train_fasten(nets["fasten"], mine.pairs, mine.y, mine.trusted_x, mine.trusted_y, epochs)
        nets["trusted_only"] = fresh()
        known = TensorDataset(mine.trusted_x, mine.trusted_y)
        train_plain(nets["trusted_only"], known, epochs * (len(mine.x) // len(known)))
        nets["elr"] = fresh()
        scores = train_stopped(nets["elr"], mine.pairs, epochs)
    torch.set_num_threads(threads)
    return Trained(nets, learner, scores)


@torch.no_grad()
def accuracies(trained: Trained, mine: Digits) -> dict[str, float]:
    """Test accuracy of each network, by method; each is called as the network that it is."""
    guesses = {name: net.eval()(mine.test_x).argmax(1) for name, net in trained.nets.items()}
    return {name: (guess == mine.test_y).double().mean().item() for name, guess in guesses.items()}


def compared(found: dict[str, float]) -> pd.DataFrame:
    """The loops, a row each: how many lines of the plain one change, and the test accuracy in whole percent."""
    loops = {"ce": train_plain, "gce": train_robust, "fasten": train_fasten, "trusted_only": train_plain}
    rows = {}
    for name, loop in loops.items():
        new = str(new_lines(train_plain, loop))
        rows[words.method(name)] = {"new lines": new, "test accuracy, %": f"{100 * found[name]:.0f}"}
    return pd.DataFrame(rows).T.rename_axis("loop")


def numbers(found: dict[str, float], trained: Trained, mine: Digits) -> dict[str, str]:
    """What sentences name, in whole percent: accuracies, and labels that are right as given and as FasTEN has them;
    which epoch was kept, and its score."""
    told = {name: f"{100 * share:.0f}" for name, share in found.items()}
    labels = {"given": mine.y, "believed": trained.learner.labels()}
    best = max(range(len(trained.scores)), key=lambda epoch: (trained.scores[epoch], epoch))  # the last of equal ones
    told |= {"kept": str(best + 1), "epochs": str(len(trained.scores)), "score": f"{100 * trained.scores[best]:.0f}"}
    return told | {name: f"{100 * (label == mine.true).double().mean():.0f}" for name, label in labels.items()}


def bars(found: dict[str, float]) -> Figure:
    """Test accuracies by method, a bar each."""
    fig, (ax,) = figures.row(1, 2.2)
    for place, (name, share) in enumerate(found.items()):
        ax.barh(place, 100 * share, color=words.look(name)["color"])
        ax.annotate(f"{100 * share:.0f}", (100 * share, place), (4, 0), textcoords="offset points", va="center")
    ax.set_yticks(range(len(found)), [words.method(name) for name in found])
    ax.set(xlim=(0, 110), xlabel=words.said("test_accuracy"))
    ax.invert_yaxis()
    return fig


ASKED = {name: kind() for name, kind in METHODS.items() if name != "mentornet"}
ASKED |= {"PD": MentorNet(), "DD": MentorNet(kind="data")}


def example(method: Method, mine: Digits) -> Attached:
    """A method with all that any method asks for, around a network that has learned nothing."""
    pairs = [(torch.arange(len(mine.x)), mine.x)]
    given = {"labels": mine.y, "pairs": pairs, "trusted_x": mine.trusted_x, "trusted_y": mine.trusted_y}
    if method.trust == "within":
        given |= {"trusted_index": torch.arange(len(mine.true)), "trusted_y": mine.true}
    if method.first:
        given["first"] = first = example(method.first.method, mine)
        first.begun = True  # as if it had learned
        first.keep(0.0)
    return attach(method, SmallNet(num_classes=10), 10, len(mine.x), **given)


def follows(learner: Attached, mine: Digits) -> bool:
    """Whether a method asks for `follow`: it is tried without."""
    learner.keep(0.0)
    known = of_each_class(mine.trusted_y, 1)
    try:
        learner.epoch()
        learner.loss(torch.arange(len(mine.x)), mine.x, mine.y, mine.trusted_x[known], mine.trusted_y[known])
    except UserError:
        return True
    return False


def asked(method: Method, mine: Digits) -> dict[str, str]:
    """What a method asks of a loop, found out on an example."""
    learner = example(method, mine)
    tensors = [*learner.net.buffers(), *learner.net.parameters()]
    remembers = any(len(mine.x) in tensor.shape for tensor in tensors)
    images = "in every step" if learner.method.trusted_batch else "by index" if method.trust == "within" else ""
    follow = "yes" if follows(learner, mine) else ""
    first = [words.method(name) for name, kind in METHODS.items() if method.first and type(method.first.method) is kind]
    return {
        "remembers pairs": "yes" if remembers else "",
        "trusted labels": images,
        "x2=": "yes" if method.views > 1 else "",
        "epoch()": "yes" if learner.between else "",
        "follow()": "yes, steps a second optimiser" if learner.own else follow,
        "trained after": ", ".join(first),
        "passes": "{} + {}".format(*method.passes),
    }


def asks(seed: int = 0) -> pd.DataFrame:
    """What each method asks of a training loop, a row each: found out by attaching it to a network."""
    mine = digits(seed=seed, images=53)  # no size of a layer
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        rows = {words.method(name): asked(method, mine) for name, method in ASKED.items()}
    return pd.DataFrame(rows).T.rename_axis("method")
