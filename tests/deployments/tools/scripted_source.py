"""A source whose tools do as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from autoglm.contract.tool import ToolCard
from deployments.tools.config import ToolEntry

ANY: dict[str, Any] = {"type": "object"}

Answer = Callable[[dict[str, Any], str], Awaitable[Any]]


async def echo(arguments: dict[str, Any], key: str) -> Any:
    return arguments


class ScriptedSource:
    """Lists `cards` and answers by `answer`; a fault in `opening_faults` is raised by the next attempt to open it."""

    def __init__(self, *names: str, answer: Answer = echo, **card: Any) -> None:
        self.cards = [ToolCard(name=name, **({"parameters": ANY} | card)) for name in names]
        self.answer = answer
        self.opening_faults: list[Exception] = []
        self.left_out: list[str] = []
        self.calls: list[tuple[str, dict[str, Any], str]] = []
        self.opened = asyncio.Event()
        self.closed = asyncio.Event()
        self.changed: Callable[[], None] = lambda: None

    async def open(self, changed: Callable[[], None]) -> None:
        if self.opening_faults:
            raise self.opening_faults.pop(0)
        self.changed = changed
        self.opened.set()

    def tools(self) -> Sequence[ToolCard]:
        return self.cards

    def faults(self) -> Sequence[str]:
        return self.left_out

    async def call(self, tool: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        self.calls.append((tool, arguments, key))
        return await self.answer(arguments, key)

    async def close(self) -> None:
        self.closed.set()


class Shelf:
    """Builds the sources that the test has put there, by the entry's name and Python target."""

    def __init__(self) -> None:
        self.sources: dict[str, ScriptedSource] = {}
        self.built: list[str] = []

    def __call__(self, entry: ToolEntry) -> ScriptedSource:
        self.built.append(entry.name)
        return self.sources[entry.python or ""]


class Held:
    """An answer that waits until the test lets it go, and knows who waits."""

    def __init__(self, result: Any = "done") -> None:
        self.result = result
        self.go = asyncio.Event()
        self.begun = asyncio.Semaphore(0)
        self.ended: list[str] = []

    async def __call__(self, arguments: dict[str, Any], key: str) -> Any:
        self.begun.release()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.ended.append(key)
            raise
        return self.result


async def settled() -> None:
    """Until all that can go on has gone on as far as it can; none of it waits for a thread."""
    for _ in range(50):
        await asyncio.sleep(0)


def entry(name: str, target: str = "", **bounds: Any) -> ToolEntry:
    return ToolEntry.model_validate({"name": name, "python": target or f"tools:{name}", **bounds})
