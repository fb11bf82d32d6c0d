"""The right to make one call, which a breaker gives and which comes back with the call's outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from deployments.breaking.outcome import Outcome
from deployments.breaking.phases import Phase


class Permit:
    """Settled once: the first verdict stands and a later one has no effect, so that a clean-up may always release.

    As a context manager it releases what the block left unsettled: a call that was cancelled holds no place.

    It belongs to the phase that admitted it. Where the breaker has gone on to another since, its outcome is late and
    changes nothing.
    """

    __slots__ = ("_settle", "number", "phase")

    def __init__(self, phase: Phase, settle: Callable[[Permit, Outcome | None], None]) -> None:
        self.phase = phase
        self.number = phase.take()
        self._settle: Callable[[Permit, Outcome | None], None] | None = settle

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.released()

    @property
    def is_probe(self) -> bool:
        """Whether the call tries out a target whose breaker is half-open."""
        return self.phase.state == "half_open"

    def succeeded(self, seconds: float) -> None:
        """The target answered, after `seconds`."""
        self._end(Outcome(failed=False, seconds=seconds))

    def failed(self, seconds: float) -> None:
        """The target failed (`counts_as_failure`), after `seconds`."""
        self._end(Outcome(failed=True, seconds=seconds))

    def released(self) -> None:
        """The call says nothing about its target: the caller has gone, or it was the caller's own error."""
        self._end(None)

    def _end(self, outcome: Outcome | None) -> None:
        settle, self._settle = self._settle, None
        if settle is not None:
            settle(self, outcome)
