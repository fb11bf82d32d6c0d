"""The states of a circuit breaker (M. Nygard, "Release It!"), each with what it has to remember.

A breaker that changes its state takes a new phase, and with it an empty memory. A permit holds the phase that gave it,
so an outcome that comes late finds a phase that nobody asks any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from autoglm.contract.breaker import BreakerState
from deployments.breaking.config import WINDOW_S, BreakerConfig
from deployments.breaking.outcome import Outcome
from deployments.breaking.windows import Counts, CountWindow, TimeWindow, Window

VERDICT_S = 0.1  # what is refused until a call under way has ended may ask again after about a short call's time


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no call is admitted now, and after how many seconds it is worth asking again."""

    reason: str
    retry_after_s: float


@dataclass(slots=True)
class InFlight:
    """Unsettled permits of a breaker, whichever phase gave them."""

    calls: int = 0
    probes: int = 0


class Phase:
    """What all states have: how many permits were given, and how many of them are not settled."""

    state: ClassVar[BreakerState]
    forced: ClassVar[bool] = False

    def __init__(self, config: BreakerConfig, in_flight: InFlight) -> None:
        self.config = config
        self.in_flight = in_flight
        self.given = 0
        self.pending = 0

    def take(self) -> int:
        """Count one permit; its number, from 1."""
        self.given += 1
        self.pending += 1
        return self.given

    def settle(self, number: int, outcome: Outcome | None, now: float) -> None:
        """Take back a permit of this phase; None where it says nothing about the target."""
        self.pending -= 1
        if outcome is not None:
            self.record(number, outcome, now)

    def record(self, number: int, outcome: Outcome, now: float) -> None:
        """Learn from an outcome."""

    def counts(self, now: float) -> Counts:
        """What is in the window."""
        return Counts()

    def refusal(self, now: float) -> Refusal | None:
        """Why a call may not be made now; None where it may."""
        return None

    def following(self, now: float) -> tuple[Phase, str] | None:
        """The phase that this one has given way to by now, and why; None where it lasts."""
        return None


class Closed(Phase):
    """Calls go through; their rates are watched, and how many failed in a row.

    The streak counts the first failure and those of calls that began after it was known. What was in flight with the
    first may have died of the same cause, one replica's death, and does not show that the next call would fail. The
    rates count every outcome.
    """

    state = "closed"

    def __init__(self, config: BreakerConfig, in_flight: InFlight) -> None:
        super().__init__(config, in_flight)
        self._window = window_of(config)
        self._streak = 0
        self._given_before_streak = 0

    def record(self, number: int, outcome: Outcome, now: float) -> None:
        """Into the window, and into the streak."""
        slow = self.config.is_slow(outcome.seconds)
        self._window.record(Counts(calls=1, failures=int(outcome.failed), slow=int(slow)), now)
        if not outcome.failed:
            self._streak = 0
        elif self._streak == 0:
            self._streak, self._given_before_streak = 1, self.given
        elif number > self._given_before_streak:
            self._streak += 1

    def counts(self, now: float) -> Counts:
        """What is in the window."""
        return self._window.counts(now)

    def refusal(self, now: float) -> Refusal | None:
        """Where nothing in the window succeeded and something failed, no more calls than it takes to open."""
        counts = self.counts(now)
        is_suspect = 0 < counts.failures == counts.calls
        if not is_suspect or counts.failures + self.pending < self.config.minimum_calls:
            return None
        return Refusal(f"waits for {self.pending} calls under way, since the last {counts.failures} failed", VERDICT_S)

    def following(self, now: float) -> tuple[Phase, str] | None:
        """Open, where a threshold is reached."""
        fault = self._fault(self.counts(now))
        return None if fault is None else (Open(self.config, self.in_flight, fault, now + self.config.open_s), fault)

    def _fault(self, counts: Counts) -> str | None:
        config = self.config
        if self._streak >= config.minimum_calls:
            return f"{self._streak} calls in a row failed"
        if counts.calls < config.minimum_calls:
            return None
        if counts.failures / counts.calls >= config.failure_rate:
            return f"{counts.failures} of {counts.calls} calls failed"
        if config.slow_call_s is not None and counts.slow / counts.calls >= config.slow_call_rate:
            return f"{counts.slow} of {counts.calls} calls took {config.slow_call_s:g} s or longer"
        return None


class Open(Phase):
    """No call goes through until `probe_at`."""

    state = "open"

    def __init__(self, config: BreakerConfig, in_flight: InFlight, cause: str, probe_at: float) -> None:
        super().__init__(config, in_flight)
        self._cause = cause
        self._probe_at = probe_at

    def refusal(self, now: float) -> Refusal:
        """Until the next probe."""
        return Refusal(f"is open, since {self._cause}", self._probe_at - now)

    def following(self, now: float) -> tuple[Phase, str] | None:
        """Half-open, when the probe interval is over."""
        if now < self._probe_at:
            return None
        return HalfOpen(self.config, self.in_flight), "the probe interval is over"


class HalfOpen(Phase):
    """A few calls go through as probes; their outcomes close it or open it again.

    As many may begin as are allowed in flight, and one more for each that succeeded. So a target that answers none of
    them sees no more than `probes` an interval, also where each is cancelled by its caller.
    """

    state = "half_open"

    def __init__(self, config: BreakerConfig, in_flight: InFlight) -> None:
        super().__init__(config, in_flight)
        self._successes = 0
        self._fault: str | None = None

    @property
    def _left(self) -> int:
        return self.config.probes + self._successes - self.given

    def record(self, number: int, outcome: Outcome, now: float) -> None:
        """A slow probe has failed: it would close the breaker for a target as slow as the one that opened it."""
        if outcome.failed:
            self._fault = "a probe failed"
        elif self.config.is_slow(outcome.seconds):
            self._fault = f"a probe took {outcome.seconds:.3g} s"
        else:
            self._successes += 1

    def refusal(self, now: float) -> Refusal | None:
        """Where all places of probes are taken, by late ones of an earlier interval too."""
        if self._left > 0 and self.in_flight.probes < self.config.probes:
            return None
        return Refusal(f"is half-open, with {self.in_flight.probes} probes under way", VERDICT_S)

    def following(self, now: float) -> tuple[Phase, str] | None:
        """Closed after enough successes; open after a failure, or where no probe is left that could decide."""
        if self._successes >= self.config.successes_to_close:
            return Closed(self.config, self.in_flight), f"{self._successes} probes succeeded"
        fault = self._fault
        if fault is None and self._left == self.pending == 0:
            fault = "the probes ended without a verdict"
        return None if fault is None else (Open(self.config, self.in_flight, fault, now + self.config.open_s), fault)


class HeldOpen(Phase):
    """Open by hand: no call goes through, and no time changes that."""

    state = "open"
    forced = True

    def refusal(self, now: float) -> Refusal:
        """Always; nobody knows for how long, so callers are told a probe interval."""
        return Refusal("is held open by an operator", self.config.open_s)


class HeldClosed(Closed):
    """Closed by hand: every call goes through; the rates are shown and change nothing."""

    forced = True

    def refusal(self, now: float) -> Refusal | None:
        """Never."""
        return None

    def following(self, now: float) -> tuple[Phase, str] | None:
        """None."""
        return None


def window_of(config: BreakerConfig) -> Window:
    """The window that a configuration asks for."""
    if config.window_calls is not None:
        return CountWindow(config.window_calls)
    return TimeWindow(config.window_s or WINDOW_S)
