"""Usage: added up, and told by any of its dimensions."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from autoglm.contract.usage_report import UsageRow
from cluster.control import usage
from cluster.control.database import Database
from deployments.quota.meter import Spent

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


@pytest.fixture
def spent(database: Database) -> Database:
    with database.write() as session:
        usage.add(
            session,
            [
                Spent("key_a", "acme", "chat", MONDAY, 1, 10, 5, 250_000),
                Spent("key_a", "acme", "chat", MONDAY, 1, 20, 5, 250_000),
                Spent("key_a", "acme", "embed", TUESDAY, 1, 7),
                Spent("user:ada", "acme", "chat", TUESDAY, 2, 8, 2, 1),
            ],
        )
    return database


def test_one_key_model_and_day_are_one_sum(spent: Database) -> None:
    """Added in one transaction or in several."""
    with spent.write() as session:
        usage.add(session, [Spent("key_a", "acme", "chat", MONDAY, 1, 1, 1, 500_000)])
    with spent.read() as session:
        rows = usage.totals(session, ["key", "model", "day"], limit=10)
    assert rows[0] == UsageRow(
        key="key_a", model="chat", day=MONDAY, requests=3, prompt_tokens=31, completion_tokens=11, cost=1.0
    )
    assert len(rows) == 3


def test_sums_are_by_what_is_asked_over_the_days_asked(spent: Database) -> None:
    """Both days are included; the order is the dimension's."""
    with spent.read() as session:
        by_model = usage.totals(session, ["model"], limit=10)
        assert [(row.model, row.requests, row.key) for row in by_model] == [("chat", 4, None), ("embed", 1, None)]
        tuesday = usage.totals(session, ["tenant"], since=TUESDAY, until=TUESDAY, limit=10)
        assert [(row.tenant, row.requests, row.prompt_tokens) for row in tuesday] == [("acme", 3, 15)]
        assert usage.totals(session, ["key"], since=date(2027, 1, 1), limit=10) == []
        assert len(usage.totals(session, ["key", "model", "day"], limit=2)) == 2


def test_the_csv_has_a_header_and_the_dimensions_asked_for(spent: Database) -> None:
    """A spreadsheet opens it."""
    with spent.read() as session:
        text = usage.as_csv(usage.totals(session, ["key", "day"], limit=10), ["key", "day"])
    assert text == (
        "key,day,requests,prompt_tokens,completion_tokens,cost\n"
        "key_a,2026-03-02,2,30,10,0.5\n"
        "key_a,2026-03-03,1,7,0,0.0\n"
        "user:ada,2026-03-03,2,8,2,1e-06\n"
    )


def test_parallel_writers_lose_nothing(database: Database) -> None:
    """Each adds to the same two sums, in either order."""
    one, other = Spent("a", "acme", "chat", MONDAY, 1), Spent("b", "acme", "chat", MONDAY, 1)

    def add(spent: list[Spent]) -> None:
        for _ in range(5):
            with database.write() as session:
                usage.add(session, spent)

    threads = [threading.Thread(target=add, args=(spent,)) for spent in ([one, other], [other, one]) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert [row.requests for row in usage.totals(session, ["key"], limit=10)] == [30, 30]
