"""`/admin/v1/breakers`: the circuit breaker of each target version, as one router replica sees it."""

from __future__ import annotations

from typing import Literal

from autoglm.contract.base import ResponseModel

BreakerState = Literal["closed", "open", "half_open"]


class BreakerTransition(ResponseModel):
    """One change; `before` and `after` are equal where only the hold by hand began or ended."""

    before: BreakerState
    after: BreakerState
    forced: bool = False
    reason: str
    ago_s: float


class BreakerCard(ResponseModel):
    """A breaker now: its window, what is under way, and its last transitions, the newest last.

    The rates are shares of the `calls` in the window, null where there are none, as in any state but closed.
    `opened` and `refused` count from the start of the replica. `retry_after_s` is null where a call would be admitted.
    """

    name: str
    version: str
    state: BreakerState
    forced: bool = False
    calls: int = 0
    failure_rate: float | None = None
    slow_rate: float | None = None
    in_flight: int = 0
    probes_in_flight: int = 0
    opened: int = 0
    refused: int = 0
    retry_after_s: float | None = None
    transitions: tuple[BreakerTransition, ...] = ()


class BreakerList(ResponseModel):
    """All breakers, by name and version."""

    data: tuple[BreakerCard, ...]
