"""The models and tasks that the router serves, as another process knows them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from autoglm.contract.model_list import ModelCard, ModelList
from autoglm.errors import UnavailableError, UpstreamError
from serve_app.reach import answer

FRESH_S = 1.0
TIMEOUT_S = 2.0


class ModelListing:
    """Asked for again where it is older than a second; while the router is away, as it was."""

    def __init__(self, router: Callable[[], Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._router = router
        self._clock = clock
        self._taken = float("-inf")
        self._asking = asyncio.Lock()
        self.cards: Sequence[ModelCard] = ()

    async def fresh(self) -> Sequence[ModelCard]:
        """The cards as they are now, or were a second ago.

        Raises:
            UnavailableError: the router was never heard.
        """
        async with self._asking:
            if self._clock() - self._taken > FRESH_S:
                await self._ask()
        return self.cards

    async def _ask(self) -> None:
        try:
            told = await answer(self._router().models.remote(), "the router", TIMEOUT_S)
        except (UnavailableError, UpstreamError) as fault:
            if self._taken == float("-inf"):
                raise UnavailableError(fault.message, retry_after=1.0) from fault
            return
        self.cards = ModelList.model_validate(told).data
        self._taken = self._clock()
