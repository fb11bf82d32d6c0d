"""Writing behind the answer: a bounded queue that one task empties in batches."""

from __future__ import annotations

import asyncio
from itertools import islice

from deployments.router.cache.entry import Entry
from deployments.router.cache.fingerprint import Key
from deployments.router.cache.remote import Remote

MAX_ENTRIES = 1_000
MAX_BYTES = 16 * 1024 * 1024
BATCH = 64
CLOSING_S = 1.0  # what the end of the process waits for the rest


class WriteBack:
    """Entries on their way to a remote store.

    A process that dies loses at most what waits and the batch under way: MAX_ENTRIES + BATCH entries, and of what
    waits MAX_BYTES. An entry that finds no room, or no store that answers, is dropped and counted: an answer that is
    not kept is computed again, no more.
    """

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._waiting: dict[Key, tuple[Entry, float]] = {}
        self._size = 0  # bytes, about
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0

    def put(self, entry: Entry, keep_s: float) -> None:
        """Queue it, in the place of an older one of its key."""
        self._remove(entry.key)
        if len(self._waiting) >= MAX_ENTRIES or self._size + entry.size > MAX_BYTES:
            self.dropped += 1
            return
        self._waiting[entry.key] = (entry, keep_s)
        self._size += entry.size
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._flush())

    def drop(self, name: str, version: str | None) -> None:
        """Forget what waits of a model: one version's, or all."""
        for key in [key for key in self._waiting if key.is_of(name, version)]:
            self._remove(key)

    async def aclose(self) -> None:
        """Write what waits, for at most CLOSING_S."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=CLOSING_S)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _flush(self) -> None:
        while self._waiting:
            batch = [self._remove(key) for key in list(islice(self._waiting, BATCH))]
            written = [kept for kept in batch if kept is not None]
            if not await self._remote.put(written):
                self.dropped += len(written)

    def _remove(self, key: Key) -> tuple[Entry, float] | None:
        kept = self._waiting.pop(key, None)
        if kept is not None:
            self._size -= kept[0].size
        return kept
