"""A run's end: by its deadline, by whoever cancels it, by a journal that refuses."""

from __future__ import annotations

import asyncio

import pytest

from autoglm.contract.task_run import StepRun, TaskRun
from autoglm.errors import ConflictError
from deployments.planner.execution import ExecutionConfig
from tests.deployments.planner.execution.stage import (
    RUN,
    FakeCapabilities,
    Notes,
    Stage,
    echo,
    hang,
    plan_of,
    statuses,
    step,
)
from tests.deployments.router.shedding.virtual_time import simulate


def slow() -> Stage:
    """One step that is done after a second, and two that never are."""
    steps = [step("a"), step("b", "slow", after=["a"]), step("c", "slow", after=["a"]), step("d", after=["b"])]
    return Stage(plan_of(*steps), FakeCapabilities({"echo": echo, "slow": hang}))


def test_a_run_ends_at_its_deadline_with_what_is_under_way() -> None:
    """Its steps are stopped and told so; what is done is done."""
    stage = slow()
    stage.timeout_s = 30.0
    run = stage.run()
    assert (stage.took_s, run.status) == (30.0, "failed")
    assert run.error is not None
    assert (run.error.code, run.error.message) == ("deadline_exceeded", "the run did not end within 30 s (timeout_s)")
    assert statuses(run) == {"a": "succeeded", "b": "cancelled", "c": "cancelled", "d": "pending"}


def test_a_run_that_is_gone_on_with_has_what_is_left_of_its_time() -> None:
    """However often; the error tells the whole of it."""
    stage = slow()
    stage.timeout_s, stage.spent_s = 30.0, 25.0
    run = stage.run()
    assert (stage.took_s, run.status) == (5.0, "failed")
    assert run.error is not None
    assert run.error.message == "the run did not end within 30 s (timeout_s)"


def test_a_cancelled_run_stops_its_steps_and_tells_of_it() -> None:
    """The calls under way are cancelled before the journal hears of the end."""
    stage = slow()

    async def cancelled() -> TaskRun:
        execution = stage.execution()
        asyncio.get_running_loop().call_later(5.0, execution.cancel)
        return await execution.execute()

    run = simulate(cancelled())
    assert (run.status, run.answer) == ("cancelled", None)
    assert sorted(stage.capabilities.stopped) == [f"{RUN}:b", f"{RUN}:c"]
    assert statuses(run) == {"a": "succeeded", "b": "cancelled", "c": "cancelled", "d": "pending"}
    assert stage.notes.entries[-1] == run
    assert (stage.notes.events[-1].type, stage.notes.events[-1].run) == ("error", run)


def test_a_run_cancelled_before_it_began_does_nothing() -> None:
    """The cancel may come while the plan is made."""
    stage = slow()

    async def cancelled() -> TaskRun:
        execution = stage.execution()
        execution.cancel()
        return await execution.execute()

    assert simulate(cancelled()).status == "cancelled"
    assert stage.capabilities.sent == []


def test_an_execution_that_is_stopped_tells_nobody_and_can_be_gone_on_with() -> None:
    """As when its process ends: the next one finds the steps as they were, and nothing of this one still runs."""
    stage = slow()

    async def stopped() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5.0):
                await stage.execute()

    simulate(stopped())
    assert sorted(stage.capabilities.stopped) == [f"{RUN}:b", f"{RUN}:c"]
    assert {one.id: one.status for one in stage.notes.steps()} == {"a": "succeeded", "b": "running", "c": "running"}
    assert not any(isinstance(entry, TaskRun) for entry in stage.notes.entries)
    again = Stage(stage.plan, FakeCapabilities({"echo": echo, "slow": echo}), steps=stage.notes.steps())
    assert again.run().status == "succeeded"
    assert again.capabilities.keys() == ["b", "c", "d"]


def test_nothing_more_is_done_in_a_run_that_is_anothers() -> None:
    """The journal's refusal stops the steps beside it, is raised, and nothing is sent whose beginning was refused."""

    def refuse(told: StepRun) -> None:
        if told.id == "d":
            raise ConflictError("it is another's")

    stage = Stage(
        plan_of(step("a"), step("b", "slow"), step("d", after=["a"])),
        FakeCapabilities({"echo": echo, "slow": hang}),
        Notes(refuse=refuse),
    )
    with pytest.raises(ConflictError, match="it is another's"):
        stage.run()
    assert stage.capabilities.keys() == ["a", "b"]
    assert stage.capabilities.stopped == [f"{RUN}:b"]
    assert not any(isinstance(entry, TaskRun) for entry in stage.notes.entries)


def test_a_time_out_that_is_not_the_runs_is_not_told_as_its_deadline() -> None:
    """Whoever wrote the journal wants to know of it; the run can be gone on with."""

    def refuse(told: StepRun) -> None:
        raise TimeoutError("the journal's own")

    with pytest.raises(TimeoutError, match="the journal's own"):
        Stage(plan_of(step("a")), notes=Notes(refuse=refuse)).run()


def test_the_tokens_of_all_executions_are_the_runs_usage() -> None:
    """What its model calls took, as the caller's capabilities count it."""
    run = Stage(plan_of(step("a"), step("b"))).run()
    assert run.usage is not None
    assert run.usage.total_tokens == 2


def test_bounds_that_contradict_each_other_are_refused() -> None:
    """A result that may be kept and not shown is one thing; one that may be shown and not kept is a mistake."""
    with pytest.raises(ValueError, match=r"max_result_bytes \(10\) is below max_shown_bytes \(8192\)"):
        ExecutionConfig(max_result_bytes=10)
