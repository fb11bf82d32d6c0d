"""Router replicas that race for the last of a quota, over the real ledger."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from autoglm.contract.key import KeyRequest
from autoglm.contract.quota import QuotaRequest
from autoglm.contract.scope import Scope
from autoglm.errors import QuotaExceededError
from cluster.control import keys, limits, snapshot
from cluster.control.database import Database
from cluster.control.quota import Ledger
from deployments.quota import Allowances, Amount, Lease, Meter, QuotaView, Report, Reservation, Subject, Wanted

ACME = Subject("tenant", "acme")
CALLERS = 6


class LedgerBank:
    """The control plane, without Serve between: each question in a thread, as its replica takes them."""

    def __init__(self, ledger: Ledger, now: datetime) -> None:
        self._ledger = ledger
        self._now = now

    async def reserve(self, wanted: Wanted) -> Lease:
        return await asyncio.to_thread(self._ledger.reserve, wanted, self._now)

    async def report(self, report: Report) -> None:
        await asyncio.to_thread(self._ledger.report, report, self._now)


class Replica:
    """Allowances on an event loop and in a thread of their own, and what they admitted."""

    def __init__(self, ledger: Ledger, quotas: tuple[QuotaView, ...], now: datetime) -> None:
        self.now = now
        self.allowances = Allowances(LedgerBank(ledger, now), Meter(clock=self.clock), clock=self.clock)
        self.allowances.update(quotas)
        self.admitted: list[Reservation] = []

    def clock(self) -> datetime:
        return self.now

    async def until_refused(self, subjects: list[Subject], amount: Amount) -> None:
        """Callers side by side, each of which calls until it is refused."""
        await asyncio.gather(*(self._call(subjects, amount) for _ in range(CALLERS)))

    async def _call(self, subjects: list[Subject], amount: Amount) -> None:
        for _ in range(100):  # more than any limit here
            try:
                self.admitted.append(await self.allowances.reserve(subjects, amount))
            except QuotaExceededError:
                return


def side_by_side(works: list[Callable[[], Coroutine[Any, Any, None]]]) -> None:
    """Each on an event loop of its own, begun at once."""
    barrier = threading.Barrier(len(works))
    faults: list[BaseException] = []

    def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        barrier.wait()
        try:
            asyncio.run(work())
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


@pytest.mark.parametrize(
    ("limit", "amount", "calls"),
    [
        ({"requests_per_minute": 41}, Amount(1, 7), 41),
        ({"tokens_per_day": 295}, Amount(1, 7), 42),
        ({"budget": 0.000_1}, Amount(1, 7, 3), 33),
    ],
)
def test_replicas_admit_the_last_of_a_quota_once(
    database: Database, now: datetime, limit: dict[str, float], amount: Amount, calls: int
) -> None:
    """Two replicas with six callers each call until they are refused: never more than the limit between them. What one
    then gives back is had by the other, to the very last, and the ledger has booked exactly what was admitted."""
    with database.write() as session:
        key, _ = keys.create(session, KeyRequest(name="ci", tenant="acme", scopes=(Scope("chat"),)), now)
        limits.put(session, Subject("key", key.id), QuotaRequest(requests_per_day=10**6))
        limits.put(session, ACME, QuotaRequest.model_validate(limit))
        quotas = snapshot.quotas(session)
    ledger, subjects = Ledger(database), [Subject("key", key.id), ACME]
    replicas = [Replica(ledger, quotas, now) for _ in range(2)]
    side_by_side([partial(replica.until_refused, subjects, amount) for replica in replicas])
    assert 0 < sum(len(replica.admitted) for replica in replicas) <= calls

    async def rest() -> None:
        one, other = replicas
        for _ in range(2):
            await one.allowances.tick()
        other.now += timedelta(seconds=1)  # so long is a refusal remembered
        await other.until_refused(subjects, amount)

    side_by_side([rest])
    assert sum(len(replica.admitted) for replica in replicas) == calls

    async def settled(replica: Replica) -> None:
        for reservation in replica.admitted:
            reservation.settle(amount)
        await replica.allowances.close()

    side_by_side([partial(settled, replica) for replica in replicas])
    used = {standing.limit.name: standing.used for standing in ledger.standings(subjects, now)}
    each = {"requests_per_minute": amount.requests, "tokens_per_day": amount.tokens, "budget": amount.cost_micros}
    assert sorted(used.values()) == sorted([calls, calls * each[next(iter(limit))]])
