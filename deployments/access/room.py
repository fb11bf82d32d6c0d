"""A room for costly checks: few at a time, a bounded number waiting, the rest turned away at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from autoglm.errors import UnavailableError

AT_ONCE = 2
WAITING = 32
RETRY_AFTER_S = 1.0  # a full room is empty again after 34 checks of some 20 ms on two cores, less than half of it

T = TypeVar("T")


class Room:
    """Owns the tasks of the checks that are under way or wait."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._places = at_once + waiting
        self._turn = asyncio.Semaphore(at_once)
        self._tasks: set[asyncio.Task[Any]] = set()

    def enter(self, work: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        """Start `work` when its turn comes. The task is the room's: await it shielded.

        Raises:
            UnavailableError: all places are taken.
        """
        if len(self._tasks) >= self._places:
            raise UnavailableError(
                "authorization: too many passwords wait to be checked at the moment",
                param="authorization",
                retry_after=RETRY_AFTER_S,
            )
        task = asyncio.create_task(self._in_turn(work))
        self._tasks.add(task)
        task.add_done_callback(self._leave)
        return task

    async def aclose(self) -> None:
        """Cancel what is left; a check that a thread has begun ends there by itself."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _in_turn(self, work: Callable[[], Awaitable[T]]) -> T:
        async with self._turn:
            return await work()

    def _leave(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen here, since all who waited for it may have hung up
