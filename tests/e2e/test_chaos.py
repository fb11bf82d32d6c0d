"""A small part of the fault lab, on a cluster of its own with the mock engine; `make chaos` is all of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.chaos.record import COLUMNS, NEVER
from tests.e2e.running_cluster import ROOT

KILLS = 4
FAULTS = ("replica killed", "replica stopped")


def cells(table: str, name: str) -> dict[str, str]:
    """A line of the table by its columns."""
    line = next(line for line in table.splitlines() if line.startswith(f"| {name} |"))
    return dict(zip(COLUMNS, line.removeprefix("| ").removesuffix(" |").split(" | "), strict=True))


def test_nothing_is_lost_or_doubled_while_replicas_die_and_hang(tmp_path: Path) -> None:
    """Every answer is the undisturbed one, word for word, or a documented error. How long they took is not asked."""
    command = [sys.executable, "-m", "benchmarks.chaos", f"--kills={KILLS}", "--times=1"]
    for fault in FAULTS:
        command += ["--only", fault]
    environment = os.environ | {"AUTOGLM_HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400)
    assert "| all faults |" in done.stdout, done.stderr
    faults = cells(done.stdout, "all faults")
    assert [faults[name] for name in NEVER] == ["0", "0", "0"], done.stderr
    assert [cells(done.stdout, fault)["times"] for fault in FAULTS] == [str(KILLS), "1"]
    assert int(faults["ok"]) > 0
