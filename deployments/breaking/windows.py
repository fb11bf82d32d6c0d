"""Sliding windows over the outcomes of calls, as resilience4j has them: the last calls, or the last seconds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

BUCKETS = 10  # of a time window: a call leaves it within a tenth of its length


@dataclass(slots=True)
class Counts:
    """Calls, and how many of them failed or were slow; one call may be both."""

    calls: int = 0
    failures: int = 0
    slow: int = 0

    def add(self, other: Counts, sign: int = 1) -> None:
        """Count another's calls in, or (`sign` of -1) out."""
        self.calls += sign * other.calls
        self.failures += sign * other.failures
        self.slow += sign * other.slow


class Window(Protocol):
    """What a breaker reads its rates from; `now` is its clock's, in seconds."""

    def record(self, call: Counts, now: float) -> None:
        """Take in one call."""

    def counts(self, now: float) -> Counts:
        """What is in the window; not to be kept, since it goes on counting."""


class CountWindow:
    """The last `size` calls."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._last: deque[Counts] = deque()
        self._total = Counts()

    def record(self, call: Counts, now: float) -> None:
        """Take in one call; the oldest leaves when the window is full."""
        self._last.append(call)
        self._total.add(call)
        if len(self._last) > self._size:
            self._total.add(self._last.popleft(), -1)

    def counts(self, now: float) -> Counts:
        """What is in the window."""
        return self._total


class TimeWindow:
    """The last `seconds`, in `BUCKETS` equal parts of which the oldest leaves as a whole."""

    def __init__(self, seconds: float) -> None:
        self._width = seconds / BUCKETS
        self._buckets: deque[tuple[int, Counts]] = deque()
        self._total = Counts()

    def record(self, call: Counts, now: float) -> None:
        """Take in one call."""
        index = self._rotate(now)
        if not self._buckets or self._buckets[-1][0] != index:
            self._buckets.append((index, Counts()))
        self._buckets[-1][1].add(call)
        self._total.add(call)

    def counts(self, now: float) -> Counts:
        """What is in the window."""
        self._rotate(now)
        return self._total

    def _rotate(self, now: float) -> int:
        index = int(now // self._width)
        while self._buckets and self._buckets[0][0] <= index - BUCKETS:
            self._total.add(self._buckets.popleft()[1], -1)
        return index
