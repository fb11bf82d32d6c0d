"""Many concurrent requests for one target become one handle call.

A nested handle call costs milliseconds of two processes; a batch of 32 pays it once. A lone request never waits for
company.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import dataclass
from math import ceil, inf
from typing import Any, Protocol

from autoglm.errors import APIStatusError, UnavailableError, UpstreamError
from deployments.router.line import Inputs, Waiting, WaitingLine
from deployments.router.pace import Pace

Request = tuple[Inputs, float | None]  # with the seconds left of its deadline when it is sent
Outcome = dict[str, Any] | APIStatusError
Call = Callable[[list[Request]], Awaitable[list[Outcome]]]

logger = logging.getLogger("ray.serve")

MAX_WAIT_S = 0.01
RETRY_AFTER_S = 1.0  # a full queue of the embedded models is worked off in about this time


@dataclass(frozen=True, slots=True)
class Dispatched:
    """A call that was sent: its inputs, the longest wait of its requests, and its inputs' share of a full batch."""

    size: int
    waited_s: float
    utilisation: float


Observe = Callable[[Dispatched], None]


class Clock(Protocol):
    """The part of an event loop that tells the time."""

    def time(self) -> float:
        """Seconds."""

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.Handle:
        """Call back at that time, or at once where it has passed; uvloop's handle does not know the time then."""


class Aggregator:
    """Gathers what waits for one target; at most `slots` calls are under way at a time.

    While a replica is free, a request leaves at once. While all are busy, a call leaves when it is full, when it has
    its share and the model is about to be free (`Pace`), or when its oldest request has waited for `max_wait_s`. With
    R replicas the share is all inputs that wait or are under way, divided by R + 1: without it, callers who ask again
    as soon as they are answered would come back all at once, and the model would wait for them. With `by_length` inputs
    are texts, and a call takes those of like length. A call runs in the context of its first request.
    """

    def __init__(
        self,
        call: Call,
        *,
        max_batch_size: int,
        slots: int,
        max_waiting_inputs: int,
        max_wait_s: float = MAX_WAIT_S,
        replicas: int = 1,
        by_length: bool = False,
        observe: Observe | None = None,
        clock: Callable[[], Clock] = asyncio.get_running_loop,
    ) -> None:
        self._call = call
        self._max_batch_size = max_batch_size
        self._slots = slots
        self._max_waiting_inputs = max_waiting_inputs
        self._max_wait_s = max_wait_s
        self._replicas = replicas
        self._by_length = by_length
        self._observe = observe
        self._clock = clock
        self._line = WaitingLine(max_batch_size)
        self._pace = Pace()
        self._calls: dict[asyncio.Task[None], list[Waiting]] = {}
        self._under_way = 0  # inputs of these calls
        self._timer: asyncio.Handle | None = None
        self._wakes_at = inf

    async def submit(self, inputs: Inputs, timeout_s: float | None = None) -> dict[str, Any]:
        """The outcome of one request.

        `timeout_s` is what is left of its deadline, which the replica is told; to stop waiting is up to the caller.
        One that goes takes its inputs along, and with its last caller a call is cancelled.

        Raises:
            APIStatusError: the request's own error, or that of the call that carried it.
            UnavailableError: more waits already than the queue holds.
        """
        if self._line.size + len(inputs) > self._max_waiting_inputs:
            raise UnavailableError("too many inputs are waiting for this model", retry_after=RETRY_AFTER_S)
        now = self._clock().time()
        deadline = None if timeout_s is None else now + timeout_s
        length = longest(inputs) if self._by_length else 0
        waiting = Waiting(inputs, asyncio.get_running_loop().create_future(), now, deadline, length)
        self._line.add(waiting)
        self._consider()
        try:
            return await waiting.outcome
        except asyncio.CancelledError:
            self._leave(waiting)
            raise

    def _consider(self) -> None:
        """Send what may go now, and come back when the rest may."""
        clock = self._clock()
        while self._line and len(self._calls) < self._slots:
            share = self._share()
            if (due := self._due(share)) > clock.time():
                self._wake_at(due)
                return
            self._send(self._line.take(clock.time(), share), clock.time())

    def _share(self) -> int:
        """How many inputs the next call may carry."""
        known = self._line.size + self._under_way
        return min(self._max_batch_size, ceil(known / (self._replicas + 1)))

    def _due(self, share: int) -> float:
        """When the next call leaves."""
        if len(self._calls) < self._replicas or self._line.is_full:
            return -inf
        latest = self._line.oldest.since + self._max_wait_s
        return min(latest, self._pace.due()) if self._line.size >= share else latest

    def _wake_at(self, due: float) -> None:
        """One timer is enough: the earliest."""
        if due >= self._wakes_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_at = due
        self._timer = self._clock().call_at(due, self._woken)

    def _woken(self) -> None:
        self._timer, self._wakes_at = None, inf
        self._consider()

    def _send(self, batch: list[Waiting], now: float) -> None:
        size = inputs_of(batch)
        if not self._calls:
            self._pace.began(now)
        if self._observe is not None:
            waited_s = now - min(waiting.since for waiting in batch)
            self._observe(Dispatched(size, waited_s, size / self._max_batch_size))
        task = asyncio.get_running_loop().create_task(self._run(batch, now), context=batch[0].context)
        self._calls[task] = batch
        self._under_way += size
        task.add_done_callback(self._returned)

    def _returned(self, task: asyncio.Task[None]) -> None:
        self._under_way -= inputs_of(self._calls.pop(task))
        self._consider()

    def _leave(self, waiting: Waiting) -> None:
        """Out of the line, or from a call, which is cancelled when nobody is left who waits for it."""
        if waiting in self._line:
            self._line.remove(waiting)
            return
        for task, batch in self._calls.items():
            if waiting in batch and all(other.outcome.done() for other in batch):
                task.cancel()

    async def _run(self, batch: list[Waiting], now: float) -> None:
        try:
            outcomes = await self._call([(waiting.inputs, waiting.left(now)) for waiting in batch])
            self._pace.answered(self._clock().time())
            for waiting, outcome in zip(batch, outcomes, strict=True):
                settle(waiting.outcome, outcome)
        except (Exception, asyncio.CancelledError) as fault:
            error = fault if isinstance(fault, APIStatusError) else unexpected(fault)
            for waiting in batch:
                settle(waiting.outcome, copy(error))  # each its own: a shared one gathers every caller's traceback
            if isinstance(fault, asyncio.CancelledError):
                raise


def inputs_of(batch: list[Waiting]) -> int:
    """How many inputs its requests have together."""
    return sum(len(waiting.inputs) for waiting in batch)


def longest(inputs: Inputs) -> int:
    """Characters of the longest text; what is none is the replica's to refuse."""
    return max((len(item) for item in inputs if isinstance(item, str)), default=0)


def unexpected(fault: BaseException) -> UpstreamError:
    """A fault that no replica told of: logged whole, told without details."""
    if not isinstance(fault, asyncio.CancelledError):
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
