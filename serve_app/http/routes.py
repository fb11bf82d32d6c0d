"""The paths. Each takes a contract model, asks the router, and makes its answer a response."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from autoglm.contract import (
    ChatCompletion,
    ChatRequest,
    Completion,
    CompletionRequest,
    EmbeddingRequest,
    EmbeddingResponse,
    Health,
    ModelCard,
    ModelList,
    PredictRequest,
    PredictResponse,
)
from autoglm.contract.scope import Scope
from deployments.access import Principal
from deployments.quota import estimate
from deployments.router import EMBEDDING, GENERATING, PREDICTING, Answer, Router
from serve_app.http.admission import Admission, Visit, caller_of, check_model
from serve_app.http.body import parse_body
from serve_app.http.errors import request_id_of
from serve_app.http.generation import (
    EventStream,
    Generation,
    estimated,
    is_told_usage,
    metered,
    until_broken,
    with_usage,
)
from serve_app.http.schema import Responses, body_of, errors, open_to_all, streamed

CHAT, PREDICT, EMBED = Scope("chat"), Scope("predict"), Scope("embed")
NOT_READY: Responses = {503: {"model": Health, "description": "`missing` names what has no healthy target"}}
LISTED = errors(401, 429, 503)
CALLED = errors(401, 403, 404, 422, 429, 502, 503, 504)
GENERATED = CALLED | streamed()


def build_routes(router: Router, admission: Admission, max_body_bytes: int) -> APIRouter:
    """All paths over one router."""
    api = APIRouter()

    async def generated(request: Request, caller: Principal, body: Generation) -> Response:
        check_model(caller, body.model, "model")
        route = router.route(body.model, param="model", tasks=GENERATING)
        prompt, completion = estimated(body, route)
        visit = await admission.admit(caller, route, prompt, completion)
        if not body.stream:
            with visit:
                return answered(await router.generate(body), visit)
        try:
            answer = await router.generate_stream(with_usage(body))
        except BaseException:
            visit.close()
            raise
        visit.prompt_tokens = prompt
        events = until_broken(metered(answer.body, visit, told=is_told_usage(body)), request_id_of(request))
        return EventStream(events, visit, headers_of(visit))

    @api.get("/health", response_model=Health, responses=errors(), openapi_extra=open_to_all())
    async def health() -> Response:
        return json_response(router.health())

    @api.get("/ready", response_model=Health, responses=errors() | NOT_READY, openapi_extra=open_to_all())
    async def ready() -> Response:
        state = await router.ready()
        return json_response(state, status=503 if state["missing"] else 200)

    @api.get("/v1/models", response_model=ModelList, responses=LISTED)
    async def models(request: Request) -> Response:
        caller, listed = caller_of(request), router.models()
        return json_response(listed | {"data": [card for card in listed["data"] if caller.may_use(card["id"])]})

    @api.get("/v1/models/{name}", response_model=ModelCard, responses=LISTED | errors(403, 404))
    async def model(request: Request, name: str) -> Response:
        check_model(caller_of(request), name, "model")
        return json_response(router.model(name))

    @api.post("/v1/predict", response_model=PredictResponse, responses=CALLED, openapi_extra=body_of(PredictRequest))
    async def predict(request: Request) -> Response:
        caller = caller_of(request, PREDICT)
        body = await parse_body(request, PredictRequest, max_body_bytes)
        check_model(caller, body.task, "task")
        route = router.route(body.task, param="task", tasks=PREDICTING)
        texts = (item for item in body.inputs if isinstance(item, str)) if route.is_text else ()
        with await admission.admit(caller, route, estimate.prompt_tokens(texts)) as visit:
            return answered(await router.classify(body), visit)

    @api.post(
        "/v1/embeddings", response_model=EmbeddingResponse, responses=CALLED, openapi_extra=body_of(EmbeddingRequest)
    )
    async def embeddings(request: Request) -> Response:
        caller = caller_of(request, EMBED)
        body = await parse_body(request, EmbeddingRequest, max_body_bytes)
        check_model(caller, body.model, "model")
        route = router.route(body.model, param="model", tasks=EMBEDDING)
        texts = [body.input] if isinstance(body.input, str) else body.input
        with await admission.admit(caller, route, estimate.prompt_tokens(texts)) as visit:
            return answered(await router.vectors(body), visit)

    @api.post(
        "/v1/chat/completions",
        response_model=ChatCompletion,
        responses=GENERATED,
        openapi_extra=body_of(ChatRequest),
    )
    async def chat(request: Request) -> Response:
        caller = caller_of(request, CHAT)
        return await generated(request, caller, await parse_body(request, ChatRequest, max_body_bytes))

    @api.post(
        "/v1/completions",
        response_model=Completion,
        responses=GENERATED,
        openapi_extra=body_of(CompletionRequest),
    )
    async def completions(request: Request) -> Response:
        caller = caller_of(request, CHAT)
        return await generated(request, caller, await parse_body(request, CompletionRequest, max_body_bytes))

    return api


def json_response(body: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON body."""
    return Response(orjson.dumps(body), status, headers, "application/json")


def answered(answer: Answer[dict[str, Any]], visit: Visit) -> Response:
    """A whole answer, and the headers that say who gave it and what is left to the caller."""
    visit.used(answer.body.get("usage") or {})
    return json_response(answer.body, headers=headers_of(visit))


def headers_of(visit: Visit) -> dict[str, str]:
    """Which model, version and lane answered, that no cache did, and the caller's limits."""
    return {
        "x-autoglm-model": visit.route.name,
        "x-autoglm-version": visit.route.version,
        "x-autoglm-lane": "stable",
        "x-autoglm-cache": "bypass",
        **visit.headers,
    }
