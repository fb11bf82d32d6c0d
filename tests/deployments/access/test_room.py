"""The room for costly checks."""

from __future__ import annotations

import asyncio

import pytest

from autoglm.errors import UnavailableError
from deployments.access.room import Room


async def test_few_at_once_a_bounded_number_waiting_the_rest_turned_away() -> None:
    """Beyond the places 503 comes at once, and a place that is left is free again."""
    room, gate = Room(at_once=2, waiting=1), asyncio.Event()
    two = asyncio.Event()
    running = most = 0

    async def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 2:
            two.set()
        await gate.wait()
        running -= 1

    tasks = [room.enter(work) for _ in range(3)]
    with pytest.raises(UnavailableError) as caught:
        room.enter(work)
    assert caught.value.retry_after == 1.0
    await two.wait()
    gate.set()
    await asyncio.gather(*tasks)
    assert most == 2
    await room.enter(work)


async def test_what_is_left_is_cancelled_with_the_room() -> None:
    """No task outlives its owner."""
    room = Room()
    task = room.enter(asyncio.Event().wait)
    await room.aclose()
    assert task.cancelled()


async def test_an_error_that_nobody_waits_for_is_no_complaint_of_asyncio() -> None:
    """All who asked may have hung up; "exception was never retrieved" would be logged then."""
    room, said = Room(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))

    async def work() -> None:
        raise UnavailableError("later")

    task = room.enter(work)
    await asyncio.wait({task})
    del task
    assert said == []
