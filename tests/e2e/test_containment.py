"""What tools, plans and arguments may try on the running cluster: each is refused or ended, told, and in the audit.

Every plan comes with its request. A second answer of a resolver (DNS rebinding) is in tests/deployments/tools/net,
where the resolver is the test's own; here it is the machine's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.e2e.mcp_process import content
from tests.e2e.office import INJECTION, Office, serving
from tests.e2e.registry import LOOPBACK, Registry, called, failure, planned, ran, step, until
from tests.e2e.running_cluster import Cluster

PARTS = ("autoglm:router", "planner:planner", "tools:tools", "control:control")
TOOLS = "tests.deployments.tools.sources.sample_tools"
MAX_MIB, CPU_S = 768, 3
HOSTILE = {"python": TOOLS, "isolated": {"cpu_s": CPU_S, "memory_mb": MAX_MIB}, "timeout_s": 60}
WORKER = "deployments.tools.isolation.worker"  # in the command line of each isolated call's process
INSIDE = ("127.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost")
NOTE = {"get": {"operationId": "read_note", "parameters": [{"name": "note", "in": "path", "required": True}]}}


@pytest.fixture(scope="module")
def unharmed(cluster: Cluster) -> Iterator[None]:
    """No replica is another one in the end."""
    before = cluster.replicas(*PARTS)
    yield
    assert cluster.replicas(*PARTS) == before


@pytest.fixture(autouse=True)
def still_serving(http: httpx.Client, unharmed: None) -> Iterator[None]:
    """After each attempt a plain call is answered."""
    yield
    answer = called(http, "calculate", expression="17 * 23")
    assert (answer.status_code, answer.json().get("result")) == (200, {"value": 391}), answer.text


@pytest.fixture
def office() -> Office:
    """A service, not served yet."""
    return Office()


@pytest.fixture(scope="module")
def hostile(cluster: Cluster) -> Iterator[Registry]:
    """Tools that do harm, in processes of their own."""
    with cluster.http() as http:
        registry = Registry(http)
        registry.grant("hostile.*")
        registry.load("hostile", **HOSTILE)
        registry.offers("hostile.forks")
        yield registry
        registry.clear()


@pytest.mark.parametrize(
    ("tool", "code", "message"),
    [
        ("forks", "upstream_error", "PermissionError"),
        ("starts_a_program", "upstream_error", "PermissionError"),
        ("signals_its_host", "upstream_error", "PermissionError"),
        ("sleeps_and_ignores_sigterm", "deadline_exceeded", "did not return within 5 s; it was killed"),
        ("spins_and_ignores_sigxcpu", "upstream_error", "more CPU time than cpu_s"),
        ("grows", "upstream_error", "MemoryError"),
        ("writes", "upstream_error", "OSError"),
        ("answers_too_much", "upstream_error", "larger than max_result_bytes"),
        ("dies", "upstream_error", "its exit status is 7"),
    ],
)
def test_what_a_tool_does_to_its_machine_ends_with_its_process(
    cluster: Cluster, hostile: Registry, tmp_path: Path, tool: str, code: str, message: str
) -> None:
    """Nothing of it is left, and of 10 GiB it gets less than it may have."""
    file = tmp_path / "file"
    given = {"name": str(file)} if tool in ("grows", "sleeps_and_ignores_sigterm") else {}
    run = ran(hostile.http, step("a", f"hostile.{tool}", **given))
    assert run["status"] == "failed", run
    assert (failure(run)[0], message in failure(run)[1]) == (code, True), run["error"]
    assert hostile.kept(f"hostile.{tool}", code, run)
    assert cluster.processes(WORKER) == []
    if tool == "grows":
        assert 0 < int(content(file)) < MAX_MIB


def test_a_run_that_is_cancelled_ends_the_process_of_its_tool(
    cluster: Cluster, hostile: Registry, tmp_path: Path
) -> None:
    """In the background too."""
    http, file = hostile.http, tmp_path / "pid"
    begun = planned(http, step("a", "hostile.sleeps_and_ignores_sigterm", name=str(file)), background=True).json()
    pid = int(until(lambda: content(file), bool))
    assert http.post(f"/v1/tasks/{begun['id']}/cancel").status_code == 200
    until(lambda: psutil.pid_exists(pid), lambda is_there: not is_there)
    assert (
        until(lambda: http.get(f"/v1/tasks/{begun['id']}").json(), lambda run: run["finished"])["status"] == "cancelled"
    )
    assert hostile.kept("hostile.sleeps_and_ignores_sigterm", "cancelled", begun)


def test_a_result_of_100_mb_is_not_taken(registry: Registry, office: Office) -> None:
    """From a tool in the host's own process, and from a service whose answer has no length."""
    http = registry.http
    for tool in ("floods", "office.large"):
        registry.grant(tool)
    registry.load("floods", python=f"{TOOLS}:answers_too_much")
    with serving(office.app()) as port:
        registry.load("office", openapi=described(port))
        registry.offers("floods", "office.large")
        for tool, message in (
            ("floods", "larger than max_result_bytes"),
            ("office.large", "larger than 4194304 bytes"),
        ):
            run = ran(http, step("a", tool))
            assert (failure(run)[0], message in failure(run)[1]) == ("upstream_error", True), run["error"]
            assert registry.kept(tool, "upstream_error", run)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "user:pass@127.0.0.1"])
def test_a_host_that_may_be_read_as_another_is_not_registered(registry: Registry, host: str) -> None:
    """Whoever registers it is told the field; nothing is kept."""
    entry = {"openapi": {"document": "crm.yaml", "base_url": f"http://{host}/", "allow_http": True}}
    refused = registry.http.put("/admin/v1/tools/crm", json=entry)
    assert (refused.status_code, "base_url" in refused.json()["error"]["message"]) == (422, True), refused.text
    assert "crm" not in [card["name"] for card in registry.http.get("/admin/v1/tools").json()["data"]]


@pytest.mark.parametrize("host", INSIDE)
def test_no_request_goes_inside_however_its_host_is_written(
    registry: Registry, office: Office, tmp_path: Path, host: str
) -> None:
    """A declared host whose address is loopback's is not connected to, unless its network is declared too."""
    document = tmp_path / "inside.json"
    document.write_text(json.dumps({"openapi": "3.1.0", "info": {}, "paths": {"/notes/{note}": NOTE}}))
    registry.grant("inside.*")
    with serving(office.app()) as port:
        url = f"http://{host}:{port}"
        registry.load("inside", openapi={"document": str(document), "base_url": url, "allow_http": True})
        registry.offers("inside.read_note")
        run = ran(registry.http, step("a", "inside.read_note", note="a"))
        assert (failure(run)[0], "no public address" in failure(run)[1]) == ("upstream_error", True), run["error"]
        assert registry.kept("inside.read_note", "upstream_error", run)
    assert office.asked == []


def test_no_redirect_leads_inside(registry: Registry, office: Office) -> None:
    """Neither to another port nor to other forms of the address, nor to a cloud's metadata; to its own host it does."""
    inside = Office()
    registry.grant("office.away")
    with serving(office.app()) as port, serving(inside.app()) as hidden:
        registry.load("office", openapi=described(port))
        registry.offers("office.away")
        for host in (*INSIDE, "2130706433", "0x7f.1"):
            for _ in range(2):  # so that fewer than half of the calls fail, and the breaker does not open
                followed = called(registry.http, "office.away", to=f"http://127.0.0.1:{port}/notes/a")
                assert followed.status_code == 200, followed.text
            refused = called(registry.http, "office.away", to=f"http://{host}:{hidden}/notes/a")
            assert (refused.status_code, failure(refused.json())[0]) == (502, "upstream_error"), refused.text
            assert "refused" in failure(refused.json())[1]
        assert called(registry.http, "office.away", to="http://169.254.169.254/latest/meta-data").status_code == 502
    assert registry.kept("office.away", "upstream_error")
    assert inside.asked == []


def test_what_a_tool_answers_calls_no_other_and_is_expanded_nowhere(registry: Registry, office: Office) -> None:
    """It is a text to the next step and to the model, which is told of it as data; what it asks for is not granted."""
    http = registry.http
    registry.grant("office.read_note")
    with serving(office.app()) as port:
        registry.load("office", openapi=described(port))
        registry.offers("office.read_note", but=("office.steal",))
        run = ran(
            http,
            step("note", "office.read_note", note="a"),
            step("size", "text_statistics", text="${note.text}"),
            step("told", "chat", kind="model", prompt="Do what this says: ${note.text}", max_tokens=16),
            answer="${size.characters}",
        )
        assert (run["status"], run["answer"]) == ("succeeded", str(len(INJECTION))), run
        refused = planned(http, step("a", "office.steal", what="everything"))
        assert refused.status_code == 403, refused.text
        assert "office.steal" in refused.json()["error"]["message"]
        assert called(http, "office.steal", what="everything").status_code == 403
    assert registry.kept("office.steal", "permission_denied", preview='{"what": "everything"}')
    assert office.stolen == []


PUBLIC = {"note": "public-[a-z0-9_-]+"}
ESCAPES = [
    "../secret",
    "public-a/../../secret",
    "public-a\n",
    "public-a\nsecret",
    "public-a\u0000",
    "PUBLIC-a",
    "x public-a",
]
ESCAPES += ["public-\uff41", "public-%2e%2e%2fsecret", "public-", "public-a|.*"]


def test_an_argument_that_leaves_its_pattern_is_refused(registry: Registry, office: Office) -> None:
    """Sent by itself, standing in a plan, or as the result of a step, which nobody knew when the plan was checked."""
    http = registry.http
    registry.grant("office.read_note", arguments=PUBLIC)
    with serving(office.app()) as port:
        registry.load("office", openapi=described(port))
        registry.offers("office.read_note", note="public-a")
        assert called(http, "office.read_note", note="public-a").status_code == 200
        others: list[Any] = [["public-a"], {"note": "public-a"}, None, 1]
        for note in (*ESCAPES, *others):
            refused = called(http, "office.read_note", note=note)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "permission_denied"), (
                note,
                refused.text,
            )
        assert planned(http, step("a", "office.read_note", note=ESCAPES[0])).status_code == 403
        found = step("found", "query_json", document={"note": "public-a/../found"}, query="note")
        run = ran(http, found, step("a", "office.read_note", note="${found.result}"))
        assert run["status"] == "failed", run
        assert failure(run)[0] == "permission_denied", run["error"]
        for preview in (json.dumps({"note": ESCAPES[0]}), '{"note": "public-a/../found"}'):
            assert registry.kept("office.read_note", "permission_denied", preview=preview)
    assert [path for path in office.asked if path != "/openapi.json"] == ["/notes/public-a"]


def test_a_grant_that_is_revoked_ends_a_run_that_is_under_way(registry: Registry, office: Office) -> None:
    """At its next call: what was planned under the grant is not done without it."""
    http = registry.http
    registry.grant("office.wait")
    grant = registry.grant("office.read_note")
    with serving(office.app()) as port, ThreadPoolExecutor(1) as pool:
        registry.load("office", openapi=described(port))
        registry.offers("office.wait", "office.read_note")
        steps = step("first", "office.wait"), step("then", "office.read_note", after=("first",), note="a")
        running = pool.submit(ran, http, *steps)
        try:
            assert office.begun.acquire(timeout=60)
            registry.revoke(grant)
            registry.offers(but=("office.read_note",))
        finally:
            office.go.set()
        run = running.result(60)
        assert [one["status"] for one in run["steps"]] == ["succeeded", "failed"], run
        assert (failure(run)[0], "grant" in failure(run)[1]) == ("permission_denied", True), run["error"]
        assert registry.kept("office.read_note", "permission_denied", preview='{"note": "a"}')
    assert "/notes/a" not in office.asked


def described(port: int) -> dict[str, Any]:
    """The office on this port, by the document that it serves."""
    url = f"http://127.0.0.1:{port}"
    return {"document": f"{url}/openapi.json", "base_url": url, **LOOPBACK}


def circle(count: int) -> list[dict[str, Any]]:
    """Steps each of which waits for the next, and the last for the first."""
    return [step(f"s{n}", "calculate", after=(f"s{(n + 1) % count}",), expression="1") for n in range(count)]


@pytest.mark.parametrize(
    ("steps", "status", "message"),
    [
        ([step(f"s{n}", "calculate", expression="1") for n in range(10_000)], 400, "plan.steps"),
        ([step(f"s{n}", "calculate", expression=f"{n}") for n in range(1_000)], 422, "at most 200"),
        (circle(2), 422, "wait for each other"),
        (circle(200), 422, "wait for each other"),
        ([step("a", "calculate", expression="${a.value}")], 422, "wait for each other"),
    ],
    ids=["10000 steps", "1000 steps", "a circle of 2", "a circle of 200", "a step of itself"],
)
@pytest.mark.parametrize("background", [False, True], ids=["waited for", "in the background"])
def test_a_plan_without_measure_or_end_is_refused(
    http: httpx.Client, steps: list[dict[str, Any]], status: int, message: str, background: bool
) -> None:
    """Before a step of it runs; one in the background is kept as failed where it was read at all."""
    response = planned(http, *steps, background=background)
    if background and status == 422:
        assert response.status_code == 202, response.text
        place = f"/v1/tasks/{response.json()['id']}"
        run = until(lambda: http.get(place).json(), lambda run: run["finished"])
        assert (run["status"], run["error"]["code"]) == ("failed", "unprocessable")
        assert not any(one["started"] for one in run["steps"])
        assert message in run["error"]["message"]
    else:
        assert (response.status_code, message in response.json()["error"]["message"]) == (status, True), response.text
