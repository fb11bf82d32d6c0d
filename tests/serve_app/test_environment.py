"""The environment that is set before Ray, Serve and vLLM are imported."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from serve_app import environment


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
    assert len(set(ports)) == len(ports) == 4
    assert {"RAY_SERVE_FALLBACK_PROXY_HTTP_PORT", "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT"} <= settings.keys()
