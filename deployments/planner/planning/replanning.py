"""Another plan in the place of one that failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autoglm.contract.plan import Plan
from autoglm.contract.task_run import StepRun, TaskRequest
from deployments.planner.planning.choices import Choices
from deployments.planner.planning.drafting import Drafting


@dataclass(frozen=True, slots=True)
class Replanning:
    """Has the model of a caller's run make it; `choices` tells what may be used by then."""

    request: TaskRequest
    drafting: Drafting
    choices: Callable[[], Choices]

    async def __call__(self, plan: Plan, done: Sequence[StepRun], failed: Sequence[StepRun]) -> Plan | None:
        """A valid plan that may refer to what is done.

        Raises:
            APIStatusError: none could be made.
        """
        request = self.request
        return await self.drafting.again(request.instruction, self.choices(), plan, done, failed, request.max_steps)
