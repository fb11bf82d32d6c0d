"""The seam to a store outside the process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from deployments.router.cache.entry import Entry
from deployments.router.cache.fingerprint import Key


class Remote(Protocol):
    """Where answers are kept for all router replicas. Nothing here raises because the store is down."""

    @property
    def is_down(self) -> bool:
        """Whether the last question had no answer."""

    async def get(self, key: Key) -> Entry | None:
        """What is kept under the key; None also where it cannot be read."""

    async def put(self, kept: Sequence[tuple[Entry, float]]) -> bool:
        """Keep each for so many seconds; whether that was done."""

    async def drop(self, name: str, version: str | None) -> None:
        """Forget a model's answers: one version's, or all."""

    async def aclose(self) -> None:
        """Give the connections back."""
