"""A run from its instruction to its end: a plan, a person's approval of it where wanted, its execution."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from autoglm.contract.error import ErrorDetail
from autoglm.contract.plan import Plan
from autoglm.contract.task_run import Planner, RunEvent, TaskRequest, TaskRun
from autoglm.contract.usage import Usage
from autoglm.errors import APIStatusError, DeadlineExceededError, UnavailableError
from deployments.boundary import plain_errors
from deployments.cancellation import is_being_cancelled
from deployments.clock import Clock, utc_now
from deployments.pauses import doubling
from deployments.planner.capabilities import Capabilities
from deployments.planner.execution import Assignment, Compose, Execution, ExecutionConfig, Replan
from deployments.planner.graph import PLAN
from deployments.planner.journals import View
from deployments.planner.outcome import cancelled, ended, failed, last_event
from deployments.planner.run_store import Claim
from deployments.planner.scanning import Scan
from deployments.planner.usage import used

# Before it is planned again. What runs and models are reached by takes some seconds to be started again.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0
REFUSED = ErrorDetail(message="the plan was not approved", type="permission_denied", code="permission_denied")


class Planned(Protocol):
    """A plan, and who made it."""

    @property
    def plan(self) -> Plan: ...

    @property
    def planner(self) -> Planner: ...


class Planning(Protocol):
    """Whoever makes plans and answers (`deployments.planner.planning.Planning`)."""

    async def plan(self, request: TaskRequest, capabilities: Capabilities) -> Planned:
        """A valid plan; raises APIStatusError where there is none."""
        ...

    def replan(self, request: TaskRequest, capabilities: Capabilities) -> Replan | None:
        """How a plan that failed is replaced."""
        ...

    def compose(self, capabilities: Capabilities) -> Compose:
        """How results are put into words."""
        ...

    @property
    def scan(self) -> Scan | None:
        """What reads results before a model does."""
        ...


@dataclass(frozen=True, slots=True)
class Runtime:
    """What runs are brought to their ends with; a new configuration is another of these."""

    planning: Planning
    execution: ExecutionConfig
    clock: Callable[[], float] = time.monotonic
    now: Clock = utc_now


class Lifecycle:
    """One run's, in one process, once. It tells the journal all that happens, the end included."""

    def __init__(self, claim: Claim, capabilities: Capabilities, journal: View, runtime: Runtime) -> None:
        self._claim = claim
        self._capabilities = capabilities
        self._journal = journal
        self._runtime = runtime
        self._timeout_s = min(claim.request.timeout_s or runtime.execution.timeout_s, runtime.execution.timeout_s)
        self._ends = runtime.clock() + self._timeout_s - claim.spent_s
        self._planned: Planned | None = None
        self._planning: asyncio.Future[Planned] | None = None
        self._execution: Execution | None = None
        self._is_cancelled = False

    def cancel(self) -> None:
        """End the run as cancelled, with what is under way of it; `run` and `go_on` return it so."""
        self._is_cancelled = True
        if self._execution is not None:
            self._execution.cancel()
        elif self._planning is not None:
            self._planning.cancel()

    async def run(self) -> TaskRun:
        """The run as it ended, a refusal to plan included, or as it waits. While nobody can plan, it is tried again.

        Cancelling this call stops what is under way, tells nobody, and leaves the run to be gone on with.

        Raises:
            UnavailableError, ConflictError: the journal's.
        """
        try:
            await self._plan_patiently()
        except APIStatusError as error:
            return await self._end(failed(self._journal.run, error, self._runtime.now()))
        return await self.go_on()

    async def plan(self) -> None:
        """Make the plan, where the run has none yet; of one that is cancelled meanwhile none is made.

        Raises:
            APIStatusError: there is none that the caller may run, or none in time; nothing has happened.
        """
        if self._journal.run.plan is not None or self._is_cancelled:
            return
        self._planning = asyncio.ensure_future(self._runtime.planning.plan(self._claim.request, self._capabilities))
        try:
            with plain_errors("planning"):
                async with asyncio.timeout(self._left()):
                    self._planned = await self._planning
        except TimeoutError:
            raise DeadlineExceededError(f"no plan within {self._timeout_s:g} s (timeout_s)") from None
        except asyncio.CancelledError:
            if not self._is_cancelled or is_being_cancelled():
                raise

    async def _plan_patiently(self) -> None:
        """As `plan`; who is not there yet is waited for, since nobody waits for this run."""
        for pause_s in doubling(FIRST_PAUSE_S, LONGEST_PAUSE_S):
            try:
                await self.plan()
                break
            except UnavailableError:
                if self._left() < pause_s:
                    raise
            await asyncio.sleep(pause_s)

    async def go_on(self) -> TaskRun:
        """With a plan: as `run`."""
        request = self._claim.request
        if self._planned is not None:
            await self._journal.planned(self._planned.plan, self._planned.planner)
        run = self._journal.run
        if self._is_cancelled:
            return await self._end(cancelled(run, self._runtime.now()))
        if request.dry_run:
            await self._journal.event(self._plan_event(run))
            return await self._end(ended(run, "planned", self._runtime.now()))
        if request.approve and PLAN not in self._claim.approved:
            return await self._wait(run, PLAN)
        if self._claim.approved.get(PLAN) is False:
            return await self._end(ended(run, "cancelled", self._runtime.now(), REFUSED))
        if self._planned is not None:
            await self._journal.event(self._plan_event(run))
        return await self._execute(run)

    async def _execute(self, run: TaskRun) -> TaskRun:
        runtime, request = self._runtime, self._claim.request
        self._execution = Execution(
            self._assignment(run),
            self._capabilities,
            self._journal,
            compose=runtime.planning.compose(self._capabilities),
            replan=runtime.planning.replan(request, self._capabilities),
            scan=runtime.planning.scan,
            config=runtime.execution,
            clock=runtime.clock,
            now=runtime.now,
        )
        if self._is_cancelled:
            self._execution.cancel()
        run = await self._execution.execute()
        return run if run.waiting_for is None else await self._wait(run, run.waiting_for)

    async def _wait(self, run: TaskRun, waiting_for: str) -> TaskRun:
        run = run.model_copy(update={"status": "waiting", "waiting_for": waiting_for, "usage": self._used()})
        await self._journal.wait(run, self._plan_event(run))
        return run

    def _plan_event(self, run: TaskRun) -> RunEvent:
        """The plan, and whether it waits."""
        return RunEvent(seq=self._journal.seq + 1, type="plan", plan=run.plan, run=run)

    async def _end(self, run: TaskRun) -> TaskRun:
        run = run.model_copy(update={"usage": self._used()})
        await self._journal.ended(run)
        await self._journal.event(last_event(run, self._journal.seq + 1))
        return run

    def _assignment(self, run: TaskRun) -> Assignment:
        return Assignment(
            run,
            self._claim.approved,
            timeout_s=self._timeout_s,
            max_steps=self._claim.request.max_steps,
            seq=self._journal.seq,
            spent_s=self._timeout_s - self._left(),
        )

    def _used(self) -> Usage:
        return used(self._claim.run, self._capabilities)

    def _left(self) -> float:
        return max(0.0, self._ends - self._runtime.clock())
