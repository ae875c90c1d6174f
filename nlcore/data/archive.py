"""Images on disk as Clothing1M has them (Xiao et al. 2015): lists of files, noisy labels, clean ones of some."""

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..inputs import UserError, require
from .images import balanced


class Part(NamedTuple):
    """Paths (n,) as bytes, which processes share without copying them, and labels (n,)."""

    file: np.ndarray
    label: Tensor


class Archive(NamedTuple):
    name: str  # the folder and a hash of its lists
    classes: list[str]
    train: Part  # with noisy labels, the others with clean ones
    trusted: Part
    validation: Part
    test: Part
    trusted_noisy: Tensor  # noisy labels of the trusted images, -1 for those that have none


LISTS = {"noisy_train": "noisy", "clean_train": "clean", "clean_val": "clean", "clean_test": "clean"}


def read(folder: Path, trusted: int = 0) -> Archive:
    """The lists of a folder, checked; of the trusted images the first `trusted`, as many of each class as can be."""
    found, digest, folder = {}, hashlib.sha256(), folder.expanduser().resolve()
    listed = cache(lambda place: {*os.listdir(place)} if os.path.isdir(place) else set())  # one look, not one a file
    for name in ["category_names_eng", "noisy_label_kv", "clean_label_kv", *(f"{part}_key_list" for part in LISTS)]:
        try:
            found[name] = (folder / f"{name}.txt").read_text().split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{folder / name}.txt cannot be read ({error}); the layout is that of Clothing1M") from None
        digest.update("\n".join([name, *found[name]]).encode())
    classes = [line.strip() for line in found["category_names_eng"] if line.strip()]
    labels = {kind: _labels(found[f"{kind}_label_kv"], f"{kind}_label_kv.txt", len(classes)) for kind in LISTS.values()}
    parts, seen = {}, {}
    for part, kind in LISTS.items():
        keys = [line.strip() for line in found[f"{part}_key_list"] if line.strip()]
        require(bool(keys), f"{folder / part}_key_list.txt is empty; it needs a path a line")
        for key in keys:
            require(key not in seen, f"{key} is in {seen.get(key)}_key_list.txt and again in {part}_key_list.txt")
            require(key in labels[kind], f"{key} of {part}_key_list.txt has no label in {kind}_label_kv.txt")
            place, _, file = f"{folder}/{key}".rpartition("/")
            require(file in listed(place), f"{folder}/{key} of {part}_key_list.txt is not there")
            seen[key] = part
        y = np.array([labels[kind][key] for key in keys])
        keep = balanced(y, trusted) if part == "clean_train" and trusted else slice(None)
        files = np.array([f"{folder}/{key}".encode() for key in keys])[keep]
        parts[part] = Part(files, torch.from_numpy(y[keep]))
    trusted_keys = [file.decode().removeprefix(f"{folder}/") for file in parts["clean_train"].file]
    noisy = torch.tensor([labels["noisy"].get(key, -1) for key in trusted_keys])
    return Archive(f"{folder}#{digest.hexdigest()[:12]}", classes, *parts.values(), noisy)


def _labels(lines: list[str], file: str, K: int) -> dict[str, int]:
    labels = {}
    for i, line in enumerate(lines, 1):
        key, _, label = line.strip().rpartition(" ")
        good = not line.strip() or key and label.isdecimal() and int(label) < K
        require(good, f"{file}, line {i}: {line!r} is not a path and one of {K} classes, from 0")
        labels[key] = int(label or 0)
    return labels
