"""`/admin/v1/tasks` over a real database and real folders; a dict takes Serve's place."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Request

from autoglm.contract.scope import Scope
from autoglm.errors import AuthenticationError, BadRequestError
from cluster.control.api import build_admin
from cluster.control.applications import State
from cluster.control.database import Database
from cluster.control.routes import tasks, upload
from cluster.control.store import Store
from deployments.access.principal import Principal
from tests.cluster.control.saved_task import members, saved, zipped

PLACE = "/tasks/flowers/versions/v1"
ZIP = {"content-type": "application/zip"}


def authenticate(request: Request) -> Principal:
    """The scopes that the test sends."""
    scopes = request.headers.get("x-scopes")
    if scopes is None:
        raise AuthenticationError("authorization: no key was sent", param="authorization")
    return Principal(kind="key", id="key_0", tenant="ops", scopes=tuple(map(Scope, scopes.split())))


class Api:
    """The application, a client of an administrator, and what Serve would tell."""

    def __init__(self, database: Database, now: datetime, root: Path) -> None:
        self.root = root
        self.states: dict[str, State] = {}
        app = build_admin(
            database, authenticate, clock=lambda: now, store=Store(root), states=lambda: dict(self.states)
        )
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test/admin/v1", headers={"x-scopes": "admin"}
        )

    async def put(self, content: Any, place: str = PLACE, headers: dict[str, str] = ZIP) -> httpx.Response:
        return await self.client.put(place, content=content, headers=headers)

    async def fault(self, status: int, response: httpx.Response) -> dict[str, Any]:
        assert response.status_code == status, response.text
        fault: dict[str, Any] = response.json()["error"]
        return fault

    async def ok(self, method: str, path: str, **request: Any) -> Any:
        response = await self.client.request(method, path, **request)
        assert response.is_success, response.text
        return response.json()

    async def actions(self) -> list[tuple[str, str]]:
        return [(entry["action"], entry["object"]) for entry in (await self.ok("GET", "/audit"))["data"]]

    def left(self) -> list[str]:
        """What lies in the root beside the lock."""
        return sorted(path.name for path in self.root.glob("*") if path.name != ".lock")


@pytest.fixture
def api(database: Database, now: datetime, tmp_path: Path) -> Api:
    return Api(database, now, tmp_path / "registered")


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    return zipped(members(saved(tmp_path / "task")))


async def test_a_saved_task_is_registered(api: Api, archive: bytes, tmp_path: Path) -> None:
    """The files lie where they are deployed from, as they were saved, and nothing is left of the upload."""
    response = await api.put(archive)
    card = response.json()
    assert response.status_code == 202
    sha256 = card.pop("sha256")
    assert card == {
        "name": "flowers",
        "version": "v1",
        "task": "tabular-classification",
        "model": "tabular-classification",
        "created": "2026-03-01T12:00:20Z",
        "status": "registered",
        "message": "",
        "labels": ["a", "b", "c"],
    }
    assert len(sha256) == 64
    assert members(api.root / "flowers" / "v1") == members(tmp_path / "task")
    assert api.left() == ["flowers"]
    assert await api.ok("GET", PLACE) == card | {"sha256": sha256}
    assert await api.actions() == [("tasks.register", "flowers/v1")]


async def test_the_same_content_again_changes_nothing(api: Api, archive: bytes, tmp_path: Path) -> None:
    """200 and the same card, however it is packed; files that were lost are put back."""
    first = (await api.put(archive)).json()
    repacked = zipped(dict(sorted(members(tmp_path / "task").items(), reverse=True)), compression=8)
    for path in (api.root / "flowers" / "v1").iterdir():
        path.unlink()
    (api.root / "flowers" / "v1").rmdir()
    again = await api.put(repacked)
    assert (again.status_code, again.json()) == (200, first)
    assert members(api.root / "flowers" / "v1") == members(tmp_path / "task")
    assert await api.actions() == [("tasks.register", "flowers/v1")]


async def test_other_content_is_a_conflict_and_changes_nothing(api: Api, archive: bytes, tmp_path: Path) -> None:
    """Neither row nor files."""
    await api.put(archive)
    other = zipped(members(saved(tmp_path / "other", seed=1)))
    fault = await api.fault(409, await api.put(other))
    assert (fault["code"], fault["param"]) == ("conflict", "version")
    assert members(api.root / "flowers" / "v1") == members(tmp_path / "task")
    assert api.left() == ["flowers"]
    assert (await api.put(other, "/tasks/flowers/versions/v2")).status_code == 202


async def test_uploads_of_two_contents_at_once_leave_one(api: Api, archive: bytes, tmp_path: Path) -> None:
    """Row and files of the same."""
    contents = [archive, zipped(members(saved(tmp_path / "other", seed=1)))]
    responses = await asyncio.gather(*map(api.put, contents))
    assert sorted(response.status_code for response in responses) == [202, 409]
    winner = ("task", "other")[[response.status_code for response in responses].index(202)]
    assert members(api.root / "flowers" / "v1") == members(tmp_path / winner)


async def test_the_status_is_that_of_the_application(api: Api, archive: bytes) -> None:
    """With what Serve says of a failure, in the card and in the list."""
    await api.put(archive)
    for state in (State("deploying"), State("running"), State("failed", "no module named torch")):
        api.states["model-flowers-v1"] = state
        card = await api.ok("GET", PLACE)
        assert (card["status"], card["message"]) == (state.status, state.message)
        assert (await api.ok("GET", "/tasks"))["data"] == [card]
    again = await api.put(archive)
    assert (again.status_code, again.json()["status"]) == (200, "failed")


async def test_a_version_of_the_clusters_file_is_not_taken_over(api: Api, archive: bytes) -> None:
    """An application that runs without having been registered is another's."""
    api.states["model-flowers-v1"] = State("running")
    fault = await api.fault(409, await api.put(archive))
    assert "served already" in fault["message"]
    assert api.left() == []
    assert await api.actions() == []


async def test_a_deleted_version_is_gone_with_its_files(api: Api, archive: bytes) -> None:
    """A second time it is not found."""
    await api.put(archive)
    assert (await api.ok("DELETE", PLACE))["name"] == "flowers"
    assert list((api.root / "flowers").iterdir()) == []
    await api.fault(404, await api.client.delete(PLACE))
    await api.fault(404, await api.client.get(PLACE))
    assert await api.actions() == [("tasks.delete", "flowers/v1"), ("tasks.register", "flowers/v1")]


async def test_versions_are_listed_in_pages(api: Api, archive: bytes) -> None:
    """Of all names or of one, from the last one seen."""
    for place in ("a/versions/v1", "a/versions/v2", "b/versions/v1"):
        assert (await api.put(archive, f"/tasks/{place}")).status_code == 202
    first = await api.ok("GET", "/tasks", params={"limit": 2})
    then = await api.ok("GET", "/tasks", params={"after": "a/v2"})
    assert [(card["name"], card["version"]) for card in first["data"]] == [("a", "v1"), ("a", "v2")]
    assert (first["has_more"], then["has_more"]) == (True, False)
    assert [card["name"] for card in then["data"]] == ["b"]
    assert len((await api.ok("GET", "/tasks", params={"name": "a"}))["data"]) == 2


@pytest.mark.parametrize(("scopes", "status"), [(None, 401), ("chat predict tasks", 403)])
async def test_only_administrators_are_let_in(api: Api, archive: bytes, scopes: str | None, status: int) -> None:
    """Nothing of another's upload is even received."""
    api.client.headers.pop("x-scopes")
    api.client.headers.update({} if scopes is None else {"x-scopes": scopes})
    await api.fault(status, await api.put(archive))
    for method, path in (("GET", "/tasks"), ("GET", PLACE), ("DELETE", PLACE)):
        await api.fault(status, await api.client.request(method, path))
    assert api.left() == []


@pytest.mark.parametrize(
    ("place", "param"),
    [
        ("/tasks/Flowers/versions/v1", "name"),
        ("/tasks/../versions/v1", None),
        ("/tasks/%2e%2e/versions/v1", "name"),
        ("/tasks/.partial-x/versions/v1", "name"),
        ("/tasks/a%00b/versions/v1", "name"),
        ("/tasks/flowers/versions/..", None),
        ("/tasks/flowers/versions/%2e%2e", "version"),
        ("/tasks/flowers/versions/.", None),
        ("/tasks/flowers/versions/v1%0a", "version"),
        ("/tasks/flowers/versions/" + "v" * 64, "version"),
        ("/tasks/a%2f..%2f..%2fb/versions/v1", None),
    ],
)
async def test_a_place_that_is_none_is_refused(api: Api, archive: bytes, place: str, param: str | None) -> None:
    """Names become folders, so only plain ones are taken."""
    # As it is written, where httpx would take the dots away.
    url = httpx.URL("http://test").copy_with(raw_path=b"/admin/v1" + place.encode())
    response = await api.client.put(url, content=archive, headers=ZIP)
    assert response.status_code in (400, 404), response.text
    assert response.json()["error"]["param"] == param
    assert api.left() == []


@pytest.mark.parametrize(
    "query", ["after=a", "after=../v1", "name=A", "limit=0", "limit=1001", "versions=1", "after=a/v1/x"]
)
async def test_a_wrong_query_is_told_by_field(api: Api, query: str) -> None:
    """400, with the parameter."""
    fault = await api.fault(400, await api.client.get(f"/tasks?{query}"))
    assert fault["param"] == query.partition("=")[0]


async def test_what_is_no_saved_task_is_refused(api: Api, tmp_path: Path) -> None:
    """422, and nothing is registered or left."""
    task = members(saved(tmp_path / "task"))
    for content in (b"", b"no zip", zipped(task | {"head.safetensors": b"x"}), zipped(task | {"model/x.pt": b""})):
        fault = await api.fault(422, await api.put(content))
        assert (fault["code"], fault["param"]) == ("unprocessable", "archive")
    assert api.left() == []
    assert (await api.ok("GET", "/tasks"))["data"] == []


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/json"}, {"content-type": "multipart/form-data"}])
async def test_another_media_type_is_refused(api: Api, archive: bytes, headers: dict[str, str]) -> None:
    """415, with the one that is taken."""
    fault = await api.fault(415, await api.put(archive, headers=headers))
    assert "send application/zip" in fault["message"]


@pytest.mark.parametrize("told", [True, False])
async def test_too_large_a_body_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch, told: bool) -> None:
    """At once where its length is told, else once it is reached."""
    monkeypatch.setattr(tasks, "MAX_ARCHIVE_BYTES", 3_000_000)
    taken = []

    async def body() -> AsyncIterator[bytes]:
        for _ in range(100):
            taken.append(1)
            yield bytes(1_000_000)

    headers = ZIP | ({"content-length": "100000000"} if told else {})
    fault = await api.fault(413, await api.put(body(), headers=headers))
    assert "more than 3,000,000 bytes" in fault["message"]
    assert len(taken) == (0 if told else 4)
    assert api.left() == []


async def test_a_body_is_streamed_in_bounded_memory(tmp_path: Path) -> None:
    """64 MB pass through a few."""

    async def receive() -> dict[str, Any]:
        nonlocal pieces
        pieces -= 1
        return {"type": "http.request", "body": bytes(65_536), "more_body": pieces > 0}

    pieces = 1000
    request = Request({"type": "http", "headers": [(b"content-type", b"application/zip")]}, receive)
    tracemalloc.start()
    await upload.receive(request, tmp_path / "a.zip", media_type="application/zip", max_bytes=10**9)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "a.zip").stat().st_size == 65_536_000
    assert peak < 8_000_000


async def test_a_body_that_breaks_off_or_stalls_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds one of the few places."""
    monkeypatch.setattr(upload, "SILENCE_S", 0.01)
    scope = {"type": "http", "headers": [(b"content-type", b"application/zip")]}

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def silent() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    for receive, message in ((gone, "the connection broke"), (silent, "nothing came for")):
        with pytest.raises(BadRequestError, match=message):
            await upload.receive(Request(scope, receive), tmp_path / message, media_type="application/zip", max_bytes=9)


async def test_more_uploads_than_a_few_come_back_later(api: Api, archive: bytes) -> None:
    """503 with when; those under way are not touched."""
    begun, go = asyncio.Queue[None](), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        begun.put_nowait(None)
        await go.wait()
        yield archive

    under_way = [asyncio.create_task(api.put(slow(), f"/tasks/a/versions/v{i}")) for i in range(tasks.MAX_UPLOADS)]
    for _ in under_way:
        await begun.get()
    refused = await api.put(archive)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    go.set()
    assert [(await response).status_code for response in under_way] == [202, 202]


async def test_a_registration_without_its_audit_is_not_made(
    api: Api, archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are one transaction, and the files are not placed."""

    def broken(*_: Any) -> None:
        raise KeyError("audit")

    with monkeypatch.context() as patched:
        patched.setattr("cluster.control.audit.record", broken)
        with pytest.raises(KeyError):
            await api.put(archive)
    assert (await api.ok("GET", "/tasks"))["data"] == []
    assert api.left() == []
