"""What a tool host lists, as another process follows it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from autoglm.contract.tool import ToolCard, ToolName
from autoglm.errors import APIStatusError, UpstreamError
from deployments.pauses import doubling

WAIT_S = 20.0  # a host holds a question so long where nothing has changed
GRACE_S = 5.0  # and then it does not answer
# Between two questions: a change of many tools is heard of in few answers, and replicas that differ do not spin.
PAUSE_S = 0.2
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 10.0

NAME: TypeAdapter[str] = TypeAdapter(ToolName)

Translated = Callable[[str], AbstractContextManager[None]]  # raises what a handle raises as one of the error tree
Sleep = Callable[[float], Awaitable[None]]

logger = logging.getLogger("ray.serve")


class Host(Protocol):
    """A Serve handle of a tool host."""

    listing: Any
    call: Any


class Listing:
    """The cards of one host by name.

    While the host is away they stay as they were: it is being started again. So do those of an entry that the host has
    not opened yet.
    """

    def __init__(self, app: str, host: Host, translated: Translated, sleep: Sleep = asyncio.sleep) -> None:
        self.app = app
        self.host = host
        self.cards: Mapping[str, ToolCard] = {}
        self.faults: Mapping[str, str] = {}
        self.loading: frozenset[str] = frozenset()
        self.is_known = False
        self._translated = translated
        self._sleep = sleep
        self._version = -1

    async def follow(self) -> None:
        """Ask again and again, until cancelled."""
        pauses = doubling(FIRST_BACKOFF_S, LONGEST_BACKOFF_S)
        while True:
            try:
                await self._ask()
                pauses = doubling(FIRST_BACKOFF_S, LONGEST_BACKOFF_S)
                await self._sleep(PAUSE_S)
            except APIStatusError as error:
                logger.warning("%s does not tell its tools and is asked again: %s", self.app, error.message)
                await self._sleep(next(pauses))
            except Exception:  # this program's own; the next change must find the loop alive
                logger.exception("the tools of %s could not be taken", self.app)
                await self._sleep(LONGEST_BACKOFF_S)

    async def _ask(self) -> None:
        try:
            with self._translated(self.app):
                async with asyncio.timeout(WAIT_S + GRACE_S):
                    told = await answered(self.host.listing.remote(self._version, WAIT_S))
        except TimeoutError:
            raise UpstreamError(f"{self.app} hangs") from None
        self._take(told)

    def _take(self, told: Mapping[str, Any]) -> None:
        """Raises UpstreamError for an answer that is none."""
        try:
            told_cards = [ToolCard.model_validate(card) for card in told["tools"]]
            cards = {NAME.validate_python(card.name): card for card in told_cards}
            loading = frozenset(map(NAME.validate_python, told["loading"]))
            kept = {name: card for name, card in self.cards.items() if name.partition(".")[0] in loading}
            self.cards, self.loading = kept | cards, loading
            self.faults = dict(told["faults"])
            self._version = int(told["version"])
        except (ValidationError, KeyError, TypeError, ValueError) as fault:
            raise UpstreamError(f"{self.app} lists what is no tool: {fault}") from None
        self.is_known = True


async def answered(response: Any) -> Any:
    """What a handle call gives; one whose caller stops waiting is cancelled at the replica too."""
    try:
        return await response
    except asyncio.CancelledError:
        response.cancel()
        raise
