"""The deployment of one task or embedding model that answers batches."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import serve

from autoglm.contract import BatchingConfig, TaskConfig
from autoglm.errors import APIStatusError
from deployments.boundary import plain_errors
from deployments.collector import collect_rarely
from deployments.predictor.scheduler import Job, Scheduler, passed
from deployments.threads import use_all_cores

if TYPE_CHECKING:
    from autoglm.models import Adapter

DEFAULT = BatchingConfig()
GATHERED_BATCHES = 32  # so many may wait in the scheduler; what `@serve.batch` gathers meanwhile waits in its queue

Request = tuple[list[Any], float | None]  # inputs, and the seconds left of the deadline when they were sent
Outcome = dict[str, Any] | APIStatusError


def load_adapter(config: TaskConfig, fitted: Path | None) -> Adapter:
    """The adapter of a declared task; what loads it is imported in the replica alone."""
    from autoglm.models import load

    return load(config, fitted)


Load = Callable[[TaskConfig, Path | None], "Adapter"]


def inputs_in(pieces: list[list[Job]]) -> int:
    """How Serve measures a batch: by its inputs, not by the calls that brought them."""
    return sum(map(len, pieces))


class Predictor:
    """A replica: takes the inputs of several requests in one call, and computes them in batches.

    `config` is the task's declaration, and `fitted` the path of a head or model that was fitted before, elsewhere
    perhaps; without it the replica fits one where data are declared.
    """

    def __init__(
        self,
        config: dict[str, Any],
        fitted: str | None = None,
        *,
        load: Load = load_adapter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        use_all_cores()
        collect_rarely()
        declared = TaskConfig.model_validate(config)
        self._name = declared.model or declared.task
        self._adapter = load(declared, None if fitted is None else Path(fitted))
        self._clock = clock
        # The scheduler's threads compute and this one decodes the next inputs meanwhile; the event loop does neither.
        self._decode = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._scheduler = Scheduler(
            self._compute, pass_inputs=DEFAULT.max_batch_size, pass_tokens=self._adapter.pass_tokens, clock=clock
        )
        self._max_batch_size = DEFAULT.max_batch_size
        self._under_way: set[asyncio.Task[None]] = set()

    async def reconfigure(self, batching: dict[str, Any]) -> None:
        """Called by Serve at the start and whenever `user_config` changes; no restart.

        Serve refuses a piece above its limit, so a lower limit waits for the pieces that were cut to the one before.
        What waits for company waits in the router, so `batch_wait_timeout_s` changes nothing here.
        """
        config = BatchingConfig.model_validate(batching)
        self._batch.set_max_batch_size(max(config.max_batch_size, self._max_batch_size))
        self._max_batch_size = config.max_batch_size
        self._scheduler.pass_inputs = config.max_batch_size
        if self._under_way:
            await asyncio.wait(self._under_way)
        self._batch.set_max_batch_size(config.max_batch_size)

    async def predict(self, requests: list[Request]) -> list[Outcome]:
        """Answer each request with `{"outputs", "tokens"}`, or with its own error.

        One request's bad input does not touch the others that came in the same call. Inputs are not computed once
        their request's deadline has passed (DeadlineExceededError), nor when the call is cancelled.
        """
        received = self._clock()
        with plain_errors(self._name):
            parsed = await asyncio.get_running_loop().run_in_executor(self._decode, self._parsed, requests, received)
            return await self._computed([self._jobs(each, deadline) for each, deadline in parsed])

    def _parsed(
        self, requests: list[Request], received: float
    ) -> list[tuple[list[Any] | APIStatusError, float | None]]:
        """Each request's inputs decoded, or its error, and its deadline on this replica's clock."""
        deadlines = [None if left is None else received + left for _, left in requests]
        return [(self._parse(inputs, end), end) for (inputs, _), end in zip(requests, deadlines, strict=True)]

    def _parse(self, inputs: list[Any], deadline: float | None) -> list[Any] | APIStatusError:
        if deadline is not None and deadline <= self._clock():
            return passed()
        try:
            with plain_errors(self._name):
                return [self._adapter.parse(item, index) for index, item in enumerate(inputs)]
        except APIStatusError as error:
            return error

    def _jobs(self, parsed: list[Any] | APIStatusError, deadline: float | None) -> list[Job] | APIStatusError:
        if isinstance(parsed, APIStatusError):
            return parsed
        loop = asyncio.get_running_loop()
        return [Job(item, self._adapter.tokens(item), deadline, loop.create_future()) for item in parsed]

    async def _computed(self, requests: list[list[Job] | APIStatusError]) -> list[Outcome]:
        """The outcome of each; all are gathered as one, so that a call costs `@serve.batch` no more than a request."""
        jobs = [job for request in requests if isinstance(request, list) for job in request]
        try:
            await asyncio.gather(*map(self._submit, self._pieces(jobs)))
        finally:
            for job in jobs:
                job.output.cancel()  # a call that was cancelled leaves some that nobody waits for
        return [outcome(request) for request in requests]

    def _pieces(self, jobs: list[Job]) -> Iterator[list[Job]]:
        """More inputs than a batch holds are computed in several."""
        for start in range(0, len(jobs), self._max_batch_size):
            yield jobs[start : start + self._max_batch_size]

    def _submit(self, piece: list[Job]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._batch(piece))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    @serve.batch(
        max_batch_size=DEFAULT.max_batch_size,
        batch_wait_timeout_s=0,
        max_concurrent_batches=GATHERED_BATCHES,
        batch_size_fn=inputs_in,
    )
    async def _batch(self, pieces: list[list[Job]]) -> list[None]:
        """Wait until the pieces that several routers sent are computed; each job tells what became of it."""
        jobs = list(itertools.chain.from_iterable(pieces))
        self._scheduler.add(jobs)
        await asyncio.gather(*(job.output for job in jobs), return_exceptions=True)
        return [None] * len(pieces)

    def _compute(self, items: list[Any]) -> Iterable[Any]:
        with plain_errors(self._name):
            return self._adapter.predict(items)


def outcome(request: list[Job] | APIStatusError) -> Outcome:
    """What a request's caller hears: its outputs in their order, or the first error among them."""
    if isinstance(request, APIStatusError):
        return request
    for job in request:
        fault = job.output.exception()
        if isinstance(fault, APIStatusError):
            return fault
    return {"outputs": [job.output.result() for job in request], "tokens": sum(job.tokens for job in request)}
