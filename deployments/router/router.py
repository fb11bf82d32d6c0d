"""The router: the entry of every request, by HTTP (serve_app puts the surface on it) or by handle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np
import orjson
from pydantic import BaseModel, ValidationError

from autoglm import __version__
from autoglm.contract import (
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    Health,
    ModelCard,
    ModelList,
    PredictRequest,
)
from autoglm.contract.route import RouteDecision, RouteKind, RouteRequest
from deployments.boundary import wrong_field
from deployments.meaning import load_encoder
from deployments.router.auto import AUTO, Auto
from deployments.router.balancing import balanced_handle
from deployments.router.cache import Answer, CacheConfig, ResponseCache
from deployments.router.call import Call
from deployments.router.config import HeldBreaker, Limits, Route, RouterConfig
from deployments.router.metrics import Exporter
from deployments.router.pipeline import Pipeline
from deployments.router.readiness import Readiness
from deployments.router.targets import Connect, TargetTable
from deployments.router.vectors import Vector
from deployments.router.work import Embedding, Generation, Prediction

GENERATING = frozenset({"text-generation"})
EMBEDDING = frozenset({"embedding"})
PREDICTING = frozenset(
    {
        "text-classification",
        "zero-shot-classification",
        "image-classification",
        "tabular-classification",
        "tabular-regression",
    }
)

Request = TypeVar("Request", bound=BaseModel)


class Router:
    """One replica. All of its routing state is in memory, so it answers as long as its targets do.

    Callers in Python reach it by `serve.get_app_handle("autoglm")`: `chat`, `stream`, `predict`, `embed`, `models`
    and `health` take what the SDK's client takes and return plain dicts (`embed`: an array).
    """

    def __init__(self, connect: Connect = balanced_handle, readiness: Readiness | None = None) -> None:
        self._connect = connect
        self._readiness = readiness or Readiness()
        self._started = int(time.time())
        self._config = RouterConfig()
        self._targets = TargetTable((), self._config.limits, connect)
        self._cache = ResponseCache.of(self._config.cache)
        self._pipeline = Pipeline(self._cache, self._targets, is_semantic=False)
        self._auto = Auto()
        self._retiring: set[asyncio.Task[None]] = set()  # caches of configurations before, with requests under way

    async def reconfigure(self, config: dict[str, Any]) -> None:
        """Called by Serve with `user_config`, at the start and on each change; requests under way are not touched.

        A coroutine, since Serve runs plain methods in a thread, where handles find no event loop.
        """
        await self._apply(RouterConfig.model_validate(config))

    async def _apply(self, config: RouterConfig) -> None:
        before = self._cache
        if config.cache != self._config.cache:
            self._cache = await cache_of(config.cache)
        if config.routing != self._config.routing:
            self._auto = await Auto.of(config.routing)
        self._config = config
        gone = self._targets.builds
        self._targets = TargetTable(config.routes, config.limits, self._connect, self._targets)
        self._pipeline = Pipeline(self._cache, self._targets, is_semantic=config.cache.semantic is not None)
        if before is not self._cache:
            retiring = asyncio.create_task(before.retire())
            self._retiring.add(retiring)
            retiring.add_done_callback(self._retiring.discard)
        for name, build in gone - self._targets.builds:
            await self._cache.invalidate(name, build)

    # By handle

    async def chat(self, messages: str | list[dict[str, Any]], model: str = "chat", **options: Any) -> dict[str, Any]:
        """A whole chat completion, in OpenAI's shape."""
        return decoded(await self.generate(chat_request(messages, model, options), Call()))

    async def stream(
        self, messages: str | list[dict[str, Any]], model: str = "chat", **options: Any
    ) -> AsyncIterator[bytes]:
        """A chat completion's server-sent events; call it with `handle.options(stream=True)`."""
        answer = await self.generate_stream(chat_request(messages, model, options | {"stream": True}), Call())
        async for event in answer.body:
            yield event

    async def predict(self, task: str, inputs: Any) -> dict[str, Any]:
        """The predictions of a declared task for one input or a list, in the shape of `POST /v1/predict`."""
        batch = inputs if isinstance(inputs, list) else [inputs]
        return decoded(await self.classify(validated(PredictRequest, {"task": task, "inputs": batch}), Call()))

    async def embed(self, texts: str | list[str], model: str = "embed") -> Vector:
        """Vectors, float32 of shape (n, d)."""
        target = self._targets.find(model, param="model", tasks=EMBEDDING)
        work = Embedding.of(EmbeddingRequest(model=model, input=texts), self._config.limits)
        vectors: Vector = np.stack((await target.predict(work.texts, Call()))["outputs"])
        return vectors

    def models(self) -> dict[str, Any]:
        """What is served, as OpenAI's list."""
        cards = [self._card(route) for route in self._targets.routes]
        return ModelList(data=tuple(cards)).model_dump(mode="json")

    def model(self, name: str) -> dict[str, Any]:
        """One of them."""
        tasks = GENERATING | EMBEDDING | PREDICTING
        return self._card(self._targets.find(name, param="model", tasks=tasks).route).model_dump(mode="json")

    def health(self) -> dict[str, Any]:
        """That this process answers."""
        return Health(status="ok", version=__version__).model_dump(mode="json")

    async def ready(self) -> dict[str, Any]:
        """`status` is `ready`, or `starting` with the `missing` models that have no healthy target."""
        missing = await self._readiness.missing(self._targets.routes)
        status = "starting" if missing else "ready"
        return Health(status=status, version=__version__, missing=missing).model_dump(mode="json")

    # For those who operate it

    async def breakers(self) -> list[dict[str, Any]]:
        """The breaker of each target, as this replica sees it.

        A coroutine, as `tallies` is: Serve runs plain methods in a thread, and breakers are not for threads.
        """
        return [target.breaker.status().model_dump(mode="json") for target in self._targets]

    async def tallies(self) -> dict[str, dict[str, int]]:
        """What became of the requests for each target, counted from the start of this replica."""
        return {str(target): asdict(target.attempts.tally) for target in self._targets}

    def hold_breakers(self, held: Iterable[HeldBreaker]) -> None:
        """Hold these by hand, and let all others go."""
        states = {(breaker.name, breaker.version): breaker.state for breaker in held}
        for target in self._targets:
            target.hold(states.get((target.route.name, target.route.version)))

    def export(self, exporter: Exporter) -> None:
        """Show what was counted as metrics."""
        exporter.export(self._targets, self._cache.status())

    async def aclose(self) -> None:
        """End what runs in the background."""
        for retiring in self._retiring:
            retiring.cancel()
        await self._cache.aclose()

    # By contract; the HTTP surface calls these

    @property
    def limits(self) -> Limits:
        """What one request may bring."""
        return self._config.limits

    def route(self, name: str, *, param: str, tasks: frozenset[str]) -> Route:
        """Where a name leads.

        Raises:
            NotFoundError: nothing of this name is declared.
            BadRequestError: it is declared, and its task is not one of `tasks`.
        """
        return self._targets.find(name, param=param, tasks=tasks).route

    async def decide(self, request: RouteRequest) -> RouteDecision:
        """Where a text would go, and why."""
        return await self._auto.decide(request.input, request.kind)

    async def chosen(self, request: BaseModel, kind: RouteKind) -> str:
        """The model or task of a request, whose own name for it may be `auto`."""
        name: str = getattr(request, kind)
        return await self._auto.name(request.model_dump(), kind) if name == AUTO else name

    async def generate(self, request: ChatRequest | CompletionRequest, call: Call) -> Answer[bytes]:
        """A whole chat or text completion."""
        target = self._targets.find(request.model, param="model", tasks=GENERATING)
        return await self._pipeline.whole(Generation.of(request, self._config.limits), target, call)

    async def generate_stream(
        self, request: ChatRequest | CompletionRequest, call: Call
    ) -> Answer[AsyncGenerator[bytes]]:
        """A streamed one. What fails before the first event is raised here, so that it gets a status of its own."""
        target = self._targets.find(request.model, param="model", tasks=GENERATING)
        return await self._pipeline.stream(Generation.of(request, self._config.limits), target, call)

    async def classify(self, request: PredictRequest, call: Call) -> Answer[bytes]:
        """A declared task over a list of inputs."""
        target = self._targets.find(request.task, param="task", tasks=PREDICTING)
        work = Prediction.of(request, target.route, self._config.limits)
        return await self._pipeline.whole(work, target, call)

    async def vectors(self, request: EmbeddingRequest, call: Call) -> Answer[bytes]:
        """Embeddings in OpenAI's shape."""
        target = self._targets.find(request.model, param="model", tasks=EMBEDDING)
        return await self._pipeline.whole(Embedding.of(request, self._config.limits), target, call)

    def _card(self, route: Route) -> ModelCard:
        return ModelCard(
            id=route.name,
            created=self._started,
            task=route.task,
            versions=self._targets.versions(route.name),
            labels=route.labels,
            max_model_len=route.max_model_len,
        )


def chat_request(messages: str | list[dict[str, Any]], model: str, options: dict[str, Any]) -> ChatRequest:
    """A chat request from what a caller in Python gives; one string is one user's turn."""
    turns = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
    return validated(ChatRequest, {"model": model, "messages": turns, **options})


def validated(model: type[Request], fields: dict[str, Any]) -> Request:
    """A request of the contract from a caller in Python, whom no HTTP layer has checked."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise wrong_field(error) from None


async def cache_of(config: CacheConfig) -> ResponseCache:
    """The cache, with an encoder where questions are to be known by their meaning."""
    if config.semantic is None:
        return ResponseCache.of(config)
    encoder = await asyncio.to_thread(load_encoder, "wordllama")
    return ResponseCache.of(config, encoder.encode)


def decoded(answer: Answer[bytes]) -> dict[str, Any]:
    """An answer for a caller in Python."""
    body: dict[str, Any] = orjson.loads(answer.body)
    return body
