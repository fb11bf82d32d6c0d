"""The snippets of the pages that need a cluster, as they are printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoglm import AutoClient
from tests.e2e.running_cluster import Cluster
from tests.snippets import expect, run, snippets

CLIENT, TASKS = "docs/client.md", "docs/tasks.md"
CALLING = snippets(CLIENT, "python")
EXPECTED = [["Paris", "positive"], [], [], ["positive\nnegative\n2"], ["/v1/models 200 0."]]


@pytest.fixture
def folder(cluster: Cluster, tmp_path: Path) -> Path:
    """A reader's home, whose .autoglm is the cluster's, and working directory."""
    (tmp_path / ".autoglm").symlink_to(cluster.home)
    return tmp_path


def test_every_snippet_is_expected() -> None:
    """A snippet that is added gets a line in EXPECTED."""
    assert len(CALLING) == len(EXPECTED)


@pytest.mark.parametrize("index", range(len(EXPECTED)))
def test_a_client_does_what_the_page_says(cluster: Cluster, folder: Path, index: int) -> None:
    """Each snippet in a process of its own."""
    (folder / "films.txt").write_text("a wonderful film\na waste of an evening\n")
    expect(EXPECTED[index], run(CALLING[index], folder, cluster.url))


def test_a_task_file_is_deployed_as_the_page_says(cluster: Cluster, folder: Path, client: AutoClient) -> None:
    """From Python, then a second version from the command line; the data are those that the page writes."""
    (folder / "reviews.yaml").write_text(snippets(TASKS, "yaml")[0].text)
    python, bash = snippets(TASKS, "python", "bash", heading="Deploy")
    try:
        expect([], run(snippets(TASKS, "python")[0], folder, cluster.url))
        expect(["reviews v1 running", "good good"], run(python, folder, cluster.url))
        expect(["reviews v2 runs", "good"], run(bash, folder, cluster.url))
    finally:
        for card in list(client.admin.tasks("reviews")):
            client.admin.delete_task(card.name, card.version)
