"""Where a run is told as it goes, so that it can be gone on with after whoever ran it is gone."""

from __future__ import annotations

from typing import Protocol

from autoglm.contract.plan import Plan
from autoglm.contract.task_run import Planner, RunEvent, StepRun, TaskRun
from autoglm.contract.usage import Usage


class Journal(Protocol):
    """One run's. What follows from an entry begins when the entry has been taken, not before.

    Every method raises autoglm.errors.UnavailableError where it cannot be written, and ConflictError where the run
    belongs to another by now; then nothing more may be done in its name.
    """

    async def planned(self, plan: Plan, planner: Planner) -> None:
        """The plan is made; a second one replaces it for the steps that have not begun."""
        ...

    async def step(self, step: StepRun, usage: Usage) -> None:
        """A step began, waits or ended. The beginning is told before the step's call is sent.

        `usage` is the run's so far, for whoever goes on with it.
        """
        ...

    async def ended(self, run: TaskRun) -> None:
        """The run is over."""
        ...

    async def event(self, event: RunEvent) -> None:
        """For whoever watches; what is lost of these is lost."""
        ...
