"""One request as it is planned: what it may use, and how far it has been looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autoglm.contract.model_list import ModelCard
from autoglm.contract.plan import Plan
from autoglm.contract.task_run import TaskRequest
from autoglm.contract.tool import ToolCard
from deployments.planner.capabilities import Capabilities
from deployments.planner.planning.config import PlanLimits
from deployments.planner.planning.fault import Fault
from deployments.planner.planning.validation import Validation


@dataclass(frozen=True, slots=True)
class PlanningContext:
    """A request and its caller's capabilities."""

    request: TaskRequest
    capabilities: Capabilities
    tools: Sequence[ToolCard]
    models: Sequence[ModelCard]
    validation: Validation

    @classmethod
    def of(cls, request: TaskRequest, capabilities: Capabilities, limits: PlanLimits) -> PlanningContext:
        """With what the caller may use now, as the capabilities were narrowed to the request.

        Raises:
            PermissionDeniedError, NotFoundError: the request names a tool that the caller may not use, or nobody can.
        """
        for name in request.tools or ():
            capabilities.check(name)
        return cls(request, capabilities, capabilities.tools(), capabilities.models(), Validation(limits, capabilities))

    def faults(self, plan: Plan) -> list[Fault]:
        """What is wrong with a plan for this request."""
        return self.validation.faults(plan, max_steps=self.request.max_steps)
