"""`/admin/v1/breakers`: the circuit breaker of each target version, as one router replica sees it."""

from __future__ import annotations

from typing import Literal

from autoglm.contract.base import RequestModel, ResponseModel

BreakerState = Literal["closed", "open", "half_open"]
BreakerControl = Literal["open", "closed", "automatic"]


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
    `replica` is the router replica that sees it so: each learns from its own requests.
    """

    name: str
    version: str
    replica: str = ""
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


class BreakerRequest(RequestModel):
    """How a breaker is to be from now on: held `open` or `closed` by hand, or `automatic`."""

    state: BreakerControl


class BreakerHold(ResponseModel):
    """How a version's breaker was set by hand, for all router replicas."""

    name: str
    version: str
    state: BreakerControl


class BreakerList(ResponseModel):
    """All breakers, by name, version and router replica, and all that are held by hand, by name and version.

    Of the `replicas` of the router `answered` told what they see; a hold reaches each within a second or two.
    """

    data: tuple[BreakerCard, ...]
    held: tuple[BreakerHold, ...] = ()
    replicas: int = 0
    answered: int = 0
