"""The two journals: of a run that somebody listens to, in memory, and of a durable one, in the store."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable

from autoglm.contract.plan import Plan
from autoglm.contract.task_run import Planner, RunEvent, StepRun, TaskRun
from autoglm.contract.usage import Usage
from autoglm.errors import UnavailableError
from deployments.pauses import doubling
from deployments.planner.graph import PLAN
from deployments.planner.run_store import RunStore

MAX_HEARD = 1000  # events that a listener may lie behind; then the run waits for it
MAX_UNTOLD = 10_000  # events that wait for the store, which keeps no more of a run either
TOLD_AT_ONCE = 500
PAUSE_S = 0.2  # between two calls that tell events, and before the store is tried again; watchers wait so long at most
LONGEST_PAUSE_S = 2.0

HandOver = Callable[[TaskRun, RunEvent], Awaitable[None]]  # a run that waits, and the event that says so


class View:
    """A run as it stands, by what its journal was told; its steps bear their whole results until it has ended.

    `seq` is the number of the last event.
    """

    def __init__(self, run: TaskRun, seq: int = 0) -> None:
        self.run = run
        self.seq = seq

    async def planned(self, plan: Plan, planner: Planner) -> None:
        """The run has this plan now."""
        self.run = self.run.model_copy(update={"plan": plan, "planner": planner, "status": "running"})

    async def step(self, step: StepRun, usage: Usage) -> None:
        """The step stands so now, and the run has taken so many tokens."""
        steps = {known.id: known for known in self.run.steps} | {step.id: step}
        self.run = self.run.model_copy(update={"steps": tuple(steps.values()), "usage": usage})

    async def ended(self, run: TaskRun) -> None:
        """The run as it ended."""
        self.run = run

    async def wait(self, run: TaskRun, event: RunEvent) -> None:
        """The run waits for a person, and needs nobody until then; `event` says so."""
        self.run = self.run.model_copy(update={name: getattr(run, name) for name in ("status", "waiting_for", "usage")})

    async def event(self, event: RunEvent) -> None:
        """The next event."""
        self.seq = event.seq


class MemoryJournal(View):
    """Of a run that somebody listens to: in memory alone, its events handed to the one listener.

    One that waits is handed to the store by `hand_over` before the listener hears of it, who may hang up then.
    """

    def __init__(self, run: TaskRun, hand_over: HandOver) -> None:
        super().__init__(run)
        self._hand_over = hand_over
        self._events: asyncio.Queue[RunEvent | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(MAX_HEARD)

    async def event(self, event: RunEvent) -> None:
        """Hand it to the listener, and wait while that one is far behind."""
        await super().event(event)
        await self._room.acquire()
        self._events.put_nowait(event)

    async def wait(self, run: TaskRun, event: RunEvent) -> None:
        """Raises UnavailableError where the store is away: nobody could approve."""
        await super().wait(run, event)
        await self._hand_over(self.run, event)
        await self.event(event)

    def close(self) -> None:
        """There are no more events."""
        self._events.put_nowait(None)

    async def heard(self) -> AsyncGenerator[RunEvent]:
        """The events, as they come."""
        while (event := await self._events.get()) is not None:
            self._room.release()
            yield event


class StoreJournal(View):
    """Of a durable run: writes to the store, and again while that is away, until whoever waits here is cancelled."""

    def __init__(self, store: RunStore, run: TaskRun, fence: int, seq: int = 0) -> None:
        super().__init__(run, seq)
        self._store = store
        self._fence = fence
        self._untold: deque[RunEvent] = deque(maxlen=MAX_UNTOLD)
        self._has_more = asyncio.Event()
        self._telling = asyncio.Lock()

    async def planned(self, plan: Plan, planner: Planner) -> None:
        """Raises ConflictError, as all of these do, where the run is another's by now."""
        await self._written(lambda: self._store.planned(self.run.id, self._fence, plan, planner))
        await super().planned(plan, planner)

    async def step(self, step: StepRun, usage: Usage) -> None:
        """As the store's."""
        await self._written(lambda: self._store.step(self.run.id, self._fence, step, usage))
        await super().step(step, usage)

    async def wait(self, run: TaskRun, event: RunEvent) -> None:
        """As the store's; the events so far are told first, this one with them."""
        await super().wait(run, event)
        await self.event(event)
        await self.flush()
        waiting_for = run.waiting_for or PLAN
        await self._written(lambda: self._store.wait(self.run.id, self._fence, waiting_for, run.usage))

    async def ended(self, run: TaskRun) -> None:
        """As the store's; the events so far are told first, since who watches looks for no more after the end."""
        await self.flush()
        await self._written(lambda: self._store.ended(run, self._fence))
        await super().ended(run)

    async def event(self, event: RunEvent) -> None:
        """Told soon; of more than the store keeps the oldest are lost."""
        await super().event(event)
        self._untold.append(event)
        self._has_more.set()

    async def flush(self) -> None:
        """Tell what there is."""
        await self._written(self._tell)

    async def tell(self) -> None:
        """Tell the events as they come, until cancelled."""
        while True:
            await self._has_more.wait()
            self._has_more.clear()
            await self.flush()
            await asyncio.sleep(PAUSE_S)

    async def _tell(self) -> None:
        async with self._telling:
            while self._untold:
                events = list(itertools.islice(self._untold, TOLD_AT_ONCE))
                await self._store.events(self.run.id, self._fence, events)
                while self._untold and self._untold[0].seq <= events[-1].seq:
                    self._untold.popleft()

    async def _written(self, write: Callable[[], Awaitable[None]]) -> None:
        pauses = doubling(PAUSE_S, LONGEST_PAUSE_S)
        while True:
            try:
                return await write()
            except (UnavailableError, TimeoutError):
                await asyncio.sleep(next(pauses))
