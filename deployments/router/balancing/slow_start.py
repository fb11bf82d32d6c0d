"""Slow start: a new replica gets its share of the traffic little by little, while its caches and kernels warm up.

Method: Envoy's slow start mode with aggression 1 (a straight line), as a probability to be a candidate at all, so
that it goes with any policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

LEAST_SHARE = 0.1  # Envoy's min_weight_percent: with less, a replica that is hardly called would never warm up


class SlowStart:
    """When each replica of one pool was first seen. Not for threads."""

    def __init__(self, window_s: float, clock: Callable[[], float], rng: Random) -> None:
        self._window_s = window_s
        self._clock = clock
        self._rng = rng
        self._first_seen: dict[str, float] = {}

    def keep(self, replicas: Iterable[str]) -> None:
        """The replicas that there are now. Those of the first call are warm: the router is new then, not they."""
        now = self._clock() if self._first_seen else float("-inf")
        self._first_seen = {replica: self._first_seen.get(replica, now) for replica in replicas}

    def share(self, replica: str) -> float:
        """Its share of what it would get when warm, from `LEAST_SHARE` to 1."""
        age = self._clock() - self._first_seen.get(replica, float("-inf"))
        if age >= self._window_s:
            return 1.0
        return max(LEAST_SHARE, age / self._window_s)

    def held_back(self) -> set[str]:
        """Those that are no candidates this time."""
        return {replica for replica in self._first_seen if self._holds_back(replica)}

    def _holds_back(self, replica: str) -> bool:
        share = self.share(replica)
        return share < 1.0 and self._rng.random() >= share
