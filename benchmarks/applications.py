"""A cluster of Serve applications behind one HAProxy: this project's router, plain ones, or both side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from benchmarks.servers import Server, server
from deployments.router import Route, RouterConfig
from serve_app.app import app_name
from serve_app.environment import free_ports
from serve_app.names import ROUTER_APP

Config = dict[str, Any]

VERSION = "v1"


def application(name: str, builder: str, args: Config, prefix: str | None = None, **more: Any) -> Config:
    """A Serve application; without a prefix it is reached by handle only."""
    return {"name": name, "route_prefix": prefix, "import_path": builder, "args": args, **more}


def router(routes: tuple[Route, ...]) -> Config:
    """One router replica at `/`, as each peer has one ingress replica, with its defaults."""
    user_config = RouterConfig(routes=routes).model_dump(mode="json", exclude_defaults=True)
    deployments = [{"name": "router", "user_config": user_config}]
    args = {"replicas": 1, "surface": {}}
    return application(ROUTER_APP, "serve_app.app:build_router", args, "/", deployments=deployments)


def route_to(name: str, deployment: Literal["llm", "predictor"], **more: Any) -> Route:
    """Where the name of a mock model or task leads."""
    task = "text-generation" if deployment == "llm" else "text-classification"
    app = app_name(name, VERSION)
    return Route(name=name, task=task, model="mock", version=VERSION, app=app, deployment=deployment, **more)


def mock_engine() -> tuple[Route, Config]:
    """The model `chat`: a mock engine that answers at once."""
    route = route_to("chat", "llm")
    return route, application(route.app, "benchmarks.mock_engine:build", AT_ONCE)


AT_ONCE: Config = {"engine": {"token_s": 0.0}}


@contextmanager
def cluster(*applications: Config, ready: Sequence[str] = ("/ready",)) -> Iterator[Server]:
    """The applications, until the block is left; where none is a router, `ready` are the paths that tell of each."""
    [port] = free_ports(1)
    config = {"http_options": {"host": "127.0.0.1", "port": port}, "applications": list(applications)}
    with server(["benchmarks.serve_config", json.dumps(config)], f"http://127.0.0.1:{port}", *ready) as started:
        yield started
