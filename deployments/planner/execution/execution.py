"""A run's execution, from what it is given to its end: the deadline, the way to cancel it, and what is told last."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable
from functools import partial

from autoglm.contract.task_run import TaskRun
from autoglm.errors import DeadlineExceededError
from deployments.cancellation import is_being_cancelled
from deployments.clock import Clock, utc_now
from deployments.planner.capabilities import Capabilities
from deployments.planner.execution.answer import Answering
from deployments.planner.execution.assignment import Assignment
from deployments.planner.execution.attempts import Attempts
from deployments.planner.execution.calls import Calls
from deployments.planner.execution.config import ExecutionConfig
from deployments.planner.execution.events import Events
from deployments.planner.execution.guards import Guards
from deployments.planner.execution.outcome import CANCELLED, Outcome, failed
from deployments.planner.execution.plan_loop import PlanLoop
from deployments.planner.execution.record import Record
from deployments.planner.execution.replanning import Replanning
from deployments.planner.execution.results import Results
from deployments.planner.execution.screening import Screening
from deployments.planner.execution.seams import Compose, Replan
from deployments.planner.execution.step_work import StepWork
from deployments.planner.journal import Journal
from deployments.planner.scanning import Scan
from deployments.planner.usage import used


class Execution:
    """One run's, once.

    Steps run beside each other as soon as what they wait for has ended. A step that fails ends what waits for it; the
    others go on. When nothing more can begin, a new plan is asked for after failures, or the run waits for a person,
    or it is answered. The plan that it begins with was told by whoever made it. `clock` is in seconds.
    """

    def __init__(
        self,
        assignment: Assignment,
        capabilities: Capabilities,
        journal: Journal,
        *,
        compose: Compose,
        replan: Replan | None = None,
        scan: Scan | None = None,
        config: ExecutionConfig | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Clock = utc_now,
        chance: random.Random | None = None,
    ) -> None:
        config = config or ExecutionConfig()
        run = assignment.run
        self._run = run
        self._journal = journal
        self._now = now
        self._timeout_s = min(config.timeout_s, math.inf if assignment.timeout_s is None else assignment.timeout_s)
        self._left_s = max(0.0, self._timeout_s - assignment.spent_s)
        self._used = partial(used, run, capabilities)
        self._events = events = Events(journal, assignment.seq)
        self._record = record = Record(run, journal, events, self._used, config.max_shown_bytes)
        guards = Guards.of(run, config, assignment.max_steps)
        results = Results(
            config.max_result_bytes,
            config.max_results_bytes,
            {step.id: step.result for step in run.steps if step.status == "succeeded"},
        )
        screening = Screening(scan, results, record, events)
        calls = Calls(capabilities, assignment.approved)
        attempts = Attempts(calls, guards, events, config, clock, chance or random.Random())
        ends = clock() + self._left_s
        self._loop = PlanLoop(
            plan=assignment.plan,
            journal=journal,
            events=events,
            record=record,
            work=StepWork(run.id, config, calls, attempts, results, screening, record, events, ends, clock, now),
            replanning=Replanning(replan, guards, record, screening, events),
            answering=Answering(run.instruction, compose, results, screening, events, config),
            max_parallel=config.max_parallel,
            now=now,
        )
        self._task: asyncio.Task[Outcome] | None = None
        self._is_cancelled = False

    def cancel(self) -> None:
        """End the run as cancelled, with the steps that are under way; `execute` returns it so."""
        self._is_cancelled = True
        if self._task is not None:
            self._task.cancel()

    async def execute(self) -> TaskRun:
        """The run as it ended, told to the journal; or as it waits for a person, with `waiting_for`.

        Cancelling this call stops every step, tells nobody, and leaves the run to be gone on with.

        Raises:
            UnavailableError, ConflictError: the journal's; every step was stopped.
        """
        outcome = await self._outcome()
        if outcome.status == "waiting":
            return self._as(outcome)
        return await self._end(outcome)

    async def _outcome(self) -> Outcome:
        if self._is_cancelled:
            return CANCELLED
        self._task = asyncio.create_task(self._timed())
        try:
            return await self._task
        except asyncio.CancelledError:
            if not self._is_cancelled or is_being_cancelled():
                raise
            return CANCELLED

    async def _timed(self) -> Outcome:
        try:
            async with asyncio.timeout(self._left_s) as scope:
                return await self._loop.outcome()
        except TimeoutError:
            if not scope.expired():
                raise
            return failed(DeadlineExceededError(f"the run did not end within {self._timeout_s:g} s (timeout_s)"))

    async def _end(self, outcome: Outcome) -> TaskRun:
        """Tell of the steps that were under way, of the run, and last whoever watches."""
        for step in list(self._record.steps.values()):
            if step.status in ("running", "waiting"):
                ended = {"status": "cancelled", "finished": self._now(), "result": None, "is_cut": False}
                await self._record.tell(step.model_copy(update=ended))
        run = self._as(outcome)
        await self._journal.ended(run)
        await self._events.tell("answer" if outcome.status == "succeeded" else "error", run=run, error=outcome.error)
        return run

    def _as(self, outcome: Outcome) -> TaskRun:
        fields = {
            "status": outcome.status,
            "plan": self._loop.plan,
            "steps": self._record.of(self._loop.plan),
            "answer": outcome.answer,
            "error": outcome.error,
            "waiting_for": outcome.waiting_for,
            "finished": None if outcome.status == "waiting" else self._now(),
            "usage": self._used(),
        }
        return self._run.model_copy(update=fields)
