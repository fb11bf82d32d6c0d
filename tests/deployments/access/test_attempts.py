"""Who failed too often."""

from __future__ import annotations

import pytest

from autoglm.errors import RateLimitError
from deployments.access import attempts
from deployments.access.attempts import Attempts
from tests.deployments.access.ticks import Ticks


def test_an_address_is_blocked_until_its_minute_ends(ticks: Ticks) -> None:
    """The wait that it is told is right to the second, and then it may fail as often again."""
    counted = Attempts(2, ticks)
    counted.failed("10.0.0.1")
    assert counted.blocked("10.0.0.1") is None
    ticks.now = 20
    counted.failed("10.0.0.1")
    assert counted.blocked("10.0.0.1") == 40
    with pytest.raises(RateLimitError, match=r"try again in 40 s") as caught:
        counted.admit("10.0.0.1")
    assert caught.value.retry_after == 40
    counted.admit("10.0.0.2")
    ticks.now = 60
    assert counted.blocked("10.0.0.1") is None
    counted.failed("10.0.0.1")
    counted.admit("10.0.0.1")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("10.0.0.1", "10.0.0.2", False),
        ("", "", True),
        ("x" * 64 + "a", "x" * 64 + "b", True),
    ],
)
def test_what_counts_as_one_source(ticks: Ticks, one: str, other: str, same: bool) -> None:
    """A subscriber's IPv6 network is one; IPv4 clients of a socket of both families are not."""
    counted = Attempts(1, ticks)
    counted.failed(one)
    assert (counted.blocked(other) is not None) is same


def test_the_memory_is_bounded(ticks: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source that has not failed for the longest time is forgotten."""
    monkeypatch.setattr(attempts, "MAX_SOURCES", 2)
    counted = Attempts(1, ticks)
    for address in ("10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.3"):
        counted.failed(address)
    assert [counted.blocked(f"10.0.0.{last}") is not None for last in (1, 2, 3)] == [True, False, True]
