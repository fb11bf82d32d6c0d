"""The entries of a host, opened, replaced and removed while calls run, and the listing that callers follow."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autoglm.contract.tool import ToolCard
from autoglm.errors import NotFoundError, UnavailableError
from deployments.tools.config import ToolEntry
from deployments.tools.mount import DRAIN_S, RETRY_S, Build, Mount, Sleep
from deployments.tools.offer import Offer

LONGEST_WAIT_S = 60.0  # of one long poll
VERSION_BYTES = 6  # of a digest: below 2^53, so that every JSON reader keeps it exactly


@dataclass(frozen=True, slots=True)
class Listing:
    """The tools by name, what is wrong with entries, by the entry's name, and the entries that are being opened."""

    version: int
    tools: tuple[ToolCard, ...]
    faults: dict[str, str]
    loading: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As it crosses a handle."""
        tools = [card.model_dump() for card in self.tools]
        return {"version": self.version, "tools": tools, "faults": self.faults, "loading": list(self.loading)}


class Catalogue:
    """Owns the mounts, those that end included.

    An entry that changed is served by its old mount until the new one is open: one that cannot be opened as changed
    goes on as it was, with the fault in the listing.
    """

    def __init__(
        self,
        build: Build,
        *,
        sleep: Sleep = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        drain_s: float = DRAIN_S,
    ) -> None:
        self._build = build
        self._sleep = sleep
        self._clock = clock
        self._drain_s = drain_s
        self._mounts: dict[str, Mount] = {}
        self._replaced: dict[str, Mount] = {}
        self._faults: dict[str, str] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._change = asyncio.Event()
        self._listing: Listing | None = None

    def update(self, entries: Iterable[ToolEntry], faults: Mapping[str, str] | None = None) -> None:
        """Host exactly these from now on; what is new is opened beside the calls. `faults` are listed beside theirs."""
        self._faults = dict(faults or {})
        wanted = {entry.name: entry for entry in entries}
        for name in self._mounts.keys() - wanted.keys():
            self._leave(self._mounts.pop(name))
            self._retire(name)
        for name, entry in wanted.items():
            known = self._mounts.get(name)
            if known is None or known.entry != entry:
                self._mount(entry, known)
        self._changed()

    def offers(self) -> Iterable[Offer]:
        """What can be called now."""
        return [offer for name in self._mounts for offer in self._serving(name).offers.values()]

    async def loaded(self, tool: str) -> None:
        """Return when the tool's entry is not being opened for the first time, as in a host that has just begun."""
        entry = tool.partition(".")[0]
        while entry in self._mounts and self._serving(entry).is_loading:
            await self._change.wait()

    def find(self, tool: str) -> tuple[Mount, Offer]:
        """The tool, and where it is called.

        Raises:
            NotFoundError: there is no such tool.
            UnavailableError: its entry is not loaded; the message says why.
        """
        entry = tool.partition(".")[0]
        if entry in self._mounts:
            mount = self._serving(entry)
            if offer := mount.offers.get(tool):
                return mount, offer
            if not mount.offers:
                why = mount.fault or ("it lists none now" if mount.is_open else "it is being loaded")
                raise UnavailableError(f"the tools of {entry!r} are not there: {why}", retry_after=RETRY_S)
        # Without the names that are near: who calls may not be one who may see them.
        raise NotFoundError(f"tool: no tool {tool!r} is hosted here", param="tool")

    def listing(self) -> Listing:
        """What can be called now.

        The version is a digest of the rest: replicas that list the same, a restarted one too, say the same version,
        so that who asks now one and now the other is not told of changes that are none.
        """
        if self._listing is None:
            tools = tuple(sorted((offer.card for offer in self.offers()), key=lambda card: card.name))
            own = {name: mount.fault for name, mount in self._mounts.items() if mount.fault is not None}
            faults = dict(sorted((self._faults | own).items()))
            loading = tuple(sorted(name for name in self._mounts if self._serving(name).is_loading))
            self._listing = Listing(version_of(tools, faults, loading), tools, faults, loading)
        return self._listing

    def states(self) -> dict[str, dict[str, Any]]:
        """How each entry fares, by its name: `{"entry", "status", "message"}`, as `ToolRegistration` has them.

        One that is served as it was before, since it cannot be opened as changed, has failed. What is no entry has
        none.
        """
        broken = {name: {"status": "failed", "message": fault} for name, fault in self._faults.items()}
        return broken | {name: mount.state for name, mount in self._mounts.items()}

    async def changed(self, known_version: int | None, wait_s: float) -> Listing:
        """The listing as soon as its version is another than the known one, and after `wait_s` in any case."""
        try:
            async with asyncio.timeout(min(wait_s, LONGEST_WAIT_S)):
                while self.listing().version == known_version:
                    await self._change.wait()
        except TimeoutError:
            pass
        return self.listing()

    async def aclose(self) -> None:
        """End every mount."""
        self.update([])
        await asyncio.gather(*self._leaving)

    def _serving(self, name: str) -> Mount:
        mount = self._mounts[name]
        return mount if mount.is_open else self._replaced.get(name, mount)

    def _mount(self, entry: ToolEntry, known: Mount | None) -> None:
        if known is not None and known.is_open:
            self._retire(entry.name)
            self._replaced[entry.name] = known
        elif known is not None:
            self._leave(known)
        self._mounts[entry.name] = Mount(
            entry, self._build, self._changed, sleep=self._sleep, clock=self._clock, drain_s=self._drain_s
        )

    def _retire(self, name: str) -> None:
        if replaced := self._replaced.pop(name, None):
            self._leave(replaced)

    def _leave(self, mount: Mount) -> None:
        task = asyncio.create_task(mount.end())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _changed(self) -> None:
        for name in [name for name in self._replaced if self._mounts[name].is_open]:
            self._retire(name)
        self._listing = None
        self._change.set()
        self._change = asyncio.Event()


def version_of(tools: Iterable[ToolCard], faults: dict[str, str], loading: Sequence[str]) -> int:
    """A number that is the same for the same listing."""
    text = json.dumps([[card.model_dump() for card in tools], faults, loading], sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:VERSION_BYTES])
