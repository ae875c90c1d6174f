"""States of a run as files without code: tensors as safetensors, everything else as JSON in the same file."""

import errno
import json
import zlib
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

DAMAGED = (SafetensorError, ValueError, KeyError, TypeError)  # what reading makes of a damaged file


def write(state: dict, path: Path) -> None:
    """Write nested dicts, lists and tuples of tensors, numbers, strings and None; a `TypeError` names anything else."""
    tensors: dict[str, Tensor] = {}
    text = json.dumps(packed(state, tensors))
    try:
        save_file(tensors, path, {"state": text, "checksum": checksum(text, tensors)})
    except SafetensorError as error:  # of a full disk, for instance, which is said as any other file says it
        raise OSError(errno.EIO, str(error), str(path)) from None


def read(path: Path, device: torch.device) -> dict:
    """What `write` was given, with the tensors on `device`, each with memory of its own; one of the errors
    `DAMAGED` if the file is."""
    with safe_open(path, "pt") as file:
        about = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    text = about.get("state", "")
    if about.get("checksum") != checksum(text, tensors):
        raise ValueError("its content does not match its checksum")
    return unpacked(json.loads(text), tensors, device)


def checksum(text: str, tensors: dict[str, Tensor]) -> str:
    """Of all that a file holds: the format itself would not notice a changed byte."""
    found = zlib.crc32(text.encode())
    for name in sorted(tensors):
        found = zlib.crc32(tensors[name].reshape(-1).view(torch.uint8).numpy(), found)
    return f"{found:08x}"


def packed(value, tensors: dict[str, Tensor]):
    """`value` as JSON, its tensors copied into `tensors`. JSON knows neither tuples nor keys that are numbers, so each
    of its objects is of one of the three kinds below."""
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)  # the format has no strides
        # fused optimisers need their memory in the order of the weights, such as channels last
        return {"tensor": name, "stride": [*torch.empty_like(value, device="meta").stride()]}
    if isinstance(value, dict):
        return {"dict": [[packed(key, tensors), packed(part, tensors)] for key, part in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [packed(part, tensors) for part in value]}
    if isinstance(value, list):
        return [packed(part, tensors) for part in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a state cannot hold a {type(value).__name__}")


def unpacked(value, tensors: dict[str, Tensor], device: torch.device):
    """The inverse of `packed`."""
    if isinstance(value, list):
        return [unpacked(part, tensors, device) for part in value]
    if not isinstance(value, dict):
        return value
    if "dict" in value:
        return {unpacked(key, tensors, device): unpacked(part, tensors, device) for key, part in value["dict"]}
    if "tuple" in value:
        return tuple(unpacked(part, tensors, device) for part in value["tuple"])
    found = tensors[value["tensor"]]
    return torch.empty_strided(found.shape, value["stride"], dtype=found.dtype, device=device).copy_(found)
