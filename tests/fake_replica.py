"""A stand-in for a Serve deployment handle: scripted answers, and a record of every call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from types import SimpleNamespace
from typing import Any

from deployments.stream import Event, Progress


class FakeReplica:
    """A handle (`.method.remote(...)`, `.options(stream=True)`) whose replica is this object.

    A scripted value that is an exception is raised instead of given; in a stream, an asyncio.Event is waited for.
    """

    def __init__(
        self,
        *,
        predict: Callable[[list[Any]], Any] | BaseException | None = None,
        answer: dict[str, Any] | BaseException | None = None,
        events: Iterable[bytes | BaseException | asyncio.Event] = (),
    ) -> None:
        self._predict = predict
        self._answer = answer
        self._events = list(events)
        self.calls: list[tuple[Any, ...]] = []
        self.streams: list[FakeStream] = []
        # Tasks, since what a handle gives can be cancelled.
        self.predict = SimpleNamespace(remote=lambda requests: asyncio.ensure_future(self._predict_remote(requests)))
        self.chat = SimpleNamespace(
            remote=lambda request, timeout_s: asyncio.ensure_future(self._whole("chat", request))
        )
        self.completions = SimpleNamespace(
            remote=lambda request, timeout_s: asyncio.ensure_future(self._whole("completions", request))
        )
        self.stream = SimpleNamespace(remote=self._stream_remote)

    def options(self, **options: Any) -> FakeReplica:
        assert options.keys() <= {"stream", "request_serialization", "response_serialization"}
        return self

    async def _predict_remote(self, requests: list[tuple[list[Any], float | None]]) -> list[Any]:
        inputs = [request for request, _ in requests]
        self.calls.append(("predict", inputs))
        if isinstance(self._predict, BaseException):
            raise self._predict
        assert self._predict is not None
        return [self._predict(request) for request in inputs]

    async def _whole(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((method, request))
        if isinstance(self._answer, BaseException):
            raise self._answer
        assert self._answer is not None
        return self._answer

    def _stream_remote(
        self, method: str, request: dict[str, Any], timeout_s: float | None, progress: Progress | None
    ) -> FakeStream:
        self.calls.append((method, request))
        self.streams.append(FakeStream(self._events))
        return self.streams[-1]


class FakeStream:
    """What a streaming call returns: events, and `cancel`."""

    def __init__(self, events: list[bytes | BaseException | asyncio.Event]) -> None:
        self._events = events
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    async def __aiter__(self) -> AsyncIterator[Event]:
        for event in self._events:
            await asyncio.sleep(0)
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, asyncio.Event):
                await event.wait()
            else:
                yield Event(event)
