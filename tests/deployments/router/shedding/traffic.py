"""Traffic through a gate to a simulated target, and what became of it; one simulation an object."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from autoglm.errors import UnavailableError
from deployments.router.shedding import Gate, LoadSheddingConfig, Priority
from tests.deployments.router.shedding.servers import Server

WARM_UP = 1 / 3  # of a run, in which the limit is found


@dataclass
class Tally:
    """The seconds from arrival, and those at the target, of answers that came in time; and the others, counted."""

    whole_s: list[float] = field(default_factory=list)
    served_s: list[float] = field(default_factory=list)
    late: int = 0
    refused: int = 0

    def percentile(self, share: float) -> float:
        return sorted(self.whole_s)[int(share * len(self.whole_s))]


class Traffic:
    """Sends for `duration_s`; only what arrives after the warm-up is counted. To be made on a running loop."""

    def __init__(self, server: Server, duration_s: float, config: LoadSheddingConfig | None = None) -> None:
        self.gate = Gate("model", config, clock=asyncio.get_running_loop().time)
        self.tallies = {priority: Tally() for priority in Priority}
        self._server = server
        self._duration_s = duration_s
        self._random = random.Random(7)

    @property
    def measured_s(self) -> float:
        return self._duration_s * (1 - WARM_UP)

    def rate(self, priority: Priority = Priority.INTERACTIVE) -> float:
        """Answers in time, a second."""
        return len(self.tallies[priority].whole_s) / self.measured_s

    async def closed(self, clients: int, priority: Priority = Priority.INTERACTIVE) -> None:
        """Clients that each send their next request on the answer to the last."""
        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(self._client(priority))

    async def opened(self, rate: float, timeout_s: float | None = None) -> None:
        """Interactive requests that come at random, `rate` a second, whatever becomes of those before."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            while loop.time() < self._duration_s:
                group.create_task(self._send(Priority.INTERACTIVE, timeout_s))
                await asyncio.sleep(self._random.expovariate(rate))

    async def _client(self, priority: Priority) -> None:
        while asyncio.get_running_loop().time() < self._duration_s:
            await self._send(priority, None)

    async def _send(self, priority: Priority, timeout_s: float | None) -> None:
        time = asyncio.get_running_loop().time
        arrived = time()
        tally = self.tallies[priority] if arrived >= self._duration_s * WARM_UP else Tally()
        try:
            async with asyncio.timeout(timeout_s):
                with await self.gate.enter(priority, timeout_s):
                    admitted = time()
                    await self._server.answer()
        except TimeoutError:
            tally.late += 1
        except UnavailableError:
            tally.refused += 1
        else:
            tally.whole_s.append(time() - arrived)
            tally.served_s.append(time() - admitted)
