"""The adaptive limit: what moves it, and what does not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from deployments.router.shedding import AdaptiveLimit, LoadSheddingConfig


class Bench:
    """A limit, whose samples come evenly over a second for each call."""

    def __init__(self, **config: object) -> None:
        self.now = 0.0
        self.limit = AdaptiveLimit(LoadSheddingConfig.model_validate(config), clock=lambda: self.now)

    def answered(
        self, latency_s: float = 0.1, in_flight: int | None = None, count: int = 100, *, is_wanted: bool = False
    ) -> int:
        for _ in range(count):
            self.now += 1 / count
            there = self.limit.value if in_flight is None else in_flight
            self.limit.sample(latency_s, latency_s, there, is_wanted=is_wanted)
        return self.limit.value

    def timed_out(self, held_s: float, count: int = 100) -> int:
        for _ in range(count):
            self.now += 1 / count
            self.limit.timed_out(held_s, self.limit.value, is_wanted=False)
        return self.limit.value


@pytest.mark.parametrize("policy", ["gradient", "aimd"])
def test_it_grows_while_it_is_used_and_stands_while_it_is_not(policy: str) -> None:
    """A limit that nobody reaches has not been tested, and would be far too high when it is."""
    bench = Bench(policy=policy)
    assert bench.answered(in_flight=10) == bench.answered(in_flight=50) == 64
    assert bench.answered(count=500) > 64


@pytest.mark.parametrize("policy", ["gradient", "aimd"])
def test_it_grows_while_requests_wait_that_may_have_a_part_of_it(policy: str) -> None:
    """Else it would stand wherever it was when batch requests came, and they with it."""
    assert Bench(policy=policy).answered(in_flight=32, count=500, is_wanted=True) > 64


def test_a_sudden_rise_of_latency_lowers_it_at_once() -> None:
    """Also where the target is only half full: it has become slower, whoever made it so."""
    bench = Bench()
    assert bench.answered(0.1, in_flight=40) == 64
    assert bench.answered(1.0, in_flight=40) < 64


@pytest.mark.parametrize("policy", ["gradient", "aimd"])
def test_timeouts_lower_it_and_single_ones_do_not(policy: str) -> None:
    """One caller in twenty is impatient anywhere; when it is one in ten, the target is in trouble."""
    bench = Bench(policy=policy)
    bench.answered(in_flight=10)
    for _ in range(20):
        bench.answered(in_flight=10, count=19)
        bench.timed_out(5.0, count=1)
    assert bench.limit.value == 64
    assert bench.timed_out(5.0) < 64


def test_a_timeout_sooner_than_an_answer_is_no_sign_of_trouble() -> None:
    """Or a caller with tiny deadlines would take the target from all others."""
    bench = Bench()
    bench.answered(0.1, in_flight=10)
    assert bench.timed_out(0.05, count=1000) == 64


@pytest.mark.parametrize("policy", ["gradient", "aimd"])
def test_it_stays_within_its_bounds(policy: str) -> None:
    """However long things go well, or badly; and it comes back from the bottom."""
    bench = Bench(policy=policy, min_limit=2, initial_limit=3, max_limit=8)
    assert bench.answered(count=10_000) in range(6, 9)
    for _ in range(100):
        bench.timed_out(5.0)
    assert bench.limit.value == 2
    assert bench.answered(count=2000) > 2


def test_a_fixed_limit_is_fixed() -> None:
    """Whatever is measured."""
    bench = Bench(policy="fixed", initial_limit=7)
    assert bench.answered() == bench.timed_out(5.0) == 7


def test_an_initial_limit_outside_the_bounds_is_refused() -> None:
    """It would be changed silently with the first window."""
    with pytest.raises(ValidationError, match=r"initial_limit: got 2, which is not between min_limit \(4\)"):
        LoadSheddingConfig(initial_limit=2)
