"""The circuit breaker of one target: a model's version, or a tool.

Nygard's circuit breaker with resilience4j's sliding windows, for one event loop: synchronous, without tasks or timers,
a few microseconds a call. Whatever is due by the clock happens when the breaker is next asked.

What reaches a dead target, by default:

- It opens after 5 failures in a row, also where the window is full of earlier successes, which a rate alone would have
  to outweigh first; then one probe an interval goes through.
- While the window holds failures and no success, failures and calls in flight together are at most `minimum_calls`:
  enough to open it if all fail, and not one more however many come at once. A single success in the window lifts this,
  so a target that fails now and then under any concurrency has no call refused.
- Before its first failure is known nothing is refused: the calls that are under way at that moment were admitted to a
  target that there was no reason to doubt. A bound on these would refuse the first burst on every target that is merely
  cold; the admission queue bounds them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from autoglm.contract.breaker import BreakerCard
from autoglm.errors import CircuitOpenError
from deployments.breaking.config import BreakerConfig
from deployments.breaking.outcome import Outcome
from deployments.breaking.permit import Permit
from deployments.breaking.phases import Closed, HeldClosed, HeldOpen, InFlight, Open, Phase
from deployments.breaking.transition import Transition

REMEMBERED_TRANSITIONS = 16  # what the admin API shows of each breaker


class Breaker:
    """Admits calls to a target, or refuses them while it fails.

    `clock` is in seconds and never goes back. `on_transition` hears of each change after it is made, inside the call
    that brought it about; it must not block, and may ask for `status`.
    """

    def __init__(
        self,
        name: str,
        version: str,
        config: BreakerConfig,
        *,
        clock: Callable[[], float] = time.monotonic,
        on_transition: Callable[[Transition], None] | None = None,
    ) -> None:
        self._name = name
        self._version = version
        self._config = config
        self._clock = clock
        self._on_transition = on_transition
        self._in_flight = InFlight()
        self._phase: Phase = Closed(config, self._in_flight)
        self._transitions: deque[Transition] = deque(maxlen=REMEMBERED_TRANSITIONS)
        self._opened = 0
        self._refused = 0

    def admit(self) -> Permit:
        """A permit for one call, to be settled with its outcome.

        Raises:
            CircuitOpenError: the target is not to be called now; `retry_after` is in seconds, to the next probe where
                its time is known.
        """
        now = self._clock()
        self._advance(now)
        refusal = self._phase.refusal(now)
        if refusal is not None:
            self._refused += 1
            raise CircuitOpenError(
                f"the circuit breaker of {self._name} {self._version} {refusal.reason}; "
                f"try again in {refusal.retry_after_s:.2g} s",
                retry_after=refusal.retry_after_s,
            )
        permit = Permit(self._phase, self._settle)
        self._in_flight.calls += 1
        self._in_flight.probes += permit.is_probe
        return permit

    def force_open(self) -> None:
        """Refuse every call until told otherwise."""
        self._hold(HeldOpen(self._config, self._in_flight), "opened by an operator")

    def force_closed(self) -> None:
        """Admit every call until told otherwise."""
        self._hold(HeldClosed(self._config, self._in_flight), "closed by an operator")

    def release_forced(self) -> None:
        """Decide by itself again: from open, with a probe at once; from closed, with an empty window."""
        if not self._phase.forced:
            return
        now = self._clock()
        if self._phase.state == "open":
            self._enter(Open(self._config, self._in_flight, "an operator released it", now), "released", now)
        else:
            self._enter(Closed(self._config, self._in_flight), "released", now)

    def status(self) -> BreakerCard:
        """What the admin API and metrics show."""
        now = self._clock()
        self._advance(now)
        phase, counts = self._phase, self._phase.counts(now)
        refusal = phase.refusal(now)
        return BreakerCard(
            name=self._name,
            version=self._version,
            state=phase.state,
            forced=phase.forced,
            calls=counts.calls,
            failure_rate=counts.failures / counts.calls if counts.calls else None,
            slow_rate=counts.slow / counts.calls if counts.calls else None,
            in_flight=self._in_flight.calls,
            probes_in_flight=self._in_flight.probes,
            opened=self._opened,
            refused=self._refused,
            retry_after_s=None if refusal is None else refusal.retry_after_s,
            transitions=tuple(transition.card(now) for transition in self._transitions),
        )

    def _settle(self, permit: Permit, outcome: Outcome | None) -> None:
        self._in_flight.calls -= 1
        self._in_flight.probes -= permit.is_probe
        if permit.phase is self._phase:
            now = self._clock()
            self._phase.settle(permit.number, outcome, now)
            self._advance(now)

    def _advance(self, now: float) -> None:
        following = self._phase.following(now)
        if following is not None:
            self._enter(*following, now)

    def _hold(self, phase: Phase, reason: str) -> None:
        if type(self._phase) is not type(phase):
            self._enter(phase, reason, self._clock())

    def _enter(self, phase: Phase, reason: str, now: float) -> None:
        before, self._phase = self._phase, phase
        self._opened += before.state != "open" == phase.state
        transition = Transition(self._name, self._version, before.state, phase.state, phase.forced, reason, now)
        self._transitions.append(transition)
        if self._on_transition is not None:
            self._on_transition(transition)
