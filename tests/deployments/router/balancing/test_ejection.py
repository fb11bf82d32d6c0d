"""Who is ejected, for how long, and how many at most."""

from __future__ import annotations

import pytest

from deployments.router.balancing.ejection import EjectionConfig, Ejections
from tests.deployments.router.balancing.ticks import Ticks

CONFIG = EjectionConfig(consecutive_failures=3, interval_s=10, base_ejection_s=30, max_ejection_s=70)


@pytest.fixture
def ejections(ticks: Ticks) -> Ejections:
    """Of a pool of four."""
    found = Ejections(CONFIG, ticks)
    found.keep("abcd")
    return found


def fail(ejections: Ejections, replica: str, times: int = 3) -> None:
    for _ in range(times):
        ejections.failed(replica)


def test_only_failures_in_a_row_eject(ejections: Ejections) -> None:
    """A success among them starts the row anew, so that a replica that errs now and then stays."""
    fail(ejections, "a", 2)
    ejections.succeeded("a")
    fail(ejections, "a", 2)
    assert ejections.ejected() == set()
    ejections.failed("a")
    assert ejections.ejected() == {"a"}


def test_no_more_than_the_share_is_ejected(ejections: Ejections, ticks: Ticks) -> None:
    """A fault of all replicas must not leave nobody; who was spared goes when there is room again."""
    for replica in "abc":
        fail(ejections, replica)
    assert ejections.ejected() == {"a", "b"}
    ticks.now += 30
    assert ejections.ejected() == set()
    ejections.failed("c")
    assert ejections.ejected() == {"c"}


def test_each_ejection_lasts_longer_up_to_the_bound(ejections: Ejections, ticks: Ticks) -> None:
    """30, 60, then not 90 but 70 seconds, for one that fails again as soon as it is back."""
    lasted = []
    for _ in range(3):
        fail(ejections, "a")
        lasted.append(ejections.left_s("a"))
        ticks.now += ejections.left_s("a")
    assert lasted == [30, 60, 70]


def test_quiet_intervals_forgive_ejections(ejections: Ejections, ticks: Ticks) -> None:
    """After two ejections and one quiet interval the next counts as the second, after many as the first."""
    lasted = []
    for quiet in (0, 10, 100):
        fail(ejections, "a")
        ticks.now += ejections.left_s("a")
        fail(ejections, "a")
        ticks.now += ejections.left_s("a") + quiet
        fail(ejections, "a")
        lasted.append(ejections.left_s("a"))
        ticks.now += 1000
    assert lasted == [70, 60, 30]


def test_failures_that_arrive_during_an_ejection_do_not_count(ejections: Ejections, ticks: Ticks) -> None:
    """They were sent before it: what was in flight must not make it longer, nor eject again at its end."""
    fail(ejections, "a", 20)
    assert ejections.left_s("a") == 30
    ticks.now += 30
    fail(ejections, "a", 2)
    assert ejections.ejected() == set()


def test_a_replica_that_is_gone_is_forgotten(ejections: Ejections) -> None:
    """Its record must neither stay for ever nor take up the share of those that are there."""
    fail(ejections, "a")
    ejections.keep("bcd")
    fail(ejections, "a")
    assert ejections.ejected() == set()
    fail(ejections, "b")
    assert ejections.ejected() == {"b"}
