"""Which of a run's results a model may be shown: not those that speak to it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from autoglm.contract.task_run import StepRun
from autoglm.errors import UnprocessableEntityError
from deployments.boundary import plain_errors
from deployments.planner.execution.events import Events
from deployments.planner.execution.record import Record
from deployments.planner.execution.results import Results
from deployments.planner.scanning import Scan

WITHHELD = "(left out, for what it says may be meant to steer you)"

logger = logging.getLogger("ray.serve")


class Screening:
    """Has each result scanned once, when it is about to enter a prompt; without a `scan` all may be shown.

    What is withheld stays the step's result: answers and arguments of tools that refer to it have it as it is. Who
    watches is told, and the log.
    """

    def __init__(self, scan: Scan | None, results: Results, record: Record, events: Events) -> None:
        self._scan = scan
        self._results = results
        self._record = record
        self._events = events
        self._reasons: dict[tuple[str, str], str | None] = {}  # by step and what of it: twice the run's steps at most

    async def shown(self) -> Mapping[str, Any]:
        """The results by the step's id, a note in the place of each that is withheld.

        Raises:
            APIStatusError: one could not be scanned.
        """
        return {
            step: WITHHELD if await self._reason(step, "result", result) else result
            for step, result in self._results.items()
        }

    async def failures(self, failed: Sequence[StepRun]) -> list[StepRun]:
        """Failed steps, a note in the place of each message that is withheld: a tool's own words may be in it.

        Raises:
            APIStatusError: as `shown`.
        """
        return [await self._failure(step) for step in failed]

    async def check(self, steps: Collection[str]) -> None:
        """Whether the results of these steps may be put into a prompt that would say nothing without them.

        Raises:
            UnprocessableEntityError: one is withheld.
            APIStatusError: as `shown`.
        """
        for step in sorted(steps):
            if reason := await self._reason(step, "result", self._results[step]):
                raise UnprocessableEntityError(
                    f"the result of step {step!r} {reason}, and is shown to no model", param=step
                )

    async def _failure(self, step: StepRun) -> StepRun:
        if step.error is None or not await self._reason(step.id, "error", step.error.message):
            return step
        return step.model_copy(update={"error": step.error.model_copy(update={"message": WITHHELD})})

    async def _reason(self, step: str, what: str, value: Any) -> str | None:
        """Why it is withheld, None where it is not."""
        if self._scan is None:
            return None
        if (step, what) not in self._reasons:
            with plain_errors("the scan of a result"):
                self._reasons[step, what] = reason = await self._scan(value)
            if reason is not None:
                await self._tell(step, what, reason)
        return self._reasons[step, what]

    async def _tell(self, step: str, what: str, reason: str) -> None:
        run = self._record.steps[step]
        logger.warning("the %s of step %r, %s %r, %s: no model is shown it", what, step, run.kind, run.name, reason)
        await self._events.tell("step_output", step=run, text=f"its {what} {reason}, and is shown to no model")
