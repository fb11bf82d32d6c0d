"""Rows of numbers: lists, arrays, mappings by column name, or rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autoglm.models.table import in_column


class TableInputs:
    """The processor of tabular tasks; `columns` are those that the head was fitted on, in its order."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)

    def is_single(self, given: Any) -> bool:
        """A mapping, an array of one dimension, or a list of anything but rows."""
        if isinstance(given, Mapping):
            return True
        if hasattr(given, "ndim"):
            return bool(given.ndim == 1)
        if not isinstance(given, list | tuple):
            return isinstance(given, str) or not hasattr(given, "__iter__")
        return bool(given) and not any(_is_row(item) for item in given)

    def accept(self, item: Any, index: int) -> Any:
        """A mapping in the head's order, whatever its own is; anything else as it came."""
        return self.from_row(item, f"inputs[{index}]", None) if isinstance(item, Mapping) else item

    def from_row(self, row: Mapping[str, Any], source: str, folder: Path | None) -> list[Any]:
        """The columns' cells; texts that are numbers become so, as a CSV file holds nothing but texts."""
        return [_as_number(in_column(row, name, source, "data.features")) for name in self._columns]

    def column(self, place: int | None) -> str:
        """The column of a cell; none for a row as a whole."""
        return "" if place is None else self._columns[place]


def _is_row(item: Any) -> bool:
    return isinstance(item, list | tuple | Mapping) or bool(getattr(item, "ndim", 0))


def _as_number(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    try:
        return float(cell)
    except ValueError:
        return cell  # the model refuses it, and says where
