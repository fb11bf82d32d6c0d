"""The page on permissions: its file, its figures, and its snippets against the real admin API."""

from __future__ import annotations

from pathlib import Path

from autoglm.contract.scope import KNOWN
from deployments.planner.nanoguard import MAX_WINDOWS, MIN_CHARS, WINDOW
from deployments.tools.isolation.config import IsolationConfig
from deployments.tools.net.config import OutgoingConfig
from serve_app.config import parse
from tests.autoglm.admin_server import running
from tests.snippets import ROOT, expect, run, snippets

PAGE = "docs/permissions.md"
TEXT = " ".join((ROOT / PAGE).read_text().split())


def test_the_files_are_such_as_a_cluster_takes() -> None:
    """As they are printed: each pattern is one of RE2's."""
    granting, scanning = snippets(PAGE, "yaml")
    assert [grant.tool for grant in parse(granting.text, PAGE).grants] == ["calculate", "files.*", "mail"]
    assert parse(scanning.text, PAGE).planner.planning.scanner == "nanoguard"


def test_the_scopes_of_tools_and_tasks_are_on_the_page() -> None:
    """As a key is given them."""
    for scope in ("tasks", "approve", "tools:NAME", "tools:*"):
        assert scope in KNOWN
        assert f"`{scope}`" in TEXT


def test_the_figures_are_the_codes() -> None:
    """A limit that is changed is changed on the page."""
    isolated = IsolationConfig()
    assert f"CPU time ({isolated.cpu_s} s)" in TEXT
    assert f"address space ({isolated.memory_mb:,} MiB)" in TEXT
    assert f"files ({isolated.file_mb} MiB)" in TEXT
    assert f"{MIN_CHARS} characters or more, in passages of {WINDOW}" in TEXT
    assert f"more than {MAX_WINDOWS} is not shown" in TEXT
    assert f"`max_response_bytes`, {OutgoingConfig().max_response_bytes >> 20} MiB" in TEXT


def test_grants_are_made_and_taken_away_as_the_page_says(tmp_path: Path) -> None:
    """By command line and from Python; nobody has called a tool yet."""
    expected = [["acme", "calculate"], ["convert_*"], ["caller", "outcome"]]
    with running(tmp_path) as server:
        (tmp_path / ".autoglm").mkdir()
        (tmp_path / ".autoglm" / "key").write_text(server.secret)
        for snippet, words in zip(snippets(PAGE, "bash", "python"), expected, strict=True):
            expect(words, run(snippet, tmp_path, server.base_url.removesuffix("/v1")))
