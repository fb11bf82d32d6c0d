"""Tool hosts behind handles, without Serve: what they list and answer is the test's; what they were asked is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autoglm.contract.tool import ToolCard
from autoglm.errors import UnavailableError

Work = Callable[[str, dict[str, Any], str, float], Awaitable[Any]]


class Response:
    """What a handle call gives; `cancel` is how the replica hears of it."""

    def __init__(self, work: Awaitable[Any]) -> None:
        self._task = asyncio.ensure_future(work)

    def __await__(self) -> Any:
        # Shielded, as a handle's is: a caller that goes does not end the call by that.
        return asyncio.shield(self._task).__await__()

    def cancel(self) -> None:
        self._task.cancel()


class Method:
    """`handle.method.remote(…)`."""

    def __init__(self, work: Callable[..., Awaitable[Any]]) -> None:
        self._work = work

    def remote(self, *arguments: Any) -> Response:
        return Response(self._work(*arguments))


class FakeHost:
    """Lists what `show` said last; a question about what is known waits for the next."""

    def __init__(self) -> None:
        self.listing = Method(self._listing)
        self.call = Method(self._call)
        self.calls: list[tuple[str, dict[str, Any], str]] = []
        self.asked = 0
        self.away: Exception | None = None
        self.work: Work = nothing
        self._told: dict[str, Any] = {"version": 0, "tools": [], "faults": {}, "loading": []}
        self._changed = asyncio.Event()

    def show(self, *cards: ToolCard, loading: tuple[str, ...] = (), **faults: str) -> None:
        tools = [card.model_dump() for card in cards]
        version = self._told["version"] + 1
        self._told = {"version": version, "tools": tools, "faults": faults, "loading": list(loading)}
        self._changed.set()
        self._changed = asyncio.Event()

    async def _listing(self, known_version: int, wait_s: float) -> dict[str, Any]:
        self.asked += 1
        if self.away is not None:
            raise self.away
        while self._told["version"] == known_version:
            await self._changed.wait()
        return self._told

    async def _call(self, tool: str, arguments: dict[str, Any], key: str, timeout_s: float) -> Any:
        self.calls.append((tool, arguments, key))
        return await self.work(tool, arguments, key, timeout_s)


async def nothing(tool: str, arguments: dict[str, Any], key: str, timeout_s: float) -> Any:
    return {"tool": tool}


def card(name: str, **rest: Any) -> ToolCard:
    return ToolCard(name=name, parameters={"type": "object"}, **rest)


@contextmanager
def translated(target: str) -> Iterator[None]:
    """As the router's: a replica that is gone is the tree's error."""
    try:
        yield
    except ConnectionError as fault:
        raise UnavailableError(f"{target} died") from fault
