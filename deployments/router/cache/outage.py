"""A server that is down: noticed once, told once, and asked again by one request at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable

logger = logging.getLogger("ray.serve")

RETRY_S = 1.0  # the least time between two questions to a server that is down


class Outage:
    """Whether a server may be asked. Not for threads."""

    def __init__(self, place: str, monotonic: Callable[[], float]) -> None:
        self._place = place
        self._monotonic = monotonic
        self._again_at: float | None = None

    @property
    def is_on(self) -> bool:
        """Whether the last answer was none."""
        return self._again_at is not None

    def admits(self) -> bool:
        """True while it is up. While it is down: to the first that asks after RETRY_S, and not to those beside it."""
        if self._again_at is None:
            return True
        now = self._monotonic()
        if now < self._again_at:
            return False
        self._again_at = now + RETRY_S
        return True

    def failed(self, fault: BaseException) -> None:
        """It did not answer."""
        if self._again_at is None:
            logger.warning("Redis at %s: %s; served without it until it answers", self._place, type(fault).__name__)
        self._again_at = self._monotonic() + RETRY_S

    def answered(self) -> None:
        """It did."""
        if self._again_at is not None:
            logger.info("Redis at %s answers again", self._place)
        self._again_at = None
