"""The windows that quotas are counted in, and the limits over them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from deployments.quota.subject import Subject

MICROS = 1_000_000  # in one of the currency; floats would drift
EVER_START = datetime(1970, 1, 1, tzinfo=UTC)


class Window(StrEnum):
    """Fixed windows in UTC; the budget's never ends."""

    MINUTE = "minute"
    DAY = "day"
    EVER = "ever"

    def start(self, now: datetime) -> datetime:
        """When the window that `now` lies in began."""
        if self is Window.EVER:
            return EVER_START
        minute = now.astimezone(UTC).replace(second=0, microsecond=0)
        return minute if self is Window.MINUTE else minute.replace(hour=0, minute=0)

    def seconds_left(self, now: datetime) -> float:
        """Seconds until the next window begins; infinite for the one that never ends."""
        if self is Window.EVER:
            return math.inf
        length = timedelta(minutes=1) if self is Window.MINUTE else timedelta(days=1)
        return (self.start(now) + length - now).total_seconds()


@dataclass(frozen=True, slots=True)
class Amount:
    """What a call takes: requests, tokens, and millionths of the currency."""

    requests: int = 0
    tokens: int = 0
    cost_micros: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.requests + other.requests, self.tokens + other.tokens, self.cost_micros + other.cost_micros)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.requests - other.requests, self.tokens - other.tokens, self.cost_micros - other.cost_micros)

    def at_least(self, other: Amount) -> Amount:
        """The larger of the two, part by part."""
        return Amount(
            max(self.requests, other.requests),
            max(self.tokens, other.tokens),
            max(self.cost_micros, other.cost_micros),
        )

    def at_most(self, other: Amount) -> Amount:
        """The smaller of the two, part by part."""
        return Amount(
            min(self.requests, other.requests),
            min(self.tokens, other.tokens),
            min(self.cost_micros, other.cost_micros),
        )

    def fits(self, room: Amount) -> bool:
        """Whether the room holds it; what takes nothing of a part fits even where that part is overspent."""
        return (
            (self.requests <= 0 or self.requests <= room.requests)
            and (self.tokens <= 0 or self.tokens <= room.tokens)
            and (self.cost_micros <= 0 or self.cost_micros <= room.cost_micros)
        )


NOTHING = Amount()


@dataclass(frozen=True, slots=True)
class Limit:
    """A column of the table of quotas: which part of an amount it bounds, in which window."""

    name: str
    window: Window
    part: str


LIMITS = (
    Limit("requests_per_minute", Window.MINUTE, "requests"),
    Limit("tokens_per_minute", Window.MINUTE, "tokens"),
    Limit("requests_per_day", Window.DAY, "requests"),
    Limit("tokens_per_day", Window.DAY, "tokens"),
    Limit("budget_micros", Window.EVER, "cost_micros"),
)
BY_NAME = {limit.name: limit for limit in LIMITS}


@dataclass(frozen=True, slots=True)
class Standing:
    """One limit of a subject at one moment; `used` counts what others have reserved."""

    subject: Subject
    limit: Limit
    allowed: int
    used: int
    seconds_left: float

    @property
    def remaining(self) -> int:
        """What may still be reserved in this window."""
        return max(0, self.allowed - self.used)

    def wait(self, amount: Amount) -> float:
        """Seconds until the amount fits: 0 if it does now, infinite if no window will hold it."""
        wanted = getattr(amount, self.limit.part)
        if wanted <= 0 or self.used + wanted <= self.allowed:
            return 0.0
        return math.inf if wanted > self.allowed else self.seconds_left
