"""Labelled rows from a CSV, TSV or JSON-lines file, or from a table that comes with scikit-learn."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from autoglm.contract import DataConfig
from autoglm.errors import ConfigError
from autoglm.models.embedded import PREFIX
from autoglm.suggestion import nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TABLES = {"breast-cancer": "load_breast_cancer", "digits": "load_digits", "iris": "load_iris", "wine": "load_wine"}
_DELIMITERS = {".csv": ",", ".tsv": "\t"}

Row = dict[str, Any]


def read_rows(source: str, field: str) -> list[Row]:
    """The rows of a file or of `embedded/NAME`, by column name; `field` is what errors call the source.

    Raises ConfigError where there is no such table, it has no rows, or a line cannot be read.
    """
    if source.startswith(PREFIX):
        return _embedded(source.removeprefix(PREFIX), field)
    path = Path(source).expanduser()
    if path.suffix not in (*_DELIMITERS, ".jsonl"):
        raise ConfigError(f"{field}: got {source!r}; a .csv, .tsv or .jsonl file or embedded/NAME is expected")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(_lines(file, field) if path.suffix == ".jsonl" else _cells(file, _DELIMITERS[path.suffix]))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{field}: {source} cannot be read: {error}") from error
    if not rows:
        raise ConfigError(f"{field}: {source} holds no rows")
    return rows


def texts_and_labels(data: DataConfig, source: str, field: str) -> tuple[list[Any], list[str]]:
    """The text and the label column."""
    rows = read_rows(source, field)
    return column(rows, data.text, field, "data.text"), [str(v) for v in column(rows, data.label, field, "data.label")]


def features_and_labels(data: DataConfig, source: str, field: str) -> tuple[NDArray[np.float64], list[str]]:
    """The feature columns as (n, d) numbers, by default all but the label, and the label column."""
    import numpy as np

    rows = read_rows(source, field)
    labels = [str(value) for value in column(rows, data.label, field, "data.label")]
    names = data.features or [name for name in rows[0] if name != data.label]
    columns = [
        [_number(v, i, name, field) for i, v in enumerate(column(rows, name, field, "data.features"))] for name in names
    ]
    return np.array(columns, dtype=np.float64).T, labels


def column(rows: Iterable[Row], name: str, field: str, setting: str) -> list[Any]:
    """One column's values, none of them missing."""
    values = []
    for index, row in enumerate(rows):
        if name not in row:
            raise ConfigError(f"{setting}: {field} has no column {name!r}; {nearest(name, [str(key) for key in row])}")
        if row[name] is None:
            raise ConfigError(f"{field}: row {index + 1} has no value in column {name!r}")
        values.append(row[name])
    return values


def _cells(file: IO[str], delimiter: str) -> Iterator[Row]:
    return iter(csv.DictReader(file, delimiter=delimiter))


def _lines(file: IO[str], field: str) -> Iterator[Row]:
    for number, line in enumerate(file, start=1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ConfigError(f"{field}: line {number} is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise ConfigError(f"{field}: line {number} is {type(row).__name__}; an object is expected")
        yield row


def _number(value: Any, index: int, name: str, field: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ConfigError(f"{field}: row {index + 1}, column {name!r}: got {value!r:.40}; a finite number is expected")
    return number


def _embedded(name: str, field: str) -> list[Row]:
    if name not in TABLES:
        raise ConfigError(f"{field}: no embedded table is called {name!r}; {nearest(name, TABLES)}")
    from sklearn import datasets

    table = getattr(datasets, TABLES[name])()
    return [
        {**dict(zip(table.feature_names, row.tolist(), strict=True)), "label": str(table.target_names[target])}
        for row, target in zip(table.data, table.target, strict=True)
    ]
