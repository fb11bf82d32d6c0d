"""Models of three kinds of target, in the time of their event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol


class Server(Protocol):
    """A target: the most that it answers in a second, and the seconds that an answer takes then with no queue."""

    best: float
    latency_s: float

    async def answer(self) -> None: ...


class SlotServer:
    """Computes `slots` requests side by side, each in `service_s`; others queue."""

    def __init__(self, slots: int = 32, service_s: float = 0.05) -> None:
        self.best = slots / service_s
        self.latency_s = service_s
        self._slots = asyncio.Semaphore(slots)

    async def answer(self) -> None:
        async with self._slots:
            await asyncio.sleep(self.latency_s)


class BatchServer:
    """Computes one batch of up to `size` at a time, of what waits when it is free, in `call_s` whatever the batch."""

    def __init__(self, size: int = 32, call_s: float = 0.032) -> None:
        self.best = size / call_s
        self.latency_s = 2 * call_s  # one batch is computed while the next one gathers
        self._size, self._call_s = size, call_s
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._busy = False

    async def answer(self) -> None:
        mine = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        if not self._busy:
            self._start()
        await mine

    def _start(self) -> None:
        self._busy = bool(self._waiting)
        if self._busy:
            batch = [self._waiting.popleft() for _ in range(min(self._size, len(self._waiting)))]
            asyncio.get_running_loop().call_later(self._call_s, self._end, batch)

    def _end(self, batch: list[asyncio.Future[None]]) -> None:
        for request in batch:
            if not request.done():
                request.set_result(None)
        self._start()  # before a new request can come in their place, as in a real one


class StepServer:
    """Generates as vLLM does: all running requests gain a token each step, which takes longer the more they are.

    Up to `seats` run at a time, each for `tokens` steps of `step_s * (1 + slope * running)` seconds: by default 32
    sequences in 1.6 times the time of one.
    """

    def __init__(self, seats: int = 32, tokens: int = 32, step_s: float = 0.02, slope: float = 0.02) -> None:
        self.latency_s = tokens * step_s * (1 + slope * seats)
        self.best = seats / self.latency_s
        self._seats, self._tokens, self._step_s, self._slope = seats, tokens, step_s, slope
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._running: dict[asyncio.Future[None], int] = {}
        self._busy = False

    async def answer(self) -> None:
        mine = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        if not self._busy:
            self._step()
        await mine

    def _step(self) -> None:
        while self._waiting and len(self._running) < self._seats:
            self._running[self._waiting.popleft()] = self._tokens
        self._busy = bool(self._running)
        if self._busy:
            step_s = self._step_s * (1 + self._slope * len(self._running))
            asyncio.get_running_loop().call_later(step_s, self._stepped)

    def _stepped(self) -> None:
        for request, left in list(self._running.items()):
            self._running[request] = left - 1
            if left == 1 or request.done():  # done: its caller has gone, and the engine stops
                del self._running[request]
                if not request.done():
                    request.set_result(None)
        self._step()
