"""How large a JSON value is, told without writing it out: a result may be a hundred megabytes."""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 64  # of what is written by people and by APIs; Python's own encoder gives up at about a thousand
DIGITS_PER_BIT = math.log10(2)


def size(value: Any, limit: int) -> int:
    """About the bytes of a value's compact JSON text; what is above `limit` is not counted to its end.

    Escapes are not counted. It takes time in proportion to `limit`, not to the value.

    Raises:
        ValueError: it is no JSON value, or one that is nested deeper than MAX_DEPTH.
    """
    counted = 0
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, dict | list | tuple):
            counted += 2 + len(one)
            if counted <= limit:  # else what is left to count stays as it is: no more parts than `limit`
                waiting.extend((part, depth + 1) for part in _parts(one, depth))
        else:
            counted += _scalar(one, limit)
    return counted


def text(value: Any) -> str:
    """A value inside of a text: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def cut(value: Any, limit: int) -> tuple[Any, bool]:
    """The value, or where it is larger than `limit` bytes the beginning of its text; and whether it was cut."""
    if size(value, limit) <= limit:
        return value, False
    return text(value).encode()[:limit].decode(errors="ignore"), True


def _parts(value: Any, depth: int) -> list[Any]:
    if depth >= MAX_DEPTH:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
    return [*value, *value.values()] if isinstance(value, dict) else list(value)


def _scalar(value: Any, limit: int) -> int:
    match value:
        case str():
            return 2 + (len(value) if value.isascii() or len(value) > limit else len(value.encode()))
        case None | bool():
            return 5
        case int():
            return int(value.bit_length() * DIGITS_PER_BIT) + 1
        case float() if math.isfinite(value):
            return len(repr(value))
        case float():
            raise ValueError(f"it has {value}, and JSON has no such number")
    raise ValueError(f"it has a {type(value).__name__}, which JSON has not")
