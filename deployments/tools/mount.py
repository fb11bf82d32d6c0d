"""One entry while it is hosted: its source opened, tried again, listed, called, and closed in the end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from autoglm.contract.tool import ToolCard
from autoglm.contract.tool_registration import ToolStatus
from autoglm.errors import AutoGLMError, ConfigError, UnavailableError
from deployments.pauses import doubling
from deployments.tools.config import ToolEntry
from deployments.tools.gate import Gate
from deployments.tools.offer import Offer
from deployments.tools.pace import Pace
from deployments.tools.source import Source
from deployments.tools.sources.listing import MAX_TOOLS, cut

logger = logging.getLogger("ray.serve")

OPEN_S = 60.0  # an MCP server that is fetched by its launcher at the first start takes some tens of seconds
RETRY_S, LONGEST_RETRY_S = 1.0, 60.0  # doubled after each failure
DRAIN_S = 30.0  # what a call under way has before its source is closed, as long as a call takes by default
CLOSE_S = 10.0

Build = Callable[[ToolEntry], Source]
Sleep = Callable[[float], Awaitable[None]]


class Mount:
    """Owns the task that opens the source, keeps it and closes it: all three in one, as anyio's scopes demand.

    `changed` is called whenever the offers or the fault have become others. Offers whose card stays the same stay
    the same objects, with their breakers and numbers.
    """

    def __init__(
        self,
        entry: ToolEntry,
        build: Build,
        changed: Callable[[], None],
        *,
        sleep: Sleep = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        drain_s: float = DRAIN_S,
    ) -> None:
        self.entry = entry
        self.offers: dict[str, Offer] = {}
        self.fault: str | None = None
        self.pace = Pace(entry.name, entry.calls_per_minute, clock)
        self.gate = Gate(entry.name, entry.max_concurrency)
        self._build = build
        self._changed = changed
        self._sleep = sleep
        self._clock = clock
        self._drain_s = drain_s
        self._source: Source | None = None
        self._ending = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._calls: set[asyncio.Timeout] = set()
        self._task = asyncio.create_task(self._live())

    @property
    def is_open(self) -> bool:
        """Whether the source could be opened."""
        return self._source is not None

    @property
    def is_loading(self) -> bool:
        """Whether it is being opened for the first time, so that nobody knows yet what it has."""
        return self._source is None and self.fault is None

    @property
    def state(self) -> dict[str, Any]:
        """As `Catalogue.states` tells it."""
        entry = self.entry.model_dump(mode="json", exclude_defaults=True)
        return {"entry": entry, "status": self.status, "message": self.fault or ""}

    @property
    def status(self) -> ToolStatus:
        """What was opened and lists nothing, for a reason, has failed too: a server that has gone, say."""
        if self.is_loading:
            return "loading"
        return "loaded" if self.offers or not self.fault else "failed"

    async def call(self, offer: Offer, arguments: dict[str, Any], key: str, timeout_s: float) -> Any:
        """The source's answer.

        Raises:
            UnavailableError: the entry was removed, and the call took longer than it had from then on.
        """
        if self._source is None:
            raise UnavailableError(f"{offer.name} is not loaded")
        removal = asyncio.timeout(None)
        try:
            async with removal:
                self._calls.add(removal)
                self._idle.clear()
                return await self._source.call(offer.name, arguments, key=key, timeout_s=timeout_s)
        except TimeoutError:
            if removal.expired():
                raise UnavailableError(f"{offer.name} was removed while the call ran") from None
            raise
        finally:
            self._calls.discard(removal)
            if not self._calls:
                self._idle.set()

    async def end(self) -> None:
        """Offer nothing more; let the calls under way finish within the bound, then close the source."""
        self.offers = {}
        self._ending.set()
        if self._source is None:
            self._task.cancel()
        await asyncio.wait([self._task])

    async def _live(self) -> None:
        source = await self._opened()
        try:
            self._source = source
            self._list(source)
            await self._ending.wait()
            await self._drained()
        finally:
            await self._closed(source)

    async def _opened(self) -> Source:
        pauses = doubling(RETRY_S, LONGEST_RETRY_S)
        while True:
            try:
                return await self._attempt()
            except Exception as fault:  # of whatever kind: it is told in the listing, and tried again
                self._failed(fault)
            await self._sleep(next(pauses))

    async def _attempt(self) -> Source:
        source = self._build(self.entry)
        try:
            async with asyncio.timeout(OPEN_S):
                await source.open(lambda: self._list(source))
        except BaseException:
            await self._closed(source)
            raise
        return source

    def _failed(self, fault: Exception) -> None:
        if isinstance(fault, AutoGLMError):
            self.fault = cut(fault.message)
        elif isinstance(fault, TimeoutError):
            self.fault = f"it could not be opened within {OPEN_S:g} s"
        else:
            logger.exception("the tools of %s cannot be loaded", self.entry.name, exc_info=fault)
            self.fault = f"{type(fault).__name__}; the host's log has it"
        self._changed()

    def _list(self, source: Source) -> None:
        """Offer what the source lists now. A tool that cannot be offered is passed over, and told of as a fault."""
        if source is not self._source or self._ending.is_set():
            return
        cards = list(source.tools())
        faults = list(source.faults())
        if above := len(cards[MAX_TOOLS:]):
            faults.append(f"{above} tools above the {MAX_TOOLS} of one entry are not offered")
        known = {offer.name: offer for offer in self.offers.values()}
        offers: dict[str, Offer] = {}
        for card in cards[:MAX_TOOLS]:
            try:
                offer = self._offer(card, known.get(card.name))
                offers[offer.name] = offer
            except ConfigError as fault:
                faults.append(f"{card.name} is not offered: {fault.message}")
        self.offers = offers
        self.fault = cut("; ".join(faults)) or None
        self._changed()

    def _offer(self, card: ToolCard, known: Offer | None) -> Offer:
        return known if known is not None and known.origin == card else Offer(self.entry, card, self._clock)

    async def _drained(self) -> None:
        if await self._is_idle_within(self._drain_s):
            return
        for removal in self._calls:
            removal.reschedule(0)  # at once, on the loop's clock
        if not await self._is_idle_within(CLOSE_S):
            logger.warning("%s is closed with %d calls that do not end", self.entry.name, len(self._calls))

    async def _is_idle_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def _closed(self, source: Source) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await source.close()
        except Exception:  # a source that cannot be closed must not keep the host from its other work
            logger.exception("the tools of %s could not be closed", self.entry.name)
