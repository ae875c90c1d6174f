"""A network of somebody else, parted at its last linear layer: features before it, logits after it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..inputs import few, lookup, require


def last_linear(net: nn.Module, K: int, named: str = "") -> str:
    """The name of the linear layer that gives the logits of K classes."""
    linear = {name: layer for name, layer in net.named_modules() if isinstance(layer, nn.Linear)}
    if named:
        found = lookup("linear layer of the network", named, linear).out_features
        require(found == K, f"the layer {named!r} has {found} outputs; there are K={K} classes")
        return named
    chosen = net.get_classifier() if hasattr(net, "get_classifier") else None
    fitting = [name for name, layer in linear.items() if layer is chosen and layer.out_features == K]
    fitting = fitting or [name for name, layer in linear.items() if layer.out_features == K]
    require(len(fitting) > 0, f"the network has no nn.Linear with {K} outputs; build it for K={K} classes")
    told = f"the network has several linear layers with {K} outputs ({', '.join(fitting)})"
    require(len(fitting) == 1, f"{told}; name the one that gives the logits, as in last={fitting[-1]!r}")
    return fitting[0]


def check_precision(layer: nn.Linear) -> None:
    """Refuse a linear layer, called last, whose logits would be of another precision than what methods add."""
    told = f"the last linear layer has weights of {layer.weight.dtype}; keep them as torch.float32"
    require(layer.weight.dtype == torch.float32, f"{told}, and call loss under torch.autocast for a lower precision")


class Features(nn.Module):
    """What a network hands to its linear layer called `last`: from images to features (B, F)."""

    def __init__(self, net: nn.Module, last: str, sure: bool = False):
        super().__init__()
        self.net, self.last, self.sure = net, last, sure  # whether somebody has named that layer
        self.compared = False  # whether it has been seen to give the logits, in this epoch

    def forward(self, x):
        seen = []
        layer = self.net.get_submodule(self.last)
        hook = layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        try:
            self.net(x)
        finally:
            hook.remove()
        once = len(seen) == 1 and seen[0].dim() == 2
        shapes = ", ".join(str((*features.shape,)) for features in seen) or "none"
        require(once, f"the last linear layer must see features (B, F) once a pass; it saw {shapes}")
        return seen[0]


class Last(nn.Module):
    """The linear layer of a network, from features (B, F) to logits (B, K). Its weights stay with the network: a module
    at two places would not be put back after a functional call."""

    def __init__(self, layer: nn.Linear):
        super().__init__()
        self.layer = (layer,)  # in a tuple it is no part of this module
        self.in_features, self.out_features = layer.in_features, layer.out_features

    def forward(self, features):
        return self.layer[0](features)


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """In evaluation mode and without gradients; afterwards every module is as it was, those that are frozen too."""
    modes = {module: module.training for module in net.modules()}
    net.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def rehearsing(net: nn.Module) -> Iterator[None]:
    """Without gradients, in whatever mode it is; afterwards random numbers and running means are as they were."""
    before = [buffer.clone() for buffer in net.buffers()]
    devices = {p.device for p in net.parameters() if p.is_cuda}
    with torch.no_grad(), torch.random.fork_rng([*devices]):
        yield
        for buffer, value in zip(net.buffers(), before, strict=True):
            buffer.copy_(value)


def check_end(features: Features, last: Last, x: Tensor) -> None:
    """Refuse a network that does not return what its last linear layer gives, or the probabilities or their logarithms
    of it, for images x (B, …), in training and in evaluation; unless somebody has named the layer. Of each epoch the
    first batch is looked at."""
    replaced = features.net.get_submodule(features.last) is not last.layer[0]
    require(not replaced, f"the layer {features.last!r} of the network was replaced by another one; call attach again")
    if features.sure or features.compared:
        return
    with rehearsing(features.net):
        _compare(features, x)
    with evaluating(features.net):
        _compare(features, x)
    features.compared = True


def _compare(features: Features, x: Tensor) -> None:
    """What the network returns with what its last linear layer gives in the same pass."""
    given = []
    layer = features.net.get_submodule(features.last)
    hook = layer.register_forward_hook(lambda *call: given.append(call[2].clone()))  # it may be changed in place
    try:
        returned = features.net(x)
    finally:
        hook.remove()
    if len(given) != 1:
        return  # `Features` says what is wrong
    logits = given[0].float()
    finite = bool(logits.isfinite().all())
    require(finite, "the network gives NaN or infinity: the learning rate is too high, or images have such numbers")
    known = (logits, logits.softmax(1), logits.log_softmax(1))
    if parts := _returned(returned, logits.shape):  # what else a library returns cannot be compared
        pairs = [(part.float(), own) for part in parts for own in known if part.shape == own.shape]
        same = any(torch.allclose(part, own, 1e-3, 1e-4) for part, own in pairs)
        told = f"the network does not return what its linear layer {features.last!r} gives"
        require(same, f"{told}; if that one gives the logits, say so by attach(..., last={features.last!r})")


def _returned(returned, shape: torch.Size) -> list[Tensor]:
    """What a network returns in place of logits: the tensor, what it calls logits or returns first, or else whatever
    has their shape."""
    if isinstance(returned, dict) and "logits" not in returned:
        return [part for part in returned.values() if isinstance(part, Tensor) and part.shape == shape]
    returned = returned["logits"] if isinstance(returned, dict) else getattr(returned, "logits", returned)
    returned = returned[0] if isinstance(returned, tuple | list) else returned
    return [returned] if isinstance(returned, Tensor) else []


def check_state(state, whose: dict, own: dict) -> None:
    """Refuse a state that is not one of an attached method, or that is another's, `whose` it should be; or of a network
    whose parameters are not `own`."""
    needs = ("steps", "epochs", "score", "net", "best", "own")
    is_one = isinstance(state, dict) and {*needs} <= {*state}
    require(is_one, "this is no state of an attached method, as its state_dict() returns it with the network's in it")
    made = {name: state.get(name, ours) for name, ours in whose.items()}
    require(made == whose, f"the state is that of {made}, and not of {whose}")
    differ = sorted({*own} ^ {*state["net"]}) or [k for k, value in own.items() if state["net"][k].shape != value.shape]
    require(not differ, f"the state is that of another network: {few(differ, most=3)} differ in name or shape")
