"""Errors as a run bears them."""

from __future__ import annotations

from autoglm.contract.error import ErrorDetail
from autoglm.errors import APIStatusError

MAX_MESSAGE = 2000  # characters: a tool's own words may be in it


def detail(error: APIStatusError) -> ErrorDetail:
    """The error's description, its message cut."""
    found = error.body().error
    if len(found.message) <= MAX_MESSAGE:
        return found
    return found.model_copy(update={"message": found.message[:MAX_MESSAGE] + "…"})
