"""The control plane's ledger of runs, by handle: as planner replicas write it, and as routers read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autoglm.contract.plan import Plan
from autoglm.contract.task_run import ApprovalRequest, Planner, RunEvent, StepRun, TaskRequest, TaskRun, TaskRunList
from autoglm.contract.usage import Usage
from autoglm.errors import UnavailableError, UpstreamError
from deployments.caller import Caller
from deployments.planner.run_store import Claim
from serve_app.bank import Reach, unchecked
from serve_app.names import CONTROL_APP
from serve_app.reach import answer

TIMEOUT_S = 5.0  # a claim may bring the results of long runs; a third of a lease is left to try again


class ControlRuns:
    """`deployments.planner.run_store.RunStore`, and what is asked of runs by their tenants.

    Each method raises UnavailableError where the control plane is away, slow, or without its database.
    """

    def __init__(self, reach: Reach = unchecked) -> None:
        self._reach = reach

    async def create(self, run: TaskRun, request: TaskRequest, caller: Caller) -> None:
        """As `RunStore`."""
        await self._answer("create", run, request, caller)

    async def claim(self, worker: str, count: int, lease_s: float) -> Sequence[Claim]:
        """As `RunStore`."""
        claims: Sequence[Claim] = await self._answer("claim", worker, count, lease_s)
        return claims

    async def renew(self, worker: str, fences: dict[str, int], lease_s: float) -> Sequence[str]:
        """As `RunStore`."""
        stopped: Sequence[str] = await self._answer("renew", worker, fences, lease_s)
        return stopped

    async def planned(self, run: str, fence: int, plan: Plan, planner: Planner) -> None:
        """As `RunStore`."""
        await self._answer("planned", run, fence, plan, planner)

    async def step(self, run: str, fence: int, step: StepRun, usage: Usage | None = None) -> None:
        """As `RunStore`."""
        await self._answer("step", run, fence, step, usage)

    async def wait(self, run: str, fence: int, waiting_for: str, usage: Usage | None = None) -> None:
        """As `RunStore`."""
        await self._answer("wait", run, fence, waiting_for, usage)

    async def ended(self, run: TaskRun, fence: int) -> None:
        """As `RunStore`."""
        await self._answer("ended", run, fence)

    async def events(self, run: str, fence: int, events: Sequence[RunEvent]) -> None:
        """As `RunStore`."""
        await self._answer("events", run, fence, events)

    async def get(self, run: str, tenant: str) -> TaskRun:
        """A tenant's run with its steps. Raises NotFoundError, as all that follow."""
        found: TaskRun = await self._answer("get", run, tenant)
        return found

    async def page(self, tenant: str, after: str | None, limit: int) -> TaskRunList:
        """A tenant's runs, the newest first."""
        runs: TaskRunList = await self._answer("page", tenant, after, limit)
        return runs

    async def events_after(self, run: str, tenant: str, seq: int, limit: int) -> Sequence[RunEvent]:
        """Events after the one of this number, in order."""
        events: Sequence[RunEvent] = await self._answer("events_after", run, tenant, seq, limit)
        return events

    async def cancel(self, run: str, tenant: str) -> TaskRun:
        """Raises ConflictError where it has ended."""
        found: TaskRun = await self._answer("cancel", run, tenant)
        return found

    async def approve(self, run: str, tenant: str, decision: ApprovalRequest, by: str) -> TaskRun:
        """Raises ConflictError where it does not wait for that."""
        found: TaskRun = await self._answer("approve", run, tenant, decision, by)
        return found

    async def _answer(self, method: str, *arguments: Any) -> Any:
        sent = self._reach(CONTROL_APP, CONTROL_APP).runs.remote(method, *arguments)
        try:
            return await answer(sent, "the control plane", TIMEOUT_S)
        except UpstreamError as fault:
            raise UnavailableError(fault.message, retry_after=1.0) from fault
