"""Transient faults are tried again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from autoglm.errors import APIStatusError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential backoff with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS, 2015).

    Ten attempts wait about a minute in all, which a killed replica takes at most to come back. `uniform` draws from
    [0, 1), `sleep` takes seconds.
    """

    attempts: int = 10
    base_s: float = 0.5
    cap_s: float = 30.0
    uniform: Callable[[], float] = random.random
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    async def __call__(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of the first attempt that succeeds.

        Raises:
            APIStatusError: the fault is not one that may be retried, or the last attempt's.
        """
        for attempt in range(self.attempts - 1):
            try:
                return await call()
            except APIStatusError as error:
                if not error.retryable:
                    raise
                await self.sleep(self.delay_s(attempt, error.retry_after or 0.0))
        return await call()

    def delay_s(self, attempt: int, retry_after: float) -> float:
        """Seconds before the attempt after `attempt` (from 0), on top of what the server asked for."""
        return retry_after + self.uniform() * min(self.cap_s, self.base_s * 2**attempt)
