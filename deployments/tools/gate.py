"""So many calls at once; some wait, and the rest are turned away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from autoglm.errors import UnavailableError

WAITING_PER_PLACE = 4  # who waits behind more than four others is told so sooner than it would be served
RETRY_AFTER_S = 1.0


class Gate:
    """A semaphore with a bounded queue, served in order of arrival."""

    def __init__(self, name: str, places: int) -> None:
        self._name = name
        self._turn = asyncio.Semaphore(places)
        self._room = places * WAITING_PER_PLACE
        self._waiting = 0

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[None]:
        """Hold a place.

        Raises:
            UnavailableError: all are taken, and as many wait as may.
        """
        await self._enter()
        try:
            yield
        finally:
            self._turn.release()

    async def _enter(self) -> None:
        if self._turn.locked() and self._waiting >= self._room:
            raise UnavailableError(
                f"{self._name} is busy, and {self._waiting} calls wait already", retry_after=RETRY_AFTER_S
            )
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
