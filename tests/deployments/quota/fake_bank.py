"""A bank in memory, and a time that stands still until a test moves it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from deployments.quota.bank import Lease, Report, Wanted
from deployments.quota.refusal import refused
from deployments.quota.subject import Subject
from deployments.quota.view import QuotaView
from deployments.quota.windows import LIMITS, NOTHING, Amount, Standing, Window

KEY, ACME = Subject("key", "key_1"), Subject("tenant", "acme")


def view(subject: Subject = KEY, **limits: int) -> QuotaView:
    return QuotaView(kind=subject.kind, subject=subject.id, **limits)


class FakeClock:
    """20 seconds into a minute, 12 hours into a day."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class FakeBank:
    """What the control plane's ledger does, without its database; answers when `gate` is open."""

    def __init__(self, clock: FakeClock, *views: QuotaView) -> None:
        self.clock = clock
        self.views = {view.owner: view for view in views}
        self.counts: defaultdict[tuple[Subject, Window, datetime], Amount] = defaultdict(Amount)
        self.leases: dict[str, tuple[tuple[Subject, ...], datetime, Amount]] = {}
        self.wanted: list[Wanted] = []
        self.reports: list[Report] = []
        self.fault: Exception | None = None
        self.lose_answers = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def reserve(self, wanted: Wanted) -> Lease:
        self.wanted.append(wanted)
        await self.gate.wait()
        if self.fault is not None and not self.lose_answers:
            raise self.fault
        standings = self.standings(wanted.subjects)
        if error := refused(standings, wanted.need):
            raise error
        room = wanted.wish
        for standing in standings:
            part = standing.limit.part
            room = replace(room, **{part: min(getattr(room, part), standing.remaining)})
        granted, now = room.at_least(wanted.need), self.clock()
        self.book(wanted.subjects, now, granted)
        self.leases[wanted.lease] = wanted.subjects, now, granted
        if self.fault is not None:
            raise self.fault
        return Lease(wanted.lease, granted, now, self.standings(wanted.subjects))

    async def report(self, report: Report) -> None:
        if self.fault is not None and not self.lose_answers:
            raise self.fault
        if report.id not in {known.id for known in self.reports}:
            self.reports.append(report)
            self._settle(report)
        if self.fault is not None:
            raise self.fault

    def _settle(self, report: Report) -> None:
        for settlement in report.settlements:
            if settlement.lease in self.leases:
                subjects, taken, held = self.leases.pop(settlement.lease)
                self.book(subjects, taken, settlement.used + settlement.kept - held)
                if settlement.kept != NOTHING:
                    self.leases[settlement.lease] = subjects, taken, settlement.kept
        for booking in report.bookings:
            self.counts[booking.subject, booking.window, booking.start] += booking.used

    def book(self, subjects: tuple[Subject, ...], at: datetime, amount: Amount) -> None:
        for subject in subjects:
            for window in Window:
                self.counts[subject, window, window.start(at)] += amount

    def used(self, subject: Subject, window: Window) -> Amount:
        """What is used and reserved of the window that is now."""
        return self.counts[subject, window, window.start(self.clock())]

    def standings(self, subjects: tuple[Subject, ...]) -> tuple[Standing, ...]:
        return tuple(
            Standing(
                subject,
                limit,
                allowed,
                getattr(self.used(subject, limit.window), limit.part),
                limit.window.seconds_left(self.clock()),
            )
            for subject in subjects
            if subject in self.views
            for limit in LIMITS
            if (allowed := getattr(self.views[subject], limit.name)) is not None
        )
