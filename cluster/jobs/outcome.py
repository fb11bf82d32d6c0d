"""What became of one row, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

MAX_REASON_CHARS = 500  # a reason may quote the row, which may be long


@dataclass(frozen=True, slots=True)
class Outcome:
    """The prediction of the row that begins at `line`, or the `reason` why there is none."""

    line: int
    prediction: dict[str, Any] | None = None
    reason: str | None = None

    @property
    def bad(self) -> bool:
        """That the row belongs in the errors file."""
        return self.reason is not None

    def json_line(self) -> bytes:
        """`{"line", "prediction"}` or `{"line", "reason"}`, ended by a newline."""
        found = {"prediction": self.prediction} if self.reason is None else {"reason": self.reason[:MAX_REASON_CHARS]}
        return orjson.dumps({"line": self.line, **found}, option=orjson.OPT_APPEND_NEWLINE)
