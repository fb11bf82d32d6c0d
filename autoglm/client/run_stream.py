"""A run as it goes: its events, and how they are gone on with after a connection was cut."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import aclosing, closing
from typing import cast

import httpx

from autoglm.client.clock import Clock
from autoglm.client.event_parser import EventParser
from autoglm.client.failure import event_error, told_error, unreadable
from autoglm.client.retry import RetryPolicy
from autoglm.client.stream import AsyncStream, Stream, read, read_async
from autoglm.client.task_calls import outcome
from autoglm.contract.error import ErrorDetail
from autoglm.contract.task_run import ENDED, RunEvent, RunStatus, TaskRun
from autoglm.errors import APIConnectionError, APIStatusError, AutoGLMError

# A run that its caller watches ends its stream where it must be approved; one that is followed is gone on with.
RESTING: frozenset[RunStatus] = ENDED | {"waiting"}


class EventReader:
    """Bytes in, events out, until one bears the run in a status of `last`."""

    def __init__(self, response: httpx.Response, last: frozenset[RunStatus], after: int = 0) -> None:
        self._response = response
        self._events = EventParser()
        self._last = last
        self._seq = after
        self._fault: ErrorDetail | None = None
        self.ended = False

    def feed(self, data: bytes) -> Iterator[RunEvent]:
        """The events that these bytes finish, each once; `ended` is set by the last.

        Raises:
            APIStatusError: the server sent a bare error instead of an event.
            APIConnectionError: an event is none of a run.
        """
        for text in self._events.feed(data):
            event = self._event(text)
            if event.seq <= self._seq:
                continue  # told again
            self._fault = event.error if is_fault(event) else None
            self._seq = event.seq
            self.ended = event.run is not None and event.run.status in self._last
            yield event
            if self.ended:
                return

    def cut(self) -> AutoGLMError:
        """The fault that the server ended it with; without one, what became of the run is not known."""
        if self._fault is not None:
            return told_error(self._fault)
        return APIConnectionError(
            f"{self._response.url}: the stream ended before the run; client.tasks knows what became of it"
        )

    def _event(self, text: str) -> RunEvent:
        try:
            body = json.loads(text)
            if isinstance(body, dict) and body.get("error") and "seq" not in body:
                raise event_error(self._response, text)
            return RunEvent.model_validate(body)
        except ValueError as error:  # pydantic's ValidationError is one too
            raise unreadable(self._response, "an event that is no RunEvent") from error


def is_fault(event: RunEvent) -> bool:
    """Whether it may be the server's own word, numbered as the run's next event will be, and not the run's end."""
    return event.type == "error" and event.run is None


class Resumption:
    """How far a run's events were read, and whether and when they are asked for again after an error.

    The attempts are the policy's, counted from the last event that came.
    """

    def __init__(self, policy: RetryPolicy, clock: Clock, after: int) -> None:
        self.seq = after
        self._policy = policy
        self._now = clock.now
        self._failures = 0
        self._since = self._now()

    def note(self, event: RunEvent) -> None:
        """An event came."""
        self.seq = self.seq if is_fault(event) else event.seq
        self._failures = 0
        self._since = self._now()

    def wait_or_raise(self, error: AutoGLMError) -> float:
        """Seconds until the events after `seq` are asked for; raises the error where they are not."""
        self._failures += 1
        wait = self._policy.wait_s(self._failures, error, self._since + self._policy.max_time_s - self._now())
        if wait is None or (isinstance(error, APIStatusError) and not error.retryable):
            raise error
        return wait


class RunStream(Stream[RunEvent]):
    """Iterates over a run's events, of which the last bears the run as it ended; a context manager.

    That of `client.run` belongs to the run: who closes it cancels the run. That of `client.tasks.events` follows it,
    and is opened again where it was cut.

    Raises, while iterating:
        APIConnectionError: the stream was cut before its end.
        APIStatusError: the server cannot go on with it. A run that failed raises nothing: its last event says so.
    """

    run: TaskRun | None = None  # as it was last told

    def __next__(self) -> RunEvent:
        event = super().__next__()
        self.run = event.run or self.run
        return event


class AsyncRunStream(AsyncStream[RunEvent]):
    """`RunStream` for `async for` and `async with`; it raises the same."""

    run: TaskRun | None = None

    async def __anext__(self) -> RunEvent:
        event = await super().__anext__()
        self.run = event.run or self.run
        return event


def run_stream(response: httpx.Response) -> RunStream:
    """The events of a run that this response belongs to."""
    return RunStream(read(response, EventReader(response, RESTING)), response.close)


def async_run_stream(response: httpx.Response) -> AsyncRunStream:
    """The same for the asynchronous client."""
    return AsyncRunStream(read_async(response, EventReader(response, RESTING)), response.aclose)


def watched(events: RunStream, on_event: Callable[[RunEvent], object]) -> TaskRun:
    """The run as it ended, its events told as they come; raises what it failed with."""
    with events:
        for event in events:
            on_event(event)
    return outcome(cast(TaskRun, events.run))  # without one the reader has raised


async def watched_async(events: AsyncRunStream, on_event: Callable[[RunEvent], object]) -> TaskRun:
    """The same for the asynchronous client."""
    async with events:
        async for event in events:
            on_event(event)
    return outcome(cast(TaskRun, events.run))  # without one the reader has raised


class Followed:
    """A run's events over as many connections as it takes; `reopen` gives the response with those after a number."""

    def __init__(
        self, response: httpx.Response, reopen: Callable[[int], httpx.Response], place: Resumption, clock: Clock
    ) -> None:
        self._response = response
        self._reopen = reopen
        self._place = place
        self._clock = clock

    def stream(self) -> RunStream:
        """Read as they come."""
        return RunStream(self._read(), lambda: self._response.close())

    def _read(self) -> Generator[RunEvent, None, None]:
        while True:
            try:
                with closing(read(self._response, self._reader())) as events:
                    for event in events:
                        self._place.note(event)
                        yield event
                return
            except AutoGLMError as error:
                wait = self._place.wait_or_raise(error)
            self._clock.sleep(wait)
            self._response = self._reopen(self._place.seq)

    def _reader(self) -> EventReader:
        return EventReader(self._response, ENDED, self._place.seq)


class AsyncFollowed:
    """`Followed` for the asynchronous client."""

    def __init__(
        self,
        response: httpx.Response,
        reopen: Callable[[int], Awaitable[httpx.Response]],
        place: Resumption,
        clock: Clock,
    ) -> None:
        self._response = response
        self._reopen = reopen
        self._place = place
        self._clock = clock

    def stream(self) -> AsyncRunStream:
        """Read as they come."""

        async def hang_up() -> None:
            await self._response.aclose()

        return AsyncRunStream(self._read(), hang_up)

    async def _read(self) -> AsyncGenerator[RunEvent, None]:
        while True:
            try:
                async with aclosing(read_async(self._response, self._reader())) as events:
                    async for event in events:
                        self._place.note(event)
                        yield event
                return
            except AutoGLMError as error:
                wait = self._place.wait_or_raise(error)
            await self._clock.sleep_async(wait)
            self._response = await self._reopen(self._place.seq)

    def _reader(self) -> EventReader:
        return EventReader(self._response, ENDED, self._place.seq)
