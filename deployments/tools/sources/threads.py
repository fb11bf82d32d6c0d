"""Functions in this process: coroutines on its event loop, the others in a few threads."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from autoglm.errors import DeadlineExceededError, UnavailableError
from autoglm.function_tool import FunctionTool
from deployments.tools.sources.failure import RAISED, told

logger = logging.getLogger("ray.serve")

RETRY_AFTER_S = 5.0

T = TypeVar("T")


class ThreadRunner:
    """As many threads as calls may run at once.

    A thread cannot be stopped: a function that runs past its time keeps its thread until it returns, and while all
    are held so, calls are refused. What may hang belongs into a process of its own (`isolated`).
    """

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._threads = threads
        self._free = threading.Semaphore(threads)  # given back by the threads themselves
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"tool-{name}")

    async def run(self, tool: FunctionTool, arguments: dict[str, Any], key: str, timeout_s: float) -> Any:
        """The result as a JSON value; raises as `Source.call` does. A tool's own time-out goes before a longer one."""
        seconds = min(timeout_s, tool.mark.timeout_s or timeout_s)
        try:
            async with asyncio.timeout(seconds) as limit:
                return await (awaited(tool, arguments, key) if tool.is_async else self._in_thread(tool, arguments, key))
        except TimeoutError:
            if limit.expired():
                raise DeadlineExceededError(f"{tool.name} did not return within {seconds:.3g} s") from None
            raise

    async def load(self, work: Callable[[], T]) -> T:
        """What is to be done before the first call."""
        return await asyncio.wrap_future(self._pool.submit(work))

    def close(self) -> None:
        """Take no more calls; what runs ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, tool: FunctionTool, arguments: dict[str, Any], key: str) -> Any:
        if not self._free.acquire(blocking=False):
            raise UnavailableError(
                f"{self._name}: all {self._threads} threads are held by calls that run past their time",
                retry_after=RETRY_AFTER_S,
            )
        work = self._pool.submit(called, tool, arguments, key)
        work.add_done_callback(lambda _: self._free.release())
        try:
            return await asyncio.shield(asyncio.wrap_future(work))
        except asyncio.CancelledError:
            self._left(tool, work)
            raise

    def _left(self, tool: FunctionTool, work: Future[Any]) -> None:
        if not work.cancel():
            logger.warning("%s: a call of %s goes on though nobody waits; it holds its thread", self._name, tool.name)


def called(tool: FunctionTool, arguments: dict[str, Any], key: str) -> Any:
    """Call a plain function, in a thread."""
    try:
        return tool.value(tool.function(**tool.bind(arguments, key)))
    except RAISED as fault:
        raise told(tool.name, fault) from None


async def awaited(tool: FunctionTool, arguments: dict[str, Any], key: str) -> Any:
    """Call a coroutine function; its arguments and result are turned in a thread."""
    try:
        given = await asyncio.to_thread(tool.bind, arguments, key)
        return await asyncio.to_thread(tool.value, await tool.function(**given))
    except RAISED as fault:
        raise told(tool.name, fault) from None
