"""The command line, run in this process against the loopback server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from autoglm.cli.app import command_line

Run = Callable[..., Any]


@pytest.fixture
def run(server: Any, clean_environment: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("models", "--json")`; the server's address and a key are in the environment."""
    monkeypatch.setenv("AUTOGLM_BASE_URL", server.base_url)
    monkeypatch.setenv("AUTOGLM_API_KEY", "ag-secret")
    app = command_line()

    def invoke(*words: str, stdin: str | bytes = "") -> Any:
        return CliRunner().invoke(app, words, input=stdin)

    return invoke


@pytest.fixture
def administer(run: Run, admin_server: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same for the real admin API, with an administrator's key."""
    monkeypatch.setenv("AUTOGLM_BASE_URL", admin_server.base_url)
    monkeypatch.setenv("AUTOGLM_API_KEY", admin_server.secret)
    return run
