"""`autoglm login`: a server and its key are kept where the client finds them."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoglm.client import AutoClient

Run = Callable[..., Any]


@pytest.fixture
def served(server: Any) -> Any:
    """A server that takes one key."""

    def reply(request: Any) -> None:
        if request.headers["authorization"] == "Bearer ag-good":
            request.answer({"data": [{"id": "chat"}]})
        else:
            request.answer({"error": {"message": "no such key"}}, 401)

    server.replies["/v1/models"] = reply
    return server


@pytest.fixture(autouse=True)
def own_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the environment but the home."""
    monkeypatch.delenv("AUTOGLM_API_KEY")
    monkeypatch.delenv("AUTOGLM_BASE_URL")


def test_the_profile_is_what_the_client_then_uses(run: Run, served: Any, clean_environment: Path) -> None:
    """Readable by its owner alone; the key is piped in and printed nowhere."""
    result = run("login", "--base-url", served.base_url, stdin="ag-good\n")
    assert result.exit_code == 0, result.output
    assert "ag-good" not in result.output
    assert stat.S_IMODE((clean_environment / "config.toml").stat().st_mode) == 0o600
    with AutoClient() as client:
        assert client.base_url == served.base_url
        assert client.models().data[0].id == "chat"
    assert run("models", "--json").exit_code == 0


def test_a_profile_has_a_name_and_another_can_be_added(run: Run, served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several servers beside each other, the environment's choice not there yet included."""
    monkeypatch.setenv("AUTOGLM_PROFILE", "work")
    words = ["login", "--profile", "work", "--base-url", served.base_url, "--api-key", "ag-good"]
    assert run(*words).exit_code == 0
    with AutoClient() as client:
        assert client.base_url == served.base_url


def test_a_refused_key_is_not_kept(run: Run, served: Any, clean_environment: Path) -> None:
    """A login that does not work is told at once, and changes nothing."""
    result = run("login", "--base-url", served.base_url, stdin="ag-bad\n")
    assert result.exit_code == 1
    assert "no such key" in result.stderr
    assert "ag-bad" not in result.output
    assert not (clean_environment / "config.toml").exists()


@pytest.mark.parametrize("typed", ["", "\n", "two words\n"])
def test_what_is_no_key_is_refused_unseen(run: Run, served: Any, typed: str) -> None:
    """An empty pipe, or a line that holds more than the key."""
    result = run("login", "--base-url", served.base_url, stdin=typed)
    assert result.exit_code == 1
    assert "api_key" in result.stderr
    assert "two words" not in result.output
