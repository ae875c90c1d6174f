"""`nlcore audit` and `nlcore relabel`: whatever people bring gets a report, and nothing of theirs is changed."""

import json
import re
import sys

import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from PIL import Image

from nlcore import data, vouch
from nlcore.audit import labels, signals
from nlcore.audit.examples import read
from nlcore.audit.folds import Plan, Seen, drawn, key_of, predicted
from nlcore.audit.judge import judged
from nlcore.audit.twins import twins
from nlcore.cli import main
from nlcore.inputs import UserError

QUICK = ["--folds", "2", "--steps", "6", "--side", "16", "--device", "cpu"]


def nlcore(*arguments):
    """The command line; returns its exit code."""
    before, sys.argv = sys.argv, ["nlcore", *map(str, arguments)]
    try:
        main()
    except SystemExit as end:
        return end.code or 0
    finally:
        sys.argv = before


def picture(path, seed, size=(20, 14), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path, **options)


@pytest.fixture
def mixed(tmp_path):
    """Pictures of all sizes and modes in two classes, one file corrupt, and what else lies in people's folders."""
    place = tmp_path / "meine Fotos"
    for i in range(8):
        picture(place / "Käfer klein" / f"ein Käfer {i}.jpg", i, (20 + i, 30 - i))
        picture(place / "fly" / f"{i}.png", 50 + i)
    picture(place / "fly" / "alpha.png", 1, (9, 40), "RGBA")
    picture(place / "fly" / "palette.png", 2, (40, 9), "P", transparency=bytes(range(256)))
    picture(place / "fly" / "print.jpg", 3, (64, 64), "CMYK")
    picture(place / "fly" / "grey.png", 4, (33, 33), "L")
    deep = np.random.default_rng(5).integers(0, 65536, (21, 22)).astype(np.uint16)
    Image.fromarray(deep).save(place / "fly" / "deep.png")
    whole = (place / "fly" / "0.png").read_bytes()
    (place / "fly" / "torn né.png").write_bytes(whole[: len(whole) // 2])
    for name in (".DS_Store", "fly/._0.png", ".ipynb_checkpoints/a.png", "Thumbs.db"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(b"no picture")
    (place / "fly" / "notes.txt").write_text("mine")
    return place


def test_a_folder_of_mixed_pictures_gets_a_report_with_one_command(mixed, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = {path: path.read_bytes() for path in mixed.rglob("*") if path.is_file()}
    assert nlcore("audit", mixed, *QUICK) == 0
    told = capsys.readouterr()
    out = tmp_path / "audit-meine Fotos"
    assert "Traceback" not in told.err and "torn né.png" in told.err and str(out.name) in told.out
    table = pd.read_csv(out / "labels.csv")
    assert len(table) == 21 and not table.file.str.contains("torn").any()
    assert {*table.given} == {"Käfer klein", "fly"} and (table.given != table.suggested).all()
    assert table.score.is_monotonic_decreasing and {*signals.TOGETHER, "neighbours"} <= {*table.columns}
    summary = json.loads((out / "summary.json").read_text())
    assert len(summary["left_out"]) == 1 and "torn né.png" in summary["left_out"][0]
    assert any("resized" in line for line in summary["said"]) and any("CMYK" in line for line in summary["said"])
    page = (out / "report.html").read_text()
    assert page.count("data:image/") >= 21 and "torn né.png" in page
    assert not re.findall(r"<script|https?://|src=\"(?!data:)", page)  # opens offline
    assert before == {path: path.read_bytes() for path in mixed.rglob("*") if path.is_file()}


def test_a_second_start_trains_nothing(mixed, tmp_path, monkeypatch, capsys):
    nlcore("audit", mixed, "--out", tmp_path / "out", *QUICK)
    first = (tmp_path / "out" / "labels.csv").read_text()
    torn = sorted((tmp_path / "out" / "folds").iterdir())[0]
    torn.write_bytes(torn.read_bytes()[:99])  # as if killed; is made again
    capsys.readouterr()
    assert nlcore("audit", mixed, "--out", tmp_path / "out", "--json", *QUICK) == 0
    told = capsys.readouterr()
    assert "fold 1 of 2: done" in told.err and "fold 2 of 2: was there already" in told.err
    assert json.loads(told.out)["labels"] == 21 and (tmp_path / "out" / "labels.csv").read_text() == first


def test_folds_of_other_code_are_made_again(monkeypatch):
    x, given, plan = np.zeros((4, 1, 8, 8), np.uint8), np.arange(4) % 2, Plan(2)
    before = key_of(x, given, plan)
    monkeypatch.setattr(vouch, "code", lambda: "other")
    assert key_of(x, given, plan) != before


def test_what_somebody_wrote_into_a_table_is_kept(mixed, tmp_path, capsys):
    out = tmp_path / "out"
    nlcore("audit", mixed, "--out", out, *QUICK)
    first = (out / "labels.csv").read_text()
    for number, name in enumerate(("labels-edited.csv", "labels-edited-1.csv")):
        (out / "labels.csv").write_text(first + f"note {number}\n")
        assert nlcore("audit", mixed, "--out", out, *QUICK) == 0
        assert f"kept as {name}" in capsys.readouterr().err
        assert (out / name).read_text() == first + f"note {number}\n"
        assert (out / "labels.csv").read_text() == first


def test_without_cleanlab_the_report_says_so(mixed, tmp_path, monkeypatch):
    monkeypatch.setattr(signals, "there_is_cleanlab", lambda: False)
    nlcore("audit", mixed, "--out", tmp_path / "out", *QUICK)
    assert "cleanlab is not installed" in (tmp_path / "out" / "report.html").read_text()
    assert "cleanlab" in json.loads((tmp_path / "out" / "summary.json").read_text())["missing"]


def test_relabel_and_audit_again(mixed, tmp_path, capsys):
    reviewed, new = tmp_path / "reviewed.csv", tmp_path / "new" / "labels.csv"
    lines = ["file,action,label", "fly/0.png,relabel,Käfer klein", "fly/1.png,remove,", "fly/2.png,keep,"]
    reviewed.write_text("\n".join(lines), encoding="utf-8")
    new.parent.mkdir()
    assert nlcore("relabel", mixed, reviewed, "--out", new) == 0
    assert "1 label changed, 1 example removed" in capsys.readouterr().out
    table = pd.read_csv(new)
    assert (table.label != table.given).sum() == 1 and len(table) == 20
    again = read(str(new), 16)
    assert len(again.given) == 20 and again.classes == ["Käfer klein", "fly"]
    assert nlcore("relabel", mixed, reviewed, "--out", new) == 2  # nothing is written over
    reviewed.write_text("row,label\n0,fly\n")
    assert nlcore("relabel", new, reviewed, "--out", new.parent / "third.csv") == 0
    third = pd.read_csv(new.parent / "third.csv")
    assert (third.given == table.given).all() and third.label[0] == "fly"  # what was given first is kept


def test_a_label_that_nothing_had_is_named(mixed, tmp_path, capsys):
    reviewed = _text(tmp_path / "reviewed.csv", "file,label\nfly/0.png,flie\n")
    assert nlcore("relabel", mixed, reviewed, "--out", tmp_path / "new.csv") == 0
    assert "no example was called flie before" in capsys.readouterr().out


def test_a_folder_that_is_called_like_a_known_data_set_is_not_mistaken_in_silence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read("digits").said == []
    picture(tmp_path / "digits" / "a" / "0.png", 0)
    picture(tmp_path / "digits" / "b" / "0.png", 1)
    assert any("./digits" in line for line in read("digits").said) and len(read("./digits").given) == 2


def test_where_no_label_seems_wrong_the_interval_says_how_little_that_tells(tmp_path):
    p = np.eye(2)[[0, 1] * 15].astype(float)
    np.save(tmp_path / "p.npy", p)
    given = p.argmax(1)
    np.savez(tmp_path / "a.npz", images=np.arange(30 * 64, dtype=np.uint8).reshape(30, 8, 8, 1), labels=given)
    found, _ = labels.audit(str(tmp_path / "a.npz"), tmp_path / "out", probabilities=tmp_path / "p.npy")
    assert found.summary["rate"]["estimate"] == 0 and 0.1 < found.summary["rate"]["high"] < 0.15


@pytest.mark.parametrize("split", ["", "train_"])
def test_arrays_are_relabelled_into_arrays(tmp_path, split):
    x, y = np.random.default_rng(0).integers(0, 256, (12, 6, 6, 1), dtype=np.uint8), np.arange(12) % 3
    arrays = {f"{split}images": x, f"{split}labels": y, "classes": np.array(["a", "b", "c"])}
    if split:
        arrays |= {"test_images": x[:3], "test_labels": y[:3]}
    np.savez(tmp_path / "own.npz", **arrays)
    file = read(str(tmp_path / "own.npz")).file[1]
    (tmp_path / "reviewed.csv").write_text(f"file,label\n{file},c\n")
    assert nlcore("relabel", tmp_path / "own.npz", tmp_path / "reviewed.csv", "--out", tmp_path / "new.npz") == 0
    new = np.load(tmp_path / "new.npz")
    assert new[f"{split}labels"][1] == 2 and (new[f"given_{split}labels"] == y).all()
    if split:
        assert data.load(str(tmp_path / "new.npz")).K == 3


def test_features_of_a_table(tmp_path, capsys):
    """Trees find labels that were turned round; gaps, text and an empty label are no obstacle."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    label = np.where(x[:, 0] > 0, "yes", "no")
    wrong = [7, 30, 77]
    for i in wrong:
        x[i, 0] = 2.0 * (1 if label[i] == "no" else -1)
    table = pd.DataFrame(x, columns=["a", "b", "c"]).assign(note="text", label=label)
    table.loc[5, "b"], table.loc[9, "label"] = np.nan, None
    table.to_csv(tmp_path / "own.csv", index=False)
    assert nlcore("audit", tmp_path / "own.csv", "--out", tmp_path / "out", "--folds", "3") == 0
    assert "row 9 has no label" in capsys.readouterr().err
    found = pd.read_csv(tmp_path / "out" / "labels.csv")
    assert {*found.row[:3]} == {*wrong} and len(found) == 119


def noisy(rate=0.1):
    """Digits of which a share has the next label: images, given labels, which are wrong."""
    digits = data.load("digits").train
    x, y = digits.x.numpy()[:600], digits.y.numpy()[:600]
    wrong = np.random.default_rng(0).random(len(y)) < rate
    return x, np.where(wrong, (y + 1) % 10, y), wrong


def test_every_signal_finds_wrong_labels_and_the_rate_is_about_right(tmp_path):
    x, given, wrong = noisy()
    seen = predicted(x, given, 10, Plan(2, "mlp1", 150, device="cpu"))
    found = signals.doubts(seen, given)
    for name, signal in (found | {"together": signals.together(found)}).items():
        assert judged(signal, wrong, 20)["precision"] >= 0.8, name
    estimate, low, high = signals.rate(seen.probability, given)
    assert low <= estimate <= high and abs(estimate - wrong.mean()) < 0.06
    T = signals.transition(signals.joint(seen.probability, given))
    assert np.allclose(T.sum(1), 1) and np.mean([T[k, (k + 1) % 10] for k in range(10)]) > 0.05


def test_checked_labels_teach_a_mentor_and_give_the_rate(tmp_path):
    x, given, wrong = noisy(0.3)
    np.savez(tmp_path / "own.npz", images=x.transpose(0, 2, 3, 1), labels=given)
    true = np.where(wrong, (given - 1) % 10, given)
    pd.DataFrame({"row": range(200), "label": true[:200]}).to_csv(tmp_path / "checked.csv", index=False)
    plan = Plan(2, "mlp1", 150, device="cpu")
    made, _ = labels.audit(str(tmp_path / "own.npz"), tmp_path / "out", plan, checked=tmp_path / "checked.csv")
    told = made.summary["checked"]
    assert told["wrong"] == wrong[:200].sum() and told["low"] < wrong[:200].mean() < told["high"]
    assert judged(made.table.mentor.to_numpy(), wrong[made.table.row], 50)["precision"] > 0.6
    assert sum(row["checked"] for row in made.summary["cuts"][-1:]) == 200


def test_own_predictions_need_no_training(tmp_path, capsys):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (30, 6, 6, 3), dtype=np.uint8), np.arange(30) % 3
    np.savez(tmp_path / "own.npz", images=x, labels=y)
    p = np.full((30, 3), 0.1)
    p[np.arange(30), y] = 0.8
    p[4] = [0.9, 0.05, 0.05]  # label 1
    np.save(tmp_path / "p.npy", p)
    asked = ["audit", tmp_path / "own.npz", "--out", tmp_path / "out", "--pred-probs", tmp_path / "p.npy"]
    assert nlcore(*asked) == 0
    assert pd.read_csv(tmp_path / "out" / "labels.csv").row[0] == 4 and not (tmp_path / "out" / "folds").exists()
    for bad in (p[:29], p[:, :2], p.round().astype(int), np.where(p > 0.8, np.nan, p), p * 2):
        np.save(tmp_path / "p.npy", bad)
        capsys.readouterr()
        assert nlcore(*asked) == 2 and "p.npy" in capsys.readouterr().err


def test_predictions_whose_columns_stand_in_another_order_are_refused_or_doubted(tmp_path, capsys):
    """Twelve classes called by numbers are in the order of texts, and the columns in that of numbers."""
    y, text = np.arange(48) % 12, sorted(map(str, range(12)))
    names, own = [str(k) for k in y], tmp_path / "own.csv"
    pd.DataFrame({"label": names, "a": np.arange(48) % 7}).to_csv(own, index=False)
    asked = ["audit", own, "--out", tmp_path / "out", "--pred-probs", tmp_path / "p.npy"]
    np.save(tmp_path / "p.npy", np.eye(12)[y])
    assert nlcore(*asked) == 2
    told = capsys.readouterr().err
    assert "given label in 17% of the rows; it would be in 100%" in told
    assert "(11 for 10, 12 for 11, 3 for 2" in told and "must be 0, 1, 10, 11, 2" in told
    right = np.eye(12)[[text.index(name) for name in names]]
    np.save(tmp_path / "p.npy", right[:, [1, 0, *range(2, 12)]])
    assert nlcore(*asked) == 0 and "in 83% of the rows; it would be in 100%" in capsys.readouterr().err
    np.save(tmp_path / "p.npy", right)
    assert nlcore(*asked) == 0 and "in 100% of the rows\n" in capsys.readouterr().err


def test_equal_examples_share_a_fold_and_classes_are_spread():
    given = np.arange(40) % 4
    x = np.random.default_rng(0).integers(0, 256, (40, 1, 4, 4), dtype=np.uint8)
    x[7] = x[22]
    fold = drawn(x, given, 5, 0)
    assert fold[7] == fold[22]
    assert all(len({*fold[given == k]}) >= 4 for k in range(4))


def test_twins_with_different_labels():
    x = np.random.default_rng(0).integers(0, 250, (6, 3, 20, 20), dtype=np.uint8)
    x[1], x[2], x[4] = x[0], x[0] + 3, x[5]
    assert twins(x, np.array([0, 1, 1, 0, 2, 2])) == ([(0, 1), (0, 2)], 3)
    assert twins(x, np.array([1, 0, 1, 0, 2, 2])) == ([(0, 1), (1, 2)], 3)  # the first of the equal ones agrees
    rows = np.array([[1.0, 2.0], [1.0, 2.0], [3.0, 4.0]])
    assert twins(rows, np.array([0, 1, 0])) == ([(0, 1)], 2)


@hypothesis.given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=20))
def test_twins_are_counted_in_whatever_order_they_stand(drawn):
    level, label = np.array(drawn).T
    for x in (level[:, None].astype(float), np.full((1, 4, 4), 5) * level[:, None, None, None].astype(np.uint8)):
        alike = np.abs(level[:, None] - level) <= (1 if x.ndim == 4 else 0)  # levels of 5 are nearly alike
        unlike = alike & (label[:, None] != label)
        found = twins(x, label)
        assert found.examples == unlike.any(1).sum() and all(unlike[i, j] for i, j in found.pairs)


def test_the_joint_is_that_of_cleanlab():
    count = pytest.importorskip("cleanlab.count")
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.full(4, 0.4), 300)
    given = np.array([rng.choice(4, p=row) for row in p])
    theirs = count.estimate_joint(given, p)  # which rounds to whole examples
    assert np.allclose(signals.joint(p, given).T, theirs, atol=1 / 300)


def test_a_label_that_no_model_reaches_counts_as_right():
    p = np.array([[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.2, 0.8, 0.0], [0.6, 0.4, 0.0]])
    given = np.array([0, 0, 1, 2])
    found = signals.joint(p, given)
    assert np.isclose(found.sum(), 1) and np.allclose(found.sum(0), [0.5, 0.25, 0.25])
    assert np.isfinite(signals.wrong_by_matrix(p, given)).all()
    assert {"probability", "margin", "matrix"} <= {*signals.doubts(Seen(p), given)}


@pytest.mark.parametrize(
    "told, make",
    [
        ("there is no file", lambda place: place / "none"),
        ("holds no folders of pictures", lambda place: (place / "empty").mkdir() or place / "empty"),
        (
            "train/ in .*veh counts as a part",
            lambda place: picture(place / "veh" / "train" / "0.png", 0) or place / "veh",
        ),
        ("lacks the column label", lambda place: _text(place / "a.csv", "x,y\n1,2\n")),
        ("no column of different numbers", lambda place: _text(place / "a.csv", "x,label\na,b\nb,c\nc,b\nd,c\n")),
        ("a class, not a number", lambda place: _text(place / "a.csv", "x,label\n" + "1,{0}.5\n2,{0}.7\n" * 9)),
        ("nothing to tell apart", lambda place: _text(place / "a.csv", "x,label\n1,a\n2,a\n")),
        ("lacks the arrays", lambda place: np.savez(place / "a.npz", x=[1]) or place / "a.npz"),
        ("single class, cat", lambda place: picture(place / "pets" / "cat" / "0.png", 0) or place / "pets"),
        ("do not fill 2 folds", lambda place: _arrays(place / "a.npz", np.zeros((8, 4, 4, 1), np.uint8))),
        ("images must be uint8", lambda place: _arrays(place / "a.npz", np.zeros((8, 4, 4), np.uint8))),
        ("no picture can be read", lambda place: _text(place / "a.csv", "file,label\nx.png,a\ny.png,b\n")),
    ],
)
def test_what_cannot_be_audited_is_one_sentence(tmp_path, told, make):
    place = make(tmp_path)
    if told == "a class, not a number":
        lines = place.read_text().splitlines()
        place.write_text("\n".join([lines[0], *(line.format(i) for i, line in enumerate(lines[1:]))]))
    with pytest.raises(UserError, match=told):
        labels.audit(str(place), tmp_path / "out", Plan(2))


def test_a_report_does_not_go_where_it_would_be_data(mixed):
    with pytest.raises(UserError, match="choose another --out"):
        labels.audit(str(mixed), mixed / "audit")


@pytest.mark.parametrize(
    "told, text",
    [
        ("reviewed.csv in meine Fotos 'fly/0.pngg': did you mean", "file,label\nfly/0.pngg,fly\n"),
        ("twice", "file,label\nfly/0.png,fly\nfly/0.png,fly\n"),
        ("column file or row", "name,label\nfly/0.png,fly\n"),
        ("column label or action", "file\nfly/0.png\n"),
        ("one of keep, relabel, remove", "file,action\nfly/0.png,delete\n"),
        ("for that one the action is relabel", "file,action,label\nfly/0.png,keep,Käfer klein\n"),
        ("no label to relabel to", "file,action,label\nfly/0.png,relabel,\n"),
    ],
)
def test_bad_reviews_are_refused(mixed, tmp_path, capsys, told, text):
    out = tmp_path / "new.csv"
    assert nlcore("relabel", mixed, _text(tmp_path / "reviewed.csv", text), "--out", out) == 2
    assert told in capsys.readouterr().err and not out.exists()


def _arrays(path, x):
    np.savez(path, images=x, labels=np.arange(len(x)) % 2)
    return path


def _text(path, text):
    path.write_text(text)
    return path


def test_labels_of_a_table_of_features_stay_as_they_are_written(tmp_path):
    written = ["1.1", "1.10", "007", "None"] * 6
    table = pd.DataFrame({"a": np.arange(24) % 7, "b": np.arange(24) % 5 / 2, "c": ["x"] * 24, "label": written})
    table.loc[3, "b"], table.loc[4, "label"] = np.nan, ""
    table.to_csv(tmp_path / "codes.csv", index=False)
    found = read(str(tmp_path / "codes.csv"))
    assert found.classes == ["007", "1.1", "1.10", "None"] and found.left_out == ["row 4 has no label"]
    assert found.x.shape == (23, 2) and np.isnan(found.x).sum() == 1
    _text(tmp_path / "r.csv", "row,action\n0,keep\n")
    assert nlcore("relabel", tmp_path / "codes.csv", tmp_path / "r.csv", "--out", tmp_path / "new.csv") == 0
    new = pd.read_csv(tmp_path / "new.csv", dtype=str, keep_default_na=False)
    assert [*new.label] == [*new.given] == [name for i, name in enumerate(written) if i != 4]


def test_a_column_that_is_there_twice_is_no_feature(tmp_path, capsys):
    """pandas would call the second one label.1."""
    rows = "".join(f"{i % 7},{'ab'[i % 2]},{i % 2}\n" for i in range(40))
    table = _text(tmp_path / "own.csv", "x,label, Label\n" + rows)
    assert nlcore("audit", table, "--out", tmp_path / "out") == 2
    assert "has the column label more than once" in capsys.readouterr().err
    review = _text(tmp_path / "r.csv", "row,label,label\n0,a,b\n")
    own = _text(tmp_path / "fine.csv", "x,label\n1,a\n2,b\n")
    assert nlcore("relabel", own, review, "--out", tmp_path / "new.csv") == 2
    assert "has the column label more than once" in capsys.readouterr().err


def test_a_column_that_is_the_label_under_another_name_is_refused(tmp_path, capsys):
    """A model that sees it would doubt nothing."""
    y = np.arange(40) % 3
    own = pd.DataFrame({"a": np.arange(40) % 7, "number": y + 1, "label": np.array(["x", "y", "z"])[y]})
    own.to_csv(tmp_path / "own.csv", index=False)
    assert nlcore("audit", tmp_path / "own.csv", "--out", tmp_path / "out") == 2
    assert "the column number has one value for each label" in capsys.readouterr().err
    own.drop(columns="number").to_csv(tmp_path / "own.csv", index=False)
    assert "columns of numbers that are used: a" in read(str(tmp_path / "own.csv")).said


def test_a_number_written_in_two_ways_is_said(tmp_path):
    pd.DataFrame({"a": np.arange(20) % 7, "label": ["1", "1.0", "2", "02"] * 5}).to_csv(tmp_path / "o.csv", index=False)
    said = read(str(tmp_path / "o.csv")).said
    assert "1 and 1.0 are two classes, although their names are one number" in said
    assert "02 and 2 are two classes, although their names are one number" in said


def test_rows_of_a_review_that_are_to_be_removed_are_no_checked_labels(tmp_path, capsys):
    own = pd.DataFrame({"a": np.arange(40) % 7, "label": ["x", "y"] * 20})
    own.to_csv(tmp_path / "own.csv", index=False)
    review = _text(tmp_path / "r.csv", "row,action,label\n0,remove,x\n1,relabel,x\n2,keep,x\n")
    assert nlcore("audit", tmp_path / "own.csv", "--out", tmp_path / "out", "--checked", review, "--folds", "2") == 0
    assert "left out, as they are to be removed: 1 row" in capsys.readouterr().err
    found = pd.read_csv(tmp_path / "out" / "labels.csv", dtype=str, keep_default_na=False)
    assert found[found.checked != ""].row.tolist() in (["1", "2"], ["2", "1"])
    for rows, told in (("0,remove,x\n", "no row that is not"), ("0,drop,x\n", "an action that is none of")):
        review.write_text(f"row,action,label\n{rows}")
        assert nlcore("audit", tmp_path / "own.csv", "--out", tmp_path / "new", "--checked", review) == 2
        assert told in capsys.readouterr().err


def test_classes_that_may_be_one_are_named(tmp_path):
    """Two ways to write one letter are one class; what differs in case alone is said."""
    written = ["caf\u00e9", "cafe\u0301", "Caf\u00e9", "tea"] * 5
    pd.DataFrame({"a": np.arange(20) % 7, "row": np.arange(20), "label": written}).to_csv(tmp_path / "own.csv")
    found = read(str(tmp_path / "own.csv"))
    assert found.classes == ["Caf\u00e9", "caf\u00e9", "tea"]
    assert "Caf\u00e9 and caf\u00e9 are two classes, although their names differ in case alone" in found.said
    assert "taken as notes of an audit and not as numbers: row" in found.said
    for k, name in enumerate(("cat", "Cat")):
        picture(tmp_path / "own" / name / "0.png", k)
        picture(tmp_path / "own" / name / "1.png", 2 + k)
    assert any("differ in case" in line for line in read(str(tmp_path / "own")).said)


@pytest.mark.parametrize("split", ["train_", ""])
def test_names_and_old_labels_of_another_length_are_refused(tmp_path, capsys, split):
    x, y = np.random.default_rng(0).integers(0, 255, (12, 8, 8, 1), np.uint8), np.arange(12) % 2
    own = {f"{split}images": x, f"{split}labels": y}
    np.savez(tmp_path / "own.npz", **own, **{f"{split}files": np.arange(11)})
    review = _text(tmp_path / "r.csv", "row,label\n0,1\n")
    for command in (["audit", tmp_path / "own.npz"], ["relabel", tmp_path / "own.npz", review]):
        assert nlcore(*command, "--out", tmp_path / "out.npz") == 2
        assert f"11 {split}files but 12 {split}labels" in capsys.readouterr().err
    np.savez(tmp_path / "own.npz", **own, **{f"given_{split}labels": y[:11]})
    assert nlcore("relabel", tmp_path / "own.npz", review, "--out", tmp_path / "out.npz") == 2
    assert f"11 given_{split}labels but 12 {split}labels" in capsys.readouterr().err


def test_a_list_of_files_that_somebody_wrote_into_is_kept(tmp_path):
    for k, name in enumerate("ab"):
        for i in range(6):
            picture(tmp_path / "own" / name / f"{i}.png", 10 * k + i)
    np.save(tmp_path / "p.npy", np.eye(2)[[0] * 6 + [1] * 6])
    asked = ["audit", tmp_path / "own", "--out", tmp_path / "out", "--pred-probs", tmp_path / "p.npy"]
    assert nlcore(*asked) == 0
    listed = tmp_path / "out" / "files.csv"
    pd.read_csv(listed).assign(note="precious").to_csv(listed, index=False)
    assert nlcore(*asked) == 0 and nlcore(*asked) == 0
    assert "precious" in (tmp_path / "out" / "files-edited.csv").read_text()
    assert "precious" not in listed.read_text() and len([*(tmp_path / "out").glob("files*.csv")]) == 2


def test_predictions_in_the_order_of_other_examples_are_refused(tmp_path, capsys):
    for k, name in enumerate("ab"):
        for i in range(6):
            picture(tmp_path / "own" / name / f"{i}.png", 10 * k + i)
    np.save(tmp_path / "p.npy", np.eye(2)[[0] * 6 + [1] * 6])
    asked = ["audit", tmp_path / "own", "--out", tmp_path / "out", "--pred-probs", tmp_path / "p.npy"]
    assert nlcore(*asked) == 0 and "its columns are a, b, in this order" in capsys.readouterr().err
    (tmp_path / "own" / "a" / "0.png").rename(tmp_path / "own" / "b" / "z.png")
    assert nlcore(*asked) == 2 and "not those that" in capsys.readouterr().err
    assert "a/0.png" in (tmp_path / "out" / "files-before.csv").read_text()
    assert nlcore(*asked) == 0


def test_a_row_that_means_another_example_now_is_refused(tmp_path, capsys):
    for k, name in enumerate("ab"):
        for i in range(3):
            picture(tmp_path / "own" / name / f"{i}.png", 10 * k + i)
    review = _text(tmp_path / "r.csv", "row,given,label\n3,b,a\n")
    assert nlcore("relabel", tmp_path / "own", review, "--out", tmp_path / "1.csv") == 0
    picture(tmp_path / "own" / "a" / "new.png", 99)
    assert nlcore("relabel", tmp_path / "own", review, "--out", tmp_path / "2.csv") == 2
    assert "row 3 of own has the label 'a' and not 'b'" in capsys.readouterr().err


def test_a_file_that_is_listed_twice_is_told_by_its_row(tmp_path, capsys):
    for i in range(4):
        picture(tmp_path / f"{i}.png", i)
    files = "file,label\n0.png,a\n1.png,b\n2.png,a\n3.png,b\n0.png,b\n"
    _text(tmp_path / "own.csv", files)
    review = _text(tmp_path / "r.csv", "file,action\n0.png,remove\n")
    assert nlcore("relabel", tmp_path / "own.csv", review, "--out", tmp_path / "new.csv") == 2
    assert "lists 0.png more than once" in capsys.readouterr().err
    _text(review, "row,file,action\n1,0.png,remove\n")
    assert nlcore("relabel", tmp_path / "own.csv", review, "--out", tmp_path / "new.csv") == 2
    assert "is 1.png and not 0.png" in capsys.readouterr().err
    _text(review, "row,file,action\n4,0.png,remove\n")
    assert nlcore("relabel", tmp_path / "own.csv", review, "--out", tmp_path / "new.csv") == 0


def test_all_that_an_archive_has_of_each_example_is_cut_alike(tmp_path):
    x, y = np.random.default_rng(0).integers(0, 256, (12, 6, 6, 1), dtype=np.uint8), np.arange(12) % 3
    beside = {"train_ids": np.arange(12), "train_weights": np.ones((12, 2)), "train_mean": np.float64(3.0)}
    test = {"test_images": x[:3], "test_labels": y[:3], "test_ids": np.arange(3)}
    np.savez(tmp_path / "own.npz", train_images=x, train_labels=y, **beside, **test)
    review = _text(tmp_path / "r.csv", "row,action\n5,remove\n")
    assert nlcore("relabel", tmp_path / "own.npz", review, "--out", tmp_path / "new.npz") == 0
    new = np.load(tmp_path / "new.npz")
    assert [*new["train_ids"]] == [i for i in range(12) if i != 5] and len(new["train_weights"]) == 11
    assert len(new["train_images"]) == 11 and len(new["test_ids"]) == 3 and new["train_mean"] == 3


def test_audits_of_two_data_sets_do_not_share_a_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for place in ("scans.2023", "scans.2024", "other/scans.2024"):
        for k, name in enumerate("ab"):
            for i in range(4):
                picture(tmp_path / place / name / f"{i}.png", 10 * k + i)
    assert [nlcore("audit", place, *QUICK) for place in ("scans.2023", "scans.2024")] == [0, 0]
    assert (tmp_path / "audit-scans.2023" / "labels.csv").exists()
    assert nlcore("audit", "other/scans.2024", *QUICK) == 2
    assert "audit-scans.2024 has the audit of" in capsys.readouterr().err


def test_what_lies_beside_the_splits_is_named(tmp_path):
    for k, place in enumerate(("train/a", "train/b", "test/a", "test/b", "extra")):
        picture(tmp_path / "own" / place / "0.png", k)
    picture(tmp_path / "own" / "lost.png", 9)
    found = read(str(tmp_path / "own"))
    assert any("extra, lost.png" in line for line in found.said) and len(found.given) == 4


def test_rows_that_are_told_by_their_numbers_alone_are_said(tmp_path, capsys):
    """A table may have been sorted since it was reviewed."""
    own = _text(tmp_path / "own.csv", "a,label\n" + "".join(f"{i % 7},{'xy'[i % 2]}\n" for i in range(20)))
    for columns, told in (("row,label", True), ("row,given,label", False)):
        review = _text(tmp_path / "r.csv", f"{columns}\n0,x{',y' if 'given' in columns else ''}\n")
        out = tmp_path / f"new-{told}.csv"
        assert nlcore("relabel", own, review, "--out", out) == 0
        assert ("names examples by their numbers alone" in capsys.readouterr().err) == told
