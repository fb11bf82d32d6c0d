"""What a replica has leased for one minute, and what its calls took of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from deployments.quota.bank import Lease, Settlement
from deployments.quota.reservation import Reservation
from deployments.quota.windows import NOTHING, Amount, Window


class Pool:
    """The leases of the same subjects that the bank took in the same minute, as one amount.

    A lease counts in the windows in which it was taken, and so does whatever is used of it, whenever that is told.
    A minute ends with an hour and a day, so a pool never spans two of them.
    """

    def __init__(self, lease: Lease, asked: datetime) -> None:
        self.minute = Window.MINUTE.start(lease.taken)
        # By this replica's clock, and rather too early: the lease was taken after it was asked for.
        self.ends = asked + timedelta(seconds=Window.MINUTE.seconds_left(lease.taken))
        self.standings = lease.standings
        self._leases: list[str] = []
        self._granted = NOTHING  # reserved at the bank, and not reported as used
        self._taken = NOTHING  # by calls in flight
        self._used = NOTHING  # by calls that are over, and not reported
        self._credit = NOTHING  # what the standings count as used and is this replica's
        self._reported = NOTHING
        self.add(lease)

    @property
    def free(self) -> Amount:
        """What calls may still take; below nothing where some used more than they had reserved."""
        return self._granted - self._taken - self._used

    @property
    def is_over(self) -> bool:
        """Whether nothing is leased, taken or to be told."""
        return not self._leases

    def add(self, lease: Lease) -> None:
        """Put another lease of the same minute in."""
        self._leases.append(lease.id)
        self._granted += lease.reserved
        self._credit = self._reported + self._granted
        self.standings = lease.standings

    def take(self, amount: Amount, at: datetime) -> Reservation:
        """Reserve for a call. The caller has seen that it is free."""
        self._taken += amount
        left = self._credit - self._reported - self._used - self._taken
        return Reservation(amount, self._book, self.standings, at, free=left)

    def settle(self, keep: Amount) -> Iterator[Settlement]:
        """Report what was used, and give back what is free beyond `keep`; nothing where nothing changes."""
        kept = self._taken + self.free.at_most(keep).at_least(NOTHING)
        if not self._leases or (self._used == NOTHING and kept == self._granted and len(self._leases) == 1):
            return
        first, *others = self._leases
        yield Settlement(first, self._used, kept)
        yield from (Settlement(other, NOTHING) for other in others)
        self._leases = [] if kept == NOTHING else [first]
        self._reported += self._used
        self._granted, self._used = kept, NOTHING

    def _book(self, reserved: Amount, used: Amount) -> None:
        self._taken -= reserved
        self._used += used
