"""What a cache did so far, as metrics show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RemoteState = Literal["none", "up", "down"]


@dataclass(slots=True)
class Counters:
    """Counted since the start."""

    hits: int = 0
    misses: int = 0
    bypasses: int = 0
    joined: int = 0
    stale_hits: int = 0
    similar_hits: int = 0
    failed_refreshes: int = 0


@dataclass(frozen=True, slots=True)
class CacheStatus:
    """`hits` holds the stale and the similar ones, `misses` those that joined another's flight.

    `entries`, `bytes` and `flights` are as of now; `dropped_writes` never reached Redis.
    """

    entries: int
    bytes: int
    flights: int
    hits: int
    misses: int
    bypasses: int
    joined: int
    stale_hits: int
    similar_hits: int
    failed_refreshes: int
    dropped_writes: int
    remote: RemoteState
