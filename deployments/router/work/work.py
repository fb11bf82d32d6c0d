"""The protocol of a kind of work, and what its answers have in common."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Protocol

import orjson

from autoglm.contract import Usage
from deployments.router.cache import Computed
from deployments.router.call import Call
from deployments.router.config import Route
from deployments.router.targets import Target


class Work(Protocol):
    """One request. `payload` and `is_repeatable` are what the cache asks: the same payload, the same answer."""

    @property
    def payload(self) -> Mapping[str, Any]: ...

    @property
    def is_repeatable(self) -> bool: ...

    async def whole(self, target: Target, call: Call) -> Computed:
        """The answer of one target."""
        ...

    def fixed(self, text: str, route: Route) -> Computed:
        """The declared answer that stands in for one."""
        ...


class StreamedWork(Work, Protocol):
    """Work whose answer may come as server-sent events."""

    def stream(self, target: Target, call: Call) -> AsyncGenerator[bytes]:
        """The events of one target."""
        ...

    def fixed_events(self, text: str, route: Route) -> AsyncGenerator[bytes]:
        """The declared answer as a stream."""
        ...


def computed(body: dict[str, Any], route: Route) -> Computed:
    """An answer as it leaves, and what its headers and the meter need of it."""
    used = body.get("usage") or {}
    return Computed(
        orjson.dumps(body),
        {
            "model": route.name,
            "version": route.version,
            "prompt_tokens": used.get("prompt_tokens") or 0,
            "completion_tokens": used.get("completion_tokens") or 0,
        },
    )


def read_only(tokens: int) -> dict[str, Any]:
    """The usage of a request that reads and does not write."""
    return Usage(prompt_tokens=tokens, total_tokens=tokens).model_dump()
