"""Rows of a table, one at a time: a file larger than memory is read as well as a small one."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from autoglm.errors import ConfigError
from autoglm.models.embedded import PREFIX
from autoglm.suggestion import nearest

TABLES = {
    "breast-cancer": "load_breast_cancer",
    "diabetes": "load_diabetes",
    "digits": "load_digits",
    "iris": "load_iris",
    "wine": "load_wine",
}
CHUNK_ROWS = 1024  # read at once where a format is read in chunks

Row = dict[str, Any]


def iter_rows(source: Any, field: str, columns: Sequence[str] | None = None) -> Iterator[Row]:
    """The rows by column name; `field` is what errors call the source.

    `source` is a .csv, .tsv, .jsonl or .parquet file, `embedded/NAME`, a pandas DataFrame or an iterable of mappings.
    `columns` names those of a CSV or TSV file without a header line.

    Raises ConfigError where there is no such table, or a line cannot be read.
    """
    if isinstance(source, str) and source.startswith(PREFIX):
        return _embedded(source.removeprefix(PREFIX), field)
    if isinstance(source, str | Path):
        return _file_rows(Path(source).expanduser(), field, columns)
    return _frame_rows(source) if is_frame(source) else map(dict, source)


def is_frame(source: Any) -> bool:
    """Whether it is a pandas DataFrame; pandas is not imported for the question."""
    return hasattr(source, "iloc") and hasattr(source, "columns")


def _file_rows(path: Path, field: str, columns: Sequence[str] | None) -> Iterator[Row]:
    reader = _FORMATS.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"{field}: got {str(path)!r}; a {', '.join(_FORMATS)} file or embedded/NAME is expected")
    try:
        yield from reader(path, field, columns)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{field}: {path} cannot be read: {error}") from error


def _delimited(path: Path, field: str, columns: Sequence[str] | None) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, columns, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        for number, row in enumerate(reader, start=1):
            if None in row:
                raise ConfigError(f"{field}: row {number} has more values than the {len(row) - 1} columns")
            yield row


def _json_lines(path: Path, field: str, columns: Sequence[str] | None) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            yield _json_row(line, number, field)


def _json_row(line: str, number: int, field: str) -> Row:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{field}: line {number} is not JSON: {error}") from error
    if not isinstance(row, dict):
        raise ConfigError(f"{field}: line {number} is {type(row).__name__}; an object is expected")
    return row


def _parquet(path: Path, field: str, columns: Sequence[str] | None) -> Iterator[Row]:
    try:
        from pyarrow import ArrowInvalid, parquet
    except ImportError as error:
        raise ConfigError(f"{field}: {path} needs pyarrow to be read; pip install pyarrow") from error
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=CHUNK_ROWS):
                yield from batch.to_pylist()
    except ArrowInvalid as error:
        raise ConfigError(f"{field}: {path} is no Parquet file: {error}") from error


def _frame_rows(frame: Any) -> Iterator[Row]:
    for start in range(0, len(frame), CHUNK_ROWS):
        yield from frame.iloc[start : start + CHUNK_ROWS].to_dict("records")


def _embedded(name: str, field: str) -> Iterator[Row]:
    if name not in TABLES:
        raise ConfigError(f"{field}: no embedded table is called {name!r}; {nearest(name, TABLES)}")
    from sklearn import datasets

    table = getattr(datasets, TABLES[name])()
    names = getattr(table, "target_names", None)  # a regression's table has none
    for row, target in zip(table.data.tolist(), table.target.tolist(), strict=True):
        label = target if names is None else str(names[target])
        yield {**dict(zip(table.feature_names, row, strict=True)), "label": label}


_FORMATS: dict[str, Callable[[Path, str, Sequence[str] | None], Iterator[Row]]] = {
    ".csv": _delimited,
    ".tsv": _delimited,
    ".jsonl": _json_lines,
    ".parquet": _parquet,
}
