"""The router: the entry of every request, by HTTP (serve_app puts the surface on it) or by handle."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError
from ray import serve

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
from deployments.boundary import wrong_field
from deployments.router.answer import Answer
from deployments.router.config import Limits, Route, RouterConfig
from deployments.router.limits import check_generation, check_inputs, check_texts
from deployments.router.readiness import Readiness
from deployments.router.targets import Connect, Target, TargetTable
from deployments.router.vectors import Vector, embedding, shortened

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
GENERATE_METHODS = {ChatRequest: "chat", CompletionRequest: "completions"}

Request = TypeVar("Request", bound=BaseModel)


class Router:
    """One replica. All of its routing state is in memory, so it answers as long as its targets do.

    Callers in Python reach it by `serve.get_app_handle("autoglm")`: `chat`, `stream`, `predict`, `embed`, `models`
    and `health` take what the SDK's client takes and return plain dicts (`embed`: an array).
    """

    def __init__(self, connect: Connect = serve.get_deployment_handle, readiness: Readiness | None = None) -> None:
        self._connect = connect
        self._readiness = readiness or Readiness()
        self._started = int(time.time())
        self._apply(RouterConfig())

    async def reconfigure(self, config: dict[str, Any]) -> None:
        """Called by Serve with `user_config`, at the start and on each change; requests under way are not touched.

        A coroutine, since Serve runs plain methods in a thread, where handles find no event loop.
        """
        self._apply(RouterConfig.model_validate(config))

    def _apply(self, config: RouterConfig) -> None:
        self._limits: Limits = config.limits
        self._targets = TargetTable(config.routes, config.limits, self._connect)

    # By handle

    async def chat(self, messages: str | list[dict[str, Any]], model: str = "chat", **options: Any) -> dict[str, Any]:
        """A whole chat completion, in OpenAI's shape."""
        return (await self.generate(chat_request(messages, model, options))).body

    async def stream(
        self, messages: str | list[dict[str, Any]], model: str = "chat", **options: Any
    ) -> AsyncIterator[bytes]:
        """A chat completion's server-sent events; call it with `handle.options(stream=True)`."""
        answer = await self.generate_stream(chat_request(messages, model, options | {"stream": True}))
        async for event in answer.body:
            yield event

    async def predict(self, task: str, inputs: Any) -> dict[str, Any]:
        """The predictions of a declared task for one input or a list, in the shape of `POST /v1/predict`."""
        batch = inputs if isinstance(inputs, list) else [inputs]
        return (await self.classify(validated(PredictRequest, {"task": task, "inputs": batch}))).body

    async def embed(self, texts: str | list[str], model: str = "embed") -> Vector:
        """Vectors, float32 of shape (n, d)."""
        batch = [texts] if isinstance(texts, str) else texts
        target = self._targets.find(model, param="model", tasks=EMBEDDING)
        check_inputs(batch, "input", self._limits)
        check_texts(batch, "input", self._limits)
        vectors: Vector = np.stack((await target.predict(batch))["outputs"])
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

    # By contract; the HTTP surface calls these

    def route(self, name: str, *, param: str, tasks: frozenset[str]) -> Route:
        """Where a name leads.

        Raises:
            NotFoundError: nothing of this name is declared.
            BadRequestError: it is declared, and its task is not one of `tasks`.
        """
        return self._targets.find(name, param=param, tasks=tasks).route

    async def generate(self, request: ChatRequest | CompletionRequest) -> Answer[dict[str, Any]]:
        """A whole chat or text completion."""
        target, payload = self._generation(request)
        return Answer(await target.call(GENERATE_METHODS[type(request)], payload), target.route)

    async def generate_stream(self, request: ChatRequest | CompletionRequest) -> Answer[AsyncGenerator[bytes]]:
        """A streamed one. What fails before the first event is raised here, so that it gets a status of its own."""
        target, payload = self._generation(request)
        events = target.stream(GENERATE_METHODS[type(request)], payload)
        first = await anext(events, b"")
        return Answer(resumed(first, events), target.route)

    async def classify(self, request: PredictRequest) -> Answer[dict[str, Any]]:
        """A declared task over a list of inputs."""
        target = self._targets.find(request.task, param="task", tasks=PREDICTING)
        check_inputs(request.inputs, "inputs", self._limits)
        route = target.route
        if route.is_text:
            check_texts(request.inputs, "inputs", self._limits)
        outcome = await target.predict(request.inputs)
        body = {
            "task": route.name,
            "model": route.model,
            "version": route.version,
            "predictions": [prediction.model_dump() for prediction in outcome["outputs"]],
            "usage": usage(outcome["tokens"]),
        }
        return Answer(body, route)

    async def vectors(self, request: EmbeddingRequest) -> Answer[dict[str, Any]]:
        """Embeddings in OpenAI's shape."""
        target = self._targets.find(request.model, param="model", tasks=EMBEDDING)
        texts = [request.input] if isinstance(request.input, str) else request.input
        check_inputs(texts, "input", self._limits)
        check_texts(texts, "input", self._limits)
        outcome = await target.predict(texts)
        vectors = [shortened(vector, request.dimensions) for vector in outcome["outputs"]]
        body = {
            "object": "list",
            "data": [embedding(index, vector, request.encoding_format) for index, vector in enumerate(vectors)],
            "model": target.route.name,
            "usage": usage(outcome["tokens"]),
        }
        return Answer(body, target.route)

    def _generation(self, request: ChatRequest | CompletionRequest) -> tuple[Target, dict[str, Any]]:
        target = self._targets.find(request.model, param="model", tasks=GENERATING)
        payload = without_nulls(request.model_dump(mode="json", exclude_unset=True))
        check_generation(payload, self._limits)
        return target, payload

    def _card(self, route: Route) -> ModelCard:
        return ModelCard(
            id=route.name, created=self._started, task=route.task, versions=(route.version,), labels=route.labels
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


def without_nulls(payload: dict[str, Any]) -> dict[str, Any]:
    """Null is as good as absent in OpenAI's optional fields; the engine does not take it in all of its own."""
    return {field: value for field, value in payload.items() if value is not None}


async def resumed(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """A stream whose first event was taken off it; closing it closes the rest."""
    async with aclosing(rest):
        yield first
        async for event in rest:
            yield event


def usage(tokens: int) -> dict[str, int]:
    """The usage of a request that reads and does not write."""
    return {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens}
