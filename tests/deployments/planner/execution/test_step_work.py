"""One step: its condition, its approval, its fallback, its result."""

from __future__ import annotations

from typing import Any

import pytest

from autoglm.errors import UpstreamError
from deployments.planner.execution import ExecutionConfig
from tests.deployments.planner.execution.stage import (
    RUN,
    FakeCapabilities,
    Stage,
    echo,
    fails,
    hang,
    plan_of,
    statuses,
    step,
)


def when(ref: str, value: Any) -> dict[str, Any]:
    return {"when": {"ref": ref, "op": "eq", "value": value}}


def test_a_step_is_skipped_with_all_that_needs_its_result_and_no_more() -> None:
    """What only comes after it runs, and so does the branch for where it was skipped."""
    stage = Stage(
        plan_of(
            step("a"),
            step("no", **when("${a.id}", "b")),
            step("needs", arguments={"x": "${no.id}"}),
            step("asks", **when("${needs.x}", 1)),
            step("after", after=["needs"]),
            step("otherwise", when={"ref": "${no}", "op": "exists", "value": False}),
            step("yes", **when("${a.id}", "a")),
        )
    )
    run = stage.run()
    assert run.status == "succeeded"
    skipped = {name for name, status in statuses(run).items() if status == "skipped"}
    assert skipped == {"no", "needs", "asks"}
    assert sorted(stage.capabilities.keys()) == ["a", "after", "otherwise", "yes"]


@pytest.mark.parametrize("answer", [fails(UpstreamError("down")), hang])
def test_a_fallback_runs_in_place_of_a_step_that_failed(answer: Any) -> None:
    """Also of one that took too long: with arguments, a key and time of its own; its result is the step's."""
    capabilities = FakeCapabilities({"echo": echo, "t": answer}, once=frozenset(["t"]))
    fallback = {"kind": "tool", "name": "echo", "arguments": {"x": "${a.id} instead"}}
    stage = Stage(
        plan_of(step("a"), step("b", "t", fallback=fallback, timeout_s=5), step("c", arguments={"x": "${b.x}"})),
        capabilities,
    )
    run = stage.run()
    assert (run.status, run.steps[1].attempts, run.steps[2].result) == ("succeeded", 2, {"x": "a instead"})
    assert [sent.key for sent in capabilities.sent if "b" in sent.key.split(":")] == [f"{RUN}:b", f"{RUN}:b:fallback"]


@pytest.mark.parametrize(
    ("result", "code", "message"),
    [
        ("x" * 2000, "payload_too_large", "larger than 1,000 bytes (max_result_bytes)"),
        (float("nan"), "upstream_error", "no JSON value"),
    ],
)
def test_a_result_that_cannot_be_kept_is_the_steps_error(result: Any, code: str, message: str) -> None:
    """A hundred megabytes reach neither the journal nor the next step; what does not need it goes on."""

    async def large(arguments: dict[str, Any]) -> Any:
        return result

    stage = Stage(
        plan_of(step("a", "large"), step("b"), step("c", arguments={"x": "${a}"})),
        FakeCapabilities({"echo": echo, "large": large}),
        config=ExecutionConfig(max_result_bytes=1000, max_shown_bytes=100),
    )
    run = stage.run()
    assert statuses(run) == {"a": "failed", "b": "succeeded", "c": "skipped"}
    assert run.steps[0].error is not None
    assert run.steps[0].error.code == code
    assert message in run.steps[0].error.message


def test_all_results_of_a_run_are_bounded_together() -> None:
    """Many that are each small enough are one memory."""
    steps = [step(f"s{n}", arguments={"x": "y" * 900}, after=[f"s{n - 1}"] if n else []) for n in range(4)]
    config = ExecutionConfig(max_result_bytes=1000, max_results_bytes=3000, max_shown_bytes=100)
    run = Stage(plan_of(*steps), config=config).run()
    assert list(statuses(run).values()) == ["succeeded"] * 3 + ["failed"]
    assert run.error is not None
    assert "max_results_bytes" in run.error.message


def test_a_large_result_is_shown_cut_and_used_whole() -> None:
    """The journal has it whole, for resumption; events and the run say that they have a part."""
    steps = [step("a", arguments={"x": "y" * 500}), step("b", arguments={"x": "${a.x}"})]
    stage = Stage(plan_of(*steps), config=ExecutionConfig(max_shown_bytes=100))
    run = stage.run()
    assert stage.capabilities.sent[1].arguments == {"x": "y" * 500}
    shown = [event.step for event in stage.notes.events if event.type == "step_finished"]
    for one in (run.steps[0], shown[0]):
        assert one is not None
        assert (len(one.result), one.is_cut) == (100, True)
    assert stage.notes.steps()[0].result == {"x": "y" * 500}
    assert not stage.notes.steps()[0].is_cut


def approval(id: str, **fields: Any) -> dict[str, Any]:
    return {"id": id, "kind": "approval", "name": "send it?", **fields}


def waiting_plan() -> Stage:
    steps = [
        step("a"),
        approval("ok", after=["a"]),
        step("b", after=["ok"]),
        step("mail", "mail", arguments={"to": "${a.id}"}),
        step("c"),
        step("d", after=["c"]),
    ]
    return Stage(plan_of(*steps), FakeCapabilities({"echo": echo, "mail": echo}, asking={"mail"}))


def test_a_run_waits_for_people_when_everything_else_is_done() -> None:
    """It says for which step; whoever decides sees what would be sent; nothing that depends on it has begun."""
    stage = waiting_plan()
    run = stage.run()
    assert (run.status, run.waiting_for, run.finished) == ("waiting", "ok", None)
    assert statuses(run) == {
        "a": "succeeded",
        "ok": "waiting",
        "b": "pending",
        "mail": "waiting",
        "c": "succeeded",
        "d": "succeeded",
    }
    mail = next(one for one in stage.notes.steps() if one.id == "mail")
    assert mail.result == {"tool": "mail", "arguments": {"to": "a"}}
    assert not any(event.run for event in stage.notes.events)


def test_a_call_that_needs_nobody_does_not_wait() -> None:
    """Whether a person must decide is a matter of the arguments; a fallback that may need one is shown with it."""
    fallback = {"kind": "tool", "name": "mail", "arguments": {"to": "all"}}
    steps = [step("a", "mail", arguments={"to": "friend"}), step("b", "mail"), step("c", fallback=fallback)]
    stage = Stage(plan_of(*steps), FakeCapabilities({"echo": echo, "mail": echo}, asking={"mail"}))
    assert statuses(stage.run()) == {"a": "succeeded", "b": "waiting", "c": "waiting"}
    shown = next(one.result for one in stage.notes.steps() if one.id == "c")
    assert (shown["tool"], shown["fallback"]) == ("echo", {"tool": "mail", "arguments": {"to": "all"}})


@pytest.mark.parametrize("is_approved", [True, False])
def test_a_decision_lets_the_step_run_or_fail(is_approved: bool) -> None:
    """In a later process, from the journal's steps; refused, nothing is sent, and the run says why it failed."""
    before = waiting_plan()
    before.run()
    stage = waiting_plan()
    stage.steps = before.notes.steps()
    stage.approved = {"ok": True, "mail": is_approved}
    run = stage.run()
    assert stage.capabilities.keys() == (["mail", "b"] if is_approved else ["b"])
    assert run.status == ("succeeded" if is_approved else "failed")
    if not is_approved:
        assert run.error is not None
        assert (run.error.code, run.error.message) == (
            "permission_denied",
            "step 'mail': tool 'mail' was not approved",
        )
