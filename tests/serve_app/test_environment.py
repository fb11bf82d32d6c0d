"""The environment that is set before Ray, Serve and vLLM are imported."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from serve_app import environment

KINDS = ("HTTP", "GRPC")


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment of the test's own, in the place of the process's."""
    own: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", own)
    return own


def test_what_the_user_has_set_stays(environ: dict[str, str], tmp_path: Path) -> None:
    """Every default can be overridden from outside."""
    environ["RAY_SERVE_ENABLE_HA_PROXY"] = "0"
    environment.prepare(tmp_path)
    assert environ["RAY_SERVE_ENABLE_HA_PROXY"] == "0"
    assert environ["RAY_SERVE_THROUGHPUT_OPTIMIZED"] == "1"


def test_bytecode_is_written_whatever_the_shell_says(environ: dict[str, str], tmp_path: Path) -> None:
    """Otherwise every start would compile torch and vLLM again."""
    environ["PYTHONDONTWRITEBYTECODE"] = "1"
    environment.prepare(tmp_path)
    assert "PYTHONDONTWRITEBYTECODE" not in environ


def test_two_clusters_on_a_machine_share_no_file_and_no_port_of_haproxy(tmp_path: Path) -> None:
    """Its sockets and state lie in a folder of the cluster's own; the proxy that it falls back to is the cluster's."""
    settings = environment.files(tmp_path)
    paths = [value for name, value in settings.items() if not name.endswith("_PORT")]
    assert all(Path(path).is_relative_to(tmp_path) for path in paths)
    ports = [value for name, value in settings.items() if name.endswith("_PORT")]
    assert len(set(ports)) == len(ports) == 8
    assert {"RAY_SERVE_FALLBACK_PROXY_HTTP_PORT", "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT"} <= settings.keys()


def test_the_ports_of_clusters_are_apart_and_below_those_that_anybody_gets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """So that none is taken by chance between its choice and its use, nor while a killed replica's is free."""
    ports: list[int] = []
    for first in environment.FIRST_PORTS:
        monkeypatch.setattr(environment, "FIRST_PORTS", [first])
        ports += ports_of(tmp_path)
    assert min(ports) > 19_999
    assert max(ports) < 32_768
    assert len(set(ports)) == len(ports) == 60 * environment.BLOCK


@pytest.mark.parametrize("taken", range(environment.PROXIES))
def test_another_clusters_ports_are_other_ones(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    """A block of which somebody listens on a proxy's port is passed over."""
    first = environment.free_block()
    with socket.create_server(("127.0.0.1", first + taken)):
        second = environment.free_block()
        monkeypatch.setattr(environment, "FIRST_PORTS", [first, second])
        assert {environment.free_block() for _ in range(20)} == {second}


def ports_of(folder: Path) -> list[int]:
    """A cluster's: of router replicas for HTTP and for gRPC, and of the proxies."""
    settings = {name: int(value) for name, value in environment.files(folder).items() if name.endswith("_PORT")}
    ends = [[settings.pop(f"RAY_SERVE_DIRECT_INGRESS_{end}_{kind}_PORT") for end in ("MIN", "MAX")] for kind in KINDS]
    return [port for first, last in ends for port in range(first, last + 1)] + list(settings.values())
