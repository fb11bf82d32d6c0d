"""What the router gives back, before it becomes a response."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Body = TypeVar("Body", bytes, AsyncGenerator[bytes])


@dataclass(frozen=True, slots=True)
class Answer(Generic[Body]):
    """A body (JSON, or a stream of server-sent events), who made it, and how.

    `meta` holds `model` and `version`, of a whole answer also `prompt_tokens` and `completion_tokens`, and `fallback`
    where another than the asked for stood in.
    """

    body: Body
    meta: Mapping[str, str | int]
    cache: Literal["hit", "miss", "bypass"] = "bypass"
    age_s: float = 0
