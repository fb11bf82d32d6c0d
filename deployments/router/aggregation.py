"""Many concurrent requests for one target become one handle call.

A nested handle call costs milliseconds of two processes; a batch of 32 pays it once. Requests are sent at once while
the target has a free slot and wait only while it has none, so a lone request never waits for company.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from autoglm.errors import APIStatusError, UnavailableError, UpstreamError

Inputs = list[Any]
Outcome = dict[str, Any] | APIStatusError
Call = Callable[[list[Inputs]], Awaitable[list[Outcome]]]

logger = logging.getLogger("ray.serve")

RETRY_AFTER_S = 1.0  # a full queue of the embedded models is worked off in about this time


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request's inputs and the future that its caller awaits."""

    inputs: Inputs
    outcome: asyncio.Future[dict[str, Any]]


class Aggregator:
    """Gathers what waits for one target; at most `slots` calls are under way at a time.

    Two slots a replica keep it busy: one batch computes while the next is on its way.
    """

    def __init__(self, call: Call, *, max_batch_size: int, slots: int, max_waiting_inputs: int) -> None:
        self._call = call
        self._max_batch_size = max_batch_size
        self._free = slots
        self._room = max_waiting_inputs
        self._waiting: deque[Waiting] = deque()
        self._calls: set[asyncio.Task[None]] = set()

    async def submit(self, inputs: Inputs) -> dict[str, Any]:
        """The outcome of one request.

        Raises:
            APIStatusError: the request's own error, or that of the call that carried it.
            UnavailableError: more waits already than the queue holds.
        """
        if len(inputs) > self._room:
            raise UnavailableError("too many inputs are waiting for this model", retry_after=RETRY_AFTER_S)
        waiting = Waiting(inputs, asyncio.get_running_loop().create_future())
        self._room -= len(inputs)
        self._waiting.append(waiting)
        self._dispatch()
        return await waiting.outcome

    def _dispatch(self) -> None:
        while self._free and (batch := self._next_batch()):
            self._free -= 1
            task = asyncio.create_task(self._run(batch))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)

    def _next_batch(self) -> list[Waiting]:
        """The first to come, up to a full batch; those whose callers have gone are dropped."""
        batch: list[Waiting] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0].inputs) <= self._max_batch_size):
            waiting = self._waiting.popleft()
            self._room += len(waiting.inputs)
            if not waiting.outcome.done():
                batch.append(waiting)
                size += len(waiting.inputs)
        return batch

    async def _run(self, batch: list[Waiting]) -> None:
        try:
            outcomes = await self._call([waiting.inputs for waiting in batch])
            for waiting, outcome in zip(batch, outcomes, strict=True):
                settle(waiting.outcome, outcome)
        except (Exception, asyncio.CancelledError) as fault:
            error = fault if isinstance(fault, APIStatusError) else unexpected(fault)
            for waiting in batch:
                settle(waiting.outcome, error)
            if isinstance(fault, asyncio.CancelledError):
                raise
        finally:
            self._free += 1
            self._dispatch()


def unexpected(fault: BaseException) -> UpstreamError:
    """A fault that no replica told of: logged whole, told without details."""
    logger.error("a call failed", exc_info=fault)
    return UpstreamError(f"the call to the model failed: {type(fault).__name__}")


def settle(future: asyncio.Future[dict[str, Any]], outcome: Outcome) -> None:
    """Hand an outcome to its caller, unless the caller has gone."""
    if future.done():
        return
    if isinstance(outcome, APIStatusError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
