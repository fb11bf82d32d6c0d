"""The admin API over a real database."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import Request

from autoglm.contract.breaker import BreakerCard
from autoglm.contract.scope import Scope
from autoglm.errors import AuthenticationError, UnavailableError
from cluster.control import keys, usage
from cluster.control.api import build_admin
from cluster.control.database import Database
from cluster.control.quota import Ledger
from cluster.control.routers import Sighting
from cluster.control.tool_hosts import States
from deployments.access.principal import Principal
from deployments.quota.bank import Wanted, new_id
from deployments.quota.meter import Spent
from deployments.quota.subject import Subject
from deployments.quota.windows import Amount

KEY: dict[str, Any] = {"name": "ci", "tenant": "acme", "scopes": ["chat"]}
USER: dict[str, Any] = {"name": "ada", "password": "correct horse battery", "scopes": ["chat"]}
GRANT: dict[str, Any] = {"kind": "tenant", "subject": "acme", "tool": "clock"}
CHANGES = [
    ("POST", "/keys", KEY),
    ("POST", "/users", USER),
    ("PUT", "/quotas/tenant/acme", {}),
    ("PUT", "/breakers/chat/v1", {"state": "open"}),
    ("POST", "/grants", GRANT),
    ("PUT", "/tools/clock", {"embedded": "current_time"}),
]
READS = ["/keys", "/users", "/quotas", "/usage", "/breakers", "/grants", "/tools", "/tool-calls", "/audit"]


def authenticate(request: Request) -> Principal:
    """The scopes that the test sends."""
    scopes = request.headers.get("x-scopes")
    if scopes is None:
        raise AuthenticationError("authorization: no key was sent", param="authorization")
    return Principal(kind="key", id="key_0", tenant="ops", scopes=tuple(map(Scope, scopes.split())))


def seen(name: str, *versions: str) -> tuple[BreakerCard, ...]:
    """A model's breakers as the router replica r1 sees them."""
    return tuple(BreakerCard(name=name, version=version, replica="r1", state="closed") for version in versions)


class Sighted:
    """Two router replicas, one of which does not answer; `fault` is raised instead."""

    def __init__(self, *cards: tuple[BreakerCard, ...]) -> None:
        self.cards = tuple(card for part in cards for card in part)
        self.fault: Exception | None = None

    def __call__(self) -> Sighting:
        if self.fault is not None:
            raise self.fault
        return Sighting(self.cards, 2, 1)


class Api:
    """The application and a client of an administrator."""

    def __init__(self, database: Database, now: datetime) -> None:
        self.database = database
        self.now = now
        self.routers = Sighted(seen("chat", "v1", "v2"), seen("mood", "v1"))
        self.hosts: dict[str, list[States]] = {}
        app = build_admin(
            database, authenticate, clock=lambda: self.now, sight=self.routers, hosts=lambda apps: self.hosts
        )
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False, client=("10.0.0.9", 1)),
            base_url="http://test/admin/v1",
            headers={"x-scopes": "admin"},
        )

    async def ok(self, method: str, path: str, **request: Any) -> Any:
        response = await self.client.request(method, path, **request)
        assert response.is_success, response.text
        return response.json()

    async def fault(self, status: int, method: str, path: str, **request: Any) -> dict[str, Any]:
        response = await self.client.request(method, path, **request)
        assert response.status_code == status, response.text
        fault: dict[str, Any] = response.json()["error"]
        assert fault["request_id"] == response.headers["x-request-id"]
        return fault

    async def actions(self) -> list[tuple[str, str]]:
        entries = (await self.ok("GET", "/audit"))["data"]
        return [(entry["action"], entry["object"]) for entry in entries]


@pytest.fixture
def api(database: Database, now: datetime) -> Api:
    return Api(database, now)


async def test_a_key_is_shown_once_and_listed_without_its_secret(api: Api) -> None:
    """What is made opens; the answer is kept by no cache."""
    response = await api.client.post("/keys", json={**KEY, "models": ["chat"], "expires": "2026-03-02T01:00:00+01:00"})
    made = response.json()
    assert (response.status_code, response.headers["cache-control"]) == (201, "no-store")
    assert made["secret"].startswith("ag_" + made["prefix"])
    assert made["expires"] == "2026-03-02T00:00:00Z"
    with api.database.read() as session:
        caller = keys.verify(session, made["secret"], api.now)
    assert caller is not None
    assert (caller.tenant, caller.models) == ("acme", ("chat",))
    listed = await api.ok("GET", "/keys")
    assert listed == {"data": [{name: made[name] for name in made if name != "secret"}], "has_more": False}


async def test_a_revoked_key_is_listed_as_such_and_opens_no_more(api: Api) -> None:
    """An unknown one is a 404, and what is no id a 400."""
    made = await api.ok("POST", "/keys", json=KEY)
    revoked = await api.ok("DELETE", f"/keys/{made['id']}")
    assert revoked["revoked"] == "2026-03-01T12:00:20Z"
    with api.database.read() as session:
        assert keys.verify(session, made["secret"], api.now) is None
    await api.fault(404, "DELETE", "/keys/key_" + "0" * 20)
    for wrong in ("key_none", "x' OR '1'='1", "%00", "%ff", "key_" + "9" * 10_000):
        assert (await api.fault(400, "DELETE", f"/keys/{wrong}"))["param"] == "key_id"


async def test_a_user_is_made_listed_and_deleted(api: Api) -> None:
    """The password is in no answer, and a taken name is a 409."""
    made = await api.ok("POST", "/users", json=USER)
    assert made == {
        "name": "ada",
        "tenant": "default",
        "scopes": ["chat"],
        "models": None,
        "created": "2026-03-01T12:00:20Z",
    }
    assert await api.ok("GET", "/users") == {"data": [made], "has_more": False}
    fault = await api.fault(409, "POST", "/users", json=USER)
    assert (fault["code"], fault["param"]) == ("conflict", "name")
    await api.ok("DELETE", "/users/ada")
    await api.fault(404, "DELETE", "/users/ada")


async def test_a_quota_that_was_put_limits(api: Api) -> None:
    """Of the key or tenant that it names; of nobody, it is a 404."""
    await api.ok("POST", "/keys", json=KEY)
    limits = {"requests_per_minute": 1, "tokens_per_day": 5, "budget": 2.5}
    card = await api.ok("PUT", "/quotas/tenant/acme", json=limits)
    assert {name: value for name, value in card.items() if value is not None} == {
        **limits,
        "kind": "tenant",
        "subject": "acme",
    }
    assert await api.ok("GET", "/quotas") == {"data": [card], "has_more": False}
    wanted = Wanted(new_id(), (Subject("tenant", "acme"),), Amount(1, 1), Amount(1, 1))
    lease = Ledger(api.database).reserve(wanted, api.now)
    assert {standing.limit.name: standing.remaining for standing in lease.standings} == {
        "requests_per_minute": 0,
        "tokens_per_day": 4,
        "budget_micros": 2_500_000,
    }
    await api.fault(404, "PUT", "/quotas/tenant/acne", json=limits)
    await api.fault(404, "PUT", "/quotas/key/key_none", json=limits)


async def test_a_breaker_is_held_listed_and_let_go(api: Api) -> None:
    """Each change is in the audit; the list tells what the routers see beside what is held, and how many answered."""
    held = await api.ok("PUT", "/breakers/chat/v2", json={"state": "open"})
    assert held == {"name": "chat", "version": "v2", "state": "open"}
    listed = await api.ok("GET", "/breakers")
    assert (listed["held"], listed["replicas"], listed["answered"]) == ([held], 2, 1)
    assert [(card["name"], card["version"], card["replica"]) for card in listed["data"]] == [
        ("chat", "v1", "r1"),
        ("chat", "v2", "r1"),
        ("mood", "v1", "r1"),
    ]
    await api.ok("PUT", "/breakers/chat/v2", json={"state": "closed"})
    assert (await api.ok("GET", "/breakers"))["held"] == [{**held, "state": "closed"}]
    await api.ok("PUT", "/breakers/chat/v2", json={"state": "automatic"})
    assert (await api.ok("GET", "/breakers"))["held"] == []
    entries = (await api.ok("GET", "/audit"))["data"]
    assert [(entry["action"], entry["object"], entry["detail"]["state"]) for entry in entries] == [
        ("breakers.put", "chat/v2", state) for state in ("automatic", "closed", "open")
    ]


@pytest.mark.parametrize(
    ("path", "param", "message"),
    [
        ("chta/v1", "name", "'chta' is not declared; did you mean 'chat'?"),
        ("chat/v3", "version", "'chat' has no 'v3'; known: v1, v2"),
        ("mood/zz", "version", "'mood' has no 'zz'; known: v1"),
    ],
)
async def test_a_breaker_of_nobody_is_not_held(api: Api, path: str, param: str, message: str) -> None:
    """A typing error would hold nothing, and say that it does."""
    fault = await api.fault(404, "PUT", f"/breakers/{path}", json={"state": "open"})
    assert (fault["code"], fault["param"]) == ("not_found", param)
    assert message in fault["message"]
    assert await api.actions() == []


async def test_what_is_held_is_let_go_without_the_routers(api: Api) -> None:
    """They may be gone, or the version may; what is not held yet is a 503 meanwhile."""
    await api.ok("PUT", "/breakers/chat/v1", json={"state": "open"})
    api.routers.fault = UnavailableError("no replica of the router answers", retry_after=1.0)
    await api.ok("PUT", "/breakers/chat/v1", json={"state": "automatic"})
    await api.fault(503, "PUT", "/breakers/chat/v1", json={"state": "open"})
    await api.fault(503, "GET", "/breakers")


async def test_usage_is_told_as_json_and_as_csv(api: Api) -> None:
    """By the dimensions and over the days that are asked for."""
    with api.database.write() as session:
        today = api.now.date()
        usage.add(session, [Spent("key_a", "acme", "chat", today - timedelta(days=day), 1, 10, 5) for day in range(3)])
    report = await api.ok("GET", "/usage", params={"by": ["key", "model"], "since": "2026-02-28"})
    assert report == {
        "data": [
            {
                "key": "key_a",
                "tenant": None,
                "model": "chat",
                "day": None,
                "requests": 2,
                "prompt_tokens": 20,
                "completion_tokens": 10,
                "cost": 0.0,
            }
        ],
        "has_more": False,
    }
    response = await api.client.get("/usage", params={"by": "day", "format": "csv"})
    assert response.headers["content-type"].startswith("text/csv")
    assert [row["day"] for row in csv.DictReader(response.text.splitlines())] == [
        "2026-02-27",
        "2026-02-28",
        "2026-03-01",
    ]
    assert (await api.ok("GET", "/usage", params={"limit": 2}))["has_more"] is True


async def test_every_change_is_in_the_audit_without_secrets(api: Api) -> None:
    """Who, what, which, from where; a change that was refused is not."""
    made = await api.ok("POST", "/keys", json=KEY)
    await api.ok("PUT", f"/quotas/key/{made['id']}", json={"requests_per_day": 7})
    await api.ok("DELETE", f"/keys/{made['id']}")
    await api.ok("POST", "/users", json=USER)
    await api.fault(409, "POST", "/users", json=USER)
    await api.ok("DELETE", "/users/ada")
    assert await api.actions() == [
        ("users.delete", "ada"),
        ("users.create", "ada"),
        ("keys.revoke", made["id"]),
        ("quotas.put", f"key:{made['id']}"),
        ("keys.create", made["id"]),
    ]
    response = await api.client.get("/audit", params={"limit": 2})
    page = response.json()
    assert page["has_more"] is True
    assert {(entry["actor"], entry["address"]) for entry in page["data"]} == {("key:key_0", "10.0.0.9")}
    older = await api.ok("GET", "/audit", params={"before": page["data"][-1]["id"]})
    assert len(older["data"]) == 3
    shown = response.text + str(older)
    assert made["secret"][11:] not in shown
    assert USER["password"] not in shown


async def test_a_change_without_its_audit_is_not_made(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are one transaction."""

    def broken(*_: Any) -> None:
        raise KeyError("audit")

    with monkeypatch.context() as patched:
        patched.setattr("cluster.control.audit.record", broken)
        with quiet_log(patched):
            await api.fault(500, "POST", "/keys", json=KEY)
    assert (await api.ok("GET", "/keys"))["data"] == []


@contextmanager
def quiet_log(patched: pytest.MonkeyPatch) -> Iterator[None]:
    patched.setattr(logging.getLogger("ray.serve"), "disabled", True)
    yield


@pytest.mark.parametrize(("scopes", "status"), [(None, 401), ("", 403), ("chat tasks tools:*", 403)])
async def test_only_administrators_are_let_in(api: Api, scopes: str | None, status: int) -> None:
    """Nobody else reads or changes anything, and a wrong body is not even looked at."""
    api.client.headers.pop("x-scopes")
    headers = {} if scopes is None else {"x-scopes": scopes}
    for method, path, body in CHANGES:
        await api.fault(status, method, path, json=body, headers=headers)
        await api.fault(status, method, path, content=b"{", headers=headers)
    for path in READS:
        await api.fault(status, "GET", path, headers=headers)
        await api.fault(status, "GET", path, params={"limit": "x"}, headers=headers)
    for path in (f"/keys/key_{'0' * 20}", "/keys/x", "/users/ada", f"/grants/grant_{'0' * 20}", "/tools/clock"):
        await api.fault(status, "DELETE", path, headers=headers)
    api.client.headers["x-scopes"] = "admin"
    assert await api.actions() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "param", "message"),
    [
        ("POST", "/keys", {**KEY, "scope": ["chat"]}, "scope", "did you mean 'scopes'?"),
        ("POST", "/keys", {**KEY, "scopes": []}, "scopes", "at least 1 item"),
        ("POST", "/keys", {**KEY, "scopes": ["root"]}, "scopes[0]", "got 'root'"),
        ("POST", "/keys", {**KEY, "scopes": ["tools:"]}, "scopes[0]", "got 'tools:'"),
        ("POST", "/keys", {**KEY, "scopes": ["chat\n"]}, "scopes[0]", "got 'chat\\n'"),
        ("POST", "/keys", {**KEY, "name": "a\x00b"}, "name", "got 'a\\x00b'"),
        ("POST", "/keys", {**KEY, "name": "n" * 101}, "name", "got 'nnn"),
        ("POST", "/keys", {**KEY, "tenant": "'; DROP TABLE keys; --"}, "tenant", "got"),
        ("POST", "/keys", {**KEY, "models": ["m"] * 101}, "models", "at most 100"),
        ("POST", "/keys", {**KEY, "expires": "2027-03-01T12:00:20"}, "expires", "timezone"),
        ("POST", "/keys", {**KEY, "expires": "9999-12-31T23:59:59-23:00"}, "expires", "2200"),
        ("POST", "/users", {**USER, "password": "hunter2"}, "password", "not of the documented form"),
        ("POST", "/users", {**USER, "name": "a:b"}, "name", "got 'a:b'"),
        ("PUT", "/quotas/tenant/acme", {"requests_per_day": -1}, "requests_per_day", "got -1"),
        ("PUT", "/quotas/tenant/acme", {"requests_per_day": 10**30}, "requests_per_day", "got 1000"),
        ("PUT", "/quotas/tenant/acme", {"budget": 1e300}, "budget", "got 1e+300"),
        ("PUT", "/quotas/galaxy/acme", {}, "kind", "got 'galaxy'"),
        ("PUT", "/quotas/tenant/%00", {}, "subject", "got '\\x00'"),
        ("PUT", "/breakers/chat/v1", {"state": "half_open"}, "state", "got 'half_open'"),
        ("POST", "/grants", {**GRANT, "tool": "a b"}, "tool", "got 'a b'"),
        ("POST", "/grants", {**GRANT, "tool": "a*b"}, "tool", "got 'a*b'"),
        ("POST", "/grants", {**GRANT, "kind": "user"}, "kind", "got 'user'"),
        ("POST", "/grants", {**GRANT, "argument": {}}, "argument", "did you mean 'arguments'?"),
        ("POST", "/grants", {**GRANT, "calls_per_minute": 10**30}, "calls_per_minute", "got 1000"),
        ("POST", "/grants", {**GRANT, "needs_approval": "yes"}, "needs_approval", "got 'yes'"),
        ("PUT", "/tools/a.b", {"embedded": "calculate"}, "name", "got 'a.b'"),
        ("PUT", "/tools/clock", [], "body", "got []"),
        ("PUT", "/breakers/chat/v1", {}, "state", "required"),
        ("PUT", "/breakers/Chat/v1", {"state": "open"}, "name", "got 'Chat'"),
        ("PUT", "/breakers/chat/%00", {"state": "open"}, "version", "got '\\x00'"),
        ("GET", "/keys?limit=0", None, "limit", "got '0'"),
        ("GET", "/keys?limit=1001", None, "limit", "got '1001'"),
        ("GET", "/keys?after=x'%20OR%201=1", None, "after", "got"),
        ("GET", "/keys?tenant=%00", None, "tenant", "got"),
        ("GET", "/keys?page=2", None, "page", "unknown parameter"),
        ("GET", "/users?after=%00", None, "after", "got"),
        ("GET", "/usage?by=price", None, "by[0]", "got 'price'"),
        ("GET", "/usage?since=yesterday", None, "since", "got 'yesterday'"),
        ("GET", "/usage?limit=10001", None, "limit", "got '10001'"),
        ("GET", "/audit?before=99999999999999999999999", None, "before", "got"),
    ],
)
async def test_what_is_wrong_is_told_by_field(
    api: Api, method: str, path: str, body: Any, param: str, message: str
) -> None:
    """400 in the documented body, nothing changed, and no wrong password repeated."""
    fault = await api.fault(400, method, path, json=body)
    assert (fault["code"], fault["param"]) == ("invalid_request", param)
    assert message in fault["message"]
    assert "hunter2" not in fault["message"]
    assert await api.actions() == []


async def test_a_key_that_would_have_expired_is_not_made(api: Api) -> None:
    """Its form is right and its content of no use: 422."""
    fault = await api.fault(422, "POST", "/keys", json={**KEY, "expires": "2026-03-01T12:00:20Z"})
    assert (fault["code"], fault["param"]) == ("unprocessable", "expires")
    assert "which is past" in fault["message"]
    assert await api.actions() == []


@pytest.mark.parametrize("text", ["'; DROP TABLE keys; --", '" OR ""="', "%s %(x)s :x ? {}", "Ünïcødé 🔑"])
async def test_sql_is_a_name_like_any_other(api: Api, text: str) -> None:
    """Every field that takes free text keeps it as it came."""
    made = await api.ok("POST", "/keys", json={**KEY, "name": text})
    assert made["name"] == text
    assert [key["name"] for key in (await api.ok("GET", "/keys"))["data"]] == [text]


async def test_lists_are_paged(api: Api) -> None:
    """Each page says whether there are more, and the last item seen leads to the next."""
    ids = [(await api.ok("POST", "/keys", json=KEY))["id"] for _ in range(3)]
    for kind, subject in [("tenant", "acme"), *(("key", key_id) for key_id in ids)]:
        await api.ok("PUT", f"/quotas/{kind}/{subject}", json={"requests_per_day": 1})
    first = await api.ok("GET", "/keys", params={"limit": 2, "tenant": "acme"})
    then = await api.ok("GET", "/keys", params={"limit": 2, "after": first["data"][-1]["id"]})
    assert {key["id"] for key in first["data"] + then["data"]} == set(ids)
    assert (first["has_more"], then["has_more"]) == (True, False)
    first = await api.ok("GET", "/quotas", params={"limit": 3})
    last = first["data"][-1]
    then = await api.ok("GET", "/quotas", params={"after_kind": last["kind"], "after": last["subject"]})
    assert [quota["subject"] for quota in first["data"] + then["data"]] == [*sorted(ids), "acme"]


async def test_a_database_that_is_gone_is_a_503(now: datetime) -> None:
    """The documented body and when to come back, not a 500."""
    api = Api(Database("postgresql://autoglm@127.0.0.1:1/x"), now)
    for path in ("/keys", "/usage"):
        response = await api.client.get(path)
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.json()["error"]["code"] == "unavailable"
    api.database.close()


async def test_its_schema_names_every_path(api: Api) -> None:
    """With the queries' parameters and the bodies' forms."""
    schema = await api.ok("GET", "/openapi.json")
    assert {path.removeprefix("/admin/v1") for path in schema["paths"]} == {
        "/keys",
        "/keys/{key_id}",
        "/users",
        "/users/{name}",
        "/quotas",
        "/quotas/{kind}/{subject}",
        "/usage",
        "/tasks",
        "/tasks/{name}/versions/{version}",
        "/breakers",
        "/breakers/{name}/{version}",
        "/grants",
        "/grants/{grant_id}",
        "/tools",
        "/tools/{name}",
        "/tool-calls",
        "/audit",
    }
    parameters = schema["paths"]["/admin/v1/usage"]["get"]["parameters"]
    assert {parameter["name"] for parameter in parameters} == {"by", "since", "until", "format", "limit"}
    assert "requestBody" in schema["paths"]["/admin/v1/keys"]["post"]
