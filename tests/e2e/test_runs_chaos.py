"""A small part of the fault lab of background runs, on the session's cluster; `make chaos` is all of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autoglm import AutoClient
from autoglm.contract.plan import Plan
from autoglm.errors import PermissionDeniedError, UnavailableError, UnprocessableEntityError
from benchmarks.chaos.runs.errands import Errand, entry, errands
from benchmarks.chaos.runs.faults import single
from benchmarks.chaos.runs.run import experiment
from benchmarks.chaos.runs.services import TOOLS
from tests.e2e.running_cluster import Cluster

RUNS = 6  # of which the third is to be approved and the sixth is cancelled
KNOWN_S = 60


@pytest.fixture
def deliveries(client: AutoClient, tmp_path: Path) -> Iterator[Path]:
    """What reaches the services, which are tools of the cluster until the test is over."""
    for tool in TOOLS:
        client.admin.register_tool(tool, entry(tool))
    grants = [client.admin.create_grant("tenant", "default", tool) for tool in TOOLS]
    yield tmp_path / "deliveries"
    for tool, grant in zip(TOOLS, grants, strict=True):
        client.admin.delete_grant(grant.id)
        client.admin.delete_tool(tool)


def await_known(client: AutoClient, plan: Plan) -> None:
    """Return when the planner has heard of the tools."""
    deadline = time.monotonic() + KNOWN_S
    while True:
        try:
            client.run("are the tools there?", plan=plan, dry_run=True)
            return
        except (UnprocessableEntityError, PermissionDeniedError, UnavailableError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def test_no_effect_is_lost_or_doubled_while_planner_and_control_plane_die(
    cluster: Cluster, client: AutoClient, deliveries: Path
) -> None:
    """Every run ends with its answer, and each of its steps has had its effect under its key."""
    sent: list[Errand] = errands(RUNS, 1, deliveries)
    for errand in sent:
        await_known(client, errand.plan)
    faults = single(cluster, ("planner killed", "control plane killed"))
    findings = asyncio.run(experiment(cluster, sent, faults, random.Random(1), deliveries))
    assert findings.shortcomings() == []
    assert [strike.fault for strike in findings.strikes] == [fault.name for fault in faults]
    ends = [account.judged.run.status for account in findings.accounts if account.judged.run is not None]
    assert len(ends) == RUNS
    assert ends.count("succeeded") >= RUNS - 1
