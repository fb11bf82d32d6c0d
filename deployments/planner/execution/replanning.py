"""The plans that follow each other in one run, and what a new one may not do."""

from __future__ import annotations

from collections.abc import Sequence

from autoglm.contract.plan import Plan, Step
from autoglm.contract.task_run import StepRun
from autoglm.errors import APIStatusError, BadRequestError
from deployments.boundary import plain_errors
from deployments.planner.execution.events import Events
from deployments.planner.execution.failures import detail
from deployments.planner.execution.guards import Guards
from deployments.planner.execution.record import Record
from deployments.planner.execution.screening import Screening
from deployments.planner.execution.seams import Replan
from deployments.planner.graph import Graph, checked
from deployments.planner.references import references


class Replanning:
    """Asks `replan` for another plan, within the run's budget of plans and steps."""

    def __init__(
        self, replan: Replan | None, guards: Guards, record: Record, screening: Screening, events: Events
    ) -> None:
        self._replan = replan
        self._guards = guards
        self._record = record
        self._screening = screening
        self._events = events

    def checked(self, plan: Plan) -> Graph:
        """The plan's graph.

        Raises:
            BadRequestError, UnprocessableEntityError: the run cannot have it as its plan.
        """
        ids = {step.id for step in plan.steps}
        self._guards.check_steps(ids | self._record.steps.keys())
        known = {one.id for one in self._record.steps.values() if _may_be_named(one)}
        graph = checked(plan.steps, known)
        if missing := {one.step for one in references(plan.answer)} - ids - known:
            raise BadRequestError(f"answer names {sorted(missing)}, and there is no such step", param="answer")
        return graph

    async def another(self, plan: Plan, failed: Sequence[StepRun]) -> tuple[Plan, Graph] | None:
        """The plan in place of `plan`, and its graph; None where there is none, or none may be made any more.

        Raises:
            BadRequestError, UnprocessableEntityError: the new plan cannot be run.
        """
        if self._replan is None or not self._guards.take_replan():
            return None
        try:
            with plain_errors("planning"):
                found = await self._replan(plan, await self._done(), await self._screening.failures(failed))
        except APIStatusError as error:
            await self._events.tell("error", error=detail(error))
            return None
        if found is None:
            return None
        self._check_ids(plan, found)
        return found, self.checked(found)

    async def _done(self) -> list[StepRun]:
        results = await self._screening.shown()
        return [
            self._record.steps[step].model_copy(update={"result": result, "is_cut": False})
            for step, result in results.items()
        ]

    def _check_ids(self, old: Plan, new: Plan) -> None:
        """An id that the run knows is the same call: its key, its result and a person's approval belong to that."""
        before = {step.id: step for step in old.steps}
        for step in new.steps:
            known = self._record.steps.get(step.id)
            if known is None:
                continue
            if known.status == "failed" or not _is_same(step, before.get(step.id), known):
                raise BadRequestError(
                    f"the new plan's step {step.id!r} has the id of another that has begun; give it one of its own",
                    param=step.id,
                )


def _may_be_named(step: StepRun) -> bool:
    return step.status == "succeeded" or (step.status == "skipped" and step.error is None)


def _is_same(step: Step, before: Step | None, known: StepRun) -> bool:
    if (step.kind, step.name) != (known.kind, known.name):
        return False
    return before is None or (step.arguments, step.fallback) == (before.arguments, before.fallback)
