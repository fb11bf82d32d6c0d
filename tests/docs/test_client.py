"""The page on the client: its profile. Its snippets need a cluster and are run in tests/e2e."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoglm.client.profile import read_profile
from tests.snippets import snippets


def test_the_pages_profile_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key of it is one that a profile has."""
    [profile] = snippets("docs/client.md", "toml")
    (tmp_path / "config.toml").write_text(profile.text)
    monkeypatch.setenv("AUTOGLM_HOME", str(tmp_path))
    found = read_profile("work")
    assert found.base_url == "https://glm.example.org/v1"
    assert found.timeout is not None
    assert found.timeout.total == 120
