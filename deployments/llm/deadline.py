"""What is left of a request's deadline, kept inside the replica: past it the engine's work is cancelled.

It comes as seconds, as gRPC's does, so that clocks of two machines are never compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import Any, TypeVar, cast

from autoglm.errors import APIStatusError, DeadlineExceededError

T = TypeVar("T")


async def whole(answer: Awaitable[T], timeout_s: float | None) -> T:
    """The answer, if it comes in time.

    Raises:
        DeadlineExceededError: it did not; what computed it has been cancelled.
    """
    scope = asyncio.timeout(timeout_s)
    try:
        async with scope:
            return await answer
    except (TimeoutError, APIStatusError):  # vLLM makes an error of its own of a cancelled whole answer
        if scope.expired():
            raise exceeded() from None
        raise


async def streamed(events: AsyncGenerator[T], timeout_s: float | None) -> AsyncGenerator[T]:
    """The events that come in time. Only waiting for the next one is limited, never what the consumer does with it.

    Raises:
        DeadlineExceededError: the deadline passed before the last; what made them has been cancelled.
    """
    alarm = Alarm()
    timer = None if timeout_s is None else asyncio.get_running_loop().call_later(timeout_s, alarm.ring)
    try:
        async with aclosing(events):
            while True:
                try:
                    event = await alarm.next_of(events)
                except StopAsyncIteration:
                    return
                yield event
    finally:
        if timer is not None:
            timer.cancel()


class Alarm:
    """One timer for all events of a stream; an `asyncio.timeout` around each costs 4 us a token."""

    def __init__(self) -> None:
        self._has_rung = False
        self._waiting: asyncio.Task[Any] | None = None

    def ring(self) -> None:
        """Cancel who waits for an event; who is at work with one hears of it when it asks for the next."""
        self._has_rung = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def next_of(self, events: AsyncGenerator[T]) -> T:
        """The next event.

        Raises:
            DeadlineExceededError: the alarm rang first.
            StopAsyncIteration: there is none.
        """
        if self._has_rung:
            raise exceeded()
        task = cast("asyncio.Task[Any]", asyncio.current_task())  # what awaits is in a task
        cancellations = task.cancelling()
        self._waiting = task
        try:
            return await anext(events)
        except asyncio.CancelledError:
            if self._has_rung and task.uncancel() <= cancellations:  # by nobody else too, as asyncio.timeout does it
                raise exceeded() from None
            raise
        finally:
            self._waiting = None


def exceeded() -> DeadlineExceededError:
    """What the router hears of a request whose time is up."""
    return DeadlineExceededError(
        "timeout_s: the deadline passed before the answer was written; allow more, or ask for fewer tokens",
        param="timeout_s",
    )
