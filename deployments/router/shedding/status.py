"""What a gate tells of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PriorityStatus:
    """One priority's requests: now in flight and waiting; admitted and refused since the start."""

    in_flight: int
    waiting: int
    admitted: int
    refused: int


@dataclass(frozen=True, slots=True)
class GateStatus:
    """A gate at one moment; `latency_s` is the smoothed latency of its target, 0 before the first was measured."""

    limit: int
    in_flight: int
    latency_s: float
    interactive: PriorityStatus
    batch: PriorityStatus
