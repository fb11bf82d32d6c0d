"""An instruction's whole way: HTTP, planner, tools, models, the ledger; without Serve, and all else real."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from autoglm.errors import PermissionDeniedError
from deployments.tools.call_log import CallEntry
from serve_app.planner.capabilities import MAX_REFUSALS
from tests.serve_app.house import KEY, House

REVIEWS = "Classify the sentiment of these three reviews and tell me the share of positive ones: "
QUOTED = '"A good film.", "Terrible and long.", "Really good acting."'
PLUS_ONE = {"expression": "${a.value} + 1"}
PLAN = {
    "steps": [
        {"id": "a", "kind": "tool", "name": "calculate", "arguments": {"expression": "6 * 7"}},
        {"id": "ask", "kind": "approval", "name": "go on?", "after": ["a"]},
        {"id": "b", "kind": "tool", "name": "calculate", "arguments": PLUS_ONE, "after": ["ask"]},
    ],
    "answer": "It is ${b.value}.",
}


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setenv("AUTOGLM_HOME", str(tmp_path))
    monkeypatch.setenv("AUTOGLM_API_KEY", KEY)
    async with House(tmp_path) as house:
        yield house


async def ended(house: House, run: str, key: str = KEY) -> dict[str, Any]:
    """The run once it has ended: its events end then."""
    place, headers = f"/v1/tasks/{run}", {"authorization": f"Bearer {key}"}
    await house.client.get(f"{place}/events", headers=headers)
    return (await house.client.get(place, headers=headers)).json()


@pytest.mark.parametrize(
    ("instruction", "answer"),
    [
        ("What is 17 * 23 plus the number of days between 2024-02-01 and 2024-03-15?", r"\b434\b"),
        ("What time is it in Tokyo when it is 9:00 in Berlin on 2026-03-29?", r"\b16:00\b"),
        ("17 乘以 23 等于多少", r"\b391\b"),
        (REVIEWS + QUOTED, r"2/3|66\.?6?|67"),
    ],
)
async def test_an_instruction_becomes_its_answer(house: House, instruction: str, answer: str) -> None:
    """Planned by rules, run by the embedded tools and the cluster's tasks."""
    run = (await house.ask(instruction)).json()
    assert run.get("status") == "succeeded", run
    assert re.search(answer, run["answer"]), run["answer"]


async def test_the_reviews_are_classified_beside_each_other_and_metered_to_their_caller(house: House) -> None:
    """A step for each; every call of a model is the caller's in the usage report, the run itself too."""
    run = (await house.ask(REVIEWS + QUOTED)).json()
    assert sum(step["kind"] == "task" for step in run["steps"]) == 3
    assert run["usage"]["prompt_tokens"] == 12
    await house.ingress._allowances.tick()
    used = {(row.tenant, row.model): row for report in house.control.reports for row in report.spent}
    assert used["default", "sentiment"].prompt_tokens == 12
    assert used["default", "tasks:run"].requests == 1


async def test_what_no_tool_can_do_is_refused_and_not_answered(house: House) -> None:
    """A 4xx that says so; nothing was called."""
    response = await house.ask("Book me a flight to Rome tomorrow.")
    assert response.status_code == 422, response.json()
    assert house.chat.calls == []


async def test_without_a_grant_nothing_runs_and_the_missing_one_is_named(house: House) -> None:
    """The default is to deny; a grant that is told opens the tool at once."""
    _, stranger = house.key("acme", "tasks", "tools:*")
    await house.tell()
    assert (await house.client.get("/v1/tools", headers={"authorization": f"Bearer {stranger}"})).json()["data"] == []
    refused = await house.ask("What is 17 * 23?", key=stranger)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "permission_denied")
    assert "grant" in refused.json()["error"]["message"]
    house.told["grants"] = [{"kind": "tenant", "subject": "acme", "tool": "calculate"}]
    await house.tell()
    assert "391" in (await house.ask("What is 17 * 23?", key=stranger)).json()["answer"]
    await house.planner.tell()
    calls = {(entry.tenant, entry.tool, entry.outcome) for entry in house.control.calls}
    assert calls == {("acme", "calculate", "permission_denied"), ("acme", "calculate", "ok")}


async def test_a_request_narrows_what_its_plan_may_use(house: House) -> None:
    """To the tools that it names, whoever makes the plan."""
    calculate = {"id": "a", "kind": "tool", "name": "calculate", "arguments": {"expression": "6 * 7"}}
    for given in ({}, {"plan": {"steps": [calculate]}}):
        refused = await house.ask("What is 6 * 7?", tools=["days_between"], **given)
        assert refused.status_code == 403, refused.json()
        assert "`tools`" in refused.json()["error"]["message"]


async def test_a_step_needs_the_scope_of_what_it_calls(house: House) -> None:
    """`tasks` alone opens no model and no task: not in a plan of the caller's own, and not at the router itself."""
    view, shown = house.key("acme", "tasks", "tools:*")
    await house.tell()
    ask = {"id": "a", "kind": "model", "name": "chat", "arguments": {"prompt": "hi"}}
    classify = {"id": "a", "kind": "task", "name": "sentiment", "arguments": {"inputs": ["good"]}}
    for step in (ask, classify):
        assert (await house.ask("do it", plan={"steps": [step]}, key=shown)).status_code == 422
    caller = view.principal().model_dump(mode="json")
    with pytest.raises(PermissionDeniedError):
        await house.ingress.chat_as(caller, {"model": "chat", "messages": []}, 1.0, "interactive")
    with pytest.raises(PermissionDeniedError):
        await house.ingress.predict_as(caller, "sentiment", ["good"], 1.0, "interactive")
    assert house.chat.calls == house.sentiment.calls == []


async def test_a_background_run_is_done_and_its_events_are_kept(house: House) -> None:
    """Begun once for a key; it is listed, and told from its plan to its answer."""
    headers = {"idempotency-key": "once"}
    body = {"instruction": "What is 17 * 23?", "background": True}
    begun = [(await house.client.post("/v1/tasks", json=body, headers=headers)).json() for _ in range(2)]
    assert begun[0]["id"] == begun[1]["id"]
    run = await ended(house, begun[0]["id"])
    assert (run["status"], "391" in run["answer"]) == ("succeeded", True)
    events = (await house.client.get(f"/v1/tasks/{run['id']}/events")).text
    assert re.findall("event: (plan|answer)", events) == ["plan", "answer"]
    assert [one["id"] for one in (await house.client.get("/v1/tasks")).json()["data"]] == [run["id"]]
    other = await house.client.post("/v1/tasks", json=body | {"instruction": "What is 2 + 2?"}, headers=headers)
    assert other.status_code == 409


async def test_a_run_waits_for_a_person_and_goes_on_with_what_it_has(house: House) -> None:
    """Somebody listened until it waited; a worker does the rest, once it is approved."""
    response = await house.ask("count", plan=PLAN)
    run = response.json()
    assert (response.status_code, run["status"], run["waiting_for"]) == (202, "waiting", "ask")
    place = f"/v1/tasks/{run['id']}"
    wrong = await house.client.post(f"{place}/approve", json={})
    assert wrong.status_code == 409
    assert (await house.client.post(f"{place}/approve", json={"step": "ask"})).status_code == 200
    assert (await ended(house, run["id"]))["answer"] == "It is 43."


async def test_a_key_that_is_revoked_stops_what_runs_in_its_name(house: House) -> None:
    """A run that waited does nothing more for it."""
    _, shown = house.key("acme", "tasks", "tools:*")
    house.told["grants"] = [{"kind": "tenant", "subject": "acme", "tool": "calculate"}]
    await house.tell()
    run = (await house.ask("count", plan=PLAN, key=shown)).json()
    other, second = house.key("acme", "tasks", "approve")
    house.told["credentials"] = {"epoch": 9, "keys": [other.model_copy(update={"id": "key_2"}).model_dump(mode="json")]}
    await house.tell()
    headers = {"authorization": f"Bearer {second}"}
    place = f"/v1/tasks/{run['id']}"
    assert (await house.client.post(f"{place}/approve", json={"step": "ask"}, headers=headers)).status_code == 200
    told = await ended(house, run["id"], second)
    assert (told["status"], told["error"]["code"]) == ("failed", "permission_denied")


async def test_what_a_plan_may_not_call_is_in_the_audit_as_far_as_an_error_tells_of_it(house: House) -> None:
    """With its arguments; nothing of the plan was run."""
    steps = [
        {"id": f"s{n}", "kind": "tool", "name": "calculate", "arguments": {"expression": f"{n}"}}
        for n in range(MAX_REFUSALS + 1)
    ]
    _, stranger = house.key("acme", "tasks", "tools:*")
    await house.tell()
    assert (await house.ask("count", plan={"steps": steps}, key=stranger)).status_code == 403
    await house.planner.tell()
    told: list[CallEntry] = house.control.calls
    assert [entry.preview for entry in told] == [f'{{"expression": "{n}"}}' for n in range(MAX_REFUSALS)]
    assert {(entry.tenant, entry.outcome) for entry in told} == {("acme", "permission_denied")}
    [run] = {entry.key for entry in told}
    assert run.startswith("run_")


async def test_a_tool_is_called_by_itself(house: House) -> None:
    """With the arguments that its schema has; others are told by field. It is metered, and by no name of its own."""
    body = {"arguments": {"expression": "17 * 23"}}
    assert (await house.client.post("/v1/tools/calculate", json=body)).json()["result"] == {"value": 391}
    wrong = await house.client.post("/v1/tools/calculate", json={"arguments": {"expresion": "1"}})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (422, "unprocessable")
    assert (await house.client.post("/v1/tools/made_up", json={})).status_code == 404
    await house.ingress._allowances.tick()
    spent = [row for report in house.control.reports for row in report.spent]
    assert [(row.model, row.requests) for row in spent] == [("tools:call", 3)]


async def test_chat_answers_what_language_can(house: House) -> None:
    """By the router, in the caller's name, streamed or whole."""
    run = (await house.ask("Write a short poem about the sea.")).json()
    assert (run["planner"], run["status"]) == ("direct", "succeeded"), run
    assert house.chat.calls


async def test_mcp_offers_what_the_caller_may_use(house: House) -> None:
    """The same tools under the same key, at `/mcp`."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    headers = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}
    response = await house.client.post("/mcp", json=call, headers=headers)
    assert response.status_code == 200, response.text
    names = set(re.findall(r'"name":\s*"(\w+)"', response.text))
    assert {"run_task", "chat", "predict_sentiment", "calculate"} <= names
