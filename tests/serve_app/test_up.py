"""What `up` does before it starts anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from serve_app import environment
from serve_app.config import ClusterConfig, parse
from serve_app.up import with_health_frontend

IRIS = "tasks: [{name: iris, task: tabular-classification, data: {train: embedded/iris}}]\n"


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """A prepared environment, in the place of the process's."""
    own = {"RAY_SERVE_ENABLE_HA_PROXY": "1"}
    monkeypatch.setattr(os, "environ", own)
    environment.prepare(tmp_path)
    return own


def declared(port: int) -> ClusterConfig:
    return parse(IRIS + f"server: {{grpc_port: {port}}}\n", "f")


def test_health_clients_get_the_declared_port_and_serves_own_frontend_another(environ: dict[str, str]) -> None:
    """HAProxy would not start with two on one; each client's address still reaches the router."""
    [port] = environment.free_ports(1)
    config = with_health_frontend(declared(port))
    assert config.server.grpc_port not in (None, port)
    assert f"127.0.0.1:{port} proto h2" in environ[environment.BALANCE]
    assert environment.proxies_in_front() == 1


def test_without_haproxy_the_declared_port_is_serves(environ: dict[str, str]) -> None:
    """Its Python proxy listens there."""
    environ["RAY_SERVE_ENABLE_HA_PROXY"] = "0"
    assert with_health_frontend(declared(9000)).server.grpc_port == 9000
    assert environ[environment.BALANCE] == environment.EMBEDDED[environment.BALANCE]
