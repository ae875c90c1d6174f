"""Tables and folders as people bring them to an audit: what cannot be meant is refused, what is left out is said."""

import base64
import io
import os
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import binomtest

from nlcore import data
from nlcore.audit import labels, mentors, report, reviewed
from nlcore.audit.examples import read
from nlcore.audit.folds import Plan, standardised
from nlcore.audit.reviewed import corrected, relabel
from nlcore.data.own import inside_of
from nlcore.data.pictures import shown
from nlcore.inputs import UserError

SHUFFLED = np.random.default_rng(0).permutation(40) + 1  # what rows were before somebody shuffled them
FAST = Plan(2, "mlp1", 20, device="cpu")


@pytest.fixture
def table(tmp_path):
    """A table of features with labels of two classes, sorted by label."""
    rng = np.random.default_rng(0)
    label = np.repeat(["x", "y"], 20)
    own = pd.DataFrame({"a": rng.normal(size=40) + (label == "y"), "label": label})
    own.to_csv(tmp_path / "own.csv", index=False)
    return tmp_path / "own.csv"


def write(path, **columns):
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("cell", ["0,{}", "1,00{}", "1.234.00{}", "{} %", "1'00{},5", "-7,{}"])
def test_numbers_that_a_program_would_not_read_are_refused(tmp_path, cell):
    cells = [cell.format(i % 10) for i in range(20)]
    path = write(tmp_path / "own.csv", size=cells, other=range(20), label=["x", "y"] * 10)
    with pytest.raises(UserError, match="column size has numbers that are written as .*write a point before decimals"):
        read(str(path))


def test_text_is_left_out_under_its_name(tmp_path):
    notes = [["7,5", "big", "2020-01-02", "3,4 and 5"][i % 4] for i in range(20)]
    numbers = np.random.default_rng(0).normal(size=20)
    path = write(tmp_path / "own.csv", note=notes, one=1, a=numbers, label=["x", "y"] * 10)
    said = read(str(path)).said
    assert "columns that are no numbers are left out: note" in said
    assert "columns with one number are left out: one" in said


@pytest.mark.parametrize("count", [range(40), range(100, 60, -1), [i * i for i in range(40)], SHUFFLED])
def test_a_column_that_counts_the_rows_is_no_feature(table, count):
    """In a table that is sorted by label it would tell the label."""
    pd.read_csv(table).assign(id=count).to_csv(table, index=False)
    found = read(str(table))
    assert found.x.shape == (40, 1) and "columns that count the rows are left out: id" in found.said


def test_labels_that_were_corrected_before_do_not_give_a_rate(table, tmp_path):
    """A sample of which the wrong labels were put right does not tell how many of the others are wrong."""
    review = write(tmp_path / "checked.csv", row=range(0, 40, 4), label=["x", "y"] * 5)
    told = labels.audit(str(table), tmp_path / "one", FAST, checked=review)[0].summary["checked"]
    assert told["wrong"] == 4 and told["low"] < 0.5 < told["high"] and told["corrected"] == 0
    new = tmp_path / "new.csv"
    relabel(str(table), review, new)
    made, out = labels.audit(str(new), tmp_path / "two", FAST, checked=review)
    told = made.summary["checked"]
    assert told["wrong"] == 0 and told["corrected"] == 4 and "low" not in told
    page = (out / "report.html").read_text()
    assert "4 of them had been corrected before" in page and "the share of wrong labels is between" not in page


def test_rows_to_be_removed_are_examples_and_each_counts_once(tmp_path, capsys):
    photos = tmp_path / "photos"
    for k, name in enumerate("ab"):
        (photos / name).mkdir(parents=True)
        for i in range(6):
            Image.new("L", (8, 8), 20 * i + k).save(photos / name / f"{i}.png")
    found = read(str(photos))
    first, second, *_ = found.file
    keep = {"file": found.file[4:8], "label": [found.classes[k] for k in found.given[4:8]], "action": [""] * 4}

    def of(*files):
        more = {"file": [*files], "label": [""] * len(files), "action": ["remove"] * len(files)}
        return write(tmp_path / "checked.csv", **{name: keep[name] + more[name] for name in keep})

    index, _, removed = reviewed.checked(of(first, second), found, photos)
    assert index.tolist() == [4, 5, 6, 7] and removed == 2
    assert reviewed.checked(of(first, "gone/0.png"), found, photos)[2] == 1  # removed from the data since
    assert "passed over, as no example of photos is meant: 1 row to be removed" in capsys.readouterr().err
    for files in ((first, first), (found.file[4],)):
        with pytest.raises(UserError, match="names an example twice"):
            reviewed.checked(of(*files), found, photos)


def test_rows_that_an_index_of_pandas_counts_otherwise_are_not_guessed(tmp_path):
    """As of a table that was filtered or shuffled before it was written."""
    own = pd.DataFrame({"a": np.arange(20) % 7, "label": ["x", "y"] * 10}, index=range(100, 120))
    own.to_csv(tmp_path / "own.csv")
    assert any("rows are counted from 0 below the header" in line for line in read(str(tmp_path / "own.csv")).said)
    review = write(tmp_path / "r.csv", row=[3], label=["x"])
    with pytest.raises(UserError, match="has a column without a name of its own, which does not count from 0"):
        relabel(str(tmp_path / "own.csv"), review, tmp_path / "new.csv")
    own.reset_index(drop=True).to_csv(tmp_path / "own.csv")
    assert not any("counted from 0" in line for line in read(str(tmp_path / "own.csv")).said)
    relabel(str(tmp_path / "own.csv"), review, tmp_path / "new.csv")


def test_truths_with_empty_cells_are_numbers(tmp_path):
    own = pd.DataFrame({"a": np.arange(20) % 7, "yes": ["true", "false", "", "true"] * 5, "label": ["x", "y"] * 10})
    own.to_csv(tmp_path / "own.csv", index=False)
    x = read(str(tmp_path / "own.csv")).x
    assert x[:2, 1].tolist() == [1.0, 0.0] and np.isnan(x[2, 1])


def test_minus_nothing_is_nothing(tmp_path):
    """As rounded numbers are written."""
    own = pd.DataFrame({"a": ["0.0", "0.0", "1.5", "2.5"] * 5, "label": ["x", "y"] * 10})
    own.to_csv(tmp_path / "one.csv", index=False)
    own.assign(a=["0.0", "-0.0", "1.5", "2.5"] * 5).to_csv(tmp_path / "other.csv", index=False)
    one, other = (read(str(tmp_path / name)).x for name in ("one.csv", "other.csv"))
    assert one.tobytes() == other.tobytes()


def test_a_new_table_names_the_pictures_of_the_old_one_behind_a_link(tmp_path):
    """There `..` leads up from where the link leads to."""
    for folder, shade in (("far", 10), ("here", 200)):
        (tmp_path / folder).mkdir()
        for i in range(4):
            Image.new("L", (8, 8), shade + i).save(tmp_path / folder / f"{i}.png")
    (tmp_path / "far" / "deep").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "far" / "deep")
    names = [f"link/../{i}.png" for i in range(4)]
    table = write(tmp_path / "here" / "t.csv", file=names, label=["x", "y"] * 2)
    review = write(tmp_path / "r.csv", file=names[:1], label=["y"])
    relabel(str(table), review, tmp_path / "here" / "new.csv")
    old, new = (read(str(tmp_path / "here" / name)).x for name in ("t.csv", "new.csv"))
    assert np.array_equal(old, new) and old.max() < 100


def test_examples_to_be_removed_may_have_been_wrong(table, tmp_path):
    """Leaving them out would make the others a sample of examples that are good."""
    action = ["remove"] * 5 + [""] * 15
    review = write(tmp_path / "checked.csv", row=range(20), label=["x", "y"] * 10, action=action)
    whole = write(tmp_path / "whole.csv", row=range(20), label=["x", "y"] * 10)
    wrong = (pd.read_csv(table).label[5:20] != (["x", "y"] * 10)[5:]).sum()
    made, out = labels.audit(str(table), tmp_path / "one", FAST, checked=review)
    told = made.summary["checked"]
    assert (told["labels"], told["wrong"], told["removed"]) == (15, wrong, 5)
    for count, bound in ((wrong, "low"), (wrong + 5, "high")):
        assert told[bound] == round(getattr(binomtest(int(count), 20).proportion_ci(method="wilson"), bound), 4)
    assert "5 more are to be removed" in (out / "report.html").read_text()
    assert labels.audit(str(table), tmp_path / "two", FAST, checked=whole)[0].summary["checked"]["low"] >= told["low"]
    new = tmp_path / "new.csv"
    relabel(str(table), write(tmp_path / "gone.csv", row=range(5), action="remove"), new)
    rest = write(tmp_path / "rest.csv", row=range(15), label=(["x", "y"] * 10)[5:])
    _, out = labels.audit(str(new), tmp_path / "three", FAST, checked=rest)
    assert "drawn at random since the data were relabelled" in (out / "report.html").read_text()


def test_the_same_for_arrays(tmp_path):
    x, y = np.random.default_rng(0).integers(0, 256, (30, 6, 6, 1), dtype=np.uint8), np.arange(30) % 3
    np.savez(tmp_path / "own.npz", images=x, labels=y)
    relabel(str(tmp_path / "own.npz"), write(tmp_path / "r.csv", row=[1, 4], label=[0, 0]), tmp_path / "new.npz")
    assert corrected(tmp_path / "new.npz") == [1, 4] and corrected(tmp_path / "own.npz") is None


@pytest.mark.parametrize("place", ["own.csv", "photos"])
def test_a_review_means_the_same_to_every_command(table, tmp_path, place):
    """What keeps a label and names another one is refused as `relabel` refuses it; what keeps it need not name it."""
    names = ["row", range(40)]
    if place == "photos":
        for i in range(40):
            picture = tmp_path / "photos" / "train" / "xy"[i // 20] / f"{i}.png"
            picture.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((8, 8, 3), 6 * i, np.uint8)).save(picture)
        (tmp_path / "photos" / "test").symlink_to("train")
        names = ["file", [f"{'xy'[i // 20]}/{i}.png" for i in range(40)]]
    given = np.repeat(["x", "y"], 20)
    whole = pd.DataFrame({names[0]: names[1], "action": "keep", "label": given})
    wrong, short = tmp_path / "wrong.csv", tmp_path / "short.csv"
    whole.assign(label=["y", *given[1:]]).to_csv(wrong, index=False)
    whole.assign(label="").iloc[1:].to_csv(short, index=False)
    with pytest.raises(UserError, match="row 1 below the header keeps the label 'x' and names another one, 'y'"):
        audited_or_learned(tmp_path, place, wrong)
    if place == "own.csv":
        assert audited_or_learned(tmp_path, place, short).summary["checked"]["wrong"] == 0
    else:
        with pytest.raises(UserError, match="of the 39 labels checked .* all are right"):
            audited_or_learned(tmp_path, place, short)


def audited_or_learned(folder, place, review):
    if place == "photos":
        return mentors.learn(str(folder / place), review, folder / "m.npz", model="mlp1")
    return labels.audit(str(folder / place), folder / "out", FAST, checked=review)[0]


def test_what_is_neither_file_nor_folder_is_refused(tmp_path):
    """Whoever opened a pipe would wait for ever."""
    (tmp_path / "cat").mkdir()
    os.mkfifo(tmp_path / "cat" / "x.png")
    with pytest.raises(UserError, match="x.png: neither a file nor a folder"):
        inside_of(tmp_path / "cat")
    with pytest.raises(UserError, match="x.png is no file"):
        shown(tmp_path / "cat" / "x.png")
    x, y = np.zeros((20, 6, 6, 1), np.uint8), np.arange(20) % 2
    np.savez(tmp_path / "own.npz", images=x, labels=y)
    with pytest.raises(UserError, match="x.png is no file"):
        labels.audit(str(tmp_path / "own.npz"), tmp_path / "o", FAST, probabilities=tmp_path / "cat" / "x.png")


def test_a_name_that_is_not_in_utf8_is_refused(tmp_path):
    odd = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(odd)
    with pytest.raises(UserError, match=r"caf\\xe9': a name that is not in UTF-8"):
        inside_of(tmp_path)
    with pytest.raises(UserError, match="not in UTF-8"):
        read(os.fsdecode(odd))


def test_predictions_that_are_no_array_are_told_how_to_be_one(tmp_path):
    x, y = np.random.default_rng(0).integers(0, 256, (20, 6, 6, 1), dtype=np.uint8), np.arange(20) % 2
    np.savez(tmp_path / "own.npz", images=x, labels=y)
    np.savetxt(tmp_path / "p.csv", np.full((20, 2), 0.5), delimiter=",")
    with pytest.raises(UserError, match="p.csv is no array without pickles, as numpy.save writes it$"):
        labels.audit(str(tmp_path / "own.npz"), tmp_path / "out", FAST, probabilities=tmp_path / "p.csv")


@pytest.mark.parametrize("name, told", [("a.zip", "unpack it and give the"), ("a.xlsx", "a table is to be .csv")])
def test_a_file_of_another_kind_is_told_what_to_become(tmp_path, name, told):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("cat/0.png", b"0")
    with pytest.raises(UserError, match=told):
        read(str(tmp_path / name))


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e200, 1e300])
def test_features_of_any_size_are_standardised_alike(scale):
    x = np.random.default_rng(0).normal(size=(50, 3))
    x[3, 0] = np.nan
    used = np.arange(50) % 3 > 0
    assert np.allclose(standardised(x * scale, used), standardised(x, used))
    assert np.allclose(standardised(x, used)[used].std(0)[1:], 1) and standardised(x, used)[3, 0] == 0


def test_pictures_that_change_while_they_are_audited_are_named(tmp_path, monkeypatch):
    """What is shown is what was judged."""
    for i in range(24):
        picture = tmp_path / "pets" / "ab"[i % 2] / f"{i}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((16, 16, 3), 10 * i, np.uint8)).save(picture)
    predicted = labels._predicted

    def meanwhile(*given):
        Image.fromarray(np.full((9, 9, 3), 255, np.uint8)).save(tmp_path / "pets" / "a" / "0.png")
        (tmp_path / "pets" / "b" / "1.png").unlink()
        return predicted(*given)

    monkeypatch.setattr(labels, "_predicted", meanwhile)
    made, out = labels.audit(str(tmp_path / "pets"), tmp_path / "out", FAST)
    told = "changed or removed since they were read, so what is said is of what they were: a/0.png, b/1.png"
    assert told in made.summary["said"] and told in (out / "report.html").read_text()
    found = read(str(tmp_path / "pets"))
    (tmp_path / "pets" / "a" / "2.png").write_bytes((tmp_path / "pets" / "b" / "3.png").read_bytes())
    place = found.file.index("a/2.png")
    shown_now = Image.open(io.BytesIO(base64.b64decode(report._picture(found, place).partition("base64,")[2][:-2])))
    assert np.asarray(shown_now.convert("RGB")).max() == 20


def test_rows_without_a_label_are_counted_when_a_table_is_relabelled(table, tmp_path):
    own = pd.read_csv(table)
    own.loc[[0, 3], "label"] = np.nan
    own.to_csv(table, index=False)
    told = relabel(str(table), write(tmp_path / "r.csv", row=[5], label=["y"]), tmp_path / "new.csv")
    assert "its rows are counted anew" in told


def test_arrays_of_all_splits_are_not_left_behind(tmp_path):
    x, y = np.zeros((9, 6, 6, 1), np.uint8), np.arange(9) % 3
    parts = {"train_images": x[:6], "train_labels": y[:6], "test_images": x[6:], "test_labels": y[6:]}
    np.savez(tmp_path / "own.npz", ids=np.arange(9), **parts)
    gone = write(tmp_path / "r.csv", row=[1], action=["remove"])
    with pytest.raises(UserError, match=r"ids has as many rows as there are labels of all splits"):
        relabel(str(tmp_path / "own.npz"), gone, tmp_path / "new.npz")


def test_relabelled_pictures_stay_for_training_and_testing(tmp_path):
    for split in ("train", "val"):
        for i in range(12):
            place = tmp_path / "photos" / split / "ab"[i % 2] / f"{i}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((8, 8, 3), 10 * i + 5 * (split == "val"), np.uint8)).save(place)
    review = write(tmp_path / "r.csv", file=["train/a/0.png"], label=["b"])
    told = relabel(str(tmp_path / "photos"), review, tmp_path / "labels-2.csv")
    assert "its column split says" in told
    before, after = (data.load(str(tmp_path / name)) for name in ("photos", "labels-2.csv"))
    assert {*before.test.x[:, 0, 0, 0].tolist()} == {*after.test.x[:, 0, 0, 0].tolist()}
    assert (before.train.y == 0).sum() - (after.train.y == 0).sum() == 1


def test_a_name_that_no_file_can_have_is_left_out(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    Image.new("RGB", (4, 4), "white").save(tmp_path / "b.png")
    (tmp_path / "t.csv").write_text("file,label\na.png,x\nb.png,y\nc\0.png,x\n")
    found = read(str(tmp_path / "t.csv"))
    assert found.file == ["a.png", "b.png"] and len(found.left_out) == 1


def test_new_labels_do_not_go_where_they_would_be_data(tmp_path):
    for name in ("x", "y"):
        (tmp_path / "own" / name).mkdir(parents=True)
        Image.new("RGB", (4, 4), {"x": "black", "y": "white"}[name]).save(tmp_path / "own" / name / "0.png")
    (tmp_path / "own" / "x" / "1.png").write_bytes(b"torn")
    review = write(tmp_path / "review.csv", file=["x/0.png"], label=["y"])
    with pytest.raises(UserError, match="lies in .*own, where it would be data the next time"):
        relabel(str(tmp_path / "own"), review, tmp_path / "own" / "x" / "new.csv")
    torn = write(tmp_path / "torn.csv", file=["x/1.png"], action=["remove"])
    with pytest.raises(UserError, match="audit leaves x/1.png of own out, and says why"):
        relabel(str(tmp_path / "own"), torn, tmp_path / "new.csv")
