"""The standard health service of gRPC, over what a router replica knows of its models.

Source: grpc.health.v1 and https://github.com/grpc/grpc/blob/master/doc/health-checking.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Protocol

import grpc
from grpc_health.v1.health_pb2 import (
    HealthCheckRequest,
    HealthCheckResponse,
    HealthListRequest,
    HealthListResponse,
)

SERVICER = "grpc_health.v1.health_pb2_grpc.add_HealthServicer_to_server"  # as Serve's `grpc_options` name it
PROCESS = ""  # the service name that means the whole server
PERIOD_S = 1.0  # a watcher hears of a change after so long at most; the router's own reading is as old
MAX_WATCHERS = 64  # each is a request under way and a reading a second

SERVING = HealthCheckResponse.SERVING
NOT_SERVING = HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = HealthCheckResponse.SERVICE_UNKNOWN


class Readable(Protocol):
    """What is asked of a router."""

    def models(self) -> dict[str, Any]:
        """What is served: `{"data": [{"id": name}, …]}`."""

    async def ready(self) -> dict[str, Any]:
        """Its state: `{"missing": [name, …]}`, the names that have no healthy target."""


class Context(Protocol):
    """What is asked of the context of a call (Serve's RayServegRPCContext)."""

    def set_code(self, code: Any) -> None:
        """The status that the call ends with."""

    def set_details(self, details: str) -> None:
        """Why."""


async def a_period() -> None:
    """Until a watcher looks again."""
    await asyncio.sleep(PERIOD_S)


class HealthServicer:
    """`Check`, `List` and `Watch`, by the names under which Serve's gRPC proxy calls a deployment's methods.

    The service "" serves as long as the process answers; a model's or task's name as long as it has a healthy target.
    """

    def __init__(
        self, router: Readable, *, pause: Callable[[], Awaitable[None]] = a_period, max_watchers: int = MAX_WATCHERS
    ) -> None:
        self._router = router
        self._pause = pause
        self._places = max_watchers

    async def Check(self, request: HealthCheckRequest, grpc_context: Context) -> HealthCheckResponse:
        """The status of one service now; the call's own is NOT_FOUND where nothing has the name."""
        status = await self._status(request.service)
        if status != SERVICE_UNKNOWN:
            return HealthCheckResponse(status=status)
        grpc_context.set_code(grpc.StatusCode.NOT_FOUND)
        grpc_context.set_details(f"service {request.service!r} is none of the models and tasks served; List names them")
        return HealthCheckResponse()

    async def List(self, request: HealthListRequest) -> HealthListResponse:
        """The status of every service."""
        names = [PROCESS, *self._names()]
        return HealthListResponse(
            statuses={name: HealthCheckResponse(status=await self._status(name)) for name in names}
        )

    async def Watch(
        self, request: HealthCheckRequest, grpc_context: Context
    ) -> AsyncGenerator[HealthCheckResponse, None]:
        """The status at once and after each change, until the client goes; an unknown name may become known.

        The call's status is RESOURCE_EXHAUSTED where too many watch this replica already.
        """
        if not self._places:
            grpc_context.set_code(grpc.StatusCode.RESOURCE_EXHAUSTED)
            grpc_context.set_details(
                "this replica has as many watchers as it takes; watch another, or Check now and then"
            )
            return
        self._places -= 1
        told = None
        try:
            while True:
                status = await self._status(request.service)
                if status != told:
                    yield HealthCheckResponse(status=status)
                    told = status
                await self._pause()
        finally:
            self._places += 1

    async def _status(self, service: str) -> int:
        if service == PROCESS:
            return SERVING
        if service not in self._names():
            return SERVICE_UNKNOWN
        return NOT_SERVING if service in (await self._router.ready())["missing"] else SERVING

    def _names(self) -> list[str]:
        return [card["id"] for card in self._router.models()["data"]]
