"""Active probes: every replica is asked for a sign of life, so that one that hangs is found before a deadline is.

A process that was stopped, or whose loop is blocked, keeps its connections open: no call to it fails, they just wait.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

IDLE_S = 30.0  # without a request for so long, nobody needs to know; the next request starts the probes again


class ProbeConfig(BaseModel):
    """One probe each `interval_s`, missed after `timeout_s`; how many in a row bring a replica down or up again.

    With the defaults a replica that hangs is found after 2 to 3 s.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    interval_s: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    timeout_s: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    rise: int = Field(default=2, ge=1)
    fall: int = Field(default=2, ge=1)


class Probed(Protocol):
    """What is probed, and hears of it."""

    @property
    def replicas(self) -> Iterable[str]:
        """The replicas that there are now."""

    @property
    def busy(self) -> bool:
        """Whether attempts are under way."""

    def answered(self, replica: str) -> None:
        """A probe came back."""

    def missed(self, replica: str) -> None:
        """It did not."""

    def give_up_lost(self) -> None:
        """A round is over: attempts on replicas that do not answer need wait no longer."""


class Prober:
    """Owns the task that probes; it ends by itself when nothing was routed for `IDLE_S` and nothing is under way.

    So it needs no one to stop it: Serve tells a request router nothing when its handle is dropped.
    """

    def __init__(
        self,
        config: ProbeConfig,
        pool: Probed,
        probe: Callable[[str], Awaitable[bool]],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._pool = pool
        self._probe = probe
        self._clock = clock
        self._sleep = sleep
        self._wanted = float("-inf")
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Called with each request: probes run from here on."""
        self._wanted = self._clock()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self._pool.busy or self._clock() - self._wanted < IDLE_S:
            started = self._clock()
            await self._round()
            await self._sleep(max(0.0, started + self._config.interval_s - self._clock()))

    async def _round(self) -> None:
        replicas = tuple(self._pool.replicas)
        answers = await asyncio.gather(*map(self._ask, replicas))
        for replica, answered in zip(replicas, answers, strict=True):
            if answered:
                self._pool.answered(replica)
            else:
                self._pool.missed(replica)
        self._pool.give_up_lost()

    async def _ask(self, replica: str) -> bool:
        try:
            async with asyncio.timeout(self._config.timeout_s):
                return await self._probe(replica)
        except TimeoutError:
            return False
