"""The paths. Each takes a contract model, asks the router, and makes its answer a response."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel

from autoglm.contract import (
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    EmbeddingResponse,
    Health,
    ModelCard,
    ModelList,
    PredictRequest,
    PredictResponse,
)
from autoglm.errors import APIStatusError
from deployments.router import Answer, Route, Router
from serve_app.http.body import parse_body
from serve_app.http.errors import error_event, request_id_of


def build_routes(router: Router, max_body_bytes: int) -> APIRouter:
    """All paths over one router."""
    api = APIRouter()

    @api.get("/health", response_model=Health)
    async def health() -> Response:
        return json_response(router.health())

    @api.get("/ready", response_model=Health)
    async def ready() -> Response:
        state = await router.ready()
        return json_response(state, status=503 if state["missing"] else 200)

    @api.get("/v1/models", response_model=ModelList)
    async def models() -> Response:
        return json_response(router.models())

    @api.get("/v1/models/{name}", response_model=ModelCard)
    async def model(name: str) -> Response:
        return json_response(router.model(name))

    @api.post("/v1/predict", response_model=PredictResponse, openapi_extra=body_of(PredictRequest))
    async def predict(request: Request) -> Response:
        return answered(await router.classify(await parse_body(request, PredictRequest, max_body_bytes)))

    @api.post("/v1/embeddings", response_model=EmbeddingResponse, openapi_extra=body_of(EmbeddingRequest))
    async def embeddings(request: Request) -> Response:
        return answered(await router.vectors(await parse_body(request, EmbeddingRequest, max_body_bytes)))

    @api.post("/v1/chat/completions", openapi_extra=body_of(ChatRequest))
    async def chat(request: Request) -> Response:
        return await generated(router, request, await parse_body(request, ChatRequest, max_body_bytes))

    @api.post("/v1/completions", openapi_extra=body_of(CompletionRequest))
    async def completions(request: Request) -> Response:
        return await generated(router, request, await parse_body(request, CompletionRequest, max_body_bytes))

    return api


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """The request body in the OpenAPI schema; the parsing itself is `parse_body`'s."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": model.model_json_schema()}}}}


def json_response(body: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON body."""
    return Response(orjson.dumps(body), status, headers, "application/json")


def answered(answer: Answer[dict[str, Any]]) -> Response:
    """A whole answer and the headers that say who gave it."""
    return json_response(answer.body, headers=route_headers(answer.route))


async def generated(router: Router, request: Request, body: ChatRequest | CompletionRequest) -> Response:
    """A chat or text completion, streamed where the caller asked for it."""
    if not body.stream:
        return answered(await router.generate(body))
    answer = await router.generate_stream(body)
    events = until_broken(answer.body, request_id_of(request))
    headers = route_headers(answer.route) | {"cache-control": "no-cache"}
    return StreamingResponse(events, headers=headers, media_type="text/event-stream")


async def until_broken(events: AsyncGenerator[bytes], request_id: str) -> AsyncGenerator[bytes]:
    """A stream that ends with an error event, not with a cut connection, when its replica fails."""
    try:
        async with aclosing(events):
            async for event in events:
                yield event
    except APIStatusError as error:
        yield error_event(error, request_id)


def route_headers(route: Route) -> dict[str, str]:
    """Which model, version and lane answered, and that no cache did."""
    return {
        "x-autoglm-model": route.name,
        "x-autoglm-version": route.version,
        "x-autoglm-lane": "stable",
        "x-autoglm-cache": "bypass",
    }
