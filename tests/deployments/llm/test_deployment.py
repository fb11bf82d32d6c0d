"""The deployment's methods over a server without an engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from autoglm.errors import DeadlineExceededError, UpstreamError
from deployments.llm import LLM
from deployments.stream import Event, Opening, Progress

REQUEST = {"model": "chat"}


class FakeServer:
    """Scripted: gives its events, then waits for ever where it is told to."""

    def __init__(self, fault: Exception | None = None, *, hangs: bool = False) -> None:
        self._fault = fault
        self._hangs = hangs
        self.asked: list[tuple[Any, ...]] = []
        self.is_cancelled = False

    async def answer(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((method, request))
        await self._work()
        return {"id": "1"}

    async def stream(self, method: str, request: dict[str, Any], progress: Progress | None) -> AsyncGenerator[Event]:
        self.asked.append((method, request, progress))
        yield Event(b"data: 1\n\n")
        await self._work()
        yield Event(b"data: 2\n\n")

    async def _work(self) -> None:
        if self._fault is not None:
            raise self._fault
        try:
            if self._hangs:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise


async def replica(server: FakeServer) -> LLM:
    class Started(LLM):
        async def _start(self) -> Any:
            return server

    llm = Started.__new__(Started)
    await llm.__init__({"name": "chat", "version": "v1", "source": "x"})  # type: ignore[misc]
    return llm


async def test_a_stream_is_continued_by_the_server_that_is_told_the_progress() -> None:
    """The call's last argument reaches the engine's side as it came."""
    server = FakeServer()
    progress = Progress(Opening("1", 2, (3,)), [4], 5)
    events = [event.data async for event in (await replica(server)).stream("chat", REQUEST, 60, progress)]
    assert events == [b"data: 1\n\n", b"data: 2\n\n"]
    assert server.asked == [("chat", REQUEST, progress)]


@pytest.mark.parametrize("method", ["chat", "completions"])
async def test_a_whole_answer_is_cancelled_at_its_deadline(method: str) -> None:
    """Both methods keep it."""
    server = FakeServer(hangs=True)
    with pytest.raises(DeadlineExceededError):
        await getattr(await replica(server), method)(REQUEST, 0)
    assert server.is_cancelled


async def test_a_streamed_answer_is_cancelled_at_its_deadline() -> None:
    """Behind the events that came in time."""
    server = FakeServer(hangs=True)
    events = (await replica(server)).stream("chat", REQUEST, 0)
    await anext(events)
    with pytest.raises(DeadlineExceededError):
        await anext(events)
    assert server.is_cancelled


async def test_a_client_that_is_gone_cancels_the_engines_work() -> None:
    """Serve cancels the task that reads the stream."""
    server = FakeServer(hangs=True)
    seen = asyncio.Event()

    async def read() -> None:
        async for _ in (await replica(server)).stream("chat", REQUEST):
            seen.set()

    task = asyncio.create_task(read())
    await seen.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.is_cancelled


async def test_an_engines_own_exception_does_not_leave_the_replica() -> None:
    """Whoever unpickled it would import vLLM."""
    with pytest.raises(UpstreamError, match="KeyError"):
        await (await replica(FakeServer(KeyError("x")))).chat(REQUEST)
