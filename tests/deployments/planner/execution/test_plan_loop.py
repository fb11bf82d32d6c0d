"""Failures and what waits for them; a run that is gone on with; the answer."""

from __future__ import annotations

from typing import Any

from autoglm.contract.task_run import StepRun
from autoglm.errors import UpstreamError
from deployments.planner.execution import ExecutionConfig
from tests.deployments.planner.execution.stage import RUN, FakeCapabilities, Stage, echo, fails, plan_of, statuses, step


def down(**tools: Any) -> FakeCapabilities:
    return FakeCapabilities(
        {"echo": echo, "down": fails(*[UpstreamError("down")] * 99), **tools}, once=frozenset(["down"])
    )


def test_what_waits_for_a_failed_step_in_any_way_does_not_run() -> None:
    """By `after` too: what was to happen first has not happened. The rest goes on, and the run has failed."""
    stage = Stage(
        plan_of(
            step("a", "down"),
            step("uses", arguments={"x": "${a}"}),
            step("after", after=["a"]),
            step("later", after=["uses"]),
            step("free"),
            step("freer", after=["free"]),
        ),
        down(),
    )
    run = stage.run()
    assert (run.status, run.answer) == ("failed", None)
    assert stage.capabilities.keys() == ["a", "free", "freer"]
    assert {one.id: one.error.message for one in run.steps if one.status == "skipped" and one.error} == {
        "uses": "step 'a' did not succeed, and this one waits for it",
        "after": "step 'a' did not succeed, and this one waits for it",
        "later": "step 'uses' did not succeed, and this one waits for it",
    }


def test_what_ended_is_not_done_again_and_what_was_running_is_under_its_key() -> None:
    """From the journal of a process that died: results, skips and failures stand."""
    done = [
        StepRun(id="a", kind="tool", name="echo", status="succeeded", attempts=1, result={"id": 7}),
        StepRun(id="s", kind="tool", name="echo", status="skipped"),
        StepRun(id="f", kind="tool", name="down", status="failed"),
        StepRun(id="r", kind="tool", name="echo", status="running", attempts=0),
    ]
    steps = [
        step("a"),
        step("s"),
        step("f", "down"),
        step("r", arguments={"x": "${a.id}"}),
        step("t", arguments={"x": "${s}"}),
        step("u", after=["f"]),
        step("v", after=["r"]),
    ]
    stage = Stage(plan_of(*steps), down(), steps=tuple(done))
    run = stage.run()
    assert [(sent.key, sent.arguments) for sent in stage.capabilities.sent] == [
        (f"{RUN}:r", {"x": 7}),
        (f"{RUN}:v", {"id": "v"}),
    ]
    assert statuses(run) == {
        "a": "succeeded",
        "s": "skipped",
        "f": "failed",
        "r": "succeeded",
        "t": "skipped",
        "u": "skipped",
        "v": "succeeded",
    }


def test_the_answer_is_the_plans_text_or_else_the_results_in_words() -> None:
    """In words also where the text names a step that was skipped: nothing could be put in its place."""
    assert Stage(plan_of(step("a"), answer="It is ${a.id}.")).run().answer == "It is a."
    told = Stage(plan_of(step("a"), step("b"), answer=None))
    assert told.run().answer == "do it: a, b"
    assert [event.text for event in told.notes.events if event.type == "token"] == ["do it: ", "a, b"]
    skipped = step("b", when={"ref": "${a.id}", "op": "eq", "value": 1})
    assert Stage(plan_of(step("a"), skipped, answer="${a.id} and ${b.id}")).run().answer == "do it: a"


def test_an_answer_without_end_is_an_error() -> None:
    """Words that come without end, from whoever composes them or from a model, fill no memory."""
    model = {"id": "m", "kind": "model", "name": "chat", "arguments": {"prompt": "x"}}
    for plan in (plan_of(step("a", arguments={}), answer=None), plan_of(model, answer="${m}")):
        run = Stage(plan, config=ExecutionConfig(max_result_bytes=7, max_shown_bytes=7)).run()
        assert run.error is not None
        assert run.error.code == "payload_too_large"


def test_an_answer_that_names_what_is_not_there_says_so() -> None:
    """The steps are done, and the run has failed: no answer is made up."""
    run = Stage(plan_of(step("a"), answer="${a.name}")).run()
    assert (run.status, statuses(run)) == ("failed", {"a": "succeeded"})
    assert run.error is not None
    assert "has no 'name' at ${a}, which is an object with 'id'" in run.error.message
