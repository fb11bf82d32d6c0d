"""A request's header fields."""

from __future__ import annotations

from starlette.types import Scope

FIELDS = "autoglm.fields"  # where a request's scope keeps them, gathered once


def header_of(scope: Scope, name: bytes) -> str:
    """A field's value by its name in lower case: of several lines one list (RFC 9110, 5.3), of none an empty text."""
    lines = (scope.get(FIELDS) or gathered(scope)).get(name)
    return b", ".join(lines).decode("latin-1") if lines else ""


def first_of(scope: Scope, name: bytes) -> str:
    """The value of a field's first line, for one that is no list; of none an empty text."""
    lines = (scope.get(FIELDS) or gathered(scope)).get(name)
    return lines[0].decode("latin-1") if lines else ""


def gathered(scope: Scope) -> dict[bytes, list[bytes]]:
    """The lines of each field in their order, kept for the next who asks."""
    fields: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        fields.setdefault(name, []).append(value)
    scope[FIELDS] = fields
    return fields
