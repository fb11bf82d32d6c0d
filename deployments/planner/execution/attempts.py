"""A call's attempts: none past its deadline, and another only where that can do no harm."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from autoglm.contract.task_run import StepRun
from autoglm.errors import APIStatusError, DeadlineExceededError, UnavailableError
from deployments.boundary import plain_errors
from deployments.planner.execution.calls import Call, Calls
from deployments.planner.execution.config import ExecutionConfig
from deployments.planner.execution.events import Events
from deployments.planner.execution.failures import detail
from deployments.planner.execution.guards import Guards
from deployments.planner.execution.stream import bounded

T = TypeVar("T")


@dataclass(slots=True)
class Effort:
    """What a `step` that began has cost so far; one whose tokens were shown cannot be begun again unseen."""

    step: StepRun
    attempts: int = 0
    has_streamed: bool = False


class Attempts:
    """Sends calls until one is answered; the retries are the run's, shared by all of its steps."""

    def __init__(
        self,
        calls: Calls,
        guards: Guards,
        events: Events,
        config: ExecutionConfig,
        clock: Callable[[], float],
        chance: random.Random,
    ) -> None:
        self._calls = calls
        self._guards = guards
        self._events = events
        self._config = config
        self._clock = clock
        self._chance = chance

    async def result(self, call: Call, effort: Effort, timeout_s: float, max_attempts: int) -> Any:
        """The first answer within `timeout_s`, over all attempts.

        Raises:
            APIStatusError: the last attempt's.
        """
        self._guards.take_same(call.kind, call.name, call.arguments)
        ends = self._clock() + timeout_s
        await self.known(lambda: self._calls.check(call), timeout_s)
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._sent(call, effort, ends, timeout_s)
            except APIStatusError as error:
                wait = self._wait(error, attempt, ends)
                if attempt >= max_attempts or wait is None or not self._may_repeat(error, call, effort):
                    raise
                message = detail(error).message
            await self._events.tell("step_output", step=effort.step, text=f"{message}; again in {wait:.2g} s")
            await asyncio.sleep(wait)

    async def known(self, decide: Callable[[], T], timeout_s: float) -> T:
        """What is decided of a call before it is sent; asked again while nobody can tell, which costs no attempt.

        Raises:
            UnavailableError: nobody could tell within `timeout_s`.
            APIStatusError: as `decide`.
        """
        ends = self._clock() + timeout_s
        attempt = 0
        while True:
            attempt += 1
            try:
                return decide()
            except UnavailableError as error:
                if (wait := self._wait(error, attempt, ends)) is None:
                    raise
            await asyncio.sleep(wait)

    async def _sent(self, call: Call, effort: Effort, ends: float, timeout_s: float) -> Any:
        self._guards.take_call()
        effort.attempts += 1
        left = ends - self._clock()
        try:
            async with asyncio.timeout(left):
                with plain_errors(str(call)):
                    return await (
                        self._streamed(call, effort, left) if call.is_streamed else self._calls.send(call, left)
                    )
        except TimeoutError:
            raise DeadlineExceededError(f"{call} did not answer within {timeout_s:g} s (timeout_s)") from None

    async def _streamed(self, call: Call, effort: Effort, left: float) -> str:
        pieces: list[str] = []
        async with aclosing(bounded(self._calls.stream(call, left), self._config.max_result_bytes)) as stream:
            async for piece in stream:
                effort.has_streamed = True
                pieces.append(piece)
                await self._events.tell("token", text=piece)
        return "".join(pieces)

    def _may_repeat(self, error: APIStatusError, call: Call, effort: Effort) -> bool:
        fits = error.retryable and not effort.has_streamed and self._calls.may_repeat(call)
        return fits and self._guards.take_retry()

    def _wait(self, error: APIStatusError, attempt: int, ends: float) -> float | None:
        """Seconds until the next attempt, None where that would be too late; full jitter, as the router's retries."""
        bound = min(self._config.max_backoff_s, self._config.backoff_s * 2 ** (attempt - 1))
        wait = max(self._chance.uniform(0.0, bound), error.retry_after or 0.0)
        return wait if self._clock() + wait < ends else None
