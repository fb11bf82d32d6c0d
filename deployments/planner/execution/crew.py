"""Steps beside each other, as many as may be, in the order of a schedule."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from autoglm.contract.plan import Step
from autoglm.contract.task_run import StepRun
from deployments.planner.execution.schedule import Schedule

Do = Callable[[Step, bool], Coroutine[Any, Any, StepRun]]  # (step, whether it is skipped) -> what became of it


async def work_off(schedule: Schedule, do: Do, max_parallel: int) -> None:
    """Until no step can begin before a person decides, or at all.

    Raises:
        Exception: the first that `do` raises; the others were cancelled and have ended.
    """
    try:
        async with asyncio.TaskGroup() as group:
            await _Crew(schedule, do, group).work(max_parallel)
    except BaseExceptionGroup as found:
        raise found.exceptions[0] from None


class _Crew:
    """The tasks of one group."""

    def __init__(self, schedule: Schedule, do: Do, group: asyncio.TaskGroup) -> None:
        self._schedule = schedule
        self._do = do
        self._group = group
        self._finished: asyncio.Queue[StepRun] = asyncio.Queue()  # no longer than the tasks there are
        self._running = 0

    async def work(self, max_parallel: int) -> None:
        while True:
            while self._running < max_parallel and (step := self._schedule.take()):
                self._group.create_task(self._step(step))
                self._running += 1
            if not self._running:
                return
            self._end(await self._finished.get())

    async def _step(self, step: Step) -> None:
        self._finished.put_nowait(await self._do(step, self._schedule.is_skipped(step)))

    def _end(self, step: StepRun) -> None:
        self._running -= 1
        match step.status:
            case "succeeded" | "skipped" | "failed":
                self._schedule.end(step.id, step.status)
