"""A clock that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.deployments.access.issuer import NOW


class Ticks:
    """Seconds, as `time.monotonic` has them, and the same as a moment."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def moment(self) -> datetime:
        return datetime.fromtimestamp(NOW + self.now, UTC)
