"""Coroutines run side by side, their results taken in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def in_order(calls: Iterable[Coroutine[Any, Any, T]], size: int) -> AsyncGenerator[T, None]:
    """The results of `calls`, at most `size` of which are under way or waiting to be taken.

    A coroutine is asked for when there is room for it. The first to fail ends the others.
    """
    window: deque[asyncio.Task[T]] = deque()
    try:
        for call in calls:
            window.append(asyncio.create_task(call))
            if len(window) == size:
                yield await window.popleft()
        while window:
            yield await window.popleft()
    finally:
        for task in window:
            task.cancel()
        await asyncio.gather(*window, return_exceptions=True)
