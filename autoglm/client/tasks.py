"""Runs of instructions, under `client.tasks`: those in the background, those that wait, and those that are over."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import httpx

from autoglm.client import task_calls
from autoglm.client.config import ClientConfig
from autoglm.client.exchange import AsyncRun, Run
from autoglm.client.paging import items, items_async
from autoglm.client.patience import Patience
from autoglm.client.run_stream import AsyncFollowed, AsyncRunStream, Followed, Resumption, RunStream
from autoglm.contract.task_run import TaskRun


class Tasks:
    """The tenant's runs; each call needs the scope `tasks`, and `approve` the scope `approve` instead.

    Raises, from every call that names a run:
        NotFoundError: the tenant has no such run, or has it no longer.
    """

    def __init__(self, run: Run, config: ClientConfig) -> None:
        self._run = run
        self._config = config

    def get(self, run_id: str) -> TaskRun:
        """One run now, with its plan and its steps."""
        return self._run(task_calls.get(run_id))

    def list(self) -> Generator[TaskRun, None, None]:
        """All runs that are kept, the newest first; asked for in pages as they are needed."""
        return items(self._run, task_calls.runs())

    def cancel(self, run_id: str) -> TaskRun:
        """Ends a run, with the steps that are under way.

        Raises:
            ConflictError: it is over.
        """
        return self._run(task_calls.cancel(run_id))

    def approve(self, run_id: str, step: str | None = None, *, approved: bool = True, reason: str = "") -> TaskRun:
        """Decides on what a run waits for: the plan, or the step that is named.

        Raises:
            ConflictError: the run does not wait for it.
        """
        return self._run(task_calls.approve(run_id, step, approved=approved, reason=reason))

    def events(self, run_id: str, *, after: int = 0) -> RunStream:
        """The events of a run after the one numbered `after`, to its end, also of one that is over.

        A connection that is cut is opened again where it stood, as often as `retry` allows without an event between.
        """

        def opened(seq: int) -> httpx.Response:
            return self._run(task_calls.events(run_id, seq))

        place = Resumption(self._config.retry, self._config.clock, after)
        return Followed(opened(after), opened, place, self._config.clock).stream()

    def wait(self, run_id: str, *, timeout_s: float | None = None) -> TaskRun:
        """The run as it ended; one that waits is waited for until somebody approves it.

        Raises:
            APIStatusError: the class of the error that it failed with.
            APITimeoutError: it is not over after `timeout_s` seconds.
        """
        clock = self._config.clock
        patience = Patience(timeout_s, clock.now)
        while (pause := patience.pause_s(run := self.get(run_id))) is not None:
            clock.sleep(pause)
        return task_calls.outcome(run)


class AsyncTasks:
    """`Tasks` for asyncio: the same arguments, calls and errors; the list is for `async for`."""

    def __init__(self, run: AsyncRun, config: ClientConfig) -> None:
        self._run = run
        self._config = config

    async def get(self, run_id: str) -> TaskRun:
        """As `Tasks.get`."""
        return await self._run(task_calls.get(run_id))

    def list(self) -> AsyncGenerator[TaskRun, None]:
        """As `Tasks.list`."""
        return items_async(self._run, task_calls.runs())

    async def cancel(self, run_id: str) -> TaskRun:
        """As `Tasks.cancel`."""
        return await self._run(task_calls.cancel(run_id))

    async def approve(
        self, run_id: str, step: str | None = None, *, approved: bool = True, reason: str = ""
    ) -> TaskRun:
        """As `Tasks.approve`."""
        return await self._run(task_calls.approve(run_id, step, approved=approved, reason=reason))

    async def events(self, run_id: str, *, after: int = 0) -> AsyncRunStream:
        """As `Tasks.events`; `async with await client.tasks.events(run_id) as events` reads them."""

        async def opened(seq: int) -> httpx.Response:
            return await self._run(task_calls.events(run_id, seq))

        place = Resumption(self._config.retry, self._config.clock, after)
        return AsyncFollowed(await opened(after), opened, place, self._config.clock).stream()

    async def wait(self, run_id: str, *, timeout_s: float | None = None) -> TaskRun:
        """As `Tasks.wait`."""
        clock = self._config.clock
        patience = Patience(timeout_s, clock.now)
        while (pause := patience.pause_s(run := await self.get(run_id))) is not None:
            await clock.sleep_async(pause)
        return task_calls.outcome(run)
