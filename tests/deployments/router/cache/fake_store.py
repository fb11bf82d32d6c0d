"""A remote store in memory: it forgets nothing by itself, and records every batch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from deployments.router.cache import Key
from deployments.router.cache.entry import Entry


class FakeStore:
    """A remote store that takes a batch when the test lets it."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.is_down = False
        self.batches: list[list[Key]] = []
        self.written: dict[Key, Entry] = {}

    async def get(self, key: Key) -> Entry | None:
        return self.written.get(key)

    async def put(self, kept: Sequence[tuple[Entry, float]]) -> bool:
        self.batches.append([entry.key for entry, _ in kept])
        await self.go.wait()
        if not self.is_down:
            self.written |= {entry.key: entry for entry, _ in kept}
        return not self.is_down

    async def drop(self, name: str, version: str | None) -> None:
        self.written = {at: entry for at, entry in self.written.items() if not at.is_of(name, version)}

    async def aclose(self) -> None:
        """Nothing to give back."""
