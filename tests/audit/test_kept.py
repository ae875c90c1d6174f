"""Nothing of anybody's is overwritten by an audit, and no label is lost or given to another example by `relabel`."""

import json

import numpy as np
import pandas as pd
import pytest
from test_labels import QUICK, nlcore, picture

from nlcore import data
from nlcore.audit import labels, twins
from nlcore.audit.examples import read
from nlcore.audit.folds import Plan, predicted
from nlcore.audit.reviewed import corrected
from nlcore.inputs import UserError


@pytest.fixture
def photos(tmp_path):
    """Six pictures of two classes."""
    for k, name in enumerate("ab"):
        for i in range(6):
            picture(tmp_path / "photos" / name / f"{i}.png", 10 * k + i)
    return tmp_path / "photos"


@pytest.mark.parametrize("name", ["report.html", "summary.json", "labels.csv"])
def test_files_that_no_audit_has_written_are_not_overwritten(name, photos, tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("mine")
    assert nlcore("audit", photos, "--out", tmp_path / "mine", *QUICK) == 2
    assert f"{name} that no audit has written" in capsys.readouterr().err
    assert (tmp_path / "mine" / name).read_text() == "mine"


def test_the_audit_of_data_that_are_elsewhere_now_is_kept(photos, tmp_path, capsys):
    out = tmp_path / "out"
    assert nlcore("audit", photos, "--out", out, *QUICK) == 0
    first = (out / "labels.csv").read_text()
    photos.rename(tmp_path / "moved")
    assert nlcore("audit", tmp_path / "moved", "--out", out, *QUICK) == 0
    told = capsys.readouterr().err
    assert "labels-before.csv" in told and "fold 1 of 2: was there already" in told
    assert (out / "labels-before.csv").read_text() == first
    assert str(photos) in json.loads((out / "summary-before.json").read_text())["place"]


def test_a_row_must_have_the_label_that_it_was_given(tmp_path, capsys):
    """As where the table was made before rows were removed."""
    np.savez(tmp_path / "d.npz", images=np.zeros((9, 4, 4, 3), np.uint8), labels=np.arange(9) % 3)
    (tmp_path / "first.csv").write_text("row,action\n0,remove\n")
    assert nlcore("relabel", tmp_path / "d.npz", tmp_path / "first.csv", "--out", tmp_path / "d2.npz") == 0
    assert "a table of rows of d.npz does not fit it" in capsys.readouterr().out
    (tmp_path / "second.csv").write_text("row,file,given,label\n4,4,1,2\n")
    assert nlcore("relabel", tmp_path / "d2.npz", tmp_path / "second.csv", "--out", tmp_path / "d3.npz") == 2
    assert "4 of d2.npz has the label '2' and not '1'" in capsys.readouterr().err
    assert nlcore("relabel", tmp_path / "d.npz", tmp_path / "second.csv", "--out", tmp_path / "d3.npz") == 0


def test_labels_of_rows_that_came_after_a_relabelling_are_kept_as_given(photos, tmp_path, capsys):
    review, first, second = tmp_path / "review.csv", tmp_path / "first.csv", tmp_path / "second.csv"
    review.write_text("file,label\na/0.png,b\n")
    assert nlcore("relabel", photos, review, "--out", first) == 0
    table = pd.read_csv(first, keep_default_na=False)
    table.loc[table.file == "photos/a/1.png", "given"] = ""  # as of a picture that was added by hand
    table.to_csv(first, index=False)
    review.write_text("file,label\nphotos/a/1.png,b\n")
    assert nlcore("relabel", first, review, "--out", second) == 0
    new = pd.read_csv(second, keep_default_na=False).set_index("file")
    changed = new[new.given != new.label]
    assert {*changed.index} == {"photos/a/0.png", "photos/a/1.png"} and {*changed.given} == {"a"}
    assert len(corrected(second)) == 2


def test_a_column_given_of_the_users_own_is_not_taken_for_labels(photos, tmp_path, capsys):
    (tmp_path / "review.csv").write_text("file,label\nphotos/a/0.png,b\n")
    own = pd.DataFrame(
        {"file": [f"photos/{name}/{i}.png" for name in "ab" for i in range(6)], "label": [*"aaaaaabbbbbb"]}
    )
    own.assign(given="a dose").to_csv(tmp_path / "own.csv", index=False)
    assert corrected(tmp_path / "own.csv") is None
    capsys.readouterr()
    assert nlcore("relabel", tmp_path / "own.csv", tmp_path / "review.csv", "--out", tmp_path / "new.csv") == 2
    assert "has a column given of its own" in capsys.readouterr().err and not (tmp_path / "new.csv").exists()


def test_who_gave_a_label_goes_with_it(tmp_path):
    arrays = {"images": np.zeros((6, 4, 4, 3), np.uint8), "labels": np.arange(6) % 2, "given_by": np.arange(6)}
    others = {"val_images": arrays["images"], "val_labels": arrays["labels"]}  # as many, by chance
    np.savez(tmp_path / "d.npz", **arrays, **others, soft_labels=np.eye(6))
    (tmp_path / "gone.csv").write_text("row,action\n2,remove\n")
    assert nlcore("relabel", tmp_path / "d.npz", tmp_path / "gone.csv", "--out", tmp_path / "new.npz") == 0
    new = np.load(tmp_path / "new.npz")
    assert new["given_by"].tolist() == new["soft_labels"].argmax(1).tolist() == [0, 1, 3, 4, 5]
    assert len(new["val_images"]) == len(new["val_labels"]) == 6


def test_labels_that_are_not_in_the_new_table_are_named(tmp_path, capsys):
    for i in range(4):
        picture(tmp_path / f"{i}.png", i)
    (tmp_path / "2.png").write_bytes(b"torn")
    (tmp_path / "own.csv").write_text("file,label\n0.png,a\n1.png,b\n2.png,a\n3.png,\n0.png,b\n")
    (tmp_path / "r.csv").write_text("file,row,label\n1.png,1,a\n")
    assert nlcore("relabel", tmp_path / "own.csv", tmp_path / "r.csv", "--out", tmp_path / "new.csv") == 0
    told = capsys.readouterr().out
    assert "not in it" in told and "row 3 has no label" in told and "2.png" in told
    assert pd.read_csv(tmp_path / "new.csv").file.tolist() == ["0.png", "1.png", "0.png"]


def test_a_table_in_a_folder_that_is_a_link_names_the_same_pictures(tmp_path):
    for i in range(4):
        picture(tmp_path / "store" / "photos" / f"{i}.png", i)
    (tmp_path / "store" / "labels").mkdir()
    rows = "".join(f"../photos/{i}.png,{'ab'[i % 2]}\n" for i in range(4))
    (tmp_path / "store" / "labels" / "l.csv").write_text(f"file,label\n{rows}")
    (tmp_path / "lab").symlink_to("store/labels")
    (tmp_path / "r.csv").write_text("file,label\n../photos/0.png,b\n")
    for out in (tmp_path / "new.csv", tmp_path / "lab" / "new.csv"):
        assert nlcore("relabel", tmp_path / "lab" / "l.csv", tmp_path / "r.csv", "--out", out) == 0
        named = [out.resolve().parent / file for file in pd.read_csv(out).file]
        assert [path.resolve() for path in named] == [tmp_path / "store" / "photos" / f"{i}.png" for i in range(4)]


def test_many_equal_examples_do_not_make_a_pair_of_every_two():
    x, given = np.zeros((3000, 1, 8, 8), np.uint8), np.arange(3000) % 2
    assert twins.twins(x, given) == ([(0, 1)], 3000)


def test_what_is_compared_as_twins_is_said(photos, tmp_path, monkeypatch, capsys):
    assert nlcore("audit", photos, "--out", tmp_path / "out", *QUICK) == 0
    assert "nearly alike, with different labels: 0 examples" in capsys.readouterr().out
    monkeypatch.setattr(twins, "MOST", 5)
    assert nlcore("audit", photos, "--out", tmp_path / "out", *QUICK) == 0
    assert "equal (nearly equal ones are looked for among" in capsys.readouterr().out
    assert "Equal (nearly equal ones" in (tmp_path / "out" / "report.html").read_text()


def test_a_number_that_is_no_class_is_refused(tmp_path):
    np.savez(tmp_path / "d.npz", images=np.zeros((4, 4, 4, 3), np.uint8), labels=np.array([0, 1, 10**9, 1]))
    with pytest.raises(UserError, match="label 1000000000 is no class"):
        read(str(tmp_path / "d.npz"))


def test_trees_that_meet_one_class_alone_are_sure_of_it():
    x, given = np.random.default_rng(0).normal(size=(10, 2)), np.array([0] * 9 + [1])
    p = predicted(x, given, 2, Plan(folds=2)).probability
    assert np.allclose(p.sum(1), 1) and np.allclose(p[9], [1, 0])


def test_an_audit_that_lost_its_summary_is_known_by_its_folds(photos, tmp_path, capsys):
    out = tmp_path / "out"
    assert nlcore("audit", photos, "--out", out, *QUICK) == 0
    first = (out / "labels.csv").read_text()
    (out / "summary.json").unlink()
    assert nlcore("audit", photos, "--out", out, *QUICK) == 0
    assert "it is kept as labels-edited.csv" in capsys.readouterr().err
    assert (out / "labels-edited.csv").read_text() == (out / "labels.csv").read_text() == first


def test_an_audit_that_is_killed_while_it_writes_is_known_by_its_summary(photos, tmp_path, monkeypatch):
    probabilities = tmp_path / "p.npy"
    np.save(probabilities, np.full((12, 2), 0.5))

    def audited():
        labels.audit(str(photos), tmp_path / "out", probabilities=probabilities)

    def killed(path):
        raise KeyboardInterrupt

    with monkeypatch.context() as now:
        now.setattr(labels, "whole", killed)
        with pytest.raises(KeyboardInterrupt):
            audited()
    assert not (tmp_path / "out" / "labels.csv").exists()
    audited()
    assert (tmp_path / "out" / "labels.csv").exists()


def test_a_row_of_a_table_that_counts_its_rows_otherwise_is_refused(tmp_path, capsys):
    pd.DataFrame({"row": range(1, 31), "size": np.arange(30) % 7, "label": ["cat", "bird"] * 15}).to_csv(
        tmp_path / "own.csv", index=False
    )
    (tmp_path / "review.csv").write_text("row,label\n7,bird\n")
    assert nlcore("relabel", tmp_path / "own.csv", tmp_path / "review.csv", "--out", tmp_path / "new.csv") == 2
    assert "own.csv has a column row of its own, which does not count from 0" in capsys.readouterr().err


def test_an_array_of_no_split_is_not_left_behind(tmp_path, capsys):
    arrays = {f"{s}_images": np.zeros((n, 4, 4, 1), np.uint8) for s, n in (("train", 9), ("test", 6))}
    arrays |= {f"{s}_labels": np.arange(n) % 3 for s, n in (("train", 9), ("test", 6))}
    np.savez(tmp_path / "d.npz", ids=np.arange(9), **arrays)
    (tmp_path / "r.csv").write_text("row,action\n3,remove\n")
    assert nlcore("relabel", tmp_path / "d.npz", tmp_path / "r.csv", "--out", tmp_path / "new.npz") == 2
    assert "ids has as many rows as train_labels" in capsys.readouterr().err


def test_predictions_for_other_classes_are_refused_once(photos, tmp_path):
    probabilities = tmp_path / "p.npy"
    np.save(probabilities, np.full((12, 2), 0.5))
    labels.audit(str(photos), tmp_path / "out", probabilities=probabilities)
    (photos / "a").rename(photos / "c")
    table = pd.DataFrame({"file": [f"{k}/{i}.png" for k in "bc" for i in range(6)], "label": ["b"] * 6 + ["c"] * 6})
    table["file"] = "photos/" + table.file
    table.to_csv(tmp_path / "t.csv", index=False)
    again = table.assign(label=table.label.replace("c", "A"))
    labels.audit(str(tmp_path / "t.csv"), tmp_path / "two", probabilities=probabilities)
    again.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(UserError, match="the examples or their classes are not those that"):
        labels.audit(str(tmp_path / "t.csv"), tmp_path / "two", probabilities=probabilities)


def test_an_audit_calls_known_images_as_a_mentor_does():
    assert read("digits").file[:1000] == [f"train/{name}" for name in data.load("digits").files[:1000]]
