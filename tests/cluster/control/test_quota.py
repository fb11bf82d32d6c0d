"""Quotas: never overspent, whoever races, and right about when to come back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from autoglm.contract.key import KeyRequest
from autoglm.contract.quota import QuotaRequest
from autoglm.contract.scope import Scope
from autoglm.errors import NotFoundError, QuotaExceededError
from cluster.control import keys, limits, usage
from cluster.control.database import Database
from cluster.control.quota import Ledger
from cluster.control.tables import Counter, LeaseRow, ReportRow
from deployments.quota.bank import Booking, Lease, Report, Settlement, Wanted, new_id
from deployments.quota.meter import Spent
from deployments.quota.subject import Subject
from deployments.quota.windows import NOTHING, Amount, Window

ACME = Subject("tenant", "acme")


def limit(database: Database, now: datetime, **limit: Any) -> Subject:
    """A key of the tenant, on which the limits are; returns the key as a subject."""
    with database.write() as session:
        key, _ = keys.create(session, KeyRequest(name="ci", tenant="acme", scopes=(Scope("chat"),)), now)
        subject = Subject("key", key.id)
        limits.put(session, subject, QuotaRequest(**limit))
        return subject


def reserve(
    ledger: Ledger, subjects: Sequence[Subject], need: Amount, now: datetime, *, wish: Amount = NOTHING
) -> Lease:
    return ledger.reserve(Wanted(new_id(), tuple(subjects), need, wish.at_least(need)), now)


def settle(ledger: Ledger, lease: str, used: Amount) -> None:
    ledger.report(Report(new_id(), (Settlement(lease, used),)), datetime(2026, 3, 2, tzinfo=UTC))


def remaining(ledger: Ledger, subject: Subject, now: datetime) -> dict[str, int]:
    return {standing.limit.name: standing.remaining for standing in ledger.standings([subject], now)}


def test_what_is_reserved_is_taken_and_what_is_not_used_comes_back(database: Database, now: datetime) -> None:
    """Booked before the call, corrected after it."""
    key, ledger = limit(database, now, tokens_per_minute=100, requests_per_day=5), Ledger(database)
    lease = reserve(ledger, [key], Amount(1, 80), now)
    assert {standing.limit.name: standing.remaining for standing in lease.standings} == {
        "tokens_per_minute": 20,
        "requests_per_day": 4,
    }
    settle(ledger, lease.id, Amount(1, 30))
    assert remaining(ledger, key, now) == {"tokens_per_minute": 70, "requests_per_day": 4}


def test_more_than_was_reserved_is_booked_too(database: Database, now: datetime) -> None:
    """The next caller pays for it."""
    key, ledger = limit(database, now, tokens_per_minute=100), Ledger(database)
    settle(ledger, reserve(ledger, [key], Amount(1, 10), now).id, Amount(1, 120))
    with pytest.raises(QuotaExceededError, match="120 of 100 are used or reserved"):
        reserve(ledger, [key], Amount(1, 1), now)


def test_settled_twice_is_settled_once(database: Database, now: datetime) -> None:
    """A caller that heard no answer may repeat it; a lease that never was is nothing."""
    key, ledger = limit(database, now, tokens_per_minute=100), Ledger(database)
    lease = reserve(ledger, [key], Amount(1, 80), now)
    for _ in range(2):
        settle(ledger, lease.id, Amount(1, 30))
    settle(ledger, "never", Amount(1, 30))
    assert remaining(ledger, key, now) == {"tokens_per_minute": 70}


@pytest.mark.parametrize(
    ("limits", "amount", "param", "retry_after"),
    [
        ({"requests_per_minute": 1}, Amount(1), "requests_per_minute", 40),
        ({"tokens_per_minute": 10}, Amount(1, 10), "tokens_per_minute", 40),
        ({"requests_per_day": 1}, Amount(1), "requests_per_day", 12 * 3600 - 20),
        ({"tokens_per_day": 10}, Amount(1, 10), "tokens_per_day", 12 * 3600 - 20),
        ({"budget": 0.5}, Amount(1, 0, 500_000), "budget_micros", None),
        ({"requests_per_minute": 1, "requests_per_day": 1}, Amount(1), "requests_per_day", 12 * 3600 - 20),
    ],
)
def test_a_refusal_says_when_to_come_back(
    database: Database, now: datetime, limits: dict[str, Any], amount: Amount, param: str, retry_after: float | None
) -> None:
    """It is when the last window that refuses ends; the call before fitted exactly, and then it fits again."""
    key, ledger = limit(database, now, **limits), Ledger(database)
    settle(ledger, reserve(ledger, [key], amount, now).id, amount)
    with pytest.raises(QuotaExceededError) as refused:
        reserve(ledger, [key], amount, now)
    assert (refused.value.param, refused.value.retry_after) == (param, retry_after)
    if retry_after is not None:
        early = timedelta(microseconds=1)
        with pytest.raises(QuotaExceededError):
            reserve(ledger, [key], amount, now + timedelta(seconds=retry_after) - early)
        assert reserve(ledger, [key], amount, now + timedelta(seconds=retry_after))


def test_an_amount_that_never_fits_is_told_so(database: Database, now: datetime) -> None:
    """No window holds it, so there is no time to come back."""
    key, ledger = limit(database, now, tokens_per_minute=10), Ledger(database)
    with pytest.raises(QuotaExceededError, match="waiting does not help") as refused:
        reserve(ledger, [key], Amount(1, 11), now)
    assert refused.value.retry_after is None


def test_key_and_tenant_are_reserved_together_or_not_at_all(database: Database, now: datetime) -> None:
    """The tenant's refusal takes nothing from the key."""
    key, ledger = limit(database, now, requests_per_minute=10), Ledger(database)
    with database.write() as session:
        limits.put(session, ACME, QuotaRequest(requests_per_minute=1))
    reserve(ledger, [key, ACME], Amount(1), now)
    with pytest.raises(QuotaExceededError):
        reserve(ledger, [key, ACME], Amount(1), now)
    assert remaining(ledger, key, now) == {"requests_per_minute": 9}


@pytest.mark.parametrize(("wish", "granted"), [(30, 30), (80, 60), (5, 20)])
def test_a_lease_is_of_what_is_wished_and_left(database: Database, now: datetime, wish: int, granted: int) -> None:
    """At least the need, at most the wish, and never beyond the tightest limit of all subjects."""
    key, ledger = limit(database, now, tokens_per_minute=100), Ledger(database)
    with database.write() as session:
        limits.put(session, ACME, QuotaRequest(tokens_per_day=60))
    lease = reserve(ledger, [key, ACME], Amount(1, 20), now, wish=Amount(9, wish))
    assert lease.reserved == Amount(9, granted)
    assert lease.taken == now
    assert remaining(ledger, key, now) == {"tokens_per_minute": 100 - granted}
    assert remaining(ledger, ACME, now) == {"tokens_per_day": 60 - granted}


def test_a_lease_may_be_settled_in_parts(database: Database, now: datetime) -> None:
    """What calls in flight still need stays reserved, and does not expire under them."""
    key, ledger = limit(database, now, tokens_per_day=100), Ledger(database, lease_s=60)
    lease = reserve(ledger, [key], Amount(1, 10), now, wish=Amount(5, 90))
    late = now + timedelta(seconds=59)
    ledger.report(Report(new_id(), (Settlement(lease.id, Amount(2, 30), kept=Amount(1, 20)),)), late)
    assert remaining(ledger, key, late) == {"tokens_per_day": 50}
    with pytest.raises(QuotaExceededError):
        reserve(ledger, [key], Amount(1, 51), late + timedelta(seconds=59))
    assert reserve(ledger, [key], Amount(1, 51), late + timedelta(seconds=60))
    settle(ledger, lease.id, Amount(1, 15))
    assert remaining(ledger, key, now) == {"tokens_per_day": 100 - 30 - 51 - 15}


def test_a_report_is_booked_once(database: Database, now: datetime) -> None:
    """Six bring it at once, as a replica might that heard no answer: leases, use without one, and usage."""
    key, ledger = limit(database, now, tokens_per_day=100), Ledger(database)
    lease = reserve(ledger, [key], Amount(1, 40), now)
    report = Report(
        new_id(),
        (Settlement(lease.id, Amount(1, 10), kept=Amount(1, 5)),),
        (Booking(key, Window.DAY, Window.DAY.start(now), Amount(1, 7)), Booking(ACME, Window.DAY, now, Amount(1, 7))),
        (Spent(key.id, "acme", "chat", date(2026, 3, 1), 1, 8, 2),),
    )
    race(6, lambda: ledger.report(report, now))
    assert remaining(ledger, key, now) == {"tokens_per_day": 100 - 10 - 5 - 7}
    with database.read() as session:
        assert [row.requests for row in usage.totals(session, ["key"], limit=2)] == [1]
        assert session.scalar(select(func.count()).where(Counter.kind == "tenant")) == 0


def test_a_report_is_booked_as_a_whole_or_not_at_all(database: Database, now: datetime) -> None:
    """A fault at its end leaves nothing behind, so that it can be sent again."""
    key, ledger = limit(database, now, tokens_per_day=100), Ledger(database)
    lease = reserve(ledger, [key], Amount(1, 40), now)
    settlement = Settlement(lease.id, Amount(1, 10))
    spent = Spent(key.id, "acme", "chat", date(2026, 3, 1), 1)
    broken = Report("r1", (settlement,), spent=(replace(spent, requests=None),))  # type: ignore[arg-type]
    with pytest.raises(IntegrityError):
        ledger.report(broken, now)
    assert remaining(ledger, key, now) == {"tokens_per_day": 60}
    ledger.report(Report("r1", (settlement,), spent=(spent,)), now)
    assert remaining(ledger, key, now) == {"tokens_per_day": 90}


def test_reports_of_long_ago_are_forgotten(database: Database, now: datetime) -> None:
    """Two days after they were booked, nobody sends them again."""
    ledger = Ledger(database)
    for hours in (0, 24, 48, 49):
        ledger.report(Report(f"r{hours}"), now + timedelta(hours=hours))
    with database.read() as session:
        assert session.scalars(select(ReportRow.id).order_by(ReportRow.at)).all() == ["r24", "r48", "r49"]


def test_without_a_quota_nothing_is_limited_or_counted(database: Database, now: datetime) -> None:
    """The lease is settled like any other."""
    ledger = Ledger(database)
    lease = reserve(ledger, [Subject("key", "key_x"), ACME], Amount(1, 10**9), now)
    assert lease.standings == ()
    settle(ledger, lease.id, Amount(1, 1))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Counter)) == 0


def test_a_lease_that_is_never_settled_expires(database: Database, now: datetime) -> None:
    """What a dead replica reserved comes back; if it was not dead, what it used is booked all the same, once."""
    key, ledger = limit(database, now, tokens_per_day=100), Ledger(database, lease_s=60)
    lost = reserve(ledger, [key], Amount(1, 80), now)
    with pytest.raises(QuotaExceededError):
        reserve(ledger, [key], Amount(1, 80), now + timedelta(seconds=59))
    settle(ledger, reserve(ledger, [key], Amount(1, 80), now + timedelta(seconds=60)).id, Amount(1, 0))
    assert remaining(ledger, key, now) == {"tokens_per_day": 100}
    for _ in range(2):
        settle(ledger, lost.id, Amount(1, 50))
    assert remaining(ledger, key, now) == {"tokens_per_day": 50}


def test_what_is_too_old_to_matter_is_forgotten(database: Database, now: datetime) -> None:
    """Counters and leases do not pile up; the budget is not forgotten."""
    key, ledger = limit(database, now, requests_per_minute=10, budget=1), Ledger(database)
    for day in range(12):
        reserve(ledger, [key], Amount(1, 1, 10), now + timedelta(days=day))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(LeaseRow)) <= 5
        assert session.scalar(select(func.count()).select_from(Counter)) <= 7
    settle(ledger, reserve(ledger, [key], Amount(1, 1, 10), now + timedelta(days=12)).id, Amount(1, 1, 30))
    last = ledger.standings([key], now + timedelta(days=12))
    assert [standing.used for standing in last if standing.limit.name == "budget_micros"] == [30]


def race(callers: int, work: Any) -> None:
    """All at once, as nearly as threads do."""
    barrier = threading.Barrier(callers)

    def run() -> None:
        barrier.wait()
        work()

    threads = [threading.Thread(target=run) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_the_last_tokens_are_not_spent_twice(database: Database, now: datetime) -> None:
    """Eight callers race for what six and a half of their calls need; exactly so much is granted, to the last."""
    key, ledger = limit(database, now, tokens_per_minute=195), Ledger(database)
    granted: list[str] = []
    refused: list[QuotaExceededError] = []

    def call() -> None:
        for _ in range(4):
            try:
                granted.append(reserve(ledger, [key], Amount(1, 30), now).id)
            except QuotaExceededError as error:
                refused.append(error)

    race(8, call)
    assert (len(granted), len(refused)) == (6, 26)
    assert remaining(ledger, key, now) == {"tokens_per_minute": 15}


def test_racing_reservations_and_settlements_end_in_the_right_sum(database: Database, now: datetime) -> None:
    """Of key and tenant in either order: no deadlock, no call lost or booked twice."""
    key, ledger = limit(database, now, tokens_per_day=10_000), Ledger(database)
    with database.write() as session:
        limits.put(session, ACME, QuotaRequest(tokens_per_day=10_000))

    def call() -> None:
        for subjects in ([key, ACME], [ACME, key]) * 3:
            settle(ledger, reserve(ledger, subjects, Amount(1, 40), now).id, Amount(1, 7))

    race(8, call)
    assert remaining(ledger, key, now) == remaining(ledger, ACME, now) == {"tokens_per_day": 10_000 - 8 * 6 * 7}


def test_a_lease_settled_by_two_at_once_is_booked_once(database: Database, now: datetime) -> None:
    """The second finds it gone."""
    key, ledger = limit(database, now, tokens_per_day=100), Ledger(database)
    lease = reserve(ledger, [key], Amount(1, 80), now)
    race(6, lambda: settle(ledger, lease.id, Amount(1, 30)))
    assert remaining(ledger, key, now) == {"tokens_per_day": 70}


def test_a_quota_is_of_somebody(database: Database) -> None:
    """A typing error must not look like a limit."""
    with pytest.raises(NotFoundError, match="no tenant of this name"), database.write() as session:
        limits.put(session, Subject("tenant", "acne"), QuotaRequest(requests_per_day=1))


def test_a_limit_can_be_changed_and_taken_away(database: Database, now: datetime) -> None:
    """What was used in the window stays used."""
    key, ledger = limit(database, now, requests_per_day=1), Ledger(database)
    reserve(ledger, [key], Amount(1), now)
    with database.write() as session:
        limits.put(session, key, QuotaRequest(requests_per_day=3, budget=12.5))
    assert remaining(ledger, key, now) == {"requests_per_day": 2, "budget_micros": 12_500_000}
    with database.write() as session:
        limits.put(session, key, QuotaRequest())
    assert remaining(ledger, key, now) == {}
