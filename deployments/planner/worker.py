"""Runs that nobody holds, taken from the store and gone on with: those of the background, and those that waited."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from autoglm.errors import APIStatusError, ConflictError, InternalServerError, UnavailableError
from deployments.clock import Clock, utc_now
from deployments.planner.journals import StoreJournal
from deployments.planner.lifecycle import Lifecycle
from deployments.planner.outcome import failed
from deployments.planner.run_store import Claim, RunStore
from deployments.planner.worker_config import WorkerConfig

# How a claimed run is brought to its end, told to this journal; it may raise as the capabilities' making does.
Begin = Callable[[Claim, StoreJournal], Awaitable[Lifecycle]]

HOPELESS = "the run was begun again and again and never ended; whatever runs it may die of it"

logger = logging.getLogger("ray.serve")


class Held:
    """A run under way here, and how long it is ours."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.lifecycle: Lifecycle | None = None
        self._is_lapsed = False
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, work: Coroutine[Any, Any, None], ends: float) -> asyncio.Task[None]:
        """Do the work until it is done, or not prolonged before `ends`, in the event loop's time."""
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._over)
        self.prolong(ends)
        return self._task

    def prolong(self, ends: float) -> None:
        """The lease lasts until `ends` now."""
        self._over()
        self._timer = asyncio.get_running_loop().call_at(ends, self._lapse)

    def stop(self) -> None:
        """The store wants it so: the run was cancelled, and is told so; or is another's, and the telling is refused."""
        if self.lifecycle is not None:
            self.lifecycle.cancel()

    @property
    def is_lapsed(self) -> bool:
        """Whether the lease ended, and with it the work."""
        return self._is_lapsed

    def _lapse(self) -> None:
        self._is_lapsed = True
        if self._task is not None:
            self._task.cancel()

    def _over(self, task: asyncio.Task[None] | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()


class Worker:
    """One replica's. Its clock is the event loop's.

    A run is stopped at once when the store says so, and when its lease has ended without having been renewed, whatever
    the reason: another may hold it from that moment on. What was begun and not told as finished is begun again by that
    one, with the same idempotency key.
    """

    def __init__(
        self, store: RunStore, begin: Begin, *, name: str, config: WorkerConfig | None = None, clock: Clock = utc_now
    ) -> None:
        self.config = config or WorkerConfig()
        self._store = store
        self._begin = begin
        self._name = name
        self._clock = clock
        self._held: dict[str, Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._fault = ""

    @property
    def held(self) -> frozenset[str]:
        """The runs under way here."""
        return frozenset(self._held)

    async def work(self) -> None:
        """Until cancelled, and what is under way here with it."""
        try:
            while True:
                try:
                    await self.turn()
                except Exception:  # a fault of this program; what it holds must still be renewed, and the rest claimed
                    logger.exception("background runs: a turn failed")
                await asyncio.sleep(self.config.poll_s)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def turn(self) -> None:
        """Renew what is held, stop what is to be stopped, and claim what there is room for."""
        try:
            await self._renew()
            await self._claim()
        except (UnavailableError, TimeoutError) as fault:
            self._tell_fault(f"the store of runs does not answer: {fault}")
        else:
            self._tell_fault("")

    async def _renew(self) -> None:
        if not self._held:
            return
        ends = self._lease_ends()
        renewed = dict(self._held)
        fences = {run: held.claim.fence for run, held in renewed.items()}
        stopped = frozenset(await self._store.renew(self._name, fences, self.config.lease_s))
        for run, held in renewed.items():
            if run in stopped:
                held.stop()
            elif self._held.get(run) is held:
                held.prolong(ends)

    async def _claim(self) -> None:
        free = self.config.max_runs - len(self._held)
        if free <= 0:
            return
        ends = self._lease_ends()
        for claim in await self._store.claim(self._name, free, self.config.lease_s):
            held = Held(claim)
            self._held[claim.run.id] = held
            self._tasks.add(task := held.begin(self._hold(held), ends))
            task.add_done_callback(self._tasks.discard)

    def _lease_ends(self) -> float:
        """When a lease that is asked for now has ended, by the clock of who asks: before the store thinks so."""
        return asyncio.get_running_loop().time() + self.config.lease_s

    async def _hold(self, held: Held) -> None:
        """Go on with a run for as long as it is ours."""
        claim = held.claim
        journal = StoreJournal(self._store, claim.run, claim.fence, claim.seq)
        telling = asyncio.create_task(journal.tell())
        try:
            await self._work(held, journal)
        except (ConflictError, UnavailableError) as error:
            logger.warning("%s is given up: %s", claim.run.id, error.message)
        except asyncio.CancelledError:
            if not held.is_lapsed:
                raise
            logger.warning("%s is given up: its lease ended and could not be renewed", claim.run.id)
        except Exception:  # a fault of this program: claimed again when the lease has ended, `max_claims` times at most
            logger.exception("%s is given up", claim.run.id)
        finally:
            telling.cancel()
            if self._held.get(claim.run.id) is held:
                del self._held[claim.run.id]

    async def _work(self, held: Held, journal: StoreJournal) -> None:
        claim = held.claim
        if claim.fence > self.config.max_claims:
            await journal.ended(failed(claim.run, InternalServerError(HOPELESS), self._clock()))
            return
        try:
            held.lifecycle = await self._begin(claim, journal)
            await held.lifecycle.run()
        except (ConflictError, UnavailableError):
            raise
        except APIStatusError as error:  # its caller is known no longer, or a result is too large for the store
            await journal.ended(failed(journal.run, error, self._clock()))
        await journal.flush()

    def _tell_fault(self, message: str) -> None:
        """Each fault once, not each turn; and that it is over."""
        if message != self._fault:
            logger.warning("background runs: %s", message or "the store answers again")
        self._fault = message
