"""Labels that people gave to the images of a known data set: fetched, verified, joined to the images.

A prepared file, such as `cifar10n.npz` in the folder of the data sets, has a row for each image of a split, in the
order of the published archive: `image_sha256` (N,), the hash of the image's uint8 (H, W, C) bytes as 64 hex digits;
`clean` (N,), its true class; and an array (N,) of whole numbers for each set of labels, or votes (N, K).
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from ..inputs import UserError, lookup, require, tell
from . import datasets
from .duplicates import digests
from .fetch import download, prepare
from .prepared import opened, root


class LabelFile(NamedTuple):
    """What is known of a file of labels. The hashes are of decoded arrays, whatever file they came in."""

    dataset: str
    split: str  # train or test
    url: str  # of the authors' own file
    names: dict[str, str]  # our name of an array, and theirs
    images: str  # SHA-256 of the hashes of all images, in the order of the archive
    labels: str  # SHA-256 of all labels


HOST = "https://raw.githubusercontent.com"
CIFAR_N = f"{HOST}/UCSC-REAL/cifar-10-100n/main/data"
# Wei et al. 2022, CC BY-NC 4.0, and Peterson et al. 2019, CC BY-NC-SA 4.0: to be used and cited, and never part of this
# repository
FILES = {
    "cifar10n": LabelFile(
        "cifar10",
        "train",
        f"{CIFAR_N}/CIFAR-10_human.pt",
        {
            "clean": "clean_label",
            "aggregate": "aggre_label",
            "worst": "worse_label",
            "random1": "random_label1",
            "random2": "random_label2",
            "random3": "random_label3",
        },
        "6f580c20102340d24656171b15d36cf6ec8f935282c5e82d8e01faa280f4990d",
        "0a16174f4395fc3b114fd3e0f125214c80b5a009c1be3ba7fb5599f9e1db31d6",
    ),
    "cifar100n": LabelFile(
        "cifar100",
        "train",
        f"{CIFAR_N}/CIFAR-100_human.pt",
        {"clean": "clean_label", "noisy": "noisy_label"},
        "6544146439051366e23d1a1e4d89f6a6e2a400ae8f83512f096aa101bb542329",
        "52277eaa4409c51155201cc42dd29be35868a37e110ce63e6bf8de2cdc6a28cb",
    ),
    "cifar10h": LabelFile(
        "cifar10",
        "test",
        f"{HOST}/jcpeterson/cifar-10h/master/data/cifar10h-counts.npy",
        {"clean": "", "counts": "counts"},
        "66499bd73a8466eadb7ff87c3d0894950b265aeb97eed759b34e80d23e6309b2",
        "c688667cea8c98886e7de870446f7fc0f131029760d4e16b900efd8b04163c77",
    ),
}


def read(name: str) -> dict[str, np.ndarray]:
    """The arrays of a prepared file by our names, verified; a `UserError` says what to do where it is missing."""
    return dict(_read(name, root()))


@lru_cache(maxsize=4)
def _read(name: str, folder: Path) -> dict[str, np.ndarray]:
    path = folder / f"{name}.npz"
    require(path.exists(), f"the labels {name} are not there: `nlcore data get {name}` fetches them into {folder}")
    arrays = opened(path)
    check(name, arrays, str(path))
    return _shared(arrays)


def check(name: str, arrays: dict[str, np.ndarray], where: str) -> None:
    """Refuse arrays of a file of labels that are not the published ones."""
    known = FILES[name]
    wanted = ["image_sha256", *known.names]
    missing = [key for key in wanted if key not in arrays]
    require(not missing, f"{where} lacks the array {', '.join(missing)}; it needs {', '.join(wanted)}")
    found = digest_of_images(arrays["image_sha256"])
    require(
        found == known.images,
        f"{where}: its images are not those of {known.dataset} in the order of the published archive ({found[:12]})",
    )
    found = digest_of_labels([arrays[key] for key in known.names])
    require(found == known.labels, f"{where}: its labels are not the published ones (hash {found[:12]})")


def digest_of_images(hashes: np.ndarray) -> str:
    """The SHA-256 of hashes of images (N,), in their order."""
    return hashlib.sha256("".join(map(str, hashes)).encode()).hexdigest()


def digest_of_labels(columns: list[np.ndarray]) -> str:
    """The SHA-256 of columns of labels (N,), each as 16 bit numbers."""
    return hashlib.sha256(b"".join(column.astype("<i2").tobytes() for column in columns)).hexdigest()


def hashes_of(images: np.ndarray) -> np.ndarray:
    """The SHA-256 of each image uint8 (N, H, W, C), as 64 hex digits."""
    return np.array(digests(images))


def joined(name: str) -> dict[str, np.ndarray]:
    """The arrays of a file of labels, each (N, ...) in the order of the images of their data set."""
    return dict(_joined(name, root()))


@lru_cache(maxsize=4)
def _joined(name: str, folder: Path) -> dict[str, np.ndarray]:
    arrays, images = _read(name, folder), getattr(datasets.shared(FILES[name].dataset), FILES[name].split)
    hashes, true = hashes_of(images.x.permute(0, 2, 3, 1).numpy()), images.y.numpy()
    place = places(hashes, true, arrays["image_sha256"], arrays["clean"])
    return _shared({key: arrays[key][place].astype(np.int64) for key in FILES[name].names})


def _shared(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same arrays, which nobody can write to: all who ask get them."""
    for array in arrays.values():
        array.flags.writeable = False
    return arrays


def places(hashes: np.ndarray, true: np.ndarray, other_hashes: np.ndarray, other_true: np.ndarray) -> np.ndarray:
    """Where each image (N,), known by hash and true class, is among the `other` ones (N,).

    Equal images of one class, of which CIFAR-100 has a few, are taken in the order of either side: to exchange their
    labels changes nothing.
    """
    order, other = np.lexsort((true, hashes)), np.lexsort((other_true, other_hashes))
    same = np.array_equal(hashes[order], other_hashes[other]) and np.array_equal(true[order], other_true[other])
    require(same, "the labels are those of other images or of other true classes")
    found = np.empty(len(order), np.int64)
    found[order] = other
    return found


def listing() -> list[dict]:
    """One row per set of labels, as of data sets. Nothing is downloaded."""
    rows = []
    for name, known in FILES.items():
        path, row = root() / f"{name}.npz", {"name": name, "state": "missing", "images": "", "sha256": "", "MB": ""}
        row["place"] = f"nlcore data get {name}"
        if path.exists():
            try:
                row["images"] = str(len(read(name)["clean"]))
            except UserError as error:
                row |= {"state": "corrupt", "place": str(error)}
            else:
                row |= {"state": "ready", "sha256": known.labels, "place": str(path)}
                row["MB"] = round(path.stat().st_size / 1e6, 1)
        rows.append(row)
    return rows


def get(name: str, echo: Callable[[str], object] = tell) -> Path:
    """The prepared file of a set of labels: kept if it verifies, else made from its authors' file, whose labels follow
    the order of the published archive (see `prepare`); a `UserError` if that cannot be reached, or has other content.
    """
    known = lookup("labels to fetch", name, FILES)

    def made(work: Path) -> tuple[dict[str, np.ndarray], str]:
        datasets.shared(known.dataset)  # fetched where it is missing
        data = opened(root() / f"{known.dataset}.npz")
        images, true = (data[f"{known.split}_{what}"] for what in ("images", "labels"))
        try:
            path = download(known.url, work / Path(known.url).name)
        except OSError as error:
            instead = f"put a prepared {name}.npz into {root()}"
            raise UserError(f"{known.url} cannot be reached ({error}); {instead}") from None
        try:
            arrays = {"image_sha256": hashes_of(images), "clean": true} | arrays_of(path, known.names)
            check(name, arrays, f"{path.name} with {known.dataset}.npz")
        except UserError:
            path.unlink()  # the next attempt fetches it again
            raise
        return arrays, known.url

    return prepare(name, read, made, echo, np.savez_compressed)


def arrays_of(path: Path, names: dict[str, str]) -> dict[str, np.ndarray]:
    """The arrays of a pickled dictionary of numpy arrays, by our names; or the one array of an `.npy`.

    torch reads a pickle with a reader that knows tensors and, as we allow here, numpy's arrays; whatever else it may
    ask for is refused and not run. A `UserError` says so.
    """
    array = np.empty(0, np.int64)
    rebuild, _, _ = array.__reduce__()
    numbers = {type(np.dtype(code)) for code in np.typecodes["AllInteger"] + np.typecodes["Float"] + "?"}
    homes = ("numpy.core.multiarray", "numpy._core.multiarray")  # of older and newer versions of numpy
    allowed = [np.ndarray, np.dtype, *numbers, *((rebuild, f"{home}._reconstruct") for home in homes)]
    try:
        if path.suffix == ".npy":
            return {"counts": np.load(path, allow_pickle=False)}
        with torch.serialization.safe_globals(allowed):
            found = torch.load(path, weights_only=True)
        return {ours: np.asarray(found[theirs]).astype(np.int16) for ours, theirs in names.items()}
    except Exception as error:  # whatever a torn or foreign file makes of reading it
        told = f"{path.name} is not the authors' file with the arrays {', '.join(names.values())}"
        raise UserError(f"{told} ({type(error).__name__}); fetch it again") from None
