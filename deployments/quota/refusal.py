"""Why a quota does not admit a call, and when it will."""

from __future__ import annotations

import math
from collections.abc import Iterable

from autoglm.errors import QuotaExceededError
from deployments.quota.windows import Amount, Standing


def refused(standings: Iterable[Standing], amount: Amount) -> QuotaExceededError | None:
    """The limit that makes the caller wait longest, as an error; None where all admit the amount."""
    worst = max(standings, key=lambda standing: standing.wait(amount), default=None)
    if worst is None or not (wait := worst.wait(amount)):
        return None
    name, wanted = worst.limit.name, getattr(amount, worst.limit.part)
    message = f"{name}: {wanted:,} more do not fit, {worst.used:,} of {worst.allowed:,} are used or reserved"
    if math.isinf(wait):
        return QuotaExceededError(f"{message}; waiting does not help: ask for less, or for a larger quota", param=name)
    return QuotaExceededError(f"{message}; the next window begins in {wait:.0f} s", param=name, retry_after=wait)
