"""The environment that is set before Ray, Serve and vLLM are imported."""

from __future__ import annotations

import os
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


def test_the_ports_of_router_replicas_are_two_ranges_below_those_that_anybody_gets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of HTTP and of gRPC, and other ones for another cluster: nobody takes a killed replica's port by chance."""
    for port, other in ((32_768, 32_769), (60_998, 60_999)):
        http, grpc = ranges(monkeypatch, tmp_path, port)
        assert min(http) > 19_999
        assert max(grpc) < 32_768
        assert not {*http, *grpc} & {port for ports in ranges(monkeypatch, tmp_path, other) for port in ports}
        assert not {*http} & {*grpc}


def ranges(monkeypatch: pytest.MonkeyPatch, folder: Path, port: int) -> tuple[range, range]:
    """The ports of HTTP and of gRPC for a cluster that got `port` as its first free one."""
    monkeypatch.setattr(environment, "free_ports", lambda count: list(range(port, port + count)))
    settings = environment.files(folder)
    ports = [[int(settings[f"RAY_SERVE_DIRECT_INGRESS_{end}_{kind}_PORT"]) for end in ("MIN", "MAX")] for kind in KINDS]
    http, grpc = (range(first, last + 1) for first, last in ports)
    return http, grpc
