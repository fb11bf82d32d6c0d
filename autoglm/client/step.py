"""What an exchange asks of its driver, and what it is told: input and output, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request; read the body too, unless it is `streamed` and a success."""

    request: httpx.Request
    streamed: bool
    limit: Limit | None = None

    def opened(self, response: httpx.Response) -> httpx.Response:
        """The response, its body cut off where the time of the whole call ends."""
        if self.limit is not None:
            response.stream = TimedStream(response.stream, self.request, self.limit)
        return response

    def reads(self, response: httpx.Response) -> bool:
        """Whether the driver reads the body."""
        return not self.streamed or not response.is_success


@dataclass(frozen=True, slots=True)
class Wait:
    """Let this many seconds pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Broken:
    """No whole answer; `answered` says whether its beginning, the status line, had come."""

    error: httpx.HTTPError
    answered: bool


Step = Send | Wait
Outcome = httpx.Response | Broken | None  # None is what comes of a Wait


@dataclass(frozen=True, slots=True)
class Limit:
    """The time that a whole call has: `total` in seconds, and the end of it on the clock `now`."""

    total: float
    end: float
    now: Callable[[], float]

    def left(self) -> float:
        """Seconds until the end, at least a millisecond (0 would mean that nothing is waited for)."""
        return max(self.end - self.now(), 0.001)


class TimedStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A response's body that ends in ReadTimeout once the call's time is over, however slowly it drips.

    The clock is looked at when bytes come, so the end may be late by one silence (`Timeouts.read`).
    """

    def __init__(self, stream: Any, request: httpx.Request, limit: Limit) -> None:
        self._stream = stream  # the sync or the async one, as the driver is
        self._request = request
        self._limit = limit

    def __iter__(self) -> Iterator[bytes]:
        for data in self._stream:
            self._check()
            yield data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._stream:
            self._check()
            yield data

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()

    def _check(self) -> None:
        if self._limit.now() >= self._limit.end:
            raise httpx.ReadTimeout(
                f"the whole call took longer than {self._limit.total:g} s, the total", request=self._request
            )
