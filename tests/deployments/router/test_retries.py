"""Retries: how many one request has, how many a target gets from all of them, and how long each waits."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from deployments.router.retries import RetryBudget, RetryConfig, RetryPool, backoff


class Bench:
    """A pool with a clock that the test turns."""

    def __init__(self, **config: float) -> None:
        self.now = 1000.0
        self.pool = RetryPool(RetryConfig.model_validate(config), clock=lambda: self.now)

    def withdrawn(self, wanted: int) -> int:
        """How many of so many retries it grants."""
        return sum(self.pool.withdraw() for _ in range(wanted))


def test_a_request_has_so_many_retries_over_all_of_its_hops() -> None:
    """What one hop took, the next does not have; nothing goes below none."""
    budget = RetryBudget(2)
    assert [budget.take() for _ in range(4)] == [True, True, False, False]
    assert budget.remaining == 0


def test_a_pool_grants_its_reserve_at_once_and_then_a_share_of_first_attempts() -> None:
    """A replica's death is covered from the start; in an outage, one retry to five requests."""
    bench = Bench(ratio=0.2, min_per_s=0.0, capacity=20)
    assert bench.withdrawn(100) == 20
    granted = 0
    for _ in range(50):
        bench.pool.deposit()
        granted += bench.withdrawn(3)
    assert granted == 10


def test_an_idle_pool_fills_by_the_second_up_to_its_capacity() -> None:
    """A target with one request an hour has a retry for it; a quiet night does not save up a storm."""
    bench = Bench(min_per_s=2.0, capacity=10)
    bench.withdrawn(10)
    bench.now += 1.5
    assert bench.withdrawn(100) == 3
    bench.now += 3600
    for _ in range(1000):
        bench.pool.deposit()
    assert bench.withdrawn(100) == 10


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(
    events=st.lists(st.sampled_from(["first", "retry"]) | st.integers(0, 8), max_size=300),
    ratio=st.sampled_from([0.0, 0.125, 0.25, 1.0]),
    min_per_s=st.sampled_from([0.0, 0.5, 3.0]),
    capacity=st.sampled_from([1.0, 4.0, 64.0]),
)
def test_retries_never_exceed_the_share_the_floor_and_the_reserve(
    events: list[str | int], ratio: float, min_per_s: float, capacity: float
) -> None:
    """Over any order of first attempts, retries and eighths of a second."""
    bench = Bench(ratio=ratio, min_per_s=min_per_s, capacity=capacity)
    firsts = retries = 0
    for event in events:
        if event == "first":
            bench.pool.deposit()
            firsts += 1
        elif event == "retry":
            retries += bench.withdrawn(8)
        else:
            bench.now += int(event) / 8
        assert retries <= ratio * firsts + min_per_s * (bench.now - 1000.0) + capacity


def test_the_wait_is_drawn_evenly_below_a_bound_that_doubles_up_to_the_longest() -> None:
    """Full jitter: requests that failed together do not come back together."""
    config = RetryConfig(backoff_s=0.01, max_backoff_s=0.03)
    rng = random.Random(0)
    for attempt, bound in [(1, 0.01), (2, 0.02), (3, 0.03), (9, 0.03)]:
        waits = [backoff(attempt, config, rng) for _ in range(1000)]
        assert 0 <= min(waits) < 0.05 * bound
        assert 0.95 * bound < max(waits) <= bound
        assert sum(waits) / 1000 == pytest.approx(bound / 2, rel=0.1)


def test_a_longest_wait_below_the_first_is_refused() -> None:
    """It would silently shorten what was asked for."""
    with pytest.raises(ValidationError, match=r"max_backoff_s \(0\.1\) is below backoff_s \(0\.2\)"):
        RetryConfig(backoff_s=0.2, max_backoff_s=0.1)
