"""What one replica holds for the same subjects: its pool, and the calls that wait for more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from autoglm.errors import QuotaExceededError, UnavailableError
from deployments.clock import Clock
from deployments.quota.alone import Alone
from deployments.quota.bank import Bank, Lease, Settlement, Wanted, new_id
from deployments.quota.pool import Pool
from deployments.quota.reservation import Reservation
from deployments.quota.subject import Subject
from deployments.quota.view import QuotaView
from deployments.quota.windows import BY_NAME, NOTHING, Amount, Standing

MAX_WAITING = 1000
SHARE = 8  # of what is left, a lease takes at most an eighth beyond what waits for it
REMEMBERED = timedelta(seconds=1)  # a refusal: so often is the bank asked by who does not stop


@dataclass(frozen=True, slots=True)
class Waiter:
    """A call that waits for a lease."""

    amount: Amount
    admitted: asyncio.Future[Reservation]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The bank's last: whoever wants as much of the part would hear the same until `until`."""

    error: QuotaExceededError
    part: str
    least: int
    heard: datetime
    until: datetime

    def covers(self, amount: Amount, now: datetime) -> bool:
        """Whether the bank need not be asked."""
        return self.heard <= now < self.until and getattr(amount, self.part) >= self.least

    def again(self, now: datetime) -> QuotaExceededError:
        """The error of another call, which comes later and so has less to wait."""
        wait = self.error.retry_after
        left = None if wait is None else max(0.0, wait - (now - self.heard).total_seconds())
        return QuotaExceededError(self.error.message, param=self.error.param, retry_after=left)


class Account:
    """Calls of the same subjects, admitted in the order in which they came.

    A lease covers all calls that wait, and beyond them what the last second would need, so that the first call of a
    caller leaves nothing stranded here and the thousandth waits for nobody; an eighth of what is left at most.
    """

    def __init__(self, views: tuple[QuotaView, ...], bank: Bank, alone: Alone, clock: Clock) -> None:
        self._views = views
        self._subjects: tuple[Subject, ...] = tuple(view.owner for view in views)
        self._bank = bank
        self._alone = alone
        self._clock = clock
        self._pool: Pool | None = None
        self._past: list[Pool] = []
        self._waiting: deque[Waiter] = deque()
        self._refilling: asyncio.Task[None] | None = None
        self._refusal: Refusal | None = None
        self._unanswered: list[str] = []
        self._demand = NOTHING
        self._demand_before = NOTHING

    async def reserve(self, amount: Amount) -> Reservation:
        """Reserve for a call; without waiting where the pool holds enough.

        Raises:
            QuotaExceededError: a limit does not admit it.
            UnavailableError: too many calls wait already.
        """
        return self._at_once(amount, self._clock()) or await self._wait(amount)

    def replace(self, views: tuple[QuotaView, ...]) -> None:
        """Other limits: what was leased under the old ones is given back."""
        if views != self._views:
            self._views, self._refusal = views, None
            self._retire()

    def settlements(self) -> Iterator[Settlement]:
        """What to report each second: use, and what is free beyond the need of the second that is over."""
        self._roll(self._clock())
        yield from (Settlement(lease, NOTHING) for lease in self._unanswered)
        self._unanswered = []
        for pool in self._past:
            yield from pool.settle(NOTHING)
        self._past = [pool for pool in self._past if not pool.is_over]
        if self._pool is not None:
            yield from self._pool.settle(self._demand)
            self._pool = None if self._pool.is_over else self._pool
        self._demand, self._demand_before = NOTHING, self._demand

    @property
    def is_idle(self) -> bool:
        """Whether nothing would be lost with it."""
        busy = self._waiting or self._past or self._unanswered or self._refilling or self._pool is not None
        return not busy and self._demand == self._demand_before == NOTHING

    async def close(self) -> None:
        """Give up what is free, and refuse who waits."""
        if self._refilling is not None:
            self._refilling.cancel()
            await asyncio.gather(self._refilling, return_exceptions=True)
            self._refilling = None  # a task that never began has not done it
        self._fail(UnavailableError("quota: this router is being stopped; send it again", retry_after=1.0))
        self._retire()

    def _at_once(self, amount: Amount, now: datetime) -> Reservation | None:
        self._roll(now)
        if self._waiting:
            return None
        if self._holds(amount):
            return self._take(amount, now)
        if self._alone.lasts:
            return self._alone.reserve(self._views, amount)
        if self._refusal is not None and self._refusal.covers(amount, now):
            raise self._refusal.again(now)
        return None

    async def _wait(self, amount: Amount) -> Reservation:
        if len(self._waiting) >= MAX_WAITING:
            raise UnavailableError(f"quota: {MAX_WAITING} calls of this caller wait already", retry_after=1.0)
        waiter = Waiter(amount, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        if self._refilling is None:
            self._refilling = asyncio.create_task(self._refill())
        try:
            return await waiter.admitted
        except asyncio.CancelledError:
            # Cancelled between the admission and the moment that it would have been told of it.
            if waiter.admitted.done() and not waiter.admitted.cancelled() and waiter.admitted.exception() is None:
                waiter.admitted.result().settle(NOTHING)
            raise

    async def _refill(self) -> None:
        try:
            while self._waiting:
                await self._round()
        except Exception as fault:  # the bank's own; whoever waits hears of it
            self._fail(fault)
        finally:
            self._refilling = None

    async def _round(self) -> None:
        """One lease, for all that wait."""
        now = self._clock()
        self._roll(now)
        self._serve(now)
        if not self._waiting:
            return
        first, wanted = self._waiting[0], self._wanted()
        try:
            lease = await self._bank.reserve(wanted)
        except QuotaExceededError as error:
            self._serve(self._clock())
            self._refuse(first, error)
        except (UnavailableError, TimeoutError) as fault:
            self._unanswered.append(wanted.lease)
            self._alone.begin(fault)
            self._serve_alone()
        except BaseException:
            self._unanswered.append(wanted.lease)
            raise
        else:
            self._add(lease, asked=now)
            self._serve(self._clock())

    def _wanted(self) -> Wanted:
        """At least what the first in the row lacks; at best what all lack, and a second's need."""
        amounts = [waiter.amount for waiter in self._waiting if not waiter.admitted.done()]
        free = NOTHING if self._pool is None else self._pool.free
        need = (amounts[0] - free).at_least(NOTHING)
        ahead = self._demand.at_least(self._demand_before).at_most(share(self._pool))
        wish = (sum(amounts, ahead) - free).at_least(need)
        return Wanted(new_id(), self._subjects, need, wish)

    def _add(self, lease: Lease, *, asked: datetime) -> None:
        self._alone.saw(lease)
        pool = Pool(lease, asked)
        if self._pool is not None and self._pool.minute == pool.minute:
            self._pool.add(lease)
        else:
            self._retire()
            self._pool = pool

    def _serve(self, now: datetime) -> None:
        """Admit who waits, in order, until one does not fit."""
        while self._waiting:
            waiter = self._waiting[0]
            if not waiter.admitted.done():
                if not self._holds(waiter.amount):
                    return
                waiter.admitted.set_result(self._take(waiter.amount, now))
            self._waiting.popleft()

    def _serve_alone(self) -> None:
        for waiter in self._drained():
            try:
                waiter.admitted.set_result(self._alone.reserve(self._views, waiter.amount))
            except QuotaExceededError as error:
                waiter.admitted.set_exception(error)

    def _refuse(self, first: Waiter, error: QuotaExceededError) -> None:
        """Refuse the call that the lease was for, and all that want as much; smaller ones are tried next."""
        now, part = self._clock(), BY_NAME[error.param or ""].part
        until = now + min(REMEMBERED, timedelta(seconds=error.retry_after or REMEMBERED.total_seconds()))
        refusal = Refusal(error, part, getattr(first.amount, part), now, until)
        for waiter in self._drained():
            if refusal.covers(waiter.amount, now):
                waiter.admitted.set_exception(refusal.again(now))
            else:
                self._waiting.append(waiter)
        self._refusal = refusal

    def _fail(self, fault: Exception) -> None:
        for waiter in self._drained():
            waiter.admitted.set_exception(fault)

    def _drained(self) -> list[Waiter]:
        """Who still waits; nobody does afterwards."""
        drained = [waiter for waiter in self._waiting if not waiter.admitted.done()]
        self._waiting.clear()
        return drained

    def _holds(self, amount: Amount) -> bool:
        return self._pool is not None and amount.fits(self._pool.free)

    def _take(self, amount: Amount, now: datetime) -> Reservation:
        assert self._pool is not None
        self._demand += amount
        return self._pool.take(amount, now)

    def _roll(self, now: datetime) -> None:
        """A lease is of its minute; what the next needs is leased in it."""
        if self._pool is not None and now >= self._pool.ends:
            self._retire()

    def _retire(self) -> None:
        if self._pool is not None:
            self._past.append(self._pool)
            self._pool = None


def share(pool: Pool | None) -> Amount:
    """An eighth of what is left of each part, as last seen; nothing where nothing was."""
    if pool is None:
        return NOTHING
    return Amount(*(part_left(pool.standings, part) // SHARE for part in ("requests", "tokens", "cost_micros")))


def part_left(standings: tuple[Standing, ...], part: str) -> int:
    """What the tightest limit of a part leaves; without one, more than anybody wants."""
    return min((standing.remaining for standing in standings if standing.limit.part == part), default=2**62)
