"""A Serve handle whose replica is an object of this process."""

from __future__ import annotations

import asyncio
import copy
import inspect
from collections.abc import AsyncGenerator, AsyncIterator
from types import SimpleNamespace
from typing import Any


class LocalHandle:
    """`.method.remote(...)`, `.options(stream=True)` and `.broadcast(...)`; what crosses it is copied."""

    def __init__(self, replica: Any, *, stream: bool = False) -> None:
        self._replica = replica
        self._stream = stream

    def options(self, *, stream: bool = False) -> LocalHandle:
        return LocalHandle(self._replica, stream=stream)

    def broadcast(self, method: str, *arguments: Any) -> Any:
        async def results_async(*, timeout_s: float, return_exceptions: bool) -> list[Any]:
            return [await self._answer(method, arguments)]

        return SimpleNamespace(results_async=results_async)

    def __getattr__(self, method: str) -> Any:
        def remote(*arguments: Any) -> Any:
            if self._stream:
                return LocalStream(getattr(self._replica, method)(*copy.deepcopy(arguments)))
            return asyncio.ensure_future(self._answer(method, arguments))

        return SimpleNamespace(remote=remote)

    async def _answer(self, method: str, arguments: tuple[Any, ...]) -> Any:
        answer = getattr(self._replica, method)(*copy.deepcopy(arguments))
        return copy.deepcopy(await answer if inspect.isawaitable(answer) else answer)


class LocalStream:
    """What a streaming call gives: it is taken in a task of its own, as a replica's is, which `cancel` cancels."""

    def __init__(self, events: AsyncGenerator[Any]) -> None:
        self._coming: asyncio.Queue[Any] = asyncio.Queue()
        self._taking = asyncio.ensure_future(self._take(events))

    def cancel(self) -> None:
        self._taking.cancel()

    async def __aiter__(self) -> AsyncIterator[Any]:
        while True:
            kind, item = await self._coming.get()
            if kind == "end":
                return
            if kind == "fault":
                raise item
            yield item

    async def _take(self, events: AsyncGenerator[Any]) -> None:
        try:
            async for event in events:
                self._coming.put_nowait(("event", copy.deepcopy(event)))
        except Exception as fault:  # whatever the replica raised
            self._coming.put_nowait(("fault", fault))
        else:
            self._coming.put_nowait(("end", None))
        finally:
            await events.aclose()
