"""Two commands: a mentor from the labels that somebody has checked, and the weight of every label."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score
from test_cli import nlcore

from nlcore import data
from nlcore.audit import mentors
from nlcore.inputs import UserError
from nlcore.methods.mentor import Mentor
from nlcore.papers.jiang2018 import exhibits

pytestmark = pytest.mark.xdist_group("photos")  # one test moves the folder that another reads


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of 500 digits, two in five with a random label, and the true labels of all of them."""
    place = tmp_path_factory.mktemp("own")
    truth = exhibits.folder_of_digits(place / "photos", 500)
    (place / "photos" / "checked.csv").rename(place / "checked.csv")
    truth.to_csv(place / "true.csv", index=False)
    return place


def test_two_commands_find_the_wrong_labels(photos, capsys):
    own, mentor, out = str(photos / "photos"), photos / "mentor.npz", photos / "weights.csv"
    learn = ["mentor", "learn", own, "--checked", str(photos / "checked.csv"), "--out", str(mentor)]
    code, told, _ = nlcore(capsys, *learn)
    assert code == 0 and str(mentor) in told and "100 checked" in told
    assert nlcore(capsys, "mentor", "apply", own, "--mentor", str(mentor), "--out", str(out))[0] == 0
    found = pd.read_csv(out, dtype={"label": str})
    assert len(found) == 500 and found.weight.is_monotonic_increasing
    both = found.merge(pd.read_csv(photos / "true.csv", dtype=str), on="file", suffixes=("", "_true"))
    assert roc_auc_score(both.label == both.label_true, both.weight) > 0.85
    assert (both[both.weight < 0.5].label != both[both.weight < 0.5].label_true).mean() > 0.9
    assert "there already" in nlcore(capsys, *learn)[1]  # a second start makes nothing again
    code, _, told = nlcore(capsys, *learn, "--model", "mlp2")
    assert code == 2 and "was learned from data" in told and "mlp2" in told


def test_what_is_there_in_place_of_weights_is_refused(photos, tmp_path):
    own, mentor, out = str(photos / "photos"), tmp_path / "mentor.npz", tmp_path / "weights.csv"
    mentors._write(mentor, lambda file: np.savez(file, **Mentor().state_dict()))
    files = data.load(own).files
    others = "file,label,weight\n" + "".join(f"{file},0,0.5\n" for file in files)  # of labels as they once were
    for text in ("", "file,label\n0/0.png,0\n", "file,label,weight\n0/0.png,0,0.1\n", others):
        out.write_text(text)
        with pytest.raises(UserError, match="weights.csv (cannot be read as|is no) table|weights.csv cannot be read"):
            mentors.apply(own, mentor, out)
        assert out.read_text() == text
    out.write_text("\n".join(["file,label,weight", *(f"{file},{file[0]},0.5" for file in files)]))
    assert "there already" in mentors.apply(own, mentor, out)
    for dataset, by in ((own, tmp_path / "none.npz"), (str(tmp_path / "none"), mentor)):
        with pytest.raises(UserError, match="no mentor|there is no file"):
            mentors.apply(dataset, by, out)


def test_a_mentor_is_kept_whole(tmp_path):
    mentor = Mentor()
    mentor.at.fill_(21)
    mentors._write(tmp_path / "m.npz", lambda file: np.savez(file, **mentor.state_dict()))
    same, z = mentors.load(tmp_path / "m.npz"), torch.randn(4, 1, 2)
    label = percent = torch.zeros(4, dtype=torch.long)
    assert torch.equal(same(z, label, percent), mentor(z, label, percent))


def test_a_folder_without_a_split_keeps_images_for_testing_and_passes_them_over(photos, tmp_path):
    flat = tmp_path / "flat"
    (photos / "photos" / "train").rename(flat)
    try:
        found = data.load(str(flat))
        table = tmp_path / "checked.csv"
        files = sorted(str(f.relative_to(flat)) for f in flat.rglob("*.png"))
        pd.DataFrame({"file": files, "label": [f.partition("/")[0] for f in files]}).to_csv(table, index=False)
        index, _ = mentors._checked(found, table)
        assert (
            len(index) == len(found.train.y) and 400 <= len(index) < 410
        )  # a fifth of each class, rounded down, is kept
    finally:
        flat.rename(photos / "photos" / "train")


def test_too_few_steps_are_refused(photos, tmp_path):
    with pytest.raises(UserError, match="ten epochs"):
        mentors.learn(str(photos / "photos"), photos / "checked.csv", tmp_path / "m.npz", steps=9)


@pytest.mark.parametrize("name, value", [("at", 250), ("at", -2), ("percent.weight", np.nan)])
def test_mentors_with_numbers_that_none_has_are_refused(tmp_path, name, value):
    arrays = {key: tensor.numpy() for key, tensor in Mentor().state_dict().items()}
    arrays[name] = np.full_like(arrays[name], value)
    np.savez(tmp_path / "m.npz", **arrays)
    with pytest.raises(UserError, match="numbers that no mentor has"):
        mentors.load(tmp_path / "m.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"\x93NUMPY"])
def test_damaged_mentors_are_refused(tmp_path, content):
    (tmp_path / "m.npz").write_bytes(content)
    with pytest.raises(UserError, match="no mentor"):
        mentors.load(tmp_path / "m.npz")


@pytest.mark.parametrize(
    "sentence, table",
    [
        ("lacks the column label", "file\n0/1.png\n"),
        ("did you mean", "file,label\n0/0.pngg,0\n"),
        ("unknown class", "file,label\n{0},x\n"),
        ("unknown class ' dog'|did you mean", 'file,label\n{0}," 77"\n'),
        ("names no training image|no row below", "file,label\n"),
        (r"row \[1\] below the header has no file", "file,label\n,\n"),
        ("row 1 below the header has no label", "file,label\n{0},\n"),
        ("lacks the column file; it needs file,label and has 'name', 'label'", "name,label\n{0},0\n"),
        ("EmptyDataError", ""),
        ("twice", "file,label\n{0},0\n{0},0\n"),
        ("all are right", "file,label\n{0},{1}\n"),
        ("has the label '{1}' and not '77'; was the table made before", "file,given,label\n{0},77,{1}\n"),
        ("no row that is not to be removed", "file,action,label\n{0},remove,{1}\n"),
    ],
)
def test_bad_tables_are_refused(photos, tmp_path, sentence, table):
    first = data.load(str(photos / "photos")).files[0]
    path = tmp_path / "checked.csv"
    path.write_text(table.format(first, first.partition("/")[0]))
    with pytest.raises(UserError, match=sentence.replace("{1}", first.partition("/")[0])):
        mentors.learn(str(photos / "photos"), path, tmp_path / "m.npz")
    assert not (tmp_path / "m.npz").exists()


@pytest.mark.parametrize(
    "form",
    ["{},{}", "{};{}", "{}\t{}", "7,{},{}", "./{},{}", "train/{},{}", "{root}/train/{},{}", "photos/train/{},{}"],
)
def test_tables_are_read_as_they_come(photos, tmp_path, monkeypatch, form):
    """Other separators, a column of numbers, paths from the root, from here or the whole path: no row is lost."""
    monkeypatch.chdir(photos)
    own = data.load(str(photos / "photos"))
    header = "number,file,label" if form.startswith("7") else form.format("file", "label", root="").rpartition("/")[2]
    if "root" in form or "train/" in form or "./" in form:
        header = "file,label"
    files = [file.replace("/", "\\") if form == "{},{}" else file for file in own.files[:50]]
    lines = [header, *(form.format(file, file[0], root=photos / "photos") for file in files)]
    (tmp_path / "checked.csv").write_bytes("\r\n".join(lines).encode("utf-8-sig"))
    index, label = mentors._checked(own, tmp_path / "checked.csv")
    assert index.tolist() == list(range(50)) and label.tolist() == [int(file[0]) for file in own.files[:50]]


def test_rows_that_are_passed_over_are_counted(photos, tmp_path, capsys):
    own = data.load(str(photos / "photos"))
    tested = sorted(str(f.relative_to(photos / "photos" / "test")) for f in (photos / "photos" / "test").rglob("*.png"))
    other = [file for file in tested if file not in own.files][:3]
    lines = ["file,label", f"{own.files[0]},1", *(f"{file},1" for file in other[:2]), f"test/{other[2]},1"]
    (tmp_path / "checked.csv").write_text("\n".join(lines))
    assert len(mentors._checked(own, tmp_path / "checked.csv")[0]) == 1
    assert "3 rows are of images kept for testing" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["{out}/elsewhere.png", "../../elsewhere.png"])
def test_a_file_elsewhere_is_no_image_kept_for_testing(photos, tmp_path, name):
    own = data.load(str(photos / "photos"))
    (photos.parent / "elsewhere.png").touch()
    table = _table(tmp_path, f"file,label\n{own.files[0]},1\n{name.format(out=photos.parent)},1\n")
    with pytest.raises(UserError, match="unknown training image"):
        mentors._checked(own, table)


def test_a_message_stays_short_however_long_the_table(photos, tmp_path):
    own = data.load(str(photos / "photos"))
    with pytest.raises(UserError) as told:
        mentors._checked(own, _table(tmp_path, "file,label\nzzzzzzzz" + "z" * 5000 + ",1\n"))
    assert len(str(told.value)) < 600


def _table(place, text):
    (place / "checked.csv").write_text(text)
    return place / "checked.csv"


def test_bad_places_and_files_are_refused(photos, tmp_path):
    own, checked = str(photos / "photos"), photos / "checked.csv"
    with pytest.raises(UserError, match=".npz"):
        mentors.learn(own, checked, tmp_path / "m.txt")
    with pytest.raises(UserError, match="no folder"):
        mentors.learn(own, checked, tmp_path / "none" / "m.npz")
    with pytest.raises(UserError, match="cannot write to /proc"):
        mentors.learn(own, checked, Path("/proc/m.npz"))
    with pytest.raises(UserError, match="cannot be read"):
        mentors.learn(own, tmp_path / "none.csv", tmp_path / "m.npz")
    with pytest.raises(UserError, match="no mentor"):
        mentors.apply(own, checked, tmp_path / "w.csv")


def test_a_row_with_more_cells_than_the_header_is_refused(tmp_path):
    """Read as pandas does, its third cell would be the file."""
    (tmp_path / "checked.csv").write_text("file,label\n12,3,5\n13,4,6\n")
    with pytest.raises(UserError, match="rows with more cells than its header"):
        mentors.learn("digits", tmp_path / "checked.csv", tmp_path / "mentor.npz")


def test_what_has_come_to_be_there_meanwhile_is_kept(tmp_path):
    out = tmp_path / "weights.csv"
    out.write_text("mine")
    assert mentors._write(out, lambda file: file.write(b"new")) == tmp_path / "weights-1.csv"
    assert out.read_text() == "mine" and (tmp_path / "weights-1.csv").read_text() == "new"


def test_a_mentor_that_is_not_there_is_told_so(tmp_path):
    with pytest.raises(UserError, match="there is no file .*none.npz"):
        mentors.load(tmp_path / "none.npz")
