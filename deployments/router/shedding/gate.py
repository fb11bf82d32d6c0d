"""The gate in front of a target: requests enter within its limit, wait for a place, or are refused at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from autoglm.errors import DeadlineExceededError, UnavailableError
from deployments.router.shedding.config import LoadSheddingConfig
from deployments.router.shedding.limit import AdaptiveLimit
from deployments.router.shedding.priority import Priority
from deployments.router.shedding.status import GateStatus
from deployments.router.shedding.waiting import Waiter, WaitingQueue

# How long after the last interactive request room is kept for the next: somebody reads an answer and asks again.
RECENT_S = 10.0
# Of the target's mean latency, kept of a request's time for the work itself: 86 % of exponential times are shorter.
WORK = 2.0
MIN_RETRY_AFTER_S, MAX_RETRY_AFTER_S = 1.0, 30.0


class Slot:
    """A place in flight at a target, from the moment `enter` returned it until its `with` block is left.

    What the limit learns of it: the seconds given to `sample`, else those from admission to the block's end. An error
    or a cancellation teaches nothing, but for a time-out, which is a sign of overload.
    """

    __slots__ = ("_entered", "_gate", "_priority", "_seconds")

    def __init__(self, gate: Gate, priority: Priority, entered: float) -> None:
        self._gate = gate
        self._priority = priority
        self._entered = entered
        self._seconds: float | None = None

    def sample(self, seconds: float) -> None:
        """Take this for the latency: a stream's time to its first token, as its length is the caller's wish."""
        self._seconds = seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._gate._leave(self._priority, self._entered, self._seconds, error)


class Gate:
    """Admits requests to one target, on one event loop.

    Interactive requests come before batch ones. Within a priority the oldest is first: newest first (as in Maurer,
    "Fail at Scale", ACM Queue 2015) rescues a queue in which most are already too late, and here nobody is: who cannot
    be served in time by the queue's pace does not join it, and who has waited beyond it is refused before any work is
    done for it. So fairness costs no goodput.
    """

    def __init__(
        self, target: str, config: LoadSheddingConfig | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._target = target
        self._config = config or LoadSheddingConfig()
        self._clock = clock
        self._limit = AdaptiveLimit(self._config, clock)
        self._interactive, self._batch = WaitingQueue(), WaitingQueue()
        self._interactive_seen = float("-inf")

    async def enter(self, priority: Priority = Priority.INTERACTIVE, timeout_s: float | None = None) -> Slot:
        """A place at the target, to be used as a context at once; `timeout_s` is what is left of the deadline.

        Raises:
            UnavailableError: too many wait, or the wait would leave no time for the work, or it has left none;
                `retry_after` is when the queue should have been worked off.
        """
        now = self._clock()
        queue = self._queue(priority)
        if priority is Priority.INTERACTIVE:
            self._interactive_seen = now
        if not queue and self._has_room(priority, now):
            queue.enter()
        else:
            now = await self._wait(queue, priority, now, self._patience_s(timeout_s))
        return Slot(self, priority, now)

    def status(self) -> GateStatus:
        """Limit, load and counters."""
        return GateStatus(
            limit=self._limit.value,
            in_flight=self._in_flight,
            latency_s=self._limit.latency_s,
            interactive=self._interactive.status(),
            batch=self._batch.status(),
        )

    @property
    def _in_flight(self) -> int:
        return self._interactive.in_flight + self._batch.in_flight

    @property
    def _is_wanted(self) -> bool:
        """Whether somebody waits for a place, if only for one of those that batch requests may have."""
        return bool(self._interactive or self._batch)

    def _queue(self, priority: Priority) -> WaitingQueue:
        return self._interactive if priority is Priority.INTERACTIVE else self._batch

    def _has_room(self, priority: Priority, now: float) -> bool:
        in_flight = self._in_flight
        if in_flight >= self._limit.value:
            return False
        if priority is Priority.INTERACTIVE or not self._batch.in_flight:  # one batch request may always be there
            return True
        return in_flight < self._config.batch_share * self._limit.value or not self._is_interactive(now)

    def _is_interactive(self, now: float) -> bool:
        """Whether there is interactive traffic, or was until lately."""
        return self._interactive.in_flight > 0 or now - self._interactive_seen < RECENT_S

    def _patience_s(self, timeout_s: float | None) -> float:
        if timeout_s is None:
            return self._config.max_wait_s
        return min(self._config.max_wait_s, timeout_s - WORK * self._limit.latency_s)

    async def _wait(self, queue: WaitingQueue, priority: Priority, now: float, patience_s: float) -> float:
        """The time of admission."""
        if len(queue) >= self._config.max_waiting:
            raise self._refused(queue, f"{len(queue)} {priority} requests wait already")
        if queue.wait_s >= patience_s:
            reason = f"it may wait for {max(patience_s, 0):.1f} s, and the queue takes about {queue.wait_s:.1f} s"
            raise self._refused(queue, reason)
        loop = asyncio.get_running_loop()
        waiter = queue.join(now, loop.create_future())
        timer = loop.call_later(patience_s, lambda: queue.expire(waiter, self._clock()))
        try:
            admitted = await waiter.admitted
        except asyncio.CancelledError:
            self._abandon(queue, waiter)
            raise
        finally:
            timer.cancel()
        if not admitted:
            raise self._refused(queue, f"no place came free within {patience_s:.1f} s")
        return self._clock()

    def _refused(self, queue: WaitingQueue, reason: str) -> UnavailableError:
        queue.refused += 1
        retry_after = min(max(queue.wait_s, MIN_RETRY_AFTER_S), MAX_RETRY_AFTER_S)
        return UnavailableError(
            f"{self._target} is overloaded, {reason}; send it again in {retry_after:.0f} s", retry_after=retry_after
        )

    def _abandon(self, queue: WaitingQueue, waiter: Waiter) -> None:
        """The caller has gone: out of the queue, or the place that it was just handed goes to the next."""
        queue.leave(waiter)
        if not waiter.admitted.cancelled() and waiter.admitted.result():
            queue.in_flight -= 1
            self._admit()

    def _leave(self, priority: Priority, entered: float, seconds: float | None, error: BaseException | None) -> None:
        held_s = self._clock() - entered
        if isinstance(error, DeadlineExceededError | TimeoutError):
            self._limit.timed_out(held_s, self._in_flight, is_wanted=self._is_wanted)
        elif error is None or seconds is not None:
            latency_s = held_s if seconds is None else seconds
            self._limit.sample(latency_s, held_s, self._in_flight, is_wanted=self._is_wanted)
        self._queue(priority).in_flight -= 1
        self._admit()

    def _admit(self) -> None:
        """Hand on what is free: to interactive requests as long as any wait, then to batch ones."""
        now = self._clock()
        for priority, queue in ((Priority.INTERACTIVE, self._interactive), (Priority.BATCH, self._batch)):
            while queue and self._has_room(priority, now):
                queue.admit_next(now)
