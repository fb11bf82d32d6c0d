"""What load shedding gives, through HTTP: goodput at twice the capacity, and interactive latency beside batch traffic.

The target is the stub without batching, so that it is saturated long before the router and the client are.

python -m benchmarks.overload [--seconds S]
"""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import time
from dataclasses import dataclass
from typing import Annotated

import aiohttp
import typer

from autoglm.home import ensure_key
from benchmarks import report
from benchmarks.applications import Config, application, cluster, route_to, router
from deployments.router import Route
from deployments.router.shedding import Priority

UNBATCHED = {"max_batch_size": 1, "batch_wait_timeout_s": 0.0}
DEADLINE_S = 1.0
CLIENTS = 64  # as many as the limit lets in at the start, so that they saturate the target without a refusal
BATCH_CLIENTS = 128
INTERACTIVE_SHARE = 0.3  # of the capacity
WARM_UP = 0.25  # of a phase, in which the limit is found
SEED = 11


@dataclass(frozen=True)
class Answer:
    """One request's end: seconds since its phase began and HTTP status, 0 where the connection broke."""

    sent: float
    done: float
    status: int

    @property
    def is_good(self) -> bool:
        """A 200 within the deadline."""
        return self.status == 200 and self.done - self.sent <= DEADLINE_S


@dataclass(frozen=True)
class Phase:
    """The answers of some seconds of traffic of one priority."""

    seconds: float
    answers: list[Answer]

    @property
    def offered(self) -> float:
        """Requests a second."""
        return len(self.answers) / self.seconds

    @property
    def goodput(self) -> float:
        """Good answers a second."""
        return sum(answer.is_good for answer in self.answers) / self.seconds

    @property
    def refused(self) -> float:
        """The share that was told to come again: 429 or 503."""
        return sum(answer.status in (429, 503) for answer in self.answers) / len(self.answers)

    def latency(self, share: float) -> float:
        """A percentile of the seconds that a 200 took; not a number where none came."""
        seconds = sorted(answer.done - answer.sent for answer in self.answers if answer.status == 200)
        return seconds[int(share * len(seconds))] if seconds else math.nan


class Load:
    """Traffic of one phase on one cluster. Every input is another, and none is answered from a cache."""

    def __init__(self, session: aiohttp.ClientSession, url: str, seconds: float) -> None:
        self._session = session
        self._url = f"{url}/v1/predict"
        self._seconds = seconds
        self._began = time.perf_counter()
        self._numbers = itertools.count()
        self._random = random.Random(SEED)

    async def closed(self, clients: int, priority: Priority) -> Phase:
        """Each client sends its next request on the answer to the last, with no deadline."""
        answers: list[Answer] = []

        async def client() -> None:
            while self._now() < self._seconds:
                answers.append(await self._send({"x-autoglm-priority": str(priority)}))

        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(client())
        return self._phase(answers)

    async def opened(self, rate: float) -> Phase:
        """Interactive requests that come at random, `rate` a second, whatever becomes of those before."""
        headers = {"x-autoglm-priority": str(Priority.INTERACTIVE), "x-request-timeout-s": str(DEADLINE_S)}
        due = 0.0
        tasks = []
        async with asyncio.TaskGroup() as group:
            while (due := due + self._random.expovariate(rate)) < self._seconds:
                await asyncio.sleep(max(0.0, due - self._now()))
                tasks.append(group.create_task(self._send(headers)))
        return self._phase([task.result() for task in tasks])

    async def _send(self, headers: dict[str, str]) -> Answer:
        sent = self._now()
        payload = {"task": "stub", "inputs": [f"{SEED} {next(self._numbers)}"]}
        try:
            async with self._session.post(self._url, json=payload, headers=headers) as response:
                await response.read()
                return Answer(sent, self._now(), response.status)
        except aiohttp.ClientError:
            return Answer(sent, self._now(), 0)

    def _now(self) -> float:
        return time.perf_counter() - self._began

    def _phase(self, answers: list[Answer]) -> Phase:
        """What was sent between the warm-up and the end."""
        first = WARM_UP * self._seconds
        counted = [answer for answer in answers if answer.sent >= first]
        return Phase(self._seconds - first, counted)


def unbatched_stub() -> tuple[Route, Config]:
    """The task `stub`, one input at a time."""
    route = route_to("stub", "predictor", max_batch_size=1)
    deployments = [{"name": "predictor", "user_config": UNBATCHED}]
    return route, application(route.app, "benchmarks.stub:build", {}, deployments=deployments)


async def measure(url: str, seconds: float) -> dict[str, Phase]:
    """One phase after the other, on one cluster; the capacity is what the closed loop gets out of it."""
    headers = {"authorization": f"Bearer {ensure_key()}", "cache-control": "no-store"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as session:
        closed = await Load(session, url, seconds).closed(CLIENTS, Priority.INTERACTIVE)
        capacity = sum(answer.status == 200 for answer in closed.answers) / closed.seconds
        phases = {"capacity, closed loop": closed}
        for load in (1, 2):
            phases[f"{load}x capacity"] = await Load(session, url, seconds).opened(load * capacity)
        phases["interactive alone"] = await Load(session, url, seconds).opened(INTERACTIVE_SHARE * capacity)
        mixed = Load(session, url, seconds)
        batch, interactive = await asyncio.gather(
            mixed.closed(BATCH_CLIENTS, Priority.BATCH), mixed.opened(INTERACTIVE_SHARE * capacity)
        )
        return phases | {"interactive beside batch": interactive, "batch": batch}


def rows(phases: dict[str, Phase]) -> list[list[str]]:
    """One line each, and the two ratios that are claimed."""
    lines = [
        [name, f"{phase.offered:.0f}", f"{phase.goodput:.0f}", f"{phase.refused:.0%}"]
        + [f"{phase.latency(share) * 1e3:.0f}" for share in (0.5, 0.99)]
        for name, phase in phases.items()
    ]
    flat = phases["2x capacity"].goodput / phases["1x capacity"].goodput
    slower = phases["interactive beside batch"].latency(0.99) / phases["interactive alone"].latency(0.99)
    return [
        *lines,
        ["goodput at 2x, of that at 1x", "", f"{flat:.0%}", "", "", ""],
        ["interactive p99 beside batch, of that alone", "", "", "", "", f"{slower:.1f}x"],
    ]


def main(seconds: Annotated[float, typer.Option(min=4, help="Of each of the five phases.")] = 20.0) -> None:
    """Measure all and print one table."""
    route, config = unbatched_stub()
    with cluster(config, router((route,))) as started:
        phases = asyncio.run(measure(started.url, seconds))
    columns = ["traffic", "offered/s", "goodput/s", "refused", "p50 ms", "p99 ms"]
    report.show(f"Overload, 200s within {DEADLINE_S:.0f} s", columns, rows(phases))


if __name__ == "__main__":
    typer.run(main)
