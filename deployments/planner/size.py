"""Results as a run keeps and shows them: how large one is, its text, and the beginning of one that is too large."""

from __future__ import annotations

import json
from typing import Any

from deployments.json_value import OversizeError, size_of


def size(value: Any, limit: int) -> int:
    """About the bytes of a value's compact JSON text; of one above `limit`, which is not counted to its end, one more.

    It takes time in proportion to `limit`, not to the value.

    Raises:
        NotJsonError: it is no JSON value.
    """
    try:
        return size_of(value, limit)
    except OversizeError:
        return limit + 1


def text(value: Any) -> str:
    """A value inside of a text: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def cut(value: Any, limit: int) -> tuple[Any, bool]:
    """The value, or where it is larger than `limit` bytes the beginning of its text; and whether it was cut."""
    if size(value, limit) <= limit:
        return value, False
    return text(value).encode()[:limit].decode(errors="ignore"), True
