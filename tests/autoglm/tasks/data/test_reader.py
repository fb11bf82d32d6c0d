"""Inputs in batches: every source alike, never more in memory than a batch, and faults by row and column."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from autoglm.errors import APIStatusError, BadRequestError, ConfigError, UnprocessableEntityError
from autoglm.tasks import AutoTask

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.5, 3.0, 5.5, 2.0], [5.9, 2.8, 4.3, 1.3]]
LABELS = ["setosa", "virginica", "versicolor"]
COLUMNS = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AutoTask]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGLM_HOME", str(tmp_path_factory.mktemp("home")))
        yield AutoTask.from_config({"task": "tabular-classification", "data": {"train": "embedded/iris"}}).fit()


def written(folder: Path, frame: pandas.DataFrame, kind: str) -> Path:
    path = folder / f"t.{kind}"
    match kind:
        case "csv":
            frame.to_csv(path, index=False)
        case "tsv":
            frame.to_csv(path, index=False, sep="\t")
        case "jsonl":
            frame.to_json(path, orient="records", lines=True)
        case "parquet":
            frame.to_parquet(path)
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_every_format_gives_the_same_answers(iris: AutoTask, tmp_path: Path, kind: str) -> None:
    """With the columns in another order, and one that means nothing among them."""
    frame = pandas.DataFrame(ROWS, columns=COLUMNS)[COLUMNS[::-1]]
    frame.insert(1, "note", "x")
    path = written(tmp_path, frame, kind)
    expected = iris.predict(ROWS)
    assert [answer.label for answer in expected] == LABELS
    assert list(iris.predict_stream(path)) == list(iris.predict_stream(str(path))) == iris.predict(path) == expected


def test_a_frame_an_array_and_mappings_give_the_same_answers(iris: AutoTask) -> None:
    """What a program holds in memory needs no file."""
    frame = pandas.DataFrame(ROWS, columns=COLUMNS)
    records = [dict(reversed(record.items())) for record in frame.to_dict("records")]
    expected = iris.predict(ROWS)
    for given in (frame, np.array(ROWS), records):
        assert iris.predict(given) == expected
        assert list(iris.predict_stream(given)) == expected
    assert iris.predict(records[0]).label == expected[0].label


def test_a_stream_reads_no_further_than_its_batch(iris: AutoTask) -> None:
    """An endless source is as good as another; the answers come as they are asked for."""
    taken = 0

    def endless() -> Iterator[list[float]]:
        nonlocal taken
        while True:
            taken += 1
            yield ROWS[taken % 3]

    answers = iris.predict_stream(endless(), batch_size=4)
    assert next(answers).label == "virginica"
    assert taken == 4
    for _ in range(4):
        next(answers)
    assert taken == 8


def test_a_batch_size_of_nought_is_refused(iris: AutoTask) -> None:
    """It would never end."""
    with pytest.raises(ConfigError, match="batch_size: got 0"):
        next(iris.predict_stream([], batch_size=0))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("wide", r"t\.csv: row 3, column 'sepal width \(cm\)': got 'wide'; a finite number is expected"),
        ("nan", r"t\.csv: row 3, column 'sepal width \(cm\)': got nan; a finite number"),
        ("", r"t\.csv: row 3, column 'sepal width \(cm\)': got ''; a finite number"),
    ],
)
def test_a_bad_cell_is_told_by_row_and_column(iris: AutoTask, tmp_path: Path, cell: str, message: str) -> None:
    """Though its batch is not the first, and its columns stand in another order."""
    frame = pandas.DataFrame(ROWS, columns=COLUMNS)[COLUMNS[::-1]].astype(object)
    frame.loc[2, COLUMNS[1]] = cell
    path = written(tmp_path, frame, "csv")
    with pytest.raises(UnprocessableEntityError, match=message):
        list(iris.predict_stream(path, batch_size=2))


def test_a_missing_column_is_told_with_the_nearest(iris: AutoTask, tmp_path: Path) -> None:
    """Rather than filled in."""
    frame = pandas.DataFrame(ROWS, columns=["sepal length (mm)", *COLUMNS[1:]])
    with pytest.raises(ConfigError, match=r"no column 'sepal length \(cm\)'; did you mean 'sepal length \(mm\)'"):
        iris.predict(frame)
    with pytest.raises(ConfigError, match=r"inputs\[0\] has no column"):
        iris.predict({"sepal length": 1})


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (["good", " "], UnprocessableEntityError, r"t\.jsonl: row 2, column 'review': got an empty text"),
        (["good", 7], BadRequestError, r"t\.jsonl: row 2, column 'review': got int; a text"),
    ],
)
def test_a_bad_text_is_told_by_row_and_column(
    tmp_path: Path, rows: list[Any], error: type[APIStatusError], message: str
) -> None:
    """The declared column is read; a fault keeps the class that a cluster would answer with."""
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps({"review": row, "text": "x"}) + "\n" for row in rows))
    task = AutoTask.from_config(
        {
            "task": "text-classification",
            "model": "embedded/minilm-l6-sst2",
            "data": {"test": str(path), "text": "review"},
        }
    )
    with pytest.raises(error, match=message):
        list(task.predict_stream(path))
