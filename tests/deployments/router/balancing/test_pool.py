"""Who may be chosen, and what becomes of attempts whose replica is lost."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from deployments.router.balancing.attempt import Attempt
from deployments.router.balancing.config import BalancingConfig
from deployments.router.balancing.ejection import EjectionConfig
from deployments.router.balancing.pool import Pool, ReplicaStatus
from deployments.router.balancing.prober import ProbeConfig
from tests.deployments.router.balancing.ticks import Ticks

CONFIG = BalancingConfig(
    ejection=EjectionConfig(consecutive_failures=1), probe=ProbeConfig(rise=1, fall=1), slow_start_s=10
)
ALL = frozenset("abcd")


@pytest.fixture
def pool(ticks: Ticks) -> Pool:
    """Four replicas, long known."""
    found = Pool(CONFIG, clock=ticks, rng=Random(0))
    found.update("abcd")
    return found


async def round_during(pool: Pool, attempt: Attempt) -> None:
    """A round of probes ends while the attempt waits for its answer, which never comes."""
    async with asyncio.timeout(60) as attempt.scope:
        pool.give_up_lost()
        await asyncio.Event().wait()


def sent(pool: Pool, replica: str) -> Attempt:
    attempt = Attempt()
    pool.chosen(attempt, replica)
    return attempt


def test_what_failed_before_is_ejected_or_hangs_is_not_admitted(pool: Pool) -> None:
    """Each guard alone takes its own replica out."""
    sent(pool, "b").failed()
    pool.missed("c")
    assert pool.admitted(ALL, frozenset("a")) == {"d"}


def test_where_nobody_is_left_the_guards_give_way_in_order(pool: Pool) -> None:
    """Ejection before probes, and last of all what this request has failed on."""
    sent(pool, "d").failed()
    for replica in "bc":
        pool.missed(replica)
    assert pool.admitted(ALL, frozenset("a")) == {"d"}
    assert pool.admitted("abc", frozenset("a")) == {"b", "c"}
    assert pool.admitted("a", frozenset("a")) == {"a"}


def test_slow_start_gives_way_first(ticks: Ticks) -> None:
    """A cold replica is better than an ejected one; while others are there it is mostly held back."""
    pool = Pool(CONFIG, clock=ticks, rng=Random(0))
    pool.update("a")
    pool.update("ab")
    assert sum("b" in pool.admitted("ab", frozenset()) for _ in range(1000)) < 150
    sent(pool, "a").failed()
    assert {frozenset(pool.admitted("ab", frozenset())) for _ in range(50)} == {frozenset("b")}


def test_a_key_keeps_its_replica_from_the_start(ticks: Ticks) -> None:
    """Under consistent hashing a slow start would send a key now here, now there."""
    pool = Pool(BalancingConfig(policy="consistent_hash"), clock=ticks, rng=Random(0))
    pool.update("a")
    pool.update("ab")
    assert all(pool.admitted("ab", frozenset()) == {"a", "b"} for _ in range(50))


def test_only_the_first_settling_counts(pool: Pool) -> None:
    """A caller that settles again in a `finally` must not undo or repeat what it said."""
    attempt = sent(pool, "a")
    attempt.succeeded()
    attempt.failed()
    attempt.released()
    assert not pool.busy
    assert "a" in pool.admitted(ALL, frozenset())


def test_a_rejected_attempt_moves_to_its_next_replica(pool: Pool) -> None:
    """Serve chooses again where a replica was full; the attempt is under way once."""
    attempt = sent(pool, "a")
    pool.chosen(attempt, "b")
    assert {row.replica: row.outstanding for row in pool.status() if row.outstanding} == {"b": 1}


async def test_attempts_on_a_hanging_replica_are_given_up(pool: Pool) -> None:
    """At once, not at their deadline, and only those; the caller can tell which of the two it was."""
    lost, kept = sent(pool, "a"), sent(pool, "b")
    pool.missed("a")
    with pytest.raises(TimeoutError):
        await round_during(pool, lost)
    assert lost.given_up
    assert not kept.given_up


async def test_an_attempt_between_two_scopes_is_given_up_in_the_next(pool: Pool) -> None:
    """A stream waits for each event in a scope of its own; its replica may die while the client reads."""
    attempt = sent(pool, "a")
    async with asyncio.timeout(60) as attempt.scope:
        await asyncio.sleep(0)
    pool.died("a")
    with pytest.raises(TimeoutError):
        await round_during(pool, attempt)


async def test_where_none_answers_nothing_is_given_up(pool: Pool) -> None:
    """There is nowhere to fail over to, and the fault may be this process's own."""
    attempt = sent(pool, "a")
    for replica in ALL:
        pool.missed(replica)
    pool.give_up_lost()
    assert not attempt.given_up


async def test_what_drains_is_left_to_end(pool: Pool) -> None:
    """A replica that is scaled down leaves the list and still answers what it has."""
    attempt = sent(pool, "a")
    pool.update("bcd")
    pool.give_up_lost()
    assert not attempt.given_up
    assert pool.busy


def test_an_answer_counts_as_a_probe(pool: Pool) -> None:
    """What hung and answers its traffic again need not wait for the prober."""
    pool.missed("a")
    sent(pool, "a").succeeded()
    assert "a" in pool.admitted(ALL, frozenset())


def test_the_status_tells_each_guard(pool: Pool, ticks: Ticks) -> None:
    """Seconds to come of an ejection, seconds so far of a hang, a new replica's share."""
    sent(pool, "a").failed()
    pool.missed("b")
    sent(pool, "b")
    pool.update("abcde")
    ticks.now += 5
    rows = {row.replica: row for row in pool.status()}
    assert rows["a"] == ReplicaStatus("a", outstanding=0, ejected_for_s=25, hanging_for_s=0, share=1)
    assert rows["b"] == ReplicaStatus("b", outstanding=1, ejected_for_s=0, hanging_for_s=5, share=1)
    assert rows["e"].share == 0.5
