"""Single flight: one computation at a time for identical requests (as Go's singleflight), streams included.

A flight is a task of its own, so that it ends neither with the caller that started it nor with any other, only with
the last one.
"""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Hashable, Iterable
from contextvars import Context
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from autoglm.errors import APIStatusError, InternalServerError, UnavailableError
from deployments.router.cache.answer import Meta, State

logger = logging.getLogger("ray.serve")


@dataclass(frozen=True, slots=True)
class Opening:
    """What a flight knows of its answer before the first part of it."""

    state: State
    age_s: float
    meta: Meta


Produce = Callable[["Flight"], Coroutine[Any, Any, None]]


class Flight:
    """The parts of one answer, as they come, for any number of followers.

    The parts are held once, in one list, and each follower has its own place in it. Past `keep_bytes` the answer will
    not be kept and nobody may join any more: then only what the slowest follower has still to read is held. A flight
    that is held goes on without followers.
    """

    def __init__(
        self, produce: Produce, context: Context, *, keep_bytes: int, held: bool, retire: Callable[[Flight], None]
    ) -> None:
        self.opening = Opening("miss", 0.0, {})
        self.is_kept = True
        self._keep_bytes = keep_bytes
        self._held = held
        self._retire = retire
        self._parts: list[bytes] = []
        self._forgotten = 0  # parts before the first of `_parts`
        self._size = 0
        self._followers: WeakSet[Follower] = WeakSet()  # one that was dropped is no follower
        self._news = asyncio.Event()
        self._error: BaseException | None = None
        self._has_ended = False
        self.task = asyncio.create_task(produce(self), context=context)
        self.task.add_done_callback(self._end)

    # The computation

    @property
    def parts(self) -> tuple[bytes, ...]:
        """All of them, as long as `is_kept`."""
        return tuple(self._parts)

    def add(self, part: bytes) -> None:
        """One part more for everybody."""
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._keep_bytes:
            self.is_kept = False
            self._retire(self)
            self._forget()
        self._announce()

    def replay(self, opening: Opening, parts: Iterable[bytes]) -> None:
        """All parts of an answer that was there already."""
        self.opening = opening
        self._parts.extend(parts)
        self._announce()

    def _forget(self) -> None:
        """Let go of what every follower has read."""
        end = self._forgotten + len(self._parts)
        read = min((follower.read for follower in self._followers), default=end)
        del self._parts[: read - self._forgotten]
        self._forgotten = read

    def _end(self, task: asyncio.Task[None]) -> None:
        self._error = cut_short() if task.cancelled() else task.exception()
        if self._error is not None and not isinstance(self._error, APIStatusError):
            logger.error("a shared computation failed", exc_info=self._error)
        self._has_ended = True
        self._retire(self)
        self._announce()

    def _announce(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    # Its followers

    def follow(self) -> Follower:
        """A place at the beginning."""
        follower = Follower(self)
        self._followers.add(follower)
        return follower

    def leave(self, follower: Follower) -> None:
        """One follower less."""
        self._followers.discard(follower)
        self._consider()

    def lost(self) -> None:
        """A follower was dropped without leaving, in whichever thread the collector ran."""
        loop = self.task.get_loop()
        if not self._has_ended and not loop.is_closed():
            loop.call_soon_threadsafe(self._consider)

    def _consider(self) -> None:
        """Without followers the computation is cancelled, and with it the engine's work."""
        if not (self._followers or self._held or self._has_ended):
            self._retire(self)
            self.task.cancel()

    async def ready(self, index: int) -> bool:
        """Wait for a part; False where the answer ends before it.

        Raises:
            APIStatusError: it broke off before it; the error is the caller's own.
        """
        while index - self._forgotten >= len(self._parts):
            if self._has_ended:
                self._check()
                return False
            await self._news.wait()
        return True

    async def ended(self) -> None:
        """Wait for the end.

        Raises:
            APIStatusError: it failed; the error is the caller's own.
        """
        while not self._has_ended:
            await self._news.wait()
        self._check()

    def part(self, index: int) -> bytes:
        """A part that is ready."""
        return self._parts[index - self._forgotten]

    def _check(self) -> None:
        if self._error is not None:
            raise own(self._error)


class Follower(AsyncGenerator[bytes, None]):
    """One caller's place in a flight: an iterator over its parts that leaves when it is closed, read out or dropped.

    No generator function: of one that was never started no `finally` runs when it is closed.
    """

    def __init__(self, flight: Flight) -> None:
        self._flight = flight
        self._has_left = False
        self.read = 0  # parts

    @property
    def opening(self) -> Opening:
        """Known once the first part is there."""
        return self._flight.opening

    async def first(self) -> None:
        """Wait for the first part or the end.

        Raises:
            APIStatusError: it failed before the first part.
        """
        try:
            await self._flight.ready(0)
        except BaseException:
            self.leave()
            raise

    async def whole(self) -> bytes:
        """All of it, as one.

        Raises:
            APIStatusError: it failed.
        """
        try:
            await self._flight.ended()
            return b"".join(self._flight.parts)
        finally:
            self.leave()

    def leave(self) -> None:
        """Read no further; the second time nothing is done."""
        if not self._has_left:
            self._has_left = True
            self._flight.leave(self)

    async def asend(self, value: None) -> bytes:
        """The next part."""
        try:
            if self._has_left or not await self._flight.ready(self.read):
                raise StopAsyncIteration
        except BaseException:
            self.leave()
            raise
        part = self._flight.part(self.read)
        self.read += 1
        return part

    async def athrow(self, *thrown: Any) -> bytes:
        """Leave, and raise what is thrown."""
        self.leave()
        return await super().athrow(*thrown)

    async def aclose(self) -> None:
        """Leave."""
        self.leave()

    def __del__(self) -> None:
        if not self._has_left:  # a response that was given up before its first event closes nothing
            self._flight.lost()


class Flights:
    """The flights of a process, found by what they compute."""

    def __init__(self, keep_bytes: int, context: Callable[[], Context]) -> None:
        self._keep_bytes = keep_bytes
        self._context = context
        self._open: dict[Hashable, Flight] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def find(self, place: Hashable) -> Flight | None:
        """The flight that a request may join."""
        return self._open.get(place)

    def launch(self, produce: Produce, place: Hashable, *, held: bool = False) -> Flight:
        """A new one, which others find where it has a place that is not None."""

        def retire(flight: Flight) -> None:
            if self._open.get(place) is flight:
                del self._open[place]

        flight = Flight(produce, self._context(), keep_bytes=self._keep_bytes, held=held, retire=retire)
        if place is not None:
            self._open[place] = flight
        self._tasks.add(flight.task)
        flight.task.add_done_callback(self._tasks.discard)
        return flight

    async def ended(self) -> None:
        """When all of them have."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def aclose(self) -> None:
        """Cancel all of them; their followers get an error."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def cut_short() -> UnavailableError:
    """For those who wait for a computation that is cancelled under them, as the process ends."""
    return UnavailableError("the computation that this request waited for was cancelled; send it again")


def own(error: BaseException) -> APIStatusError:
    """A caller's own copy: an exception that many raise would gather the tracebacks of all."""
    if isinstance(error, APIStatusError):
        return copy.copy(error)
    return InternalServerError(f"the computation that this request waited for failed: {type(error).__name__}")
