"""The queue of one priority: who waits in it, and how fast it moves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from deployments.router.shedding.status import PriorityStatus

SMOOTHING = 0.1  # of one waiter's pace: about the last 20 waiters


@dataclass(frozen=True, slots=True, eq=False)
class Waiter:
    """A request in the queue: since when, on which place, and the future that says whether it is admitted."""

    since: float
    place: int
    admitted: asyncio.Future[bool]


class WaitingQueue:
    """Oldest first, with the counters of its priority; joining, leaving and admitting take constant time."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.admitted = 0
        self.refused = 0
        self._waiters: dict[Waiter, None] = {}  # a dict, since it keeps the order and anyone may leave
        self._pace_s = 0.0  # seconds for each place

    def __len__(self) -> int:
        return len(self._waiters)

    @property
    def wait_s(self) -> float:
        """The estimated seconds that one who joins now would wait: what each place took lately, for all before it.

        0 in an empty queue, so that after a standstill somebody waits and finds out that it moves again.
        """
        return len(self._waiters) * self._pace_s

    def join(self, now: float, admitted: asyncio.Future[bool]) -> Waiter:
        """Wait behind all others."""
        waiter = Waiter(now, len(self._waiters) + 1, admitted)
        self._waiters[waiter] = None
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Wait no more; one that has left already may."""
        self._waiters.pop(waiter, None)

    def admit_next(self, now: float) -> None:
        """Hand a place to the oldest. It is in flight from now on, whenever its task goes on."""
        while self._waiters:
            waiter = next(iter(self._waiters))
            if self._end(waiter, now, admitted=True):
                self.enter()
                return

    def expire(self, waiter: Waiter, now: float) -> None:
        """It has waited as long as it may; that is what its place took at least."""
        if waiter in self._waiters:
            self._end(waiter, now, admitted=False)

    def enter(self) -> None:
        """Count one that is admitted."""
        self.in_flight += 1
        self.admitted += 1

    def status(self) -> PriorityStatus:
        """The counters as they are."""
        return PriorityStatus(self.in_flight, len(self._waiters), self.admitted, self.refused)

    def _end(self, waiter: Waiter, now: float, *, admitted: bool) -> bool:
        """Whether its caller was there to be told; a cancelled one's task has not gone on yet."""
        del self._waiters[waiter]
        if waiter.admitted.done():
            return False
        self._pace_s += ((now - waiter.since) / waiter.place - self._pace_s) * (SMOOTHING if self._pace_s else 1.0)
        waiter.admitted.set_result(admitted)
        return True
