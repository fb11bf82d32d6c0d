"""What is computed next, decided when the model is free.

What routers send waits here in one queue, and each pass takes as much of it as is best computed at once.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
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

    A thread that has computed a pass takes the next one itself: by way of a busy event loop a core would stand idle for
    3 to 9 ms before each.
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
        self._lock = threading.Lock()  # of the two below
        self._waiting: deque[Job] = deque()
        self._passes = 0  # under way

    def add(self, jobs: Iterable[Job]) -> None:
        """Compute these in turn. A job's output is what the model gave, or raised for the pass that it was in.

        What nobody waits for any more is not computed: a cancelled output, or one whose deadline has passed, which
        raises DeadlineExceededError.
        """
        with self._lock:
            self._waiting.extend(jobs)
            free = self._parallel - self._passes
            share = sum(job.tokens for job in self._waiting) / free if free > 1 else None
            begun = [some for _ in range(free) if (some := self._next_pass(share))]
            self._passes += len(begun)
            threads = self._threads_each()
        for some in begun:
            self._threads.submit(self._compute, some, threads)

    def _compute(self, jobs: list[Job], threads: int) -> None:
        """In a thread, for as long as something waits."""
        while jobs:
            use_threads(threads)
            try:
                outputs = list(zip(jobs, self._predict([job.item for job in jobs]), strict=True))
                tell(jobs[0], partial(answer, outputs))
            except Exception as fault:  # handed on to every caller of this pass; the next pass is another matter
                tell(jobs[0], partial(fail, jobs, fault))
            with self._lock:
                jobs = self._next_pass(None)
                self._passes -= not jobs
                threads = self._threads_each()

    def _threads_each(self) -> int:
        return max(1, cores() // max(1, self._passes))

    def _next_pass(self, share: float | None) -> list[Job]:
        """The oldest that fit; with a share, no more once it has as many tokens."""
        jobs: list[Job] = []
        tokens = 0
        now = self._clock()
        while self._waiting and len(jobs) < self.pass_inputs and (share is None or tokens < share):
            job = self._waiting[0]
            is_late = job.deadline is not None and job.deadline <= now
            if is_late:
                tell(job, partial(fail, [job], passed()))
            if is_late or job.output.done():
                self._waiting.popleft()
                continue
            if jobs and self._pass_tokens and tokens + job.tokens > self._pass_tokens:
                break
            jobs.append(self._waiting.popleft())
            tokens += job.tokens
        return jobs


def tell(job: Job, news: Callable[[], None]) -> None:
    """Call back on the event loop that the job's caller waits on."""
    job.output.get_loop().call_soon_threadsafe(news)


def answer(outputs: Iterable[tuple[Job, Any]]) -> None:
    """Hand each output to whoever waits for it, if anybody does."""
    for job, output in outputs:
        if not job.output.done():
            job.output.set_result(output)


def fail(jobs: Iterable[Job], fault: Exception) -> None:
    """Hand a fault to whoever waits for the jobs."""
    for job in jobs:
        if not job.output.done():
            job.output.set_exception(fault)


def passed() -> DeadlineExceededError:
    """What a request hears whose deadline passed before it was computed."""
    return DeadlineExceededError(
        "the deadline passed while the inputs waited for the model; allow more time, or send fewer at a time"
    )
