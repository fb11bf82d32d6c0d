"""The MCP server, spoken to by the protocol's own client over loopback; what stands behind it is a fake surface."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ToolsListChanged
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from autoglm.contract import (
    ChatRequest,
    ModelCard,
    PredictRequest,
    Scope,
    TaskRequest,
    TaskRun,
    ToolCard,
)
from autoglm.errors import PermissionDeniedError
from deployments.access import AccessConfig, Authenticator, KeyView, Principal, Snapshot
from deployments.access.secret import digest, new_secret, prefix_of
from serve_app.http.middleware import Authentication, RequestId
from serve_app.mcp import PATH, McpEndpoint
from serve_app.mcp.answer import MAX_RESULT_BYTES
from serve_app.mcp.endpoint import KEY, PAGE
from tests.deployments.tools.loopback import served

LOCAL, LIMITED, NARROW = "ag-of-the-test", new_secret(), new_secret()
NUMBER = {"type": "object", "properties": {"value": {"type": "number"}}, "required": ["value"]}
CARDS = [
    ToolCard(
        name="calculate",
        description="Arithmetic.",
        parameters={"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]},
        returns=NUMBER,
        idempotent=True,
    ),
    ToolCard(name="chat", description="A tool that bears a name of the cluster's.", parameters={}),
]
MODELS = [
    ModelCard(id="chat", task="text-generation"),
    ModelCard(id="sentiment", task="text-classification", labels=("positive", "negative")),
    ModelCard(id="iris", task="tabular-classification"),
    ModelCard(id="embed", task="embedding"),
]
RUN = {"id": f"run_{'0' * 32}", "instruction": "x", "created": "2026-03-01T00:00:00Z"}


class Cluster:
    """What the surfaces of all callers show, and what was asked of them."""

    def __init__(self) -> None:
        self.cards = list(CARDS)
        self.result: Any = {"value": 391}
        self.run: Mapping[str, Any] = {"status": "succeeded", "answer": "391"}
        self.asked: list[Any] = []
        self.begun = asyncio.Event()
        self.cancelled = asyncio.Event()

    def surface(self, request: Request) -> Surface:
        return Surface(self, request.scope["state"]["principal"])


class Surface:
    """One caller's view."""

    def __init__(self, cluster: Cluster, caller: Principal) -> None:
        self._cluster = cluster
        self._caller = caller

    def tools(self) -> Sequence[ToolCard]:
        return [card for card in self._cluster.cards if self.allows(Scope(f"tools:{card.name}"))]

    def models(self) -> Sequence[ModelCard]:
        return MODELS

    def allows(self, scope: Scope) -> bool:
        return self._caller.kind == "local" or self._caller.allows(scope)

    async def call_tool(self, name: str, arguments: dict[str, Any], *, key: str | None) -> Any:
        self._cluster.asked.append((name, arguments, key))
        if isinstance(self._cluster.result, asyncio.Event):
            await self._stand_still()
        if isinstance(self._cluster.result, Exception):
            raise self._cluster.result
        return self._cluster.result

    async def predict(self, request: PredictRequest) -> Mapping[str, Any]:
        self._cluster.asked.append(request)
        return {"task": request.task, "predictions": [{"label": "positive", "score": 0.9}]}

    async def chat(self, request: ChatRequest) -> Mapping[str, Any]:
        self._cluster.asked.append(request)
        return {"model": request.model, "choices": [{"message": {"content": "Paris."}}]}

    async def run(self, request: TaskRequest) -> TaskRun:
        self._cluster.asked.append(request)
        return TaskRun.model_validate({**RUN, **self._cluster.run})

    async def _stand_still(self) -> None:
        self._cluster.begun.set()
        try:
            await self._cluster.result.wait()
        finally:
            self._cluster.cancelled.set()


class Server:
    """A running endpoint behind the cluster's own authentication."""

    def __init__(self, cluster: Cluster, endpoint: McpEndpoint, url: str) -> None:
        self.cluster = cluster
        self.endpoint = endpoint
        self.url = url

    @asynccontextmanager
    async def client(self, secret: str = LOCAL, mode: Any = "auto") -> AsyncIterator[Client]:
        headers = {"authorization": f"Bearer {secret}"}
        async with (
            create_mcp_http_client(headers) as http,
            Client(streamable_http_client(self.url, http_client=http), mode=mode) as client,
        ):
            yield client

    async def post(self, **headers: str) -> httpx.Response:
        """A bare request, which is no message of the protocol."""
        sent = {"authorization": f"Bearer {LOCAL}", "accept": "application/json, text/event-stream", **headers}
        async with httpx.AsyncClient() as client:
            return await client.post(self.url, json={}, headers=sent)


def key(secret: str, *scopes: Scope) -> KeyView:
    return KeyView(
        id=prefix_of(secret), prefix=prefix_of(secret), sha256=digest(secret).hex(), tenant="acme", scopes=scopes
    )


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[Server]:
    cluster = Cluster()
    endpoint = McpEndpoint(cluster.surface, **settings)
    app = Starlette(routes=[Route(PATH, endpoint)], lifespan=lambda _: endpoint.running())
    authenticator = Authenticator(AccessConfig(), local_key=LOCAL)
    limited = key(LIMITED, Scope("predict"), Scope("tools:calculate"))
    authenticator.update(Snapshot(keys=(limited, key(NARROW, Scope("tools:calculate")))))
    async with served(RequestId(Authentication(app, authenticator, proxies=0))) as port:
        yield Server(cluster, endpoint, f"http://127.0.0.1:{port}{PATH}")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running() as server:
        yield server


async def test_each_caller_is_listed_what_it_may_use(server: Server) -> None:
    """By its key: scopes, models and tools; a tool that is called as one of the cluster's own is told apart."""
    async with server.client() as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == [
            "run_task",
            "chat",
            "predict_sentiment",
            "predict_iris",
            "calculate",
            "tool_chat",
        ]
    async with server.client(LIMITED) as client:
        found = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert list(found) == ["predict_sentiment", "predict_iris", "calculate"]
    async with server.client(NARROW) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["calculate"]
    assert found["calculate"].input_schema["required"] == ["expression"]
    assert found["calculate"].output_schema == NUMBER
    assert found["predict_iris"].input_schema["properties"]["inputs"]["items"]["type"] == "array"
    assert "positive, negative" in (found["predict_sentiment"].description or "")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_tool_is_called_by_clients_of_either_age(server: Server, mode: str) -> None:
    """With and without the handshake that the protocol had until 2025; the result is text and JSON."""
    async with server.client(LIMITED, mode) as client:
        answer = await client.call_tool("calculate", {"expression": "17 * 23"}, meta={KEY: "once"})
    assert (answer.is_error, answer.structured_content) == (False, {"value": 391})
    assert answer.content[0].text == '{"value":391}'
    assert server.cluster.asked == [("calculate", {"expression": "17 * 23"}, "once")]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_whatever_json_a_tool_gives_is_answered(server: Server, mode: str) -> None:
    """Whole numbers beyond 64 bits as they are; half of a surrogate pair, which has no UTF-8, as a question mark."""
    server.cluster.result = {"value": 10**30, "text": "½ \ud83d"}
    async with server.client(mode=mode) as client:
        answer = await client.call_tool("calculate", {"expression": "10 ** 30"})
    assert answer.structured_content == {"value": 10**30, "text": "½ ?"}
    assert answer.content[0].text == '{"value":1000000000000000000000000000000,"text":"½ ?"}'


async def test_the_clusters_own_tools_do_their_work(server: Server) -> None:
    """A chat, a prediction and an instruction, each as the HTTP path would be asked."""
    async with server.client() as client:
        chat = await client.call_tool("chat", {"prompt": "Capital of France?", "system": "Be brief."})
        found = await client.call_tool("predict_sentiment", {"inputs": ["a wonderful film"]})
        run = await client.call_tool("run_task", {"instruction": "17 * 23?", "tools": ["calculate"]})
    assert (chat.content[0].text, chat.structured_content["model"]) == ("Paris.", "chat")
    assert found.structured_content["predictions"][0]["label"] == "positive"
    assert (run.content[0].text, run.structured_content["status"]) == ("391", "succeeded")
    asked_chat, asked_predict, asked_run = server.cluster.asked
    assert [message.content for message in asked_chat.messages] == ["Be brief.", "Capital of France?"]
    assert (asked_predict.task, asked_predict.inputs) == ("sentiment", ["a wonderful film"])
    assert (asked_run.instruction, asked_run.tools) == ("17 * 23?", ("calculate",))


@pytest.mark.parametrize(
    ("name", "arguments", "message", "code"),
    [
        ("mail", {}, "got 'mail', which is no tool of yours", "not_found"),
        ("run_task", {"instruction": 7}, "instruction: Input should be a valid string; got 7", "invalid_request"),
        ("predict_iris", {}, "inputs: this field is required", "invalid_request"),
    ],
)
async def test_a_wrong_call_is_an_error_that_names_the_field(
    server: Server, name: str, arguments: dict[str, Any], message: str, code: str
) -> None:
    """A tool's error and no fault of the protocol, so that the client's model can read it and do better."""
    async with server.client() as client:
        answer = await client.call_tool(name, arguments)
    assert answer.is_error
    assert message in answer.content[0].text
    assert answer.structured_content["error"]["code"] == code


async def test_what_the_caller_may_not_use_is_none_for_it(server: Server) -> None:
    """Whether it exists or not; nothing reaches the cluster."""
    async with server.client(LIMITED) as client:
        answer = await client.call_tool("run_task", {"instruction": "x"})
    assert answer.structured_content["error"]["code"] == "not_found"
    assert server.cluster.asked == []


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (PermissionDeniedError("tool 'calculate' needs a grant"), "tool 'calculate' needs a grant"),
        (RuntimeError("a secret of the inside"), "an internal error; the server's log has it"),
        ("x" * MAX_RESULT_BYTES, "more than the 1,048,576 that are sent"),
    ],
)
async def test_a_failure_is_told_as_the_http_surface_tells_it(server: Server, result: Any, message: str) -> None:
    """Documented errors in their words, faults without details, and nothing that is too large."""
    server.cluster.result = result
    async with server.client() as client:
        answer = await client.call_tool("calculate", {"expression": "1"})
    assert answer.is_error
    assert message in answer.content[0].text


@pytest.mark.parametrize(
    ("run", "is_error", "text"),
    [
        (
            {"status": "failed", "error": {"message": "no tool can do this", "code": "unprocessable"}},
            True,
            "no tool can",
        ),
        ({"status": "waiting", "waiting_for": "mail"}, False, "waits for the approval of mail"),
        ({"status": "cancelled"}, True, "was cancelled"),
    ],
)
async def test_a_run_that_gave_no_answer_says_why(server: Server, run: Any, is_error: bool, text: str) -> None:
    """It failed, was ended, or waits for a person."""
    server.cluster.run = run
    async with server.client() as client:
        answer = await client.call_tool("run_task", {"instruction": "x"})
    assert answer.is_error is is_error
    assert text in answer.content[0].text


async def test_a_long_listing_comes_in_pages(server: Server) -> None:
    """Each tool once; a cursor of no listing is refused."""
    server.cluster.cards = [ToolCard(name=f"t{number}", parameters={}) for number in range(2 * PAGE)]
    async with server.client() as client:
        names, cursor, pages = [], None, 0
        while cursor is not None or not pages:
            page = await client.list_tools(cursor=cursor)
            names, cursor, pages = names + [tool.name for tool in page.tools], page.next_cursor, pages + 1
        assert (len(names), len(set(names)), pages) == (2 * PAGE + 4, 2 * PAGE + 4, 3)
        with pytest.raises(MCPError, match="cursor"):
            await client.list_tools(cursor="x")


async def test_a_change_is_told_to_who_listens(server: Server) -> None:
    """So that a tool that was loaded while the cluster runs is found without a new connection."""
    async with server.client() as client, client.listen(tools_list_changed=True) as changes:
        await server.endpoint.tools_changed()
        assert isinstance(await anext(changes), ToolsListChanged)


async def test_a_client_that_goes_ends_its_call(server: Server) -> None:
    """What nobody waits for any more is not gone on with."""
    server.cluster.result = asyncio.Event()
    async with server.client() as client:
        calling = asyncio.create_task(client.call_tool("calculate", {"expression": "1"}))
        await server.cluster.begun.wait()
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        async with asyncio.timeout(30):
            await server.cluster.cancelled.wait()


async def test_nobody_is_answered_without_a_credential(server: Server) -> None:
    """With the body and the challenge of every other path."""
    answer = await server.post(authorization="Bearer wrong")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthenticated"
    assert answer.headers["www-authenticate"]


async def test_a_session_is_neither_opened_nor_ended(server: Server) -> None:
    """A GET would hold a connection for nothing: any replica answers any request."""
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {LOCAL}"}) as client:
        for method in ("GET", "DELETE"):
            answer = await client.request(method, server.url)
            assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_large_request_is_refused() -> None:
    """Before anything of it is read as JSON."""
    async with running(max_body_bytes=100) as server, httpx.AsyncClient() as client:
        headers = {"authorization": f"Bearer {LOCAL}"}
        assert (await client.post(server.url, json={"x": "y" * 100}, headers=headers)).status_code == 413


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"host": "glm.example.org"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"host": "localhost:8000", "origin": "http://localhost:3000"}, None),
    ],
)
async def test_on_the_loopback_alone_other_names_are_refused(headers: dict[str, str], refused: int | None) -> None:
    """A page that had its name resolve to this machine bears its own name still; behind a proxy any name is good."""
    async with running(loopback_only=True) as server:
        status = (await server.post(**headers)).status_code
        assert status == refused or (refused is None and status == 400)  # the bare request is no message
    async with running() as server:
        assert (await server.post(**headers)).status_code == 400
