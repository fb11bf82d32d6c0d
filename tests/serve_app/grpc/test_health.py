"""grpc.health.v1 over a router: on a real gRPC server, asked by the standard client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse, HealthListRequest
from grpc_health.v1.health_pb2_grpc import HealthStub, add_HealthServicer_to_server

from deployments.router import Router
from serve_app.grpc import HealthServicer
from serve_app.ingress import Ingress
from tests.fake_replica import FakeReplica

SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = HealthCheckResponse.SERVICE_UNKNOWN


def route(name: str) -> dict[str, str]:
    task = "text-classification"
    return {"name": name, "task": task, "model": "m", "version": "v1", "app": name, "deployment": "predictor"}


class Lacking:
    """A reading of readiness that the test sets."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()

    async def missing(self, routes: Any) -> tuple[str, ...]:
        return self.names


class AsServeCalls:
    """The names of grpc.health.v1, each with the arguments that Serve hands a deployment's method."""

    def __init__(self, health: HealthServicer) -> None:
        self._health = health

    async def Check(self, request: Any, context: Any) -> Any:
        return await self._health.Check(request, grpc_context=context)

    async def List(self, request: Any, context: Any) -> Any:
        return await self._health.List(request)

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        async with aclosing(self._health.Watch(request, grpc_context=context)) as responses:
            async for response in responses:
                yield response


class Served:
    """A router with two tasks, its health on a port of the loopback, and the periods of watchers as the test ends them.

    At most one watcher has a place.
    """

    def __init__(self) -> None:
        self.lacking = Lacking()
        self.router = Router(connect=lambda deployment, app, balancing: FakeReplica(), readiness=self.lacking)  # type: ignore[arg-type]
        self.pauses: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()
        self.health = HealthServicer(self.router, pause=self._pause, max_watchers=1)
        self.server = grpc.aio.server()
        add_HealthServicer_to_server(AsServeCalls(self.health), self.server)
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}")
        self.stub = HealthStub(self.channel)

    async def _pause(self) -> None:
        over = asyncio.get_running_loop().create_future()
        self.pauses.put_nowait(over)
        await over

    async def period(self) -> asyncio.Future[None]:
        """The watcher has told what it saw, and waits."""
        return await asyncio.wait_for(self.pauses.get(), 10)

    async def check(self, service: str) -> Any:
        return (await self.stub.Check(HealthCheckRequest(service=service))).status

    def watch(self, service: str) -> Any:
        return self.stub.Watch(HealthCheckRequest(service=service))


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    served = Served()
    await served.router.reconfigure({"routes": [route("mood"), route("iris")]})
    await served.server.start()
    async with served.channel:
        yield served
    await served.server.stop(None)


async def test_the_process_serves_whatever_its_models_do(served: Served) -> None:
    """The empty name is the server's, which a restart for a missing model would not help."""
    served.lacking.names = ("mood", "iris")
    assert await served.check("") == SERVING


async def test_a_name_serves_while_it_has_a_healthy_target(served: Served) -> None:
    """Each for itself; all of them in the list, with the process."""
    served.lacking.names = ("mood",)
    assert (await served.check("mood"), await served.check("iris")) == (NOT_SERVING, SERVING)
    statuses = (await served.stub.List(HealthListRequest())).statuses
    assert {name: statuses[name].status for name in statuses} == {"": SERVING, "mood": NOT_SERVING, "iris": SERVING}


async def test_a_name_that_nothing_has_is_not_found(served: Served) -> None:
    """By the call's own status, as the protocol has it, with the name that was asked for."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.check("moood")
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    assert "'moood'" in caught.value.details()


async def test_a_watcher_hears_the_state_at_once_and_then_each_change(served: Served) -> None:
    """What has not changed is not told again."""
    watching = served.watch("mood")
    told = [(await watching.read()).status]
    for names in ((), ("mood",), ("mood",), ()):
        over = await served.period()
        served.lacking.names = names
        over.set_result(None)
    await served.period()
    told += [(await watching.read()).status for _ in range(2)]
    assert told == [SERVING, NOT_SERVING, SERVING]
    watching.cancel()


async def test_a_watched_name_may_become_known(served: Served) -> None:
    """The stream goes on where Check fails: a client may come before the model."""
    watching = served.watch("tide")
    assert (await watching.read()).status == SERVICE_UNKNOWN
    over = await served.period()
    await served.router.reconfigure({"routes": [route("tide")]})
    over.set_result(None)
    assert (await watching.read()).status == SERVING
    watching.cancel()


async def test_no_more_watch_than_have_a_place_and_one_who_goes_leaves_his(served: Served) -> None:
    """The one too many is told so; the place is free as soon as its client has gone."""
    first = served.watch("mood")
    await first.read()
    over = await served.period()
    refused = served.watch("iris")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await refused.read()
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await over
    assert (await served.watch("iris").read()).status == SERVING


def test_the_router_has_the_methods_under_the_names_that_serve_calls(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Serve takes a method of the deployment by the name of the gRPC method."""
    monkeypatch.setenv("AUTOGLM_HOME", str(tmp_path))
    ingress = Ingress({}, connect=lambda deployment, app, balancing: FakeReplica())
    assert all(callable(getattr(ingress, name, None)) for name in ("Check", "List", "Watch"))
