"""A small part of the fault lab, on a cluster of its own with the mock engine; `make chaos` is all of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.e2e.running_cluster import ROOT

FAULTS = ("replica killed", "replica stopped", "router killed")


def test_nothing_is_lost_or_doubled_while_replicas_and_routers_die(tmp_path: Path) -> None:
    """Every answer is the undisturbed one, word for word, or a documented error; the lab's status says so."""
    command = [sys.executable, "-m", "benchmarks.chaos", "--kills=4", "--times=1"]
    for fault in FAULTS:
        command += ["--only", fault]
    environment = os.environ | {"AUTOGLM_HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr + done.stdout
    assert all(f"| {fault} |" in done.stdout for fault in FAULTS)
