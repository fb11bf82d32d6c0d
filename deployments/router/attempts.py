"""A request's attempts at a target: each admitted by the breaker, none past the deadline or the budgets."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from autoglm.errors import APIStatusError, CircuitOpenError, DeadlineExceededError, UnavailableError, UpstreamError
from deployments.breaking import Breaker, Permit, counts_as_failure
from deployments.router.balancing import Attempt, Pool
from deployments.router.call import Call
from deployments.router.failures import ReplicaLostError
from deployments.router.hedging import hedged
from deployments.router.policy import TargetPolicy
from deployments.router.retries import RetryBudget, RetryPool, backoff
from deployments.stream import DONE, Event, Progress

T = TypeVar("T")
Send = Callable[[], Awaitable[T]]
Begin = Callable[[Progress | None], AsyncGenerator[Event]]

PATIENCE_S = 10.0  # a target that has not answered for so long is at fault, whatever the caller's deadline was


@dataclass(slots=True)
class Tally:
    """What became of requests, counted from the start of the replica; one that is retried twice counts twice there."""

    requests: int = 0
    retried: int = 0
    continued: int = 0
    hedged: int = 0
    failed: int = 0  # attempts that spoke against the target


class Attempts:
    """Sends a request until a replica answers it.

    A replica that failed it is not tried again while there is another. What is sent again is paid twice: from the
    request's own budget, which all hops share, and from the target's pool, which bounds the retries of all requests.
    """

    def __init__(
        self,
        name: str,
        policy: TargetPolicy,
        breaker: Breaker,
        clock: Callable[[], float] = time.monotonic,
        chance: random.Random | None = None,
    ) -> None:
        self._name = name
        self._retries = policy.retries
        self._hash_on = policy.balancing.hash_on
        self._may_wait = not policy.fallbacks  # where something else can answer, it does, and nobody waits
        self._hedging = policy.hedging
        self._breaker = breaker
        self._patience_s = policy.breaker.slow_call_s or PATIENCE_S
        self.tally = Tally()
        self.replicas: Pool | None = None  # as the last attempt found them
        self._pool = RetryPool(policy.retries, clock=clock)
        self._clock = clock
        self._chance = chance or random.Random()

    async def whole(self, call: Call, send: Send[T], prefix: str | None = None) -> T:
        """The answer of the first attempt that has one.

        Raises:
            CircuitOpenError: the breaker admits no attempt.
            DeadlineExceededError: the deadline passed.
            APIStatusError: the last attempt's error.
        """
        attempt = self._first(call, prefix)
        failure: APIStatusError | None = None
        while True:
            try:
                return await self._one(call, attempt, send)
            except APIStatusError as error:
                failure = graver(failure, error)
                if not await self._may_retry(error, call):
                    raise failure from None
                attempt = follower(attempt)

    async def stream(self, call: Call, begin: Begin, prefix: str | None = None) -> AsyncGenerator[bytes]:
        """The events of one answer, from as many replicas as it takes: none lost, none doubled.

        Raises as `whole` does, also where an answer that has begun cannot be continued.
        """
        attempt = self._first(call, prefix)
        failure: APIStatusError | None = None
        progress: Progress | None = None
        is_told = is_done = False
        while True:
            try:
                async with aclosing(self._events(call, attempt, begin, progress)) as events:
                    async for event in events:
                        progress = advanced(progress, event)
                        is_told, is_done = True, event.data.endswith(DONE)
                        yield event.data
                return
            except APIStatusError as error:
                if is_done:  # its caller has all of it
                    return
                failure = graver(failure, error)
                if (is_told and progress is None) or not await self._may_retry(error, call):
                    raise failure from None
                attempt = follower(attempt)
                attempt.may_wait |= is_told  # nothing else can go on with what its caller has begun to read
                self.tally.continued += is_told

    def _first(self, call: Call, prefix: str | None) -> Attempt:
        """A request's first attempt here; its first target gives it the budget that all others share."""
        self._pool.deposit()
        self.tally.requests += 1
        if call.retries is None:
            call.retries = RetryBudget(self._retries.max_attempts - 1)
        return Attempt(key=getattr(call, self._hash_on), prefix=prefix, may_wait=self._may_wait)

    async def _one(self, call: Call, attempt: Attempt, send: Send[T]) -> T:
        """One attempt, or two beside each other where hedging is configured."""
        if self._hedging is None:
            return await self._sent(call, attempt, send)

        def second() -> Awaitable[T] | None:
            if not self._pool.withdraw():
                return None
            self.tally.hedged += 1
            return self._sent(call, follower(attempt), send)

        return await hedged(self._sent(call, attempt, send), second, self._hedging.after_s)

    async def _sent(self, call: Call, attempt: Attempt, send: Send[T]) -> T:
        with self._admitted(attempt), attempt.current():
            return await self._in_time(call, attempt, send())

    async def _events(
        self, call: Call, attempt: Attempt, begin: Begin, progress: Progress | None
    ) -> AsyncGenerator[Event]:
        """One attempt's events. For the breaker it has succeeded with the first one, however long it goes on.

        That a replica dies later is the balancing's to know; the target lives.
        """
        with self._admitted(attempt) as permit:
            started = self._clock()
            with attempt.current():
                events = begin(progress)
            async with aclosing(events):
                while (event := await self._in_time(call, attempt, anext(events, None))) is not None:
                    permit.succeeded(self._clock() - started)  # the first verdict stands
                    yield event

    async def _in_time(self, call: Call, attempt: Attempt, result: Awaitable[T]) -> T:
        """The result, unless the deadline passes or the replica is given up first."""
        try:
            async with call.deadline.scope() as attempt.scope:
                return await result
        except TimeoutError:
            if attempt.given_up:
                raise ReplicaLostError(f"the replica of {self._name} that served this request hangs") from None
            raise call.deadline.error() from None

    @contextmanager
    def _admitted(self, attempt: Attempt) -> Iterator[Permit]:
        """The breaker's permit. It and the balancing hear what becomes of the attempt: nothing, if the caller goes."""
        started = self._clock()
        with self._breaker.admit() as permit:
            try:
                yield permit
            except APIStatusError as error:
                self._judge(error, attempt, permit, self._clock() - started)
                raise
            else:
                permit.succeeded(self._clock() - started)
                attempt.succeeded()
            finally:
                attempt.released()
                self.replicas = attempt.pool or self.replicas

    def _judge(self, error: APIStatusError, attempt: Attempt, permit: Permit, seconds: float) -> None:
        """What an error speaks against: nothing, if the deadline was the caller's own and short.

        One lost replica among several is the balancing's to avoid, with all that was under way on it. The target is at
        fault where it was the only one, or where the request had failed on another before.
        """
        if isinstance(error, DeadlineExceededError) and seconds < self._patience_s:
            return
        if isinstance(error, ReplicaLostError) and attempt.is_first_of_several:
            attempt.failed()
            return
        if counts_as_failure(error):
            permit.failed(seconds)
            self.tally.failed += 1
            attempt.failed()
        else:
            attempt.succeeded()

    async def _may_retry(self, error: APIStatusError, call: Call) -> bool:
        """Whether another attempt may be made, told when its time has come."""
        if not may_help(error) or call.retries is None or not (call.retries.take() and self._pool.withdraw()):
            return False
        call.retried += 1
        self.tally.retried += 1
        pause = backoff(call.retried, self._retries, self._chance)
        if pause >= call.deadline.remaining():
            return False
        await asyncio.sleep(pause)
        return True


def may_help(error: APIStatusError) -> bool:
    """Whether another replica may answer what this one did not."""
    return isinstance(error, UpstreamError | UnavailableError) and not isinstance(error, CircuitOpenError)


def graver(before: APIStatusError | None, error: APIStatusError) -> APIStatusError:
    """What the caller is to hear: a breaker's refusal of a retry does not hide that the request reached a replica."""
    return before if before is not None and isinstance(error, CircuitOpenError) else error


def follower(failed: Attempt) -> Attempt:
    """The next attempt, at another replica where there is one."""
    excluded = failed.excluded | ({failed.replica} if failed.replica else frozenset())
    return Attempt(excluded=excluded, key=failed.key, prefix=failed.prefix, may_wait=failed.may_wait)


def advanced(progress: Progress | None, event: Event) -> Progress | None:
    """What another replica must know to go on after this event; None where none could."""
    if progress is None and event.opening is not None:
        progress = Progress(event.opening)
    if progress is not None:
        progress.add(event)
    return progress
