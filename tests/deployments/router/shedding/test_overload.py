"""What the gate is for, on models of three kinds of target: throughput, goodput, and latency beside batch traffic."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from statistics import fmean

import pytest

from deployments.router.shedding import LoadSheddingConfig, Priority
from tests.deployments.router.shedding.servers import BatchServer, Server, SlotServer, StepServer
from tests.deployments.router.shedding.traffic import Tally, Traffic
from tests.deployments.router.shedding.virtual_time import simulate

# A kind of target, and the seconds in the simulation in which it answers some 20,000 requests.
TARGETS = pytest.mark.parametrize(
    ("make", "duration_s"),
    [(SlotServer, 40.0), (BatchServer, 20.0), (StepServer, 400.0)],
    ids=["slots", "batch", "llm"],
)
Make = Callable[[], Server]


async def saturated(make: Make, duration_s: float, initial_limit: int) -> tuple[float, float]:
    """Of a target with ten times the clients it has room for: its part of the best throughput, and of the latency."""
    server = make()
    traffic = Traffic(server, duration_s, LoadSheddingConfig(initial_limit=initial_limit, max_wait_s=3600))
    await traffic.closed(320)
    return traffic.rate() / server.best, fmean(traffic.tallies[Priority.INTERACTIVE].served_s) / server.latency_s


@TARGETS
@pytest.mark.parametrize("initial_limit", [16, 300])
def test_the_limit_finds_the_throughput_without_a_queue(make: Make, duration_s: float, initial_limit: int) -> None:
    """From far below and from far above; a latency that grows up to the batch is no reason to stop before it."""
    throughput, latency = simulate(saturated(make, duration_s, initial_limit))
    assert throughput >= 0.9
    assert latency <= 2


async def goodput(make: Make, duration_s: float, load: float) -> float:
    """Of the best throughput, what is answered within a deadline of six times the latency."""
    server = make()
    traffic = Traffic(server, duration_s)
    await traffic.opened(load * server.best, timeout_s=6 * server.latency_s)
    return traffic.rate() / server.best


@TARGETS
def test_goodput_at_twice_the_capacity_is_that_at_capacity(make: Make, duration_s: float) -> None:
    """What cannot be answered in time is refused before any work is done for it."""
    at_capacity = simulate(goodput(make, duration_s / 2, 1.0))
    assert at_capacity >= 0.9
    assert simulate(goodput(make, duration_s / 2, 2.0)) >= 0.9 * at_capacity


async def mixed(make: Make, duration_s: float, *, interactive: float, batch_clients: int) -> tuple[Tally, float]:
    """Interactive traffic at a part of the capacity, beside so many batch clients; and the part that both take."""
    server = make()
    traffic = Traffic(server, duration_s, LoadSheddingConfig(max_wait_s=3600))
    async with asyncio.TaskGroup() as group:
        group.create_task(traffic.closed(batch_clients, Priority.BATCH))
        group.create_task(traffic.opened(interactive * server.best))
    return traffic.tallies[Priority.INTERACTIVE], sum(map(traffic.rate, Priority)) / server.best


@TARGETS
def test_interactive_latency_at_most_doubles_beside_saturating_batch_traffic(make: Make, duration_s: float) -> None:
    """Batch traffic waits so that who waits for an answer does not."""
    alone, _ = simulate(mixed(make, duration_s / 2, interactive=0.3, batch_clients=0))
    beside, _ = simulate(mixed(make, duration_s / 2, interactive=0.3, batch_clients=200))
    assert beside.refused == 0
    assert beside.percentile(0.99) <= 2 * alone.percentile(0.99)


@TARGETS
def test_batch_traffic_fills_a_target_beside_a_trickle_of_interactive_requests(make: Make, duration_s: float) -> None:
    """What is kept free for them is room above what the target needs, no part of it."""
    _, used = simulate(mixed(make, duration_s / 2, interactive=0.02, batch_clients=200))
    assert used >= 0.9
