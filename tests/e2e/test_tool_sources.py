"""Tools of real MCP servers and of a real web service: loaded, changed, killed and removed on the running cluster.

Every plan comes with its request, so that nothing depends on a model; other runs go on beside it all.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.mcp_process import McpProcess, content, mcp_process
from tests.e2e.office import TOKEN, Office, serving
from tests.e2e.registry import LOOPBACK, Registry, called, failure, planned, ran, step, until
from tests.e2e.running_cluster import Cluster
from tests.e2e.test_faults import Load, running

PARTS = ("autoglm:router", "planner:planner", "tools:tools", "control:control")
SUM = {"instruction": "Add.", "plan": {"steps": [step("a", "calculate", expression="17 * 23")], "answer": "${a.value}"}}


@pytest.fixture(autouse=True)
def undisturbed(cluster: Cluster) -> Iterator[None]:
    """Runs of another tool go on meanwhile, none of which fails; no replica is another one in the end."""
    before, load = cluster.replicas(*PARTS), Load("/v1/tasks", SUM)
    with running(cluster, load, clients=1):
        yield
    assert {status for _, _, status in load.answers} == {200}
    assert cluster.replicas(*PARTS) == before


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """For runs that somebody waits for while something happens."""
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture(params=["stdio", "http"])
def server(request: pytest.FixtureRequest) -> Iterator[McpProcess]:
    """A server, declared to nobody yet."""
    with mcp_process(request.param) as server:
        yield server


def begun(pool: ThreadPoolExecutor, http: httpx.Client, path: Path, tool: str, **more: Any) -> tuple[Future[Any], int]:
    """A run whose only step has begun at an MCP server, and the server's number."""
    run = pool.submit(ran, http, step("a", tool, path=str(path), **more))
    return run, int(until(lambda: content(path), bool))


def test_an_mcp_servers_tools_are_loaded_change_and_are_removed_while_one_is_called(
    registry: Registry, server: McpProcess, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    """The listing follows the server's; the call under way when they go ends as if they were there."""
    http = registry.http
    registry.grant("files.*")
    registry.load("files", **server.entry)
    registry.offers("files.add", "files.say", but=("files.late",))
    steps = step("sum", "files.add", a=2, b=3), step("twice", "calculate", expression="2 * ${sum.result}")
    assert ran(http, *steps, answer="${twice.value}")["answer"] == "10"
    assert ran(http, step("a", "files.change"))["status"] == "succeeded"
    registry.offers("files.late", but=("files.say",))
    assert ran(http, step("a", "files.late", text="now"), answer="${a.result}")["answer"] == "late: now"
    run, _ = begun(pool, http, tmp_path / "begun", "files.wait", until=str(tmp_path / "go"))
    registry.delete("files")
    registry.offers(but=("files.wait", "files.add"))
    refused = planned(http, step("a", "files.add", a=2, b=3))
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "unprocessable")
    assert called(http, "files.add", a=2, b=3).status_code == 404
    (tmp_path / "go").touch()
    assert run.result(60)["status"] == "succeeded", run.result()


def test_an_mcp_server_that_is_killed_during_a_call_fails_it_and_comes_back(
    registry: Registry, server: McpProcess, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    """At once; who calls meanwhile hears why, and the entry says so. Nobody has to load it again."""
    http = registry.http
    registry.grant("files.*")
    registry.load("files", **server.entry)
    registry.offers("files.add", "files.hang")
    run, pid = begun(pool, http, tmp_path / "pid", "files.hang")
    server.kill(pid)
    told = run.result(60)
    assert told["status"] == "failed", told
    assert failure(told)[0] in ("unavailable", "upstream_error")
    assert registry.kept("files.hang", failure(told)[0], told)
    if server.entry["mcp"].get("url"):  # one that its host starts may be back before it is looked at
        assert "the MCP server files" in registry.until("files", "failed")["message"]
        registry.offers(but=("files.add",))
        away = called(http, "files.add", a=2, b=3)
        assert (away.status_code, "the MCP server files" in away.text) == (503, True), away.text
    server.bring_back()
    registry.offers("files.add")
    assert ran(http, step("a", "files.add", a=2, b=3), answer="${a.result}")["answer"] == "5"
    assert registry.card("files")["status"] == "loaded"


def test_a_services_operations_are_loaded_changed_and_removed_while_one_is_called(
    registry: Registry, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    """By the document that it serves itself, with a credential by reference that is told nowhere."""
    http, office, secret = registry.http, Office(), tmp_path / "token"
    secret.write_text(TOKEN)
    secret.chmod(0o600)
    registry.grant("office.*")
    with serving(office.app()) as port:
        document = {"document": f"http://127.0.0.1:{port}/openapi.json", "base_url": f"http://127.0.0.1:{port}"}
        entry = {**document, **LOOPBACK, "auth": {"HTTPBearer": {"file": str(secret)}}}
        registry.load("office", openapi=entry)
        registry.offers("office.order", "office.wait")
        told = ran(http, step("a", "office.order", item="chair", count=3), answer="${a.ordered} are ordered")
        assert told["answer"] == "3 are ordered", told
        [(order, key)] = office.orders
        assert ((order.item, order.count), key.startswith(told["id"])) == (("chair", 3), True)
        run = pool.submit(ran, http, step("a", "office.wait"))
        assert office.begun.acquire(timeout=60)
        registry.load("office", openapi={**document, **LOOPBACK, "operations": ["read_note", "wait"]})
        registry.offers("office.read_note", but=("office.order",))
        registry.delete("office")
        registry.offers(but=("office.read_note", "office.wait"))
        assert planned(http, step("a", "office.wait")).status_code == 422
        office.go.set()
        assert run.result(60)["status"] == "succeeded", run.result()
    admin = [http.get(path).text for path in ("/admin/v1/audit", "/admin/v1/tools", "/admin/v1/tool-calls")]
    assert TOKEN not in "".join([str(told), *admin])


def test_each_entry_tells_how_it_fares(registry: Registry) -> None:
    """What cannot be loaded says why, and hinders no other; what of a service cannot be a tool is named."""
    registry.put("gone", mcp={"command": ["/no/such/program"]})
    with serving(Office().app()) as port:
        url = f"http://127.0.0.1:{port}"
        registry.load("office", openapi={"document": f"{url}/openapi.json", "base_url": url, **LOOPBACK})
        office = registry.card("office")
    assert (office["replicas"], office["loaded"]) == (1, 1)
    assert "hang_picture is not offered: its body is image/png; JSON alone is sent" in office["message"]
    assert "order is not offered" in office["message"]
    gone = registry.until("gone", "failed")
    assert (gone["replicas"], gone["loaded"], "No such file" in gone["message"]) == (1, 0, True), gone
