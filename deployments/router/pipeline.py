"""The way of every request through the router: cache, then target, then fallbacks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from deployments.router.cache import Answer, Computed, Key, Question, ResponseCache, Started, key_of, question_of
from deployments.router.call import Call
from deployments.router.degradation import degraded
from deployments.router.targets import Target, TargetTable
from deployments.router.work import StreamedWork, Work

GRACE_S = 0.25  # an old or a fixed answer is there in a fraction of it


class Pipeline:
    """What is served at the moment, behind a cache that may know questions by their meaning (`is_semantic`)."""

    def __init__(self, cache: ResponseCache, table: TargetTable, *, is_semantic: bool) -> None:
        self._cache = cache
        self._table = table
        self._is_semantic = is_semantic

    async def whole(self, work: Work, target: Target, call: Call) -> Answer[bytes]:
        """The answer at once.

        Raises:
            APIStatusError: nothing could answer; the target's own error.
        """
        key, question = self._key(work, target, call)
        forms = WholeForms(work, call, self._cache, key)

        async def compute() -> Computed:
            return await degraded(target, self._table, call, forms)

        return await self._cache.whole(key, call.directives, compute, question, partial(in_time, call))

    async def stream(self, work: StreamedWork, target: Target, call: Call) -> Answer[AsyncGenerator[bytes]]:
        """The answer as it comes. What fails before the first event is raised here, so that it gets a status."""
        key, question = self._key(work, target, call)
        forms = StreamForms(work, call, self._cache, key)

        async def start() -> Started:
            return await degraded(target, self._table, call, forms)

        return await self._cache.stream(key, call.directives, start, question, partial(in_time, call))

    def _key(self, work: Work, target: Target, call: Call) -> tuple[Key | None, Question | None]:
        """Where an answer is kept; nowhere, if it may differ each time or the cache is passed by."""
        if not work.is_repeatable or self._cache.is_bypassed(call.directives):
            return None, None
        fields = identity(work, target, call)
        return key_of(**fields), question_of(**fields) if self._is_semantic else None


@dataclass(frozen=True, slots=True)
class WholeForms:
    """The forms that a whole answer takes in the chain of fallbacks."""

    work: Work
    call: Call
    cache: ResponseCache
    key: Key | None

    async def target(self, target: Target) -> Computed:
        return await self.work.whole(target, self.call)

    async def cached(self, max_age_s: float) -> Computed | None:
        if self.key is None:
            return None
        old = await self.cache.stale(self.key, max_age_s)
        return None if old is None else Computed(old.body, old.meta)

    def fixed(self, text: str, target: Target) -> Computed:
        return self.work.fixed(text, target.route)


@dataclass(frozen=True, slots=True)
class StreamForms:
    """The forms that a streamed answer takes."""

    work: StreamedWork
    call: Call
    cache: ResponseCache
    key: Key | None

    async def target(self, target: Target) -> Started:
        events = self.work.stream(target, self.call)
        first = await anext(events, b"")
        return Started(resumed(first, events), target.meta)

    async def cached(self, max_age_s: float) -> Started | None:
        if self.key is None:
            return None
        old = await self.cache.stale_stream(self.key, max_age_s)
        return None if old is None else Started(old.body, old.meta)

    def fixed(self, text: str, target: Target) -> Started:
        return Started(self.work.fixed_events(text, target.route), target.meta)


def identity(work: Work, target: Target, call: Call) -> dict[str, Any]:
    """What makes two requests the same."""
    route = target.route
    return {
        "tenant": call.tenant,
        "name": route.name,
        "version": route.build,
        "lane": call.lane,
        "permissions": call.permissions,
        "payload": work.payload,
    }


@asynccontextmanager
async def in_time(call: Call) -> AsyncGenerator[None]:
    """Within the caller's own deadline: who shares a computation waits no longer than for their own.

    A computation ends itself at its deadline, and a fallback may answer then; it gets the time for that.
    """
    try:
        async with call.deadline.scope(GRACE_S):
            yield
    except TimeoutError:
        raise call.deadline.error() from None


async def resumed(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """A stream whose first event was taken off it; closing it closes the rest."""
    async with aclosing(rest):
        yield first
        async for event in rest:
            yield event
