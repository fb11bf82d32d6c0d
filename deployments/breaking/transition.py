"""A change of a breaker, as metrics, logs and the admin API hear of it."""

from __future__ import annotations

from dataclasses import dataclass

from autoglm.contract.breaker import BreakerState, BreakerTransition


@dataclass(frozen=True, slots=True)
class Transition:
    """One breaker's change; `at` is its clock's, in seconds. Where it is `forced`, an operator holds it."""

    name: str
    version: str
    before: BreakerState
    after: BreakerState
    forced: bool
    reason: str
    at: float

    def card(self, now: float) -> BreakerTransition:
        """As the admin API shows it."""
        return BreakerTransition(
            before=self.before, after=self.after, forced=self.forced, reason=self.reason, ago_s=now - self.at
        )
