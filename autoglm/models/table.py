"""Labelled columns of a table, checked: the message names row and column."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from autoglm.contract import DataConfig
from autoglm.errors import ConfigError
from autoglm.models.rows import Row, iter_rows
from autoglm.suggestion import nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LabelledTable(NamedTuple):
    """Feature columns by name, as numbers of shape (n, d), and the label column as it was read."""

    names: tuple[str, ...]
    features: NDArray[np.float64]
    labels: list[Any]


def read_rows(source: Any, field: str, columns: Sequence[str] | None = None) -> list[Row]:
    """All rows of what `iter_rows` takes; ConfigError where there are none."""
    rows = list(iter_rows(source, field, columns))
    if not rows:
        raise ConfigError(f"{field}: {source} holds no rows")
    return rows


def texts_and_labels(data: DataConfig, source: str, field: str) -> tuple[list[Any], list[str]]:
    """The text and the label column."""
    rows = read_rows(source, field, data.columns)
    return column(rows, data.text, field, "data.text"), [str(v) for v in column(rows, data.label, field, "data.label")]


def features_and_labels(data: DataConfig, source: str, field: str) -> LabelledTable:
    """The feature columns, by default all but the label, and the label column."""
    import numpy as np

    rows = read_rows(source, field, data.columns)
    labels = column(rows, data.label, field, "data.label")
    names = tuple(data.features or [name for name in rows[0] if name != data.label])
    columns = [numbers(column(rows, name, field, "data.features"), name, field) for name in names]
    return LabelledTable(names, np.array(columns, dtype=np.float64).T, labels)


def column(rows: Iterable[Row], name: str, field: str, setting: str) -> list[Any]:
    """One column's values, none of them missing."""
    return [present(row, index, name, field, setting) for index, row in enumerate(rows)]


def present(row: Mapping[str, Any], index: int, name: str, field: str, setting: str) -> Any:
    """One value; ConfigError naming the row where there is none."""
    value = in_column(row, name, field, setting)
    if value is None:
        raise ConfigError(f"{field}: row {index + 1} has no value in column {name!r}")
    return value


def in_column(row: Mapping[str, Any], name: str, field: str, setting: str) -> Any:
    """The cell of a column; ConfigError where the table lacks it, with the nearest that it has."""
    if name not in row:
        raise ConfigError(f"{setting}: {field} has no column {name!r}; {nearest(name, [str(key) for key in row])}")
    return row[name]


def numbers(values: Iterable[Any], name: str, field: str) -> list[float]:
    """A column's values as finite numbers; ConfigError naming row and column of the first that is none."""
    return [number(value, index, name, field) for index, value in enumerate(values)]


def number(value: Any, index: int, name: str, field: str) -> float:
    """One value of `numbers`."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise ConfigError(f"{field}: row {index + 1}, column {name!r}: got {value!r:.40}; a finite number is expected")
    return found
