"""Labels of people: joined to the images by content, verified, read without running foreign code."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from nlcore import data
from nlcore.data import labels
from nlcore.inputs import UserError

REAL = Path(os.environ.get("NLCORE_DATA", "data"))  # read before each test gets a folder of its own


def small(monkeypatch) -> dict[str, np.ndarray]:
    """A made-up set of labels `cifar10n` of ten images, in the order of an archive, and what is known of it."""
    rng = np.random.default_rng(0)
    images, true = rng.integers(0, 255, (10, 2, 2, 3), dtype=np.uint8), np.arange(10) % 3
    images[7] = images[1]  # an equal image with the same class
    arrays = {"train_images": images, "train_labels": true, "test_images": images[:3], "test_labels": true[:3]}
    data.root().mkdir()
    np.savez(data.root() / "cifar10.npz", **arrays, classes=np.array(["a", "b", "c"]))
    digest = data.verified("own", arrays, "abc")
    hashes = labels.hashes_of(images)
    given = {"clean": true, "worst": (true + 1) % 3}
    known = labels.FILES["cifar10n"]._replace(
        names={"clean": "clean_label", "worst": "worse_label"},
        images=labels.digest_of_images(hashes),
        labels=labels.digest_of_labels([*given.values()]),
    )
    monkeypatch.setitem(labels.FILES, "cifar10n", known)
    monkeypatch.setattr(labels.datasets, "shared", lambda name: digest)
    return given | {"image_sha256": hashes}


def test_labels_are_joined_by_image_and_class(monkeypatch):
    arrays = small(monkeypatch)
    np.savez(data.root() / "cifar10n.npz", **arrays)
    found, train = labels.joined("cifar10n"), labels.datasets.load("cifar10").train
    assert np.array_equal(found["clean"], train.y) and np.array_equal(found["worst"], (train.y.numpy() + 1) % 3)
    with pytest.raises(UserError, match="other images"):
        labels.places(arrays["image_sha256"], arrays["clean"], arrays["image_sha256"][::-1], arrays["clean"])


def test_labels_that_are_missing_or_others_are_told_in_a_sentence(monkeypatch):
    arrays = small(monkeypatch)
    path = data.root() / "cifar10n.npz"
    with pytest.raises(UserError, match="`nlcore data get cifar10n` fetches them"):
        labels.read("cifar10n")
    for wrong, told in (
        (arrays | {"worst": arrays["clean"]}, "labels are not the published ones"),
        (arrays | {"image_sha256": arrays["image_sha256"][::-1]}, "in the order of the published archive"),
        ({"clean": arrays["clean"]}, "lacks the array image_sha256, worst"),
    ):
        np.savez(path, **wrong)
        with pytest.raises(UserError, match=told):
            labels.read("cifar10n")
    assert next(row for row in labels.listing() if row["name"] == "cifar10n")["state"] == "corrupt"


class Foreign:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


def served(monkeypatch, write) -> None:
    """A file that `write` writes is what the authors' host sends."""

    def download(url, path):
        write(path)
        return path

    monkeypatch.setattr(labels, "download", download)


def test_the_authors_file_becomes_a_prepared_one(monkeypatch):
    arrays = small(monkeypatch)
    theirs = {"clean_label": arrays["clean"], "worse_label": arrays["worst"], "more": np.zeros(3)}
    served(monkeypatch, lambda path: torch.save(theirs, path))
    path = labels.get("cifar10n", lambda said: None)
    assert np.array_equal(np.load(path)["worst"], arrays["worst"])
    path.write_bytes(b"half a file")
    said = []
    assert labels.get("cifar10n", said.append) == path and path.with_suffix(".corrupt").exists()
    assert "corrupt" in said[0] and np.array_equal(np.load(path)["worst"], arrays["worst"])
    assert labels.get("cifar10n", pytest.fail) == path and labels.listing()[0]["state"] == "ready"


def test_an_older_numpy_may_have_written_it(tmp_path):
    path = tmp_path / "old.pt"
    torch.save({"a": np.arange(3)}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert labels.arrays_of(path, {"ours": "a"})["ours"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("content", ["foreign", "empty", "other"])
def test_a_file_that_is_not_theirs_is_refused_unrun_and_removed(monkeypatch, tmp_path, content):
    small(monkeypatch)
    monkeypatch.chdir(tmp_path)
    write = {
        "foreign": lambda path: torch.save({"clean_label": Foreign(), "worse_label": Foreign()}, path),
        "empty": lambda path: path.write_bytes(b""),
        "other": lambda path: torch.save({"clean_label": np.arange(10), "worse_label": np.arange(10)}, path),
    }
    served(monkeypatch, write[content])
    with pytest.raises(UserError, match=r"CIFAR-10_human.pt"):
        labels.get("cifar10n", lambda said: None)
    assert not (tmp_path / "ran").exists() and not [*data.root().rglob("*.pt")]


def test_a_host_that_is_away_is_told(monkeypatch):
    small(monkeypatch)

    def away(url, path):
        raise OSError("no route")

    monkeypatch.setattr(labels, "download", away)
    with pytest.raises(UserError, match=r"cannot be reached \(no route\); put a prepared cifar10n.npz"):
        labels.get("cifar10n", print)


def test_votes_are_read_from_a_plain_array(tmp_path):
    np.save(tmp_path / "votes.npy", np.eye(3))
    assert labels.arrays_of(tmp_path / "votes.npy", {"clean": "", "counts": "counts"})["counts"].shape == (3, 3)


@pytest.mark.skipif(not (REAL / "cifar10n.npz").exists(), reason="the labels of people are not on this machine")
def test_the_real_labels_are_the_published_ones(monkeypatch):
    monkeypatch.setenv("NLCORE_DATA", str(REAL))
    found = labels.joined("cifar10n")
    assert np.array_equal(found["clean"], data.load("cifar10").train.y)
    wrong = [round(100 * (found[name] != found["clean"]).mean(), 2) for name in found]
    assert wrong == [0, 9.01, 40.21, 17.23, 18.12, 17.64]
