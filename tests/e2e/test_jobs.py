"""Batch prediction as a user submits it, killed half-way and submitted again."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.e2e.running_cluster import ROOT, Cluster

ROWS = 3000
BAD = {17: "not json at all", 1500: '{"other": 1}'}


def submit(cluster: Cluster, source: Path, target: Path) -> subprocess.Popen[str]:
    """`ray job submit`, on this cluster's dashboard."""
    log = (cluster.home / "up.log").read_text()
    found = re.search(r"dashboard +(http://[\d.:]+)", log)
    assert found
    ray = str(Path(sys.executable).with_name("ray"))
    job = ["python", "-m", "cluster.jobs.predict", "--task", "iris", str(source), str(target)]
    return subprocess.Popen(
        [ray, "job", "submit", "--working-dir", ".", "--", *job],
        cwd=ROOT,
        env=cluster.environment() | {"RAY_AUTH_MODE": "token", "RAY_ADDRESS": found[1]},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_killed_job_resumes_and_loses_no_row(cluster: Cluster, tmp_path: Path) -> None:
    """Each good row is answered once and in order, each bad one is named; the kill leaves no trace."""
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [json.dumps({"input": [5.1, 3.5, 1.4, 0.2 + line % 3]}) for line in range(1, ROWS + 1)]
    source.write_text("\n".join(BAD.get(line, row) for line, row in enumerate(rows, 1)) + "\n")
    first = submit(cluster, source, target)
    deadline = time.monotonic() + 120
    while not (tmp_path / "out.jsonl.checkpoint").exists() and not target.exists():
        assert time.monotonic() < deadline, first.communicate()[0]
        time.sleep(0.05)
    for driver in cluster.processes("cluster.jobs.predict"):
        driver.send_signal(signal.SIGKILL)
    first.communicate(timeout=60)
    if not target.exists():
        output, _ = (second := submit(cluster, source, target)).communicate(timeout=180)
        assert second.returncode == 0, output
    lines = [json.loads(line)["line"] for line in target.read_text().splitlines()]
    assert lines == [line for line in range(1, ROWS + 1) if line not in BAD]
    errors = [json.loads(line) for line in (tmp_path / "out.jsonl.errors.jsonl").read_text().splitlines()]
    assert [error["line"] for error in errors] == list(BAD)
