"""Quotas by reserve-then-settle: what calls may take is booked before they run, and corrected afterwards.

Every reservation locks its subjects' quotas, so no two callers ever count on the same remainder. A router replica
leases for many calls at once; all replicas together overspend by nothing but what calls use beyond what they reserved
(`deployments.quota.allowance` has the whole bound), and leave unused at most what they hold leased.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, tuple_
from sqlalchemy.orm import Session

from autoglm.errors import QuotaExceededError
from cluster.control import reports, upsert, usage
from cluster.control.database import Database
from cluster.control.tables import Counter, LeaseRow, Quota
from deployments.quota.bank import Booking, Lease, Report, Settlement, Wanted
from deployments.quota.refusal import refused
from deployments.quota.subject import Subject
from deployments.quota.windows import LIMITS, NOTHING, Amount, Limit, Standing, Window

LEASE_S = 600.0  # above the longest generation; a replica that died gives its leases back after it
KEPT = timedelta(days=2)  # counters and expired leases, so that a late settlement still finds its windows
EXPIRED_AT_ONCE = 100  # leases that one reservation clears away at most


class Ledger:
    """The quotas of one database."""

    def __init__(self, database: Database, *, lease_s: float = LEASE_S) -> None:
        self._database = database
        self._lease = timedelta(seconds=lease_s)

    def reserve(self, wanted: Wanted, now: datetime) -> Lease:
        """Lease as much of all subjects as is wished and left, or what is needed; of all, or of none.

        A subject without a quota is not limited.

        Raises:
            QuotaExceededError: `param` names the limit, `retry_after` is when its window ends; None where waiting
                does not help.
            UnavailableError: the database does not answer.
        """
        with self._database.write() as session:
            outcome = self._reserved(session, wanted, now)
        if isinstance(outcome, QuotaExceededError):  # raised here, so that what expired is cleared away all the same
            raise outcome
        return outcome

    def report(self, report: Report, now: datetime) -> None:
        """Book what a replica did: all of it, in one transaction, and once however often it is sent.

        What was used takes the place of what was reserved, in the windows that it was reserved in, and may be more.
        A lease that expired meanwhile is booked too, for a day or so; one that is over changes nothing.

        Raises:
            UnavailableError: the database does not answer.
        """
        with self._database.write() as session:
            if reports.is_first(session, report.id, now):
                self._book(session, report, now)

    def standings(self, subjects: Sequence[Subject], now: datetime) -> tuple[Standing, ...]:
        """The limits as they are now, without reserving anything."""
        with self._database.read() as session:
            quotas = session.scalars(select(Quota).where(among(subjects)).order_by(Quota.kind, Quota.subject))
            return standings(session, quotas.all(), now)

    def _reserved(self, session: Session, wanted: Wanted, now: datetime) -> Lease | QuotaExceededError:
        quotas = locked(session, among(wanted.subjects))
        for quota in quotas:
            clear_away(session, quota, now)
        found = standings(session, quotas, now)
        return refused(found, wanted.need) or self._take(session, quotas, wanted.lease, granted(found, wanted), now)

    def _take(self, session: Session, quotas: Sequence[Quota], lease: str, amount: Amount, now: datetime) -> Lease:
        for quota in quotas:
            book(session, quota.kind, quota.subject, now, amount)
            row = LeaseRow(id=lease, kind=quota.kind, subject=quota.subject, taken=now, expires=now + self._lease)
            hold(row, amount)
            session.add(row)
        return Lease(lease, amount, now, standings(session, quotas, now))

    def _book(self, session: Session, report: Report, now: datetime) -> None:
        settled = {settlement.lease: settlement for settlement in report.settlements}
        of_leases = select(LeaseRow.kind, LeaseRow.subject).where(LeaseRow.id.in_(settled))
        of_bookings = among(booking.subject for booking in report.bookings)
        quotas = locked(session, or_(tuple_(Quota.kind, Quota.subject).in_(of_leases), of_bookings))
        self._settle(session, settled, now)
        book_alone(session, report.bookings, {Subject(quota.kind, quota.subject) for quota in quotas})
        usage.add(session, report.spent)

    def _settle(self, session: Session, settled: dict[str, Settlement], now: datetime) -> None:
        """Leases of the same subject and minute are booked as one amount: a tenant's may be very many."""
        changes: defaultdict[tuple[str, str, datetime], Amount] = defaultdict(Amount)
        for row in session.scalars(select(LeaseRow).where(LeaseRow.id.in_(settled))).all():
            settlement = settled[row.id]
            minute = row.kind, row.subject, Window.MINUTE.start(row.taken)
            changes[minute] += settlement.used + settlement.kept - amount_of(row)
            if settlement.kept == NOTHING:
                session.delete(row)
            else:
                hold(row, settlement.kept)
                row.expires = now + self._lease
        for (kind, subject, taken), change in sorted(changes.items()):
            book(session, kind, subject, taken, change)


def among(subjects: Iterable[Subject]) -> ColumnElement[bool]:
    """The condition that a quota is of one of the subjects."""
    return tuple_(Quota.kind, Quota.subject).in_([(subject.kind, subject.id) for subject in subjects])


def locked(session: Session, condition: ColumnElement[bool]) -> Sequence[Quota]:
    """These quotas, no other's until the transaction ends; in one order, so that two never wait in a ring."""
    query = select(Quota).where(condition).order_by(Quota.kind, Quota.subject).with_for_update()
    return session.scalars(query).all()


def standings(session: Session, quotas: Iterable[Quota], now: datetime) -> tuple[Standing, ...]:
    """Every limit that is set, with what is used of it."""
    return tuple(
        Standing(
            Subject(quota.kind, quota.subject),
            limit,
            allowed,
            used(session, quota, limit, now),
            limit.window.seconds_left(now),
        )
        for quota in quotas
        for limit in LIMITS
        if (allowed := getattr(quota, limit.name)) is not None
    )


def used(session: Session, quota: Quota, limit: Limit, now: datetime) -> int:
    """What is used and reserved in the limit's window."""
    query = select(getattr(Counter, limit.part)).where(
        Counter.kind == quota.kind,
        Counter.subject == quota.subject,
        Counter.window == limit.window,
        Counter.start == limit.window.start(now),
    )
    return session.scalars(query).one_or_none() or 0


def granted(standings: Iterable[Standing], wanted: Wanted) -> Amount:
    """As much of the wish as all limits leave, and no less than the need, which they are known to admit."""
    most = wanted.wish
    for standing in standings:
        part = standing.limit.part
        most = replace(most, **{part: min(getattr(most, part), standing.remaining)})
    return most.at_least(wanted.need)


def book_alone(session: Session, bookings: Iterable[Booking], limited: set[Subject]) -> None:
    """Count what was used without a lease; a subject without a quota has no counters."""
    for booking in bookings:
        if booking.subject in limited:
            count(session, booking.subject.kind, booking.subject.id, booking.window, booking.start, booking.used)


def book(session: Session, kind: str, subject: str, at: datetime, amount: Amount) -> None:
    """Add the amount, which may be negative, to the subject's windows around `at`."""
    for window in Window:
        count(session, kind, subject, window, window.start(at), amount)


def count(session: Session, kind: str, subject: str, window: Window, start: datetime, amount: Amount) -> None:
    """Add the amount to one window."""
    counts = {"requests": amount.requests, "tokens": amount.tokens, "cost_micros": amount.cost_micros}
    upsert.add_counts(session, Counter, {"kind": kind, "subject": subject, "window": window, "start": start}, counts)


def clear_away(session: Session, quota: Quota, now: datetime) -> None:
    """Give back what expired leases of a subject reserve, and forget what is too old to matter."""
    of_subject = LeaseRow.kind == quota.kind, LeaseRow.subject == quota.subject
    expired = select(LeaseRow).where(*of_subject, LeaseRow.expires <= now).limit(EXPIRED_AT_ONCE)
    for row in session.scalars(expired).all():
        if amount_of(row) == NOTHING:  # given back before
            session.delete(row)
            continue
        book(session, row.kind, row.subject, row.taken, NOTHING - amount_of(row))
        hold(row, NOTHING)
        row.expires = now + KEPT
    session.flush()
    session.execute(
        delete(Counter).where(
            Counter.kind == quota.kind,
            Counter.subject == quota.subject,
            Counter.window != Window.EVER,
            Counter.start < now - KEPT,
        )
    )


def amount_of(row: LeaseRow) -> Amount:
    """What a lease has reserved."""
    return Amount(row.requests, row.tokens, row.cost_micros)


def hold(row: LeaseRow, amount: Amount) -> None:
    """Have a lease reserve this much."""
    row.requests, row.tokens, row.cost_micros = amount.requests, amount.tokens, amount.cost_micros
