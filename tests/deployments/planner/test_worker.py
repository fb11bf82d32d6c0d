"""Durable runs: whatever dies, each ends, and each effect happens once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from autoglm.contract.task_run import ENDED, TaskRequest, TaskRun
from autoglm.contract.usage import Usage
from autoglm.errors import UnavailableError
from deployments.caller import Caller
from deployments.planner.execution import ExecutionConfig
from deployments.planner.journals import StoreJournal
from deployments.planner.lifecycle import Lifecycle, Runtime
from deployments.planner.run_store import Claim
from deployments.planner.worker import Worker
from deployments.planner.worker_config import WorkerConfig
from tests.deployments.planner.memory_store import MemoryStore
from tests.deployments.planner.stubs import StubCapabilities, StubPlanning, World, plan_of, random_plan
from tests.deployments.router.shedding.virtual_time import simulate

CALLER = Caller(kind="key", id="key_1", tenant="acme")
CONFIG = WorkerConfig(max_runs=4, lease_s=5.0, poll_s=0.5)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUNS = 100


class Line:
    """One worker's connection to the store; once it is cut nothing passes, as of a process that was killed."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.is_cut = False

    def __getattr__(self, method: str) -> Any:
        async def call(*arguments: Any) -> Any:
            if self.is_cut:
                raise UnavailableError("nobody is there")
            result = await getattr(self._store, method)(*arguments)
            if self.is_cut:
                raise UnavailableError("nobody hears it")
            return result

        return call


class Replica:
    """A worker that can be killed: at once, and with no word to anyone."""

    def __init__(self, name: str, store: MemoryStore, world: World, planning: StubPlanning | None = None) -> None:
        self.name = name
        self.line = Line(store)
        self._world = world
        self._runtime = Runtime(
            planning or StubPlanning(), ExecutionConfig(), clock=asyncio.get_running_loop().time, now=lambda: NOW
        )
        self.worker = Worker(self.line, self._begin, name=name, config=CONFIG, clock=lambda: NOW)
        self.task = asyncio.create_task(self.worker.work())

    async def _begin(self, claim: Claim, journal: StoreJournal) -> Lifecycle:
        return Lifecycle(claim, StubCapabilities(self._world, self.name), journal, self._runtime)

    async def kill(self) -> None:
        self.line.is_cut = True
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def run_of(number: int) -> TaskRun:
    return TaskRun(id=f"run_{number:032x}", instruction="note it", status="planning", background=True, created=NOW)


async def until(holds: Callable[[], bool]) -> None:
    """In virtual time: looking often costs nothing."""
    while not holds():  # noqa: ASYNC110  # what is waited for is a state of the store, which tells nobody
        await asyncio.sleep(0.01)


async def until_ended(store: MemoryStore, *, approve: bool = True) -> None:
    while any(row.run.status not in ENDED for row in store.rows.values()):
        for run, row in store.rows.items():
            if row.run.status == "waiting" and approve:
                store.approve(run, row.run.waiting_for or "plan")
        await asyncio.sleep(0.25)


async def run_all(store: MemoryStore, world: World, planning: StubPlanning | None = None) -> None:
    """By one worker, which is there until all has ended."""
    replica = Replica("w0", store, world, planning)
    await until_ended(store)
    await replica.kill()


@pytest.mark.parametrize("seed", range(3))
def test_whenever_workers_are_killed_every_run_ends_and_every_effect_happens_once(seed: int) -> None:
    """Two workers over a hundred runs, killed and replaced at random moments, the store away now and then."""

    async def scenario() -> None:
        chance, store, world = random.Random(seed), MemoryStore(), World(seed)
        expected = set()
        for number in range(RUNS):
            plan, run = random_plan(chance, chance.randint(1, 6)), run_of(number)
            await store.create(run, TaskRequest(instruction="note it", plan=plan), CALLER)
            expected |= {f"{run.id}:{step.id}" for step in plan.steps if step.kind == "tool"}
        replicas = [Replica(f"w{index}", store, world) for index in range(2)]
        ending = asyncio.create_task(until_ended(store))
        born = len(replicas)
        while not ending.done():
            await asyncio.sleep(chance.uniform(0.1, 8.0))
            if chance.random() < 0.2:
                store.is_away = not store.is_away
                continue
            victim = chance.randrange(2)
            await replicas[victim].kill()
            replicas[victim] = Replica(f"w{born}", store, world)
            born += 1
        await ending
        for replica in replicas:
            await replica.kill()
        assert {row.run.status for row in store.rows.values()} == {"succeeded"}
        assert set(world.effects) == expected
        assert len(world.calls) > len(expected), "no kill fell into a call: the scenario shows nothing"
        for run, row in store.rows.items():
            assert [event.seq for event in row.events] == sorted({event.seq for event in row.events}), run

    simulate(scenario())


def test_a_step_that_was_told_as_finished_is_not_called_again() -> None:
    """The one that comes after goes on behind it, and adds its tokens to those that were told."""

    async def scenario() -> None:
        store, world = MemoryStore(), World()
        plan = plan_of({"id": "first", "arguments": {}}, {"id": "second", "arguments": {}, "after": ["first"]})
        await store.create(run_of(1), TaskRequest(instruction="note it", plan=plan), CALLER)
        first = Replica("w0", store, world)
        [row] = store.rows.values()
        await until(lambda: row.steps.get("first") is not None and row.steps["first"].status == "succeeded")
        await first.kill()
        second = Replica("w1", store, world)
        await until_ended(store)
        await second.kill()
        assert [key.rpartition(":")[2] for _, worker, key in world.calls if worker == "w1"] == ["second"]
        assert row.run.usage == Usage(total_tokens=2)

    simulate(scenario())


def test_while_the_store_is_away_nothing_begins_that_it_was_not_told_of() -> None:
    """A call that nobody has noted could not be found again; it is made when the store is back, by the same worker."""

    async def scenario() -> None:
        store, world = MemoryStore(), World()
        plan = plan_of({"id": "first", "arguments": {}}, {"id": "second", "arguments": {"n": 2}, "after": ["first"]})
        await store.create(run_of(1), TaskRequest(instruction="note it", plan=plan), CALLER)
        replica = Replica("w0", store, world)
        await until(lambda: bool(world.calls))
        store.is_away = True
        await asyncio.sleep(3.0)
        assert len(world.effects) == len(world.calls) == 1
        store.is_away = False
        await until_ended(store)
        await replica.kill()
        [row] = store.rows.values()
        assert (row.run.status, row.fence, len(world.calls)) == ("succeeded", 1, 2)

    simulate(scenario())


def test_a_worker_whose_lease_ends_begins_nothing_more() -> None:
    """It hears nothing of the store, and another may have the run from that moment on."""

    async def scenario() -> None:
        store, world = MemoryStore(), World()
        steps = [{"id": f"s{index}", "arguments": {"n": index}} for index in range(40)]
        plan = plan_of(*({**step, "after": [f"s{index - 1}"] if index else []} for index, step in enumerate(steps)))
        await store.create(run_of(1), TaskRequest(instruction="note it", plan=plan), CALLER)
        cut_off = Replica("w0", store, world)
        await asyncio.sleep(3.0)
        cut_off.line.is_cut = True
        other = Replica("w1", store, world)
        await until_ended(store)
        taken_over = min(at for at, worker, _ in world.calls if worker == "w1")
        assert max(at for at, worker, _ in world.calls if worker == "w0") < taken_over
        assert not cut_off.worker.held
        for replica in (cut_off, other):
            await replica.kill()
        assert {row.run.status for row in store.rows.values()} == {"succeeded"}

    simulate(scenario())


def test_a_cancelled_run_ends_at_the_next_renewal_with_the_step_that_ran() -> None:
    """The tool's call is cancelled, and whoever asks hears so."""

    async def scenario() -> None:
        store, world = MemoryStore(), World()
        plan = plan_of({"id": "long", "arguments": {}})
        await store.create(run_of(1), TaskRequest(instruction="note it", plan=plan), CALLER)
        [row] = store.rows.values()
        replica = Replica("w0", store, world)
        await until(lambda: bool(world.calls))
        row.is_cancelled = True
        await until_ended(store)
        await replica.kill()
        assert row.run.status == "cancelled"
        assert row.steps["long"].status == "cancelled"
        assert row.events[-1].type == "error"
        assert row.run.finished is not None

    simulate(scenario())


def test_a_worker_holds_no_more_runs_than_it_may() -> None:
    """The rest is left to others."""

    async def scenario() -> None:
        store, world = MemoryStore(), World()
        for number in range(10):
            plan = plan_of({"id": "s", "arguments": {}})
            await store.create(run_of(number), TaskRequest(instruction="note it", plan=plan), CALLER)
        replica = Replica("w0", store, world)
        await asyncio.sleep(0.3)
        assert len(world.calls) == len(replica.worker.held) == CONFIG.max_runs
        await until_ended(store)
        await replica.kill()

    simulate(scenario())


def test_a_run_has_its_time_once_over_all_who_hold_it() -> None:
    """Else one whose workers die would go on for ever, or for as many times its time as it may be claimed."""

    async def scenario() -> None:
        store, world = MemoryStore(), World()
        steps = [{"id": "a", "arguments": {}}, {"id": "b", "arguments": {}, "after": ["a"]}]
        await store.create(run_of(1), TaskRequest(instruction="note it", plan=plan_of(*steps), timeout_s=60), CALLER)
        [row] = store.rows.values()
        row.spent_s = 58.5
        await run_all(store, world)
        assert row.run.error is not None
        assert (row.run.error.code, len(world.calls)) == ("deadline_exceeded", 2)
        assert "60 s" in row.run.error.message

    simulate(scenario())


def test_a_run_that_nobody_can_plan_yet_is_planned_when_somebody_can() -> None:
    """By the same worker: what it is planned with is being started, as after a restart of all."""

    async def scenario() -> None:
        store, world = MemoryStore(), World()
        await store.create(run_of(1), TaskRequest(instruction="note it", plan=plan_of({"id": "s"})), CALLER)
        [row] = store.rows.values()
        await run_all(store, world, StubPlanning(away=4))
        assert (row.run.status, row.fence) == ("succeeded", 1)

    simulate(scenario())


def test_a_run_that_ends_whoever_runs_it_is_given_up_in_the_end() -> None:
    """Else it would be begun again for ever."""

    async def scenario() -> None:
        store, world = MemoryStore(), World()
        await store.create(run_of(1), TaskRequest(instruction="note it", plan=plan_of({"id": "s"})), CALLER)
        [row] = store.rows.values()
        row.fence = CONFIG.max_claims
        await run_all(store, world)
        assert row.run.status == "failed"
        assert not world.calls

    simulate(scenario())
