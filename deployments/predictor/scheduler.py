"""What is computed next, decided when the model is free.

`@serve.batch` closes a batch 10 ms after its first input, long before the model is done with the one before. Here what
it gathered waits in one queue, and each pass takes as much of it as is best computed at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from deployments.threads import cores, use_threads


@dataclass(frozen=True, slots=True)
class Job:
    """One input, its tokens, and who waits for its output."""

    item: Any
    tokens: int
    output: asyncio.Future[Any]


class Scheduler:
    """Passes the queue to `predict`, at most `pass_inputs` inputs at a time.

    With `pass_tokens`, a pass holds about so many tokens, and there is one pass for each core: on a CPU two passes of
    one thread each do more than one of two threads, whose every operation waits for the slower (MiniLM on two cores:
    250 sentences/s against 165). A pass that is alone still gets all threads.
    """

    def __init__(
        self, predict: Callable[[list[Any]], Iterable[Any]], *, pass_inputs: int, pass_tokens: int | None
    ) -> None:
        self.pass_inputs = pass_inputs
        self._predict = predict
        self._pass_tokens = pass_tokens
        self._parallel = cores() if pass_tokens else 1
        self._threads = ThreadPoolExecutor(self._parallel, thread_name_prefix="compute")
        self._waiting: deque[Job] = deque()
        self._passes: set[asyncio.Task[None]] = set()

    async def compute(self, items: Sequence[Any], tokens: Sequence[int]) -> list[Any]:
        """The outputs of `items`, in their order; raises what the model raised for the pass that one was in."""
        loop = asyncio.get_running_loop()
        jobs = [Job(item, count, loop.create_future()) for item, count in zip(items, tokens, strict=True)]
        self._waiting.extend(jobs)
        self._start()
        return await asyncio.gather(*(job.output for job in jobs))

    def _start(self) -> None:
        while len(self._passes) < self._parallel and (jobs := self._next_pass()):
            threads = max(1, cores() // (len(self._passes) + 1))
            task = asyncio.create_task(self._pass(jobs, threads))
            self._passes.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._passes.discard(task)
        self._start()

    async def _pass(self, jobs: list[Job], threads: int) -> None:
        items = [job.item for job in jobs]
        try:
            outputs = await asyncio.get_running_loop().run_in_executor(self._threads, self._compute, items, threads)
        except Exception as fault:  # handed on to every caller of this pass; the next pass is another matter
            for job in jobs:
                if not job.output.done():
                    job.output.set_exception(fault)
            return
        for job, output in zip(jobs, outputs, strict=True):
            if not job.output.done():
                job.output.set_result(output)

    def _compute(self, items: list[Any], threads: int) -> Iterable[Any]:
        use_threads(threads)
        return self._predict(items)

    def _next_pass(self) -> list[Job]:
        """The oldest that fit; those whose callers have gone are dropped."""
        jobs: list[Job] = []
        tokens = 0
        while self._waiting and len(jobs) < self.pass_inputs:
            job = self._waiting[0]
            if jobs and self._pass_tokens and tokens + job.tokens > self._pass_tokens:
                break
            self._waiting.popleft()
            if not job.output.done():
                jobs.append(job)
                tokens += job.tokens
        return jobs
