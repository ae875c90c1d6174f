"""One process, or several that train one network together, each with a share of the pairs to itself.

Gradients are averaged in plain sight: methods call parts of `net.body`, which DistributedDataParallel would not notice.
"""

import atexit
import os
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..inputs import require
from .device import devices


class Process(NamedTuple):
    """This one of `world`."""

    device: torch.device
    rank: int = 0
    world: int = 1

    def average(self, tensors: list[Tensor]) -> None:
        """Their means over processes, in place, all in one message."""
        if self.world > 1 and tensors:
            flat = added(torch.cat([t.flatten() for t in tensors])).div_(self.world)
            for t, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
                t.copy_(part.view_as(t))

    def average_gradients(self, net: nn.Module) -> None:
        """Of all parameters that have one."""
        if self.world > 1:
            self.average([p.grad for p in net.parameters() if p.grad is not None])

    def mean(self, t: Tensor) -> float:
        """The mean over processes of a scalar; waits for the device."""
        return added(t.clone()).item() / self.world if self.world > 1 else t.item()

    def all_agree(self, yes: bool) -> bool:
        """Whether it is so in every process."""
        return self.mean(torch.tensor(float(yes), device=self.device)) == 1

    def share(self, net: nn.Module) -> None:
        """Let every process have the network of the first one."""
        for t in [*net.parameters(), *running_averages(net)] if self.world > 1 else []:
            dist.broadcast(t.detach(), 0)


def added(t: Tensor) -> Tensor:
    """The sum over processes, in place."""
    if dist.is_initialized():
        dist.all_reduce(t)
    return t


def running_averages(net: nn.Module) -> list[Tensor]:
    """Those of batch norm, which every process has of its own images."""
    norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    return [t for m in norms for t in (m.running_mean, m.running_var)]


def joined(device: str) -> Process:
    """This process, among those that torchrun has started."""
    places, rank, world = devices(device), int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    place = places[0]
    if place.type == "cuda":
        local = int(os.environ.get("LOCAL_RANK", 0))
        require(local < len(places), f"this is process {local + 1} of this machine; GPUs for {device}: {len(places)}")
        place = places[local]
        torch.cuda.set_device(place)
    if world > 1:
        store = next(dist.rendezvous("env://"))[0]  # when torchrun starts again it has addresses of the dead as well
        store = dist.PrefixStore(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"), store)
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo", store=store, rank=rank, world_size=world)
        atexit.register(dist.destroy_process_group)
    return Process(place, rank, world)
