"""Many concurrent requests for one target become one handle call.

A nested handle call costs milliseconds of two processes; a batch of 32 pays it once. A lone request never waits for
company.
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

LINGER_S = 0.003  # about what a burst of answers takes to become the next requests
RETRY_AFTER_S = 1.0  # a full queue of the embedded models is worked off in about this time


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request's inputs and the future that its caller awaits."""

    inputs: Inputs
    outcome: asyncio.Future[dict[str, Any]]


class Aggregator:
    """Gathers what waits for one target; at most `slots` calls are under way at a time.

    While none is, a request leaves at once. While one is, the model is busy anyway: then a call leaves as soon as it is
    full, or `linger_s` after its first request came.
    """

    def __init__(
        self, call: Call, *, max_batch_size: int, slots: int, max_waiting_inputs: int, linger_s: float = LINGER_S
    ) -> None:
        self._call = call
        self._max_batch_size = max_batch_size
        self._slots = slots
        self._max_waiting_inputs = max_waiting_inputs
        self._linger_s = linger_s
        self._waiting: deque[Waiting] = deque()
        self._size = 0  # inputs in `_waiting`
        self._calls: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def submit(self, inputs: Inputs) -> dict[str, Any]:
        """The outcome of one request.

        Raises:
            APIStatusError: the request's own error, or that of the call that carried it.
            UnavailableError: more waits already than the queue holds.
        """
        if self._size + len(inputs) > self._max_waiting_inputs:
            raise UnavailableError("too many inputs are waiting for this model", retry_after=RETRY_AFTER_S)
        waiting = Waiting(inputs, asyncio.get_running_loop().create_future())
        self._size += len(inputs)
        self._waiting.append(waiting)
        self._consider()
        return await waiting.outcome

    def _consider(self) -> None:
        if not self._calls or self._size >= self._max_batch_size:
            self._dispatch()
        elif self._timer is None and self._waiting:
            self._timer = asyncio.get_running_loop().call_later(self._linger_s, self._dispatch)

    def _dispatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while len(self._calls) < self._slots and (batch := self._next_batch()):
            task = asyncio.create_task(self._run(batch))
            self._calls.add(task)
            task.add_done_callback(self._returned)

    def _returned(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        self._consider()

    def _next_batch(self) -> list[Waiting]:
        """The first to come, up to a full batch; those whose callers have gone are dropped."""
        batch: list[Waiting] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0].inputs) <= self._max_batch_size):
            waiting = self._waiting.popleft()
            self._size -= len(waiting.inputs)
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
