"""The cache in front of the targets: kept answers, and one computation for identical requests.

A request goes to memory, then to a flight that it starts or joins; the flight looks in Redis, then for a question
that means the same, then computes and keeps.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import Context
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Self, TypeVar

from autoglm.errors import DeadlineExceededError
from deployments.router.cache import negative
from deployments.router.cache.answer import Answer, Body, Compute, Start
from deployments.router.cache.config import CacheConfig
from deployments.router.cache.context import detached
from deployments.router.cache.directives import ANYTHING, CacheDirectives
from deployments.router.cache.entry import Entry, Kind
from deployments.router.cache.fingerprint import Key
from deployments.router.cache.flight import Flight, Flights, Follower, Opening
from deployments.router.cache.remote import Remote
from deployments.router.cache.semantic import Embed, Question, SemanticIndex
from deployments.router.cache.status import CacheStatus, Counters
from deployments.router.cache.tiers import Tiers
from deployments.router.cache.work import Work, begun, computing, recording, replay, whole_of

MAX_REFRESHES = 64  # at a time; beyond, a stale answer is served all the same and refreshed by a later request
MAX_SKEW_S = 5.0  # between two machines' clocks; what was kept later than that in the future has no age to be told

Taken = TypeVar("Taken")
Within = Callable[[], AbstractAsyncContextManager[None]]  # how long who computes or waits may do so


@dataclass(frozen=True, slots=True)
class Sought:
    """What a request would take, and how it is computed."""

    kind: Kind
    key: Key
    directives: CacheDirectives
    work: Work
    question: Question | None = None
    is_refresh: bool = False

    @property
    def place(self) -> tuple[Kind, Key, int | None]:
        """Requests of one place share a flight: a kept answer that is young enough for one is so for all of them."""
        return (self.kind, self.key, self.directives.max_age_s)


class ResponseCache:
    """Answers of one router replica, in memory and, where one is given, in a remote store.

    A computation that several requests share is none's own: it goes on in a task by itself until the last of them
    has gone. What it needs of its starter (deadline, trace) it takes from its closure; where the starter's deadline
    ends it, the others compute once more. Not for threads.
    """

    def __init__(
        self,
        config: CacheConfig,
        *,
        remote: Remote | None = None,
        embed: Embed | None = None,
        clock: Callable[[], float] = time.time,
        context: Callable[[], Context] = detached,
    ) -> None:
        """`clock` gives Unix seconds, as ages are told across machines; `embed` is used where `semantic` is set.

        Raises:
            ValueError: `semantic` is set and `embed` is not.
        """
        self._config = config
        self._clock = clock
        self._tiers = Tiers(config, remote, clock)
        self._flights = Flights(config.max_entry_bytes, context)
        self._questions = index_of(config, embed)
        self._refreshing: set[Key] = set()
        self._counters = Counters()
        self._epoch = 0  # an answer that was begun before an invalidation is not kept

    @classmethod
    def of(cls, config: CacheConfig, embed: Embed | None = None) -> Self:
        """The cache of a configuration, with Redis where it names one."""
        if config.redis_url is None:
            return cls(config, embed=embed)
        from deployments.router.cache.redis import RedisStore

        return cls(config, remote=RedisStore(config.redis_url, max_entry_bytes=config.max_entry_bytes), embed=embed)

    def is_bypassed(self, directives: CacheDirectives) -> bool:
        """Whether nothing is looked up, shared or kept, so that a request needs no key."""
        return directives.no_store or not self._config.enabled

    async def whole(
        self,
        key: Key | None,
        directives: CacheDirectives,
        compute: Compute,
        question: Question | None = None,
        within: Within = nullcontext,
    ) -> Answer[bytes]:
        """A whole answer. No key: the request is none whose answer may be kept. What takes time runs `within`.

        Raises:
            APIStatusError: what `compute` raises; every caller has a copy of its own.
        """
        if key is None or self.is_bypassed(directives):
            async with within():
                computed = await compute()
            return self._counted(Answer(computed.body, "bypass", 0.0, computed.meta))
        sought = Sought("whole", key, directives, computing(compute), question)
        if (entry := self._at_hand(sought)) is not None:
            return self._counted(Answer(entry.parts[0], "hit", self._age(entry), entry.meta))
        async with within():
            body, opening = await self._flown(sought, whole_of)
        return self._counted(Answer(body, opening.state, opening.age_s, opening.meta))

    async def stream(
        self,
        key: Key | None,
        directives: CacheDirectives,
        start: Start,
        question: Question | None = None,
        within: Within = nullcontext,
    ) -> Answer[AsyncGenerator[bytes]]:
        """A streamed answer, whose body is to be closed; a hit is a stream too, all of its events at once.

        What takes time until the first event runs `within`. What fails until then is raised here, what fails later by
        the body.

        Raises:
            APIStatusError: what `start` and its events raise; every caller has a copy of its own.
        """
        if key is None or self.is_bypassed(directives):
            async with within():
                started = await start()
            return self._counted(Answer(started.events, "bypass", 0.0, started.meta))
        sought = Sought("stream", key, directives, recording(start), question)
        if (entry := self._at_hand(sought)) is not None:
            return self._counted(Answer(replay(entry.parts), "hit", self._age(entry), entry.meta))
        async with within():
            follower = await self._flown(sought, begun)
        opening = follower.opening
        return self._counted(Answer(follower, opening.state, opening.age_s, opening.meta))

    async def stale(self, key: Key, max_age_s: float) -> Answer[bytes] | None:
        """A whole answer of at most this age, past its TTL or not: a fallback where the model cannot answer."""
        entry = await self._kept("whole", key, max_age_s)
        return Answer(entry.parts[0], "hit", self._age(entry), entry.meta) if entry else None

    async def stale_stream(self, key: Key, max_age_s: float) -> Answer[AsyncGenerator[bytes]] | None:
        """The same of a streamed one."""
        entry = await self._kept("stream", key, max_age_s)
        return Answer(replay(entry.parts), "hit", self._age(entry), entry.meta) if entry else None

    async def invalidate(self, name: str, version: str | None = None) -> None:
        """Forget a model's answers, one version's or all; where there is Redis, other processes do so within NEAR_S.

        A new version, lane or epoch of permissions needs no call: its requests have other keys. This frees the room.
        """
        self._epoch += 1
        await self._tiers.drop(name, version)

    def status(self) -> CacheStatus:
        """Counters and sizes, for metrics."""
        return CacheStatus(
            entries=len(self._tiers.memory),
            bytes=self._tiers.memory.size,
            flights=len(self._flights),
            dropped_writes=self._tiers.dropped_writes,
            remote=self._tiers.state,
            **asdict(self._counters),
        )

    async def retire(self) -> None:
        """Close when the computations that are under way have ended by themselves: another cache takes over."""
        await self._flights.ended()
        await self._tiers.aclose()

    async def aclose(self) -> None:
        """End the computations, write what waits, give the connections back."""
        await self._flights.aclose()
        await self._tiers.aclose()

    # What is kept

    def _age(self, entry: Entry) -> float:
        """Seconds; without end where it comes from a future that no skew of clocks explains."""
        age = self._clock() - entry.stored_at
        return max(0.0, age) if age >= -MAX_SKEW_S else math.inf

    def _fits(self, entry: Entry, sought: Sought, stale_s: float) -> bool:
        """Whether an entry would do for a request; of another tenant's or model's it would not, whatever led to it."""
        if entry.kind not in (sought.kind, "error") or entry.key[:3] != sought.key[:3] or sought.directives.no_cache:
            return False
        age = self._age(entry)
        limit = self._config.negative_ttl_s if entry.kind == "error" else self._config.ttl_s + stale_s
        return age <= limit and sought.directives.admits(age)

    def _at_hand(self, sought: Sought) -> Entry | None:
        """What memory has.

        Raises:
            APIStatusError: it is an error that is kept.
        """
        entry = self._tiers.near(sought.key)
        if entry is None or not self._fits(entry, sought, self._config.stale_s):
            return None
        return self._served(entry, sought)

    def _served(self, entry: Entry, sought: Sought) -> Entry:
        """An entry on its way out; one that is past its TTL is computed anew beside it."""
        if entry.kind == "error":
            raise negative.decode(entry.parts[0])
        if self._age(entry) > self._config.ttl_s:
            self._counters.stale_hits += 1
            self._refresh(sought)
        return entry

    async def _elsewhere(self, sought: Sought) -> Entry | None:
        """What the store has, else the answer to a question that means the same."""
        if sought.directives.no_cache:
            return None
        entry = await self._tiers.far(sought.key)
        if entry is not None and self._fits(entry, sought, 0.0 if sought.is_refresh else self._config.stale_s):
            return self._served(entry, sought)
        return await self._similar(sought)

    async def _similar(self, sought: Sought) -> Entry | None:
        if self._questions is None or sought.question is None:
            return None
        near = self._questions.nearest(sought.key.tenant, sought.question)
        entry = None if near is None else self._tiers.near(near) or await self._tiers.far(near)
        if entry is None or entry.kind == "error" or not self._fits(entry, sought, 0.0):
            return None
        self._counters.similar_hits += 1
        return entry

    async def _kept(self, kind: Kind, key: Key, max_age_s: float) -> Entry | None:
        entry = self._tiers.near(key) or await self._tiers.far(key)
        limit = min(max_age_s, self._config.ttl_s + self._config.keep_stale_s)
        return entry if entry is not None and entry.kind == kind and self._age(entry) <= limit else None

    # What is computed

    async def _flown(self, sought: Sought, taken: Callable[[Follower], Awaitable[Taken]]) -> Taken:
        """What a caller takes of the flight that it joins or starts."""
        flight = None if sought.directives.no_cache else self._flights.find(sought.place)
        if flight is None:
            return await taken(self._launch(sought).follow())
        self._counters.joined += 1
        try:
            return await taken(flight.follow())
        except DeadlineExceededError:  # that of the flight's starter, which is not this caller's
            again = self._flights.find(sought.place) or self._launch(sought)
            return await taken(again.follow())

    def _launch(self, sought: Sought) -> Flight:
        place = None if sought.directives.no_cache else sought.place
        return self._flights.launch(partial(self._fly, sought), place, held=sought.is_refresh)

    async def _fly(self, sought: Sought, flight: Flight) -> None:
        """The whole course of a flight."""
        if (entry := await self._elsewhere(sought)) is not None:
            flight.replay(Opening("hit", self._age(entry), entry.meta), entry.parts)
            return
        epoch = self._epoch
        try:
            may_be_kept = await sought.work(flight)
        except negative.NEGATIVE as error:
            if self._config.negative_ttl_s and not flight.parts and epoch == self._epoch:
                await self._keep(sought, "error", (negative.encode(error),), flight)
            raise
        if may_be_kept and flight.is_kept and epoch == self._epoch:
            await self._keep(sought, sought.kind, flight.parts, flight)

    async def _keep(self, sought: Sought, kind: Kind, parts: tuple[bytes, ...], flight: Flight) -> None:
        entry = Entry(sought.key, kind, parts, flight.opening.meta, self._clock())
        if kind != "error" and self._questions is not None and sought.question is not None:
            self._questions.add(sought.question, sought.key)
        await self._tiers.put(entry, self._config.negative_ttl_s if kind == "error" else self._config.kept_s)

    def _refresh(self, sought: Sought) -> None:
        """Compute anew in the background, once at a time for a key."""
        if sought.key in self._refreshing or len(self._refreshing) >= MAX_REFRESHES:
            return
        self._refreshing.add(sought.key)
        flight = self._launch(replace(sought, directives=ANYTHING, question=None, is_refresh=True))
        flight.task.add_done_callback(partial(self._refreshed, sought.key))

    def _refreshed(self, key: Key, task: asyncio.Task[None]) -> None:
        self._refreshing.discard(key)
        if task.cancelled() or task.exception() is not None:
            self._counters.failed_refreshes += 1

    def _counted(self, cached: Answer[Body]) -> Answer[Body]:
        if cached.state == "hit":
            self._counters.hits += 1
        elif cached.state == "miss":
            self._counters.misses += 1
        else:
            self._counters.bypasses += 1
        return cached


def index_of(config: CacheConfig, embed: Embed | None) -> SemanticIndex | None:
    """The index of earlier questions, where there is to be one."""
    if config.semantic is None:
        return None
    if embed is None:
        raise ValueError("embed: got none, and the configuration has `semantic`; give what turns texts into vectors")
    return SemanticIndex(config.semantic, embed)
