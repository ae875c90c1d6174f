"""Images that carry wrong labels and show none of the classes: white noise, photographs, another data set."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from .. import data
from ..data.duplicates import of_parts
from ..inputs import require


def check_foreign(kind: str, target: data.Dataset) -> None:
    """Refuse a data set `kind` whose images are those of the data set `target`; of known ones a few are in two."""
    other = data.shared(kind)
    images, alike = len(other.train.x) + len(other.test.x), _alike(kind, target.name, other.sha256, target.sha256)
    told = (
        f"of {images} images of {kind}, {alike} are images of {target.name} as well; foreign images show other things"
    )
    require(100 * alike < images, told)


@cache
def _alike(kind: str, name: str, *content: str) -> int:
    """How many images of the data set `kind` are in the one called `name` too; both have some `content`."""
    own, other = (of_parts(data.shared(one)) for one in (name, kind))
    known = {*own[0], *own[1]}
    return sum(digest in known for part in other for digest in part)


def foreign(kind: str, target: data.Dataset, count: int, seed: int) -> Tensor:
    """Up to `count` images uint8 (n, C, H, W), shaped like those of `target`.

    `white`: each pixel drawn on its own from the grey levels of its channel over all training images, so with exactly
    their mean and variance. `photos`: windows of scikit-learn's two photographs. Otherwise the images of the data set
    called so, those of its test split first; a `UserError` if they are shaped otherwise.
    """
    shape = tuple(target.train.x.shape[1:])
    C, H, W = shape
    rng = np.random.default_rng([seed, 5])
    if kind == "white":
        levels = [channel.flatten().numpy() for channel in target.train.x.unbind(1)]
        noise = [level[rng.integers(len(level), size=(count, H, W), dtype=np.int32)] for level in levels]
        return torch.from_numpy(np.stack(noise, 1))
    if kind == "photos":
        from sklearn.datasets import load_sample_images

        require(H <= 427 and W <= 640, f"the photographs are 427 x 640, too small for images of {H} x {W}")
        pictures = np.stack([picture[:427, :640] for picture in load_sample_images().images])  # (2, 427, 640, 3)
        which, top, left = rng.integers([2, 428 - H, 641 - W], size=(count, 3)).T[:, :, None, None]
        windows = pictures[which, top + np.arange(H)[:, None], left + np.arange(W)]  # (count, H, W, 3)
        if C != 3:  # the mean of the colours, in every channel
            windows = windows.mean(-1, keepdims=True).repeat(C, -1)
        return torch.from_numpy(windows.astype(np.uint8).transpose(0, 3, 1, 2).copy())
    other = data.shared(kind)
    found = tuple(other.train.x.shape[1:])
    alike = f"the images of {kind} are {found} (C, H, W), those of {target.name} {shape}; they must be alike"
    require(found == shape, alike)
    return torch.cat([other.test.x[:count], other.train.x[: max(count - len(other.test.x), 0)]])
