"""Chapters as committed: typed parameters, executed, normal; and checked before a kernel starts."""

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from types import SimpleNamespace

import nbformat
import pytest

from nlcore import data, home
from nlcore.book import chapters
from nlcore.files import write_whole
from nlcore.inputs import UserError

ALWAYS = {"tier": str, "train": str}
COMMON = ALWAYS | {"seeds": int, "dataset": str, "device": str}
NAMES = chapters.names()


def cells(name):
    return nbformat.read(home() / "book" / f"{name}.ipynb", 4).cells


def code(name):
    return [c for c in cells(name) if c.cell_type == "code"]


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_typed_and_commented(name):
    found = chapters.parameters(name)
    common = COMMON if name < "90" else ALWAYS  # pages that train nothing have less to be set
    assert {k: found[k][0] for k in common} == common
    source = next(c.source for c in cells(name) if "parameters" in c.metadata.get("tags", ()))
    assert all("  # " in line for line in source.splitlines())
    assert chapters.validate(name, {k: default for k, (_, default) in found.items()})


@pytest.mark.parametrize("name", NAMES)
def test_every_code_cell_was_executed_in_order_without_error(name):
    counts = [c.execution_count for c in code(name)]
    assert counts == list(range(1, len(counts) + 1))
    assert not [o for c in code(name) for o in c.outputs if o.output_type == "error"]


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_chapter_is_normal(name):
    notebook = nbformat.read(home() / "book" / f"{name}.ipynb", 4)
    before = nbformat.writes(notebook)
    chapters.normalise(notebook)
    assert nbformat.writes(notebook) == before
    # no path of a machine, no time stamp, no progress bar, no warning; the bytes of pictures are not text
    text = re.sub(r'"image/png": "[^"]*"', "", before)
    assert not re.search(r"/(home|tmp|root|work|Users|usr)/|\d{4}-\d\d-\d\dT\d\d:|it/s|Warning", text)
    assert "injected-parameters" not in before


@pytest.mark.parametrize("name", NAMES)
def test_a_chapter_has_no_machinery(name):
    """No class, no loop that trains, no path; no more than forty code cells."""
    assert len(code(name)) <= 40
    for cell in code(name):
        tree = ast.parse(cell.source)
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
        assert "backward(" not in cell.source and "open(" not in cell.source


@pytest.mark.parametrize("name", NAMES)
def test_numbers_in_prose_are_glued(name):
    """Accuracies in prose come from glue; percentages that state a claim or a definition are listed here."""
    allowed = {"36 %", "72 %", "80 %", "90 %", "95 %", "40 %", "20 %", "18 %", "21 %", "75 %"}
    prose = "\n".join(c.source for c in cells(name) if c.cell_type == "markdown")
    assert set(re.findall(r"\b\d+(?:\.\d+)? ?%", prose)) <= allowed


def test_parameters_are_checked():
    name = "02_massive_label_noise"
    assert chapters.validate(name, {"alphas": [0, 20]}) == {"alphas": [0, 20]}
    for values in ({"alpha": 3}, {"alphas": 3}, {"tier": "x"}, {"seeds": -1}, {"seeds": 1.5}, {"device": "gpu"}):
        with pytest.raises(UserError):
            chapters.validate(name, values)


def test_normalise_drops_what_differs_from_run_to_run():
    cell = nbformat.v4.new_code_cell("1", id="random")
    cell.metadata = {"tags": ["parameters"], "papermill": {"duration": 1}, "execution": {"iopub.status.busy": "now"}}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"papermill": {"input_path": "/x"}, "widgets": {}})
    chapters.normalise(notebook)
    assert notebook.cells[0].metadata == {"tags": ["parameters"]} and notebook.cells[0].id == "cell-00"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_what_a_cell_prints_in_a_row_is_one_output_however_the_kernel_cut_it():
    def printed(text, name="stdout"):
        return nbformat.v4.new_output("stream", name=name, text=text)

    picture = nbformat.v4.new_output("display_data", {"text/plain": "a line"})
    outputs = [printed("a"), printed("b\n"), printed("c", "stderr"), picture, picture, printed("d"), printed("e")]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=outputs)])
    chapters.normalise(notebook)
    found = [output.get("text") for output in notebook.cells[0].outputs]
    assert found == ["ab\n", "c", None, None, "de"]


@pytest.fixture
def executions(monkeypatch, tmp_path):
    """Chapters that were executed, in place of executing them."""
    made = []

    def executed(name, work, values):
        made.append(name)
        nbformat.write(nbformat.v4.new_notebook(), work / f"{name}.ipynb")
        for path in added:
            path.write_text("{}")
        return work / f"{name}.ipynb"

    added = []
    monkeypatch.setenv("NLCORE_RUNS", str(tmp_path / "runs"))
    (tmp_path / "runs").mkdir()
    monkeypatch.setattr(chapters, "_executed", executed)
    return made, added


def lines(out, values, again=False):
    return [line.split(":")[0] for line in chapters.execute_all(values, out, 2, again)]


def test_what_has_not_changed_is_not_executed_again(executions, tmp_path):
    made, _ = executions
    values = {NAMES[0]: {}, NAMES[1]: {"tier": "smoke"}}
    assert lines(tmp_path, values) == ["executed", "executed"] and sorted(made) == NAMES[:2]
    assert lines(tmp_path, values) == ["unchanged", "unchanged"]
    assert sorted(lines(tmp_path, values | {NAMES[1]: {}})) == ["executed", "unchanged"]
    (tmp_path / f"{NAMES[0]}.ipynb").write_text("edited")
    assert sorted(lines(tmp_path, values | {NAMES[1]: {}})) == ["executed", "unchanged"]
    (tmp_path / "runs" / "new.json").write_text("{}")  # a record
    assert lines(tmp_path, values) == ["executed", "executed"]
    assert lines(tmp_path, values, again=True) == ["executed", "executed"]


def test_a_data_set_of_ones_own_with_other_labels_is_a_change(executions, tmp_path):
    import numpy as np

    x, y = np.arange(6 * 16, dtype=np.uint8).reshape(6, 4, 4, 1), np.arange(6) % 2
    for labels, told in ((y, "executed"), (y, "unchanged"), (1 - y, "executed"), (1 - y, "unchanged")):
        np.savez(tmp_path / "a.npz", train_images=x, train_labels=labels, test_images=x, test_labels=y)
        data.datasets._loaded.cache_clear()
        assert lines(tmp_path, {NAMES[0]: {"dataset": str(tmp_path / "a.npz")}}) == [told]
    (tmp_path / "a.npz").unlink()
    data.datasets._loaded.cache_clear()
    with pytest.raises(UserError, match="there is no file"):
        lines(tmp_path, {NAMES[0]: {"dataset": str(tmp_path / "a.npz")}})


def test_a_chapter_beside_a_run_that_failed_is_executed_again(executions, tmp_path):
    failed = tmp_path / "runs" / "0123456789abcdef.failed"
    failed.touch()
    assert lines(tmp_path, {NAMES[0]: {}}) == lines(tmp_path, {NAMES[0]: {}}) == ["executed"]
    failed.unlink()
    assert lines(tmp_path, {NAMES[0]: {}}) == ["executed"]
    assert lines(tmp_path, {NAMES[0]: {}}) == ["unchanged"]


def test_two_executions_into_one_folder_are_told_apart(executions, tmp_path, monkeypatch):
    out, write = tmp_path / f"{NAMES[0]}.ipynb", chapters.write_whole

    def beaten(path, text):
        write(path, text)
        if path == out:
            write(path, text.replace("nbformat", " nbformat"))  # as another execution does right after

    monkeypatch.setattr(chapters, "write_whole", beaten)
    assert lines(tmp_path, {NAMES[0]: {}}) == ["executed"]
    monkeypatch.setattr(chapters, "write_whole", write)
    assert lines(tmp_path, {NAMES[0]: {}}) == ["executed"]
    assert lines(tmp_path, {NAMES[0]: {}}) == ["unchanged"]


def test_records_that_came_while_a_chapter_ran(executions, tmp_path):
    """One that trains what it lacks has seen all; one that trains nothing is executed once more."""
    _, added = executions
    added.append(tmp_path / "runs" / "new.json")
    assert lines(tmp_path, {NAMES[0]: {"train": "missing"}}) == ["executed"]
    added.clear()
    assert lines(tmp_path, {NAMES[0]: {"train": "missing"}}) == ["unchanged"]
    added.append(tmp_path / "runs" / "newer.json")
    assert lines(tmp_path, {"90_scoreboard": {}}) == ["executed"]
    added.clear()
    assert lines(tmp_path, {"90_scoreboard": {}}) == ["executed"]
    assert lines(tmp_path, {"90_scoreboard": {}}) == ["unchanged"]


DAMAGE = [
    "",
    "[]",
    "[" * 100_000,
    '{"cells": [',
    '{"nbformat": 4, "cells": null}',
    '{"nbformat": 9, "cells": []}',
    b"\xff\xfe{}",
]


@pytest.mark.parametrize("content", DAMAGE, ids=range(len(DAMAGE)))
def test_a_damaged_chapter_is_named(content, tmp_path, monkeypatch):
    """Whatever is left of it."""
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "broken.ipynb").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=r"broken.ipynb is no whole notebook"):
        chapters.validate("broken", {})


LINES = ["rate = 0.4", "rate: float = 2 / 5", "rate: float = (0.4", "rate: share = 0.4", "import os", "rate: float"]


@pytest.mark.parametrize("line", LINES)
def test_a_parameter_that_is_written_otherwise_is_told(line, tmp_path, monkeypatch):
    """By who changes a number in the first cell, as readers are asked to."""
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    cell = nbformat.v4.new_code_cell(f"seed: int = 0\n{line}", metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[cell])
    write_whole(tmp_path / "book" / "mine.ipynb", nbformat.writes(notebook))
    with pytest.raises(UserError, match="mine.ipynb: a line of the cell of parameters is not of the form"):
        chapters.validate("mine", {"seed": 1})
    notebook.cells.clear()
    write_whole(tmp_path / "book" / "mine.ipynb", nbformat.writes(notebook))
    with pytest.raises(UserError, match="must have one cell with the tag `parameters`, not 0"):
        chapters.validate("mine", {})


HOLDS = "import fcntl, sys; f = open(sys.argv[1], 'wb'); fcntl.lockf(f, fcntl.LOCK_EX); print('', flush=True); input()"


def test_only_kernels_folders_that_nobody_uses_are_removed(tmp_path, monkeypatch):
    """Not a store of records that is called like the package, nor the folder of a chapter that trains for days."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store, used, left = (tmp_path / name for name in ("nlcore-runs", "nlcore-kernel-1-used", "nlcore-kernel-1-left"))
    for folder in (store, used, left):
        folder.mkdir()
        (folder / chapters.USED).write_text("")
    command = [sys.executable, "-c", HOLDS, str(used / chapters.USED)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with chapters.work_folder() as mine:
            for folder in (store, used, left, mine):
                os.utime(folder, (0, 0))
            with chapters.work_folder():
                assert (store.exists(), used.exists(), left.exists(), mine.exists()) == (True, True, False, True)
        other.communicate(b"\n")


def test_names_in_a_list_are_texts():
    with pytest.raises(UserError, match=r"models\[0\] must be of type str"):
        chapters.validate("05_robust_losses", {"models": [1]})


@pytest.mark.parametrize("name", NAMES)
def test_no_backslash_was_lost(name):
    r"""A formula in a string that is not raw loses its `\a`, `\b`, `\f` or `\v` to a control character."""
    sources = [cell.source for cell in cells(name)]
    assert not [source for source in sources if {*"\a\b\f\v"} & {*source}]


def test_an_opened_book_has_the_committed_chapter_again(tmp_path, monkeypatch):
    """Also where that is older than the page of another edition, which is there from before."""
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    for name in ("_config.yml", "_toc.yml", "book/mine.ipynb", "out/mine.ipynb"):
        write_whole(tmp_path / name, name)
    os.utime(tmp_path / "book" / "mine.ipynb", (1, 1))
    monkeypatch.setattr("subprocess.run", lambda *given, **options: SimpleNamespace(returncode=0, stderr=""))
    chapters.rendered(tmp_path / "out", ["mine"])
    opened = tmp_path / "_build" / "opened" / "book" / "mine.ipynb"
    assert opened.read_text() == "out/mine.ipynb"
    chapters.rendered(tmp_path / "out", [])  # what lies there from before is of no interest
    assert opened.read_text() == "book/mine.ipynb" and opened.stat().st_mtime > 1


def test_a_chapter_is_executed_by_this_python(tmp_path, monkeypatch):
    """Whatever kernel Jupyter would find under its name."""
    spec = tmp_path / "kernels" / "python3"
    write_whole(spec / "kernel.json", json.dumps({"argv": ["false"], "display_name": "x", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    tagged = nbformat.v4.new_code_cell("seed: int = 0", metadata={"tags": ["parameters"]})
    asks = nbformat.v4.new_code_cell("import sys; print(sys.executable)")
    write_whole(tmp_path / "book" / "mine.ipynb", nbformat.writes(nbformat.v4.new_notebook(cells=[tagged, asks])))
    monkeypatch.setattr(chapters, "inputs", lambda *given: "")
    chapters.execute("mine", tmp_path / "out" / "mine.ipynb", {})
    assert sys.executable in (tmp_path / "out" / "mine.ipynb").read_text()


def test_a_result_into_which_somebody_has_written_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    tagged = nbformat.v4.new_code_cell("seed: int = 0", metadata={"tags": ["parameters"]})
    write_whole(tmp_path / "book" / "mine.ipynb", nbformat.writes(nbformat.v4.new_notebook(cells=[tagged])))
    monkeypatch.setattr(chapters, "_executed", lambda name, work, values: tmp_path / "book" / "mine.ipynb")
    out = tmp_path / "out" / "mine.ipynb"
    for again in (False, True):
        assert chapters.execute("mine", out, {}, again) == f"executed: {out}"
    written = out.read_text().replace("seed", "notes")
    out.write_text(written)
    assert chapters.execute("mine", out, {}, again=False).endswith(
        "not as this command leaves it, and is kept as mine-edited.ipynb"
    )
    assert (tmp_path / "out" / "mine-edited.ipynb").read_text() == written
    elsewhere = write_whole(tmp_path / "notes" / "mine.ipynb", written)  # without the stamp of a result
    assert "kept as mine-edited.ipynb" in chapters.execute("mine", elsewhere, {}, again=False)
    assert (tmp_path / "notes" / "mine-edited.ipynb").read_text() == written
    chapters.execute("mine", tmp_path / "book" / "mine.ipynb", {})  # git knows what becomes of the book itself
    assert [path.name for path in (tmp_path / "book").iterdir()] == ["mine.ipynb"]


def test_a_chapter_that_was_saved_while_it_was_executed_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    tagged = nbformat.v4.new_code_cell("seed: int = 0", metadata={"tags": ["parameters"]})
    chapter = write_whole(tmp_path / "book" / "mine.ipynb", nbformat.writes(nbformat.v4.new_notebook(cells=[tagged])))

    def saved_meanwhile(name, work, values):
        draft = write_whole(tmp_path / "draft.ipynb", chapter.read_text())
        chapter.write_text(chapter.read_text().replace("seed", "notes"))
        return draft

    monkeypatch.setattr(chapters, "_executed", saved_meanwhile)
    assert "kept as mine-edited.ipynb" in chapters.execute("mine", chapter, {})
    assert "notes" in (tmp_path / "book" / "mine-edited.ipynb").read_text() and "seed" in chapter.read_text()
