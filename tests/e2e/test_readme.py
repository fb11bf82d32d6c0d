"""The README's snippets, as they are printed, give what the README says."""

from __future__ import annotations

from pathlib import Path

import pytest

from serve_app import config
from tests.e2e.running_cluster import Cluster
from tests.snippets import run, snippets

README = "README.md"
SNIPPETS = [
    *snippets(README, "bash", "python", heading="First answers"),
    *snippets(README, "bash", heading="Instructions"),
    *snippets(README, "python", heading="Tasks"),
]
EXPECTED = [
    ["Paris"],
    ["Paris", "positive"],
    ["Paris", "positive", "(2, 384)"],
    ["positive"],
    ["Paris"],
    ["434"],
    ["accuracy"],
]


def test_every_snippet_is_expected() -> None:
    """A snippet that is added gets a line in EXPECTED."""
    assert len(SNIPPETS) == len(EXPECTED)


@pytest.mark.parametrize("index", range(len(EXPECTED)))
def test_snippet(cluster: Cluster, tmp_path: Path, index: int) -> None:
    """Each block in a process of its own, in a home whose .autoglm is the cluster's."""
    (tmp_path / ".autoglm").symlink_to(cluster.home)
    done = run(SNIPPETS[index], tmp_path, cluster.url)
    for word in EXPECTED[index]:
        assert word in done.stdout, done.stderr


def test_the_file_of_the_readme_is_valid(tmp_path: Path) -> None:
    """Its YAML passes `check` beside the table that it names."""
    [snippet] = snippets(README, "yaml", heading="The file")
    (tmp_path / "flowers.csv").write_text("length,width,species\n1.0,2.0,setosa\n")
    file = tmp_path / "autoglm.yaml"
    file.write_text(snippet.text)
    declared = config.load(file)
    assert [task.name for task in declared.tasks] == ["sentiment", "flowers"]
