"""What is tried again, how often, and after how long."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from autoglm.client.step import Broken
from autoglm.errors import APIStatusError, AutoGLMError, ConfigError, InternalServerError, RateLimitError

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNANSWERED = (httpx.NetworkError, httpx.RemoteProtocolError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS, 2015).

    At most `max_attempts`, the first included, none of them begun later than `max_time_s` after the call. Before the
    n-th retry, a time drawn evenly from 0 to min(`cap_s`, `base_s` * 2^(n - 1)) passes, on top of what the server
    asked for with `Retry-After`. `uniform` draws from [0, 1).

    Raises:
        ConfigError: a number is negative, or no attempt is left.
    """

    max_attempts: int = 3
    max_time_s: float = 60.0
    base_s: float = 0.5
    cap_s: float = 8.0
    uniform: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise ConfigError(f"retry.max_attempts: got {self.max_attempts}; 1 or more do, the first attempt included")
        for name in ("max_time_s", "base_s", "cap_s"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"retry.{name}: got {getattr(self, name)}; 0 or more seconds do")

    def wait_s(self, attempt: int, error: AutoGLMError, left_s: float) -> float | None:
        """Seconds between the `attempt` (from 1) that ended in `error` and the next; None where there is no next.

        `left_s` is the time left for another attempt to begin: a longer wait would be for nothing.
        """
        if attempt >= self.max_attempts:
            return None
        asked = (error.retry_after or 0.0) if isinstance(error, APIStatusError) else 0.0
        wait = asked + self.uniform() * min(self.cap_s, self.base_s * 2 ** (attempt - 1))
        return wait if wait < left_s else None


NO_RETRIES = RetryPolicy(max_attempts=1)


def may_retry(outcome: httpx.Response | Broken, error: AutoGLMError, *, idempotent: bool, once: bool) -> bool:
    """Whether the documented table of errors lets this call be sent again.

    A connection that broke before any byte of the answer: yes, since the idempotency key keeps the server from doing
    the work twice. A server that keeps silent may still be at work, so that is repeated, like a 500, only for an
    `idempotent` call. Nothing is repeated once the answer had begun. A call that is to be sent `once` is repeated only
    where it reached no server, or was refused by a limit before anything was done.
    """
    if once:
        return isinstance(error, RateLimitError) or (isinstance(outcome, Broken) and isinstance(outcome.error, _UNSENT))
    if isinstance(outcome, Broken):
        repeatable = (*_UNANSWERED, httpx.TimeoutException) if idempotent else _UNANSWERED
        return not outcome.answered and isinstance(outcome.error, repeatable)
    if isinstance(error, InternalServerError):
        return idempotent
    return isinstance(error, APIStatusError) and error.retryable
