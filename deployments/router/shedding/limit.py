"""A limit of requests in flight that adapts to what its target does with them."""

from __future__ import annotations

import time
from collections.abc import Callable

from deployments.router.shedding.config import LoadSheddingConfig
from deployments.router.shedding.policy import POLICIES
from deployments.router.shedding.window import Window

SMOOTHING = 0.05  # of a latency into `latency_s`: about the last 40 answers


class AdaptiveLimit:
    """How many requests may be in flight, between `min_limit` and `max_limit`; constant time for each sample.

    It changes at the end of a window of samples, by the configured policy.
    """

    def __init__(self, config: LoadSheddingConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self.value = config.initial_limit
        self.latency_s = 0.0  # smoothed; 0 before the first sample
        self._config = config
        self._clock = clock
        self._policy = POLICIES[config.policy](config)
        self._window = Window(clock())
        self._exact = float(config.initial_limit)

    def sample(self, latency_s: float, held_s: float, in_flight: int, *, is_wanted: bool) -> None:
        """A request was answered, and left after `held_s` with `in_flight` requests there, itself included.

        `is_wanted`: others waited for a place.
        """
        self.latency_s += (latency_s - self.latency_s) * (SMOOTHING if self.latency_s else 1.0)
        self._window.add(latency_s, held_s, in_flight, timed_out=False, is_wanted=is_wanted)
        self._adapt()

    def timed_out(self, held_s: float, in_flight: int, *, is_wanted: bool) -> None:
        """A request was given up after `held_s`. It counts unless answers take as long by nature.

        Otherwise callers with tiny deadlines would take the target from all others.
        """
        if held_s > self.latency_s:
            self._window.add(held_s, held_s, in_flight, timed_out=True, is_wanted=is_wanted)
            self._adapt()

    def _adapt(self) -> None:
        now = self._clock()
        if self._window.is_whole(now):
            moved = self._policy.next(self._exact, self._window.measured())
            self._exact = max(float(self._config.min_limit), min(moved, float(self._config.max_limit)))
            self.value = int(self._exact)
            self._window = Window(now)
