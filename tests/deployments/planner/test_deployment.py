"""Runs that somebody listens to: told as they go, ended with the connection, kept when they end."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from autoglm.contract.task_run import TaskRun
from autoglm.errors import APIStatusError, UnavailableError, UnprocessableEntityError
from deployments.caller import Caller
from deployments.planner import journals
from deployments.planner.capabilities import Capabilities
from deployments.planner.deployment import Planner
from deployments.planner.lifecycle import Planning
from deployments.planner.run_store import Claim
from tests.deployments.planner.memory_store import MemoryStore
from tests.deployments.planner.stubs import StubCapabilities, StubPlanning, World, plan_of
from tests.deployments.router.shedding.virtual_time import simulate

CALLER = Caller(kind="key", id="key_1", tenant="acme")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TWO = plan_of({"id": "a", "arguments": {"n": 1}}, {"id": "b", "arguments": {"n": 2}, "after": ["a"]})


class House:
    """A planner over stubs."""

    def __init__(self, otherwise: APIStatusError | asyncio.Event | None = None) -> None:
        self.world, self.store = World(), MemoryStore()
        self._otherwise = otherwise

        async def capabilities(claim: Claim) -> Capabilities:
            return StubCapabilities(self.world)

        async def planning(config: Any) -> Planning:
            return StubPlanning(self._otherwise)

        self.planner = Planner(capabilities, self.store, planning, name="w0", now=lambda: NOW)

    async def events(self, **request: Any) -> list[dict[str, Any]]:
        async with aclosing(self.run(**request)) as events:
            return [event async for event in events]

    def run(self, **request: Any) -> Any:
        plan = request.pop("plan", TWO)
        told = None if plan is None else plan.model_dump(mode="json")
        return self.planner.run({"instruction": "note it", "plan": told, **request}, CALLER.model_dump())

    async def __aenter__(self) -> House:
        await self.planner.reconfigure({"background": {"poll_s": 0.5, "lease_s": 5.0}, "max_runs": 2})
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self.planner.aclose()


def kept(house: House) -> TaskRun:
    [row] = house.store.rows.values()
    return row.run


def test_a_run_is_told_from_its_plan_to_its_answer_and_kept() -> None:
    """Numbered without a gap; the last event bears the run, which the store has too."""

    async def scenario() -> None:
        async with House() as house:
            events = await house.events()
            await asyncio.sleep(1)
            assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
            assert [events[0]["type"], events[-1]["type"]] == ["plan", "answer"]
            assert events[-1]["run"]["status"] == kept(house).status == "succeeded"
            assert kept(house).id == events[-1]["run"]["id"]

    simulate(scenario())


def test_a_run_that_ended_is_told_until_the_store_has_it() -> None:
    """Else it would be nowhere for a moment, or for as long as the store hangs; afterwards the memory is free."""

    async def scenario() -> None:
        async with House() as house:
            house.store.is_slow = True
            [*_, last] = await house.events()
            run = last["run"]["id"]
            assert not house.store.rows
            told = await house.planner.look(run, "acme")
            assert told is not None
            assert (told["status"], told["answer"]) == ("succeeded", "done")
            assert told["steps"][0]["result"] == {"n": 1}
            house.store.is_slow = False
            await asyncio.sleep(5)
            assert kept(house).id == run
            assert not house.planner.live

    simulate(scenario())


def test_what_is_refused_is_raised_and_nothing_is_kept() -> None:
    """So that it gets a status of its own."""

    async def scenario() -> None:
        async with House(UnprocessableEntityError("no tool can do this")) as house:
            with pytest.raises(UnprocessableEntityError):
                await house.events(plan=None)
            assert not house.store.rows
            assert not house.world.calls

    simulate(scenario())


def test_a_listener_who_goes_cancels_the_run() -> None:
    """The step that was under way is stopped, the next never begins, and the store hears how it ended."""

    async def scenario() -> None:
        async with House() as house:
            async with aclosing(house.run()) as events:
                async for event in events:
                    if event["type"] == "step_started":
                        break
            await asyncio.sleep(5)
            assert [key.rpartition(":")[2] for _, _, key in house.world.calls] == ["a"]
            assert kept(house).status == "cancelled"
            assert [step.status for step in kept(house).steps] == ["cancelled"]

    simulate(scenario())


def test_a_run_that_ended_before_its_listener_went_is_kept_as_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last event still waited for the listener, who lay as far behind as one may."""
    monkeypatch.setattr(journals, "MAX_HEARD", 4)

    async def scenario() -> None:
        async with House() as house:
            async with aclosing(house.run()) as events:
                assert (await anext(events))["type"] == "plan"
                await asyncio.sleep(5)
            await asyncio.sleep(5)
            assert kept(house).status == "succeeded"

    simulate(scenario())


def test_a_dry_run_ends_with_its_plan() -> None:
    """Nothing is called."""

    async def scenario() -> None:
        async with House() as house:
            events = await house.events(dry_run=True)
            assert [event["type"] for event in events] == ["plan", "answer"]
            assert events[-1]["run"]["status"] == "planned"
            assert not house.world.calls

    simulate(scenario())


@pytest.mark.parametrize("approved", [True, False])
def test_a_plan_that_is_to_be_approved_waits_in_the_store(approved: bool) -> None:
    """It is there before its listener hears of it, and a worker goes on once a person has decided."""

    async def scenario() -> None:
        async with House() as house:
            async with aclosing(house.run(approve=True)) as events:
                told = await anext(events)
                assert (told["run"]["status"], told["run"]["waiting_for"]) == ("waiting", "plan")
                assert kept(house).status == "waiting"
            await asyncio.sleep(3)
            assert not house.world.calls
            house.store.approve(kept(house).id, "plan", approved=approved)
            await asyncio.sleep(5)
            assert kept(house).status == ("succeeded" if approved else "cancelled")
            assert len(house.world.calls) == (2 if approved else 0)
            [row] = house.store.rows.values()
            assert [event.seq for event in row.events] == list(range(1, len(row.events) + 1))

    simulate(scenario())


def test_a_run_that_comes_to_an_approval_takes_its_results_along() -> None:
    """The step before it is not run again."""

    async def scenario() -> None:
        plan = plan_of(
            {"id": "a", "arguments": {"n": 1}},
            {"id": "ask", "kind": "approval", "name": "go on?", "after": ["a"]},
            {"id": "b", "arguments": {"n": "${a.n}"}, "after": ["ask"]},
        )
        async with House() as house:
            events = await house.events(plan=plan)
            assert events[-1]["run"]["waiting_for"] == "ask"
            house.store.approve(kept(house).id, "ask")
            await asyncio.sleep(5)
            assert kept(house).status == "succeeded"
            assert [key.rpartition(":")[2] for _, _, key in house.world.calls] == ["a", "b"]
            assert {"n": 1} in house.world.effects.values()

    simulate(scenario())


def test_without_the_store_runs_are_done_and_only_those_that_would_wait_fail() -> None:
    """Nobody could approve; the others owe it nothing."""

    async def scenario() -> None:
        async with House() as house:
            house.store.is_away = True
            assert (await house.events())[-1]["run"]["status"] == "succeeded"
            with pytest.raises(UnavailableError):
                await house.events(approve=True)

    simulate(scenario())


def test_a_run_is_seen_and_stopped_by_its_tenant_alone() -> None:
    """Also while its plan is being made."""

    async def scenario() -> None:
        async with House(asyncio.Event()) as house:
            listening = asyncio.create_task(house.events())
            await asyncio.sleep(0.1)
            [run] = house.planner.live
            assert await house.planner.look(run, "other") is None
            assert await house.planner.stop(run, "other") is None
            seen = await house.planner.look(run, "acme")
            assert seen is not None
            assert seen["status"] == "planning"
            await house.planner.stop(run, "acme")
            events = await listening
            assert events[-1]["run"]["status"] == "cancelled"

    simulate(scenario())


def test_a_replica_runs_no_more_at_once_than_it_may() -> None:
    """Who comes then is told to come again."""

    async def scenario() -> None:
        async with House() as house:
            listening = [asyncio.create_task(house.events()) for _ in range(2)]
            await asyncio.sleep(0.1)
            with pytest.raises(UnavailableError):
                await house.events()
            await asyncio.gather(*listening)
            await house.events()

    simulate(scenario())
