"""The router with the HTTP surface on it, and who may call it: told by Serve, without a restart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from pydantic import BaseModel, ConfigDict
from ray import serve
from ray.serve.exceptions import RayServeException
from starlette.types import ASGIApp

from autoglm.home import server_key
from deployments.access import AccessConfig, Authenticator, Principal, Snapshot
from deployments.collector import collect_rarely
from deployments.quota import Allowances, Bank, Meter, QuotaView
from deployments.router import Connect, Exporter, HeldBreaker, Priority, Route, Router, RouterConfig, balanced_handle
from deployments.tools.toolbox import Toolbox
from serve_app.bank import ControlBank, Reach, unchecked
from serve_app.caller_surface import Services, surface_of
from serve_app.delegation import Delegation
from serve_app.environment import proxies_in_front
from serve_app.grpc import HealthServicer
from serve_app.http import MAX_BODY_BYTES, Admission, build_http
from serve_app.mcp import PATH as MCP_PATH
from serve_app.mcp import McpEndpoint
from serve_app.planner.store import ControlRuns
from serve_app.runs import ClusterRuns
from serve_app.tools import ClusterTools, ToldTools

TICK_S = 1.0  # so long may usage wait to be told, and a lease lie unused

logger = logging.getLogger("ray.serve")


class SurfaceConfig(BaseModel):
    """What the surface is built from; a change of it restarts the router."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_body_bytes: int = MAX_BODY_BYTES
    trusted_proxies: int = 0
    loopback_only: bool = False  # it listens there alone
    security: AccessConfig = AccessConfig()


class Told(BaseModel):
    """What the control plane adds to the router's user_config: who may call, how much, and what else is served.

    A file that an operator deploys has none of it, and so leaves it as it was.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    credentials: Snapshot | None = None
    quotas: tuple[QuotaView, ...] | None = None
    registered: tuple[Route, ...] | None = None
    breakers: tuple[HeldBreaker, ...] | None = None


class Ingress(Router):
    """One replica: a request is in the router as soon as it is in the process."""

    def __init__(
        self,
        surface: dict[str, Any],
        connect: Connect = balanced_handle,
        bank: Bank | None = None,
        reach: Reach = unchecked,
    ) -> None:
        super().__init__(connect)
        collect_rarely()
        self._surface = SurfaceConfig.model_validate(surface)
        self.authenticator = Authenticator(self._surface.security, local_key=server_key())
        self._meter = Meter()
        self._allowances = Allowances(bank or ControlBank(reach), self._meter)
        self._admission = Admission(self._allowances, self._meter)
        self._delegation = Delegation(self, self._admission)
        self._tools = ClusterTools(reach)
        self._runs = ClusterRuns(ControlRuns(reach), reach)
        services = Services(self, self._admission, self._delegation, self._runs, self._tools)
        self._mcp = McpEndpoint(
            surface_of(services),
            loopback_only=self._surface.loopback_only,
            max_body_bytes=self._surface.max_body_bytes,
        )
        self._listening: asyncio.Task[None] | None = None
        self._offered: Sequence[str] = ()  # to MCP's clients
        self._registered: tuple[Route, ...] = ()
        self._held: tuple[HeldBreaker, ...] = ()
        self._ticking: asyncio.Task[None] | None = None
        # Serve's gRPC proxy calls a deployment's methods by the names of gRPC's.
        health = HealthServicer(self)
        self.Check, self.List, self.Watch = health.Check, health.List, health.Watch
        # Serve awaits it when the replica stops. As the class's, Python's collector would call it, and await nothing.
        self.__del__ = self._stop

    async def reconfigure(self, config: dict[str, Any]) -> None:
        """Called by Serve with `user_config`: the routes of the file, and what the control plane told."""
        told = Told.model_validate(config)
        if told.credentials is not None:
            self.authenticator.update(told.credentials)
        if told.quotas is not None:
            self._allowances.update(told.quotas)
        if told.registered is not None:
            self._registered = told.registered
        if told.breakers is not None:
            self._held = told.breakers
        self._tools.update(config)
        told_here = Told.model_fields.keys() | ToldTools.model_fields.keys()
        declared = RouterConfig.model_validate({name: config[name] for name in config.keys() - told_here})
        await self._apply(declared.with_routes(self._registered))
        self.hold_breakers(self._held)

    @property
    def toolbox(self) -> Toolbox:
        """What its callers call tools by."""
        return self._tools.toolbox

    async def chat_as(
        self, caller: dict[str, Any], request: dict[str, Any], timeout_s: float, priority: str
    ) -> dict[str, Any]:
        """By handle, as `Delegation.chat`; `caller` is a Principal whom another process of this cluster knows."""
        principal = Principal.model_validate(caller)
        return await self._delegation.chat(principal, request, timeout_s, Priority(priority))

    async def stream_as(
        self, caller: dict[str, Any], request: dict[str, Any], timeout_s: float, priority: str
    ) -> AsyncGenerator[bytes]:
        """By handle, as `Delegation.stream`; call it with `handle.options(stream=True)`."""
        principal = Principal.model_validate(caller)
        async with aclosing(self._delegation.stream(principal, request, timeout_s, Priority(priority))) as events:
            async for event in events:
                yield event

    async def predict_as(
        self, caller: dict[str, Any], task: str, inputs: list[Any], timeout_s: float, priority: str
    ) -> dict[str, Any]:
        """By handle, as `Delegation.predict`."""
        principal = Principal.model_validate(caller)
        return await self._delegation.predict(principal, task, inputs, timeout_s, Priority(priority))

    async def breakers(self) -> list[dict[str, Any]]:
        """As the router tells them, each with the replica that sees it so."""
        return [card | {"replica": replica_id()} for card in await super().breakers()]

    async def __serve_build_asgi_app__(self) -> ASGIApp:
        self._ticking = asyncio.create_task(self._tick())
        self._listening = asyncio.create_task(listen(self._mcp))
        return build_http(
            self,
            self.authenticator,
            self._admission,
            runs=self._runs,
            tools=self._tools,
            mounted={MCP_PATH: self._mcp},
            max_body_bytes=self._surface.max_body_bytes,
            proxies=self._surface.trusted_proxies + proxies_in_front(),
        )

    async def _tick(self) -> None:
        exporter = Exporter()
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self.export(exporter)
                await self._allowances.tick()
            except Exception:  # whatever it is, what was counted is kept and told with the next
                logger.exception("metrics or usage could not be told")
            await self._tools.tell()
            await self._tell_listeners()

    async def _tell_listeners(self) -> None:
        """MCP's clients who listen hear where there are other tools, tasks or models than a second ago."""
        offered = [*self._tools.toolbox.cards, *(card["id"] for card in self.models()["data"])]
        if offered != self._offered:
            self._offered = offered
            await self._mcp.tools_changed()

    async def _stop(self) -> None:
        """What was used is told before it is gone."""
        for task in (self._ticking, self._listening):
            if task is not None:
                task.cancel()
        await self._allowances.close()
        await self._tools.aclose()
        await self.authenticator.aclose()
        await self.aclose()


async def listen(mcp: McpEndpoint) -> None:
    """Let the endpoint live until cancelled; it must be entered and left in one task."""
    async with mcp.running():
        await asyncio.Event().wait()


def replica_id() -> str:
    """Serve's name of this replica; empty where no Serve runs."""
    try:
        return str(serve.get_replica_context().replica_id.unique_id)
    except RayServeException:
        return ""
