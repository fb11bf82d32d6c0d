"""One execution of a call, and all who wait for it: those who sent it, and sent it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from autoglm.errors import UnavailableError
from deployments.cancellation import is_being_cancelled

END_S = 5.0  # what a tool has to end once nobody waits; one that does not end is left behind


class Flight:
    """Owns the task that executes the call. When the last who waits has gone, the task is cancelled.

    `ended` is called when it is over. The result is that of `work`.
    """

    def __init__(self, digest: str, work: Coroutine[Any, Any, Any], ended: Callable[[], object]) -> None:
        self.digest = digest
        self._ended = ended
        self._waiting = 0
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._end)

    async def result(self) -> Any:
        """What the call gives, or raises.

        Raises:
            UnavailableError: it was ended, since nobody had waited for it any more or the host stops.
        """
        self._waiting += 1
        try:
            return await asyncio.shield(self._task)
        except asyncio.CancelledError:
            if self._task.cancelled() and not is_being_cancelled():
                raise UnavailableError("the call was ended before its result was there; send it again") from None
            raise
        finally:
            self._waiting -= 1
            if not self._waiting:
                await self.cancel()

    async def cancel(self) -> None:
        """End it, where it is not over."""
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=END_S)

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._ended()
        if not task.cancelled():
            task.exception()  # seen here, since all who waited for it may have gone
