"""A clock that the test moves."""

from __future__ import annotations


class Ticks:
    """Seconds, from an odd start, so that nothing can rest on it being 0."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
