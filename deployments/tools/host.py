"""A call of a tool, from its arguments to its checked result."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from autoglm.errors import APIStatusError, DeadlineExceededError
from deployments.boundary import plain_errors
from deployments.breaking import counts_as_failure
from deployments.tools.catalogue import Catalogue
from deployments.tools.flight import Flight
from deployments.tools.mount import Mount
from deployments.tools.offer import Offer, Tally
from deployments.tools.replies import CallId, Replies, check_same


@dataclass(frozen=True, slots=True)
class Call:
    """One call whose arguments were checked; `digest` is the same for the same arguments."""

    mount: Mount
    offer: Offer
    arguments: dict[str, Any]
    key: str
    digest: str

    @property
    def id(self) -> CallId:
        """What makes two calls one."""
        return self.offer.name, self.key


class Host:
    """Calls the tools of a catalogue, each inside its bounds.

    A call of a key that is under way or was answered is not executed again while the host lives and the reply is
    kept; a failed one is. The key belongs to whoever calls: who hosts several callers tells their keys apart.
    """

    def __init__(self, catalogue: Catalogue, clock: Callable[[], float] = time.monotonic) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._replies = Replies(clock)
        self._flights: dict[CallId, Flight] = {}

    async def call(self, tool: str, arguments: dict[str, Any], key: str, timeout_s: float) -> Any:
        """The tool's result, a JSON value, within `timeout_s` or the entry's own time, whichever is shorter.

        Raises:
            NotFoundError: there is no such tool.
            PayloadTooLargeError: the arguments are larger than the entry takes.
            UnprocessableEntityError: they do not fit the schema, or the tool refused them; `param` is the field.
            RateLimitError: the entry's calls of this minute are made.
            UnavailableError: its places are taken and its queue is full, its breaker is open, or it is away.
            DeadlineExceededError: it took too long.
            UpstreamError: the tool failed, or its result is too large or does not fit its schema.
        """
        timeout_s = await self._left_when_loaded(tool, timeout_s)
        mount, offer = self._catalogue.find(tool)
        with counted(offer):
            digest = await asyncio.to_thread(checked_digest, offer, arguments)
            call = Call(mount, offer, arguments, key, digest)
            if reply := self._replies.get(call.id, digest):
                offer.tally.repeated += 1
                return reply.result
            if flight := self._flights.get(call.id):
                return await self._joined(call, flight, timeout_s)
            return await self._begun(call, timeout_s).result()

    async def aclose(self) -> None:
        """End the calls under way, then the sources."""
        await asyncio.gather(*(flight.cancel() for flight in tuple(self._flights.values())))
        await self._catalogue.aclose()

    async def _left_when_loaded(self, tool: str, timeout_s: float) -> float:
        """What is left of the time when the tool's entry is open: one that is being opened is waited for.

        A host that takes the place of one that died is called before it has opened its sources.
        """
        end = self._clock() + timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                await self._catalogue.loaded(tool)
        except TimeoutError:
            return 0.0  # whoever calls it then hears that it is not there
        return max(0.0, end - self._clock())

    async def _joined(self, call: Call, flight: Flight, timeout_s: float) -> Any:
        check_same(call.id, flight.digest, call.digest)
        call.offer.tally.repeated += 1
        try:
            async with asyncio.timeout(timeout_s):
                return await flight.result()
        except TimeoutError:
            raise late(call, timeout_s) from None

    def _begun(self, call: Call, timeout_s: float) -> Flight:
        work = self._execute(call, min(timeout_s, call.offer.entry.timeout_s))
        flight = Flight(call.digest, work, ended=lambda: self._flights.pop(call.id, None))
        self._flights[call.id] = flight
        return flight

    async def _execute(self, call: Call, seconds: float) -> Any:
        end = self._clock() + seconds
        try:
            async with asyncio.timeout(seconds) as limit:
                call.mount.pace.take()
                async with call.mount.gate.place():
                    result = await self._answer(call, end - self._clock(), limit)
        except TimeoutError:
            raise late(call, seconds) from None
        size = await asyncio.to_thread(call.offer.check_result, result)
        self._replies.keep(call.id, result, call.digest, size)
        call.offer.tally.answered += 1
        return result

    async def _answer(self, call: Call, left_s: float, limit: asyncio.Timeout) -> Any:
        """What the source says, past the breaker, which hears of it; that a caller went says nothing of the tool."""
        with call.offer.breaker.admit() as permit, timed(call.offer.tally, self._clock) as seconds:
            try:
                with plain_errors(call.offer.name):
                    result = await call.mount.call(call.offer, call.arguments, call.key, left_s)
            except asyncio.CancelledError:
                if limit.expired():
                    permit.failed(seconds())
                raise
            except APIStatusError as error:
                if counts_as_failure(error):
                    permit.failed(seconds())
                raise
            permit.succeeded(seconds())
            return result


@contextmanager
def counted(offer: Offer) -> Iterator[None]:
    """Count an error of the call by its code."""
    try:
        yield
    except APIStatusError as error:
        offer.tally.errors[error.code] += 1
        raise


@contextmanager
def timed(tally: Tally, clock: Callable[[], float]) -> Iterator[Callable[[], float]]:
    """Count a call as running, and its seconds when it is over; gives what tells the seconds so far."""
    begun = clock()
    tally.running += 1
    try:
        yield lambda: clock() - begun
    finally:
        tally.running -= 1
        tally.seconds += clock() - begun


def checked_digest(offer: Offer, arguments: dict[str, Any]) -> str:
    """Check the arguments; what is the same for the same ones. For a thread: it takes some ms for a MiB."""
    offer.check_arguments(arguments)
    return hashlib.sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()


def late(call: Call, seconds: float) -> DeadlineExceededError:
    """What a caller hears whose time is over."""
    return DeadlineExceededError(f"{call.offer.name} did not answer within {seconds:.3g} s")
