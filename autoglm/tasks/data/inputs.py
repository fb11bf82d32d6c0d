"""What every data processor looks like, and how an input's fault is told as a row's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from autoglm.errors import APIStatusError

_PLACE = re.compile(r"^inputs\[(\d+)\](?:\[(\d+)\])?")


class Inputs(Protocol):
    """Makes what the caller has what the task's adapter parses."""

    def is_single(self, given: Any) -> bool:
        """Whether it is one input, not a list of them."""

    def accept(self, item: Any, index: int) -> Any:
        """One input that the caller gave."""

    def from_row(self, row: Mapping[str, Any], source: str, folder: Path | None) -> Any:
        """The input in one row of a table; `source` is what errors call the table, `folder` where its file lies.

        Raises ConfigError where the row lacks a column.
        """

    def column(self, place: int | None) -> str:
        """The column that an input's value `place` came from; None: the input as a whole."""


def as_row_error(error: APIStatusError, inputs: Inputs, source: str) -> APIStatusError:
    """The same error, with row and column of the table instead of the input's number."""
    found = _PLACE.match(error.param or "")
    if found is None:
        return error
    place = None if found[2] is None else int(found[2])
    column = inputs.column(place)
    named = f"{source}: row {int(found[1]) + 1}" + (f", column {column!r}" if column else "")
    return type(error)(error.message.replace(found[0], named, 1), param=error.param)
