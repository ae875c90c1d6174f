"""What a training loop of one's own gives to a method, and the sentences where that does not fit."""

import hashlib
from collections.abc import Iterable
from numbers import Integral
from typing import NamedTuple

import torch
from torch import Tensor

from ..inputs import UserError, few, require, shown


class Given(NamedTuple):
    """What the caller of `attach` has given for the time between epochs."""

    labels: Tensor | None  # (M,)
    pairs: Iterable | None  # batches (index, x, …) of all training pairs
    trusted_index: Tensor | None  # (m,)
    trusted_x: Tensor | None  # (m, …)
    trusted_y: Tensor | None  # (m,)


def whole_number(what: str, value, least: int) -> int:
    """A number that Python or numpy has as a whole one; a `UserError` says `what` it is if it is none, or too small."""
    fits = isinstance(value, Integral) and not isinstance(value, bool) and value >= least
    require(fits, f"{what}, {least} or more, not {shown(value)}")
    return int(value)


def digest(*parts) -> str:
    """A short hash of what was given; of nothing, nothing."""
    told = [torch.as_tensor(part).cpu().numpy().tobytes() for part in parts if part is not None]
    return hashlib.sha256(b"".join(told)).hexdigest()[:12] if told else ""


def check_range(what: str, values: Tensor, count: int) -> None:
    """Refuse whole numbers that are not all 0 to `count` - 1; `what` says what they are."""
    low, high = int(values.min()), int(values.max())
    require(0 <= low and high < count, f"{what} 0 to {count - 1}, not {low} to {high}")


def as_labels(labels: Tensor | None, M: int, K: int) -> Tensor | None:
    """Given labels as a tensor (M,); a `UserError` where they do not fit."""
    if labels is None:
        return None
    try:
        labels = torch.as_tensor(labels)
    except (TypeError, ValueError) as error:
        raise UserError(f"labels are classes, whole numbers (M,), and this is no array of them ({error})") from None
    require(not labels.is_floating_point(), f"labels are classes, whole numbers, not {labels.dtype}")
    labels = labels.long()
    require(labels.shape == (M,), f"labels are those of all M={M} pairs, not of shape {(*labels.shape,)}")
    check_range("labels are", labels, K)
    return labels


def check_trusted(title: str, x: Tensor, y: Tensor, K: int, each_class: bool) -> None:
    """Refuse trusted images and classes that do not fit, or that lack a class where `each_class` is to have one."""
    has = f"trusted_x has {len(x)} images and trusted_y {len(y)} classes"
    require(len(x) == len(y) > 0, f"{has}; each image has one, and some are needed")
    check_range("trusted_y are", y, K)
    absent = sorted({*range(K)} - {*y.tolist()}) if each_class else []
    told = f"{title} needs a trusted image of each of K={K} classes"
    require(not absent, f"{told}; of class {few([*map(str, absent)], most=3)} there is none")


def check_trusted_index(index: Tensor, y: Tensor | None, M: int, K: int) -> None:
    """Refuse places of trusted pairs that are none, and classes that do not fit them."""
    whole = not (index.is_floating_point() or index.dtype == torch.bool) and index.ndim == 1 and len(index) > 0
    kind = f"{index.dtype} of shape {(*index.shape,)}"
    require(whole, f"trusted_index are the places (m,) of trusted pairs as whole numbers, not {kind}")
    check_range("trusted_index are places among the pairs,", index, M)
    require(len(index.unique()) == len(index), "trusted_index names a pair twice")
    if y is not None:
        y = torch.as_tensor(y)
        told = f"trusted_y are the classes of the {len(index)} pairs of trusted_index,"
        require(y.shape == index.shape, f"{told} not of shape {(*y.shape,)}")
        check_range(told, y, K)


def check_pairs(index: Tensor, y: Tensor, M: int, K: int) -> None:
    """Refuse the places (B,) and the labels of a batch that are none. Only on the CPU: on another device a look at them
    would cost the time of a step."""
    if index.device.type == "cpu":
        told = f"index has the place of each pair of the batch among all M={M}, whole numbers"
        require(len(index) == len(y) > 0 and not index.is_floating_point(), told)
        require(0 <= int(index.min()) and int(index.max()) < M, told)
    require(y.shape == index.shape, f"y are classes (B,), one for each place of index, not of shape {(*y.shape,)}")
    if y.device.type == "cpu":
        check_range("y are classes", y, K)


def agree(labels: Tensor, index: Tensor, y: Tensor) -> bool:
    """Whether labels y (B,) are those of the pairs at `index` (B,)."""
    return torch.equal(labels[index.cpu().long()], y.cpu().long())
