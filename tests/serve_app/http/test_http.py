"""The HTTP surface over a real router with fake replicas."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import httpx
import pytest

from autoglm.contract import Prediction
from autoglm.errors import BadRequestError, UnavailableError
from deployments.access import AccessConfig, Authenticator
from deployments.router import Router
from serve_app.http import build_http
from tests.fake_replica import FakeReplica
from tests.serve_app.http.bank import unlimited

KEY = "ag-of-the-test"
LIMIT = 4096  # bytes of a body
ANSWER = {"id": "chat-1", "object": "chat.completion", "choices": [{"message": {"content": "Paris."}}]}
CHAT: dict[str, Any] = {"model": "chat", "messages": [{"role": "user", "content": "Capital of France?"}]}
HELLO = [{"role": "user", "content": "hello there"}]
PREDICT: dict[str, Any] = {"task": "sentiment", "inputs": ["a wonderful film"]}


def route(name: str, task: str, deployment: str) -> dict[str, str]:
    return {"name": name, "task": task, "model": "m", "version": "v1", "app": name, "deployment": deployment}


class Ready:
    """A controller's view that the test sets."""

    def __init__(self) -> None:
        self.lacking: tuple[str, ...] = ()

    async def missing(self, routes: Any) -> tuple[str, ...]:
        return self.lacking


class Surface:
    """The ASGI application, its replicas, and a client with the right key."""

    def __init__(self) -> None:
        self.chat = FakeReplica(answer=ANSWER, events=[b"data: {}\n\n", b"data: [DONE]\n\n"])
        self.sentiment = FakeReplica(predict=self._classify)
        self.ready = Ready()
        self.router = Router(connect=self._connect, readiness=self.ready)  # type: ignore[arg-type]
        self.app = build_http(
            self.router, Authenticator(AccessConfig(), local_key=KEY), unlimited(), max_body_bytes=LIMIT
        )
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(
            transport=transport, base_url="http://test", headers={"authorization": f"Bearer {KEY}"}
        )

    def _connect(self, deployment: str, app: str, balancing: Any) -> FakeReplica:
        return {"chat": self.chat, "sentiment": self.sentiment}[app]

    def _classify(self, inputs: list[Any]) -> dict[str, Any]:
        return {"outputs": [Prediction(label="positive", score=0.9) for _ in inputs], "tokens": 4}

    async def post(self, path: str, **request: Any) -> httpx.Response:
        return await self.client.post(path, **request)


@pytest.fixture
async def surface() -> AsyncIterator[Surface]:
    surface = Surface()
    await surface.router.reconfigure(
        {
            "routes": [
                route("chat", "text-generation", "llm"),
                route("sentiment", "text-classification", "predictor"),
            ],
            "limits": {"max_text_chars": 1000},
        }
    )
    async with surface.client:
        yield surface


def fault_of(response: httpx.Response) -> dict[str, Any]:
    fault: dict[str, Any] = response.json()["error"]
    assert fault["request_id"] == response.headers["x-request-id"]
    return fault


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "no key was sent"),
        ({"authorization": "Digest YTpi"}, "this scheme is not known"),
        ({"authorization": "Basic YTpi"}, "user or password is not right"),
        ({"authorization": "Bearer wrong"}, "the key is not valid"),
        ({"authorization": "Bearer"}, "no key was sent"),
    ],
)
async def test_without_the_key_nothing_is_told(surface: Surface, headers: dict[str, str], message: str) -> None:
    """Every path but the health checks, those that do not exist included; the key sent is not repeated."""
    surface.client.headers.pop("authorization")
    for path in ("/v1/models", "/openapi.json", "/nowhere"):
        response = await surface.client.get(path, headers=headers)
        fault = fault_of(response)
        assert (response.status_code, fault["code"], fault["param"]) == (401, "unauthenticated", "authorization")
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert message in fault["message"]
        assert "wrong" not in fault["message"]


async def test_health_and_readiness_are_open_and_readiness_names_what_is_missing(surface: Surface) -> None:
    """A load balancer has no key."""
    surface.client.headers.pop("authorization")
    assert (await surface.client.get("/health")).json()["status"] == "ok"
    assert (await surface.client.get("/ready")).status_code == 200
    surface.ready.lacking = ("chat",)
    response = await surface.client.get("/ready")
    assert (response.status_code, response.json()["missing"]) == (503, ["chat"])


async def test_health_and_readiness_answer_head(surface: Surface) -> None:
    """As many a load balancer asks; the server leaves the body out."""
    surface.ready.lacking = ("chat",)
    assert [(await surface.client.head(path)).status_code for path in ("/health", "/ready")] == [200, 503]


async def test_an_answer_says_who_gave_it(surface: Surface) -> None:
    """Model, version, lane and cache in headers, an id on every response."""
    response = await surface.post("/v1/predict", json=PREDICT)
    assert response.json()["predictions"] == [{"label": "positive", "score": 0.9, "scores": {}}]
    told = {name: response.headers[f"x-autoglm-{name}"] for name in ("model", "version", "lane", "cache")}
    assert told == {"model": "sentiment", "version": "v1", "lane": "stable", "cache": "miss"}
    assert response.headers["x-request-id"]


async def test_auto_goes_where_the_text_belongs_and_route_says_why(surface: Surface) -> None:
    """By the examples of the file; the caller sees who answered, or asks beforehand."""
    routing = {"routes": [{"name": "small-talk", "examples": ["hi", "hello there", "how are you?"], "model": "chat"}]}
    served = [route("chat", "text-generation", "llm"), route("sentiment", "text-classification", "predictor")]
    await surface.router.reconfigure({"routes": served, "routing": routing})
    response = await surface.post("/v1/chat/completions", json=CHAT | {"model": "auto", "messages": HELLO})
    assert response.headers["x-autoglm-model"] == "chat"
    assert surface.chat.calls[0][1]["model"] == "chat"
    told = (await surface.post("/v1/route", json={"input": "hello there"})).json()
    assert (told["route"], told["model"], told["nearest"]["text"]) == ("small-talk", "chat", "hello there")
    refused = await surface.post("/v1/predict", json=PREDICT | {"task": "auto"})
    assert (refused.status_code, fault_of(refused)["param"]) == (422, "task")


async def test_the_same_question_again_is_answered_from_the_cache(surface: Surface) -> None:
    """The header says so and how old the answer is; a caller may have none of it."""
    answers = [await surface.post("/v1/predict", json=PREDICT) for _ in range(2)]
    assert [answer.headers["x-autoglm-cache"] for answer in answers] == ["miss", "hit"]
    assert answers[0].content == answers[1].content
    assert "age" not in answers[0].headers
    assert answers[1].headers["age"] == "0"
    anew = await surface.post("/v1/predict", json=PREDICT, headers={"cache-control": "no-store"})
    assert anew.headers["x-autoglm-cache"] == "bypass"
    assert len(surface.sentiment.calls) == 2


async def test_a_deadline_that_passes_is_a_504_and_frees_the_engine(surface: Surface) -> None:
    """The caller's own time counts, not the server's patience."""
    surface.chat = FakeReplica(events=[asyncio.Event()])
    await surface.router.reconfigure({"routes": [route("chat", "text-generation", "llm") | {"version": "v2"}]})
    headers = {"x-request-timeout-s": "0.01"}
    response = await surface.post("/v1/chat/completions", json=CHAT | {"stream": True}, headers=headers)
    assert (response.status_code, fault_of(response)["code"]) == (504, "deadline_exceeded")
    assert surface.chat.streams[0].cancelled


async def test_requests_have_ids_of_their_own(surface: Surface) -> None:
    """An error is found in the log by its id."""
    ids = {(await surface.client.get("/health")).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


async def test_the_id_that_serve_gave_is_the_errors_id(surface: Surface) -> None:
    """Serve returns it in the response's header itself."""
    response = await surface.client.get("/nowhere", headers={"x-request-id": "from-serve"})
    assert response.json()["error"]["request_id"] == "from-serve"


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "param", "message"),
    [
        ("/v1/predict", {**PREDICT, "task": "sentimant"}, 404, "not_found", "task", "did you mean 'sentiment'?"),
        ("/v1/predict", {**PREDICT, "task": "chat"}, 400, "invalid_request", "task", "does text-generation"),
        ("/v1/chat/completions", {**CHAT, "model": "gpt"}, 404, "not_found", "model", "known: chat"),
        ("/v1/predict", {**PREDICT, "inputs": []}, 400, "invalid_request", "inputs", "at least 1 item"),
        ("/v1/predict", {**PREDICT, "inputs": ["x" * 1001]}, 422, "unprocessable", "inputs[0]", "1,001 characters"),
        ("/v1/predict", {"task": "sentiment"}, 400, "invalid_request", "inputs", "this field is required"),
        ("/v1/predict", {**PREDICT, "input": 1}, 400, "invalid_request", "input", "did you mean 'inputs'?"),
        ("/v1/predict", {"task": "sentiment", "input": ["x"]}, 400, "invalid_request", "input", "unknown field"),
        (
            "/v1/chat/completions",
            {**CHAT, "temperature": "hot"},
            400,
            "invalid_request",
            "temperature",
            "temperature: Input should be a valid number; got 'hot'",
        ),
        (
            "/v1/chat/completions",
            {**CHAT, "messages": [{"role": "user", "content": 7}]},
            400,
            "invalid_request",
            "messages[0].content",
            "got 7",
        ),
        ("/v1/chat/completions", {**CHAT, "messages": [{"role": "robot"}]}, 400, "invalid_request", None, "'robot'"),
    ],
)
async def test_a_wrong_body_is_told_by_field(
    surface: Surface, path: str, body: Any, status: int, code: str, param: str | None, message: str
) -> None:
    """The documented status and code, the field, what it got and what would do; no replica is called."""
    response = await surface.post(path, json=body)
    fault = fault_of(response)
    assert (response.status_code, fault["code"], fault["retryable"]) == (status, code, False)
    assert fault["param"] == (param or "messages[0].role")
    assert message in fault["message"]
    assert surface.chat.calls == surface.sentiment.calls == []


@pytest.mark.parametrize(
    ("content", "content_type", "status", "param", "message"),
    [
        (b"{", "application/json", 400, "body", "not valid JSON"),
        (b"\xff", "application/json", 400, "body", "not valid JSON"),
        (b'"' + rb"\ud800" + b'"', "application/json", 400, "body", "not valid JSON"),
        (b"[" * 1000 + b"]" * 1000, "application/json", 400, "body", "not valid JSON"),
        (b"[]", "application/json", 400, "body", "got []"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "content-type", "send application/json"),
        (b"{}", "", 415, "content-type", "got none"),
        (b" " * (LIMIT + 1), "application/json", 413, "body", "more than 4,096 bytes"),
        (b" " * (LIMIT * 100), "application/json", 413, "body", "more than 4,096 bytes"),
    ],
)
async def test_a_body_that_is_none_is_told_so(
    surface: Surface, content: bytes, content_type: str, status: int, param: str, message: str
) -> None:
    """Not JSON, another type, or too large; and the server still answers the next."""
    response = await surface.post("/v1/predict", content=content, headers={"content-type": content_type})
    fault = fault_of(response)
    assert (response.status_code, fault["param"]) == (status, param)
    assert message in fault["message"]
    assert (await surface.post("/v1/predict", json=PREDICT)).status_code == 200


async def test_a_large_body_is_refused_although_its_length_was_not_sent(surface: Surface) -> None:
    """What counts is what comes, not what the headers say."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * 1024

    response = await surface.post("/v1/predict", content=chunks(), headers={"content-type": "application/json"})
    assert response.status_code == 413


async def test_the_content_type_may_have_parameters(surface: Surface) -> None:
    """`application/json; charset=utf-8` is what many clients send."""
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert (await surface.post("/v1/predict", content=json.dumps(PREDICT), headers=headers)).status_code == 200


async def test_a_wrong_path_and_a_wrong_method_are_told_apart(surface: Surface) -> None:
    """In the documented body; a 405 says in `allow` what would do."""
    missing = await surface.client.get("/v2/models")
    assert (missing.status_code, fault_of(missing)["code"]) == (404, "not_found")
    assert "/v2/models" in fault_of(missing)["message"]
    method = await surface.client.get("/v1/predict")
    assert (method.status_code, method.headers["allow"]) == (405, "POST")
    assert fault_of(method)["code"] == "invalid_request"


async def test_an_unavailable_target_says_when_to_come_back(surface: Surface) -> None:
    """`retry-after` is in whole seconds, rounded up, as HTTP has it."""
    surface.sentiment._predict = UnavailableError("full", retry_after=1.2)
    response = await surface.post("/v1/predict", json=PREDICT)
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert fault_of(response)["retryable"] is True


async def test_a_fault_of_the_server_is_logged_and_not_told(
    surface: Surface, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller gets an id; the log has the traceback under it."""
    monkeypatch.setattr(logging.getLogger("ray.serve"), "propagate", True)
    surface.chat._answer = KeyError("secret")
    response = await surface.post("/v1/chat/completions", json=CHAT)
    fault = fault_of(response)
    assert (response.status_code, fault["code"], fault["retryable"]) == (500, "internal", True)
    assert "secret" not in response.text
    assert fault["request_id"] in caplog.text
    assert "KeyError: 'secret'" in caplog.text


async def test_a_whole_generation_is_the_engines_answer(surface: Surface) -> None:
    """OpenAI's body, untouched."""
    response = await surface.post("/v1/chat/completions", json=CHAT)
    assert response.json() == ANSWER
    completion = await surface.post("/v1/completions", json={"model": "chat", "prompt": "Paris is"})
    assert completion.headers["x-autoglm-model"] == "chat"
    assert [method for method, _ in surface.chat.calls] == ["chat", "completions"]


async def test_a_stream_passes_the_engines_events_on(surface: Surface) -> None:
    """As server-sent events that nothing on the way may keep."""
    response = await surface.post("/v1/chat/completions", json={**CHAT, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert (response.headers["cache-control"], response.headers["x-autoglm-model"]) == ("no-cache", "chat")
    assert response.content == b"data: {}\n\ndata: [DONE]\n\n"


async def test_a_stream_that_cannot_start_has_a_status_of_its_own(surface: Surface) -> None:
    """What the engine refuses is a 400 with its field, not a 200 that ends at once."""
    surface.chat._events = [BadRequestError("max_tokens is too large", param="max_tokens")]
    response = await surface.post("/v1/chat/completions", json={**CHAT, "stream": True})
    assert (response.status_code, fault_of(response)["param"]) == (400, "max_tokens")


async def test_a_stream_that_breaks_ends_with_an_error_event(surface: Surface) -> None:
    """A client must not take a cut answer for a whole one, so no `[DONE]` follows."""
    surface.chat._events = [b"data: {}\n\n", ConnectionResetError()]
    response = await surface.post("/v1/chat/completions", json={**CHAT, "stream": True})
    first, last, rest = response.text.split("\n\n")
    assert (response.status_code, first, rest) == (200, "data: {}", "")
    fault = json.loads(last.removeprefix("data: "))["error"]
    assert (fault["code"], fault["request_id"]) == ("upstream_error", response.headers["x-request-id"])


async def test_a_client_that_hangs_up_stops_the_generation(surface: Surface) -> None:
    """While the engine still works on the next token: its time belongs to those who listen."""
    surface.chat._events = [b"data: {}\n\n", asyncio.Event()]
    body = json.dumps({**CHAT, "stream": True}).encode()
    incoming = [{"type": "http.request", "body": body}]
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
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/chat/completions",
        "query_string": b"",
        "headers": headers,
    }
    await surface.app(scope, receive, send)
    assert surface.chat.streams[0].cancelled


async def test_a_models_card_is_at_its_own_path(surface: Surface) -> None:
    """As OpenAI's `models.retrieve` asks for it."""
    assert (await surface.client.get("/v1/models/chat")).json()["task"] == "text-generation"
    response = await surface.client.get("/v1/models/chad")
    assert (response.status_code, fault_of(response)["param"]) == (404, "model")
    assert "did you mean 'chat'?" in fault_of(response)["message"]


async def test_every_path_is_in_the_schema_with_its_body(surface: Surface) -> None:
    """/openapi.json documents what is served, although bodies are parsed by hand."""
    document = (await surface.client.get("/openapi.json")).json()
    paths = document["paths"]
    assert set(paths) == {
        "/health",
        "/ready",
        "/v1/models",
        "/v1/models/{name}",
        "/v1/predict",
        "/v1/embeddings",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/route",
    }
    schema = paths["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/PredictRequest"}
    assert set(document["components"]["schemas"]["PredictRequest"]["properties"]) == {"task", "inputs"}
