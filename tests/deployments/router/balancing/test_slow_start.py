"""How a new replica comes to its share."""

from __future__ import annotations

from random import Random

import pytest

from deployments.router.balancing.slow_start import SlowStart
from tests.deployments.router.balancing.ticks import Ticks


@pytest.fixture
def slow_start(ticks: Ticks) -> SlowStart:
    """Of one old replica and one that came just now; ten seconds."""
    found = SlowStart(10, ticks, Random(0))
    found.keep("a")
    found.keep("ab")
    return found


def test_the_share_grows_from_a_tenth_to_the_whole(slow_start: SlowStart, ticks: Ticks) -> None:
    """In a straight line, and never less than a tenth, or it would not warm up."""
    shares = []
    for _ in range(4):
        shares.append(slow_start.share("b"))
        ticks.now += 3.5
    assert shares == pytest.approx([0.1, 0.35, 0.7, 1.0])


def test_it_is_a_candidate_as_often_as_its_share_says(slow_start: SlowStart, ticks: Ticks) -> None:
    """Halfway through, about one draw in two; the old replica is never held back."""
    ticks.now += 5
    draws = [slow_start.held_back() for _ in range(1000)]
    assert 450 < sum("b" in held for held in draws) < 550
    assert not any("a" in held for held in draws)


def test_those_found_at_the_start_are_warm(ticks: Ticks) -> None:
    """A router that starts meets replicas that have long been running."""
    slow_start = SlowStart(10, ticks, Random(0))
    slow_start.keep("ab")
    assert [slow_start.share(replica) for replica in "ab"] == [1.0, 1.0]
