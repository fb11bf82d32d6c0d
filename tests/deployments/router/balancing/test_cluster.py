"""The guards on a real cluster, by gRPC and on the caller's own loop as in production."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[4]

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def observed() -> dict[str, Any]:
    """What the calls of `balanced_cluster` saw; one cluster for all tests."""
    command = [sys.executable, "-m", "tests.deployments.router.balancing.balanced_cluster"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def test_requests_are_spread_over_all_replicas(observed: dict[str, Any]) -> None:
    """Sixty lone requests, two random choices each: about twenty for each of three."""
    assert len(observed["spread"]) == 3
    assert min(observed["spread"]) >= 8


def test_an_excluded_replica_is_avoided(observed: dict[str, Any]) -> None:
    """The hint reaches Serve's router with the call."""
    assert observed["excluded"]


def test_a_key_keeps_its_replica(observed: dict[str, Any]) -> None:
    """And keys are spread over the replicas."""
    assert set(observed["replicas_of_a_key"]) == {1}
    assert observed["replicas_of_all_keys"] == 3


def test_a_stopped_replica_is_found_avoided_and_taken_back(observed: dict[str, Any]) -> None:
    """SIGSTOP leaves its connections open: only probes tell, and its call is given up long before its deadline."""
    assert observed["given_up"]
    assert observed["given_up_after_s"] < 30
    assert observed["avoided"]
    assert observed["back"]
