"""What people bring: folders and pictures of all kinds are read as a person would, or named in one sentence."""

import os
import struct
import unicodedata
import zlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from nlcore import data
from nlcore.audit import examples as audited
from nlcore.audit import mentors, reviewed
from nlcore.data import pictures
from nlcore.inputs import UserError


@pytest.fixture(autouse=True)
def fresh():
    data.datasets._loaded.cache_clear()


def save(path, seed=0, size=(6, 6), **options):
    """A picture of noise; every seed another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.fixture
def pets(tmp_path):
    """Two classes of ten pictures, without a split."""
    for k, name in enumerate(("cat", "dog")):
        for i in range(10):
            save(tmp_path / "pets" / name / f"{i}.png", 10 * k + i)
    return tmp_path / "pets"


def divided(pets, train="train", test="test"):
    """The same with a split: of every class the last three are for testing."""
    for name in ("cat", "dog"):
        for i in range(10):
            split = test if i > 6 else train
            (pets / split / name).mkdir(parents=True, exist_ok=True)
            (pets / name / f"{i}.png").rename(pets / split / name / f"{i}.png")
        (pets / name).rmdir()
    return pets


def test_what_systems_leave_behind_is_no_data(pets):
    beside = ("@eaDir/0.png/SYNOPHOTO_THUMB_M.png", "#recycle/x.png", "cat/@eaDir/0.png/SYNOPHOTO_THUMB_M.png")
    for name in (".DS_Store", "Thumbs.db", "cat/._0.png", ".git/config", "__MACOSX/cat/x.png", *beside):
        (pets / name).parent.mkdir(parents=True, exist_ok=True)
        (pets / name).write_bytes(b"no picture")
    save(pets / ".ipynb_checkpoints" / "0.png")
    save(pets / "cat" / ".ipynb_checkpoints" / "0-checkpoint.png")
    found = data.load(str(pets))
    assert found.classes == ("cat", "dog") and len(found.train.y) + len(found.test.y) == 20


@pytest.mark.parametrize("train, test", [("train", "val"), ("Training", "Testing"), ("TRAIN", "valid")])
def test_the_usual_names_of_splits_are_splits(pets, train, test):
    found = data.load(str(divided(pets, train, test)))
    assert found.classes == ("cat", "dog") and (len(found.train.y), len(found.test.y)) == (14, 6)


def test_one_split_alone_is_refused(pets):
    (divided(pets) / "test").rename(pets / "others")
    with pytest.raises(UserError, match="no folder to test, test/ or"):
        data.load(str(pets))


def test_what_is_left_out_is_said(pets, capsys):
    (divided(pets) / "notes.txt").write_text("mine")
    (pets / "train" / "cat" / "sizes.csv").write_text("6,6")
    save(pets / "train" / "loose.png")
    save(pets / "val" / "cat" / "0.png", 99)
    assert len(data.load(str(pets)).train.y) == 14
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and all(name in told for name in ("sizes.csv", "loose.png", "val"))
    assert "notes.txt" not in told  # beside the folders, where nobody would look for pictures


def test_unusual_suffixes_are_pictures_by_their_content(pets):
    (pets / "cat" / "0.png").rename(pets / "cat" / "0.jfif")
    (pets / "cat" / "1.png").rename(pets / "cat" / "one")
    save(pets / "dog" / "0.GIF", 50)
    found = data.load(str(pets))
    assert len(found.train.y) + len(found.test.y) == 21


def test_classes_that_differ_are_named(pets):
    (divided(pets) / "test" / "cat").rename(pets / "test" / "cats")
    with pytest.raises(UserError, match="only one of them has cat, cats$"):
        data.load(str(pets))


def test_classes_that_differ_in_case_alone_are_told(pets, capsys):
    divided(pets)
    for split in ("train", "test"):
        save(pets / split / "Cat" / "0.png", 77 if split == "train" else 78)
    assert len(data.load(str(pets)).classes) == 3
    assert "Cat and cat are two classes" in capsys.readouterr().err


def test_an_accent_is_the_same_however_it_is_written(pets):
    divided(pets)
    for split, form in (("train", "NFC"), ("test", "NFD")):
        (pets / split / "cat").rename(pets / split / unicodedata.normalize(form, "Käfer"))
    assert unicodedata.normalize("NFC", "Käfer") in data.load(str(pets)).classes


def test_blanks_around_the_name_of_a_class_are_not_part_of_it(pets):
    divided(pets)
    (pets / "test" / "cat").rename(pets / "test" / "cat ")
    assert data.load(str(pets)).classes == ("cat", "dog")
    (pets / "test" / "cat ").rename(pets / "test" / " ")
    with pytest.raises(UserError, match="the name of '.*test/ ' is blank"):
        data.load(str(pets))


def test_a_single_class_is_refused_with_what_may_have_been_meant(pets):
    with pytest.raises(UserError, match=f"single class, pets; did you mean {pets}, with cat/, dog/"):
        data.load(str(pets.parent))
    with pytest.raises(UserError, match="single class, cat; there is nothing to tell apart"):
        (pets / "dog").rename(pets.parent / "dog")
        data.load(str(pets))


def test_a_class_that_is_not_tested_is_said(pets, capsys):
    """One picture of a class, however often, is trained on: none is left to test on."""
    save(pets / "eel" / "0.png", 9)
    assert 2 not in data.load(str(pets)).test.y
    assert "no image to test on is of class eel, so no accuracy" in capsys.readouterr().err


def test_a_class_without_pictures_is_named(pets):
    (divided(pets) / "test" / "eel").mkdir()
    (pets / "train" / "eel").mkdir()
    with pytest.raises(UserError, match="no pictures in train/eel/"):
        data.load(str(pets))


def test_the_split_goes_by_content_and_keeps_equal_pictures_together(tmp_path):
    """Five views of each object, sorted by name: no view is only for testing, and no order of names matters."""
    for i in range(50):
        save(tmp_path / "one" / "cat" / f"{i:02d}.png", i)
        save(tmp_path / "two" / "cat" / f"{97 * i % 50:02d}.png", i)
    for place in ("one", "two"):
        for i in range(50):
            save(tmp_path / place / "dog" / f"{i:02d}.png", 100 + i // 2)  # each twice
    one, two = (data.load(str(tmp_path / place)) for place in ("one", "two"))
    assert one.sha256 == two.sha256
    views = {int(file[4:6]) % 5 for file in one.files if file.startswith("cat")}
    assert views == {0, 1, 2, 3, 4}
    pixels = {split: {x.numpy().tobytes() for x in getattr(one, split).x} for split in ("train", "test")}
    assert not pixels["train"] & pixels["test"]


def test_equal_pictures_in_two_classes_or_splits_are_told(pets, capsys):
    divided(pets)
    save(pets / "train" / "dog" / "twin.png", 0)
    save(pets / "test" / "dog" / "twin.png", 15)
    data.load(str(pets))
    told = capsys.readouterr().err
    assert "1 training images are test images too" in told and "cat = dog" in told


def test_every_file_that_cannot_be_read_is_named(pets):
    whole = (pets / "cat" / "0.png").read_bytes()
    for name, content in (("cat/0.png", whole[:60]), ("dog/3.png", b""), ("dog/4.png", b"<html>")):
        (pets / name).write_bytes(content)
    with pytest.raises(UserError) as told:
        data.load(str(pets))
    assert all(name in str(told.value) for name in ("cat/0.png", "dog/3.png", "dog/4.png"))
    assert "\n" not in str(told.value) and "no readable" not in str(told.value)


def test_names_that_a_system_allows(tmp_path):
    place = tmp_path / "job#7" / "meine photos#2"
    for name in ("Hund klein", "Käfer", "猫"):
        for i in range(5):
            save(place / name / f"{i}.png", hash(name) % 1000 + i)
    pinned = data.pin(str(place))
    assert data.load(pinned).classes == ("Hund klein", "Käfer", "猫") and pinned.startswith(str(place))


def test_one_place_has_one_name(pets, monkeypatch):
    monkeypatch.chdir(pets.parent)
    (pets.parent / "link").symlink_to(pets)
    ways = ("pets", "pets/", "./pets", "../" + pets.parent.name + "/pets", str(pets), "link")
    assert len({data.pin(way) for way in ways}) == 1 and data.pin(data.pin("pets")) == data.pin("pets")


@pytest.mark.parametrize("path", ["./nothere", "f/base", "~/nothere", "pets.npz", "/no/where"])
def test_a_path_that_is_not_there_is_no_misspelt_name(path):
    with pytest.raises(UserError, match="there is no file or folder"):
        data.load(path)


def test_a_folder_called_like_a_known_set_is_pointed_at(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    data.datasets._tell_of_folder.cache_clear()
    for _ in range(2):
        assert data.load("digits").K == 10
    assert capsys.readouterr().err.count("./digits") == 1


def shown(path):
    return np.asarray(pictures.shown(path)).astype(int)


@pytest.mark.parametrize("turn", range(1, 9))
def test_pictures_are_upright(tmp_path, turn):
    """As a viewer shows them, whatever the orientation that the camera noted."""
    upright = Image.fromarray(np.arange(24, dtype=np.uint8).reshape(4, 6) * 10)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transpositions that a viewer's undoes
    stored = upright.transpose(Image.Transpose(undo[turn])) if turn > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = turn
    stored.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        assert np.array_equal(np.asarray(ImageOps.exif_transpose(image)), np.asarray(upright))
    assert np.array_equal(shown(tmp_path / "a.png")[..., 0], np.asarray(upright))


def test_deep_pictures_are_scaled(tmp_path):
    deep = np.linspace(0, 65535, 36).reshape(6, 6)
    for name in ("a.png", "a.tif"):
        Image.fromarray(deep.astype(np.uint16)).save(tmp_path / name)
        assert abs(shown(tmp_path / name)[..., 1] - deep / 257).max() <= 0.5


def tiff(path, greys, bits, photometric):
    """A grey TIFF in one strip, as cameras of microscopes write it and Pillow does not."""
    places = {8: "u1", 16: "<u2"}
    strip = packed(greys) if bits == 12 else greys.astype(places[bits]).tobytes()
    height, width = greys.shape
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: height, 279: len(strip)}
    entries = b"".join(
        struct.pack("<HHII", tag, 4 if tag in (273, 279) else 3, 1, value) for tag, value in tags.items()
    )
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + len(strip)) + strip + directory)


def packed(greys):
    """Pairs of numbers of 12 bits in three bytes."""
    one, other = greys[:, ::2], greys[:, 1::2]
    return np.stack([one >> 4, (one & 15) << 4 | other >> 8, other & 255], -1).astype(np.uint8).tobytes()


@pytest.mark.parametrize("bits, photometric", [(8, 0), (8, 1), (12, 1), (16, 0), (16, 1)])  # Pillow knows no (12, 0)
def test_grey_tiffs_are_read_with_their_own_white(tmp_path, bits, photometric):
    ramp = np.linspace(0, 1, 16)[None].repeat(4, 0)
    tiff(tmp_path / "a.tif", np.round(ramp * (2**bits - 1)).astype(int), bits, photometric)
    right = 255 * (ramp if photometric else 1 - ramp)
    assert abs(shown(tmp_path / "a.tif")[..., 2] - right).max() <= 0.6


def test_a_deep_picture_is_white_where_it_is_transparent(tmp_path):
    image = Image.fromarray(np.array([[0, 30_000, 65_535]], np.uint16))
    image.save(tmp_path / "a.png")
    whole, at = (tmp_path / "a.png").read_bytes(), 33  # behind the header comes which grey is none
    told = b"tRNS" + struct.pack(">H", 0)
    chunk = struct.pack(">I", 2) + told + struct.pack(">I", zlib.crc32(told))
    (tmp_path / "a.png").write_bytes(whole[:at] + chunk + whole[at:])
    assert shown(tmp_path / "a.png")[0, :, 0].tolist() == [255, 117, 255]


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_numbers_whose_white_is_unknown_are_refused(tmp_path, kind):
    Image.fromarray(np.ones((6, 6), kind)).save(tmp_path / "a.tif")
    with pytest.raises(UserError, match="a.tif has numbers of 32 bits"):
        pictures.shown(tmp_path / "a.tif")


def test_pages_that_would_not_be_read_are_told(tmp_path):
    page, preview = Image.new("L", (6, 6), 9), Image.new("L", (3, 3))
    page.save(tmp_path / "stack.tif", save_all=True, append_images=[page, page])
    page.save(tmp_path / "photo.tif", save_all=True, append_images=[preview])
    with pytest.raises(UserError, match="stack.tif has 3 pages, of which only the first"):
        pictures.shown(tmp_path / "stack.tif")
    assert (shown(tmp_path / "photo.tif") == 9).all()


def test_what_is_transparent_is_white(tmp_path):
    clear = np.zeros((6, 6, 4), np.uint8)
    clear[:3, :, 3] = 255  # above black, below nothing
    Image.fromarray(clear).save(tmp_path / "rgba.png")
    palette = Image.fromarray(clear[..., 3]).convert("P")
    palette.save(tmp_path / "palette.png", transparency=bytes([0] + [255] * 255))
    grey = Image.merge("LA", [Image.new("L", (6, 6)), Image.fromarray(clear[..., 3])])
    grey.save(tmp_path / "grey.png")
    for name in ("rgba.png", "grey.png"):
        assert (shown(tmp_path / name)[:3] == 0).all() and (shown(tmp_path / name)[3:] == 255).all()
    assert (shown(tmp_path / "palette.png") == 255).all()


def test_colour_spaces_become_rgb(tmp_path):
    for mode, suffix in (("L", "png"), ("1", "png"), ("CMYK", "jpg"), ("YCbCr", "jpg"), ("P", "png")):
        Image.new("RGB", (6, 6), (200, 200, 200)).convert(mode).save(tmp_path / f"a.{suffix}")
        assert shown(tmp_path / f"a.{suffix}").shape == (6, 6, 3)


def test_a_picture_that_is_too_large_is_named_before_it_is_decoded(tmp_path, monkeypatch):
    save(tmp_path / "a.png", size=(20, 20))
    for most, told in (("MOST_PIXELS", "20 x 20 pixels"), ("MAX_IMAGE_PIXELS", "cannot be decoded")):
        with monkeypatch.context() as patch, pytest.raises(UserError, match=f"a.png .*{told}"):
            patch.setattr(pictures if most == "MOST_PIXELS" else Image, most, 100)
            pictures.shown(tmp_path / "a.png")


def test_pictures_that_do_not_fit_the_memory_are_refused_at_once(pets, monkeypatch):
    monkeypatch.setattr("nlcore.data.own.memory", lambda: 1000)
    with pytest.raises(UserError, match="make them smaller"):
        data.load(str(pets))


@pytest.mark.parametrize("lost", ["wasp", "cat/one.png"])
def test_a_link_to_what_is_not_there_is_named(pets, lost):
    """A class that lies on a disk which is not mounted would be missing in silence."""
    (pets / lost).symlink_to("/nowhere/of/mine")
    with pytest.raises(UserError, match=f"{lost}: a link to what is not there now"):
        data.load(str(pets))


def test_a_link_to_a_folder_around_it_is_named(pets):
    """Followed, it would make dogs of cats."""
    (pets / "cat" / "more").symlink_to("..")
    with pytest.raises(UserError, match="cat/more is a link to a folder that it stands in"):
        data.load(str(pets))


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="neither a file nor a folder"):
        data.load(str(tmp_path / "pipe"))
    with pytest.raises(UserError, match="it is no file"):
        mentors.learn("digits", tmp_path / "pipe", tmp_path / "mentor.npz")
    with pytest.raises(UserError, match="pipe is no mentor"):
        mentors.load(tmp_path / "pipe")


def test_a_table_of_files_and_labels_is_a_data_set(pets):
    files = [f"pets/{name}/{i}.png" for name in ("cat", "dog") for i in range(10)]
    lines = [f"{file},{'ant' if i % 2 else 'bee'},{file[5:8]}" for i, file in enumerate(files)]
    table = pets.parent / "mended.csv"
    table.write_text("\n".join(["file,label,given", *lines]))
    found = data.load(str(table))
    assert found.classes == ("ant", "bee") and len(found.train.y) + len(found.test.y) == 20
    labelled = zip(found.files, found.train.y, strict=True)
    assert all(found.classes[y] == ("ant" if int(file[-5]) % 2 else "bee") for file, y in labelled)
    table.write_text("file,label\npets/cat/0.png,ant\npets/cat/none.png,bee\n")
    data.datasets._loaded.cache_clear()
    with pytest.raises(UserError, match="none.png"):
        data.load(str(table))


def test_a_suffix_may_be_in_capitals(pets):
    rows = [f"pets/{name}/{i}.png,{name}" for name in ("cat", "dog") for i in range(10)]
    (pets.parent / "OWN.CSV").write_text("\n".join(["file,label", *rows]))
    assert data.load(str(pets.parent / "OWN.CSV")).classes == ("cat", "dog")


def test_a_class_that_loses_all_pictures_to_the_test_set_is_named(pets):
    """Its only picture is equal to one that another class gives for testing."""
    tested = next(file for file in (pets / "cat").iterdir() if f"cat/{file.name}" not in data.load(str(pets)).files)
    (pets / "twin").mkdir()
    (pets / "twin" / "0.png").write_bytes(tested.read_bytes())
    with pytest.raises(UserError, match="all pictures of twin are equal pictures of other classes"):
        data.load(str(pets))


def test_a_row_of_a_table_without_a_label_is_left_out_and_said(pets, capsys):
    rows = [f"pets/{name}/{i}.png,{name}" for name in ("cat", "dog") for i in range(10)]
    (pets.parent / "own.csv").write_text("\n".join(["file,label", *rows[:3], "pets/cat/3.png, ", *rows[4:]]))
    found = data.load(str(pets.parent / "own.csv"))
    assert found.classes == ("cat", "dog") and len(found.train.y) + len(found.test.y) == 19
    assert "1 row below the header: 3" in capsys.readouterr().err


def test_data_that_changed_are_read_again_and_pinned_anew(pets):
    """In one process, as in Jupyter; what was pinned before is refused."""
    before = data.pin(str(pets))
    assert data.pin(str(pets)) == before
    (pets / "cat" / "3.png").rename(pets / "dog" / "z.png")
    after = data.pin(str(pets))
    assert after != before and data.load(after).sha256 != before.rpartition("#")[2]
    with pytest.raises(UserError, match="has changed since it was pinned"):
        data.load(before)


def test_changed_pictures_behind_a_link_are_read_again(pets):
    (pets / "cat").rename(pets.parent / "cat")
    (pets / "cat").symlink_to(pets.parent / "cat")
    before = data.load(str(pets)).sha256
    save(pets / "cat" / "3.png", 99)
    assert data.load(str(pets)).sha256 != before


def test_a_table_says_what_is_for_testing(tmp_path):
    for i in range(12):
        Image.fromarray(np.full((8, 8, 3), 20 * i, np.uint8)).save(tmp_path / f"{i}.png")
    own = pd.DataFrame({"file": [f"{i}.png" for i in range(12)], "label": ["a", "b"] * 6})
    own["split"] = ["train"] * 8 + ["Test", " test", "TEST", "test"]
    own.to_csv(tmp_path / "own.csv", index=False)
    found = data.load(str(tmp_path / "own.csv"))
    assert len(found.train.y) == 8 and sorted(found.test.x[:, 0, 0, 0].tolist()) == [160, 180, 200, 220]
    for split, told in ((["train"] * 11 + ["x"], "not 'x'"), (["train"] * 12, "no row has test")):
        own.assign(split=split).to_csv(tmp_path / "own.csv", index=False)
        with pytest.raises(UserError, match=told):
            data.load(str(tmp_path / "own.csv"))
    own.assign(split=["train", "test"] * 6).to_csv(tmp_path / "own.csv", index=False)
    with pytest.raises(UserError, match="b has no row whose split is train"):
        data.load(str(tmp_path / "own.csv"))


@pytest.mark.parametrize("third", ["test", "testing"])
def test_a_table_and_a_folder_of_three_parts_have_one_test_set(pets, capsys, third):
    """Pictures to choose a model by are no test images where there are others."""
    divided(pets, "train", "val")
    for name in ("cat", "dog"):
        for i in (0, 1, 2):
            save(pets / third / name / f"more{i}.png", 100 + 10 * i + (name == "dog"))
    rows = [(file.relative_to(pets), file) for file in pets.rglob("*.png")]
    table = pd.DataFrame({"file": [str(file) for _, file in rows], "label": [file.parent.name for _, file in rows]})
    table["split"] = [relative.parts[0] for relative, _ in rows]
    table.to_csv(pets.parent / "own.csv", index=False)
    of_table, told = data.load(str(pets.parent / "own.csv")), capsys.readouterr().err
    of_folder = data.load(str(pets))
    assert of_table.sha256 == of_folder.sha256 and len(of_table.train.y) == 14
    assert len(of_table.test.y) == 6 and f"left out, beside train and {third}: 6 rows whose split is val" in told


def test_arrays_of_a_third_part_are_left_out_and_named(tmp_path, capsys):
    x, y = np.random.default_rng(0).integers(0, 255, (40, 4, 4, 3), np.uint8), np.arange(40) % 2
    thirds = {"train": slice(20), "test": slice(20, 30), "val": slice(30, 40)}
    images, labels = (
        {f"{part}_{what}": of[rows] for part, rows in thirds.items()} for what, of in (("images", x), ("labels", y))
    )
    np.savez(tmp_path / "d.npz", **images, **labels)
    assert len(data.load(str(tmp_path / "d.npz")).test.y) == 10
    assert "left out, as they are neither to train on nor to test on: val_images, val_labels" in capsys.readouterr().err
    assert any("val_images, val_labels" in line for line in audited.read(str(tmp_path / "d.npz")).said)


def table_of(pets, name="t.csv", file=lambda name: name, label=lambda name, i: name):
    """A table beside the folder that lists all its pictures."""
    rows = [(file(f"pets/{name}/{i}.png"), label(name, i)) for name in ("cat", "dog") for i in range(10)]
    pd.DataFrame(rows, columns=["file", "label"]).to_csv(pets.parent / name, index=False)
    return pets.parent / name


def test_a_path_is_a_name(pets):
    assert data.load(pets).sha256 == data.load(str(pets)).sha256


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_in_file_names_may_be_written_in_either_way(pets, form):
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    for folder in ("cat", "dog"):
        (pets / folder / "0.png").rename(pets / folder / unicodedata.normalize(form, "é.png"))
    listed = unicodedata.normalize(other, "é.png")
    table = table_of(pets, file=lambda name: name.replace("0.png", listed))
    found = data.load(table)
    assert len(found.train.y) + len(found.test.y) == 20
    assert audited.read(str(table)).left_out == []
    review = pets.parent / "review.csv"
    review.write_text(f"file,label\ncat/{listed},dog\n", encoding="utf-8")
    assert reviewed.relabel(str(pets), review, pets.parent / f"{form}.csv").startswith("1 label changed")


def test_names_of_classes_in_tables_that_may_be_one_are_said(pets, capsys):
    data.load(table_of(pets, label=lambda name, i: "Cat" if (name, i) == ("cat", 0) else name))
    assert "Cat and cat are two classes, although their names differ in case alone" in capsys.readouterr().err


@pytest.mark.parametrize("unseen", ["cat\u200b", "\ufeffcat", "cat\xa0", "\u2060cat"])
def test_what_nobody_sees_is_no_part_of_a_label(pets, unseen):
    assert data.load(table_of(pets, label=lambda name, i: unseen if name == "cat" else name)).classes == ("cat", "dog")


@pytest.mark.parametrize("white, told", [(65535, 255), (4095, 255)])
def test_grey_pictures_of_16_bits_in_pgm_are_read(tmp_path, white, told):
    numbers = np.array([[0, white // 2, white]], ">u2")
    (tmp_path / "a.pgm").write_bytes(f"P5 3 1 {white}\n".encode() + numbers.tobytes())
    found = np.asarray(pictures.shown(tmp_path / "a.pgm"))
    assert found[0, :, 0].tolist() == [0, pytest.approx(told / 2, abs=1), told]


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_a_film_is_no_picture(tmp_path, kind):
    frames = [Image.fromarray(np.full((6, 6, 3), shade, np.uint8)) for shade in (0, 99, 255)]
    frames[0].save(tmp_path / f"a.{kind}", save_all=True, append_images=frames[1:])
    with pytest.raises(UserError, match="has 3 pages, of which only the first would be read"):
        pictures.shown(tmp_path / f"a.{kind}")
