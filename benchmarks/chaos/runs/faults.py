"""What is done to the cluster, and when it was done."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from benchmarks.chaos.lab import CONTROL_TITLE, ROUTER_TITLE, send
from benchmarks.chaos.runs.house import House, OwnHouse, one_of
from deployments.clock import utc_now
from serve_app.names import PLANNER_APP, TOOLS_APP

ALL = "all of Ray killed"
SINGLE = {
    "planner killed": f"ray::ServeReplica:{PLANNER_APP}:",
    "router killed": ROUTER_TITLE,
    "control plane killed": CONTROL_TITLE,
    "tool host killed": f"ray::ServeReplica:{TOOLS_APP}:",
}


@dataclass(frozen=True)
class Fault:
    """`inflict` tells the moment that it was done, and does not wait for a single process to come back."""

    name: str
    inflict: Callable[[], Awaitable[datetime]]


@dataclass(frozen=True)
class Strike:
    """A fault that was inflicted, and the time of day."""

    fault: str
    at: datetime


async def kill_one(house: House, title: str) -> datetime:
    """A process of this title; one that is still being started again is waited for."""
    send(await one_of(house, title), signal.SIGKILL)
    return utc_now()


async def kill_all(house: OwnHouse) -> datetime:
    """Every process of the cluster at once; then it is started again, on the same home."""
    done = utc_now()
    await asyncio.to_thread(house.kill)
    await asyncio.to_thread(house.start)
    return done


def single(house: House, names: Collection[str]) -> list[Fault]:
    """Those of the faults that kill one process."""
    return [Fault(name, partial(kill_one, house, title)) for name, title in SINGLE.items() if name in names]


def rounds(faults: Sequence[Fault], last: Sequence[Fault], times: int, chance: random.Random) -> list[Fault]:
    """Each fault so often: in rounds of another order each, with `last` at the end of each."""
    return [fault for _ in range(times) for fault in (*chance.sample(faults, len(faults)), *last)]
