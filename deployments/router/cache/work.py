"""What a flight computes: one body, or the events of a stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing

from deployments.router.cache.answer import Compute, Start
from deployments.router.cache.events import is_complete
from deployments.router.cache.flight import Flight, Follower, Opening

Work = Callable[[Flight], Awaitable[bool]]  # adds the parts; whether they may be kept


def computing(compute: Compute) -> Work:
    """The work of a whole answer."""

    async def work(flight: Flight) -> bool:
        computed = await compute()
        flight.opening = Opening("miss", 0.0, computed.meta)
        flight.add(computed.body)
        return computed.storable

    return work


def recording(start: Start) -> Work:
    """The work of a streamed one; one that broke off or tells an error is not kept."""

    async def work(flight: Flight) -> bool:
        started = await start()
        flight.opening = Opening("miss", 0.0, started.meta)
        async with aclosing(started.events) as events:
            async for event in events:
                flight.add(event)
        return started.storable and is_complete(flight.parts)

    return work


async def whole_of(follower: Follower) -> tuple[bytes, Opening]:
    """The body that a caller waited for."""
    return await follower.whole(), follower.opening


async def begun(follower: Follower) -> Follower:
    """The stream of a caller who waited for its first event."""
    await follower.first()
    return follower


async def replay(events: Iterable[bytes]) -> AsyncGenerator[bytes]:
    """A recorded stream, at once."""
    for event in events:
        yield event
