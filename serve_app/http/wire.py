"""Answers that bear what tools gave: any JSON, whole numbers of any size and halves of surrogate pairs among it."""

from __future__ import annotations

import json

from pydantic import BaseModel


def wire(answer: BaseModel, *, exclude_none: bool = False) -> bytes:
    """The answer as JSON in ASCII; orjson stops at 64 bits, and pydantic's own writer at what has no UTF-8."""
    told = answer.model_dump(mode="json", exclude_none=exclude_none)
    return json.dumps(told, separators=(",", ":")).encode()
