"""The two clients behind one surface, so that one suite drives both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from autoglm.client import AsyncAutoClient, AsyncChatStream, AutoClient
from autoglm.contract import ChatChunk

Handler = Callable[[httpx.Request], httpx.Response]


class BlockingStream(Iterator[ChatChunk]):
    """The asynchronous stream, one step at a time."""

    def __init__(self, runner: asyncio.Runner, stream: AsyncChatStream) -> None:
        self._runner = runner
        self._stream = stream

    def __next__(self) -> ChatChunk:
        try:
            return self._runner.run(self._stream.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None

    def __enter__(self) -> BlockingStream:
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.run(self._stream.__aexit__(None, None, None))


class BlockingClient:
    """The asynchronous client; every call is run to its end."""

    def __init__(self, runner: asyncio.Runner, client: AsyncAutoClient) -> None:
        self._runner = runner
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            answer = self._runner.run(getattr(self._client, name)(*args, **kwargs))
            return BlockingStream(self._runner, answer) if isinstance(answer, AsyncChatStream) else answer

        return call

    def __repr__(self) -> str:
        return repr(self._client)


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Makes clients, of one kind or the other; `handler` takes the network's place."""
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner()) if request.param == "async" else None

        def make(handler: Handler | None = None, **settings: Any) -> Any:
            settings["transport"] = httpx.MockTransport(handler) if handler else None
            client = BlockingClient(runner, AsyncAutoClient(**settings)) if runner else AutoClient(**settings)
            stack.callback(client.close)
            return client

        yield make
