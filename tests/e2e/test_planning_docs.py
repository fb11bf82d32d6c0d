"""The snippets of the pages on planning, tools and permissions that need a cluster, as they are printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.running_cluster import Cluster
from tests.snippets import Snippet, expect, run, snippets

PAGES = ("docs/planning.md", "docs/tools.md", "docs/permissions.md")
CALLING = [found for page in PAGES for found in snippets(page, "python", "bash") if "@autoglm.tool" not in found.text]
EXPECTED = [
    # planning
    ["434", "days_between", "calculate"],
    ["434", "days_between", "43", '"status":"succeeded"'],
    ["It is 434."],
    ["1 plan", "step_started", "answer"],
    ["43", "['succeeded']"],
    ["43", "run_"],
    ["waiting plan", "434"],
    # tools
    ["calculate -", "2024-03-01"],
    ["convert_time", "16:00", '"result":{"value":391}'],
    ["days", "registered no more"],
    ["run_task", "predict_sentiment", "calculate", "391"],
    # permissions
    ["calculate"],
    ["convert_*"],
    ["outcome"],
]


@pytest.fixture
def folder(cluster: Cluster, tmp_path: Path) -> Path:
    """A reader's home, whose .autoglm is the cluster's, and working directory."""
    (tmp_path / ".autoglm").symlink_to(cluster.home)
    return tmp_path


def test_every_snippet_is_expected() -> None:
    """A snippet that is added gets a line in EXPECTED."""
    assert len(CALLING) == len(EXPECTED)


@pytest.mark.parametrize(("snippet", "words"), list(zip(CALLING, EXPECTED, strict=False)))
def test_a_snippet_gives_what_its_page_says(cluster: Cluster, folder: Path, snippet: Snippet, words: list[str]) -> None:
    """Each in a process of its own."""
    expect(words, run(snippet, folder, cluster.url))
