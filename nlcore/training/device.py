"""The device of a run, and what makes a run on it repeatable."""

import os
import platform
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch

from ..inputs import lookup, require

# switches of the surroundings that let fp32 be less, which no switch of torch takes back; and what each may be
SURROUNDINGS = {
    "ONEDNN_DEFAULT_FPMATH_MODE": "strict",
    "DNNL_DEFAULT_FPMATH_MODE": "strict",
    "NVIDIA_TF32_OVERRIDE": "0",
}


def devices(name: str = "auto") -> list[torch.device]:
    """All that a name stands for: `cuda` is every GPU, `cuda:1` the second one, `auto` every GPU or else the CPU."""
    check_surroundings()
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    gpus = [f"cuda:{i}" for i in range(count)]
    asked = name.partition(":")[0] == "cuda"
    require(not asked or count > 0, f"device {name!r} was asked for, but torch sees no GPU here")
    lookup("device", name, ("auto", "cpu", "cuda", *gpus))
    if name in gpus:
        return [torch.device(name)]
    return [torch.device(gpu) for gpu in gpus if name != "cpu"] or [torch.device("cpu")]


def check_surroundings() -> None:
    """Refuse switches of the environment by which fp32 is less."""
    for switch, full in SURROUNDINGS.items():
        chosen = os.environ.get(switch, full)
        told = f"{switch}={chosen} lets fp32 be less than fp32, and no record would say so"
        require(chosen.lower() in (full, ""), f"{told}; take it out of the environment")


def pick_device(name: str = "auto") -> torch.device:
    """The first of them, for whoever trains on one."""
    return devices(name)[0]


def device_name(device: torch.device) -> str:
    """As it stands in a record."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU ({platform.machine()}, one thread)"


ONE_AT_A_TIME = threading.RLock()  # random numbers, threads and precision are those of the whole process


@contextmanager
def reproducible(seed: int, device: torch.device) -> Iterator[None]:
    """Seeded generators, fp32 that is fp32, and one CPU thread (faster for small nets, and bit for bit the same); all
    put back afterwards. Of several threads of a process one waits for the other."""
    cuda = device.type == "cuda"
    check_surroundings()
    current = torch.cuda.device(device) if cuda else nullcontext()
    elsewhere = torch.get_default_device()
    told = (
        f"a training starts where new tensors are on the CPU, not on {elsewhere}; undo torch.set_default_device first"
    )
    require(elsewhere.type == "cpu", told)
    # a training has its own precision, and in an outer autocast weights that were cast once would stay as they were
    require(not torch.is_autocast_enabled(device.type), "a training starts outside of torch.autocast; leave that first")
    own_generators, learning = torch.random.fork_rng([device] if cuda else []), torch.enable_grad()
    with ONE_AT_A_TIME, current, own_generators, full_precision(), torch.inference_mode(False), learning:
        torch.default_generator.manual_seed(seed)
        if cuda:
            torch.cuda.manual_seed(seed)
        threads, kind = torch.get_num_threads(), torch.get_default_dtype()
        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.set_default_dtype(kind)


@contextmanager
def full_precision() -> Iterator[None]:
    """Convolutions, recurrent nets and matrix products without TF32 or bf16, whatever the process had chosen."""
    cudnn, matmul, cpu = torch.backends.cudnn, torch.backends.cuda.matmul, torch.backends.mkldnn
    if hasattr(cudnn, "conv"):  # torch 2.9 and later; the older switch warns there
        switches, name, full = (cudnn.conv, cudnn.rnn, matmul, cpu.conv, cpu.rnn, cpu.matmul), "fp32_precision", "ieee"
    else:  # the second is that of products on a CPU as well
        switches, name, full = (cudnn, matmul), "allow_tf32", False
    before = [getattr(switch, name) for switch in switches]
    for switch in switches:
        setattr(switch, name, full)
    try:
        yield
    finally:
        for switch, value in zip(switches, before, strict=True):
            setattr(switch, name, value)


def peak_memory_mb(device: torch.device) -> int | None:
    """The most memory that was in use: of the device, or of the process on a CPU; None where it is not counted."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 1e6)
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1e6 if sys.platform == "darwin" else 1e3))  # bytes there, kilobytes elsewhere
