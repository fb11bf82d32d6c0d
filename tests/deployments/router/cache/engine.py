"""What the cache's tests compute with: keys, a clock, and an engine that counts its calls and answers when told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from deployments.router.cache import Computed, Key, Started, key_of

DONE = b"data: [DONE]\n\n"
STREAM = [b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n', b'data: {"choices":[]}\n\n', DONE]


class Clock:
    """A time that the test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def key(text: str = "hi", tenant: str = "a", version: str = "v1", **payload: Any) -> Key:
    """The key of a chat of one turn."""
    payload |= {"messages": [{"role": "user", "content": text}], "temperature": 0}
    return key_of(tenant=tenant, name="chat", version=version, lane="stable", permissions="0", payload=payload)


class Engine:
    """Answers `reply` or its events; an exception is raised, an event of asyncio waited for."""

    def __init__(self, *script: bytes | BaseException | asyncio.Event, storable: bool = True) -> None:
        self.script = list(script)
        self.calls = 0
        self.cancelled = 0
        self._storable = storable

    async def compute(self) -> Computed:
        """The script's bytes."""
        body = b"".join([event async for event in self._events()])
        return Computed(body, {"tokens": self.calls}, self._storable)

    async def start(self) -> Started:
        """The script as a stream."""
        return Started(self._events(), {"tokens": 3}, self._storable)

    async def _events(self) -> AsyncGenerator[bytes]:
        self.calls += 1
        try:
            for step in list(self.script):
                if isinstance(step, BaseException):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    yield step
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise


async def settled() -> None:
    """Let everything that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)


async def drained(events: AsyncGenerator[bytes]) -> list[bytes]:
    """All of a stream."""
    return [event async for event in events]
