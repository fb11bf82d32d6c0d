"""What keeps a run from going on for ever."""

from __future__ import annotations

import pytest

from autoglm.errors import UpstreamError
from deployments.planner.execution import ExecutionConfig
from tests.deployments.planner.execution.stage import FakeCapabilities, Stage, fails, plan_of, step


@pytest.mark.parametrize(("most", "asked"), [(4, None), (10, 4)])
def test_a_plan_with_too_many_steps_is_not_begun(most: int, asked: int | None) -> None:
    """More than the cluster allows, or than the request does."""
    stage = Stage(plan_of(*(step(f"s{n}") for n in range(5))), config=ExecutionConfig(max_steps=most), max_steps=asked)
    run = stage.run()
    assert run.error is not None
    assert (run.error.code, run.error.message) == ("unprocessable", "steps: got 5; a run may have 4 (max_steps)")
    assert stage.capabilities.sent == []


def test_the_same_call_again_and_again_is_a_loop() -> None:
    """By what is sent, not by how the plan writes it; another argument is another call, a retry is none."""
    asks = [step(f"s{n}", arguments={"x": [1], "y": 2} if n % 2 else {"y": 2, "x": ["${a[0].n}"]}) for n in range(4)]

    async def one(arguments: dict[str, object]) -> object:
        return [{"n": 1}]

    capabilities = FakeCapabilities({"echo": fails(UpstreamError("once")), "one": one})
    stage = Stage(
        plan_of(step("a", "one"), *asks, step("other", arguments={"x": [2], "y": 2})),
        capabilities,
        config=ExecutionConfig(max_same_calls=3),
    )
    run = stage.run()
    failed = [found for found in run.steps if found.status == "failed"]
    assert len(failed) == 1
    assert failed[0].error is not None
    assert "tool 'echo' was called 3 times with the same arguments" in failed[0].error.message


def test_the_calls_of_a_run_are_bounded_over_attempts_and_executions() -> None:
    """Also where it was killed and gone on with in between."""
    config = ExecutionConfig(max_calls=5, max_attempts=10, backoff_s=0, max_backoff_s=0)
    plan = plan_of(step("a", "flaky"), step("b", "down", after=["a"]))
    capabilities = FakeCapabilities(
        {"flaky": fails(*[UpstreamError("x")] * 3), "down": fails(*[UpstreamError("x")] * 99)}
    )
    before = Stage(plan, capabilities, config=config)
    before.run()
    assert len(capabilities.sent) == 5
    again = Stage(plan, capabilities, config=config, steps=tuple(one for one in before.notes.steps() if one.id == "a"))
    run = again.run()
    assert len(capabilities.sent) == 5 + 1
    assert run.error is not None
    assert "all that it may (max_calls)" in run.error.message
