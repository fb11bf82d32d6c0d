"""The page on tools: its file, its functions, its figures, and what it administers. The rest is in tests/e2e."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from deployments.tools.config import ToolEntry
from deployments.tools.embedded.names import EmbeddedName
from serve_app.config import parse
from serve_app.mcp import PATH
from tests.autoglm.admin_server import running
from tests.snippets import ROOT, expect, run, snippets

PAGE = "docs/tools.md"
TEXT = " ".join((ROOT / PAGE).read_text().split())


def test_the_file_is_one_that_a_cluster_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is printed, with a source of each kind."""
    monkeypatch.chdir(tmp_path)
    [file] = snippets(PAGE, "yaml")
    tools = {tool.name: tool for tool in parse(file.text, PAGE).tools}
    assert [tool.mcp is not None for tool in tools.values()].count(True) == 2
    assert tools["crm"].openapi is not None
    assert tools["orders"].needs_approval


def test_marked_functions_stay_functions(tmp_path: Path) -> None:
    """The page's module runs by itself, and both of its functions can be called."""
    [code] = [found for found in snippets(PAGE, "python") if "@autoglm.tool" in found.text]
    expect(["{'time': '", "['a', 'b']"], run(code, tmp_path))


@pytest.mark.parametrize("name", [*get_args(EmbeddedName), PATH])
def test_every_embedded_tool_is_on_the_page(name: str) -> None:
    """A new one is documented."""
    assert f"`{name}`" in TEXT


def test_the_bounds_are_the_codes() -> None:
    """A reader sizes by them."""
    entry = ToolEntry(name="x", embedded="calculate")
    assert f"| `timeout_s` of a call, with its time in the queue | {entry.timeout_s:.0f} |" in TEXT
    assert f"on each replica | {entry.max_concurrency}, none |" in TEXT
    assert (entry.calls_per_minute, entry.needs_approval) == (None, False)
    assert entry.max_argument_bytes == entry.max_result_bytes == 1024 * 1024


def test_tools_are_added_and_deleted_as_the_page_says(tmp_path: Path) -> None:
    """Against the real admin API."""
    [commands] = snippets(PAGE, "bash", heading="Loaded while the cluster runs")
    with running(tmp_path) as server:
        (tmp_path / ".autoglm").mkdir()
        (tmp_path / ".autoglm" / "key").write_text(server.secret)
        expect(["days", "registered no more"], run(commands, tmp_path, server.base_url.removesuffix("/v1")))
