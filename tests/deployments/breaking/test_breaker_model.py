"""The circuit breaker against a model of it, over any order of calls, outcomes, waits and an operator's acts.

The model keeps everything that ever happened in one list and reads each answer from it anew; it shares no code with the
breaker. Times are multiples of a half, so that both see the same floats.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from autoglm.errors import CircuitOpenError
from deployments.breaking import Breaker, BreakerConfig, Permit

BUCKET_S = 0.5  # a tenth of the time window below
SLOW_S = 2.0

CONFIGS = st.builds(
    BreakerConfig,
    minimum_calls=st.integers(1, 4),
    failure_rate=st.sampled_from([0.25, 0.5, 0.75, 1.0]),
    slow_call_s=st.just(SLOW_S),
    slow_call_rate=st.sampled_from([0.5, 1.0]),
    open_s=st.just(4.0),
    probes=st.integers(1, 3),
    successes=st.none() | st.integers(1, 4),
    window_calls=st.just(6),
) | st.builds(
    BreakerConfig,
    minimum_calls=st.integers(1, 4),
    failure_rate=st.sampled_from([0.25, 0.5, 0.75, 1.0]),
    slow_call_s=st.none(),
    open_s=st.just(4.0),
    probes=st.integers(1, 3),
    window_s=st.just(10 * BUCKET_S),
)
VERDICTS = st.sampled_from(["success", "success", "slow success", "failure", "failure", "slow failure", "release"])


@dataclass
class Call:
    """One admitted call: in which epoch of the breaker, as which of it, and how it ended."""

    epoch: int
    number: int
    probe: bool
    verdict: str | None = None


@dataclass
class Ended:
    """An outcome in the present epoch."""

    call: Call
    at: float
    given_before: int

    @property
    def failed(self) -> bool:
        return "failure" in str(self.call.verdict)

    @property
    def slow(self) -> bool:
        return "slow" in str(self.call.verdict)


@dataclass
class Model:
    """The breaker as a list of calls and a state that is worked out from it."""

    config: BreakerConfig
    now: float = 0.0
    state: str = "closed"
    forced: bool = False
    epoch: int = 0
    open_until: float = 0.0
    calls: list[Call] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)

    def go(self, state: str, *, forced: bool = False, open_s: float = 0.0) -> None:
        self.state, self.forced, self.epoch = state, forced, self.epoch + 1
        self.open_until = self.now + open_s
        self.ended = []

    def of_epoch(self) -> list[Call]:
        return [call for call in self.calls if call.epoch == self.epoch]

    def under_way(self) -> list[Call]:
        return [call for call in self.calls if call.verdict is None]

    def probes_under_way(self) -> int:
        return len([call for call in self.under_way() if call.probe])

    def window(self) -> list[Ended]:
        if self.state != "closed":
            return []
        if self.config.window_calls is not None:
            return self.ended[-self.config.window_calls :]
        oldest = self.now // BUCKET_S - 9
        return [end for end in self.ended if end.at // BUCKET_S >= oldest]

    def streak(self) -> int:
        """Failures since the last success: the first, and those of calls that began after it."""
        since = 0
        while since < len(self.ended) and any(not end.failed for end in self.ended[since:]):
            since += 1
        tail = self.ended[since:]
        return len(tail[:1]) + len([end for end in tail[1:] if end.call.number > tail[0].given_before])

    def is_over_a_threshold(self) -> bool:
        window = self.window()
        if len(window) < self.config.minimum_calls:
            return False
        too_slow = sum(end.slow for end in window) >= self.config.slow_call_rate * len(window)
        failing = sum(end.failed for end in window) >= self.config.failure_rate * len(window)
        return failing or (self.config.slow_call_s is not None and too_slow)

    def settle_down(self) -> None:
        """Go to the state that is due."""
        if self.forced:
            return
        if self.state == "closed" and (self.is_over_a_threshold() or self.streak() >= self.config.minimum_calls):
            self.go("open", open_s=self.config.open_s)
        elif self.state == "open" and self.now >= self.open_until:
            self.go("half_open")
        elif self.state == "half_open":
            self.judge_probes()

    def judge_probes(self) -> None:
        good = [end for end in self.ended if not end.failed and not self.is_slow(end)]
        undecided = [call for call in self.of_epoch() if call.verdict is None]
        if len(good) >= self.config.successes_to_close:
            self.go("closed")
        elif len(good) < len(self.ended) or not (undecided or self.may_probe_more()):
            self.go("open", open_s=self.config.open_s)

    def is_slow(self, end: Ended) -> bool:
        return self.config.slow_call_s is not None and end.slow

    def may_probe_more(self) -> bool:
        return len(self.of_epoch()) < self.config.probes + len(self.ended)

    def admits(self) -> bool:
        if self.forced or self.state == "open":
            return self.state == "closed"
        if self.state == "half_open":
            return self.may_probe_more() and self.probes_under_way() < self.config.probes
        window = self.window()
        if not window or not all(end.failed for end in window):
            return True
        undecided = [call for call in self.of_epoch() if call.verdict is None]
        return len(window) + len(undecided) < self.config.minimum_calls

    def begin(self) -> Call:
        call = Call(self.epoch, len(self.of_epoch()) + 1, probe=self.state == "half_open")
        self.calls.append(call)
        return call

    def end(self, call: Call, verdict: str) -> None:
        if call.verdict is not None:
            return
        call.verdict = verdict
        if call.epoch == self.epoch and verdict != "release":
            self.ended.append(Ended(call, self.now, len(self.of_epoch())))


def settle(permit: Permit, verdict: str) -> None:
    seconds = SLOW_S if "slow" in verdict else SLOW_S / 2
    if verdict == "release":
        permit.released()
    elif "failure" in verdict:
        permit.failed(seconds)
    else:
        permit.succeeded(seconds)


class BreakerMachine(RuleBasedStateMachine):
    """A breaker and its model, told the same."""

    under_way = Bundle("under_way")
    over = Bundle("over")

    @initialize(config=CONFIGS)
    def start(self, config: BreakerConfig) -> None:
        self.model = Model(config)
        self.breaker = Breaker("chat", "v1", config, clock=lambda: self.model.now)
        self.given: list[tuple[Permit, Call]] = []

    @rule(target=under_way, calls=st.integers(1, 4))
    def admit(self, calls: int) -> object:
        return multiple(*[begun for _ in range(calls) if (begun := self.begun()) is not None])

    def begun(self) -> tuple[Permit, Call] | None:
        self.model.settle_down()
        if not self.model.admits():
            with pytest.raises(CircuitOpenError) as caught:
                self.breaker.admit()
            assert 0 < (caught.value.retry_after or 0) <= self.model.config.open_s
            return None
        begun = (self.breaker.admit(), self.model.begin())
        self.given.append(begun)
        return begun

    @rule(target=over, begun=consumes(under_way), verdict=VERDICTS)
    def end(self, begun: tuple[Permit, Call], verdict: str) -> tuple[Permit, Call]:
        self.settle(begun, verdict)
        return begun

    def settle(self, begun: tuple[Permit, Call], verdict: str) -> None:
        settle(begun[0], verdict)
        self.model.end(begun[1], verdict)

    @rule(verdicts=st.lists(VERDICTS, min_size=1, max_size=6))
    def one_after_another(self, verdicts: list[str]) -> None:
        for verdict in verdicts:
            begun = self.begun()
            if begun is not None:
                self.settle(begun, verdict)

    @rule(begun=over, verdict=VERDICTS)
    def end_again(self, begun: tuple[Permit, Call], verdict: str) -> None:
        settle(begun[0], verdict)

    @rule(halves=st.integers(1, 12))
    def wait(self, halves: int) -> None:
        self.model.now += halves / 2

    @rule(state=st.sampled_from(["open", "closed"]))
    def force(self, state: str) -> None:
        (self.breaker.force_open if state == "open" else self.breaker.force_closed)()
        if not (self.model.forced and self.model.state == state):
            self.model.go(state, forced=True)

    @precondition(lambda self: self.model.forced)
    @rule()
    def release_forced(self) -> None:
        self.breaker.release_forced()
        self.model.go(self.model.state)

    @precondition(lambda self: not self.model.forced and self.model.state != "closed")
    @rule()
    def wake_up(self) -> None:
        """Whatever became of earlier probes: when all are cancelled, an interval later there is another."""
        for begun in self.given:
            if begun[1].probe:
                self.settle(begun, "release")
        self.breaker.status()
        self.model.settle_down()
        self.model.now += self.model.config.open_s
        probe = self.begun()
        assert probe is not None
        self.settle(probe, "release")

    @invariant()
    def agrees(self) -> None:
        self.model.settle_down()
        card = self.breaker.status()
        window = self.model.window()
        assert (card.state, card.forced) == (self.model.state, self.model.forced)
        assert (card.calls, card.in_flight) == (len(window), len(self.model.under_way()))
        assert card.failure_rate == (sum(end.failed for end in window) / len(window) if window else None)
        assert card.probes_in_flight == self.model.probes_under_way()
        assert (card.retry_after_s is None) == self.model.admits()

    @invariant()
    def never_more_probes_than_allowed(self) -> None:
        assert self.breaker.status().probes_in_flight <= self.model.config.probes

    @invariant()
    def never_closed_above_the_threshold(self) -> None:
        card = self.breaker.status()
        if card.state == "closed" and not card.forced:
            assert card.calls < self.model.config.minimum_calls or not self.model.is_over_a_threshold()


def test_the_breaker_does_what_its_model_does() -> None:
    """Never more probes than allowed, never closed above a threshold, never shut for good, held while it is held."""
    run_state_machine_as_test(
        BreakerMachine,
        settings=settings(max_examples=100, stateful_step_count=40, deadline=None, derandomize=True, database=None),
    )
