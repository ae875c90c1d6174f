"""Tables mean the same as Parquet and as CSV."""

import numpy as np
import pandas as pd
import pytest

from nlcore.audit import examples, reviewed
from nlcore.data.tables import read_table, repeated


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Write a table as CSV and, without the package that Parquet needs, in place of it what pandas reads of one."""

    def write(table: pd.DataFrame) -> tuple:
        table.to_csv(tmp_path / "t.csv", index=False)
        (tmp_path / "t.parquet").touch()
        monkeypatch.setattr(pd, "read_parquet", lambda path, dtype_backend: table.convert_dtypes())
        return tmp_path / "t.csv", tmp_path / "t.parquet"

    return write


def test_cells_of_parquet_are_text_as_those_of_a_csv(stored):
    label = pd.Categorical(["cat", "dog", "cat"])
    csv, parquet = stored(pd.DataFrame({"row": [7, 8, 9], "label": label, "given": [None, "dog", ""], "k": [1, 2, 3]}))
    left, right = read_table(csv), read_table(parquet)
    assert left.to_numpy().tolist() == right.to_numpy().tolist()
    assert [*left.columns] == [*right.columns]


def test_features_in_parquet_are_those_of_a_csv(stored):
    draw = np.random.default_rng(0)
    table = pd.DataFrame({"label": draw.integers(0, 3, 30), "x": draw.normal(size=30), "n": draw.integers(0, 9, 30)})
    table["yes"] = table.n > 4
    table.loc[3, "x"] = np.nan
    left, right = (examples.read(str(path)) for path in stored(table))
    assert left.classes == right.classes == ["0", "1", "2"]
    assert np.array_equal(left.given, right.given) and np.array_equal(left.x, right.x, equal_nan=True)
    assert left.said == right.said


def test_a_reviewed_table_in_parquet_is_applied(stored, tmp_path):
    np.savez(tmp_path / "d.npz", images=np.zeros((8, 4, 4, 3), np.uint8), labels=np.arange(8) % 2)
    _, parquet = stored(pd.DataFrame({"row": [2, 3], "label": [1, 1]}))
    reviewed.relabel(str(tmp_path / "d.npz"), parquet, tmp_path / "new.npz")
    assert np.load(tmp_path / "new.npz")["labels"].tolist() == [0, 1, 1, 1, 0, 1, 0, 1]


def test_a_named_index_of_parquet_is_a_column(stored, monkeypatch):
    _, parquet = stored(pd.DataFrame({"label": ["a", "b"]}))
    indexed = pd.DataFrame({"label": ["a", "b"]}, index=pd.Index(["0.png", "1.png"], name="file"))
    monkeypatch.setattr(pd, "read_parquet", lambda path, dtype_backend: indexed)
    assert [*read_table(parquet, ("file", "label")).file] == ["0.png", "1.png"]
    chosen = indexed.reset_index(drop=True).iloc[1:]  # rows of a filtered table keep their old numbers
    monkeypatch.setattr(pd, "read_parquet", lambda path, dtype_backend: chosen)
    assert read_table(parquet)["unnamed: 0"].tolist() == ["1"]  # as a CSV of it has them
    monkeypatch.setattr(pd, "read_parquet", lambda path, dtype_backend: chosen.reset_index(drop=True))
    assert [*read_table(parquet).columns] == ["label"]


@pytest.mark.parametrize("line", ["sep=;\n", "sep=;\r\n", "\ufeffsep=;\n", ""])
def test_a_line_above_the_header_may_name_the_separator(tmp_path, line):
    end = "\r\n" if "\r" in line else "\n"
    (tmp_path / "t.csv").write_text(line + end.join(["file;label", "a,b.png;cat", "c.png;dog", ""]), newline="")
    table = read_table(tmp_path / "t.csv", ("file", "label"))
    assert table.to_numpy().tolist() == [["a,b.png", "cat"], ["c.png", "dog"]] and [*table] == ["file", "label"]


def test_what_is_there_more_than_once():
    assert repeated(["a", "b", "a"]) == {"a"} and repeated([]) == set()
