"""One deadline per request, carried through every hop as the seconds that are left of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from autoglm.errors import DeadlineExceededError

DEFAULT_S = 600.0  # of a caller who names none; above the longest generation of the embedded models


class Deadline:
    """The moment after which nobody waits for the answer any more.

    Between processes it travels as the seconds left, as gRPC's does: clocks of two machines are never compared.
    """

    def __init__(self, seconds: float = DEFAULT_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._at = clock() + seconds

    def remaining(self) -> float:
        """Seconds left, 0 when it has passed."""
        return max(0.0, self._at - self._clock())

    def scope(self, grace_s: float = 0.0) -> asyncio.Timeout:
        """A context that cancels what runs in it, and raises TimeoutError, at the deadline or `grace_s` after it."""
        return asyncio.timeout(self.remaining() + grace_s)

    def check(self) -> None:
        """Raises DeadlineExceededError where it has passed."""
        if not self.remaining():
            raise self.error()

    def error(self) -> DeadlineExceededError:
        """What a caller hears whose deadline has passed."""
        return DeadlineExceededError(
            f"no answer within {self.seconds:g} s; send x-request-timeout-s with more, or ask for a shorter answer",
            param="x-request-timeout-s",
        )
