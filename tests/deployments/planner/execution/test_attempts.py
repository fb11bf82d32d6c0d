"""What is tried again, how often, and until when."""

from __future__ import annotations

import pytest

from autoglm.errors import APIStatusError, PermissionDeniedError, RateLimitError, UnavailableError, UpstreamError
from deployments.planner.execution import ExecutionConfig
from tests.deployments.planner.execution.stage import RUN, FakeCapabilities, Stage, fails, hang, plan_of, step


def test_an_idempotent_tool_is_tried_again_under_its_key() -> None:
    """After an error that may pass; the watcher hears of each, and the step counts them."""
    stage = Stage(
        plan_of(step("a", "flaky")), FakeCapabilities({"flaky": fails(UpstreamError("one"), UpstreamError("two"))})
    )
    run = stage.run()
    assert (run.status, run.steps[0].attempts) == ("succeeded", 3)
    assert [sent.key for sent in stage.capabilities.sent] == [f"{RUN}:a"] * 3
    outputs = [event for event in stage.notes.events if event.type == "step_output"]
    assert [(event.step.id, event.text[:3]) for event in outputs if event.step and event.text] == [
        ("a", "one"),
        ("a", "two"),
    ]


@pytest.mark.parametrize(
    ("error", "once", "fields"),
    [
        (UpstreamError("who knows what it did"), True, {}),
        (PermissionDeniedError("no"), False, {}),
        (UnavailableError("back in an hour", retry_after=3600), False, {}),
        (UpstreamError("one try was asked for"), False, {"max_attempts": 1}),
    ],
)
def test_what_could_do_harm_or_no_good_is_not_tried_again(
    error: APIStatusError, once: bool, fields: dict[str, int]
) -> None:
    """A tool with effects, an error that stays, a wait beyond the deadline, a step that allows no second attempt."""
    capabilities = FakeCapabilities({"t": fails(error)}, once=frozenset(["t"] if once else []))
    run = Stage(plan_of(step("a", "t", **fields)), capabilities).run()
    assert (run.status, len(capabilities.sent)) == ("failed", 1)
    assert run.error is not None
    assert run.error.message == f"step 'a': {error.message}"


def test_a_tool_that_nobody_knows_yet_is_waited_for() -> None:
    """Its host is being started, as after a restart of all: no attempt is lost, and one with effects is called too."""
    capabilities = FakeCapabilities({"t": fails()}, once=frozenset(["t"]), unknown_until=9.0)
    run = Stage(plan_of(step("a", "t")), capabilities).run()
    assert (run.status, run.steps[0].attempts, len(capabilities.sent)) == ("succeeded", 1, 1)


def test_a_tool_that_nobody_knows_in_time_is_the_steps_error() -> None:
    """Nothing was sent."""
    capabilities = FakeCapabilities({"t": fails()}, unknown_until=99.0)
    stage = Stage(plan_of(step("a", "t", timeout_s=10)), capabilities)
    run = stage.run()
    assert (run.status, capabilities.sent) == ("failed", [])
    assert run.error is not None
    assert run.error.code == "unavailable"
    assert stage.took_s <= 10


def test_the_wait_that_a_tool_asks_for_is_kept() -> None:
    """To come back sooner would be refused again."""
    stage = Stage(plan_of(step("a", "t")), FakeCapabilities({"t": fails(RateLimitError("later", retry_after=7.0))}))
    stage.run()
    assert [sent.at for sent in stage.capabilities.sent] == [0.0, 7.0]


def test_retries_are_the_runs_and_not_each_steps() -> None:
    """Otherwise an outage is met with as many retries as there are steps, times their attempts."""
    tools = {f"t{n}": fails(*[UpstreamError("down")] * 9) for n in range(5)}
    capabilities = FakeCapabilities(tools)
    Stage(
        plan_of(*(step(f"s{n}", f"t{n}") for n in range(5))), capabilities, config=ExecutionConfig(max_retries=4)
    ).run()
    assert len(capabilities.sent) == 5 + 4


def test_a_step_ends_at_its_deadline_over_all_of_its_attempts() -> None:
    """Each attempt is told what is left, and the step's error says how long it had."""
    capabilities = FakeCapabilities({"t": fails(RateLimitError("later", retry_after=4.0)), "slow": hang})
    stage = Stage(plan_of(step("a", "slow", timeout_s=10), step("b", "t", timeout_s=4.5)), capabilities)
    run = stage.run()
    assert stage.took_s == 10
    assert [(sent.name, sent.timeout_s) for sent in capabilities.sent] == [("slow", 10), ("t", 4.5), ("t", 0.5)]
    errors = {one.id: one.error for one in run.steps}
    assert errors["a"] is not None
    assert (errors["a"].code, errors["a"].message) == (
        "deadline_exceeded",
        "tool 'slow' did not answer within 10 s (timeout_s)",
    )
    assert capabilities.stopped == [f"{RUN}:b", f"{RUN}:a"]
