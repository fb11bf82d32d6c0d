"""What Serve costs by itself: its hello world, and an ingress that passes each request on by one handle call."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from ray import serve
from ray.serve import Application
from starlette.requests import Request

from benchmarks.mock_engine import MOCK_CPUS
from benchmarks.mock_engine import build as build_engine

CALLS = 4096  # as many as the router takes at once
OPTIONS: dict[str, Any] = {"max_ongoing_requests": CALLS, "ray_actor_options": {"num_cpus": MOCK_CPUS}}

app = FastAPI()


class Hello:
    """Reads nothing, calls nobody."""

    async def __call__(self, request: Request) -> str:
        """The same for everybody."""
        return "hello world"


class Bare:
    """A FastAPI ingress as Serve's guide has it: no key, no deadline, no cache, and no second attempt."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    @app.post("/hello")
    async def hello(self) -> str:
        """Hello world, through FastAPI."""
        return "hello world"

    @app.post("/chat")
    async def chat(self, body: dict[str, Any]) -> dict[str, Any]:
        """What the engine answers."""
        return await self._engine.chat.remote(body)


def build_hello(args: dict[str, Any]) -> Application:
    """Hello world."""
    return serve.deployment(Hello, name="hello", **OPTIONS).bind()


def build_bare(args: dict[str, Any]) -> Application:
    """The ingress, with a mock engine of its own (`args`: those of `benchmarks.mock_engine.build`)."""
    return serve.deployment(serve.ingress(app)(Bare), name="bare", **OPTIONS).bind(build_engine(args))
