"""A replica by itself: the limits it knows, held to by counting its own use, while the bank does not answer."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime

from deployments.clock import Clock
from deployments.quota.bank import Booking, Lease
from deployments.quota.refusal import refused
from deployments.quota.reservation import Reservation
from deployments.quota.subject import Subject
from deployments.quota.view import QuotaView
from deployments.quota.windows import LIMITS, NOTHING, Amount, Limit, Standing, Window

logger = logging.getLogger("ray.serve")


class Alone:
    """What was used of each window: as the bank last said, and by this replica since, without the bank.

    The replicas know nothing of each other then: while it lasts, calls of a subject may reserve at most the number of
    replicas times what the bank last said was left of a window (all of it, of a window that began since, or of a
    subject that a replica had not seen). The bank books it afterwards.
    """

    def __init__(self, clock: Clock) -> None:
        self.lasts = False
        self._clock = clock
        self._seen: dict[tuple[Subject, str], tuple[datetime, int]] = {}
        self._own: dict[tuple[Subject, Window], tuple[datetime, Amount]] = {}
        self._since = clock()
        self._admitted = 0

    def begin(self, fault: BaseException) -> None:
        """The bank did not answer."""
        if not self.lasts:
            self.lasts, self._since, self._admitted = True, self._clock(), 0
            logger.warning("quotas: the control plane does not answer (%r); each replica counts by itself", fault)

    def end(self) -> None:
        """The bank answered."""
        if self.lasts:
            self.lasts = False
            duration = (self._clock() - self._since).total_seconds()
            logger.warning(
                "quotas: the control plane answers again, after %.0f s with %d calls admitted without it",
                duration,
                self._admitted,
            )

    def saw(self, lease: Lease) -> None:
        """Note what the bank says is used."""
        for standing in lease.standings:
            start = standing.limit.window.start(lease.taken)
            self._seen[standing.subject, standing.limit.name] = start, standing.used

    def forget(self, known: Iterable[Subject]) -> None:
        """Keep what is known of these subjects only."""
        subjects = set(known)
        self._seen = {key: seen for key, seen in self._seen.items() if key[0] in subjects}

    def reserve(self, views: Iterable[QuotaView], amount: Amount) -> Reservation:
        """Reserve of all subjects, or of none.

        Raises:
            QuotaExceededError: as the bank would.
        """
        now, views = self._clock(), tuple(views)
        if refusal := refused(self._standings(views, now), amount):
            raise refusal
        subjects = tuple(view.owner for view in views)

        def book(reserved: Amount, used: Amount) -> None:
            self._add(subjects, now, used - reserved)

        book(NOTHING, amount)
        self._admitted += 1
        return Reservation(amount, book, tuple(self._standings(views, now)), now)

    def bookings(self) -> tuple[Booking, ...]:
        """What the bank has yet to hear of, for `booked` once it did."""
        return tuple(
            Booking(subject, window, start, own)
            for (subject, window), (start, own) in self._own.items()
            if own != NOTHING
        )

    def booked(self, bookings: Iterable[Booking]) -> None:
        """The bank has these; until it says how much is used, they are added to what it last said."""
        for booking in bookings:
            for limit in LIMITS:
                if limit.window is booking.window:
                    self._see(booking.subject, limit, booking.start, getattr(booking.used, limit.part))
            self._count(booking.subject, booking.window, booking.start, NOTHING - booking.used)

    def _see(self, subject: Subject, limit: Limit, start: datetime, more: int) -> None:
        seen = self._seen.get((subject, limit.name))
        if seen is None or seen[0] <= start:
            self._seen[subject, limit.name] = start, self._known(subject, limit.name, start) + more

    def _standings(self, views: Iterable[QuotaView], now: datetime) -> Iterator[Standing]:
        for view in views:
            for limit in LIMITS:
                allowed = getattr(view, limit.name)
                if allowed is not None:
                    start = limit.window.start(now)
                    used = self._known(view.owner, limit.name, start) + self._counted(view.owner, limit, start)
                    yield Standing(view.owner, limit, allowed, used, limit.window.seconds_left(now))

    def _known(self, subject: Subject, name: str, start: datetime) -> int:
        seen = self._seen.get((subject, name))
        return seen[1] if seen is not None and seen[0] == start else 0

    def _counted(self, subject: Subject, limit: Limit, start: datetime) -> int:
        own = self._own.get((subject, limit.window))
        return getattr(own[1], limit.part) if own is not None and own[0] == start else 0

    def _add(self, subjects: Iterable[Subject], at: datetime, amount: Amount) -> None:
        for subject in subjects:
            for window in Window:
                self._count(subject, window, window.start(at), amount)

    def _count(self, subject: Subject, window: Window, start: datetime, amount: Amount) -> None:
        """Add to a window; one that is past is forgotten with the first count of its next."""
        held = self._own.get((subject, window), (start, NOTHING))
        if held[0] > start:
            return
        total = amount + (held[1] if held[0] == start else NOTHING)
        if total == NOTHING:
            self._own.pop((subject, window), None)
        else:
            self._own[subject, window] = start, total
