"""The two clients behind one surface, so that one suite drives both."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import ExitStack
from contextvars import copy_context
from typing import Any

import httpx
import pytest

from autoglm.client import AsyncAdmin, AsyncAutoClient, AsyncTasks, AsyncTools, AutoClient, Clock
from autoglm.client.stream import AsyncStream
from tests.autoglm.client.swarm import End, async_swarm, sync_swarm

Handler = Callable[[httpx.Request], httpx.Response]


class BlockingStream(Iterator[Any]):
    """An asynchronous stream, one step at a time."""

    def __init__(self, runner: asyncio.Runner, stream: AsyncStream[Any]) -> None:
        self._runner = runner
        self._stream = stream

    def __next__(self) -> Any:
        try:
            return self._runner.run(self._stream.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None

    def __enter__(self) -> BlockingStream:
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.run(self._stream.__aexit__(None, None, None))


class BlockingGenerator(Iterator[Any]):
    """An asynchronous generator, one step at a time."""

    def __init__(self, runner: asyncio.Runner, generator: AsyncGenerator[Any, None]) -> None:
        self._runner = runner
        self._generator = generator

    def __next__(self) -> Any:
        async def step() -> Any:
            return await anext(self._generator)

        try:
            return self._runner.run(step(), context=copy_context())
        except StopAsyncIteration:
            raise StopIteration from None

    def close(self) -> None:
        self._runner.run(self._generator.aclose())


class FakeClock:
    """Waits are noted and take no time; `now` moves with them alone."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> float:
        return sum(self.waits)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def sleep_async(self, seconds: float) -> None:
        self.waits.append(seconds)

    def as_clock(self) -> Clock:
        return Clock(self.now, self.sleep, self.sleep_async)


class BlockingClient:
    """The asynchronous client; every call is run to its end."""

    def __init__(self, runner: asyncio.Runner, client: AsyncAutoClient | AsyncAdmin | AsyncTasks | AsyncTools) -> None:
        self._runner = runner
        self._client = client

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return self._blocking(found) if callable(found) else BlockingClient(self._runner, found)

    def _blocking(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            answer = method(*args, **kwargs)
            if isinstance(answer, AsyncGenerator):
                return BlockingGenerator(self._runner, answer)
            if inspect.iscoroutine(answer):
                answer = self._runner.run(answer, context=copy_context())  # the test's, not the runner's
            return BlockingStream(self._runner, answer) if isinstance(answer, AsyncStream) else answer

        return call

    def __repr__(self) -> str:
        return repr(self._client)


@pytest.fixture
def clock() -> FakeClock:
    """The clock of the clients that `connect` makes."""
    return FakeClock()


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which of the two clients a test drives."""
    return str(request.param)


@pytest.fixture
def connect(kind: str, clock: FakeClock) -> Iterator[Callable[..., Any]]:
    """Makes clients, of one kind or the other; `handler` takes the network's place."""
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner()) if kind == "async" else None

        def make(handler: Handler | None = None, **settings: Any) -> Any:
            settings = {"clock": clock.as_clock(), **settings}
            settings["transport"] = httpx.MockTransport(handler) if handler else None
            client = BlockingClient(runner, AsyncAutoClient(**settings)) if runner else AutoClient(**settings)
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def swarm(kind: str, clock: FakeClock) -> Callable[..., list[End]]:
    """What each of very many calls ended in, `concurrency` at a time; waits take no time."""

    def run(names: Iterable[str], concurrency: int, **settings: Any) -> list[End]:
        settings = {"clock": Clock(sleep=clock.sleep, sleep_async=clock.sleep_async), **settings}
        if kind == "sync":
            with AutoClient(**settings) as client:
                return sync_swarm(client, names, concurrency)

        async def drive() -> list[End]:
            async with AsyncAutoClient(**settings) as client:
                return await async_swarm(client, names, concurrency)

        return asyncio.run(drive())

    return run
