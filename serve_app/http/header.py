"""A request's header fields."""

from __future__ import annotations

from starlette.types import Scope


def header_of(scope: Scope, name: bytes) -> str:
    """A field's value by its name in lower case: of several lines one list (RFC 9110, 5.3), of none an empty text."""
    return b", ".join([value for known, value in scope["headers"] if known == name]).decode("latin-1")
