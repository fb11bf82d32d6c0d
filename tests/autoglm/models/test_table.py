"""Labelled data: what is read from files, and what errors say."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoglm.contract import DataConfig
from autoglm.errors import ConfigError
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


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "txt,label\ngood,up\n", "no column 'text'; did you mean 'txt'"),
        ("t.csv", "text,label\ngood\n", "row 1 has no value in column 'label'"),
        ("t.csv", "text,label\n", "holds no rows"),
        ("t.jsonl", '{"text": 1}\nnonsense\n', "line 2 is not JSON"),
        ("t.jsonl", "[1]\n", "line 1 is list; an object"),
        ("t.pkl", "", r"\.csv, \.tsv or \.jsonl"),
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
    features, labels = features_and_labels(DataConfig(train="embedded/iris"), "embedded/iris", "data.train")
    assert features.shape == (150, 4)
    assert set(labels) == {"setosa", "versicolor", "virginica"}
    with pytest.raises(ConfigError, match="did you mean 'iris'"):
        features_and_labels(DataConfig(train="embedded/irs"), "embedded/irs", "data.train")
