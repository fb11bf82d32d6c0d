"""Registered tasks by the sync and the async client alike, against the real admin API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from autoglm import errors
from tests.autoglm.admin_server import AdminServer
from tests.cluster.control.saved_task import members, saved, zipped

pytestmark = pytest.mark.usefixtures("clean_environment")

Connect = Callable[..., Any]
CARD = {
    "name": "flowers",
    "version": "v1",
    "task": "tabular-classification",
    "model": "m",
    "sha256": "0" * 64,
    "created": "2026-03-01T00:00:00Z",
    "status": "running",
}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "task.zip"
    path.write_bytes(zipped(members(saved(tmp_path / "task"))))
    return path


def test_a_task_is_registered_listed_shown_and_deleted(
    connect: Connect, admin_server: AdminServer, archive: Path
) -> None:
    """Its whole life; the same content again is the same version."""
    admin = connect(api_key=admin_server.secret, base_url=admin_server.base_url).admin
    card = admin.register_task("flowers", "v1", archive)
    assert (card.status, card.labels) == ("registered", ("a", "b", "c"))
    assert admin.register_task("flowers", "v1", archive).sha256 == card.sha256
    admin.register_task("weeds", "v1", archive)
    assert admin.task("flowers", "v1").status == "running"
    assert [found.name for found in admin.tasks()] == ["flowers", "weeds"]
    assert [found.name for found in admin.tasks("weeds")] == ["weeds"]
    admin.delete_task("flowers", "v1")
    with pytest.raises(errors.NotFoundError, match="flowers v1 is not registered"):
        admin.delete_task("flowers", "v1")


def test_a_file_is_sent_whole_at_each_attempt(connect: Connect, tmp_path: Path) -> None:
    """With its length and type; an attempt that failed has used nothing up."""
    content = bytes(range(256)) * 4096
    (tmp_path / "a.zip").write_bytes(content)
    received: list[httpx.Request] = []

    def network(request: httpx.Request) -> httpx.Response:
        received.append(request)
        return httpx.Response(202, json=CARD) if len(received) == 3 else httpx.Response(503)

    connect(network, api_key="ag-x").admin.register_task("flowers", "v1", tmp_path / "a.zip")
    assert [request.content for request in received] == [content] * 3
    assert {request.headers["content-type"] for request in received} == {"application/zip"}
    assert {request.headers["content-length"] for request in received} == {str(len(content))}
    assert received[0].url.path == "/admin/v1/tasks/flowers/versions/v1"


def test_a_list_is_asked_for_page_by_page(connect: Connect) -> None:
    """Each page from the last version of the one before."""
    asked = []

    def network(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        return httpx.Response(200, json={"data": [CARD], "has_more": len(asked) < 3})

    assert len(list(connect(network, api_key="ag-x").admin.tasks("flowers"))) == 3
    assert asked == [{"name": "flowers"}, *[{"name": "flowers", "after": "flowers/v1"}] * 2]


def test_a_deletion_is_not_repeated(connect: Connect) -> None:
    """After a lost answer the second would say that there is no such version."""
    sent = []

    def network(request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        raise httpx.ReadError("the connection broke")

    with pytest.raises(errors.APIConnectionError):
        connect(network, api_key="ag-x").admin.delete_task("a/b", "v1")
    assert sent == ["DELETE"]
