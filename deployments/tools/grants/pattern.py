"""Patterns of arguments: RE2, which takes time linear in the text, over the text that the tool itself gets.

Nothing is normalised: what a tool takes for the same, such as `/data/x` and `/data/../data/x`, is told apart here, and
a pattern says which of them it means. A letter is the letter that was sent: `(?i)` folds case as Unicode does, `é` of
one code point is not that of two, and `.` is any character but a line's end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import re2

from autoglm.contract.grant import Grant
from autoglm.errors import UnprocessableEntityError

MAX_TEXT = 100_000  # characters of an argument that a pattern is tried on
MAX_MEMORY = 1 << 20  # bytes of a compiled pattern and its automata; RE2's own is 8 MiB, and a tenant has many

Patterns = Mapping[str, Any]  # by the argument's name


def check_patterns(grant: Grant) -> None:
    """Raises UnprocessableEntityError for a pattern that is none of RE2's."""
    compiled(grant)


def compiled(grant: Grant) -> Patterns:
    """The grant's patterns, ready to be tried; raises as `check_patterns`."""
    return {name: compiled_pattern(name, pattern) for name, pattern in grant.arguments.items()}


def compiled_pattern(name: str, pattern: str) -> Any:
    """One of them."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        raise UnprocessableEntityError(
            f"arguments.{name}: {pattern!r} is no regular expression of RE2's syntax ({told(error)}); it knows no "
            "references back and no looking around",
            param=f"arguments.{name}",
        ) from None


def told(error: Exception) -> str:
    """RE2's own words, which come as bytes."""
    reason = error.args[0] if error.args else ""
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)


def unmatched(patterns: Patterns, arguments: Mapping[str, Any]) -> str | None:
    """The first argument that is not there or whose whole text does not match; None where all do."""
    return next((name for name, pattern in patterns.items() if not fits(pattern, name, arguments)), None)


def fits(pattern: Any, name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether one argument is there and matches."""
    text = argument_text(arguments[name]) if name in arguments else None
    return text is not None and pattern.fullmatch(text) is not None


def argument_text(value: Any) -> str | None:
    """A string as it is, any other value as JSON without spaces, its fields sorted by name.

    None for what no pattern is tried on: too long a text, one that has no UTF-8, and what is no JSON.
    """
    try:
        text = value if isinstance(value, str) else json_text(value)
        text.encode()
    except (TypeError, ValueError, RecursionError):
        return None
    return text if len(text) <= MAX_TEXT else None


def json_text(value: Any) -> str:
    """The value as JSON; raises ValueError for a number that JSON has not, such as NaN."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
