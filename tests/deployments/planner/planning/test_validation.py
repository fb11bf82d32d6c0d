"""What keeps a plan from being run, all of it told at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from autoglm.contract.plan import Plan
from autoglm.errors import PermissionDeniedError, UnavailableError, UnprocessableEntityError
from deployments.planner.planning.config import PlanLimits
from deployments.planner.planning.validation import MAX_REFERENCES, Validation
from tests.deployments.planner.planning.capabilities import DAYS, FakeCapabilities

DATES = {"start": "2024-01-01", "end": "2024-01-02"}


def step(number: int = 1, name: str = "days_between", **fields: Any) -> dict[str, Any]:
    """A step that is right, but for what is given."""
    return {"id": f"s{number}", "kind": "tool", "name": name, "arguments": DATES, **fields}


def faults(*steps: dict[str, Any], answer: str | None = None, limits: PlanLimits | None = None) -> list[str]:
    """Of a plan for a caller who may do everything."""
    plan = Plan.model_validate({"steps": steps, "answer": answer})
    return [str(fault) for fault in Validation(limits or PlanLimits(), FakeCapabilities()).faults(plan)]


def test_a_right_plan_has_no_fault() -> None:
    """Tools, tasks, models and approvals, with references between them."""
    assert not faults(
        step(1),
        step(2, "calculate", arguments={"expression": "2 * ${s1.days}"}),
        {"id": "s3", "kind": "approval", "name": "go on?", "after": ["s2"]},
        {"id": "s4", "kind": "task", "name": "sentiment", "arguments": {"inputs": ["fine"]}, "after": ["s3"]},
        {"id": "s5", "kind": "model", "name": "chat", "arguments": {"prompt": "${s4[0].label}"}},
        answer="${s5}",
    )


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([step(arguments={"start": 1, "end": "x"})], "step 's1', arguments.start: 1 is not of type"),
        ([step(arguments={"start": "x"})], "step 's1', arguments: \"end\" is a required property"),
        ([step(arguments={**DATES, "zone": "x"})], "step 's1', arguments: Additional properties are not allowed"),
        ([step(name="gone")], "step 's1', name: no tool 'gone'"),
        ([step(fallback={"kind": "tool", "name": "gone"})], "step 's1', fallback.name: no tool 'gone'"),
        ([step(), step()], "step 's1', id: stands twice"),
        ([{**step(), "id": "plan"}], "step 'plan', id: is kept for the approval of the plan itself"),
        ([step(after=["s9"])], "step 's1', arguments: names ['s9'], and there is no such step"),
        ([step(after=["s2"]), step(2, after=["s1"])], "steps wait for each other"),
        ([step(arguments={**DATES, "end": "${s1!}"})], "is no reference"),
        (
            [step(), step(2, "calculate", arguments={"expression": "${s1.months}"})],
            "step 's2', arguments: ${s1.months}: the result has no 'months'; it has 'days'",
        ),
        ([step(kind="model", name="embed", arguments={"prompt": "x"})], "'embed' is no model that you may use"),
        ([step(kind="task", name="chat", arguments={"inputs": []})], "'chat' is no task that you may use"),
        ([step(kind="model", name="chat")], "step 's1', arguments: got ['end', 'start']; a model takes"),
    ],
)
def test_a_fault_is_told_with_its_step_and_field(steps: list[dict[str, Any]], fault: str) -> None:
    """So that a person, or a model, can put it right."""
    assert fault in "; ".join(faults(*steps))


def test_all_faults_are_told_together() -> None:
    """One after the other would cost a repair each."""
    found = faults(step(name="gone"), step(2, arguments={"start": 1}), answer="${s7}")
    assert len(found) == 4
    assert found[0] == "answer: names ['s7'], and there is no such step"


def test_a_result_may_become_whatever_the_schema_wants() -> None:
    """What is filled in later is checked at the call; what is text already is checked now."""
    order = step(1, "find_order", arguments={"number": "${s2.days}"})
    assert not faults(order, step(2))
    assert "is not of type" in faults(step(1, "find_order", arguments={"number": "no. ${s2.days}"}), step(2))[0]


def test_size_and_cost_are_bounded() -> None:
    """By steps, those that call a model, bytes and references; a request may ask for less, and not for more."""
    chat = {"kind": "model", "name": "chat", "arguments": {"prompt": "x"}}
    assert faults(step(1), step(2), limits=PlanLimits(max_steps=1)) == ["steps: got 2, at most 1 may be run"]
    assert (
        "2 call a model, at most 1" in faults(step(1, **chat), step(2, **chat), limits=PlanLimits(max_model_steps=1))[0]
    )
    large = step(arguments={**DATES, "start": "x" * 2000})
    assert faults(large, limits=PlanLimits(max_bytes=1000)) == ["steps: the plan has more than 1,000 bytes"]
    many = step(2, "calculate", arguments={"expression": "${s1.days}" * (MAX_REFERENCES + 1)})
    assert faults(step(), many) == ["steps: they hold 10,001 references, at most 10,000 are followed"]
    plan = Plan.model_validate({"steps": [step(1), step(2)]})
    assert Validation(PlanLimits(), FakeCapabilities()).faults(plan, max_steps=1)
    assert not Validation(PlanLimits(), FakeCapabilities()).faults(plan, max_steps=5000)


def test_a_missing_grant_is_a_403_before_anything_runs() -> None:
    """Also where it is a fallback's; the message says which."""
    plan = Plan.model_validate({"steps": [step(fallback={"kind": "tool", "name": "calculate"})]})
    with pytest.raises(PermissionDeniedError, match="no grant of the tool 'calculate'"):
        Validation(PlanLimits(), FakeCapabilities(granted=[DAYS])).check(plan)


def test_a_plan_is_not_refused_while_nobody_knows_what_tools_there_are() -> None:
    """As after a restart of all: the plan is asked for again, and is no 422."""

    class Silent(FakeCapabilities):
        def check(self, name: str, arguments: dict[str, Any] | None = None) -> bool:
            raise UnavailableError("the host has not told yet")

    with pytest.raises(UnavailableError):
        Validation(PlanLimits(), Silent()).check(Plan.model_validate({"steps": [step()]}))


def test_argument_patterns_are_asked_for_only_where_the_arguments_are_known() -> None:
    """A reference matches no pattern, and is no reason to refuse: its call is checked with what it became."""
    capabilities = FakeCapabilities()
    steps = [step(1), step(2, "calculate", arguments={"expression": "${s1.days}"})]
    Validation(PlanLimits(), capabilities).check(Plan.model_validate({"steps": steps}))
    assert capabilities.checked == [("days_between", DATES), ("calculate", None)]


@pytest.fixture
def served() -> Iterator[tuple[str, list[str]]]:
    """The address of a schema on loopback, and who asked for it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on standard error."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}/schema", asked
        server.shutdown()
        serving.join()


def test_what_a_schema_refers_to_is_not_fetched(served: tuple[str, list[str]]) -> None:
    """It comes with a tool, from outside, and would have the planner ask any address."""
    address, asked = served
    parameters = {"type": "object", "properties": {"start": {"$ref": address}}}
    capabilities = FakeCapabilities(granted=[DAYS.model_copy(update={"parameters": parameters})])
    with pytest.raises(UnprocessableEntityError, match="the schema of 'days_between' cannot be read"):
        Validation(PlanLimits(), capabilities).check(Plan.model_validate({"steps": [step()]}))
    assert asked == []


def test_steps_that_are_done_may_be_named() -> None:
    """By a plan that replaces another."""
    plan = Plan.model_validate({"steps": [step(4, "calculate", arguments={"expression": "${s1.days}"})]})
    validation = Validation(PlanLimits(), FakeCapabilities())
    assert validation.faults(plan)
    assert not validation.faults(plan, known=["s1"])
