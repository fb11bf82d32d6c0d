"""Quotas by reserve-then-settle: what a call may take is booked before it runs, and corrected afterwards.

Every reservation locks its subjects' quotas, so no two callers ever count on the same remainder. A router replica
may reserve for one call or for many at once; all replicas together overspend by nothing, and may leave unused at most
what they have reserved and not yet settled.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, delete, select, tuple_
from sqlalchemy.orm import Session

from autoglm.errors import QuotaExceededError
from cluster.control import upsert
from cluster.control.database import Database
from cluster.control.tables import Counter, LeaseRow, Quota
from cluster.control.windows import LIMITS, Amount, Limit, Standing, Window

LEASE_S = 600.0  # above the longest generation; a replica that died gives its reservations back after it
KEPT = timedelta(days=2)  # counters and expired leases, so that a late settlement still finds its windows
EXPIRED_AT_ONCE = 100  # leases that one reservation clears away at most


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Whose quota it is: a key's id, or a tenant's name."""

    kind: Literal["key", "tenant"]
    id: str


@dataclass(frozen=True, slots=True)
class Lease:
    """A reservation, to be settled by its id; `standings` are the limits as they are after it."""

    id: str
    reserved: Amount
    expires: datetime
    standings: tuple[Standing, ...] = ()


class Ledger:
    """The quotas of one database."""

    def __init__(self, database: Database, *, lease_s: float = LEASE_S) -> None:
        self._database = database
        self._lease = timedelta(seconds=lease_s)

    def reserve(self, subjects: Sequence[Subject], amount: Amount, now: datetime) -> Lease:
        """Reserve the amount of all subjects, or of none. A subject without a quota is not limited.

        Raises:
            QuotaExceededError: `param` names the limit, `retry_after` is when its window ends; None where waiting
                does not help.
            UnavailableError: the database does not answer.
        """
        with self._database.write() as session:
            outcome = self._reserved(session, subjects, amount, now)
        if isinstance(outcome, QuotaExceededError):  # raised here, so that what expired is cleared away all the same
            raise outcome
        return outcome

    def settle(self, lease_id: str, used: Amount) -> None:
        """Book what was used in place of what was reserved, in the windows that it was reserved in.

        It may be more than was reserved. A lease that expired meanwhile is booked too, for a day or so; settled
        twice, the second time changes nothing.

        Raises:
            UnavailableError: the database does not answer.
        """
        with self._database.write() as session:
            of_lease = select(LeaseRow.kind, LeaseRow.subject).where(LeaseRow.id == lease_id)
            locked(session, tuple_(Quota.kind, Quota.subject).in_(of_lease))
            gone = delete(LeaseRow).where(LeaseRow.id == lease_id).returning(LeaseRow)
            for row in session.scalars(gone).all():
                book(session, row.kind, row.subject, row.taken, used - amount_of(row))

    def standings(self, subjects: Sequence[Subject], now: datetime) -> tuple[Standing, ...]:
        """The limits as they are now, without reserving anything."""
        with self._database.read() as session:
            quotas = session.scalars(select(Quota).where(among(subjects)).order_by(Quota.kind, Quota.subject))
            return standings(session, quotas.all(), now)

    def _reserved(
        self, session: Session, subjects: Sequence[Subject], amount: Amount, now: datetime
    ) -> Lease | QuotaExceededError:
        quotas = locked(session, among(subjects))
        for quota in quotas:
            clear_away(session, quota, now)
        return refused(standings(session, quotas, now), amount) or self._take(session, quotas, amount, now)

    def _take(self, session: Session, quotas: Sequence[Quota], amount: Amount, now: datetime) -> Lease:
        lease_id, expires = secrets.token_hex(16), now + self._lease
        for quota in quotas:
            book(session, quota.kind, quota.subject, now, amount)
            session.add(
                LeaseRow(
                    id=lease_id,
                    kind=quota.kind,
                    subject=quota.subject,
                    requests=amount.requests,
                    tokens=amount.tokens,
                    cost_micros=amount.cost_micros,
                    taken=now,
                    expires=expires,
                )
            )
        return Lease(lease_id, amount, expires, standings(session, quotas, now))


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
        Standing(limit, allowed, used(session, quota, limit, now), limit.window.seconds_left(now))
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


def book(session: Session, kind: str, subject: str, at: datetime, amount: Amount) -> None:
    """Add the amount, which may be negative, to the subject's windows around `at`."""
    counts = {"requests": amount.requests, "tokens": amount.tokens, "cost_micros": amount.cost_micros}
    for window in Window:
        row = {"kind": kind, "subject": subject, "window": window, "start": window.start(at)}
        upsert.add_counts(session, Counter, row, counts)


def clear_away(session: Session, quota: Quota, now: datetime) -> None:
    """Give back what expired leases of a subject reserve, and forget what is too old to matter."""
    of_subject = LeaseRow.kind == quota.kind, LeaseRow.subject == quota.subject
    expired = select(LeaseRow).where(*of_subject, LeaseRow.expires <= now).limit(EXPIRED_AT_ONCE)
    for row in session.scalars(expired).all():
        if amount_of(row) == Amount():  # given back before
            session.delete(row)
            continue
        book(session, row.kind, row.subject, row.taken, Amount() - amount_of(row))
        row.requests = row.tokens = row.cost_micros = 0
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
