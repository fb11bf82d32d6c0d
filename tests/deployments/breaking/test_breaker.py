"""The circuit breaker: what opens it, what reaches a target meanwhile, what closes it, who may hold it."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from autoglm.errors import (
    STATUS_ERRORS,
    APIStatusError,
    CircuitOpenError,
    DeadlineExceededError,
    InternalServerError,
    UnavailableError,
    UpstreamError,
)
from deployments.breaking import Breaker, BreakerConfig, Permit, Transition, counts_as_failure


class Bench:
    """A breaker with a clock that the test turns."""

    def __init__(self, **config: float) -> None:
        self.now = 1000.0
        self.heard: list[Transition] = []
        self.breaker = Breaker(
            "chat",
            "v1",
            BreakerConfig.model_validate(config),
            clock=lambda: self.now,
            on_transition=self.heard.append,
        )

    @property
    def state(self) -> str:
        return self.breaker.status().state

    def admitted(self, calls: int) -> list[Permit]:
        """What it admits of so many calls that come at once."""
        permits = []
        for _ in range(calls):
            try:
                permits.append(self.breaker.admit())
            except CircuitOpenError:
                pass
        return permits

    def call(self, outcomes: str, seconds: float = 0.0) -> None:
        """Calls one after another: `.` succeeds, `x` fails, `-` is released."""
        for outcome in outcomes:
            permit = self.breaker.admit()
            if outcome == "-":
                permit.released()
            else:
                (permit.failed if outcome == "x" else permit.succeeded)(seconds)

    def opened(self) -> Bench:
        """The same with a breaker that has just opened."""
        self.call("xxxxx")
        assert self.state == "open"
        return self


Target = Callable[[float], tuple[bool, float]]  # (time of the attempt) -> (whether it fails, seconds it takes)


def dead(at: float) -> tuple[bool, float]:
    """A target that refuses each attempt after 20 ms."""
    return True, 0.02


def reached(bench: Bench, target: Target, arrivals: list[float]) -> list[float]:
    """When calls that come at these times reach the target; each outcome is settled at its own time, in order."""
    began = bench.now
    waiting = deque(sorted(arrivals))
    under_way: list[tuple[float, int, Permit, bool, float]] = []
    attempts: list[float] = []
    while waiting or under_way:
        if under_way and (not waiting or under_way[0][0] <= waiting[0]):
            ends, _, permit, failed, seconds = heapq.heappop(under_way)
            bench.now = began + ends
            (permit.failed if failed else permit.succeeded)(seconds)
            continue
        at = waiting.popleft()
        bench.now = began + at
        for permit in bench.admitted(1):
            failed, seconds = target(at)
            attempts.append(at)
            heapq.heappush(under_way, (at + seconds, len(attempts), permit, failed, seconds))
    return attempts


def every(seconds: float, *, start: float = 0.0, stop: float) -> list[float]:
    return [start + seconds * n for n in range(round((stop - start) / seconds))]


# What opens it


def test_it_opens_when_the_share_of_failures_reaches_the_threshold() -> None:
    """Reaching is enough, and fewer calls than the minimum are no share of anything."""
    bench = Bench(minimum_calls=4, failure_rate=0.5)
    bench.call(".x.")
    assert bench.state == "closed"
    bench.call("x")
    assert bench.heard[-1].reason == "2 of 4 calls failed"


def test_slow_calls_open_it_as_failures_do() -> None:
    """A target that answers too late is of no use either."""
    bench = Bench(minimum_calls=4, slow_call_s=2.0, slow_call_rate=0.75)
    bench.call(".", seconds=1.9)
    bench.call("..", seconds=2.0)
    assert bench.state == "closed"
    bench.call(".", seconds=3.0)
    assert bench.heard[-1].reason == "3 of 4 calls took 2 s or longer"


def test_a_count_window_forgets_all_but_the_last_calls() -> None:
    """Old successes do not outweigh for ever what goes wrong now, nor old failures what goes right."""
    bench = Bench(window_calls=4, minimum_calls=4)
    bench.call("x" + "..." + "x" + "...")
    assert bench.state == "closed"
    bench.call("x.x")
    assert bench.heard[-1].reason == "2 of 4 calls failed"


def test_a_time_window_forgets_a_part_at_a_time_and_what_is_left_counts_without_a_call() -> None:
    """When the successes of long ago leave, the failures since are all there is, and it is open for the next call."""
    bench = Bench(window_s=10.0, minimum_calls=4)
    bench.call("...")
    bench.now += 5
    bench.call("x.x.xx")
    assert bench.breaker.status().calls == 9
    bench.now += 5
    with pytest.raises(CircuitOpenError, match="4 of 6 calls failed"):
        bench.breaker.admit()


def test_what_is_released_counts_for_nothing() -> None:
    """A caller who leaves, and a caller's own error, are no verdict on the target."""
    bench = Bench()
    bench.call("xxxx" + "-" * 20)
    status = bench.breaker.status()
    assert (status.state, status.calls, status.in_flight) == ("closed", 4, 0)


@pytest.mark.parametrize("error", STATUS_ERRORS)
def test_only_a_fault_of_the_target_counts(error: type[APIStatusError]) -> None:
    """500, 502, 503 and 504 do; what the caller did, a limit of the caller's and a breaker's own refusal do not."""
    counted = {InternalServerError, UpstreamError, UnavailableError, DeadlineExceededError}
    assert counts_as_failure(error("why")) is (error in counted)


# What reaches the target


def test_a_dead_target_sees_five_attempts_and_then_one_an_interval() -> None:
    """Of 200 calls a second."""
    attempts = reached(Bench(open_s=1.0), dead, [0.0, *every(0.005, start=0.03, stop=10.0)])
    assert len([at for at in attempts if at < 1.0]) == 5
    assert [len([at for at in attempts if second <= at < second + 1]) for second in range(1, 10)] == [1] * 9


def test_a_crowd_does_not_reach_a_dead_target_either() -> None:
    """After the first failure, calls under way count as if they had failed: 1,000 at once are four more."""
    bench = Bench()
    bench.call("x")
    crowd = bench.admitted(1000)
    assert len(crowd) == 4
    crowd[0].released()
    assert len(bench.admitted(1000)) == 1
    for permit in crowd[1:]:
        permit.failed(0.02)
    assert bench.state == "closed"
    assert bench.admitted(1000) == []


def test_a_target_that_dies_after_long_service_sees_five_attempts_too() -> None:
    """A window of 3,000 successes would need 3,000 failures to reach the threshold; five in a row do."""
    bench = Bench(open_s=1.0)
    reached(bench, lambda at: (False, 0.004), every(0.005, stop=15.0))
    bench.now += 0.005
    attempts = reached(bench, lambda at: (True, 0.004), every(0.005, stop=4.9))
    assert len([at for at in attempts if at < 1.0]) == 5
    assert len(attempts) == 9


def test_a_healthy_target_with_sporadic_failures_has_no_call_refused() -> None:
    """One failure in ten, 50 calls under way at any time: each of 10,000 is admitted."""
    outcomes = iter(n % 10 == 9 for n in range(10_000))
    bench = Bench()
    attempts = reached(bench, lambda at: (next(outcomes), 0.05), every(0.001, stop=10.0))
    assert len(attempts) == 10_000
    assert not bench.heard


def test_the_calls_that_die_with_one_replica_do_not_open_it() -> None:
    """They were under way when the first of them failed; those that came after it are served by the others."""
    bench = Bench()
    bench.call("." * 60)
    lost, served = bench.admitted(40), bench.admitted(20)
    for permit in lost:
        permit.failed(0.1)
    retried = bench.admitted(40)
    for permit in served + retried:
        permit.succeeded(0.1)
    assert (len(retried), bench.state, bench.heard) == (40, "closed", [])


# Half-open


def test_a_refusal_names_the_target_and_says_when_the_next_probe_may_go() -> None:
    """What a caller needs to come back at the right time."""
    bench = Bench(open_s=4.0).opened()
    bench.now += 1.5
    with pytest.raises(CircuitOpenError, match=r"chat v1 is open, since 5 .* try again in 2\.5 s") as caught:
        bench.breaker.admit()
    assert caught.value.retry_after == 2.5
    assert bench.breaker.status().refused == 1


def test_probes_that_succeed_close_it_with_an_empty_window() -> None:
    """At most `probes` at a time, as many as `successes` in all, and the past is forgotten."""
    bench = Bench(probes=2, successes=3).opened()
    bench.now += 1
    first, second = bench.admitted(5)
    first.succeeded(0.1)
    (third,) = bench.admitted(5)
    second.succeeded(0.1)
    assert bench.state == "half_open"
    third.succeeded(0.1)
    status = bench.breaker.status()
    assert (status.state, status.calls) == ("closed", 0)


@pytest.mark.parametrize(("failed", "seconds"), [(True, 0.1), (False, 2.0)])
def test_a_probe_that_fails_or_is_slow_opens_it_for_another_interval(failed: bool, seconds: float) -> None:
    """A slow answer does not close a breaker that slowness may have opened."""
    bench = Bench(slow_call_s=2.0, probes=2).opened()
    bench.now += 1
    probe, other = bench.admitted(2)
    (probe.failed if failed else probe.succeeded)(seconds)
    other.succeeded(0.1)
    assert bench.state == "open"
    bench.now += 1
    assert len(bench.admitted(5)) == 2


def test_a_probe_whose_caller_leaves_gives_its_place_back() -> None:
    """The next interval has a probe again, and the target still sees no more than one in each."""
    bench = Bench().opened()
    for _ in range(3):
        bench.now += 1
        with pytest.raises(TimeoutError), bench.breaker.admit():
            raise TimeoutError
        assert bench.admitted(5) == []
    bench.now += 1
    bench.call(".")
    assert bench.state == "closed"


def test_a_late_outcome_changes_nothing_and_a_late_probe_keeps_its_place() -> None:
    """A call admitted before it opened neither closes nor opens what came after; a probe under way is still one."""
    bench = Bench(minimum_calls=2)
    *late, first, second = bench.admitted(8)
    first.failed(0.1)
    second.failed(0.1)
    late[0].succeeded(9.0)
    late[1].failed(9.0)
    bench.now += 1
    (probe,) = bench.admitted(5)
    late[2].failed(9.0)
    late[3].succeeded(9.0)
    assert bench.state == "half_open"
    bench.breaker.force_open()
    bench.breaker.release_forced()
    assert (bench.admitted(5), bench.state) == ([], "half_open")
    probe.failed(9.0)
    bench.call(".")
    late[4].failed(9.0)
    late[5].failed(9.0)
    status = bench.breaker.status()
    assert (status.state, status.calls, status.in_flight) == ("closed", 0, 0)


# By hand, and what is seen of it


def test_held_open_it_admits_nothing_until_released_and_then_a_probe() -> None:
    """No time and no outcome ends a hold; who releases it has the target tried before all go to it again."""
    bench = Bench()
    (under_way,) = bench.admitted(1)
    bench.breaker.force_open()
    under_way.succeeded(0.1)
    bench.now += 3600
    assert bench.admitted(5) == []
    assert bench.breaker.status().forced
    bench.breaker.release_forced()
    assert len(bench.admitted(5)) == 1


def test_held_closed_it_admits_everything_until_released() -> None:
    """Failures are counted and shown; they open it only when it decides by itself again, from an empty window."""
    bench = Bench().opened()
    bench.breaker.force_closed()
    bench.call("x" * 20)
    assert len(bench.admitted(100)) == 100
    status = bench.breaker.status()
    assert (status.state, status.forced, status.failure_rate) == ("closed", True, 1.0)
    bench.breaker.release_forced()
    assert (bench.state, bench.breaker.status().forced) == ("closed", False)
    bench.opened()


def test_transitions_are_told_once_each_and_the_last_are_kept() -> None:
    """Metrics hear of each; the card holds a bounded number, with how long ago and why."""
    bench = Bench().opened()
    bench.breaker.force_open()
    bench.breaker.force_open()
    bench.now += 3
    bench.breaker.release_forced()
    bench.breaker.release_forced()
    told = [(change.before, change.after, change.forced) for change in bench.heard]
    assert told == [("closed", "open", False), ("open", "open", True), ("open", "open", False)]
    card = bench.breaker.status()
    assert (card.state, card.opened) == ("half_open", 1)
    assert [change.ago_s for change in card.transitions] == [3.0, 3.0, 0.0, 0.0]
    for _ in range(20):
        bench.call("x")
        bench.now += 1
    assert len(bench.breaker.status().transitions) == 16


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"window_calls": 10, "window_s": 10.0}, "one of them will do"),
        ({"window_calls": 4}, "below minimum_calls"),
        ({"open_s": float("inf")}, "finite"),
    ],
)
def test_a_configuration_that_could_not_work_is_refused(config: dict[str, float], said: str) -> None:
    """What contradicts itself, or could never open, is said when it is declared."""
    with pytest.raises(ValidationError, match=said):
        BreakerConfig.model_validate(config)
