"""The runs of this cluster, as a router replica reaches them: the planner runs them, the control plane keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from autoglm.contract.task_run import ENDED, ApprovalRequest, RunEvent, TaskRequest, TaskRun, TaskRunList
from autoglm.errors import DeadlineExceededError, NotFoundError, RateLimitError, UnavailableError
from deployments.access import Principal
from deployments.clock import Clock, utc_now
from deployments.pauses import doubling
from deployments.planner.outcome import last_event, new_run
from deployments.router.deadline import DEFAULT_S
from deployments.router.failures import translated
from serve_app.bank import Reach, unchecked
from serve_app.http.idempotency import own_key
from serve_app.names import PLANNER_APP
from serve_app.planner.store import ControlRuns
from serve_app.reach import stream
from serve_app.standing import named

ASKED_AT_ONCE = 500  # events
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 1.0  # between two looks at a run of which nothing new is told
MAX_FOLLOWERS = 100  # of one replica; each asks the control plane up to ten times a second
TIMEOUT_S = 2.0
GRACE_S = 5.0  # for the planner to tell that the time of a run is over

Sleep = Callable[[float], Awaitable[None]]


class ClusterRuns:
    """Implements `serve_app.http.tasks.Runs`."""

    def __init__(
        self,
        store: ControlRuns,
        reach: Reach = unchecked,
        *,
        now: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
        max_followers: int = MAX_FOLLOWERS,
    ) -> None:
        self._store = store
        self._reach = reach
        self._now = now
        self._sleep = sleep
        self._places = max_followers

    async def run(self, request: TaskRequest, caller: Principal) -> AsyncGenerator[RunEvent]:
        """By a planner replica; closing the iterator cancels the run there.

        Raises DeadlineExceededError where none ends it, not even in error, soon after its time.
        """
        ends = asyncio.get_running_loop().time() + (request.timeout_s or DEFAULT_S) + GRACE_S
        told = request.model_dump(mode="json"), named(caller).model_dump(mode="json")
        sent = self._planner().options(stream=True).run.remote(*told)
        async with aclosing(stream(sent, "the planner")) as events:
            while (event := await in_time(anext(events, None), ends)) is not None:
                yield RunEvent.model_validate(event)

    async def start(self, request: TaskRequest, caller: Principal, key: str | None) -> TaskRun:
        """Kept before it is answered, so that whatever dies it is done."""
        run = new_run(request, self._now(), own_key(caller, key)[:32])
        await self._store.create(run, request, named(caller))
        return run if key is None else await self._store.get(run.id, caller.tenant)

    async def get(self, run: str, tenant: str) -> TaskRun:
        """From the store; else one that somebody listens to now."""
        return await self._found(self._store.get, "look", run, tenant)

    async def page(self, tenant: str, *, after: str | None, limit: int) -> TaskRunList:
        """Those that are kept."""
        return await self._store.page(tenant, after, limit)

    async def follow(self, run: str, tenant: str, after: int) -> AsyncGenerator[RunEvent]:
        """From the store, looked at again and again; the end is told even where its event was lost."""
        if not self._places:
            raise RateLimitError("as many watch runs here as may; ask for the run itself", retry_after=LONGEST_PAUSE_S)
        self._places -= 1
        try:
            async with aclosing(self._followed(run, tenant, after)) as events:
                async for event in events:
                    yield event
        finally:
            self._places += 1

    async def cancel(self, run: str, tenant: str) -> TaskRun:
        """In the store; else where somebody listens to it."""
        return await self._found(self._store.cancel, "stop", run, tenant)

    async def decide(self, run: str, caller: Principal, decision: ApprovalRequest) -> TaskRun:
        """In the store, where a run waits."""
        return await self._store.approve(run, caller.tenant, decision, str(caller))

    async def _followed(self, run: str, tenant: str, seq: int) -> AsyncGenerator[RunEvent]:
        over: TaskRun | None = None
        is_told = False
        pauses = doubling(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        while True:
            events = await self._store.events_after(run, tenant, seq, ASKED_AT_ONCE)
            for event in events:
                seq, is_told = event.seq, event.run is not None and event.run.status in ENDED
                yield event
            if events:
                pauses = doubling(FIRST_PAUSE_S, LONGEST_PAUSE_S)
            elif over is not None:
                break
            elif (now := await self._store.get(run, tenant)).status in ENDED:
                over = now  # looked at once more: its last events may have been told in between
            else:
                await self._sleep(next(pauses))
        if not is_told:
            yield last_event(over, seq + 1)

    async def _found(
        self, kept: Callable[[str, str], Awaitable[TaskRun]], method: str, run: str, tenant: str
    ) -> TaskRun:
        """What the store has; else what a planner has, which the store may have since it was asked."""
        try:
            return await kept(run, tenant)
        except (NotFoundError, UnavailableError) as error:
            if (live := await self._live(method, run, tenant)) is not None:
                return live
            if isinstance(error, UnavailableError):
                raise
        return await kept(run, tenant)

    async def _live(self, method: str, run: str, tenant: str) -> TaskRun | None:
        """What the one planner replica says that has the run in its memory; None where none has."""
        try:
            with translated("the planner"):
                asked = self._planner().broadcast(method, run, tenant)
                answers = await asked.results_async(timeout_s=TIMEOUT_S, return_exceptions=True)
        except (TimeoutError, UnavailableError):
            return None
        told: Any = next((answer for answer in answers if isinstance(answer, dict)), None)
        return None if told is None else TaskRun.model_validate(told)

    def _planner(self) -> Any:
        return self._reach(PLANNER_APP, PLANNER_APP)


async def in_time(event: Awaitable[Any], ends: float) -> Any:
    """The event, unless the event loop's time is `ends` before."""
    try:
        async with asyncio.timeout_at(ends):
            return await event
    except TimeoutError:
        raise DeadlineExceededError("the planner did not end the run in its time (timeout_s)") from None
