"""What whoever watches is told."""

from __future__ import annotations

from autoglm.contract.task_run import RunEvent
from autoglm.errors import UnavailableError, UpstreamError
from tests.deployments.planner.execution.stage import FakeCapabilities, Notes, Stage, echo, fails, plan_of, step


def test_events_are_numbered_without_a_gap_in_the_order_of_what_happened() -> None:
    """A step's beginning before its end, its end before the beginning of what waited for it, the answer last."""
    steps = [step("a"), step("b", "flaky", after=["a"]), step("c")]
    stage = Stage(plan_of(*steps), FakeCapabilities({"echo": echo, "flaky": fails(UpstreamError("x"))}))
    run = stage.run()
    events = stage.notes.events
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    told = [(event.type, event.step.id) for event in events if event.step]
    order = [
        ("step_started", "a"),
        ("step_finished", "a"),
        ("step_started", "b"),
        ("step_output", "b"),
        ("step_finished", "b"),
    ]
    assert [one for one in told if one[1] != "c"] == order
    assert (events[-1].type, events[-1].run) == ("answer", run)
    assert stage.notes.entries[-1] == run


def test_a_model_whose_text_is_the_answer_is_heard_as_it_speaks() -> None:
    """Token by token; the answer at the end is the same text."""
    model = {"id": "m", "kind": "model", "name": "chat", "arguments": {"prompt": "why?"}}
    stage = Stage(plan_of(model, answer="${m}"))
    assert stage.run().answer == "so it is"
    assert [event.text for event in stage.notes.events if event.type == "token"] == ["so ", "it ", "is"]


def test_a_stream_that_breaks_is_not_begun_again() -> None:
    """What was read cannot be taken back; without a token it may be."""
    failures = [UpstreamError("broke"), UpstreamError("broke")]

    class Breaking(FakeCapabilities):
        async def stream_model(self, name, request, *, timeout_s):  # type: ignore[no-untyped-def,override]
            self._note(name, request, "", timeout_s)
            if len(failures) == 1:
                yield "so "
            raise failures.pop()

    model = {"id": "m", "kind": "model", "name": "chat", "arguments": {"prompt": "why?"}}
    stage = Stage(plan_of(model, answer="${m}"), Breaking({}))
    assert stage.run().status == "failed"
    assert len(stage.capabilities.sent) == 2


def test_events_that_cannot_be_told_stop_nothing() -> None:
    """They are for whoever watches; what must be kept is told in entries."""

    class Deaf(Notes):
        async def event(self, event: RunEvent) -> None:
            raise UnavailableError("full")

    assert Stage(plan_of(step("a"), answer="${a.id}"), notes=Deaf()).run().answer == "a"
