"""Labelled data: what is read from files, and what errors say."""

from __future__ import annotations

from pathlib import Path

import pandas
import pytest

from autoglm.contract import DataConfig
from autoglm.errors import ConfigError
from autoglm.models.rows import iter_rows
from autoglm.models.table import features_and_labels, texts_and_labels


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", 'text,label\n"good, really",up\nbad,down\n'),
        ("t.tsv", "text\tlabel\ngood, really\tup\nbad\tdown\n"),
        ("t.jsonl", '{"text": "good, really", "label": "up"}\n{"text": "bad", "label": "down"}\n'),
    ],
)
def test_the_three_formats_read_alike(tmp_path: Path, name: str, content: str) -> None:
    """CSV, TSV and JSON lines of the same rows give the same texts and labels."""
    (tmp_path / name).write_text(content)
    path = str(tmp_path / name)
    assert texts_and_labels(DataConfig(train=path), path, "data.train") == (["good, really", "bad"], ["up", "down"])


def test_parquet_a_frame_and_records_read_like_csv(tmp_path: Path) -> None:
    """The same rows from every source; only a CSV file makes texts of its numbers."""
    frame = pandas.DataFrame({"a": [1.5, 2.5], "label": ["x", "y"]})
    frame.to_parquet(tmp_path / "t.parquet")
    records = [{"a": 1.5, "label": "x"}, {"a": 2.5, "label": "y"}]
    for source in (tmp_path / "t.parquet", frame, records):
        assert list(iter_rows(source, "source")) == records


def test_a_file_without_a_header_takes_declared_columns(tmp_path: Path) -> None:
    """`columns` names them, and the first line is a row."""
    (tmp_path / "t.tsv").write_text("a film\t1\nan other\t0\n")
    path = str(tmp_path / "t.tsv")
    data = DataConfig(train=path, columns=["text", "label"])
    assert texts_and_labels(data, path, "data.train") == (["a film", "an other"], ["1", "0"])


def test_rows_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    """The first rows come out though a later line is broken: the file is never held as a whole."""
    (tmp_path / "t.jsonl").write_text('{"a": 1}\n{"a": 2}\nnonsense\n')
    rows = iter_rows(tmp_path / "t.jsonl", "source")
    assert [next(rows), next(rows)] == [{"a": 1}, {"a": 2}]
    with pytest.raises(ConfigError, match="line 3 is not JSON"):
        next(rows)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "txt,label\ngood,up\n", "no column 'text'; did you mean 'txt'"),
        ("t.csv", "text,label\ngood\n", "row 1 has no value in column 'label'"),
        ("t.csv", "text,label\n", "holds no rows"),
        ("t.jsonl", '{"text": 1}\nnonsense\n', "line 2 is not JSON"),
        ("t.jsonl", "[1]\n", "line 1 is list; an object"),
        ("t.csv", "text,label\ngood,up,down\n", "row 1 has more values than the 2 columns"),
        ("t.parquet", "PAR1nonsense", "is no Parquet file"),
        ("t.pkl", "", r"\.csv, \.tsv, \.jsonl, \.parquet file"),
    ],
)
def test_a_bad_table_says_where(tmp_path: Path, name: str, content: str, message: str) -> None:
    """The message names the field, the row and what would do."""
    (tmp_path / name).write_text(content)
    path = str(tmp_path / name)
    with pytest.raises(ConfigError, match=message):
        texts_and_labels(DataConfig(train=path), path, "data.train")


def test_a_cell_that_is_no_number_is_named(tmp_path: Path) -> None:
    """A feature column holds finite numbers only."""
    path = tmp_path / "t.csv"
    path.write_text("width,label\n1.5,a\nnan,b\n")
    with pytest.raises(ConfigError, match="row 2, column 'width': got 'nan'"):
        features_and_labels(DataConfig(train=str(path)), str(path), "data.train")


def test_an_embedded_table_has_features_and_names() -> None:
    """`embedded/iris` is 150 rows of four numbers and three kinds."""
    names, features, labels = features_and_labels(DataConfig(train="embedded/iris"), "embedded/iris", "data.train")
    assert names[0] == "sepal length (cm)"
    assert features.shape == (150, 4)
    assert set(labels) == {"setosa", "versicolor", "virginica"}
    with pytest.raises(ConfigError, match="did you mean 'iris'"):
        features_and_labels(DataConfig(train="embedded/irs"), "embedded/irs", "data.train")
