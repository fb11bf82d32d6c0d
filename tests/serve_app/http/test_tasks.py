"""`/v1/tasks` and `/v1/tools` over scripted runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import httpx
import pytest

from autoglm.contract.error import ErrorDetail
from autoglm.contract.scope import Scope
from autoglm.contract.task_run import RunEvent
from autoglm.errors import PermissionDeniedError, UnprocessableEntityError, UpstreamError
from deployments.access import AccessConfig, Authenticator, KeyView, Snapshot, secret
from deployments.access.authenticator import LOCAL
from deployments.router import Router
from serve_app.http import build_http
from serve_app.http.idempotency import own_key
from serve_app.http.run_events import KEEP_ALIVE, encoded, sent
from tests.serve_app.http.bank import unlimited
from tests.serve_app.http.runs import PLAN, EchoTools, ScriptedRuns, run_of, whole_run

KEY = "ag-of-the-test"
ASK = {"instruction": "What is 17 * 23?"}
SECRETS = {name: secret.new_secret() for name in ("other", "chatter", "runner")}
SCOPES = {"other": ("tasks", "approve"), "chatter": ("chat",), "runner": ("tasks", "tools:*")}


def key_of(name: str) -> KeyView:
    shown = SECRETS[name]
    digest = secret.digest(shown).hex()
    scopes = tuple(map(Scope, SCOPES[name]))
    return KeyView(id=f"key_{name}", prefix=secret.prefix_of(shown), sha256=digest, tenant=name, scopes=scopes)


class Surface:
    """The ASGI application, what it stands on, and a client with the local key."""

    def __init__(self) -> None:
        self.runs, self.tools = ScriptedRuns(), EchoTools()
        authenticator = Authenticator(AccessConfig(), local_key=KEY)
        authenticator.update(Snapshot(epoch=1, keys=tuple(key_of(name) for name in SECRETS)))
        router = Router(connect=lambda deployment, app, balancing: None)
        self.app = build_http(router, authenticator, unlimited(), runs=self.runs, tools=self.tools)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://test",
            headers={"authorization": f"Bearer {KEY}"},
        )


@pytest.fixture
async def surface() -> AsyncIterator[Surface]:
    surface = Surface()
    async with surface.client:
        yield surface


def as_other(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {SECRETS[name]}"}


def events_of(text: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(id, event, data) of each server-sent event."""
    found = []
    for block in filter(None, text.split("\n\n")):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return found


async def test_an_instruction_is_answered_when_its_run_has_ended(surface: Surface) -> None:
    """200 with the whole run; the time is the least of request, header and server."""
    headers = {"x-request-timeout-s": "30"}
    response = await surface.client.post("/v1/tasks", json=ASK | {"timeout_s": 40.0}, headers=headers)
    assert (response.status_code, response.json()["answer"]) == (200, "391")
    assert surface.runs.asked[0].timeout_s == 30


async def test_a_run_that_failed_is_an_answer_and_a_refusal_is_an_error(surface: Surface) -> None:
    """What was begun has an id and steps; where nothing ran there is the documented status."""
    failed = run_of(1, status="failed", error=ErrorDetail(message="step 'a': no", code="upstream_error"))
    surface.runs.script = whole_run(failed)
    response = await surface.client.post("/v1/tasks", json=ASK)
    assert (response.status_code, response.json()["error"]["code"]) == (200, "upstream_error")
    for stream in (False, True):
        surface.runs.script = [PermissionDeniedError("tool 'calculate' needs a grant", param="tool")]
        response = await surface.client.post("/v1/tasks", json=ASK | {"stream": stream})
        assert (response.status_code, response.json()["error"]["code"]) == (403, "permission_denied")


async def test_a_stream_tells_every_event_with_its_number(surface: Surface) -> None:
    """As SSE has it, so that a reader can ask for what comes after."""
    response = await surface.client.post("/v1/tasks", json=ASK | {"stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    [first, last] = events_of(response.text)
    assert (first[0], first[1], first[2]["plan"]["steps"][0]["name"]) == ("1", "plan", "calculate")
    assert (last[0], last[1], last[2]["run"]["answer"]) == ("2", "answer", "391")


async def test_a_stream_that_breaks_ends_with_an_error_event(surface: Surface) -> None:
    """The planner died; the number goes on, and the request is found by its id."""
    surface.runs.script = [RunEvent(seq=1, type="plan", plan=PLAN), UpstreamError("the planner died")]
    response = await surface.client.post("/v1/tasks", json=ASK | {"stream": True})
    last = events_of(response.text)[-1]
    assert (last[0], last[1], last[2]["error"]["code"]) == ("2", "error", "upstream_error")
    assert last[2]["error"]["request_id"] == response.headers["x-request-id"]


async def test_a_run_that_waits_is_accepted_and_a_stream_of_it_goes_on(surface: Surface) -> None:
    """Who asked for an answer comes again; who listens hears the end."""
    waiting = run_of(1, status="waiting", waiting_for="plan")
    surface.runs.script = [RunEvent(seq=1, type="plan", plan=PLAN, run=waiting)]
    surface.runs.later = [RunEvent(seq=2, type="answer", run=run_of(1, answer="391"))]
    response = await surface.client.post("/v1/tasks", json=ASK | {"approve": True})
    assert (response.status_code, response.headers["location"]) == (202, f"/v1/tasks/{waiting.id}")
    assert response.json()["waiting_for"] == "plan"
    response = await surface.client.post("/v1/tasks", json=ASK | {"approve": True, "stream": True})
    assert [event for _, event, _ in events_of(response.text)] == ["plan", "answer"]


async def test_a_background_run_is_accepted_with_its_key(surface: Surface) -> None:
    """The body is the run as it begins; nothing is streamed, also where that was asked for."""
    headers = {"idempotency-key": "once"}
    response = await surface.client.post("/v1/tasks", json=ASK | {"background": True, "stream": True}, headers=headers)
    assert (response.status_code, response.json()["status"]) == (202, "planning")
    assert response.headers["location"] == f"/v1/tasks/{response.json()['id']}"
    assert surface.runs.keys == ["once"]


async def test_a_client_that_hangs_up_ends_its_run(surface: Surface) -> None:
    """The steps that were under way are nobody's any more."""
    surface.runs.script = [RunEvent(seq=1, type="plan", plan=PLAN), asyncio.Event()]
    incoming = [{"type": "http.request", "body": json.dumps(ASK | {"stream": True}).encode()}]
    streaming = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop()
        await streaming.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message.get("body"):
            streaming.set()

    headers = [(b"authorization", f"Bearer {KEY}".encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/v1/tasks", "query_string": b"", "headers": headers}
    await surface.app(scope, receive, send)
    await asyncio.wait_for(surface.runs.closed.wait(), 5)


async def test_another_tenants_run_is_none(surface: Surface) -> None:
    """By every path; not even that it is there is told."""
    run = surface.runs.keep("default", run_of(7, status="waiting", waiting_for="plan"))
    place = f"/v1/tasks/{run.id}"
    calls = [("GET", place), ("GET", f"{place}/events"), ("POST", f"{place}/cancel"), ("POST", f"{place}/approve")]
    for method, path in calls:
        body = {"json": {}} if path.endswith("approve") else {}
        response = await surface.client.request(method, path, headers=as_other("other"), **body)
        assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found"), path
    assert (await surface.client.get("/v1/tasks", headers=as_other("other"))).json()["data"] == []
    assert len((await surface.client.get("/v1/tasks")).json()["data"]) == 1
    assert (await surface.client.get(place)).json()["status"] == "waiting"
    assert surface.runs.decisions == []


async def test_tasks_need_their_scope(surface: Surface) -> None:
    """To run one and to look at one."""
    for method, path in (("POST", "/v1/tasks"), ("GET", "/v1/tasks"), ("GET", f"/v1/tasks/{run_of(1).id}")):
        response = await surface.client.request(method, path, json=ASK, headers=as_other("chatter"))
        assert response.status_code == 403, path
        assert "'tasks'" in response.json()["error"]["message"]
    assert surface.runs.asked == []


async def test_events_are_told_from_the_last_one_seen_on(surface: Surface) -> None:
    """A reader whose connection was cut goes on by `Last-Event-ID`."""
    run = surface.runs.keep("default", run_of(1, answer="391"))
    path = f"/v1/tasks/{run.id}/events"
    assert [seq for seq, _, _ in events_of((await surface.client.get(path)).text)] == ["1", "2"]
    response = await surface.client.get(path, headers={"last-event-id": "1"})
    assert [seq for seq, _, _ in events_of(response.text)] == ["2"]
    wrong = await surface.client.get(path, headers={"last-event-id": "-1"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "invalid_request")


async def test_a_run_is_cancelled_and_approved_by_its_id(surface: Surface) -> None:
    """One that has ended is in no state for it; a malformed id is told so."""
    run = surface.runs.keep("default", run_of(7, status="waiting", waiting_for="s1"))
    response = await surface.client.post(f"/v1/tasks/{run.id}/approve", json={"step": "s1", "approved": False})
    assert response.status_code == 200
    [(named, decision)] = surface.runs.decisions
    assert (named, decision.step, decision.approved) == (run.id, "s1", False)
    assert (await surface.client.post(f"/v1/tasks/{run.id}/cancel")).json()["status"] == "cancelled"
    assert (await surface.client.post(f"/v1/tasks/{run.id}/cancel")).status_code == 409
    assert (await surface.client.post("/v1/tasks/run_1/cancel")).status_code == 400


async def test_who_may_run_may_not_approve_by_that(surface: Surface) -> None:
    """A call that a person is to consent to is not waved through by the key that wants to make it."""
    run = surface.runs.keep("runner", run_of(7, status="waiting", waiting_for="s1"))
    response = await surface.client.post(f"/v1/tasks/{run.id}/approve", json={"step": "s1"}, headers=as_other("runner"))
    assert (response.status_code, "'approve'" in response.json()["error"]["message"]) == (403, True)
    assert surface.runs.decisions == []


async def test_a_wrong_request_is_told_by_field(surface: Surface) -> None:
    """Of the body, of a plan in it, and of the query."""
    for body, param in (
        ({"instruction": ""}, "instruction"),
        (ASK | {"plan": {"steps": []}}, "plan.steps"),
        (ASK | {"aprove": True}, "aprove"),
    ):
        response = await surface.client.post("/v1/tasks", json=body)
        assert (response.status_code, response.json()["error"]["param"]) == (400, param)
    response = await surface.client.get("/v1/tasks", params={"limits": 3})
    assert (response.status_code, response.json()["error"]["param"]) == (400, "limits")
    assert surface.runs.asked == []


async def test_a_silent_run_keeps_its_connection() -> None:
    """A comment goes out now and then, which no reader takes for an event."""
    go_on = asyncio.Event()

    async def events() -> AsyncIterator[RunEvent]:
        await go_on.wait()
        yield RunEvent(seq=1, type="plan")

    stream = sent(events(), "request", pause_s=0.001)  # type: ignore[arg-type]
    assert await anext(stream) == KEEP_ALIVE
    go_on.set()
    told = [event async for event in stream if event != KEEP_ALIVE]
    assert told == [encoded(RunEvent(seq=1, type="plan"))]


async def test_tools_are_listed_and_called_once_for_a_key(surface: Surface) -> None:
    """The same key of another caller is another call."""
    assert [card["name"] for card in (await surface.client.get("/v1/tools")).json()["data"]] == ["echo"]
    once = {"idempotency-key": "once", "x-request-timeout-s": "7"}
    for number, headers in ((1, once), (2, once), (3, once | as_other("other")), (4, {})):
        body = {"arguments": {"n": number}}
        response = await surface.client.post("/v1/tools/echo", json=body, headers=headers)
        assert (response.status_code, response.json()["tool"]) == (200, "echo")
    assert sorted(answer["n"] for answer in surface.tools.answers.values()) == [1, 3, 4]
    assert surface.tools.timeouts[0] == 7


async def test_whatever_json_a_tool_gives_is_told(surface: Surface) -> None:
    """Numbers above 64 bits, and half a surrogate pair, which has no UTF-8."""
    found = {"big": 2**100, "half": "\ud800"}
    surface.tools.answers[own_key(LOCAL, "k")] = found
    response = await surface.client.post("/v1/tools/echo", json={}, headers={"idempotency-key": "k"})
    assert json.loads(response.content)["result"] == found
    run = surface.runs.keep("default", run_of(1, steps=[{"id": "a", "kind": "tool", "name": "echo", "result": found}]))
    told = (await surface.client.get(f"/v1/tasks/{run.id}")).content
    assert json.loads(told)["steps"][0]["result"] == found


async def test_a_tool_that_may_not_be_called_says_what_is_missing(surface: Surface) -> None:
    """As the toolbox has it; a key that is none is the caller's fault."""
    response = await surface.client.post("/v1/tools/rm", json={})
    assert (response.status_code, response.json()["error"]["param"]) == (403, "tool")
    response = await surface.client.post("/v1/tools/echo", json={}, headers={"idempotency-key": "a b"})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_request")


async def test_a_plan_that_is_no_use_is_unprocessable(surface: Surface) -> None:
    """The planner's own refusal keeps its status."""
    surface.runs.script = [UnprocessableEntityError("step 'a', name: no such tool", param="plan.a.name")]
    response = await surface.client.post("/v1/tasks", json=ASK)
    assert (response.status_code, response.json()["error"]["param"]) == (422, "plan.a.name")
