"""How often a request is tried again, and how much of a target's traffic retries may be.

Two bounds. A request's own budget is shared by all of its hops, so that retries at one do not multiply those at the
next. A pool's token bucket is shared by all requests for one target, so that an outage cannot turn into a storm
(Finagle's RetryBudget; gRPC's retry throttling, proposal A6).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class RetryConfig(BaseModel):
    """At most `max_attempts` of a request, the first included; waits between them in seconds.

    Of a pool: `ratio` tokens for each first attempt, `min_per_s` for each second, `capacity` at most and at the start.
    The defaults are Finagle's 20 % and 10 a second, with ten seconds of these in reserve: a replica that dies with a
    hundred calls under way has all of them tried elsewhere.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_attempts: int = Field(default=3, ge=1, le=10)
    ratio: float = Field(default=0.2, ge=0, le=1)
    min_per_s: float = Field(default=10.0, ge=0)
    capacity: float = Field(default=100.0, ge=1)
    backoff_s: float = Field(default=0.01, ge=0)
    max_backoff_s: float = Field(default=0.25, ge=0)

    @model_validator(mode="after")
    def _backoff_grows(self) -> Self:
        if self.max_backoff_s < self.backoff_s:
            raise ValueError(f"max_backoff_s ({self.max_backoff_s}) is below backoff_s ({self.backoff_s})")
        return self


class RetryBudget:
    """The retries that a request has left, over all of its hops; `remaining` is what the next hop is told."""

    def __init__(self, remaining: int) -> None:
        self.remaining = remaining

    def take(self) -> bool:
        """Take one; False where none is left."""
        if self.remaining <= 0:
            return False
        self.remaining -= 1
        return True


class RetryPool:
    """The token bucket of one target's retries.

    Over any time, retries are at most `ratio` of the first attempts, `min_per_s` of the seconds, and `capacity`.
    `clock` is in seconds and never goes back.
    """

    def __init__(self, config: RetryConfig, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._tokens = config.capacity
        self._filled_at = clock()

    def deposit(self) -> None:
        """A first attempt is made."""
        self._fill(self._config.ratio)

    def withdraw(self) -> bool:
        """Take a retry; False where the target has had its share of them."""
        self._fill(0.0)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def _fill(self, tokens: float) -> None:
        now = self._clock()
        gained = tokens + (now - self._filled_at) * self._config.min_per_s
        self._tokens = min(self._config.capacity, self._tokens + gained)
        self._filled_at = now


def backoff(attempt: int, config: RetryConfig, rng: random.Random) -> float:
    """Seconds between the `attempt` that failed, counted from 1, and the next.

    Full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS, 2015): drawn evenly from 0 to a bound that doubles
    with each attempt, up to `max_backoff_s`.
    """
    return rng.uniform(0.0, min(config.max_backoff_s, config.backoff_s * 2 ** (attempt - 1)))
