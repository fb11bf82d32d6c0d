"""The control plane's replica as Serve constructs it, without a Serve."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from autoglm.contract.task_run import TaskRequest, TaskRun
from autoglm.errors import BadRequestError, ConfigError
from autoglm.home import ensure_key
from cluster.control.database import Database
from cluster.control.deployment import Control
from deployments.caller import Caller
from deployments.clock import utc_now
from deployments.tools.call_log import CallEntry
from serve_app.environment import free_ports
from tests.cluster.control.fake_serve import FakeServe


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own, and no operator's settings."""
    monkeypatch.setenv("AUTOGLM_HOME", str(tmp_path))
    for name in ("AUTOGLM_API_KEY", "AUTOGLM_DATABASE_URL", "RAY_SERVE_HAPROXY_BALANCE_ALGORITHM"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@asynccontextmanager
async def serving(control: Control) -> AsyncIterator[httpx.AsyncClient]:
    """Its application as Serve mounts it: below `/admin`, which its paths name too."""
    app = await control.__serve_build_asgi_app__()
    transport = httpx.ASGITransport(app, root_path="/admin")
    headers = {"authorization": f"Bearer {ensure_key()}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        try:
            yield client
        finally:
            await control.stop()


async def test_a_first_start_makes_the_database_and_the_local_key_administrates() -> None:
    """On a bare machine nothing else is asked for."""
    async with serving(Control({}, 0, FakeServe())) as client:
        created = await client.post("/admin/v1/keys", json={"name": "ci", "scopes": ["chat"]})
        assert created.status_code == 201
        listed = (await client.get("/admin/v1/keys")).json()["data"]
        assert [key["id"] for key in listed] == [created.json()["id"]]


async def test_what_is_administrated_reaches_the_routers() -> None:
    """By the loop that the replica runs; the answer does not wait for it."""
    serve = FakeServe()
    async with serving(Control({}, 0, serve)) as client:
        created = (await client.post("/admin/v1/keys", json={"name": "ci", "scopes": ["chat"]})).json()
        while not (pushed := await asyncio.to_thread(serve.pushed.get, timeout=60)).keys:
            pass  # the round of the start, in which there was no key yet
        assert [key.id for key in pushed.keys] == [created["id"]]


async def test_nobody_else_administrates() -> None:
    """Not without a key, and not with a wrong one."""
    async with serving(Control({}, 0, FakeServe())) as client:
        for headers in ({"authorization": ""}, {"authorization": "Bearer ag-wrong"}):
            assert (await client.get("/admin/v1/keys", headers=headers)).status_code == 401


async def test_the_audit_tells_from_where_and_not_what_a_caller_says() -> None:
    """With one proxy of ours in front, the address is the last that was appended."""
    async with serving(Control({}, 1, FakeServe())) as client:
        forwarded = {"x-forwarded-for": "6.6.6.6, 10.0.0.5"}
        await client.post("/admin/v1/keys", json={"name": "ci", "scopes": ["chat"]}, headers=forwarded)
        [entry] = (await client.get("/admin/v1/audit")).json()["data"]
        assert entry["address"] == "10.0.0.5"


async def test_a_database_that_is_down_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The replica starts, and says 503 until there is one."""
    [port] = free_ports(1)
    monkeypatch.setenv("AUTOGLM_DATABASE_URL", f"postgresql://ann:hidden@127.0.0.1:{port}/none")
    async with serving(Control({}, 0, FakeServe())) as client:
        response = await client.get("/admin/v1/keys")
        assert (response.status_code, response.json()["error"]["code"]) == (503, "unavailable")
        assert "hidden" not in response.text


def test_a_newer_database_is_refused(own_home: Path) -> None:
    """With what to do, before anything is changed."""
    Control({}, 0, FakeServe())
    url = f"sqlite:///{own_home / 'control.db'}"
    with closing(Database(url)) as database, database.connection() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="newer"):
        Control({}, 0, FakeServe())


async def test_runs_are_kept_by_handle_and_no_other_method_is_called() -> None:
    """As the planner asks: by the ledger's names alone."""
    control = Control({}, 0, FakeServe())
    run = TaskRun(id="run_" + "0" * 32, instruction="count", status="planning", created=utc_now())
    caller = Caller(kind="key", id="key_1", tenant="acme")
    await control.runs("create", run, TaskRequest(instruction="count"), caller)
    [claim] = await control.runs("claim", "w1", 10, 15.0)
    assert (claim.run.id, claim.caller) == (run.id, caller)
    for wrong in ("__init__", "_database", "close"):
        with pytest.raises(BadRequestError, match="known: approve, cancel"):
            await control.runs(wrong)
    await control.stop()


async def test_calls_of_tools_are_told_by_handle() -> None:
    """And read by an administrator."""
    control = Control({}, 0, FakeServe())
    await control.tool_calls([CallEntry(utc_now(), "key:key_1", "acme", "clock", "k", "0", "{}", "ok", 0.1)], 0)
    async with serving(control) as client:
        [call] = (await client.get("/admin/v1/tool-calls")).json()["data"]
        assert (call["tool"], call["caller"]) == ("clock", "key:key_1")
