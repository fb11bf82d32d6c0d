"""How an embedded tool refuses an argument."""

from __future__ import annotations

from autoglm.errors import UnprocessableEntityError


def refused(param: str, why: str) -> UnprocessableEntityError:
    """To be raised; `why` says what would do."""
    return UnprocessableEntityError(f"{param}: {why}", param=param)
