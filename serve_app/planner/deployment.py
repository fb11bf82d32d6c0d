"""The planner as the cluster runs it: its callers known, its models reached by the router, its tools by their hosts."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from pydantic import BaseModel, ConfigDict

from deployments.access import Snapshot
from deployments.planner.capabilities import Capabilities
from deployments.planner.deployment import Planner
from deployments.planner.planning import Planning
from deployments.planner.run_store import Claim
from deployments.tools.toolbox import Toolbox
from serve_app.bank import Reach, unchecked
from serve_app.names import ROUTER, ROUTER_APP
from serve_app.planner.capabilities import CallerCapabilities
from serve_app.planner.models import ModelListing
from serve_app.planner.store import ControlRuns
from serve_app.standing import Standing
from serve_app.tools import ClusterTools

TICK_S = 1.0


class Told(BaseModel):
    """The planner's user_config, beside what concerns tools.

    A file that an operator deploys has no credentials, and so leaves them as they were.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    planner: dict[str, Any] = {}
    credentials: Snapshot | None = None


class ClusterPlanner(Planner):
    """One replica."""

    def __init__(self, reach: Reach = unchecked) -> None:
        super().__init__(self._capabilities_for, ControlRuns(reach), Planning.of, name=secrets.token_hex(8))
        self._reach = reach
        self._standing = Standing()
        self._tools = ClusterTools(reach)
        self._models = ModelListing(self._router)
        self._ticking: asyncio.Task[None] | None = None
        # Serve awaits it when the replica stops. As the class's, Python's collector would call it, and await nothing.
        self.__del__ = self.aclose

    async def reconfigure(self, config: dict[str, Any]) -> None:
        """Called by Serve with `user_config`: the file's part, and what the control plane told."""
        told = Told.model_validate(config)
        if told.credentials is not None:
            self._standing.update(told.credentials)
        self._tools.update(config)
        await super().reconfigure(told.planner)
        if self._ticking is None:
            self._ticking = asyncio.create_task(self._tick())

    @property
    def toolbox(self) -> Toolbox:
        """What its runs call tools by."""
        return self._tools.toolbox

    async def tell(self) -> None:
        """Tell the audit of calls that it has not heard of."""
        await self._tools.tell()

    async def aclose(self) -> None:
        """End what runs here, and tell the last calls of tools."""
        if self._ticking is not None:
            self._ticking.cancel()
        await super().aclose()
        await self._tools.aclose()

    async def _capabilities_for(self, claim: Claim) -> Capabilities:
        await self._standing.awaited(claim.caller)
        await self._models.fresh()
        return CallerCapabilities(
            claim,
            standing=self._standing,
            toolbox=self._tools.toolbox,
            models=lambda: self._models.cards,
            router=self._router(),
        )

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            await self.tell()

    def _router(self) -> Any:
        return self._reach(ROUTER, ROUTER_APP)
