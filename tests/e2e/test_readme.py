"""The README's snippets, as they are printed, give what the README says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from serve_app import config
from tests.e2e.running_cluster import ROOT, Cluster

README = (ROOT / "README.md").read_text()
PORT = "http://127.0.0.1:8000"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(heading: str, *languages: str) -> list[tuple[str, str]]:
    """The fenced blocks of a section: language and text."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [found for found in BLOCK.findall(section) if found[0] in languages]


SNIPPETS = blocks("First answers", "bash", "python") + blocks("Tasks", "python")
EXPECTED = [["Paris"], ["Paris", "positive"], ["Paris", "positive", "(2, 384)"], ["positive"], ["Paris"], ["accuracy"]]


def test_every_snippet_is_expected() -> None:
    """A snippet that is added gets a line in EXPECTED."""
    assert len(SNIPPETS) == len(EXPECTED)


@pytest.mark.parametrize("index", range(len(EXPECTED)))
def test_snippet(cluster: Cluster, tmp_path: Path, index: int) -> None:
    """Each block in a process of its own, in a home whose .autoglm is the cluster's."""
    language, text = SNIPPETS[index]
    (tmp_path / ".autoglm").symlink_to(cluster.home)
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {**os.environ, "HOME": str(tmp_path), "PATH": path, "AUTOGLM_BASE_URL": f"{cluster.url}/v1"}
    environment.pop("AUTOGLM_HOME", None)
    interpreter = [sys.executable, "-c"] if language == "python" else ["bash", "-c"]
    command = [*interpreter, text.replace(PORT, cluster.url)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment, cwd=tmp_path)
    for word in EXPECTED[index]:
        assert word in done.stdout, done.stderr


def test_the_file_of_the_readme_is_valid(tmp_path: Path) -> None:
    """Its YAML passes `check` beside the table that it names."""
    [(_, text)] = blocks("The file", "yaml")
    (tmp_path / "flowers.csv").write_text("length,width,species\n1.0,2.0,setosa\n")
    file = tmp_path / "autoglm.yaml"
    file.write_text(text)
    declared = config.load(file)
    assert [task.name for task in declared.tasks] == ["sentiment", "flowers"]
