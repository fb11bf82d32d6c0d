"""A run's events as server-sent events (WHATWG HTML, 9.2): `id` is the event's number, `event` its type."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from autoglm.contract.task_run import RunEvent
from autoglm.errors import APIStatusError, InternalServerError
from serve_app.http.wire import wire

logger = logging.getLogger("ray.serve")

# A comment, which readers skip. Proxies cut a connection that is silent for long, often after 60 s, and a server
# finds out that its client is gone when it writes.
KEEP_ALIVE = b": still at work\n\n"
KEEP_ALIVE_S = 15.0
INTERNAL = "an internal error; the server's log has it"

RUN_EVENT = {
    "type": "object",
    "description": "`event` is the event's type, `id` its number, `data` the RunEvent as JSON",
    "properties": {"id": {"type": "string"}, "event": {"type": "string"}, "data": {"type": "string"}},
    "required": ["data"],
}


def encoded(event: RunEvent) -> bytes:
    """One event on the wire; JSON holds no bare line break, so its data are one line."""
    data = wire(event, exclude_none=True)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, event.type.encode(), data)


async def sent(
    events: AsyncGenerator[RunEvent], request_id: str, pause_s: float = KEEP_ALIVE_S
) -> AsyncGenerator[bytes]:
    """The events on the wire, with a comment after each `pause_s` without one; a fault is the last of them.

    They are read in a task of their own: a wait for the next that is given up would break them off.
    """
    coming: asyncio.Queue[RunEvent | None] = asyncio.Queue(maxsize=1)
    reading = asyncio.create_task(read(events, coming, request_id))
    try:
        while True:
            try:
                async with asyncio.timeout(pause_s):
                    event = await coming.get()
            except TimeoutError:
                yield KEEP_ALIVE
                continue
            if event is None:
                return
            yield encoded(event)
    finally:
        reading.cancel()


async def read(events: AsyncGenerator[RunEvent], coming: asyncio.Queue[RunEvent | None], request_id: str) -> None:
    """Hand on the events, then the fault where they end with one, then None. A reader that is cancelled closes them."""
    seq = 0
    try:
        async with aclosing(events):
            async for event in events:
                seq = event.seq
                await coming.put(event)
    except APIStatusError as error:
        await coming.put(failed(error, seq + 1, request_id))
    except Exception as fault:  # told without details, as everywhere; the stream has begun and needs its end
        logger.error("request %s failed", request_id, exc_info=fault)
        await coming.put(failed(InternalServerError(INTERNAL), seq + 1, request_id))
    await coming.put(None)


def failed(error: APIStatusError, seq: int, request_id: str) -> RunEvent:
    """The event of an error that is not the run's own."""
    error.request_id = request_id
    return RunEvent(seq=seq, type="error", error=error.body().error)


async def chained(first: RunEvent, events: AsyncGenerator[RunEvent]) -> AsyncGenerator[RunEvent]:
    """The events with one that was taken from them before."""
    async with aclosing(events):
        yield first
        async for event in events:
            yield event
