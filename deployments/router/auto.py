"""What `auto` stands for: the model or task that a request's text is routed to by its meaning."""

from __future__ import annotations

import asyncio
from typing import Any, Self

from autoglm.contract.route import RouteDecision, RouteKind
from autoglm.errors import UnprocessableEntityError
from deployments.meaning import load_encoder
from deployments.router.semantic import RouteIndex, RoutingConfig, text_of

AUTO = "auto"


class Auto:
    """Decides by the routes of the file; without any it refuses."""

    def __init__(self, index: RouteIndex | None = None) -> None:
        self._index = index

    @classmethod
    async def of(cls, config: RoutingConfig) -> Self:
        """Reads the encoder's weights and fits the index, in a thread."""
        if not config.routes:
            return cls()
        return cls(await asyncio.to_thread(lambda: RouteIndex(config, load_encoder(config.encoder))))

    async def decide(self, text: str, kind: RouteKind | None, *, param: str = "input") -> RouteDecision:
        """Where a text goes.

        Raises:
            UnprocessableEntityError: no routes are declared.
        """
        if self._index is None:
            raise UnprocessableEntityError(f"{param}: no `routes` are declared in the cluster's file", param=param)
        return await self._index.route(text, kind)

    async def name(self, request: dict[str, Any], kind: RouteKind) -> str:
        """The model or task of a request that asks for `auto`.

        Raises:
            UnprocessableEntityError: its text belongs to no route, and nothing is declared for such texts.
        """
        decision = await self.decide(text_of(request), kind, param=kind)
        name = decision.model if kind == "model" else decision.task
        if name is None:
            raise UnprocessableEntityError(
                f"{kind}: {AUTO!r} found nothing for this input ({decision.reason}); name a {kind}", param=kind
            )
        return name
