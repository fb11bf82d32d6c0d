"""What the router gives back, before it becomes a response."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from deployments.router.config import Route

Body = TypeVar("Body", dict[str, Any], AsyncGenerator[bytes])


@dataclass(frozen=True, slots=True)
class Answer(Generic[Body]):
    """A body (a dict, or a stream of server-sent events) and the route that made it."""

    body: Body
    route: Route
