"""What has become of a run's steps, told to the journal as it changes."""

from __future__ import annotations

from collections.abc import Callable

from autoglm.contract.plan import Plan, Step
from autoglm.contract.task_run import StepRun, TaskRun
from autoglm.contract.usage import Usage
from deployments.planner.execution.events import Events
from deployments.planner.journal import Journal
from deployments.planner.size import cut


class Record:
    """The journal has each step with its whole result, so that the run can be gone on with; the others see it cut."""

    def __init__(
        self, run: TaskRun, journal: Journal, events: Events, used: Callable[[], Usage], max_shown_bytes: int
    ) -> None:
        self._journal = journal
        self._events = events
        self._used = used
        self._max_shown_bytes = max_shown_bytes
        self.steps = {step.id: self._shown(step) for step in run.steps}

    async def tell(self, step: StepRun) -> None:
        """A step began, waits or ended.

        Raises:
            UnavailableError, ConflictError: as the journal; then nothing that follows from it may begin.
        """
        await self._journal.step(step, self._used())
        self.steps[step.id] = shown = self._shown(step)
        begins = step.status in ("running", "waiting")
        await self._events.tell("step_started" if begins else "step_finished", step=shown)

    def of(self, plan: Plan) -> tuple[StepRun, ...]:
        """The steps of the plan in its order, then those of the plans before it."""
        planned = {step.id: self.steps.get(step.id) or pending(step) for step in plan.steps}
        return tuple((planned | self.steps).values())

    def _shown(self, step: StepRun) -> StepRun:
        result, is_cut = cut(step.result, self._max_shown_bytes)
        return step.model_copy(update={"result": result, "is_cut": True}) if is_cut else step


def pending(step: Step) -> StepRun:
    """A step that has not begun."""
    return StepRun(id=step.id, kind=step.kind, name=step.name)
