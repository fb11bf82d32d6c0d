"""A broken stream continued by the real engine."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.e2e.running_cluster import ROOT, Cluster


def test_a_cut_answer_is_continued_to_the_undisturbed_one(cluster: Cluster) -> None:
    """After each event: within emoji and Chinese, and where a stop string holds text back."""
    command = [sys.executable, "-m", "tests.e2e.cut_answers"]
    done = subprocess.run(command, cwd=ROOT, env=cluster.environment(), capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["wrong"] == []
    assert result["cuts"] > 30
