"""Answers in the process's own memory: the least recently used leaves first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from deployments.router.cache.entry import Entry
from deployments.router.cache.fingerprint import Key


@dataclass(frozen=True, slots=True)
class Slot:
    """An entry, the time until which it is kept, and its size."""

    entry: Entry
    until: float
    size: int


class Memory:
    """At most `max_entries` and `max_bytes`; each call takes O(1), `drop` O(n). Times are the clock's, in seconds."""

    def __init__(self, *, max_entries: int, max_bytes: int, clock: Callable[[], float]) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._slots: OrderedDict[Key, Slot] = OrderedDict()
        self.size = 0  # bytes, about

    def __len__(self) -> int:
        return len(self._slots)

    def get(self, key: Key) -> Entry | None:
        """What is kept under the key; it counts as used now."""
        slot = self._slots.get(key)
        if slot is None:
            return None
        if slot.until <= self._clock():
            self._remove(key)
            return None
        self._slots.move_to_end(key)
        return slot.entry

    def put(self, entry: Entry, keep_s: float) -> None:
        """Keep it for so many seconds in the place of what was under its key. Larger than all there is: not kept."""
        self._remove(entry.key)
        size = entry.size
        if size > self._max_bytes or keep_s <= 0:
            return
        self._slots[entry.key] = Slot(entry, self._clock() + keep_s, size)
        self.size += size
        while len(self._slots) > self._max_entries or self.size > self._max_bytes:
            self._remove(next(iter(self._slots)))

    def drop(self, name: str, version: str | None) -> None:
        """Forget a model's answers: one version's, or all."""
        for key in [key for key in self._slots if key.is_of(name, version)]:
            self._remove(key)

    def _remove(self, key: Key) -> None:
        if (slot := self._slots.pop(key, None)) is not None:
            self.size -= slot.size
