"""Steps beside each other, as many as may be, in the order of a schedule."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from autoglm.contract.plan import Step
from autoglm.contract.task_run import StepRun
from deployments.planner.execution.schedule import Schedule

Do = Callable[[Step, bool], Coroutine[Any, Any, StepRun]]  # (step, whether it is skipped) -> what became of it


async def run_steps(schedule: Schedule, do: Do, max_parallel: int) -> None:
    """Until no step can begin before a person decides, or at all.

    Raises:
        Exception: the first that `do` raises; the others were cancelled and have ended.
    """
    try:
        async with asyncio.TaskGroup() as group:
            _StepPool(schedule, do, group, max_parallel).begin()
    except BaseExceptionGroup as found:
        raise found.exceptions[0] from None


class _StepPool:
    """The tasks of one group; each begins those that may follow it."""

    def __init__(self, schedule: Schedule, do: Do, group: asyncio.TaskGroup, max_parallel: int) -> None:
        self._schedule = schedule
        self._do = do
        self._group = group
        self._free = max_parallel

    def begin(self) -> None:
        while self._free and (step := self._schedule.take()):
            self._free -= 1
            self._group.create_task(self._step(step))

    async def _step(self, step: Step) -> None:
        run = await self._do(step, self._schedule.is_skipped(step))
        self._free += 1
        match run.status:
            case "succeeded" | "skipped" | "failed":
                self._schedule.end(run.id, run.status)
        self.begin()
