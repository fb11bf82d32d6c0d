"""Another plan after a failure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from autoglm.contract.error import ErrorDetail
from autoglm.contract.plan import Plan
from autoglm.contract.task_run import StepRun
from autoglm.errors import APIStatusError, UnavailableError, UpstreamError
from deployments.planner.execution import ExecutionConfig
from tests.deployments.planner.execution.stage import FakeCapabilities, Stage, echo, fails, plan_of, statuses, step


class Script:
    """Hands out plans, or raises errors, in their order, and keeps what it was asked with."""

    def __init__(self, *plans: Plan | APIStatusError | None) -> None:
        self._plans = list(plans)
        self.asked: list[tuple[dict[str, Any], list[str]]] = []

    async def __call__(self, plan: Plan, done: Sequence[StepRun], failed: Sequence[StepRun]) -> Plan | None:
        self.asked.append(({one.id: one.result for one in done}, [one.id for one in failed]))
        found = self._plans.pop(0)
        if isinstance(found, APIStatusError):
            raise found
        return found


def broken(*rest: dict[str, Any], **fields: Any) -> Plan:
    return plan_of(step("a"), step("b", "down"), step("c", arguments={"x": "${b}"}), *rest, **fields)


def stage_of(plan: Plan, *plans: Plan | APIStatusError | None, **fields: Any) -> Stage:
    capabilities = FakeCapabilities(
        {"echo": echo, "down": fails(*[UpstreamError("down")] * 99)}, once=frozenset(["down"])
    )
    return Stage(plan, capabilities, replan=Script(*plans), **fields)


def test_a_new_plan_goes_on_from_what_is_done() -> None:
    """It may use a result without naming the step again, and take up a step that the failure had stopped."""
    new = plan_of(step("b2", arguments={"x": "${a.id}"}), step("c", arguments={"x": "${b2.x}"}), answer="${c.x}")
    stage = stage_of(broken(), new)
    run = stage.run()
    assert (run.status, run.answer, run.plan) == ("succeeded", "a", new)
    assert stage.capabilities.keys() == ["a", "b", "b2", "c"]
    assert isinstance(stage.replan, Script)
    assert stage.replan.asked == [({"a": {"id": "a"}}, ["b"])]
    assert statuses(run) == {"b2": "succeeded", "c": "succeeded", "a": "succeeded", "b": "failed"}
    assert new in stage.notes.entries
    assert [event.plan for event in stage.notes.events if event.type == "plan"] == [new]


def test_what_is_left_beside_a_failure_is_done_before_another_way_is_sought() -> None:
    """One new plan then answers for all failures, and knows the most."""
    stage = stage_of(broken(step("d", after=["a"]), step("e", "down", after=["d"])), None)
    run = stage.run()
    assert isinstance(stage.replan, Script)
    assert stage.replan.asked == [({"a": {"id": "a"}, "d": {"id": "d"}}, ["b", "e"])]
    assert run.error is not None
    assert run.error.message == "step 'b': down"
    assert statuses(run)["c"] == "skipped"


def test_a_run_has_so_many_new_plans_over_all_of_its_executions() -> None:
    """The failed steps that earlier plans left behind count for those that were made before a restart."""
    plans = [plan_of(step(f"b{n}", "down")) for n in range(9)]
    before = stage_of(broken(), *plans, config=ExecutionConfig(max_replans=2))
    run = before.run()
    assert before.capabilities.keys() == ["a", "b", "b0", "b1"]
    assert run.plan is not None
    other = plan_of(step("other"))
    after = stage_of(run.plan, other, config=ExecutionConfig(max_replans=2), steps=before.notes.steps())
    assert after.run().status == "failed"
    assert after.capabilities.sent == []


def test_a_run_that_had_given_up_is_not_planned_anew() -> None:
    """It died between its last step and its end: what it skipped is skipped, and so is what waits for that."""
    stage = stage_of(broken(step("d", after=["c"])), plan_of(step("other")))
    stage.steps = (
        StepRun(id="a", kind="tool", name="echo", status="succeeded", result=1),
        StepRun(id="b", kind="tool", name="down", status="failed", error=ErrorDetail(message="down")),
        StepRun(id="c", kind="tool", name="echo", status="skipped", error=ErrorDetail(message="b failed")),
    )
    run = stage.run()
    assert (run.status, statuses(run)["d"]) == ("failed", "skipped")
    assert stage.capabilities.sent == []


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (plan_of(step("b", "down")), "step 'b' has the id of another that has begun"),
        (plan_of(step("a", arguments={"id": "other"})), "step 'a' has the id of another that has begun"),
        (plan_of(step("d", after=["b"])), "step 'd' names 'b', and there is no such step"),
        (plan_of(step("d", after=["e"]), step("e", after=["d"])), "wait for each other"),
        (plan_of(*(step(f"s{n}") for n in range(7))), "got 9; a run may have 8"),
        (plan_of(step("d"), answer="${q}"), r"answer names ['q']"),
    ],
)
def test_a_new_plan_that_cannot_be_run_ends_the_run(new: Plan, message: str) -> None:
    """A key, a result and a person's approval belong to one call; ids that come again would hand them to another."""
    stage = stage_of(broken(), new, config=ExecutionConfig(max_steps=8))
    run = stage.run()
    assert run.error is not None
    assert message in run.error.message
    assert stage.capabilities.keys() == ["a", "b"]


def test_without_a_new_plan_the_failure_itself_is_the_runs() -> None:
    """Also where the planner was away: who watches hears of that besides."""
    stage = stage_of(broken(), UnavailableError("no model"))
    run = stage.run()
    assert run.error is not None
    assert run.error.message == "step 'b': down"
    errors = [event.error.message for event in stage.notes.events if event.type == "error" and event.error]
    assert errors == ["no model", "step 'b': down"]
