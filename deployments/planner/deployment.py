"""The planner's Serve deployment: runs that somebody listens to, and those of the background."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from autoglm.contract.task_run import ENDED, RunEvent, TaskRequest, TaskRun
from autoglm.errors import APIStatusError, UnavailableError
from deployments.caller import Caller
from deployments.clock import Clock, utc_now
from deployments.planner.capabilities import Capabilities
from deployments.planner.config import PlannerConfig
from deployments.planner.journals import MemoryJournal, StoreJournal
from deployments.planner.lifecycle import Lifecycle, Planning, Runtime
from deployments.planner.outcome import cancelled, new_run
from deployments.planner.planning.config import PlanningConfig
from deployments.planner.run_store import Claim, RunStore
from deployments.planner.worker import Worker

MAX_KEPT = 1000  # ended runs on their way to the store; what comes beyond is not kept, and is told to nobody who asks

logger = logging.getLogger("ray.serve")


class CapabilitiesFor(Protocol):
    """Makes what one run can do."""

    async def __call__(self, claim: Claim) -> Capabilities:
        """Raises PermissionDeniedError for a caller who is not known, UnavailableError where nothing can be reached."""
        ...


PlanningOf = Callable[[PlanningConfig], Awaitable[Planning]]


@dataclass(frozen=True, slots=True)
class Live:
    """A run that somebody listens to."""

    claim: Claim
    lifecycle: Lifecycle
    journal: MemoryJournal


class Planner:
    """One replica.

    A run that somebody listens to lives in the replica's memory, ends with the connection, and is kept in the store
    when it ends, where that answers; until it is there it is still told from here. One that comes to wait for a person
    is kept there with all that was done, and gone on with by whoever claims it, as runs of the background are.
    """

    def __init__(
        self,
        capabilities: CapabilitiesFor,
        store: RunStore,
        planning_of: PlanningOf,
        *,
        name: str,
        now: Clock = utc_now,
    ) -> None:
        self._capabilities = capabilities
        self._store = store
        self._planning_of = planning_of
        self._now = now
        self._config: PlannerConfig | None = None
        self._runtime: Runtime | None = None
        self._worker = Worker(store, self._begin, name=name, clock=now)
        self._working: asyncio.Task[None] | None = None
        self._live: dict[str, Live] = {}
        self._taken = 0
        self._keeping: dict[str, asyncio.Task[None]] = {}

    async def reconfigure(self, config: dict[str, Any]) -> None:
        """Called by Serve with `user_config`; runs under way go on as they began."""
        wanted = PlannerConfig.model_validate(config)
        if self._runtime is None or self._config is None or wanted.planning != self._config.planning:
            planning = await self._planning_of(wanted.planning)
        else:
            planning = self._runtime.planning
        self._runtime = Runtime(planning, wanted.execution, now=self._now)
        self._worker.config = wanted.background
        self._config = wanted
        if self._working is None:
            self._working = asyncio.create_task(self._worker.work())

    async def run(self, request: dict[str, Any], caller: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """The events of a run, as they come; call it with `handle.options(stream=True)`.

        The last one bears the run, as it ended or as it waits. Closing the iterator cancels the run.

        Raises:
            UnavailableError: as many run here as may.
            APIStatusError: no plan was made; nothing has happened.
        """
        asked, by = TaskRequest.model_validate(request), Caller.model_validate(caller)
        claim = Claim(new_run(asked, self._now()), asked, by, fence=0, approved={})
        with self._place():
            journal = MemoryJournal(claim.run, partial(self._hand_over, claim))
            lifecycle = Lifecycle(claim, await self._capabilities(claim), journal, self._ready())
            self._live[claim.run.id] = live = Live(claim, lifecycle, journal)
            try:
                await lifecycle.plan()
                async with aclosing(self._events(live)) as events:
                    async for event in events:
                        yield event.model_dump(mode="json", exclude_none=True)
            finally:
                self._forget(claim.run.id)

    @property
    def live(self) -> frozenset[str]:
        """The runs here that somebody listens to, or that the store does not have yet."""
        return frozenset(self._live)

    async def look(self, run: str, tenant: str) -> dict[str, Any] | None:
        """A run of this tenant that somebody listens to here, as it is now; None where there is none."""
        live = self._of(run, tenant)
        return None if live is None else shown(live.journal.run)

    async def stop(self, run: str, tenant: str) -> dict[str, Any] | None:
        """Cancel such a run; its listener hears of its end."""
        live = self._of(run, tenant)
        if live is None:
            return None
        live.lifecycle.cancel()
        return shown(live.journal.run)

    async def aclose(self) -> None:
        """End what runs here. Durable runs are gone on with by another replica."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)
        if self._keeping:
            await asyncio.wait(self._keeping.values(), timeout=2.0)

    def check_health(self) -> None:
        """Called by Serve; raises RuntimeError where the work in the background has ended by itself."""
        if self._working is not None and self._working.done():
            raise RuntimeError("the worker of background runs has ended")

    async def _events(self, live: Live) -> AsyncGenerator[RunEvent]:
        """The events of one run, which goes on beside whoever takes them."""
        going = asyncio.create_task(self._gone_on(live))
        going.add_done_callback(lambda _: live.journal.close())
        try:
            async for event in live.journal.heard():
                yield event
            await going
        finally:
            if not going.done():
                going.cancel()
                run = live.journal.run
                if run.waiting_for is None:
                    self._keep(live.claim, run if run.status in ENDED else cancelled(run, self._now()))
                await asyncio.gather(going, return_exceptions=True)

    async def _gone_on(self, live: Live) -> None:
        """The run to its end, and the store told; or to where it waits."""
        run = await live.lifecycle.go_on()
        if run.status in ENDED:
            self._keep(live.claim, run)

    def _keep(self, claim: Claim, run: TaskRun) -> None:
        """Have the store keep an ended run; nobody waits for that."""
        if len(self._keeping) >= MAX_KEPT:
            logger.warning("%s is not kept: %d other runs wait for the store already", run.id, MAX_KEPT)
            return
        self._keeping[run.id] = keeping = asyncio.create_task(self._kept(claim, run))
        keeping.add_done_callback(lambda _: self._keeping.pop(run.id))

    def _forget(self, run: str) -> None:
        """A run that nobody listens to any more; only when the store has it, so that it is never nowhere."""
        if keeping := self._keeping.get(run):
            keeping.add_done_callback(lambda _: self._live.pop(run))
        else:
            del self._live[run]

    async def _kept(self, claim: Claim, run: TaskRun) -> None:
        try:
            await self._store.create(run, claim.request, claim.caller)
        except (APIStatusError, TimeoutError) as fault:
            logger.warning("%s is not kept: %s", run.id, fault)

    async def _hand_over(self, claim: Claim, run: TaskRun, event: RunEvent) -> None:
        """A run that waits lives on in the store, with its results whole; its next event there is the one after."""
        await self._store.create(run, claim.request, claim.caller)
        await self._store.events(run.id, claim.fence, [event])

    async def _begin(self, claim: Claim, journal: StoreJournal) -> Lifecycle:
        """For the worker."""
        return Lifecycle(claim, await self._capabilities(claim), journal, self._ready())

    @contextmanager
    def _place(self) -> Iterator[None]:
        """One of the places for runs that somebody listens to."""
        if self._taken >= (self._config.max_runs if self._config is not None else 0):
            raise UnavailableError(f"the planner runs {self._taken} tasks, all that it takes", retry_after=1.0)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    def _ready(self) -> Runtime:
        if self._runtime is None:
            raise UnavailableError("the planner is being started", retry_after=1.0)
        return self._runtime

    def _of(self, run: str, tenant: str) -> Live | None:
        live = self._live.get(run)
        return live if live is not None and live.claim.caller.tenant == tenant else None


def shown(run: TaskRun) -> dict[str, Any]:
    """A run as it is told; of one that is under way the results come with its events."""
    if run.status in ENDED:
        return run.model_dump(mode="json", exclude_none=True)
    steps = tuple(step.model_copy(update={"result": None, "is_cut": step.result is not None}) for step in run.steps)
    return run.model_copy(update={"steps": steps}).model_dump(mode="json", exclude_none=True)
