"""JSON values: how large one is, told without writing it out, and whether it is one at all."""

from __future__ import annotations

import math
from typing import Any

MAX_DEPTH = 64  # of nested lists and objects; parsers that recurse, Python's own among them, fail at some hundreds


class OversizeError(ValueError):
    """The value takes more bytes than the limit."""


class NotJsonError(ValueError):
    """The value holds something that JSON does not have; the message says what."""


def size_of(value: Any, limit: int) -> int:
    """About the bytes that it takes as compact JSON; escapes are not counted.

    It looks at no more of the value than fits into the limit, and a part that stands in several places counts in each.

    Raises:
        OversizeError: more than `limit`.
        NotJsonError: an infinite number, a key that is no text, another type, or more than `MAX_DEPTH` levels.
    """
    size = 0
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        size += _own(item, limit)
        if size > limit:
            raise OversizeError(f"more than {limit} bytes")
        if isinstance(item, list | tuple | dict):
            if depth == MAX_DEPTH:
                raise NotJsonError(f"more than {MAX_DEPTH} levels of lists and objects")
            parts = _parts(item) if isinstance(item, dict) else item
            waiting.extend((part, depth + 1) for part in parts)
    return size


def _parts(item: dict[Any, Any]) -> list[Any]:
    if not all(isinstance(key, str) for key in item):
        raise NotJsonError("a key that is no text")
    return [*item, *item.values()]


def _own(item: Any, limit: int) -> int:
    """Without its parts; of a container the brackets, commas and colons."""
    if item is None or isinstance(item, bool):
        return 4
    if isinstance(item, str):
        return 2 + _text(item, limit)
    if isinstance(item, int):
        return 1 + item.bit_length() * 3 // 10  # log10(2) is 0.301
    if isinstance(item, float):
        if not math.isfinite(item):
            raise NotJsonError(f"the number {item}")
        return len(repr(item))
    if isinstance(item, dict):
        return 2 + 2 * len(item)
    if isinstance(item, list | tuple):
        return 2 + len(item)
    raise NotJsonError(f"a {type(item).__name__}")


def _text(item: str, limit: int) -> int:
    if item.isascii() or len(item) > limit:
        return len(item)
    try:
        return len(item.encode())
    except UnicodeEncodeError:
        raise NotJsonError("a text with half of a surrogate pair") from None
