"""OpenAI's rate-limit headers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime

from deployments.quota.windows import NOTHING, Amount, Standing

COUNTED = ("requests", "tokens")  # the budget has no header


def rate_limit_headers(standings: Sequence[Standing], at: datetime, *, free: Amount = NOTHING) -> dict[str, str]:
    """The tightest limit of requests and of tokens, over minute and day, key and tenant; only what is limited.

    `free` is what the standings count as used and is still to be had, in a lease.
    """
    headers: dict[str, str] = {}
    for part in COUNTED:
        found = tightest(standing for standing in standings if standing.limit.part == part)
        if found is not None:
            remaining = max(0, found.allowed - found.used + getattr(free, part))
            headers[f"x-ratelimit-limit-{part}"] = str(found.allowed)
            headers[f"x-ratelimit-remaining-{part}"] = str(remaining)
            headers[f"x-ratelimit-reset-{part}"] = duration(found.limit.window.seconds_left(at))
    return headers


def tightest(standings: Iterable[Standing]) -> Standing | None:
    """The one with the least left; of equal ones, the one that resets last."""
    return min(standings, key=lambda found: (found.allowed - found.used, -found.seconds_left), default=None)


def duration(seconds: float) -> str:
    """As OpenAI writes it: `120ms`, `1s`, `6m0s`, `23h0m5s`; rounded up, so that nobody comes too early."""
    if seconds <= 0.999:
        return f"{math.ceil(seconds * 1000)}ms"
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{rest}s"
