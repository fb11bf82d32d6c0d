"""What is computed next, decided when the model is free.

What routers send waits here in one queue, and each pass takes as much of it as is best computed at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from autoglm.errors import DeadlineExceededError
from deployments.threads import cores, use_threads


@dataclass(frozen=True, slots=True)
class Job:
    """One input, its tokens, until when (on the scheduler's clock) somebody waits for it, and its output."""

    item: Any
    tokens: int
    deadline: float | None
    output: asyncio.Future[Any]


class Scheduler:
    """Passes the queue to `predict`, at most `pass_inputs` inputs at a time.

    With `pass_tokens`, a pass holds about so many tokens, and there is one pass for each core: on a CPU two passes of
    one thread each do more than one of two threads, whose every operation waits for the slower (MiniLM on two cores:
    250 sentences/s against 165). What waits is shared evenly by those that begin at once; one that is alone still gets
    all threads.
    """

    def __init__(
        self,
        predict: Callable[[list[Any]], Iterable[Any]],
        *,
        pass_inputs: int,
        pass_tokens: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pass_inputs = pass_inputs
        self._predict = predict
        self._pass_tokens = pass_tokens
        self._clock = clock
        self._parallel = cores() if pass_tokens else 1
        self._threads = ThreadPoolExecutor(self._parallel, thread_name_prefix="compute")
        self._waiting: deque[Job] = deque()
        self._passes: set[asyncio.Task[None]] = set()

    def add(self, jobs: Iterable[Job]) -> None:
        """Compute these in turn. A job's output is what the model gave, or raised for the pass that it was in.

        What nobody waits for any more is not computed: a cancelled output, or one whose deadline has passed, which
        raises DeadlineExceededError.
        """
        self._waiting.extend(jobs)
        self._start()

    def _start(self) -> None:
        free = self._parallel - len(self._passes)
        share = sum(job.tokens for job in self._waiting) / free if free > 1 else None
        begun = [jobs for _ in range(free) if (jobs := self._next_pass(share))]
        threads = max(1, cores() // max(1, len(self._passes) + len(begun)))
        for jobs in begun:
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
            for job, output in zip(jobs, outputs, strict=True):
                if not job.output.done():
                    job.output.set_result(output)
        except Exception as fault:  # handed on to every caller of this pass; the next pass is another matter
            for job in jobs:
                fail(job, fault)

    def _compute(self, items: list[Any], threads: int) -> Iterable[Any]:
        use_threads(threads)
        return self._predict(items)

    def _next_pass(self, share: float | None) -> list[Job]:
        """The oldest that fit; with a share, no more once it has as many tokens."""
        jobs: list[Job] = []
        tokens = 0
        now = self._clock()
        while self._waiting and len(jobs) < self.pass_inputs and (share is None or tokens < share):
            job = self._waiting[0]
            if job.deadline is not None and job.deadline <= now:
                fail(job, passed())
            if job.output.done():
                self._waiting.popleft()
                continue
            if jobs and self._pass_tokens and tokens + job.tokens > self._pass_tokens:
                break
            jobs.append(self._waiting.popleft())
            tokens += job.tokens
        return jobs


def fail(job: Job, fault: Exception) -> None:
    """Hand a fault to whoever waits for the job, if anybody does."""
    if not job.output.done():
        job.output.set_exception(fault)


def passed() -> DeadlineExceededError:
    """What a request hears whose deadline passed before it was computed."""
    return DeadlineExceededError(
        "the deadline passed while the inputs waited for the model; allow more time, or send fewer at a time"
    )
