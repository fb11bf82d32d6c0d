"""`/admin/v1/grants`, `/admin/v1/tools` and `/admin/v1/tool-calls` over a real database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from autoglm.contract.grant import Grant
from cluster.control import grants, tool_calls, tools
from cluster.control.database import Database
from deployments.tools.call_log import CallEntry
from tests.cluster.control.test_api import GRANT, Api

FULL: dict[str, Any] = {
    **GRANT,
    "tool": "files.*",
    "arguments": {"path": r"/data/[^/\x00]+"},
    "calls_per_minute": 5,
    "needs_approval": True,
}


@pytest.fixture
def api(database: Database, now: datetime) -> Api:
    return Api(database, now)


async def test_a_grant_is_made_listed_and_deleted(api: Api) -> None:
    """As it was asked for, before its key or tenant is there too; each change is in the audit."""
    made = await api.ok("POST", "/grants", json=FULL)
    assert made == {"id": made["id"], "grant": FULL, "created": "2026-03-01T12:00:20Z"}
    assert await api.ok("GET", "/grants") == {"data": [made], "has_more": False}
    with api.database.read() as session:
        assert grants.all(session) == (Grant.model_validate(FULL),)
    assert await api.ok("DELETE", f"/grants/{made['id']}") == made
    await api.fault(404, "DELETE", f"/grants/{made['id']}")
    assert (await api.ok("GET", "/grants"))["data"] == []
    assert await api.actions() == [("grants.delete", made["id"]), ("grants.create", made["id"])]


async def test_grants_are_listed_newest_first_in_pages_and_by_subject(api: Api) -> None:
    """From the one behind the last that was seen."""
    made = []
    for kind, subject in (("tenant", "acme"), ("key", "key_1"), ("tenant", "other")):
        made.append((await api.ok("POST", "/grants", json={**GRANT, "kind": kind, "subject": subject}))["id"])
        api.now += timedelta(seconds=1)
    first = await api.ok("GET", "/grants", params={"limit": 2})
    then = await api.ok("GET", "/grants", params={"after": first["data"][-1]["id"]})
    assert [card["id"] for card in first["data"] + then["data"]] == made[::-1]
    assert (first["has_more"], then["has_more"]) == (True, False)
    for query, found in (({"kind": "key"}, made[1]), ({"subject": "acme"}, made[0])):
        assert [card["id"] for card in (await api.ok("GET", "/grants", params=query))["data"]] == [found]
    await api.fault(404, "GET", "/grants", params={"after": "grant_" + "0" * 20})


async def test_a_pattern_that_is_none_is_refused(api: Api) -> None:
    """Before it is told to anybody, for whom it would allow nothing."""
    for pattern in ("(", r"(a)\1", "(?!x)"):
        fault = await api.fault(422, "POST", "/grants", json={**GRANT, "arguments": {"path": pattern}})
        assert fault["param"] == "arguments.path"
    assert await api.actions() == []


async def test_grants_and_tools_are_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process that calls tools holds all of them."""
    monkeypatch.setattr(grants, "MAX_GRANTS", 1)
    monkeypatch.setattr(tools, "MAX_TOOLS", 1)
    await api.ok("POST", "/grants", json=GRANT)
    await api.fault(409, "POST", "/grants", json=GRANT)
    await api.ok("PUT", "/tools/one", json={"embedded": "calculate"})
    await api.fault(409, "PUT", "/tools/two", json={"embedded": "calculate"})
    await api.ok("PUT", "/tools/one", json={"embedded": "current_time"})


async def test_a_tool_is_registered_replaced_listed_and_removed(api: Api) -> None:
    """As an entry of the file, with what is not as by default; secrets are in it by reference."""
    entry = {"mcp": {"url": "https://mcp.example", "bearer": {"env": "MCP_TOKEN"}}, "timeout_s": 5}
    await api.ok("PUT", "/tools/files", json={"embedded": "calculate", "name": "files"})
    put = await api.ok("PUT", "/tools/files", json=entry)
    kept = {"name": "files", "mcp": entry["mcp"], "timeout_s": 5.0}
    assert (put["name"], put["created"]) == ("files", "2026-03-01T12:00:20Z")
    assert put["entry"] == {**put["entry"], **kept, "mcp": {**put["entry"]["mcp"], "url": "https://mcp.example"}}
    await api.ok("PUT", "/tools/also", json={"python": "mytools:now"})
    page = await api.ok("GET", "/tools", params={"limit": 1})
    assert ([card["name"] for card in page["data"]], page["has_more"]) == (["also"], True)
    assert (await api.ok("GET", "/tools", params={"after": "also"}))["data"] == [put]
    assert await api.ok("DELETE", "/tools/files") == put
    await api.fault(404, "DELETE", "/tools/files")
    assert (await api.actions())[0] == ("tools.delete", "files")


async def test_a_registered_tool_tells_how_it_fares(api: Api) -> None:
    """As the replicas of its own host say it, the worst of them first; one that nobody tells of is being loaded."""
    entries = {name: {"name": name, "embedded": "calculate"} for name in ("one", "two", "three", "old")}
    entries["own"] = {"name": "own", "embedded": "calculate", "replicas": 2}
    for name, entry in entries.items():
        await api.ok("PUT", f"/tools/{name}", json=entry)

    def told(name: str, status: str, message: str = "", **changed: Any) -> dict[str, Any]:
        return {name: {"entry": {**entries[name], **changed}, "status": status, "message": message}}

    api.hosts = {
        "tools": [
            told("one", "loaded") | told("two", "failed", "no such folder") | told("old", "loaded", timeout_s=1.0),
            told("one", "loaded") | told("two", "loaded") | {"old": {"status": "failed", "message": "of a newer form"}},
        ],
        "tool-own": [told("own", "loaded"), told("own", "loading")],
    }
    assert await fates(api) == {
        "old": ("failed", "of a newer form", 1, 0),
        "one": ("loaded", "", 2, 2),
        "own": ("loading", "", 2, 1),
        "three": ("loading", "", 0, 0),
        "two": ("failed", "no such folder", 2, 1),
    }


async def test_a_tool_that_another_program_stored_is_listed_as_broken_and_can_be_deleted(api: Api) -> None:
    """With its fault, whatever a host says; nothing that stands in it is shown in that."""
    with api.database.write() as session:
        tools.put(session, "odd", {"name": "odd", "grpc": {"token": "s3cret"}}, api.now)
        assert tools.all(session) == ((), {"odd": "grpc: Extra inputs are not permitted"})
    assert await fates(api) == {"odd": ("failed", "grpc: Extra inputs are not permitted", 0, 0)}
    await api.ok("DELETE", "/tools/odd")
    assert await fates(api) == {}


async def fates(api: Api) -> dict[str, tuple[str, str, int, int]]:
    """Status, message, replicas and on how many of them it is loaded, by name."""
    cards = (await api.ok("GET", "/tools"))["data"]
    return {card["name"]: (card["status"], card["message"], card["replicas"], card["loaded"]) for card in cards}


@pytest.mark.parametrize(
    ("entry", "param"),
    [
        ({}, "body"),
        ({"embedded": "none"}, "embedded"),
        ({"python": "os:system", "embedded": "calculate"}, "body"),
        ({"pythn": "mytools:now"}, "pythn"),
        ({"embedded": "calculate", "name": "other"}, "name"),
        ({"embedded": "calculate", "timeout_s": 10**9}, "timeout_s"),
        ({"mcp": {"command": []}}, "mcp.command"),
    ],
)
async def test_an_entry_that_is_none_is_refused_by_field(api: Api, entry: dict[str, Any], param: str) -> None:
    """As in the file, before any host is told."""
    assert (await api.fault(422, "PUT", "/tools/clock", json=entry))["param"] == param
    assert await api.actions() == []


async def test_calls_of_tools_are_listed(api: Api) -> None:
    """Of all or of a tenant, newest first."""
    entry = CallEntry(api.now, "key:key_1", "acme", "clock", "run_1:a", "0" * 64, "{}", "permission_denied", 0.5)
    with api.database.write() as session:
        tool_calls.add(session, [entry, replace(entry, id="1" * 32, tenant="other")], 0, api.now)
    page = await api.ok("GET", "/tool-calls", params={"limit": 1})
    assert (page["data"][0]["tenant"], page["has_more"]) == ("other", True)
    assert len((await api.ok("GET", "/tool-calls", params={"before": page["data"][0]["id"]}))["data"]) == 1
    [call] = (await api.ok("GET", "/tool-calls", params={"tenant": "acme"}))["data"]
    assert (call["caller"], call["tool"], call["outcome"]) == ("key:key_1", "clock", "permission_denied")
