"""Data: verified, in one order, and bad input told in one sentence."""

import hashlib
import http.server
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nlcore import data
from nlcore.data import fetch, prepared
from nlcore.inputs import UserError


@pytest.fixture(autouse=True)
def fresh():
    data.datasets._loaded.cache_clear()


def own(path, **changes):
    """A small valid `.npz`, with changes; None leaves an array out."""
    draw = np.random.default_rng(0)
    arrays = {"train_images": draw.integers(0, 255, (12, 5, 5, 3), dtype=np.uint8), "train_labels": np.arange(12) % 3}
    arrays |= {"test_images": draw.integers(0, 255, (6, 5, 5, 3), dtype=np.uint8), "test_labels": np.arange(6) % 3}
    arrays = {k: v for k, v in (arrays | changes).items() if v is not None}
    np.savez(path, **arrays)
    return str(path)


def test_digits_need_nothing():
    digits = data.load("digits")
    assert (
        digits.train.x.shape == (1437, 1, 8, 8) and digits.K == 10 and len(digits.train.y) == data.train_size("digits")
    )


def test_what_is_done_to_loaded_data_does_not_reach_the_trainings_of_the_process():
    """Noise of one's own is often written over the labels."""
    mine, before = data.load("digits"), data.shared("digits").train.y.clone()
    mine.train.y.numpy()[:] = 0
    mine.test.x.zero_()
    assert data.shared("digits").train.y.equal(before) and data.load("digits").test.x.any()


def test_the_order_of_a_source_does_not_matter(tmp_path):
    draw, order = np.random.default_rng(1), np.random.default_rng(2).permutation(12)
    x, y = draw.integers(0, 255, (12, 5, 5, 3), dtype=np.uint8), np.arange(12) % 3
    a = data.load(own(tmp_path / "a.npz", train_images=x, train_labels=y))
    b = data.load(own(tmp_path / "b.npz", train_images=x[order], train_labels=y[order]))
    assert a.sha256 == b.sha256 and (a.train.x == b.train.x).all() and (a.train.y == b.train.y).all()
    c = data.load(own(tmp_path / "c.npz", train_images=x, train_labels=y[order]))
    assert c.sha256 != a.sha256


def test_the_hash_of_ones_own_data_has_the_shape_and_the_names(tmp_path):
    draw, found = np.random.default_rng(3), set()
    wide = {split: draw.integers(0, 255, (n, 4, 6, 3), dtype=np.uint8) for split, n in SPLITS.items()}
    high = {split: x.reshape(-1, 6, 4, 3) for split, x in wide.items()}
    for images in (wide, high):
        for names in ("abc", "cba"):
            changes = images | {"classes": np.array([*names])}
            found.add(data.load(own(tmp_path / f"{len(found)}.npz", **changes)).sha256)
    assert len(found) == 4
    assert data.load("digits").sha256 == data.KNOWN["digits"][1]


SPLITS = {"train_images": 12, "test_images": 6}
BAD = {
    "lacks": {"test_labels": None},
    "uint8": {"train_images": np.zeros((12, 5, 5, 3), np.float32)},
    "classes": {"train_labels": np.arange(12) % 3, "classes": np.array(["a", "b"])},
    "train_labels$|12 train_images but 11": {"train_labels": np.zeros(11, int)},
    "whole numbers": {"test_labels": np.zeros(6)},
    "alike": {"test_images": np.zeros((6, 4, 5, 3), np.uint8)},
    "empty": {"test_images": np.zeros((0, 5, 5, 3), np.uint8), "test_labels": np.zeros(0, int)},
    "is \\[-1\\]": {"train_labels": np.arange(12) % 3 - 1},
    "no training image has label 0": {"train_labels": 1 + np.arange(12) % 3, "test_labels": 1 + np.arange(6) % 3},
    "no training image has label 3, of 100005": {"train_labels": np.array([0, 1, 2] * 3 + [100_004] * 3)},
    "no training image has label 3, of 18446744073709551616": {
        "train_labels": np.array([0, 1, 2] * 3 + [2**64 - 1] * 3, dtype=np.uint64)
    },
    "no training image has label 2, of 3": {"train_labels": np.arange(12) % 2, "classes": np.array(["a", "b", "c"])},
    "not <U1": {"train_labels": np.array(["a", "b", "c"] * 4)},
    "not float64": {"train_labels": np.full(12, np.nan)},
    "not bool": {"train_labels": np.arange(12) % 2 == 0},
    "whole numbers .*\\(12, 1\\)": {"train_labels": np.arange(12)[:, None] % 3},
    "with 1, 3 or 4 channels": {k: np.zeros((n, 3, 5, 5), np.uint8)[..., :2] for k, n in SPLITS.items()},
    "must be uint8 \\(N, H, W, C\\), not uint16": {"train_images": np.zeros((12, 5, 5, 3), np.uint16)},
    "4 channels C": {k: np.zeros((n, 0, 5, 3), np.uint8) for k, n in SPLITS.items()},
    "classes has a more than once": {"classes": np.array(["a", "b", "a "])},
    "classes has a blank name": {"classes": np.array(["a", "b", " "])},
    "classes must be names": {"classes": np.array([["a", "b", "c"]])},
    "classes must be names, one each, not float64": {"classes": np.array([0.5, 1.5, 2.5])},
    "11 train_files but 12": {"train_files": np.arange(11).astype(str)},
    "train_files has 1 more than once": {"train_files": np.ones(12, int)},
}


@pytest.mark.parametrize("sentence", BAD)
def test_a_bad_npz_is_told_in_one_sentence(tmp_path, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        data.load(own(tmp_path / "bad.npz", **BAD[sentence]))
    assert "\n" not in str(error.value) and "bad.npz" in str(error.value)


def test_class_names_are_kept(tmp_path):
    assert data.load(own(tmp_path / "a.npz", classes=np.array(["ant", "bee", "cat"]))).classes == ("ant", "bee", "cat")


def test_names_in_bytes_are_text(tmp_path):
    names = np.array(["ant", "bee", "K\u00e4fer"])
    found = data.load(
        own(tmp_path / "a.npz", classes=np.char.encode(names, "utf-8"), train_files=np.arange(12).astype("S"))
    )
    assert found.classes == ("ant", "bee", "K\u00e4fer") and sorted(found.files)[:2] == ["0", "1"]


def test_a_truncated_npz_is_corrupt(tmp_path):
    path = tmp_path / "a.npz"
    own(path)
    for damaged in (path.read_bytes()[:500], b"", b"\x93NUMPY\x01\x00v\x00{'descr': '<i8'"):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="corrupt"):
            data.load(str(path))


def folder(place, splits=("train", "test"), size=(4, 4)):
    for split in splits:
        for k, name in enumerate(("cat", "dog")):
            (place / split / name).mkdir(parents=True)
            for i in range(10):
                Image.new("RGB", size, (i, 100 * k, 0)).save(place / split / name / f"{i}.png")
    return place


def test_a_folder_with_train_and_test(tmp_path):
    found = data.load(str(folder(tmp_path / "pets")))
    assert (
        found.classes == ("cat", "dog")
        and found.train.x.shape == (20, 3, 4, 4)
        and len(found.train.y) == len(found.test.y) == 20
    )


def test_a_folder_of_class_folders_is_split(tmp_path):
    found = data.load(str(folder(tmp_path / "pets", splits=("",))))
    assert (len(found.train.y), len(found.test.y)) == (16, 4) and found.test.y.bincount().tolist() == [2, 2]


def test_bad_folders(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no folder of pictures"):
        data.load(str(tmp_path / "empty"))
    place = folder(tmp_path / "pets")
    Image.new("RGB", (9, 9)).save(place / "train" / "dog" / "odd.png")
    with pytest.raises(UserError, match="odd.png"):
        data.load(str(place))
    (place / "train" / "dog" / "odd.png").write_text("no picture")
    with pytest.raises(UserError, match="odd.png"):
        data.load(str(place))


def test_other_kinds_of_files_get_a_sentence(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 5, 5, 3), np.uint8))
    with pytest.raises(UserError, match="a.npy holds a single array; an .npz"):
        data.load(str(tmp_path / "a.npy"))
    for name in ("a.pt", "a.PKL"):
        (tmp_path / name).write_bytes(b"PK")
        with pytest.raises(UserError, match=f"{name}: files that may run code"):
            data.load(str(tmp_path / name))
    np.savez(tmp_path / "p.npz", train_images=np.array([{}], object))
    with pytest.raises(UserError, match=r"p.npz: the array train_images has Python objects, which are never read"):
        data.load(str(tmp_path / "p.npz"))


def test_more_classes_than_a_matrix_can_have_are_refused(tmp_path):
    y = np.arange(10_001)
    x = np.zeros((len(y), 1, 1, 1), np.uint8)
    with pytest.raises(UserError, match="10001 classes are too many"):
        data.load(own(tmp_path / "a.npz", train_images=x, train_labels=y, test_images=x, test_labels=y))


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(UserError, match="mnist"):
        data.load("mnits")
    with pytest.raises(UserError, match="no file"):
        data.load("nowhere.npz")


def test_a_known_name_with_other_content_is_never_used(tmp_path):
    data.root().mkdir()
    own(data.root() / "mnist.npz")
    with pytest.raises(UserError, match="not the published ones.*nlcore data get mnist"):
        data.load("mnist")
    assert next(row for row in data.listing() if row["name"] == "mnist")["state"] == "corrupt"


def published_hash(arrays) -> str:
    """As `KNOWN` has it: of images and labels alone."""
    both = (prepared.canonical(arrays[f"{s}_images"], arrays[f"{s}_labels"])[1] for s in ("train", "test"))
    return hashlib.sha256("".join(both).encode()).hexdigest()


def test_get_sets_a_corrupt_file_aside_and_tries_sources_in_order(monkeypatch):
    data.root().mkdir()
    (data.root() / "mnist.npz").write_bytes(b"half a file")
    good = dict(np.load(own(data.root() / "good.npz"))) | {"classes": np.array(["a", "b", "c"])}
    monkeypatch.setitem(data.KNOWN, "mnist", (12, published_hash(good)))

    def broken(work):
        raise OSError("no route")

    wrong = good | {"test_labels": good["test_labels"][::-1].copy()}
    monkeypatch.setitem(fetch.SOURCES, "mnist", {"one": broken, "two": lambda w: wrong, "three": lambda w: good})
    said = []
    path = fetch.get("mnist", said.append)
    assert data.load("mnist").train.x.shape == (12, 3, 5, 5) and path.with_suffix(".corrupt").exists()
    assert ["corrupt" in said[0], "no route" in said[1], "not the published" in said[2], "three" in said[3]] == [
        True
    ] * 4
    assert fetch.get("mnist", said.append) == path and len(said) == 4  # nothing to do


def test_what_another_process_has_fetched_meanwhile_is_kept(monkeypatch):
    data.root().mkdir()
    good = dict(np.load(own(data.root() / "good.npz"))) | {"classes": np.array(["a", "b", "c"])}
    monkeypatch.setitem(data.KNOWN, "mnist", (12, published_hash(good)))
    monkeypatch.setitem(fetch.SOURCES, "mnist", {"one": lambda work: pytest.fail("fetched again")})

    @contextmanager
    def waited_for(path):
        np.savez(data.root() / "mnist.npz", **good)
        yield True

    monkeypatch.setattr(fetch, "locked", waited_for)
    assert fetch.get("mnist", pytest.fail).exists()


def test_what_is_said_of_fetching_is_no_part_of_what_a_command_prints(monkeypatch, capsys):
    good = dict(np.load(own(data.root().parent / "good.npz"))) | {"classes": np.array(["a", "b", "c"])}
    monkeypatch.setitem(data.KNOWN, "mnist", (12, published_hash(good)))
    monkeypatch.setitem(fetch.SOURCES, "mnist", {"one": lambda work: good})
    data.load("mnist")
    told = capsys.readouterr()
    assert told.out == "" and "mnist: from one" in told.err


def test_a_file_that_cannot_be_read_is_not_called_corrupt(monkeypatch):
    data.root().mkdir()
    path, inner = data.root() / "mnist.npz", Path.open
    path.write_bytes(b"perhaps a good file")

    def refused(self, *words, **options):
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))
        return inner(self, *words, **options)

    monkeypatch.setattr(Path, "open", refused)  # root may read all files
    monkeypatch.setitem(fetch.SOURCES, "mnist", {})
    for what in (fetch.get, data.load):
        with pytest.raises(UserError, match=r"mnist.npz cannot be read \(Permission denied\)$"):
            what("mnist")
    assert [*data.root().iterdir()] == [path]


def test_a_corrupt_file_stays_until_a_source_has_delivered(monkeypatch):
    data.root().mkdir()
    path = data.root() / "mnist.npz"
    path.write_bytes(b"half a file")
    monkeypatch.setitem(fetch.SOURCES, "mnist", {"one": lambda work: 1 / 0})
    with pytest.raises(UserError, match="no source of mnist"):
        fetch.get("mnist", lambda said: None)
    assert path.read_bytes() == b"half a file" and not path.with_suffix(".corrupt").exists()


def test_no_source_leaves_one_sentence(monkeypatch):
    monkeypatch.setitem(fetch.SOURCES, "mnist", {})
    with pytest.raises(UserError, match="no source of mnist"):
        fetch.get("mnist", print)


class Server(http.server.BaseHTTPRequestHandler):
    """Serves `content`, in ranges when asked; breaks off after `limit` bytes if that is set."""

    content, limit, asked = bytes(range(256)) * 4000, None, []

    def do_GET(self):
        start = int(self.headers.get("Range", "bytes=0-").split("=")[1].rstrip("-"))
        self.asked.append(start)
        part = self.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part[: self.limit])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    Server.limit, Server.asked = None, []
    http_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=http_server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http_server.server_port}/file"
    http_server.shutdown()
    http_server.server_close()


def test_an_interrupted_download_goes_on(server, tmp_path):
    md5 = hashlib.md5(Server.content).hexdigest()
    part = tmp_path / "file.part"
    part.write_bytes(Server.content[:300_000])  # what an interrupted attempt leaves
    path = fetch.download(server, tmp_path / "file", md5)
    assert path.read_bytes() == Server.content and not part.exists()
    assert fetch.download(server, tmp_path / "file", md5) == path and Server.asked == [300_000]


def test_a_connection_that_breaks_off_keeps_what_came(server, tmp_path):
    md5, Server.limit = hashlib.md5(Server.content).hexdigest(), 500_000
    with pytest.raises(OSError, match="broke off|IncompleteRead"):
        fetch.download(server, tmp_path / "file", md5)
    assert not (tmp_path / "file").exists() and (tmp_path / "file.part").stat().st_size > 0
    Server.limit = None
    assert fetch.download(server, tmp_path / "file", md5).read_bytes() == Server.content


def test_a_file_whose_checksum_is_not_known_is_fetched(server, tmp_path):
    assert fetch.download(server, tmp_path / "file").read_bytes() == Server.content


def test_a_wrong_checksum_is_never_used(server, tmp_path):
    with pytest.raises(OSError, match="checksum"):
        fetch.download(server, tmp_path / "file", "0" * 32)
    assert list(tmp_path.glob("file*")) == []
