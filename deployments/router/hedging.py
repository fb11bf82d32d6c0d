"""A second attempt beside a slow first one; whichever answers first counts.

Dean and Barroso, "The Tail at Scale", CACM 56(2), 2013.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def hedged(first: Coroutine[Any, Any, T], second: Callable[[], Awaitable[T] | None], after_s: float) -> T:
    """The result of `first`, or of `second()` where that is begun after `after_s` and ends well earlier.

    `second` gives None where it may not be made. Raises what `first` raised when neither ends well. The one that is
    not needed is cancelled, and has ended when this returns.
    """
    tasks = [asyncio.create_task(first)]
    try:
        await asyncio.wait(tasks, timeout=after_s)
        if not tasks[0].done() and (hedge := second()) is not None:
            tasks.append(asyncio.ensure_future(hedge))
        return await first_well(tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def first_well(tasks: list[asyncio.Task[T]]) -> T:
    """The result of whichever task ends first without an error; the first task's error when none does."""
    pending = set(tasks)
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if not task.cancelled() and task.exception() is None:
                return task.result()
    return await tasks[0]
