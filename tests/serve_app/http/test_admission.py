"""Who may use what, how much, and what is counted: the HTTP surface with credentials and quotas."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from autoglm.contract import Prediction
from autoglm.contract.scope import Scope
from deployments.access import AccessConfig, Authenticator, KeyView, Snapshot, UserView, secret
from deployments.access.password import PasswordConfig, hash_password
from deployments.quota import Allowances, Meter, QuotaView, Spent, Subject
from deployments.router import Router
from serve_app.http import Admission, build_http
from tests.deployments.quota.fake_bank import FakeBank, FakeClock
from tests.fake_replica import FakeReplica

LOCAL = "ag-of-the-test"
SECRET = secret.new_secret()
USAGE = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
ANSWER = {"id": "chat-1", "choices": [{"message": {"content": "Paris."}}], "usage": USAGE}
EVENTS = [
    b'data: {"choices":[{"delta":{"content":"Par"}}]}\n\n',
    b'data: {"choices":[{"delta":{"content":"is."}}]}\n\n',
    b'data: {"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17}}\n\n',
    b"data: [DONE]\n\n",
]
CHAT: dict[str, Any] = {"model": "chat", "messages": [{"role": "user", "content": "Capital of France?"}]}
PREDICT: dict[str, Any] = {"task": "sentiment", "inputs": ["a wonderful film"]}
ROUTES = [
    {"name": name, "task": task, "model": "m", "version": "v1", "app": name, "deployment": deployment}
    | {"price": {"prompt": "1", "completion": "2"}, "max_model_len": 100}
    for name, task, deployment in (
        ("chat", "text-generation", "llm"),
        ("sentiment", "text-classification", "predictor"),
    )
]
QUOTA = QuotaView(kind="key", subject="key_1", requests_per_minute=2, tokens_per_minute=1000)


class Surface:
    """The application with one key and a bank in memory."""

    def __init__(self, *, scopes: tuple[str, ...] = ("chat",), models: tuple[str, ...] | None = None) -> None:
        clock = FakeClock()
        self.chat = FakeReplica(answer=ANSWER, events=EVENTS)
        self.sentiment = FakeReplica(predict=lambda inputs: {"outputs": [Prediction(label="a", score=1)], "tokens": 6})
        self.router = Router(
            connect=lambda deployment, app, balancing: {"chat": self.chat, "sentiment": self.sentiment}[app]
        )
        self.bank = FakeBank(clock, QUOTA)
        self.meter = Meter(clock=clock)
        self.allowances = Allowances(self.bank, self.meter, clock=clock)
        self.authenticator = Authenticator(AccessConfig(), local_key=LOCAL)
        view = KeyView(
            id="key_1",
            prefix=secret.prefix_of(SECRET),
            sha256=secret.digest(SECRET).hex(),
            tenant="acme",
            scopes=tuple(map(Scope, scopes)),
            models=models,
        )
        self.authenticator.update(Snapshot(epoch=1, keys=(view,)))
        app = build_http(self.router, self.authenticator, Admission(self.allowances, self.meter))
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test", headers={"authorization": f"Bearer {SECRET}"}
        )

    async def __aenter__(self) -> Surface:
        await self.connect_anew()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()
        await self.authenticator.aclose()

    async def connect_anew(self) -> None:
        """The same routes, to the replicas that are there now."""
        await self.router.reconfigure({})
        await self.router.reconfigure({"routes": ROUTES})

    async def spent(self) -> list[Spent]:
        """What was counted so far, as it is reported."""
        await self.allowances.tick()
        return [spent for report in self.bank.reports for spent in report.spent]


@pytest.fixture
async def surface() -> AsyncIterator[Surface]:
    async with Surface() as surface:
        yield surface


def fault_of(response: httpx.Response) -> dict[str, Any]:
    fault: dict[str, Any] = response.json()["error"]
    return fault


@pytest.mark.parametrize(
    ("path", "body", "scope"),
    [
        ("/v1/chat/completions", CHAT, "chat"),
        ("/v1/completions", {"model": "chat", "prompt": "hi"}, "chat"),
        ("/v1/predict", PREDICT, "predict"),
        ("/v1/embeddings", {"model": "chat", "input": "hi"}, "embed"),
    ],
)
async def test_a_path_needs_its_scope(path: str, body: dict[str, Any], scope: str) -> None:
    """A key with every other scope does not open it, and the answer names the one that is missing."""
    others = tuple({"chat", "predict", "embed", "tasks", "approve", "admin", "tools:*"} - {scope})
    async with Surface(scopes=others) as surface:
        response = await surface.client.post(path, json=body)
        assert response.status_code == 403
        assert repr(scope) in fault_of(response)["message"]
        assert surface.chat.calls == surface.sentiment.calls == []


async def test_a_key_for_some_models_reaches_and_sees_no_others() -> None:
    """Whether they exist is not told either: an unknown one is refused as a known one is."""
    async with Surface(scopes=("chat", "predict"), models=("chat",)) as surface:
        assert (await surface.client.post("/v1/chat/completions", json=CHAT)).status_code == 200
        for task in ("sentiment", "unknown"):
            refused = await surface.client.post("/v1/predict", json=PREDICT | {"task": task})
            assert (refused.status_code, fault_of(refused)["param"]) == (403, "task")
        assert (await surface.client.get("/v1/models/sentiment")).status_code == 403
        listed = (await surface.client.get("/v1/models")).json()["data"]
        assert [card["id"] for card in listed] == ["chat"]


async def test_a_revoked_key_is_nobody_at_once(surface: Surface) -> None:
    """With the next snapshot, which has it no more."""
    surface.authenticator.update(Snapshot(epoch=2))
    response = await surface.client.post("/v1/chat/completions", json=CHAT)
    assert response.status_code == 401
    assert "Bearer" in response.headers["www-authenticate"]


async def test_a_user_comes_in_by_basic(surface: Surface) -> None:
    """With the scopes that the user has."""
    password_hash = hash_password("correct horse", PasswordConfig(memory_kib=64, passes=1))
    user = UserView(name="ann", password_hash=password_hash, tenant="acme", scopes=(Scope("chat"),))
    surface.authenticator.update(Snapshot(epoch=2, users=(user,)))
    surface.client.headers.pop("authorization")
    answer = await surface.client.post("/v1/chat/completions", json=CHAT, auth=("ann", "correct horse"))
    assert answer.status_code == 200
    assert (await surface.client.post("/v1/predict", json=PREDICT, auth=("ann", "correct horse"))).status_code == 403
    assert (await surface.client.get("/v1/models", auth=("ann", "wrong"))).status_code == 401


async def test_two_authorization_headers_are_no_credential(surface: Surface) -> None:
    """Else a proxy that reads the first and a server that reads the last would see two callers."""
    surface.client.headers.pop("authorization")
    headers = [("authorization", f"Bearer {SECRET}"), ("authorization", "Bearer other")]
    for order in (headers, headers[::-1]):
        assert (await surface.client.get("/v1/models", headers=order)).status_code == 401


@pytest.mark.parametrize(
    "path", ["/health/../v1/models", "//v1/models", "/health/", "/ready/x", "/v1/models/../models"]
)
async def test_no_spelling_of_a_path_goes_round_the_key(surface: Surface, path: str) -> None:
    """Only the two exact health paths are open."""
    surface.client.headers.pop("authorization")
    url = httpx.URL("http://test").copy_with(raw_path=path.encode())
    assert (await surface.client.send(httpx.Request("GET", url))).status_code == 401


async def test_without_a_quota_nothing_is_told_of_limits_and_no_lease_is_asked_for(surface: Surface) -> None:
    """A caller without limits costs the control plane nothing."""
    response = await surface.client.post("/v1/chat/completions", json=CHAT)
    assert not [name for name in response.headers if name.startswith("x-ratelimit")]
    assert surface.bank.wanted == []


async def test_a_quota_is_told_and_ends(surface: Surface) -> None:
    """As OpenAI tells it; the third of two is refused until the minute ends, and not sent on."""
    surface.allowances.update([QUOTA])
    first = await surface.client.post("/v1/chat/completions", json=CHAT)
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    assert (await surface.client.post("/v1/chat/completions", json=CHAT)).status_code == 200
    third = await surface.client.post("/v1/chat/completions", json=CHAT)
    assert (third.status_code, fault_of(third)["code"]) == (429, "quota_exceeded")
    assert (fault_of(third)["param"], third.headers["retry-after"]) == ("requests_per_minute", "40")
    assert len(surface.chat.calls) == 2


async def test_the_local_key_has_no_quota(surface: Surface) -> None:
    """Who has it can change every quota."""
    surface.allowances.update([QUOTA, QuotaView(kind="tenant", subject="default", requests_per_minute=0)])
    local = {"authorization": f"Bearer {LOCAL}"}
    assert (await surface.client.post("/v1/chat/completions", json=CHAT, headers=local)).status_code == 200


async def test_a_whole_answer_is_counted_by_what_it_says(surface: Surface) -> None:
    """Tokens, and their price in millionths: 12 at 1 and 5 at 2 for a million."""
    await surface.client.post("/v1/chat/completions", json=CHAT)
    [spent] = await surface.spent()
    assert (spent.key, spent.tenant, spent.model, spent.requests) == ("key_1", "acme", "chat", 1)
    assert (spent.prompt_tokens, spent.completion_tokens, spent.cost_micros) == (12, 5, 22)


@pytest.mark.parametrize("told", [False, True])
async def test_a_stream_is_counted_and_its_count_told_only_to_who_asked(surface: Surface, told: bool) -> None:
    """The engine is asked for it always."""
    options = {"stream_options": {"include_usage": True}} if told else {}
    response = await surface.client.post("/v1/chat/completions", json=CHAT | {"stream": True} | options)
    assert (b'"usage"' in response.content) is told
    assert response.content.endswith(b"data: [DONE]\n\n")
    [spent] = await surface.spent()
    assert (spent.prompt_tokens, spent.completion_tokens) == (12, 5)


async def test_a_broken_stream_is_counted_by_what_came(surface: Surface) -> None:
    """Two events are two tokens; the prompt is what it was estimated at: 4 bytes a token, and 4 around it."""
    surface.chat = FakeReplica(events=[*EVENTS[:2], ConnectionError("died")])
    await surface.connect_anew()
    await surface.client.post("/v1/chat/completions", json=CHAT | {"stream": True})
    [spent] = await surface.spent()
    assert (spent.prompt_tokens, spent.completion_tokens) == (9, 2)


async def test_a_call_that_failed_is_a_request_without_tokens(surface: Surface) -> None:
    """What it had reserved is given back."""
    surface.allowances.update([QUOTA])
    surface.chat = FakeReplica(answer=ConnectionError("died"), events=[ConnectionError("died")])
    await surface.connect_anew()
    for stream in (False, True):
        response = await surface.client.post("/v1/chat/completions", json=CHAT | {"stream": stream})
        assert response.status_code == 502
    [spent] = await surface.spent()
    assert (spent.requests, spent.prompt_tokens, spent.completion_tokens) == (2, 0, 0)
    await surface.allowances.close()
    standings = surface.bank.standings((Subject("key", "key_1"),))
    assert {standing.limit.name: standing.used for standing in standings} == {
        "requests_per_minute": 2,
        "tokens_per_minute": 0,
    }


@pytest.mark.parametrize(
    "asked", [{}, {"max_tokens": 30}, {"max_completion_tokens": 30}, {"max_tokens": 30, "n": 2}, {"max_tokens": 999}]
)
async def test_a_call_reserves_what_it_may_take(surface: Surface, asked: dict[str, Any]) -> None:
    """The prompt's estimate, and as many tokens as the answers may have; without a limit, the model's own."""
    surface.allowances.update([QUOTA])
    await surface.client.post("/v1/chat/completions", json=CHAT | asked)
    [wanted] = surface.bank.wanted
    most = min(asked.get("max_tokens") or asked.get("max_completion_tokens") or 100, 100) * asked.get("n", 1)
    assert wanted.need.tokens == 9 + most


async def test_a_prompt_of_token_ids_is_reckoned_by_them(surface: Surface) -> None:
    """They are tokens already."""
    surface.allowances.update([QUOTA])
    await surface.client.post("/v1/completions", json={"model": "chat", "prompt": [1, 2, 3], "max_tokens": 10})
    assert surface.bank.wanted[0].need.tokens == 13
