"""Images on disk as Clothing1M has them (Xiao et al. 2015): lists of files, noisy labels, clean ones of some."""

import hashlib
import os
import posixpath
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..inputs import UserError, few, require, tell
from .images import balanced
from .prepared import tell_untested


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


# the lists of images, and which kind of label each takes
LISTS = {"noisy_train": "noisy", "clean_train": "clean", "clean_val": "clean", "clean_test": "clean"}


def read(folder: Path, trusted: int = 0) -> Archive:
    """The archive in a folder in the layout of Clothing1M; its lists are read and checked, its images not opened.

    Of the trusted images the first `trusted` are kept (0: all), as many of each class as can be. A `UserError` names
    the file that cannot be read, the line that is no label, or the image that is listed twice, unlabelled or missing.
    """
    folder = folder.expanduser().resolve()
    lines, digest = _text_files(folder)
    classes = _filled(lines["category_names_eng"])
    twice = sorted({name for name in classes if classes.count(name) > 1})
    require(not twice, f"category_names_eng.txt has {few(twice)} more than once")
    labels = {kind: _labels(kind, lines[f"{kind}_label_kv"], len(classes)) for kind in ("noisy", "clean")}
    keys = {part: [*map(_as_path, _filled(lines[f"{part}_key_list"]))] for part in LISTS}
    _check_images(folder, keys, labels)
    if trusted:
        listed = keys["clean_train"]
        kept = balanced(np.array([labels["clean"][key] for key in listed]), trusted)
        keys["clean_train"] = [listed[i] for i in kept]
    parts = []
    for part, kind in LISTS.items():
        paths = np.array([f"{folder}/{key}".encode() for key in keys[part]])
        parts.append(Part(paths, torch.tensor([labels[kind][key] for key in keys[part]])))
    trained = {*parts[0].label.tolist()}
    absent = [name for k, name in enumerate(classes) if k not in trained]
    if absent:
        tell(f"{folder / 'noisy_train_key_list.txt'}: no image to train on has the label {few(absent)}")
    tell_untested(f"{folder / 'clean_test_key_list.txt'}", classes, parts[-1].label)
    trusted_noisy = torch.tensor([labels["noisy"].get(key, -1) for key in keys["clean_train"]])
    return Archive(f"{folder}#{digest[:12]}", classes, *parts, trusted_noisy)


def _text_files(folder: Path) -> tuple[dict[str, list[str]], str]:
    """The lines of the lists by the names of their files, and the SHA-256 of them all."""
    lines, digest = {}, hashlib.sha256()
    for name in ["category_names_eng", "noisy_label_kv", "clean_label_kv", *(f"{part}_key_list" for part in LISTS)]:
        try:
            lines[name] = (folder / f"{name}.txt").read_text("utf-8-sig").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{folder / name}.txt cannot be read ({error}); the layout is that of Clothing1M") from None
        digest.update("\n".join([name, *lines[name]]).encode())
    return lines, digest.hexdigest()


def _filled(lines: list[str]) -> list[str]:
    """The lines that are not blank, without the white space around them."""
    return [line.strip() for line in lines if line.strip()]


def _as_path(line: str) -> str:
    """A path in one spelling, so that an image that is listed twice is seen: `./a//b` is `a/b`."""
    return posixpath.normpath(line)


def _check_images(folder: Path, keys: dict[str, list[str]], labels: dict[str, dict[str, int]]) -> None:
    """Refuse an empty list, and an image that is in two lists, has no label of its list's kind, or is not there."""
    seen, inside = {}, {}  # of an image the list that it is in, of a folder the files that are in it
    for part, kind in LISTS.items():
        require(bool(keys[part]), f"{folder / part}_key_list.txt is empty; it needs a path a line")
        for key in keys[part]:
            require(key not in seen, f"{key} is in {seen.get(key)}_key_list.txt and again in {part}_key_list.txt")
            require(not os.path.isabs(key), f"{key} of {part}_key_list.txt is a whole path, not one from {folder} on")
            require(key in labels[kind], f"{key} of {part}_key_list.txt has no label in {kind}_label_kv.txt")
            place, _, file = f"{folder}/{key}".rpartition("/")
            if place not in inside:  # one look at a folder, not one at every file
                inside[place] = _files_in(place) if os.path.isdir(place) else set()
            require(file in inside[place], f"{folder}/{key} of {part}_key_list.txt is not there")
            seen[key] = part


def _files_in(folder: str) -> set[str]:
    """The names of the files in a folder, those that a link leads to included."""
    with os.scandir(folder) as inside:
        return {entry.name for entry in inside if entry.is_file()}


def _labels(kind: str, lines: list[str], K: int) -> dict[str, int]:
    """The labels of images by their paths, from lines `path class`."""
    labels = {}
    for i, line in enumerate(lines, 1):
        if line.strip():
            key, _, label = line.strip().rpartition(" ")
            good = key and label.isdecimal() and int(label) < K
            require(good, f"{kind}_label_kv.txt, line {i}: {line!r} is not a path and one of {K} classes, from 0")
            same = labels.setdefault(_as_path(key), int(label)) == int(label)
            require(same, f"{kind}_label_kv.txt, line {i}: {key} has another label in a line before")
    return labels
