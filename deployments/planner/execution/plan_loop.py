"""The loop of a run: plan after plan, until one is answered or nothing more can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autoglm.contract.error import ErrorDetail
from autoglm.contract.plan import Plan
from autoglm.contract.task_run import StepRun
from autoglm.errors import APIStatusError, UnprocessableEntityError
from deployments.clock import Clock
from deployments.planner.execution.answer import Answering, answering_step
from deployments.planner.execution.events import Events
from deployments.planner.execution.failures import detail
from deployments.planner.execution.outcome import Outcome, failed
from deployments.planner.execution.record import Record, pending
from deployments.planner.execution.replanning import Replanning
from deployments.planner.execution.schedule import End, Schedule
from deployments.planner.execution.step_pool import Do, run_steps
from deployments.planner.execution.step_work import StepWork
from deployments.planner.journal import Journal


@dataclass(slots=True)
class PlanLoop:
    """`plan` is the one in force."""

    plan: Plan
    journal: Journal
    events: Events
    record: Record
    work: StepWork
    replanning: Replanning
    answering: Answering
    max_parallel: int
    now: Clock

    async def outcome(self) -> Outcome:
        """What the run comes to.

        Raises:
            UnavailableError, ConflictError: the journal's.
        """
        try:
            graph = self.replanning.checked(self.plan)
        except APIStatusError as error:
            return failed(error)
        while True:
            schedule = Schedule(self.plan.steps, graph, self._ended())
            await run_steps(schedule, self._doer(), self.max_parallel)
            if not (failures := self._with("failed")):
                return await self._concluded()
            try:
                found = await self.replanning.another(self.plan, failures)
            except APIStatusError as error:
                return failed(error)
            if found is None:
                await self._skip(schedule.blocked)
                return Outcome("failed", error=_of_step(failures[0]))
            plan, graph = found
            await self._begin(plan)

    def _doer(self) -> Do:
        answering = answering_step(self.plan)
        return lambda step, is_skipped: self.work.do(step, is_skipped=is_skipped, is_streamed=step.id == answering)

    async def _concluded(self) -> Outcome:
        """Nothing failed: the run waits for a person, or is answered."""
        if waiting := self._with("waiting"):
            return Outcome("waiting", waiting_for=waiting[0].id)
        try:
            return Outcome("succeeded", answer=await self.answering.answer(self.plan))
        except APIStatusError as error:
            return failed(error)

    async def _begin(self, plan: Plan) -> None:
        await self.journal.planned(plan, "model")
        self.plan = plan
        await self.events.tell("plan", plan=plan)

    async def _skip(self, blocked: Mapping[str, str]) -> None:
        """Said at the end only: a new plan might have had another way to these."""
        for step in self.plan.steps:
            if step.id in blocked:
                reason = f"step {blocked[step.id]!r} did not succeed, and this one waits for it"
                error = detail(UnprocessableEntityError(reason))
                fields = {"status": "skipped", "finished": self.now(), "error": error}
                await self.record.tell(pending(step).model_copy(update=fields))

    def _with(self, status: str) -> Sequence[StepRun]:
        """The plan's steps of that status, in its order."""
        runs = (self.record.steps.get(step.id) for step in self.plan.steps)
        return [run for run in runs if run is not None and run.status == status]

    def _ended(self) -> dict[str, End]:
        return {step.id: end for step in self.record.steps.values() if (end := _end(step)) is not None}


def _end(step: StepRun) -> End | None:
    match step.status:
        case "skipped" if step.error is not None:
            return "failed"  # it was blocked, and so is what waits for it
        case "succeeded" | "skipped" | "failed":
            return step.status
    return None


def _of_step(step: StepRun) -> ErrorDetail | None:
    if step.error is None:
        return None
    return step.error.model_copy(update={"message": f"step {step.id!r}: {step.error.message}"})
