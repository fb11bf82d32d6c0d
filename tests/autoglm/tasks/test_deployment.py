"""`AutoTask.deploy`, over loopback to the real admin API; what Serve would do is told by the test."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from autoglm import errors
from autoglm.client import AutoClient, Clock, RetryPolicy
from autoglm.tasks import AutoTask, deployment
from autoglm.tasks.deployment import Deployment
from cluster.control.applications import State
from tests.autoglm.admin_server import AdminServer

IRIS: dict[str, Any] = {"name": "flowers", "task": "auto", "data": {"train": "embedded/iris"}}
TEXT: dict[str, Any] = {"task": "text-classification", "labels": ["a", "b"]}


class Network(httpx.HTTPTransport):
    """The network, with `/v1/models` as a router would answer it, and uploads whose answers are lost."""

    def __init__(self) -> None:
        super().__init__()
        self.served: dict[str, list[str]] = {}
        self.lost = 0
        self.sent: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request.method)
        if request.url.path == "/v1/models":
            data = [{"id": name, "versions": versions} for name, versions in self.served.items()]
            return httpx.Response(200, json={"object": "list", "data": data})
        response = super().handle_request(request)
        if request.method == "PUT" and self.lost:
            self.lost -= 1
            response.close()
            raise httpx.ReadError("the connection broke", request=request)
        return response


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def client(home: Path, admin_server: AdminServer, network: Network) -> Iterator[AutoClient]:
    """An administrator's client that does not wait before it tries again."""
    retry = RetryPolicy(base_s=0)
    with AutoClient(admin_server.secret, admin_server.base_url, transport=network, retry=retry) as client:
        yield client


@pytest.fixture
def iris() -> AutoTask:
    return AutoTask.from_config(IRIS)


def test_a_fitted_task_becomes_a_version_that_gives_the_same_numbers(
    client: AutoClient, iris: AutoTask, home: Path
) -> None:
    """Fitted on the way if need be; what lies on the server answers as the task does here."""
    steps: list[str] = []
    card = iris.deploy(client, progress=steps.append)
    assert (card.name, card.version, card.task, card.status) == ("flowers", "v1", "tabular-classification", "running")
    assert card.labels == iris.labels == ("setosa", "versicolor", "virginica")
    assert [step.partition(":")[0] for step in steps] == [
        "fitting a head on 150 rows",
        "uploading flowers v1",
        "flowers v1 is registered",
        "flowers v1 is running",
    ]
    there = AutoTask.load(home / "registered" / "flowers" / "v1")
    row = [5.1, 3.5, 1.4, 0.2]
    assert there.predict(row) == iris.predict(row)


def test_the_version_is_the_next_free_one(client: AutoClient, iris: AutoTask, network: Network) -> None:
    """Above what is registered, and above what the cluster's file declares."""
    assert [iris.deploy(client).version for _ in range(2)] == ["v1", "v2"]
    network.served = {"flowers": ["v7", "old"], "weeds": ["v9"]}
    assert iris.deploy(client).version == "v8"
    assert iris.deploy(client, "weeds", "old-1.2").version == "old-1.2"
    assert [card.version for card in client.admin.tasks("flowers")] == ["v1", "v2", "v8"]


def test_an_upload_whose_answer_was_lost_is_sent_again(client: AutoClient, iris: AutoTask, network: Network) -> None:
    """The whole file again, and no second version: the same content is the same."""
    network.lost = 1
    assert iris.deploy(client).version == "v1"
    assert network.sent.count("PUT") == 2
    assert len(list(client.admin.tasks())) == 1


def test_the_same_content_again_is_the_same_version_and_other_content_a_conflict(
    client: AutoClient, iris: AutoTask, home: Path
) -> None:
    """A version never changes what it is."""
    first = iris.deploy(client, version="v1")
    assert iris.deploy(client, version="v1") == first
    other = AutoTask.from_config({**IRIS, "data": {"train": "embedded/wine"}})
    with pytest.raises(errors.ConflictError, match="other content; take another version"):
        other.deploy(client, version="v1")


def test_a_version_that_fails_raises_with_what_the_server_says(
    client: AutoClient, iris: AutoTask, admin_server: AdminServer
) -> None:
    """Its card stays, and can be taken away."""
    admin_server.fates = [State("deploying"), State("failed", "no space on the device")]
    with pytest.raises(errors.ModelError, match="flowers v1 failed on the cluster: no space on the device"):
        iris.deploy(client, wait_s=60)
    assert client.admin.task("flowers", "v1").message == "no space on the device"
    client.admin.delete_task("flowers", "v1")
    with pytest.raises(errors.NotFoundError):
        client.admin.task("flowers", "v1")


def test_it_is_waited_for_until_it_runs_and_no_longer_than_asked(
    client: AutoClient, iris: AutoTask, admin_server: AdminServer
) -> None:
    """A look each second on the client's clock; then a time-out that says how it stands."""
    waits: list[float] = []
    clock = Clock(lambda: sum(waits), waits.append)
    admin_server.fates = [State("deploying"), State("deploying"), State("running")]
    assert Deployment(client, "flowers", None, 60, print, clock).run(iris).status == "running"
    assert waits == [1, 1, 1]
    admin_server.fates = [State("deploying")]
    with pytest.raises(errors.APITimeoutError, match=r"flowers v2 is deploying and did not run within 2\.5 s"):
        Deployment(client, "flowers", None, 2.5, print, clock).run(iris)
    assert waits[3:] == [1, 1, 0.5]


def test_a_cluster_that_refuses_is_heard_of_before_anything_is_fitted(
    iris: AutoTask, admin_server: AdminServer, home: Path
) -> None:
    """A fit may take an hour."""
    _, secret = admin_server.add_key("ci", "predict")
    with AutoClient(secret, admin_server.base_url) as client, pytest.raises(errors.PermissionDeniedError):
        iris.deploy(client)
    assert not (home / "heads").exists()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({}, r"name: missing; give deploy\(\) a name"),
        ({"name": "Flowers"}, "name: got 'Flowers'; 1 to 63 small letters, digits and dashes do"),
        ({"name": "a/b"}, "name: got 'a/b'"),
        ({"name": "a\n"}, "name: got"),
        ({"name": "a", "version": "../b"}, r"version: got '\.\./b'; .* or dots do"),
    ],
)
def test_a_wrong_name_or_version_is_refused_here(place: dict[str, str], message: str) -> None:
    """Before any request: this client would find nobody."""
    task = AutoTask.from_config({**IRIS, "name": None})
    with AutoClient("ag-x", "http://127.0.0.1:1") as client, pytest.raises(errors.ConfigError, match=message):
        task.deploy(client, **place)


def test_a_task_that_no_predictor_answers_is_refused_with_what_to_do(client: AutoClient) -> None:
    """By the server, which knows."""
    task = AutoTask.from_config({"task": "embedding", "model": "someone/encoder"})
    with pytest.raises(errors.UnprocessableEntityError, match="declare it under `models`"):
        task.deploy(client, "vectors")


def test_a_model_that_only_this_machine_has_is_refused(
    client: AutoClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of the working directory would be taken for a hub's model there; a path is for the server to know."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "encoder").mkdir()
    with pytest.raises(errors.ConfigError, match="model: encoder is a folder of this machine"):
        AutoTask.from_config({**TEXT, "model": "encoder"}).deploy(client, "reviews")
    with pytest.raises(errors.UnprocessableEntityError, match="'/not/there'; embedded/NAME"):
        AutoTask.from_config({**TEXT, "model": "/not/there"}).deploy(client, "reviews")
    assert list(client.admin.tasks()) == []


def test_too_large_a_task_is_not_uploaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server would take none of it; stored as it is, its size is that of its files."""
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "head.safetensors").write_bytes(bytes(10_000))
    archive = deployment.packed(tmp_path / "task", tmp_path / "a.zip")
    with zipfile.ZipFile(archive) as packed:
        assert [(info.filename, info.compress_size) for info in packed.infolist()] == [("head.safetensors", 10_000)]
    monkeypatch.setattr(deployment, "MAX_ARCHIVE_BYTES", 9_999)
    with pytest.raises(errors.ModelError, match="a cluster takes at most 9,999"):
        deployment.packed(tmp_path / "task", tmp_path / "b.zip")


def test_nothing_is_left_in_the_temporary_folder(
    client: AutoClient, iris: AutoTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the copy nor the archive."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    iris.deploy(client)
    assert list((tmp_path / "temporary").iterdir()) == []
    assert json.loads((tmp_path / "home" / "registered" / "flowers" / "v1" / "task.json").read_text())["name"]
