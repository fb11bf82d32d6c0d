"""So many calls a minute, and not one more in any minute."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from autoglm.errors import RateLimitError

MINUTE_S = 60.0


class Pace:
    """A sliding log of the last minute's calls: exact, and no longer than the limit. Without a limit it keeps none."""

    def __init__(self, name: str, calls_per_minute: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._limit = calls_per_minute
        self._clock = clock
        self._taken: deque[float] = deque(maxlen=calls_per_minute)

    def take(self) -> None:
        """Count one call.

        Raises:
            RateLimitError: the limit is reached; `retry_after` says when the oldest call is a minute ago.
        """
        if self._limit is None:
            return
        now = self._clock()
        if len(self._taken) == self._limit and (wait_s := self._taken[0] + MINUTE_S - now) > 0:
            raise RateLimitError(
                f"{self._name} takes {self._limit} calls a minute; try again in {wait_s:.2g} s", retry_after=wait_s
            )
        self._taken.append(now)
