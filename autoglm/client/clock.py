"""Time, as the clients know it: a seam, so that a test need not wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """`now` in seconds from any beginning; `sleep` and `sleep_async` take seconds."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    sleep_async: Callable[[float], Awaitable[object]] = asyncio.sleep


SYSTEM_CLOCK = Clock()
