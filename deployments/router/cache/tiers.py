"""Memory, and a remote store behind it."""

from __future__ import annotations

from collections.abc import Callable

from deployments.router.cache.config import CacheConfig
from deployments.router.cache.entry import Entry
from deployments.router.cache.fingerprint import Key
from deployments.router.cache.memory import Memory
from deployments.router.cache.remote import Remote
from deployments.router.cache.status import RemoteState
from deployments.router.cache.write_back import WriteBack

NEAR_S = 5.0  # how long memory keeps what the store has too: so long an answer lives on that another process dropped


class Tiers:
    """`near` costs a look-up in a dict, `far` a round trip where there is a store."""

    def __init__(self, config: CacheConfig, remote: Remote | None, clock: Callable[[], float]) -> None:
        self.memory = Memory(max_entries=config.max_entries, max_bytes=config.max_bytes, clock=clock)
        self._remote = remote
        self._behind = WriteBack(remote) if remote is not None and config.write == "back" else None

    @property
    def state(self) -> RemoteState:
        """Of the store."""
        if self._remote is None:
            return "none"
        return "down" if self._remote.is_down else "up"

    @property
    def dropped_writes(self) -> int:
        """Entries that were to be written behind and were not."""
        return self._behind.dropped if self._behind is not None else 0

    def near(self, key: Key) -> Entry | None:
        """What memory has."""
        return self.memory.get(key)

    async def far(self, key: Key) -> Entry | None:
        """What the store has, which is then in memory too."""
        entry = await self._remote.get(key) if self._remote is not None else None
        if entry is not None:
            self.memory.put(entry, NEAR_S)
        return entry

    async def put(self, entry: Entry, keep_s: float) -> None:
        """Keep it in both; written through, this waits for the store, for as long as the store may take."""
        self.memory.put(entry, keep_s if self._remote is None else min(keep_s, NEAR_S))
        if self._behind is not None:
            self._behind.put(entry, keep_s)
        elif self._remote is not None:
            await self._remote.put([(entry, keep_s)])

    async def drop(self, name: str, version: str | None) -> None:
        """Forget a model's answers: one version's, or all."""
        self.memory.drop(name, version)
        if self._behind is not None:
            self._behind.drop(name, version)
        if self._remote is not None:
            await self._remote.drop(name, version)

    async def aclose(self) -> None:
        """Write what waits, give the connections back."""
        if self._behind is not None:
            await self._behind.aclose()
        if self._remote is not None:
            await self._remote.aclose()
