"""A method in a training loop of one's own, around any network that ends with a linear layer."""

import copy
import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ..inputs import UserError, require, shown, tell
from ..models import Net
from .base import Batch, Clock, Method, Stage, Task
from .given import Given, agree, as_labels, check_pairs, check_trusted, check_trusted_index, digest, whole_number
from .wrapped import Features, Last, check_end, check_precision, check_state, evaluating, last_linear

AT_ONCE = 256  # trusted images that are predicted in one pass


def attach(
    method: Method,
    net: nn.Module,
    K: int,
    M: int,
    *,
    labels: Tensor | None = None,
    pairs: Iterable | None = None,
    trusted_index: Tensor | None = None,
    trusted_x: Tensor | None = None,
    trusted_y: Tensor | None = None,
    first: "Attached | None" = None,
    last: str = "",
) -> "Attached":
    """A method around a network `net` of yours, for K classes and M training pairs, to be called from your own loop.

    The logits are what the last linear layer of the network gives, and its features are what that layer is given,
    whatever the network returns. That layer is the one that `net.get_classifier()` names (timm) or else the only
    `nn.Linear` with K outputs (`fc` of torchvision's ResNet, `classifier` of Hugging Face); `last` names another one.
    The network itself stays as it is and learns in place. Put it on its device before.

    The rest is for methods that ask for it, and is kept in the order of the index of a pair: the given `labels` (M,);
    `pairs`, a loader or list of batches (index, x, …) that shows every training image once, without augmentation;
    trusted labels that are among the training pairs as `trusted_index` and `trusted_y` (m,), or trusted images beside
    them as `trusted_x` and `trusted_y`. A method with a first stage (`method.first`) takes that as `first`: an
    `Attached` of `method.first.method` that you have trained. A `UserError` says what is missing or does not fit.
    """
    fits = isinstance(method, Method)
    require(fits, f"method is an object such as FasTEN() of nlcore.methods, with its brackets, not {shown(method)}")
    K, M = whole_number("K is the number of classes", K, 2), whole_number("M is the number of training pairs", M, 1)
    name = last_linear(net, K, last)
    check_precision(net.get_submodule(name))
    wrapped = Net(nn.Sequential(Features(net, name, bool(last)), Last(net.get_submodule(name))))
    given = Given(as_labels(labels, M, K), pairs, trusted_index, trusted_x, trusted_y)
    title = type(method).__name__
    if trusted_index is None and trusted_x is not None and trusted_y is not None:
        check_trusted(title, trusted_x, torch.as_tensor(trusted_y), K, bool(method.first))
    if trusted_index is not None:
        check_trusted_index(torch.as_tensor(trusted_index), trusted_y, M, K)
    made = str(method)
    if method.networks > 1:
        tell(f"{title} trains a second network beside yours, which starts from initial weights and not from yours")
    if method.first:
        method = after_first(method, wrapped, first, Sight(title, M, given, first))
    return Attached(title, method, wrapped, Task(K, M, None), given, made)


def after_first(method: Method, net: Net, first: "Attached | None", sight: "Sight") -> Method:
    """What trains next, by what the first stage has found."""
    stage, title = method.first, sight.title
    how = f"make one by attach({stage.method}, ...), train it with your loop, and give it as first="
    require(first is not None, f"{title} begins with another training: {how}")
    require(first.method == stage.method, f"{title} begins with {stage.method}, not with {first.method}: {how}")
    same = first.net.body[0].net is net.body[0].net
    require(stage.hands_on or not same, f"{title} trains a second network from new weights: give attach another net")
    if not first.begun:
        tell(f"the first stage of {title} has made no step of its own; its network is taken as one that has learned")
    last, first = first, ended(first, stage, title)
    if stage.hands_on and not (same and first is last):
        net.body.load_state_dict(first.net.body.state_dict())
    sight.attached = first
    return method.second(method.after(first.net, sight), first.net)


def ended(first: "Attached", stage: Stage, title: str) -> "Attached":
    """A first stage as it ends: with its best network where the method asks for that, and it was told which one is."""
    if not stage.best:
        return first
    if first.best is None:
        told = "ends with its best network on noisy validation; as no keep(score) was called, its last one counts"
        tell(f"the first stage of {title} {told}")
        return first
    first = copy.copy(first)
    first.net = first.best
    return first


class Untimed:
    """The clock of a training of which nobody has said how long it is; what asks for more than the epoch is told so."""

    def __init__(self, title: str):
        self.title, self.epoch = title, 0

    def __getattr__(self, name: str):
        if name.startswith("__"):  # as `copy` asks for
            raise AttributeError(name)
        how = "call follow(optimiser, steps=..., per_epoch=...) before the first epoch"
        raise UserError(f"{self.title} must know its place in the training and the learning rate: {how}")


class Sight:
    """A `View` of what the caller has given; what was not given is named where a method asks for it."""

    def __init__(self, title: str, M: int, given: Given, attached: "Attached | None"):
        self.title, self.M, self.given, self.attached = title, M, given, attached

    def asked(self, name: str):
        """Something that was given; it must be there."""
        found = getattr(self.given, name)
        require(found is not None, f"{self.title} asks for {name}: attach(..., {name}=...)")
        return found

    def tensor(self, name: str) -> Tensor:
        return torch.as_tensor(self.asked(name)).long().to(self.attached.device)

    @property
    def label(self) -> Tensor:
        return self.tensor("labels")

    @property
    def index(self) -> Tensor:
        return self.tensor("trusted_index")

    @property
    def true(self) -> Tensor:
        return self.tensor("trusted_y")

    def trusted(self) -> Tensor:
        return torch.cat([self.attached.predict(part) for part in self.asked("trusted_x").split(AT_ONCE)])

    def logits(self, best: bool) -> Tensor:
        """(M, K)"""
        return self.of_all(self.attached.method, self.attached.chosen(best))

    def of(self, part: nn.Module) -> Tensor:
        """(M, K), by a part of the network alone."""
        return self.of_all(Method(), part)

    def of_all(self, method: Method, net: nn.Module) -> Tensor:
        """Logits (M, K) of all training pairs, in the order of their index."""
        parts, labels = [], self.given.labels
        for index, x, *rest in self.asked("pairs"):
            index = torch.as_tensor(index).long()
            if rest and labels is not None:
                same = agree(labels, index, torch.as_tensor(rest[0]))
                require(same, "the labels in pairs are not labels[index]; index is the place of a pair in the data set")
            parts.append((index, self.attached.predicted(method, net, x)))
        index, found = (torch.cat(part) for part in zip(*parts, strict=True))
        whole = torch.equal(index.sort().values.cpu(), torch.arange(self.M))
        require(whole, f"pairs must show each of the M={self.M} training pairs once; it showed {len(index)}")
        return torch.empty_like(found).index_copy_(0, index.to(found.device), found)


class Attached:
    """A method around a network; `attach` makes one. In your loop:

    - the optimiser is built from `parameters()`, and `follow` is told of it;
    - `epoch()` comes before each epoch, `loss(index, x, y)` takes the place of the loss of each step;
    - `predict(x)` is for evaluation; `keep(score)` after it, where a method goes back to its best network.
    """

    def __init__(self, title: str, method: Method, net: Net, task: Task, given: Given, made: str):
        self.title, self.method, self.task, self.given = title, method, task, given
        self.made = made  # the method with its settings, in words, as it was before a first stage told it more
        theirs = {id(p) for p in net.parameters()}
        self.net = method.build(net, task).to(next(net.parameters()).device)
        self.own = method.optimiser(self.net)
        self.groups = groups(self.net, method, self.own)
        self.added = [p for p in learned(self.groups) if id(p) not in theirs]
        self.between = type(method).on_epoch is not Method.on_epoch  # whether it works between epochs
        self.clock, self.hook, self.optimiser = Untimed(title), None, None
        self.steps, self.epochs, self.before = 0, 0, -1  # how many were made, and how many steps before this epoch
        self.checked = False  # whether a batch of this epoch has been checked
        self.begun = False  # whether it has seen a batch at all, or goes on from a state
        self.told, self.warned = 0, False  # how many steps this epoch was to have; whether `warn` has said something
        self.best, self.score = None, -float("inf")
        self.sight = Sight(title, task.M, given, self)

    @property
    def device(self) -> torch.device:
        """Where the network is; a `net` of this object that is moved takes what the method has added with it."""
        return next(self.net.parameters()).device

    def parameters(self) -> list:
        """What your optimiser trains: parameters, or groups of them where weight decay leaves some alone. Those that a
        method trains with an optimiser of its own are not among them."""
        return [dict(group) if isinstance(group, dict) else group for group in self.groups]  # torch writes into them

    def follow(self, optimiser: Optimizer, steps: int, per_epoch: int) -> None:
        """Watch your optimiser: its learning rate, and how many of all `steps` of the training are done, `per_epoch` of
        them an epoch. An optimiser of the method's own then steps together with yours; you never call it."""
        is_one = hasattr(optimiser, "register_step_post_hook")
        require(is_one, f"follow is told of an optimiser of torch.optim, not of {shown(optimiser)}")
        require(0 < per_epoch <= steps, f"steps are all of the training, not fewer than the {per_epoch} of an epoch")
        had = {id(p) for group in optimiser.param_groups for p in group["params"]}
        ours = learned(self.groups)
        told = "the optimiser has none of the parameters of this network; build it anew when you build the network anew"
        require(not ours or any(id(p) in had for p in ours), told)
        told = (
            f"{self.title} has parameters that the optimiser lacks; build it from parameters() of what attach returned"
        )
        require(all(id(p) in had for p in self.added), told)
        apart = learned(self.own.param_groups) if self.own else []
        told = f"{self.title} trains some parameters by an optimiser of its own, and this one has them as well"
        require(not any(id(p) in had for p in apart), f"{told}; build it from parameters() of what attach returned")
        if self.method.looks_ahead and len({float(group["lr"]) for group in optimiser.param_groups}) > 1:
            tell(f"{self.title} looks ahead by the learning rate of the optimiser's first group, for all weights")
        if self.hook:
            self.hook.remove()
        self.optimiser, self.hook = optimiser, optimiser.register_step_post_hook(lambda *_: self.stepped())
        self.clock = Clock(torch.tensor(self.steps, device=self.device), steps, per_epoch, self.clock.epoch)

    def stepped(self) -> None:
        """Comes after each step of the optimiser that is followed."""
        if self.own:
            self.own.step()
            self.own.zero_grad(set_to_none=True)
        self.steps += 1
        self.clock.step.add_(1)

    def epoch(self) -> None:
        """What the method does between epochs. Call it before each epoch, the first included. A `UserError` if the last
        epoch had no step."""
        idle = self.optimiser is not None and self.steps == self.before
        told = "in the last epoch the optimiser that follow was told of made no step"
        require(not idle, f"{told}; call follow again when you build another one")
        self.warn()
        self.clock.epoch, self.before, self.checked = self.epochs, self.steps, False
        self.net.body[0].compared = False  # what is trained may no longer do what it did at first
        self.method.on_epoch(self.net, self.clock, self.sight)
        self.epochs += 1
        self.told = self.clock.per_epoch if self.optimiser else 0

    def warn(self) -> None:
        """Say once that the last epoch had far more or fewer steps than `follow` was told of."""
        made = self.steps - self.before
        if self.told and not self.warned and abs(made - self.told) > 1 + self.told / 10:  # some may have been skipped
            said = f"follow was told of {self.told} steps of the optimiser an epoch; the last one made {made}"
            tell(f"{said}, and {self.title} reckons with what it was told")
            self.warned = True

    def loss(
        self,
        index: Tensor,
        x: Tensor,
        y: Tensor,
        trusted_x: Tensor | None = None,
        trusted_y: Tensor | None = None,
        x2: Tensor | None = None,
    ) -> Tensor:
        """The scalar to minimise in a training step. Methods remember what they see here: do not call it to evaluate.

        `index` (B,) are the places of the pairs among all M, not in the batch; `x` is what the network takes, `y` (B,)
        are the given labels. A method with trusted images beside the noisy ones takes a batch of them with their
        classes (`of_each_class` draws one); one with two views of an image takes `x2`, the same images augmented anew.
        """
        require(hasattr(x, "to"), f"x is a tensor, or what the network takes and `to` moves, not {type(x).__name__}")
        index, y = torch.as_tensor(index), torch.as_tensor(y)
        self.check(index, y, trusted_x, trusted_y, x2)
        if self.optimiser:
            self.clock.rate = torch.as_tensor(self.optimiser.param_groups[0]["lr"], dtype=torch.float).to(self.device)
        parts = (index.long(), x, y, trusted_x, trusted_y, x2)
        batch = [None if part is None else part.to(self.device) for part in parts]
        require(len(batch[1]) == len(index), f"x has {len(batch[1])} images and index {len(index)} places")
        check_end(self.net.body[0], self.net.body[-1], batch[1][:2])
        self.begun = True
        return self.method.loss(self.net, Batch(*batch), self.clock)

    def check(self, index: Tensor, y: Tensor, trusted_x, trusted_y, x2) -> None:
        """Refuse a batch that does not fit, or one that comes before what it needs."""
        self.check_time()
        self.check_asked(trusted_x, trusted_y, x2)
        check_pairs(index, y, self.task.M, self.task.K)
        labels, here = self.given.labels, index.device.type == y.device.type == "cpu"
        if labels is not None and (here or not self.checked):
            told = "index is the place of a pair in the data set, not in the batch, and y is its class"
            require(agree(labels, index, y), f"the y of this batch are not labels[index]: {told}")
        self.checked = True

    def check_time(self) -> None:
        """Refuse a step that comes before `follow` or `epoch` where they are needed, or after all steps."""
        ready = self.optimiser is not None or not (self.own or self.added)
        told = "trains parameters of its own: call follow(optimiser, steps=..., per_epoch=...) first"
        require(ready, f"{self.title} {told}")
        begun = self.epochs * self.clock.per_epoch if self.optimiser else math.inf  # steps of epochs that have begun
        late = self.between and (self.epochs == 0 or self.steps >= begun)
        told = f"after {self.steps} steps epoch() was called {self.epochs} times"
        require(not late, f"{self.title} works between epochs: call epoch() before each ({told})")
        over = self.optimiser is not None and self.steps >= self.clock.steps
        require(not over, f"follow was told of {self.steps} steps in all, and they are made; tell it of more")

    def check_asked(self, trusted_x, trusted_y, x2) -> None:
        """Refuse a batch without the trusted images or the second view that the method asks for."""
        trusted = not self.method.trusted_batch or (trusted_x is not None and trusted_y is not None)
        require(trusted, f"{self.title} needs trusted images in every step: loss(index, x, y, trusted_x, trusted_y)")
        if self.method.trusted_batch and torch.as_tensor(trusted_y).device.type == "cpu":
            check_trusted(self.title, trusted_x, torch.as_tensor(trusted_y), self.task.K, self.method.each_class)
        told = "needs two views of each image: loss(index, x, y, x2=...), the same ones augmented anew"
        require(self.method.views == 1 or x2 is not None, f"{self.title} {told}")

    def chosen(self, best: bool) -> nn.Module:
        """The network as it is, or as it was when best."""
        told = f"{self.title} goes back to the network that was best on noisy validation: call keep(score) after each"
        require(not best or self.best is not None, f"{told} evaluation")
        return self.best if best else self.net

    def predicted(self, method: Method, net: nn.Module, x: Tensor) -> Tensor:
        with evaluating(net):
            return method.predict(net, x.to(self.device)).float()

    def predict(self, x: Tensor) -> Tensor:
        """Logits (B, K), in evaluation mode and without gradients; modes stay as they were."""
        return self.predicted(self.method, self.net, x)

    def keep(self, score: float) -> None:
        """Say how good the network is by now, higher being better: its accuracy on noisy labels that were held out. A
        copy of the best one is kept for methods that go back to it (`method.keeps_best`)."""
        require(math.isfinite(score), f"score is a number, higher being better, not {score}")
        if score > self.score:
            self.best, self.score = copy.deepcopy(self.net), float(score)

    def weights(self) -> Tensor | None:
        """How much each pair counts by now (M,), if the method weighs pairs."""
        return _own(self.method.weights(self.net))

    def labels(self) -> Tensor | None:
        """The labels (M,) that the method believes by now, if it corrects labels."""
        return _own(self.method.labels(self.net))

    def transition(self) -> Tensor | None:
        """The transition matrix (K, K) by now, if the method estimates one."""
        return _own(self.method.transition(self.net))

    def state_dict(self) -> dict:
        """All that `load_state_dict` needs to go on, the network's weights included; your optimiser and the random
        numbers are yours to keep. A method with a first stage needs that one again, so keep its state as well. As in
        torch the tensors are those that go on learning: save them, or copy them."""
        best, own = (part.state_dict() if part else None for part in (self.best, self.own))
        counted = {"steps": self.steps, "epochs": self.epochs, "score": self.score}
        return self.whose() | counted | {"net": self.net.state_dict(), "best": best, "own": own}

    def whose(self) -> dict:
        """What a state must fit; of labels a hash, as memories go by the places of the pairs."""
        given = self.given
        told = {"labels": digest(given.labels), "trusted labels": digest(given.trusted_index, given.trusted_y)}
        return {"method": self.made, "K": self.task.K, "M": self.task.M} | told

    def load_state_dict(self, state: dict) -> None:
        """Go on from what `state_dict` returned; call it before or after `follow`. A `UserError` if that was another
        method's, or of other settings, classes, training pairs or given labels."""
        check_state(state, self.whose(), self.net.state_dict())
        self.steps, self.epochs, self.score = state["steps"], state["epochs"], state["score"]
        self.begun = True
        self.net.load_state_dict(state["net"])
        self.best = copy.deepcopy(self.net) if state["best"] else None
        if self.best:
            self.best.load_state_dict(state["best"])
        if self.own:
            self.own.load_state_dict(state["own"])
        self.clock.epoch = max(0, self.epochs - 1)
        if self.optimiser:
            self.clock.step.fill_(self.steps)


def _own(found: Tensor | None) -> Tensor | None:
    """A copy of what a method remembers and goes on to change."""
    return None if found is None else found.detach().clone()


def groups(net: nn.Module, method: Method, own: Optimizer | None) -> list:
    """The parameters that the network's optimiser has: all but those of the method's `own`. Those that weight decay
    leaves alone are a group of their own."""
    theirs = {id(p) for group in own.param_groups for p in group["params"]} if own else set()
    ours = {name: p for name, p in net.named_parameters() if id(p) not in theirs}
    free = [ours.pop(name) for name in method.undecayed]
    return [{"params": [*ours.values()]}, {"params": free, "weight_decay": 0.0}] if free else [*ours.values()]


def learned(parameters: list) -> list:
    """Those of parameters, or of groups of them, that have gradients."""
    flat = [p for part in parameters for p in (part["params"] if isinstance(part, dict) else [part])]
    return [p for p in flat if p.requires_grad]


def of_each_class(y: Tensor, each: int) -> Tensor:
    """Rows of a trusted batch: `each` of every class that is in the labels y (m,), in class order, drawn anew with
    torch's random numbers; an image may be drawn twice."""
    y, each = torch.as_tensor(y), whole_number("each is how many of a class", each, 1)
    require(y.ndim == 1 and len(y) > 0, f"y are the labels (m,) to draw from, one or more, not of shape {(*y.shape,)}")
    rows = [torch.where(y == k)[0] for k in y.unique()]
    return torch.cat([own[torch.randint(len(own), (each,), device=y.device)] for own in rows])
