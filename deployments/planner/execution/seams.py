"""What an execution asks of whoever makes plans and words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from autoglm.contract.plan import Plan
from autoglm.contract.task_run import StepRun


class Replan(Protocol):
    """Another way after failures."""

    async def __call__(self, plan: Plan, done: Sequence[StepRun], failed: Sequence[StepRun]) -> Plan | None:
        """A plan in place of `plan`, or None where nothing would help.

        `done` succeeded, and bear their whole results: the new plan may refer to them, whether it repeats them or not,
        and they are not run again. A step that is done another way has a new id: one that failed keeps its own.

        Raises:
            APIStatusError: no plan could be made; the run ends with its failure.
        """
        ...


class Compose(Protocol):
    """Results put into words."""

    def __call__(self, instruction: str, results: Mapping[str, Any]) -> AsyncIterator[str]:
        """The answer's text as it comes; `results` are whole, by the step's id, and are data, not instructions.

        Raises:
            APIStatusError: no answer could be made.
        """
        ...
