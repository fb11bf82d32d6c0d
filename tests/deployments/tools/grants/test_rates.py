"""How often a grant may be used."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.tools.grants import Rates


class Time:
    """A clock that the test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_minutes_calls_come_at_once_and_then_evenly() -> None:
    """What is refused tells when to come again, and then it is admitted."""
    time = Time()
    rates = Rates(time)
    assert [rates.take("g", 6) for _ in range(6)] == [0.0] * 6
    assert rates.take("g", 6) == pytest.approx(10.0)
    time.now += 10
    assert [rates.take("g", 6), rates.take("g", 6)] == [0.0, pytest.approx(10.0)]


def test_grants_do_not_share_and_only_those_that_are_gone_are_forgotten() -> None:
    """One that is told again has used what it has used."""
    rates = Rates(Time())
    assert [rates.take("a", 1), rates.take("b", 1)] == [0.0, 0.0]
    rates.keep({"a"})
    assert rates.take("a", 1) == pytest.approx(60.0)
    assert rates.take("b", 1) == 0.0


@settings(deadline=None)
@given(st.integers(1, 50), st.lists(st.floats(0, 20), max_size=200))
def test_no_minute_has_more_than_twice_as_many(calls: int, waits: list[float]) -> None:
    """Whenever they come."""
    time = Time()
    rates, admitted = Rates(time), []
    for wait in waits:
        time.now += wait
        if rates.take("g", calls) == 0.0:
            admitted.append(time.now)
    assert all(sum(start <= at < start + 60 for at in admitted) <= 2 * calls for start in admitted)
