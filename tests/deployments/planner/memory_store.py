"""A RunStore in memory, whose answers can be lost before or after they took effect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from autoglm.contract.plan import Plan
from autoglm.contract.task_run import ENDED, Planner, RunEvent, StepRun, TaskRequest, TaskRun
from autoglm.contract.usage import Usage
from autoglm.errors import ConflictError, UnavailableError
from deployments.caller import Caller
from deployments.planner.run_store import Claim


@dataclass
class Row:
    """A run as it is kept."""

    run: TaskRun
    request: TaskRequest
    caller: Caller
    steps: dict[str, StepRun] = field(default_factory=dict)
    approved: dict[str, bool] = field(default_factory=dict)
    events: list[RunEvent] = field(default_factory=list)
    fence: int = 0
    worker: str = ""
    leased_until: float = 0.0
    spent_s: float = 0.0
    is_cancelled: bool = False


class MemoryStore:
    """Its clock is the event loop's. `fault` is asked before and after each call, and raises what is to be raised."""

    def __init__(self, fault: Callable[[str], None] | None = None) -> None:
        self.rows: dict[str, Row] = {}
        self.is_away = False
        self.is_slow = False
        self._fault = fault or (lambda moment: None)

    async def create(self, run: TaskRun, request: TaskRequest, caller: Caller) -> None:
        await self._reached("create")
        self.rows[run.id] = Row(run, request, caller, {step.id: step for step in run.steps})
        self._fault("create done")

    async def claim(self, worker: str, count: int, lease_s: float) -> Sequence[Claim]:
        await self._reached("claim")
        now = asyncio.get_running_loop().time()
        free = [
            row for row in self.rows.values() if row.leased_until <= now and row.run.status in ("planning", "running")
        ]
        claims = []
        for row in free[:count]:
            row.fence, row.worker, row.leased_until = row.fence + 1, worker, now + lease_s
            run = row.run.model_copy(update={"steps": tuple(row.steps.values())})
            seq = row.events[-1].seq if row.events else 0
            claims.append(Claim(run, row.request, row.caller, row.fence, dict(row.approved), seq, row.spent_s))
        self._fault("claim done")
        return claims

    async def renew(self, worker: str, fences: dict[str, int], lease_s: float) -> Sequence[str]:
        await self._reached("renew")
        stopped = []
        for run, fence in fences.items():
            row = self.rows[run]
            if row.fence != fence or row.run.status in ENDED:
                stopped.append(run)
                continue
            row.leased_until = asyncio.get_running_loop().time() + lease_s
            if row.is_cancelled:
                stopped.append(run)
        return stopped

    async def planned(self, run: str, fence: int, plan: Plan, planner: Planner) -> None:
        row = await self._going(run, fence, "planned")
        row.run = row.run.model_copy(update={"plan": plan, "planner": planner, "status": "running"})
        self._fault("planned done")

    async def step(self, run: str, fence: int, step: StepRun, usage: Usage | None = None) -> None:
        row = await self._going(run, fence, "step")
        row.run = row.run.model_copy(update={"usage": usage})
        row.steps[step.id] = step
        self._fault("step done")

    async def wait(self, run: str, fence: int, waiting_for: str, usage: Usage | None = None) -> None:
        row = await self._going(run, fence, "wait")
        row.run = row.run.model_copy(update={"status": "waiting", "waiting_for": waiting_for, "usage": usage})
        row.leased_until = 0.0

    async def ended(self, run: TaskRun, fence: int) -> None:
        row = await self._going(run.id, fence, "ended")
        row.run = run
        row.leased_until = 0.0
        self._fault("ended done")

    async def events(self, run: str, fence: int, events: Sequence[RunEvent]) -> None:
        await self._reached("events")
        row = self.rows[run]
        if row.fence != fence:
            raise ConflictError("another's")
        row.events += events

    def approve(self, run: str, subject: str, *, approved: bool = True) -> None:
        """A person's decision."""
        row = self.rows[run]
        row.approved[subject] = approved
        row.run = row.run.model_copy(update={"status": "running", "waiting_for": None})

    async def _going(self, run: str, fence: int, moment: str) -> Row:
        await self._reached(moment)
        row = self.rows[run]
        if row.fence != fence or (row.run.status in ENDED and moment != "ended"):
            raise ConflictError("another's, or over")
        return row

    async def _reached(self, moment: str) -> None:
        await asyncio.sleep(3.0 if self.is_slow else 0.01)
        self._fault(moment)
        if self.is_away:
            raise UnavailableError("the store is away")
