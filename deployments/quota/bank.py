"""What a router replica and the control plane tell each other about quotas."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from deployments.quota.meter import Spent
from deployments.quota.subject import Subject
from deployments.quota.windows import NOTHING, Amount, Standing, Window


@dataclass(frozen=True, slots=True)
class Wanted:
    """A lease that a replica asks for: at least `need` and at most `wish`, of all subjects or of none.

    The replica names it, so that it can give back one whose answer never came.
    """

    lease: str
    subjects: tuple[Subject, ...]
    need: Amount
    wish: Amount


@dataclass(frozen=True, slots=True)
class Lease:
    """What was granted. `taken` is when, by the bank's clock, and so says the windows that it counts in.

    `standings` are the limits as they are after it.
    """

    id: str
    reserved: Amount
    taken: datetime
    standings: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True)
class Settlement:
    """What calls used of a lease since it was last settled, and what is still reserved by it; nothing: it is over.

    What was used may be more than was reserved.
    """

    lease: str
    used: Amount
    kept: Amount = NOTHING


@dataclass(frozen=True, slots=True)
class Booking:
    """What calls used of a window that were admitted without a lease, while the bank did not answer."""

    subject: Subject
    window: Window
    start: datetime
    used: Amount


@dataclass(frozen=True, slots=True)
class Report:
    """What a replica did since its last one, booked as a whole and once, however often its id is sent."""

    id: str
    settlements: tuple[Settlement, ...] = ()
    bookings: tuple[Booking, ...] = ()
    spent: tuple[Spent, ...] = ()


class Bank(Protocol):
    """The control plane's ledger, as a replica reaches it."""

    async def reserve(self, wanted: Wanted) -> Lease:
        """Grant a lease.

        Raises:
            QuotaExceededError: a limit does not admit the need; `param` is its name.
            UnavailableError, TimeoutError: no answer; the replica goes on by itself.
        """

    async def report(self, report: Report) -> None:
        """Book it; raises UnavailableError or TimeoutError where there is no answer, and it is sent again."""


def new_id() -> str:
    """The id of a lease or a report: 128 random bits, 32 characters."""
    return secrets.token_hex(16)
