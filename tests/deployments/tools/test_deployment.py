"""The tool host on a real cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def observed() -> dict[str, Any]:
    """What the calls of `hosted_cluster` saw; one cluster for all tests."""
    command = [sys.executable, "-m", "tests.deployments.tools.hosted_cluster"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def test_a_call_by_handle_gives_the_tools_result(observed: dict[str, Any]) -> None:
    """From an embedded tool, and from an isolated one in a process beside the replica's."""
    assert observed["value"] == {"value": 391}
    assert observed["isolated"]


def test_errors_cross_the_handle_as_they_are(observed: dict[str, Any]) -> None:
    """With their field."""
    assert observed["refused"] == ["unprocessable", "expression"]
    assert observed["unknown"] == ["not_found", "tool"]


def test_cancelling_the_handles_call_ends_the_tool(observed: dict[str, Any]) -> None:
    """Down to the coroutine that waited."""
    assert observed["cancelled"] == "cancelled"


def test_other_entries_need_no_restart(observed: dict[str, Any]) -> None:
    """Who polls is told of the change, and the replica's process is the same."""
    assert observed["told_of_change"]
    assert observed["same_process"]
