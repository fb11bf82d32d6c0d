"""Texts, as they are or from a column."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoglm.models.table import in_column


class TextInputs:
    """The processor of text tasks."""

    def __init__(self, column: str) -> None:
        self._column = column

    def is_single(self, given: Any) -> bool:
        """Anything but a list, so that what is no text is refused as one input."""
        return not isinstance(given, list | tuple)

    def accept(self, item: Any, index: int) -> Any:
        """The text as it came; the model checks it."""
        return item

    def from_row(self, row: Mapping[str, Any], source: str, folder: Path | None) -> Any:
        """The cell of the text column."""
        return in_column(row, self._column, source, "data.text")

    def column(self, place: int | None) -> str:
        """The text column."""
        return self._column
