"""One cluster for the session: `python -m serve_app up` as a newcomer starts it, with the real models."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from autoglm import AutoClient
from serve_app.environment import free_ports
from tests.e2e.registry import Registry
from tests.e2e.running_cluster import ROOT, Cluster, await_ready


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The embedded default, ready; ended like a newcomer ends it, by Ctrl-C's signal."""
    home = tmp_path_factory.mktemp("home")
    log = home / "up.log"
    [port] = free_ports(1)
    command = [sys.executable, "-m", "serve_app", "up", "--port", str(port)]
    with log.open("wb") as output:
        environment = os.environ | {"AUTOGLM_HOME": str(home)}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}"
    try:
        await_ready(url, process, log)
        yield Cluster(url, home, psutil.Process(process.pid))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=90)


@pytest.fixture
def http(cluster: Cluster) -> Iterator[httpx.Client]:
    """A plain HTTP client with the key."""
    with cluster.http() as client:
        yield client


@pytest.fixture
def client(cluster: Cluster) -> Iterator[AutoClient]:
    """The SDK's client."""
    with cluster.client() as client:
        yield client


@pytest.fixture
def registry(http: httpx.Client) -> Iterator[Registry]:
    """Tools and grants for one test."""
    registry = Registry(http)
    yield registry
    registry.clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the cluster and the models, and the first test waits for both."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(600))
