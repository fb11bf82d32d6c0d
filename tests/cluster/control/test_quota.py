"""Quotas: never overspent, whoever races, and right about when to come back."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from autoglm.contract.key import KeyRequest
from autoglm.contract.quota import QuotaRequest
from autoglm.contract.scope import Scope
from autoglm.errors import NotFoundError, QuotaExceededError
from cluster.control import keys, limits
from cluster.control.database import Database
from cluster.control.quota import Ledger, Subject
from cluster.control.tables import Counter, LeaseRow
from cluster.control.windows import Amount

ACME = Subject("tenant", "acme")


def limit(database: Database, now: datetime, **limit: Any) -> Subject:
    """A key of the tenant, on which the limits are; returns the key as a subject."""
    with database.write() as session:
        key, _ = keys.create(session, KeyRequest(name="ci", tenant="acme", scopes=(Scope("chat"),)), now)
        subject = Subject("key", key.id)
        limits.put(session, subject, QuotaRequest(**limit))
        return subject


def remaining(ledger: Ledger, subject: Subject, now: datetime) -> dict[str, int]:
    return {standing.limit.name: standing.remaining for standing in ledger.standings([subject], now)}


def test_what_is_reserved_is_taken_and_what_is_not_used_comes_back(database: Database, now: datetime) -> None:
    """Booked before the call, corrected after it."""
    key, ledger = limit(database, now, tokens_per_minute=100, requests_per_day=5), Ledger(database)
    lease = ledger.reserve([key], Amount(1, 80), now)
    assert {standing.limit.name: standing.remaining for standing in lease.standings} == {
        "tokens_per_minute": 20,
        "requests_per_day": 4,
    }
    ledger.settle(lease.id, Amount(1, 30))
    assert remaining(ledger, key, now) == {"tokens_per_minute": 70, "requests_per_day": 4}


def test_more_than_was_reserved_is_booked_too(database: Database, now: datetime) -> None:
    """The next caller pays for it."""
    key, ledger = limit(database, now, tokens_per_minute=100), Ledger(database)
    ledger.settle(ledger.reserve([key], Amount(1, 10), now).id, Amount(1, 120))
    with pytest.raises(QuotaExceededError, match="120 of 100 are used or reserved"):
        ledger.reserve([key], Amount(1, 1), now)


def test_settled_twice_is_settled_once(database: Database, now: datetime) -> None:
    """A caller that heard no answer may repeat it; a lease that never was is nothing."""
    key, ledger = limit(database, now, tokens_per_minute=100), Ledger(database)
    lease = ledger.reserve([key], Amount(1, 80), now)
    for _ in range(2):
        ledger.settle(lease.id, Amount(1, 30))
    ledger.settle("never", Amount(1, 30))
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
    ledger.settle(ledger.reserve([key], amount, now).id, amount)
    with pytest.raises(QuotaExceededError) as refused:
        ledger.reserve([key], amount, now)
    assert (refused.value.param, refused.value.retry_after) == (param, retry_after)
    if retry_after is not None:
        early = timedelta(microseconds=1)
        with pytest.raises(QuotaExceededError):
            ledger.reserve([key], amount, now + timedelta(seconds=retry_after) - early)
        assert ledger.reserve([key], amount, now + timedelta(seconds=retry_after))


def test_an_amount_that_never_fits_is_told_so(database: Database, now: datetime) -> None:
    """No window holds it, so there is no time to come back."""
    key, ledger = limit(database, now, tokens_per_minute=10), Ledger(database)
    with pytest.raises(QuotaExceededError, match="waiting does not help") as refused:
        ledger.reserve([key], Amount(1, 11), now)
    assert refused.value.retry_after is None


def test_key_and_tenant_are_reserved_together_or_not_at_all(database: Database, now: datetime) -> None:
    """The tenant's refusal takes nothing from the key."""
    key, ledger = limit(database, now, requests_per_minute=10), Ledger(database)
    with database.write() as session:
        limits.put(session, ACME, QuotaRequest(requests_per_minute=1))
    ledger.reserve([key, ACME], Amount(1), now)
    with pytest.raises(QuotaExceededError):
        ledger.reserve([key, ACME], Amount(1), now)
    assert remaining(ledger, key, now) == {"requests_per_minute": 9}


def test_without_a_quota_nothing_is_limited_or_counted(database: Database, now: datetime) -> None:
    """The lease is settled like any other."""
    ledger = Ledger(database)
    lease = ledger.reserve([Subject("key", "key_x"), ACME], Amount(1, 10**9), now)
    assert lease.standings == ()
    ledger.settle(lease.id, Amount(1, 1))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Counter)) == 0


def test_a_lease_that_is_never_settled_expires(database: Database, now: datetime) -> None:
    """What a dead replica reserved comes back; if it was not dead, what it used is booked all the same, once."""
    key, ledger = limit(database, now, tokens_per_day=100), Ledger(database, lease_s=60)
    lost = ledger.reserve([key], Amount(1, 80), now)
    with pytest.raises(QuotaExceededError):
        ledger.reserve([key], Amount(1, 80), now + timedelta(seconds=59))
    ledger.settle(ledger.reserve([key], Amount(1, 80), now + timedelta(seconds=60)).id, Amount(1, 0))
    assert remaining(ledger, key, now) == {"tokens_per_day": 100}
    for _ in range(2):
        ledger.settle(lost.id, Amount(1, 50))
    assert remaining(ledger, key, now) == {"tokens_per_day": 50}


def test_what_is_too_old_to_matter_is_forgotten(database: Database, now: datetime) -> None:
    """Counters and leases do not pile up; the budget is not forgotten."""
    key, ledger = limit(database, now, requests_per_minute=10, budget=1), Ledger(database)
    for day in range(12):
        ledger.reserve([key], Amount(1, 1, 10), now + timedelta(days=day))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(LeaseRow)) <= 5
        assert session.scalar(select(func.count()).select_from(Counter)) <= 7
    ledger.settle(ledger.reserve([key], Amount(1, 1, 10), now + timedelta(days=12)).id, Amount(1, 1, 30))
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
                granted.append(ledger.reserve([key], Amount(1, 30), now).id)
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
            ledger.settle(ledger.reserve(subjects, Amount(1, 40), now).id, Amount(1, 7))

    race(8, call)
    assert remaining(ledger, key, now) == remaining(ledger, ACME, now) == {"tokens_per_day": 10_000 - 8 * 6 * 7}


def test_a_lease_settled_by_two_at_once_is_booked_once(database: Database, now: datetime) -> None:
    """The second finds it gone."""
    key, ledger = limit(database, now, tokens_per_day=100), Ledger(database)
    lease = ledger.reserve([key], Amount(1, 80), now)
    race(6, lambda: ledger.settle(lease.id, Amount(1, 30)))
    assert remaining(ledger, key, now) == {"tokens_per_day": 70}


def test_a_quota_is_of_somebody(database: Database) -> None:
    """A typing error must not look like a limit."""
    with pytest.raises(NotFoundError, match="no tenant of this name"), database.write() as session:
        limits.put(session, Subject("tenant", "acne"), QuotaRequest(requests_per_day=1))


def test_a_limit_can_be_changed_and_taken_away(database: Database, now: datetime) -> None:
    """What was used in the window stays used."""
    key, ledger = limit(database, now, requests_per_day=1), Ledger(database)
    ledger.reserve([key], Amount(1), now)
    with database.write() as session:
        limits.put(session, key, QuotaRequest(requests_per_day=3, budget=12.5))
    assert remaining(ledger, key, now) == {"requests_per_day": 2, "budget_micros": 12_500_000}
    with database.write() as session:
        limits.put(session, key, QuotaRequest())
    assert remaining(ledger, key, now) == {}
