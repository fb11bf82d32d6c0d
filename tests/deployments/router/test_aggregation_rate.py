"""What aggregation is for: the rate of clients who ask again as soon as they are answered, on a model of a target."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import pytest

from deployments.router.aggregation import Aggregator, Outcome, Request
from tests.deployments.router.shedding.virtual_time import simulate

SECONDS = 2.0
MAX_BATCH_SIZE = 32


class Machine:
    """A router that does one thing at a time, and a model of 8 ms a batch; the times are those of two cores."""

    def __init__(self) -> None:
        self.answered = 0
        self._router = asyncio.Lock()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_busy = False
        self._aggregator = Aggregator(
            self._call, max_batch_size=MAX_BATCH_SIZE, slots=8, max_waiting_inputs=1000, clock=asyncio.get_running_loop
        )

    async def client(self) -> None:
        """Ask again and again."""
        while asyncio.get_running_loop().time() < SECONDS:
            await self._routed(0.00035)
            await self._aggregator.submit(["input"])
            await self._routed(0.00025)
            self.answered += 1
            await asyncio.sleep(0.0006)  # to the client and back

    async def _call(self, requests: list[Request]) -> list[Outcome]:
        await self._routed(0.0006)
        await asyncio.sleep(0.0014)
        mine = [asyncio.get_running_loop().create_future() for _ in requests]
        self._waiting.extend(mine)
        self._compute()
        await asyncio.gather(*mine)
        await asyncio.sleep(0.001)
        await self._routed(0.0003)
        return [outcome() for _ in requests]

    async def _routed(self, seconds: float) -> None:
        async with self._router:
            await asyncio.sleep(seconds)

    def _compute(self) -> None:
        if self._waiting and not self._is_busy:
            self._is_busy = True
            batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH_SIZE, len(self._waiting)))]
            asyncio.get_running_loop().call_later(0.008, self._computed, batch)

    def _computed(self, batch: list[asyncio.Future[None]]) -> None:
        self._is_busy = False
        for each in batch:
            each.set_result(None)
        self._compute()


def outcome() -> dict[str, Any]:
    return {"outputs": [None], "tokens": 0}


async def rate(clients: int) -> float:
    """Answers a second."""
    machine = Machine()
    await asyncio.gather(*(machine.client() for _ in range(clients)))
    return machine.answered / SECONDS


@pytest.mark.parametrize(("clients", "times"), [(2, 1.4), (12, 8.2)])
def test_clients_who_ask_again_and_again_keep_the_model_busy(clients: int, times: float) -> None:
    """Half of them gather while the other half is computed, instead of all at once after a lone one."""
    assert simulate(rate(clients)) >= times * simulate(rate(1))
