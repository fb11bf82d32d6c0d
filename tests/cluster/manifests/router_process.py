"""A router in a process of its own, over replicas that answer at once.

It says by its pipe where it listens, and `held` when it begins to keep a request that it is told to keep for ever.
"""

from __future__ import annotations

import asyncio
import socket
from multiprocessing.connection import Connection
from typing import Any

import uvicorn
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autoglm.contract import Prediction
from autoglm.errors import UnavailableError
from deployments.access import AccessConfig, Authenticator
from deployments.router import Router
from serve_app.http import build_http
from tests.fake_replica import FakeReplica
from tests.serve_app.http.bank import unlimited

KEY = "ag-of-the-test"
TASKS = {"sentiment": "text-classification", "down": "text-classification", "chat": "text-generation"}
RELEASED = asyncio.Event()
REPLICAS = {
    "sentiment": FakeReplica(
        predict=lambda inputs: {"outputs": [Prediction(label="good", score=1) for _ in inputs], "tokens": 4}
    ),
    "down": FakeReplica(predict=UnavailableError("no replica of this model is left")),
    "chat": FakeReplica(events=[b"data: 1\n\n", RELEASED, b"data: 2\n\n", asyncio.Event()]),  # it never ends
}


class Missing:
    """A reading of readiness that stays as it is."""

    def __init__(self, names: str) -> None:
        self._names = tuple(names.split())

    async def missing(self, routes: Any) -> tuple[str, ...]:
        return self._names


class Named:
    """Says in the headers of each answer which cluster it is from and what came with the request.

    A request whose `x-hold` names the cluster is kept, one whose `x-refuse` does is refused; any with `x-release` lets
    the streams' second event come.
    """

    def __init__(self, app: ASGIApp, name: str, pipe: Connection) -> None:
        self._app = app
        self._name = name
        self._pipe = pipe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                answered["x-cluster"] = self._name
                answered["x-seen"] = f"{headers.get('x-request-id')} {', '.join(headers.getlist('x-forwarded-for'))}"
            await send(message)

        if headers.get("x-hold") == self._name:
            self._pipe.send("held")
            await asyncio.Event().wait()
        if "x-release" in headers:
            RELEASED.set()
        refused = headers.get("x-refuse") == self._name
        await (Response(status_code=503) if refused else self._app)(scope, receive, send_named)


def run(name: str, missing: str, pipe: Connection) -> None:
    """Until it is killed."""
    asyncio.run(serve(name, missing, pipe))


async def serve(name: str, missing: str, pipe: Connection) -> None:
    """The same, on a loop."""
    router = Router(connect=lambda deployment, app, balancing: REPLICAS[app], readiness=Missing(missing))  # type: ignore[arg-type, return-value]
    await router.reconfigure({"routes": [route(name, task) for name, task in TASKS.items()]})
    app = build_http(router, Authenticator(AccessConfig(), local_key=KEY), unlimited())
    listener = socket.create_server(("127.0.0.1", 0))
    pipe.send(listener.getsockname()[1])
    config = uvicorn.Config(Named(app, name, pipe), log_level="critical")
    await uvicorn.Server(config).serve([listener])


def route(name: str, task: str) -> dict[str, str]:
    """To the replica of the same name."""
    deployment = "llm" if task == "text-generation" else "predictor"
    return {"name": name, "task": task, "model": "m", "version": "v1", "app": name, "deployment": deployment}
