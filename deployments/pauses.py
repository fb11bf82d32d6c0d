"""How long to wait between two tries."""

from __future__ import annotations

from collections.abc import Iterator


def doubling(first_s: float, longest_s: float) -> Iterator[float]:
    """`first_s`, then twice as long each time and `longest_s` at most, without end."""
    pause_s = first_s
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, longest_s)
