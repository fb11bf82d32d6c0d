"""The rounds of probes, and when they run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from deployments.router.balancing.prober import IDLE_S, ProbeConfig, Prober
from tests.deployments.router.balancing.ticks import Ticks

PROMPT = ProbeConfig(interval_s=1, timeout_s=0.001)


class Pool:
    """Notes what it hears."""

    def __init__(self) -> None:
        self.replicas = ("a", "b")
        self.busy = False
        self.heard: list[str] = []

    def answered(self, replica: str) -> None:
        self.heard.append(f"{replica} answered")

    def missed(self, replica: str) -> None:
        self.heard.append(f"{replica} missed")

    def give_up_lost(self) -> None:
        self.heard.append("round over")


class Sleep:
    """Moves the clock instead of waiting; after `rounds` of them it runs `then`."""

    def __init__(self, ticks: Ticks, rounds: int, then: Callable[[], None]) -> None:
        self._ticks = ticks
        self._rounds = rounds
        self._then = then
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._ticks.now += seconds
        if len(self.slept) == self._rounds:
            self._then()
        await asyncio.sleep(0)


def running() -> set[asyncio.Task[None]]:
    """What the prober has started and not ended."""
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def ended() -> None:
    """Return when no probes are sent any more."""
    await asyncio.gather(*running())


@pytest.fixture
def pool() -> Pool:
    """Two replicas."""
    return Pool()


async def test_who_answers_and_who_does_not_is_told_each_round(pool: Pool, ticks: Ticks) -> None:
    """One that refuses and one that is silent count the same, and none holds up the others."""
    pool.replicas = ("silent", "refusing", "well")

    async def probe(replica: str) -> bool:
        if replica == "silent":
            await asyncio.Event().wait()
        return replica == "well"

    prober = Prober(PROMPT, pool, probe, clock=ticks, sleep=Sleep(ticks, 1, lambda: leave(ticks)))
    prober.wake()
    await ended()
    assert pool.heard == ["silent missed", "refusing missed", "well answered", "round over"]


async def test_rounds_begin_an_interval_apart(pool: Pool, ticks: Ticks) -> None:
    """The time that probes take is not added to it."""

    async def probe(replica: str) -> bool:
        ticks.now += 0.3
        return True

    sleep = Sleep(ticks, 2, lambda: leave(ticks))
    prober = Prober(PROMPT, pool, probe, clock=ticks, sleep=sleep)
    prober.wake()
    await ended()
    assert sleep.slept == pytest.approx([0.4, 0.4])


async def test_probes_end_when_nobody_asks_and_begin_with_the_next_request(pool: Pool, ticks: Ticks) -> None:
    """A router whose handle was dropped must not probe for ever; one under load must go on."""
    rounds = Sleep(ticks, 50, lambda: setattr(pool, "busy", False))
    pool.busy = True
    prober = Prober(PROMPT, pool, answers, clock=ticks, sleep=rounds)
    assert not running()
    prober.wake()
    prober.wake()
    assert len(running()) == 1
    await ended()
    assert len(rounds.slept) == 50
    prober.wake()
    assert len(running()) == 1
    await ended()
    assert len(rounds.slept) == 50 + IDLE_S


async def answers(replica: str) -> bool:
    return True


def leave(ticks: Ticks) -> None:
    """So long without a request that the probes end."""
    ticks.now += IDLE_S
