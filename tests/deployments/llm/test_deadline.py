"""What is left of a deadline, kept in the replica: its work is cancelled, and nothing else is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from autoglm.errors import BadRequestError, DeadlineExceededError
from deployments.llm import deadline


class Work:
    """Never done; knows that it was cancelled."""

    is_cancelled = False

    async def whole(self) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise
        return ""

    async def streamed(self) -> AsyncGenerator[str]:
        yield "first"
        yield await self.whole()

    async def forever(self) -> AsyncGenerator[str]:
        yield await self.whole()


async def test_an_answer_in_time_is_the_answer() -> None:
    """With a deadline and without one."""
    for timeout_s in (None, 60):
        assert await deadline.whole(asyncio.sleep(0, "done"), timeout_s) == "done"


async def test_a_late_answer_is_cancelled() -> None:
    """The engine must not work for nobody."""
    work = Work()
    with pytest.raises(DeadlineExceededError):
        await deadline.whole(work.whole(), 0)
    assert work.is_cancelled


async def test_an_engine_that_answers_its_cancellation_with_an_error_is_late_all_the_same() -> None:
    """vLLM says 'Client disconnected', which would blame the caller."""

    async def answering() -> str:
        try:
            return await Work().whole()
        except asyncio.CancelledError:
            raise BadRequestError("Client disconnected") from None

    with pytest.raises(DeadlineExceededError):
        await deadline.whole(answering(), 0)


async def test_what_fails_in_time_fails_as_it_is() -> None:
    """Also with a TimeoutError of its own, which is not the deadline's."""

    async def failing() -> str:
        raise TimeoutError("the engine's own")

    with pytest.raises(TimeoutError, match="the engine's own"):
        await deadline.whole(failing(), 60)


async def test_a_stream_ends_at_its_deadline_behind_what_came_in_time() -> None:
    """The events before it are the caller's; the work is cancelled."""
    work = Work()
    events = deadline.streamed(work.streamed(), 0)
    assert await anext(events) == "first"
    with pytest.raises(DeadlineExceededError):
        await anext(events)
    assert work.is_cancelled


async def test_a_slow_consumer_is_not_cancelled_by_the_deadline() -> None:
    """A cancellation would hit whatever it awaits meanwhile; it hears of the deadline when it asks for more."""
    work = Work()
    events = deadline.streamed(work.streamed(), 0)
    await anext(events)
    for _ in range(3):  # passes of the loop, in which the overdue timer fires
        await asyncio.sleep(0)
    with pytest.raises(DeadlineExceededError):
        await anext(events)
    assert not work.is_cancelled


async def test_a_cancelled_reader_of_a_late_stream_is_cancelled() -> None:
    """Where the client goes and the deadline passes at once, the task that was cancelled must end as cancelled."""
    alarm = deadline.Alarm()
    task = asyncio.create_task(alarm.next_of(Work().forever()))
    await asyncio.sleep(0)
    alarm.ring()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_closing_a_timed_stream_closes_the_work() -> None:
    """The client is gone."""
    closed = []

    async def work() -> AsyncGenerator[str]:
        try:
            yield "first"
        finally:
            closed.append(True)

    events = deadline.streamed(work(), 60)
    await anext(events)
    await events.aclose()
    assert closed


async def test_a_stream_that_ended_leaves_no_timer() -> None:
    """Deadlines are minutes away, and there are as many as requests."""
    loop: Any = asyncio.get_running_loop()
    before = len([timer for timer in loop._scheduled if not timer.cancelled()])
    events = deadline.streamed(Work().streamed(), 600)
    await anext(events)
    await events.aclose()
    assert len([timer for timer in loop._scheduled if not timer.cancelled()]) == before
